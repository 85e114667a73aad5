"""Chapter "effects": what a vote leaves behind, read back through imopenlines.session.history.get."""

from collections.abc import Iterator
from itertools import pairwise

from hypothesis import strategies as st

from conformance.contract.classes import NOT_WHOLE_RATINGS, OUTSIDE, RATINGS, STARS, TEXTS
from conformance.engine.evidence import CallSequence, Observation, StateChange
from conformance.engine.log import ExchangeLog
from conformance.engine.observed_cases import one_field
from conformance.engine.session import PortalSession
from conformance.exchange.call import Call, ClassifiedValue, Delivery, Encoding
from conformance.exchange.read_back import NOT_READ, StoredVote
from conformance.suite import CallTemplate, Cases, boundary, clause, effects, observations, stories

ENCODINGS = tuple(Delivery(encoding) for encoding in Encoding)


@clause(
    "effect.saved",
    effects(
        CallTemplate(
            session=("rateable",),
            rating=("absent", *STARS, "digits", "empty"),
            comment=("plain", *TEXTS, "zero-text", "absent"),
            deliveries=ENCODINGS,
        )
    ),
)
def test_an_accepted_vote_reads_back_as_sent(effect: StateChange) -> None:
    effect.must_be_saved()


@clause(
    "effect.unchanged-on-refusal",
    effects(
        CallTemplate(
            session=("rateable", "absent", "forbidden", "unknown", "zero", "text"),
            rating=(*OUTSIDE, "5", *NOT_WHOLE_RATINGS, "absent", "empty"),
            comment=("plain", "absent", "empty", "special"),
        )
    ),
)
def test_a_refused_vote_changes_nothing(effect: StateChange) -> None:
    effect.must_be_unchanged()


def _vote(world: PortalSession, stars: str, text: str) -> Call:
    return Call(world.rateable, boundary(RATINGS, stars), ClassifiedValue("plain", text))


def _two_votes(world: PortalSession) -> Cases:
    if not world.reads:
        return Cases((), lacking="the portal offers no read-back")
    first, second = _vote(world, "2", "the first vote"), _vote(world, "4", "the second vote")
    pairs = st.permutations(STARS).map(
        lambda stars: (_vote(world, stars[0], f"first {stars[0]}"), _vote(world, stars[1], f"second {stars[1]}"))
    )
    return Cases(((first, second), (second, first)), pairs)


def _votes_in_a_row(_world: PortalSession, transcript: ExchangeLog, _clause: str) -> Iterator[CallSequence]:
    """Each two votes that followed each other and were read back, and each vote that was sent again."""
    read = [effect for effect in transcript.effects if isinstance(effect.after, StoredVote)]
    for first, second in pairwise(effect for effect in read if effect.exchange.answer.accepted):
        yield CallSequence((first.exchange, second.exchange), first.after, second.after)
    for told in transcript.repeated.values():
        yield CallSequence((told[0], told[-1]), NOT_READ, NOT_READ)


def _vote_twice(world: PortalSession, votes: tuple[Call, ...]) -> CallSequence:
    """Where a vote is refused, one that was accepted before is sent again: was it the value, or that it came later?"""
    first = world.ask(votes[0])
    between = world.read()
    second = world.ask(votes[1])
    after = world.read()
    if first.answer.accepted and second.answer.code:
        return CallSequence((first, second, world.ask(first.call)), between, after)
    if first.answer.code and world.control is not None:
        return CallSequence((world.control, world.ask(world.control.call)), between, after)
    return CallSequence((first, second), between, after)


@clause("effect.revote", stories(_two_votes, _vote_twice, _votes_in_a_row))
def test_a_later_vote_replaces_the_earlier_one(story: CallSequence) -> None:
    story.must_be_replaced()


def _the_same_between_others(world: PortalSession) -> Cases:
    good = _vote(world, "3", "the same again")
    bad = Call(world.rateable, boundary(RATINGS, "above"))
    empty = Call(world.rateable)
    nobody = Call(ClassifiedValue("absent", boundary(RATINGS, "absent").value), boundary(RATINGS, "5"))
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
    return Cases(named, drawn)


def _tell(world: PortalSession, calls: tuple[Call, ...]) -> CallSequence:
    """The calls between the first vote that was accepted and the same again."""
    told = [world.ask(call) for call in calls]
    if world.control is not None:
        told = [world.control, *told, world.ask(world.control.call)]
    return CallSequence(tuple(told), NOT_READ, NOT_READ)


def _sent_again(_world: PortalSession, transcript: ExchangeLog, _clause: str) -> Iterator[CallSequence]:
    return (CallSequence(tuple(told), NOT_READ, NOT_READ) for told in transcript.repeated.values())


@clause("effect.history-free", stories(_the_same_between_others, _tell, _sent_again))
def test_equal_calls_have_equal_outcomes(story: CallSequence) -> None:
    story.must_repeat()


def _of_the_other(effect: StateChange) -> str:
    """What became of the field that was not sent; nothing where there was none before."""
    before, after = effect.before, effect.after
    if not isinstance(before, StoredVote) or not isinstance(after, StoredVote) or not effect.exchange.answer.accepted:
        return ""
    name, old, new = ("rating", before.rating, after.rating)
    if effect.exchange.call.comment.absent:
        name, old, new = ("comment", before.comment, after.comment)
    if not old:
        return ""
    return f"keeps the {name}" if new == old else f"changes the {name}" if new else f"empties the {name}"


@clause("effect.other-field", observations(lambda world: one_field(world.sessions), _of_the_other))
def test_the_field_that_is_not_sent_is_observed(observation: Observation) -> None:
    """Does a comment alone keep the rating, does a rating alone keep the comment."""
