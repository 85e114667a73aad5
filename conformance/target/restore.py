"""What a run keeps to itself: five fields of a read-back pass; the vote that was found is put back and not shown."""

import json
import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final, TypeVar
from uuid import uuid4

import httpx
import tenacity

from conformance.exchange.call import (
    ABSENT,
    NOTHING,
    READ_METHOD,
    Call,
    Caller,
    ClassifiedValue,
    Encoding,
    Json,
    ReadBack,
)
from conformance.exchange.encode import HttpRequest, encode, encode_read
from conformance.exchange.read_back import KEPT_FIELDS, PARAMETER_MISSED, comment_reads_back
from conformance.exchange.response import LIMIT_CODES, NO_JSON, WELL_FORMED_CODE, parse_json
from conformance.target.clock import REAL_CLOCK, Clock
from conformance.target.redact import pattern_of
from conformance.target.transports import (
    NoResponse,
    OuterTransport,
    answer_of,
    content_type_of,
    placeholder_request,
)

FOUND_COMMENT: Final = "(the comment found before the run)"
LOOK_SECONDS: Final = 30.0
"""How long a run asks for the present votes before it goes on without votes."""
PUT_BACK_SECONDS: Final = 90.0
"""How long a portal may stay away before its votes are given up."""
_LONGEST_WAIT_SECONDS: Final = 10.0
_PAUSES_UNTIL_SETTLED: Final = (1.0, 3.0, 6.0)
"""A portal may carry a vote out although the connection is gone: so long the session is looked at again."""
_MOST_MISMATCHES: Final = 3
"""The read-backs after a vote was put back: the first ones may come from a cache."""
_LONGEST_CODE: Final = 64
_SHORTEST_QUOTED: Final = 8
"""A shorter comment is a word that an answer may hold without quoting anybody."""
_RATING: Final = re.compile(r"\s*([0-5])(?:\.0+)?\s*", re.ASCII)
_SERVER_FAULT: Final = 500
Read = TypeVar("Read")


@dataclass(frozen=True, slots=True)
class FoundVote:
    """A stored vote. rating 0 and the empty comment where there is none."""

    rating: int = field(repr=False)
    comment: str = field(repr=False)

    @property
    def shown(self) -> str:
        """Return what the vote holds, without the text of the comment."""
        rating = f"rating {self.rating}" if self.rating else "no rating"
        return f"{rating} and {'a' if self.comment else 'no'} comment"

    def reads_back(self, now: "FoundVote") -> bool:
        """Return True if this is the vote that is stored now."""
        return self.rating == now.rating and comment_reads_back(self.comment, now.comment)


NO_VOTE: Final = FoundVote(0, "")


@dataclass(frozen=True, slots=True)
class Failed:
    """Something that a portal did not do.

    reason: what came in place of it.
    lasting: True if asking again changes nothing.
    """

    reason: str
    lasting: bool = False


@dataclass(frozen=True, slots=True)
class PutBack:
    """What came of putting the found votes back.

    lost: a line for each vote that could not be put back.
    stays: a line for each session that had no vote, and has one now.
    """

    lost: tuple[str, ...] = ()
    stays: tuple[str, ...] = ()


