"""Feeds: how the tests of a clause come to exchanges.

A feed knows the space of its cases for a world and how to perform one case; and it finds the records that a test judges
in a transcript, where the requests were sent without regard to one clause. Which of these is done is the mode's
business, see trial.py.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from conformance.contract.classes import COMMENTS, OUTSIDE, RATINGS, STARS
from conformance.engine.cases import CallTemplate, Cases, boundary
from conformance.engine.evidence import (
    CallSequence,
    Comparison,
    Exchange,
    Observation,
    Record,
    StateChange,
    Uncompared,
    unsaved_fields,
)
from conformance.engine.log import OWN_SESSION, ExchangeLog, culprits
from conformance.engine.session import PortalSession, is_plain
from conformance.exchange.call import (
    JSON_ENCODINGS,
    NOTHING,
    PLAIN_JSON,
    Batch,
    Call,
    Caller,
    ClassifiedValue,
    Delivery,
)
from conformance.exchange.encode import as_text
from conformance.exchange.read_back import NotRead, StoredVote
from conformance.exchange.response import Outcome, Refused

_LONGEST_SEEN: Final = 40
_SUBJECTS: Final[Mapping[str, str]] = {"caller": "way"}
"""The kind of feature that stands for a subject of a feed, where its name is another one."""


_ALL_KINDS: Final = frozenset({"session", "rating", "digits", "comment", "filled", "way", "order"})


def never(_world: PortalSession, _exchange: Exchange, _clause: str) -> bool:
    """No combination of classes concerns the feed."""
    return False


def _always(_world: PortalSession, _exchange: Exchange, _clause: str) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Feed:
    """space: the cases for a world. perform: one case -> a record that a test judges. find: the records in a transcript
    that concern the clause of that id.

    presumed: the calls that must be accepted for a refusal to be blamed on what the clause is about: where the same
    call with a plain value in that place is refused too, another clause is violated. subjects: the kinds of features
    that the clause is about. judges_shapes: whether one answer of each shape in other trials is judged too. sweeps:
    whether it may find a record where a combination of classes was sent in its encodings, of which one is given.
    """

    space: Callable[[PortalSession], Cases]
    perform: Callable[[PortalSession, Any], Record]
    find: Callable[[PortalSession, ExchangeLog, str], Iterable[Record]]
    presumed: Callable[[PortalSession, Call], Sequence[Call]] = lambda _world, _call: ()
    subjects: frozenset[str] = frozenset()
    judges_shapes: bool = False
    sweeps: Callable[[PortalSession, Exchange, str], bool] = never


def calls(
    votes: CallTemplate,
    *,
    about: Sequence[str] = (),
    also: Callable[[PortalSession], Sequence[Call]] = lambda _: (),
    judges_shapes: bool = False,
    leaves: tuple[type[Outcome], ...] = (),
) -> Feed:
    """Single exchanges.

    about: what the clause is about, see _plainer. also: further calls, written out. leaves: the outcomes of which the
    clause does not speak.
    """

    def space(world: PortalSession) -> Cases:
        found = votes.space(world)
        return replace(found, cases=(*found.cases, *also(world)))

    def presumed(world: PortalSession, call: Call) -> list[Call]:
        plainer = (_plainer(world, call, subject) for subject in about)
        return [plain for plain in plainer if plain is not None and plain != call]

    def find(world: PortalSession, transcript: ExchangeLog, clause: str) -> Iterator[Exchange]:
        written_out = also(world)
        for exchange in transcript.exchanges:
            if isinstance(exchange.outcome, leaves):
                continue
            call = exchange.call
            told = votes.speak_of(world, call)
            if (
                (told and call.delivery in votes.deliveries)
                or (judges_shapes and is_plain(call))
                or call in written_out
                or (
                    ((told and votes.deliveries == (PLAIN_JSON,)) or _is_promise_of(clause, exchange, transcript))
                    and _way_is_no_matter(exchange, transcript)
                )
            ):
                yield exchange

    subjects = frozenset({_SUBJECTS.get(about[0], about[0]) if len(about) == 1 else "filled"})

    def sweeps(world: PortalSession, exchange: Exchange, clause: str) -> bool:
        allowed = exchange.allowed
        promised = clause in allowed.accepting_clauses or clause in allowed.rejecting_clauses
        return judges_shapes or promised or votes.speak_of(world, exchange.call)

    return Feed(space, PortalSession.ask, find, presumed, subjects, judges_shapes, sweeps)


def _is_promise_of(clause: str, exchange: Exchange, transcript: ExchangeLog) -> bool:
    """Whether the clause says why the call must be accepted or refused.

    Where several things are wrong with an accepted call, it does so if each of them alone is refused.
    """
    allowed = exchange.allowed
    if clause in allowed.accepting_clauses or allowed.rejecting_clauses == (clause,):
        return True
    several = clause in allowed.rejecting_clauses and exchange.answer.accepted
    return several and all(transcript.refuses_alone(broken) for broken in allowed.rejecting_clauses)


def _way_is_no_matter(exchange: Exchange, transcript: ExchangeLog) -> bool:
    """Whether a call is judged whatever its way: it came plainly, or no plain call tells more than it does."""
    allowed, call = exchange.allowed, exchange.call
    if call.delivery == PLAIN_JSON or not call.is_documented:
        return call.is_documented
    alone = call.delivery.caller is Caller.MAIN and transcript.base_of(call) is None
    return alone and (exchange.is_allowed or allowed.must_be_accepted or not transcript.is_due_to_way(exchange))


def _plainer(world: PortalSession, call: Call, subject: str) -> Call | None:
    """The call with nothing unusual in one place; None where that would leave nothing to accept."""
    if subject == "session":
        return replace(call, session=world.rateable)
    if subject == "comment":
        return replace(call, comment=boundary(COMMENTS, "plain"))
    if subject == "rating":
        return None if call.comment.absent else replace(call, rating=NOTHING)
    if subject == "comment left out":
        return None if call.rating.absent else replace(call, comment=NOTHING)
    if subject == "digits" and call.rating.cls == "digits":
        return replace(call, rating=boundary(RATINGS, call.rating.value))
    return call.via(PLAIN_JSON)


def pairs(votes: CallTemplate, *, about: str = "way") -> Feed:
    """Each call twice: plainly, and in one of the ways. about: what differs, the way or the order of parameters."""

    def is_such(call: Call) -> bool:
        if call.delivery.order == PLAIN_JSON.order:
            return about == "way" and call.delivery in votes.deliveries
        delivery = call.delivery if about == "order" else replace(call.delivery, order=PLAIN_JSON.order)
        return delivery in votes.deliveries

    def find(_world: PortalSession, transcript: ExchangeLog, _clause: str) -> Iterator[Comparison | Uncompared]:
        for effect in transcript.effects:
            variant = effect.exchange
            if not is_such(variant.call) or not variant.call.is_documented:
                continue
            base = transcript.base_of(variant.call)
            saved = not _lost_on_the_way(effect, transcript)
            if base is None:
                if variant.is_allowed or transcript.is_due_to_way(variant):
                    yield Uncompared(variant, saved)
            elif base.is_allowed or not variant.is_allowed:
                yield Comparison(base, variant, saved)

    among_encodings = any(way == Delivery(way.encoding) for way in votes.deliveries)
    sweeps = _always if among_encodings else never
    return Feed(votes.space, _perform_pair, find, subjects=frozenset({about}), sweeps=sweeps)


def effects(votes: CallTemplate) -> Feed:
    """Each call between two read-backs."""

    def space(world: PortalSession) -> Cases:
        return votes.space(world) if world.reads else Cases((), lacking="the portal offers no read-back")

    def find(_world: PortalSession, transcript: ExchangeLog, _clause: str) -> Iterator[StateChange]:
        refused = [effect for effect in transcript.effects if isinstance(effect.exchange.outcome, Refused)]
        guilty = culprits(refused)
        for effect in transcript.effects:
            if not isinstance(effect.exchange.outcome, Refused):
                if (
                    effect.exchange.call.session.cls in OWN_SESSION
                    and effect.exchange.call.delivery.caller is Caller.MAIN
                ):
                    yield effect
            elif effect in guilty or effect.before_is_after:
                yield effect

    def perform(world: PortalSession, call: Call) -> StateChange:
        before = world.read()
        if isinstance(before, StoredVote) and not unsaved_fields(call, before):
            # What is sent already stands there: an effect would not show.
            world.ask(_unlike(call, world))
            before = world.read()
        exchange = world.ask(call)
        return StateChange(before, exchange, world.read())

    return Feed(space, perform, find, sweeps=_always)


def stories(
    space: Callable[[PortalSession], Cases],
    perform: Callable[[PortalSession, tuple[Call, ...]], CallSequence],
    find: Callable[[PortalSession, ExchangeLog, str], Iterable[CallSequence]],
) -> Feed:
    """Calls one after the other."""
    return Feed(space, perform, find)


def listed(cases: Callable[[PortalSession], Sequence[Call]]) -> Feed:
    """Single exchanges of calls that are written out."""

    def find(world: PortalSession, transcript: ExchangeLog, _clause: str) -> Iterator[Exchange]:
        written_out = cases(world)
        return (exchange for exchange in transcript.exchanges if exchange.call in written_out)

    return Feed(lambda world: Cases(tuple(cases(world))), PortalSession.ask, find, subjects=_ALL_KINDS)


def what_happened(effect: StateChange) -> str:
    """The outcome of a call and what it left, in words that two runs can be compared by."""
    exchange = effect.exchange
    seen = exchange.shown_outcome
    if exchange.call.delivery.batch is Batch.NO:
        seen += f" {exchange.answer.status}"
    if not exchange.answer.accepted or isinstance(effect.after, NotRead):
        return seen
    return f"{seen}; {_in_short(effect.after)}"


def observations(
    cases: Callable[[PortalSession], Mapping[str, Call]], tell: Callable[[StateChange], str] = what_happened
) -> Feed:
    """Labelled calls of which is recorded what they do; the vote before each is one that no case sends.

    tell: what is said of one; nothing where it shows nothing.
    """

    def space(world: PortalSession) -> Cases:
        named = tuple(cases(world).items())
        return Cases(named, lacking="" if named else "the session or caller that this needs is not configured")

    def perform(world: PortalSession, case: tuple[str, Call]) -> Observation:
        label, call = case
        if world.reads:
            world.ask(Call(world.rateable, boundary(RATINGS, "2"), ClassifiedValue("plain", "seen before")))
        before = world.read()
        exchange = world.ask(call)
        return Observation(label, tell(StateChange(before, exchange, world.read())))

    def find(world: PortalSession, transcript: ExchangeLog, _clause: str) -> Iterator[Observation]:
        told: dict[Call, StateChange] = {}
        for effect in transcript.effects:
            call = effect.exchange.call
            if call.delivery.caller is Caller.MAIN and (
                call.delivery == PLAIN_JSON or call.via(PLAIN_JSON) not in told
            ):
                told[call.via(PLAIN_JSON)] = effect
        for label, call in cases(world).items():
            if call in told and (seen := tell(told[call])):
                yield Observation(label, seen)

    return Feed(space, perform, find)


def _lost_on_the_way(effect: StateChange, transcript: ExchangeLog) -> bool:
    """Whether a field did not read back that did when it was sent in another way."""
    exchange = effect.exchange
    if not (exchange.answer.accepted and exchange.allowed.accepted and isinstance(effect.after, StoredVote)):
        return False
    lost = unsaved_fields(exchange.call, effect.after)
    return bool(lost) and all(
        any(
            name not in unsaved_fields(other.exchange.call, other.after)
            for other in _elsewhere(effect, transcript, name)
        )
        for name in lost
    )


def _elsewhere(effect: StateChange, transcript: ExchangeLog, name: str) -> Iterator[StateChange]:
    """The accepted votes with the same value of a field that came in another way and were read back."""
    sent = as_text(dict(effect.exchange.call.parameters)[name])
    for other in transcript.effects:
        call = other.exchange.call
        same_value = any(field == name and as_text(value) == sent for field, value in call.parameters)
        read_back = other.exchange.answer.accepted and isinstance(other.after, StoredVote)
        if read_back and same_value and call.delivery != effect.exchange.call.delivery:
            yield other


def _perform_pair(world: PortalSession, call: Call) -> Comparison:
    base_call = base_of(call)
    base = world.ask(base_call)
    if base.answer.accepted and world.reads:
        # What the base left behind would hide that the variant leaves nothing.
        world.ask(_unlike(call, world))
    variant = world.ask(call)
    if base.is_allowed or not variant.is_allowed:
        return Comparison(base, variant, _saved_as_base(world, base_call, variant))
    # The base is at fault. Where it is so only for its values being texts, this is not about the way.
    typed = world.ask(_typed(base_call))
    return Comparison(typed if typed.is_allowed else base, variant, saved=True)


def base_of(call: Call) -> Call:
    """The call on the way that it is compared with: one thing is plainer.

    Suffix, caller and order are compared within one encoding; encodings and batch with plain JSON that holds the same
    texts.
    """
    same_encoding = Delivery(call.delivery.encoding)
    if call.delivery != same_encoding and call.delivery.batch is Batch.NO:
        return call.via(same_encoding)
    plain = call.via(PLAIN_JSON)
    in_json = call.delivery.encoding in JSON_ENCODINGS and call.delivery.batch is Batch.NO
    return plain if in_json else _with_values(plain, as_text)


def _typed(call: Call) -> Call:
    """The call with numbers as JSON numbers, where its texts state numbers by their class."""
    numeric = ("rateable", "zero", "negative", "forbidden", "not_open_line", "unknown", *OUTSIDE, *STARS, "fraction")
    return replace(
        call,
        session=_converted(call.session, _number_of) if call.session.cls in numeric else call.session,
        rating=_converted(call.rating, _number_of) if call.rating.cls in numeric else call.rating,
    )


def _with_values(call: Call, convert: Callable[[Any], Any]) -> Call:
    return replace(
        call,
        session=_converted(call.session, convert),
        rating=_converted(call.rating, convert),
        comment=_converted(call.comment, convert),
    )


def _converted(pick: ClassifiedValue, convert: Callable[[Any], Any]) -> ClassifiedValue:
    return pick if pick.absent else replace(pick, value=convert(pick.value))


def _number_of(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value


def _saved_as_base(world: PortalSession, base: Call, variant: Exchange) -> bool:
    """False when the variant's vote did not read back and the plain call's does."""
    if not world.reads or not variant.answer.accepted or not variant.allowed.accepted:
        return True
    after = world.read()
    if isinstance(after, NotRead) or not unsaved_fields(variant.call, after):
        return True
    again = world.ask(base)
    after = world.read()
    return not again.answer.accepted or isinstance(after, NotRead) or bool(unsaved_fields(base, after))


def _in_short(stored: StoredVote) -> str:
    comment = stored.comment
    if isinstance(comment, str) and len(comment) > _LONGEST_SEEN:
        return f"rating {stored.rating!r}, comment of {len(comment):,} characters"
    return str(stored)


def _unlike(call: Call, world: PortalSession) -> Call:
    """A vote that differs from the call in both fields."""
    stars = "2" if call.rating.value in (1, "1") else "1"
    return Call(world.rateable, boundary(RATINGS, stars), ClassifiedValue("plain", "another vote"))
