"""Chapter "required": SESSION_ID, the one parameter that a call cannot do without."""

from conformance.contract.classes import COMMENTS, NOT_WHOLE_SESSIONS, RATINGS, STARS
from conformance.engine.evidence import Exchange
from conformance.engine.session import PortalSession
from conformance.exchange.call import ABSENT, NOTHING, Call, ClassifiedValue
from conformance.suite import Optionals, assume, calls, clause, listed, value_of

FINE: Optionals = {"rating": (*STARS, "absent"), "comment": ("plain", "absent")}


def _with_chat_id(session: PortalSession) -> list[Call]:
    """CHAT_ID stands in the example of 2024-10, but no edition has it as a parameter."""
    chat = (("CHAT_ID", session.rateable.value),)
    return [Call(ClassifiedValue("absent", ABSENT), value_of(RATINGS, "5"), value_of(COMMENTS, "plain"), extra=chat)]


@clause(
    "session-id.required",
    exchange=calls(**FINE, session=("absent", "empty", "null"), about=["session"], also=_with_chat_id),
)
def test_a_call_without_session_id_is_refused(exchange: Exchange) -> None:
    exchange.must_be_refused()


@clause("session-id.positive", exchange=calls(**FINE, session=("zero", "negative"), about=["session"]))
def test_session_id_0_and_below_are_refused(exchange: Exchange) -> None:
    exchange.must_be_refused()


@clause("session-id.whole-number", exchange=calls(**FINE, session=NOT_WHOLE_SESSIONS, about=["session"]))
def test_a_session_id_that_is_no_whole_number_is_refused(exchange: Exchange) -> None:
    exchange.must_be_refused()


@clause("session-id.digits-as-text", exchange=calls(**FINE, session=("digits",), about=["session as text"]))
def test_session_id_as_a_text_of_digits_means_that_number(exchange: Exchange) -> None:
    assume(exchange.permitted.demands_acceptance)
    exchange.must_be_accepted()


def _example(session: PortalSession) -> list[Call]:
    edition = session.edition
    values = edition.example_accepted
    accepted = Call(
        session.rateable,
        ClassifiedValue(str(values["RATING"]), values["RATING"]),
        ClassifiedValue("plain", values["COMMENT"]),
    )
    refused = Call(ClassifiedValue("absent", ABSENT), NOTHING, NOTHING, extra=tuple(edition.example_refused.items()))
    return [accepted, refused] if edition.example_refused else [accepted]


@clause("documentation.example", exchange=listed(_example))
def test_the_example_of_the_page_is_answered_as_its_own_tables_say(exchange: Exchange) -> None:
    exchange.must_be_permitted()
