"""Chapter "effects": what a vote leaves behind, read back through imopenlines.session.history.get."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from hypothesis import strategies as st

from conformance.contract.classes import ALL_TEXTS, NOT_WHOLE_RATINGS, OUTSIDE, RATINGS, STARS
from conformance.engine.blame import Blame
from conformance.engine.checks import NO_READ_BACK
from conformance.engine.evidence import CallSequence, Observation, StateChange
from conformance.engine.observed_cases import one_field
from conformance.engine.session import PortalSession
from conformance.exchange.call import ABSENT, DOCUMENTED_ENCODINGS, Call, ClassifiedValue, Delivery, ReadBack
from conformance.exchange.read_back import NOT_READ, StoredVote
from conformance.exchange.response import Accepted, Refused
from conformance.suite import Case, Cases, clause, observations, sequences, state_changes, value_of

ENCODINGS = tuple(Delivery(encoding) for encoding in DOCUMENTED_ENCODINGS)


@clause(
    "effect.saved",
    change=state_changes(
        after=Accepted,
        rating=("absent", *STARS, "digits", "empty"),
        comment=("plain", *ALL_TEXTS, "zero-text", "absent"),
        deliveries=ENCODINGS,
    ),
)
def test_an_accepted_vote_reads_back_as_sent(change: StateChange) -> None:
    change.must_be_saved()


@clause(
    "effect.unchanged-on-refusal",
    change=state_changes(
        after=Refused,
        session=("rateable", "absent", "forbidden", "unknown", "zero", "text"),
        rating=(*OUTSIDE, "5", *NOT_WHOLE_RATINGS, "absent", "empty"),
        comment=("plain", "absent", "empty", "special"),
    ),
)
def test_a_refused_vote_changes_nothing(change: StateChange) -> None:
    change.must_be_unchanged()


def _vote(session: PortalSession, stars: str, text: str) -> Call:
    return Call(session.rateable, value_of(RATINGS, stars), ClassifiedValue("plain", text))


def _two_votes(session: PortalSession) -> Cases:
    if not session.reads:
        return Cases((), why_not_exercised=NO_READ_BACK)
    first, second = _vote(session, "2", "the first vote"), _vote(session, "4", "the second vote")
    pairs = st.permutations(STARS).map(
        lambda stars: _read_after_each(
            session, [_vote(session, stars[0], f"first {stars[0]}"), _vote(session, stars[1], f"second {stars[1]}")]
        )
    )
    return Cases(tuple(_read_after_each(session, votes) for votes in ((first, second), (second, first))), pairs)


def _read_after_each(session: PortalSession, calls: Sequence[Call]) -> Case:
    read = ReadBack(session.rateable.value)
    return Case(tuple(request for call in calls for request in (call, read)))


def _votes_in_a_row(blame: Blame, clause: str) -> Iterator[CallSequence]:
    """Yield each two votes in a row, and the first vote with its repetition where every later vote was refused."""
    read = [change for change in blame.log.changes_for(clause) if isinstance(change.after, StoredVote)]
    for first, second in pairwise(change for change in read if change.exchange.response.accepted):
        yield CallSequence((first.exchange, second.exchange), first.after, second.after)
    votes = [exchange for exchange in blame.log.exchanges if exchange.permitted.demands_acceptance]
    accepted = [vote for vote in votes if vote.response.accepted]
    if len(accepted) != 1:
        return
    later = [vote for vote in votes if vote.number > accepted[0].number]
    again = [vote for vote in later if vote.call == accepted[0].call]
    if again and len(again) < len(later):
        yield CallSequence((accepted[0], again[-1]), NOT_READ, NOT_READ)


@clause("effect.revote", sequence=sequences(_two_votes, _votes_in_a_row))
def test_a_later_vote_replaces_the_earlier_one(sequence: CallSequence) -> None:
    sequence.must_be_replaced()


def _the_same_between_others(session: PortalSession) -> Cases:
    good = _vote(session, "3", "the same again")
    bad = Call(session.rateable, value_of(RATINGS, "above"))
    empty = Call(session.rateable)
    nobody = Call(ClassifiedValue("absent", ABSENT), value_of(RATINGS, "5"))
    other = _vote(session, "1", "another vote")
    written_out = (
        (good, bad, good),
        (good, empty, good, nobody, good),
        (bad, good, bad),
        (good, other, good),
        (empty, bad, good, bad),
        (good,) * 10,
    )
    between = st.lists(st.sampled_from((bad, empty, nobody, other)), min_size=1, max_size=4)
    drawn = st.builds(
        lambda call, others: Case((call, *others, call)), st.sampled_from((good, bad, empty, nobody)), between
    )
    return Cases(tuple(map(Case, written_out)), drawn)


def _sent_again(blame: Blame, _clause: str) -> Iterator[CallSequence]:
    return (CallSequence(tuple(exchanges), NOT_READ, NOT_READ) for exchanges in blame.log.repeated.values())


@clause("effect.history-free", sequence=sequences(_the_same_between_others, _sent_again))
def test_equal_calls_have_equal_outcomes(sequence: CallSequence) -> None:
    sequence.must_repeat()


def _of_the_other(change: StateChange) -> str:
    """What became of the field that was not sent; nothing where there was none before."""
    before, after = change.before, change.after
    if not isinstance(before, StoredVote) or not isinstance(after, StoredVote) or not change.exchange.response.accepted:
        return ""
    name, old, new = ("rating", before.rating, after.rating)
    if change.exchange.call.comment.absent:
        name, old, new = ("comment", before.comment, after.comment)
    if not old:
        return ""
    return f"keeps the {name}" if new == old else f"changes the {name}" if new else f"empties the {name}"


@clause("effect.other-field", observation=observations(lambda session: one_field(session.sessions), _of_the_other))
def test_the_field_that_is_not_sent_is_observed(observation: Observation) -> None:
    """Does a comment alone keep the rating, does a rating alone keep the comment."""
