"""Chapter "errors": which code, in which envelope, with which status."""

from conformance.contract.classes import (
    ALL_TEXTS,
    BAD_SESSIONS,
    COMMENTS,
    DENIED_STATES,
    NOT_FILLED,
    NOT_WHOLE_RATINGS,
    OTHER_TYPES,
    OUTSIDE,
    OVERFLOW,
    RATINGS,
    STARS,
)
from conformance.contract.clauses import status_words
from conformance.engine.evidence import Exchange, Observation
from conformance.engine.observed_cases import several_wrong
from conformance.engine.session import PortalSession
from conformance.exchange.call import ABSENT, DOCUMENTED_ENCODINGS, NOTHING, Batch, Call, ClassifiedValue, Delivery
from conformance.exchange.response import NO_JSON, WELL_FORMED_CODE, Accepted, LimitReached, Malformed, Refused
from conformance.suite import Optionals, Values, assume, calls, clause, observations, require, value_of

FINE: Optionals = {"rating": (*STARS, "absent"), "comment": ("plain", "absent")}
ALONE = tuple(Delivery(encoding) for encoding in DOCUMENTED_ENCODINGS)
_OTHER_FORMATS = ("text/html", "application/xhtml+xml", "text/xml", "application/xml")
ANY_SESSION = ("rateable", *DENIED_STATES, *BAD_SESSIONS)
ANY_RATING = (*OUTSIDE, "absent", *STARS, *NOT_WHOLE_RATINGS, "empty", "null", "digits", "digits-outside")
REFUSED: Values = {"session": ANY_SESSION, "rating": ANY_RATING, "comment": ("absent", "plain", "empty", "null")}


@clause("error.access-denied", exchange=calls(**FINE, session=("forbidden",), about=["session"]))
def test_a_forbidden_session_is_refused_with_its_code(exchange: Exchange) -> None:
    exchange.must_be_refused()


@clause("error.chat-type", exchange=calls(**FINE, session=("not_open_line",), about=["session"]))
def test_a_chat_that_is_no_open_line_is_refused_with_its_code(exchange: Exchange) -> None:
    exchange.must_be_refused()


def _overflowing(session: PortalSession) -> list[Call]:
    values = session.sessions[OVERFLOW].boundaries if OVERFLOW in session.sessions else ()
    return [Call(ClassifiedValue(OVERFLOW, value), value_of(RATINGS, "5")) for value in values]


@clause("error.chat-id", exchange=calls(**FINE, session=("unknown",), about=["session"], also=_overflowing))
def test_an_unknown_session_is_refused_as_an_unknown_chat(exchange: Exchange) -> None:
    exchange.must_be_refused()


@clause("error.unknown-session", exchange=calls(**FINE, session=("unknown",), about=["session"], also=_overflowing))
def test_an_unknown_session_is_refused_like_a_forbidden_one(exchange: Exchange) -> None:
    exchange.must_be_refused()


@clause("error.wrong-parameter", exchange=calls(rating=NOT_FILLED, comment=NOT_FILLED))
def test_neither_optional_filled_is_refused_with_its_code(exchange: Exchange) -> None:
    exchange.must_be_refused()


@clause("error.empty-session-id", exchange=calls(**FINE, session=("absent",), about=["session"]))
def test_no_session_id_is_refused_with_its_code(exchange: Exchange) -> None:
    exchange.must_be_refused()


@clause("error.empty-vote-params", exchange=calls())
def test_neither_optional_given_is_refused_with_its_code(exchange: Exchange) -> None:
    exchange.must_be_refused()


@clause(
    "error.envelope",
    exchange=calls(
        **REFUSED, deliveries=(*ALONE, Delivery(batch=Batch.MAP)), judges_every_shape=True, leaves=(Accepted,)
    ),
)
def test_a_refusal_is_an_object_with_error_and_description(exchange: Exchange) -> None:
    item = exchange.response.item
    assume(not isinstance(exchange.outcome, Accepted | LimitReached) and exchange.response.status < 500)
    assume(exchange.permitted.demands_refusal or isinstance(exchange.outcome, Refused))
    assume(exchange.call.delivery.batch is Batch.NO or not isinstance(exchange.outcome, Malformed))
    require(isinstance(item, dict) and "error" in item, "an object with error")
    error = item["error"]
    require(isinstance(error, str) and bool(WELL_FORMED_CODE.fullmatch(error)), "error: letters, digits, underscore")
    require(isinstance(item.get("error_description"), str), "error_description: a text")
    require("result" not in item, "an object without result")


@clause("error.status", exchange=calls(**REFUSED, deliveries=ALONE, judges_every_shape=True, leaves=(Accepted,)))
def test_a_refusal_by_the_method_has_its_status(exchange: Exchange) -> None:
    answer, edition = exchange.response, exchange.edition
    assume(isinstance(exchange.outcome, Refused))
    assume(answer.code not in edition.system_codes or answer.code in edition.method_codes)
    statuses = edition.method_statuses
    require(answer.status in statuses, f"HTTP status {status_words(statuses)}")


@clause(
    "error.documented-code",
    exchange=calls(
        **REFUSED, deliveries=(*ALONE, Delivery(batch=Batch.MAP)), judges_every_shape=True, leaves=(Accepted,)
    ),
)
def test_every_refusal_carries_a_documented_code(exchange: Exchange) -> None:
    assume(exchange.response.has_well_formed_code)
    require(
        exchange.edition.documents(exchange.response.code), "refused with a code of the method page or a system code"
    )


def _structures_and_example(session: PortalSession) -> list[Call]:
    """A list and an object as the only optional parameter; and the call that the page prints as an example."""
    example = Call(ClassifiedValue("absent", ABSENT), extra=tuple(session.edition.example_refused.items()))
    return [*(Call(session.rateable, NOTHING, value_of(COMMENTS, name)) for name in ("list", "object")), example]


@clause(
    "error.never-5xx",
    exchange=calls(
        session=ANY_SESSION,
        rating=("5", *ANY_RATING),
        comment=(
            *("plain", "absent", *ALL_TEXTS[1:], "zero-text", "empty", "null"),
            *("blank", "control", "oversize", *OTHER_TYPES),
        ),
        deliveries=ALONE,
        also=_structures_and_example,
        judges_every_shape=True,
    ),
)
def test_no_values_are_answered_with_5xx_or_another_format(exchange: Exchange) -> None:
    assume(not isinstance(exchange.outcome, LimitReached))
    require(exchange.response.status < 500, "a status below 500")
    require(exchange.response.document is not NO_JSON, "a body in JSON")
    if not isinstance(exchange.outcome, Accepted):
        # What success must be labelled as is said by success.envelope.
        kind = exchange.response.content_type.partition(";")[0].strip().lower()
        require(kind not in _OTHER_FORMATS, "a body that is not labelled as another format")


@clause("error.precedence", observation=observations(lambda session: several_wrong(session.sessions)))
def test_the_code_that_wins_is_observed(observation: Observation) -> None:
    """Two things wrong in one call."""
