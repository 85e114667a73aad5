"""Chapter "comment": any text; and what the pages do not say of texts."""

from conformance.contract.partition import COMMENTS, OTHER_TYPES, STARS, TEXTS
from conformance.exchange.call import NOTHING, Call, Pick
from conformance.judging.records import Exchange, Observation
from conformance.judging.world import World
from conformance.suite import Votes, calls, clause, observations


@clause("comment.any-text", calls(Votes(comment=TEXTS, rating=("absent", *STARS)), about=["comment"]))
def test_any_text_is_accepted(exchange: Exchange) -> None:
    exchange.must_be_accepted()


@clause("comment.zero-text", calls(Votes(comment=("zero-text",), rating=("absent", *STARS)), about=["comment"]))
def test_the_text_0_is_a_filled_comment(exchange: Exchange) -> None:
    exchange.must_be_accepted()


def _alone(world: World, *names: str) -> dict[str, Call]:
    """Each named value of these classes as the only optional parameter."""
    return {
        f"COMMENT {name} {number}": Call(world.rateable, NOTHING, Pick(name, value))
        for name in names
        for number, value in enumerate(COMMENTS[name].named, 1)
    }


@clause("comment.blank", observations(lambda world: _alone(world, "blank")))
def test_blank_comments_are_observed(observation: Observation) -> None:
    """White space of any script, zero-width characters, a lone combining mark."""


@clause("comment.control", observations(lambda world: _alone(world, "control")))
def test_control_characters_are_observed(observation: Observation) -> None:
    """NUL and BEL inside a text."""


@clause("comment.long", observations(lambda world: _alone(world, "oversize")))
def test_long_comments_are_observed(observation: Observation) -> None:
    """10,000 and 10,001 characters."""


@clause("comment.other-type", observations(lambda world: _alone(world, *OTHER_TYPES)))
def test_comments_of_other_types_are_observed(observation: Observation) -> None:
    """Numbers, booleans, a list, an object."""
