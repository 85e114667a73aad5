"""Chapter "comment": any text; and what the pages do not say of texts."""

from conformance.contract.classes import OTHER_TYPES, STARS, TEXTS
from conformance.engine.evidence import Exchange, Observation
from conformance.engine.observed_cases import comments_alone
from conformance.suite import calls, clause, observations, observed_where_silent


@clause(
    "comment.any-text", exchange=calls(comment=TEXTS, rating=("absent", *STARS), about=["comment", "comment alone"])
)
def test_any_text_is_accepted(exchange: Exchange) -> None:
    exchange.must_be_accepted()


@clause(
    "comment.lines",
    exchange=observed_where_silent(
        "comment.lines",
        calls(comment=("lines",), rating=("absent", *STARS), about=["comment"]),
        observations(lambda session: comments_alone(session.sessions, "lines")),
    ),
)
def test_a_comment_of_several_lines_is_accepted(exchange: Exchange) -> None:
    exchange.must_be_accepted()


@clause("comment.zero-text", exchange=calls(comment=("zero-text",), rating=("absent", *STARS), about=["comment"]))
def test_the_text_0_is_a_filled_comment(exchange: Exchange) -> None:
    exchange.must_be_accepted()


@clause("comment.blank", observation=observations(lambda session: comments_alone(session.sessions, "blank")))
def test_blank_comments_are_observed(observation: Observation) -> None:
    """White space of any script, zero-width characters, a lone combining mark."""


@clause("comment.control", observation=observations(lambda session: comments_alone(session.sessions, "control")))
def test_control_characters_are_observed(observation: Observation) -> None:
    """NUL and BEL inside a text."""


@clause("comment.long", observation=observations(lambda session: comments_alone(session.sessions, "oversize")))
def test_long_comments_are_observed(observation: Observation) -> None:
    """10,000 and 10,001 characters."""


@clause("comment.other-type", observation=observations(lambda session: comments_alone(session.sessions, *OTHER_TYPES)))
def test_comments_of_other_types_are_observed(observation: Observation) -> None:
    """Numbers, booleans, a list, an object."""