class RestoringTransport(OuterTransport):
    """Knows the votes of before the run, shows none of their comments, and puts the votes back.

    found: the present votes by session, as `look` read them.
    own_comments: the comments that the run itself may send. A found one that is among them is no secret.
    say: called with a line for each wait.
    """

    def __init__(
        self,
        inner: httpx.BaseTransport,
        own_comments: frozenset[str],
        say: Callable[[str], None],
        clock: Clock = REAL_CLOCK,
    ) -> None:
        super().__init__(inner)
        self.found: dict[int, FoundVote] = {}
        self._say, self._clock = say, clock
        self._own_comments = own_comments
        self._has_looked = False
        self._named: set[int] = set()
        self._is_unsettled = False
        self._reads_by = Encoding.JSON
        self._hidden: set[str] = set()
        self._quoted = pattern_of(())

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        is_read = request.url.path.endswith(f"/{READ_METHOD}")
        if not is_read:
            sent = request.url.query + request.content
            self._named |= {session for session in self.found if str(session).encode() in sent}
        try:
            answer = self.inner.handle_request(request)
        except BaseException:
            # A vote that was sent and not answered may be carried out later, and after the one that puts back.
            self._is_unsettled |= not is_read
            raise
        if not is_read:
            return answer_of(answer.status_code, content_type_of(answer), self._without_found(answer.content))
        kept = _kept(parse_json(answer.content))
        result = kept.get("result")
        if result is not None:
            comment = result["sessionCommentHead"]
            self._hide(comment)
            if isinstance(comment, str) and comment in self._hidden:
                result["sessionCommentHead"] = FOUND_COMMENT
        return answer_of(answer.status_code, content_type_of(answer), json.dumps(kept).encode())

    def read_found(self, sessions: Iterable[int]) -> dict[int, Failed]:
        """Read the present votes of these sessions before the first vote. Return those that could not be read."""
        deadline = self._clock.now() + LOOK_SECONDS
        unread: dict[int, Failed] = {}
        for session in sessions:
            vote = self._patiently(partial(self._read_twice, session), f"read session {session}", deadline)
            if isinstance(vote, Failed):
                unread[session] = vote
            else:
                self.found[session] = vote
        self._has_looked = True
        return unread

    def put_back(self) -> PutBack:
        """Put the found votes back where a vote was sent, and read them to be sure."""
        self._has_looked = True
        deadline = self._clock.now() + PUT_BACK_SECONDS
        lost, stays = [], []
        for session, vote in self.found.items():
            if session not in self._named:
                continue
            try:
                reason = self._put_back(session, vote, deadline) or self._settle(session, vote, deadline)
            except Exception as error:  # noqa: BLE001 - a fault of the suite must not cost the votes of other sessions
                reason = f"the suite itself failed: {type(error).__name__}"
            if reason and vote == NO_VOTE:
                stays.append(f"session {session} had no vote before the run: the last test vote stays there")
            elif reason:
                lost.append(f"session {session} had {vote.shown} ({reason})")
        return PutBack(tuple(lost), tuple(stays))

    def _put_back(self, session: int, found: FoundVote, deadline: float) -> str:
        """Return the empty text, or the reason why the vote is not back."""
        if found == NO_VOTE:
            return self._why_not_back(session, found, deadline)
        reason = ""
        # A vote is sent whatever reads back at first: that may be an old answer out of a cache.
        for call in _calls_for(session, found):
            attempt = self._attempt(encode(call), session, found)
            self._patiently(attempt, f"put the vote of session {session} back", deadline)
            reason = self._why_not_back(session, found, deadline)
            if not reason:
                break
        return reason

    def _settle(self, session: int, found: FoundVote, deadline: float) -> str:
        """Look again for a while where a vote may be carried out late. Return as _put_back does."""
        reason = ""
        for pause in _PAUSES_UNTIL_SETTLED if self._is_unsettled and found != NO_VOTE else ():
            with suppress(Exception):
                self._say(f"a vote on session {session} was not answered: looking again in {pause:g} s")
            self._clock.sleep(pause)
            now = self._patiently(partial(self._read, session), f"read session {session}", deadline)
            if isinstance(now, Failed) or not found.reads_back(now):
                reason = self._put_back(session, found, max(deadline, self._clock.now() + _LONGEST_WAIT_SECONDS))
        return reason

    def _attempt(
        self, request: HttpRequest, session: int, found: FoundVote
    ) -> Callable[[], httpx.Response | FoundVote | Failed]:
        """Return a function that sends a vote. It sends the vote again only if the first one was not carried out."""
        is_first = True

        def send() -> httpx.Response | FoundVote | Failed:
            nonlocal is_first
            if not is_first and not isinstance(now := self._read(session), Failed) and found.reads_back(now):
                return now
            is_first = False
            return self._answer(request)

        return send

    def _why_not_back(self, session: int, found: FoundVote, deadline: float) -> str:
        """Return the empty text if the vote reads back as it was found, else the reason."""
        mismatches = 0

        def read() -> FoundVote | Failed:
            nonlocal mismatches
            now = self._read(session)
            if isinstance(now, Failed) or found.reads_back(now):
                return now
            mismatches += 1
            return Failed("it reads back otherwise", lasting=found == NO_VOTE or mismatches == _MOST_MISMATCHES)

        now = self._patiently(read, f"read session {session}", deadline)
        return now.reason if isinstance(now, Failed) else ""

    def _patiently(self, attempt: Callable[[], Read | Failed], purpose: str, deadline: float) -> Read | Failed:
        """Attempt something until it is done, fails for good, or the time is over."""

        def report(state: tenacity.RetryCallState) -> None:
            failed = state.outcome.result() if state.outcome is not None else None
            if isinstance(failed, Failed) and state.next_action is not None:
                # The terminal may be gone, and the vote shall be put back all the same.
                with suppress(Exception):
                    self._say(f"cannot {purpose} ({failed.reason}): waiting {state.next_action.sleep:.0f} s")

        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_result(lambda result: isinstance(result, Failed) and not result.lasting),
            wait=tenacity.wait_exponential(1, max=_LONGEST_WAIT_SECONDS),
            stop=lambda _state: self._clock.now() >= deadline,
            sleep=self._clock.sleep,
            before_sleep=report,
            retry_error_callback=lambda state: state.outcome.result() if state.outcome is not None else None,
        )
        result: Read | Failed = retrying(attempt)
        return result

    def _read_twice(self, session: int) -> FoundVote | Failed:
        """Return the present vote. The second reading shows that the first was no old answer out of a cache."""
        first = self._read(session)
        if isinstance(first, Failed):
            return first
        second = self._read(session)
        return second if isinstance(second, Failed) or first == second else Failed("two read-backs differ")

    def _read(self, session: int) -> FoundVote | Failed:
        request = encode_read(ReadBack(session), self._reads_by)
        # Portals ignore this parameter, and a cache between them and us takes the request for a new one.
        fresh = "&".join(filter(None, (request.query, f"bx24_request_id={uuid4()}")))
        answer = self._answer(replace(request, query=fresh))
        if isinstance(answer, Failed):
            return answer
        document = parse_json(answer.content, whole=True)
        if self._reads_by is Encoding.JSON and _kept(document).get("error") == PARAMETER_MISSED:
            self._reads_by = Encoding.QUERY_GET
            return self._read(session)
        vote = _vote_in(document, session)
        if isinstance(vote, FoundVote):
            self._hide(vote.comment)
        return vote

    def _answer(self, request: HttpRequest) -> httpx.Response | Failed:
        """Return an answer of the portal itself: JSON that is no error of a server and no limit."""
        try:
            answer = self.inner.handle_request(placeholder_request(request, Caller.MAIN))
        except NoResponse as failure:
            return Failed(str(failure))
        document = parse_json(answer.content)
        if document is NO_JSON:
            return Failed(f"HTTP {answer.status_code}, and no JSON")
        code = _kept(document).get("error", "")
        if answer.status_code >= _SERVER_FAULT or code in LIMIT_CODES:
            return Failed(f"HTTP {answer.status_code} {code}".rstrip())
        return answer

    def _hide(self, comment: Json) -> None:
        """Note a comment that was there before the run."""
        if self._has_looked or not isinstance(comment, str) or not comment or comment in self._own_comments:
            return
        self._hidden.add(comment)
        self._quoted = pattern_of(comment for comment in self._hidden if len(comment) >= _SHORTEST_QUOTED)

    def _without_found(self, body: bytes) -> bytes:
        """Hide found comments in the answer to a vote: a portal may quote them. Codes and keys stay as they are."""
        found = self._quoted
        if not self._hidden:
            return body
        document = parse_json(body)
        if document is NO_JSON:
            return found.sub(FOUND_COMMENT, body.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")
        hidden = _with_texts(document, lambda text: found.sub(FOUND_COMMENT, text))
        return body if hidden == document else json.dumps(hidden).encode()


def _with_texts(value: Json, change: Callable[[str], str]) -> Json:
    if isinstance(value, dict):
        return {key: entry if key == "error" else _with_texts(entry, change) for key, entry in value.items()}
    if isinstance(value, list):
        return [_with_texts(entry, change) for entry in value]
    return change(value) if isinstance(value, str) else value


def _calls_for(session: int, vote: FoundVote) -> tuple[Call, ...]:
    """Return the calls to try in order. Some portals need an empty field to be sent, others refuse it.

    The whole vote comes first: where it is accepted, one vote puts the session back.
    """
    rating, comment = ClassifiedValue("found", vote.rating), ClassifiedValue("found", vote.comment)
    whole = Call(ClassifiedValue("rateable", session), rating, comment)
    if vote.rating and vote.comment:
        return (whole,)
    without = replace(whole, rating=NOTHING) if vote.comment else replace(whole, comment=NOTHING)
    return whole, without


def _kept(document: Json) -> dict[str, Any]:
    """Return the permitted fields of an answer to a read-back: messages, people and links are dropped here."""
    if not isinstance(document, dict):
        return {}
    code, result = document.get("error"), document.get("result")
    if isinstance(code, str) and len(code) <= _LONGEST_CODE and WELL_FORMED_CODE.fullmatch(code):
        return {"error": code}
    if not isinstance(result, dict) or "sessionId" not in result:
        return {}
    return {"result": {name: result.get(name) for name in KEPT_FIELDS}}


def _vote_in(document: Json, session: int) -> FoundVote | Failed:
    """Return the vote of a session if the answer holds it in a form that can be put back."""
    kept = _kept(document)
    if "error" in kept:
        return Failed(f"refused with {kept['error']}", lasting=True)
    if "result" not in kept:
        return Failed("the answer holds no vote")
    result = document["result"]
    if result["sessionId"] not in (session, str(session)):
        return Failed("the answer is about another session")
    rating = _rating_in(result.get("sessionVoteHead"))
    if rating is None:
        return Failed("sessionVoteHead is no whole number from 0 to 5")
    comment = _comment_in(result.get("sessionCommentHead", ABSENT))
    return Failed("sessionCommentHead is neither a text nor null") if comment is None else FoundVote(rating, comment)


def _rating_in(value: Json) -> int | None:
    """Return a rating that can be put back: a number, or a text of digits."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    found = _RATING.fullmatch(str(value))
    return int(found[1]) if found else None


def _comment_in(value: Json) -> str | None:
    """Return a comment that can be put back; the empty text for null and for white space."""
    if value is None:
        return ""
    # UTF-8 cannot write half a surrogate pair.
    if not isinstance(value, str) or any("\ud800" <= character <= "\udfff" for character in value):
        return None
    return value if value.strip() else ""
