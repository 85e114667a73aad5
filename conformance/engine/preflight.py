"""Before anything is judged: can the target be judged, or is its set-up wrong?"""

from collections.abc import Iterable
from typing import Final

from conformance.engine.evidence import Exchange
from conformance.engine.log import Entry, ExchangeLog
from conformance.engine.session import PortalSession, Step
from conformance.errors import UserError
from conformance.exchange.call import ABSENT, PLAIN_JSON, Call, ClassifiedValue, Json, ReadBack
from conformance.exchange.read_back import NOT_READ, NotRead, StoredVote
from conformance.exchange.response import LIMIT_CODES, NO_JSON
from conformance.exchange.stand_in import before_json, media_type
from conformance.exchange.violation import printable
from conformance.target.target import Target
from conformance.target.transports import NoResponse, NotRecorded

_ATTEMPTS: Final = 5
_LONGEST_SHOWN: Final = 60
_SETUP_CODES: Final = frozenset(
    {"NO_AUTH_FOUND", "INVALID_CREDENTIALS", "expired_token", "user_access_error", "insufficient_scope"}
    | {"ERROR_METHOD_NOT_FOUND", "PORTAL_DELETED", "INVALID_REQUEST"}
)


def preflight_requests(target: Target) -> tuple[Call | ReadBack, ...]:
    """Return two calls that no portal can take for a vote, then read-backs of the sessions that show a wrong set-up."""
    rateable = target.sessions["rateable"]
    calls = (Call(ClassifiedValue("absent", ABSENT)), Call(ClassifiedValue("rateable", rateable)))
    if not target.reads_back:
        return calls
    return (
        *calls,
        *(ReadBack(target.sessions[state]) for state in ("unknown", "rateable") if state in target.sessions),
    )


def preflight(session: PortalSession, requests: Iterable[Call | ReadBack]) -> ExchangeLog:
    """Send these requests in order and return their log. Raise UserError if the target cannot be judged."""
    target = session.portal.target
    shown = target.callers[PLAIN_JSON.caller].shown
    log = ExchangeLog(())
    for request in requests:
        if isinstance(request, ReadBack):
            stored = _read_patiently(session, request.session)
            log += ExchangeLog((Entry(stored),))
            if request.session == target.sessions["rateable"]:
                session.reads = _is_rateable(request.session, stored)
            elif isinstance(stored, StoredVote):
                raise UserError(
                    f"sessions.unknown: the portal knows session {request.session}: give an id that does not exist"
                )
            continue
        answered = session.execute((Step("", 1, request),))
        if answered.unanswered:
            raise UserError(f"{shown}: {answered.unanswered[0].reason}: check the url and that the portal is up")
        log += answered
    if not session.reads:
        _check_answers(log.exchanges, shown)
    return log


def _check_answers(exchanges: tuple[Exchange, ...], shown: str) -> None:
    if not exchanges:
        return
    first = exchanges[0].response
    if all(exchange.response.code in _SETUP_CODES for exchange in exchanges):
        raise UserError(f"{shown}: the portal answers {first.code}: check the webhook's secret, scope and address")
    if all(exchange.response.document is NO_JSON for exchange in exchanges):
        if before := before_json(first.text):
            raise UserError(f"{shown}: {before} stands before the JSON of each answer: a file of the portal writes it")
        raise UserError(
            f"{shown}: the answers are not JSON but {media_type(first.content_type)} "
            f"(HTTP {first.status}): check that the url is a REST webhook"
        )


def _read_patiently(session: PortalSession, number: int) -> StoredVote | NotRead:
    """Return a read-back. Send it again if the rate limit or a lost connection comes in its place."""
    for _ in range(_ATTEMPTS):
        try:
            stored = session.portal.read(number)
        except NotRecorded:
            break
        except NoResponse:
            continue
        if isinstance(stored, StoredVote) or stored.code not in LIMIT_CODES:
            return stored
    return NOT_READ


def _shown(value: Json) -> str:
    return printable(repr(value), _LONGEST_SHOWN)


def _is_rateable(number: int, stored: StoredVote | NotRead) -> bool:
    """Return False if read-back is not offered. Raise UserError if the caller may not rate the session."""
    if isinstance(stored, NotRead):
        if stored.code:
            raise UserError(
                f"sessions.rateable: the portal refuses to read session {number} ({stored.code}): check the id"
            )
        return False
    if str(stored.session) != str(number):
        raise UserError(
            f"sessions.rateable: the portal reads session {number} as {_shown(stored.session)}: check the id"
        )
    if stored.may_rate not in ("Y", None):
        raise UserError(
            f"sessions.rateable: the caller may not rate session {number} (canVoteHead is {_shown(stored.may_rate)}): "
            "give a finished dialog that he may rate"
        )
    return True
