"""Chapter "effects": what a vote leaves behind, read back through imopenlines.session.history.get."""

from hypothesis import strategies as st

from conformance.contract.partition import COMMENTS, NOT_WHOLE_RATINGS, OUTSIDE, RATINGS, STARS, TEXTS
from conformance.exchange.call import NOTHING, Call, Encoding, Pick, Way
from conformance.exchange.stored import NOT_READ
from conformance.judging.records import Effect, Observation, Story
from conformance.judging.world import World
from conformance.suite import Space, Votes, boundary, clause, effects, observations, stories

ENCODINGS = tuple(Way(encoding) for encoding in Encoding)


@clause(
    "effect.saved",
    effects(
        Votes(
            session=("rateable",),
            rating=("absent", *STARS, "digits", "empty"),
            comment=("plain", *TEXTS, "zero-text", "absent"),
            ways=ENCODINGS,
        )
    ),
)
def test_an_accepted_vote_reads_back_as_sent(effect: Effect) -> None:
    effect.must_be_saved()


@clause(
    "effect.unchanged-on-refusal",
    effects(
        Votes(
            session=("rateable", "absent", "forbidden", "unknown", "zero", "text"),
            rating=(*OUTSIDE, "5", *NOT_WHOLE_RATINGS, "absent", "empty"),
            comment=("plain", "absent", "empty", "special"),
        )
    ),
)
def test_a_refused_vote_changes_nothing(effect: Effect) -> None:
    effect.must_be_unchanged()


def _vote(world: World, stars: str, text: str) -> Call:
    return Call(world.rateable, boundary(RATINGS, stars), Pick("plain", text))


def _two_votes(world: World) -> Space:
    if not world.reads:
        return Space((), lacking="the portal offers no read-back")
    first, second = _vote(world, "2", "the first vote"), _vote(world, "4", "the second vote")
    pairs = st.permutations(STARS).map(
        lambda stars: (_vote(world, stars[0], f"first {stars[0]}"), _vote(world, stars[1], f"second {stars[1]}"))
    )
    return Space(((first, second), (second, first)), drawn=pairs)


def _vote_twice(world: World, votes: tuple[Call, ...]) -> Story:
    """Where a vote is refused, one that was accepted before is sent again: was it the value, or that it came later?"""
    first = world.ask(votes[0])
    between = world.read()
    second = world.ask(votes[1])
    after = world.read()
    if first.answer.accepted and second.answer.code:
        return Story((first, second, world.ask(first.call)), between, after)
    if first.answer.code and world.control is not None:
        return Story((world.control, world.ask(world.control.call)), between, after)
    return Story((first, second), between, after)


@clause("effect.revote", stories(_two_votes, _vote_twice))
def test_a_later_vote_replaces_the_earlier_one(story: Story) -> None:
    story.must_be_replaced()


def _the_same_between_others(world: World) -> Space:
    good = _vote(world, "3", "the same again")
    bad = Call(world.rateable, boundary(RATINGS, "above"))
    empty = Call(world.rateable)
    nobody = Call(Pick("absent", boundary(RATINGS, "absent").value), boundary(RATINGS, "5"))
    other = _vote(world, "1", "another vote")
    named = (
        (good, bad, good),
        (good, empty, good, nobody, good),
        (bad, good, bad),
        (good, other, good),
        (empty, bad, good, bad),
        (good,) * 10,
    )
    between = st.lists(st.sampled_from((bad, empty, nobody, other)), min_size=1, max_size=4)
    drawn = st.builds(lambda call, others: (call, *others, call), st.sampled_from((good, bad, empty, nobody)), between)
    return Space(named, drawn=drawn)


def _tell(world: World, calls: tuple[Call, ...]) -> Story:
    """The calls between the first vote that was accepted and the same again."""
    told = [world.ask(call) for call in calls]
    if world.control is not None:
        told = [world.control, *told, world.ask(world.control.call)]
    return Story(tuple(told), NOT_READ, NOT_READ)


@clause("effect.history-free", stories(_the_same_between_others, _tell))
def test_equal_calls_have_equal_outcomes(story: Story) -> None:
    story.must_repeat()


def _one_field(world: World) -> dict[str, Call]:
    return {
        "RATING alone, vote 2 with comment before": Call(world.rateable, boundary(RATINGS, "5")),
        "COMMENT alone, vote 2 with comment before": Call(world.rateable, NOTHING, boundary(COMMENTS, "plain")),
    }


@clause("effect.other-field", observations(_one_field))
def test_the_field_that_is_not_sent_is_observed(observation: Observation) -> None:
    """Does a comment alone keep the rating, does a rating alone keep the comment."""
