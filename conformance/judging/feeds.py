"""Feeds: how the tests of a clause come to exchanges.

A feed knows the space of its cases for a world and how to perform one case. Which of the cases are performed is the
mode's business, see trial.py.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from conformance.contract.partition import COMMENTS, OUTSIDE, RATINGS, STARS
from conformance.exchange.call import DIRECT, JSON_ENCODINGS, NOTHING, Batch, Call, Pick, Way
from conformance.exchange.encode import as_text
from conformance.exchange.stored import NOT_READ, NotRead, Stored
from conformance.judging.records import Effect, Exchange, Observation, Pair, Record, Story, unsaved_fields
from conformance.judging.space import Space, Votes, boundary
from conformance.judging.world import World

_LONGEST_SEEN: Final = 40


@dataclass(frozen=True, slots=True)
class Feed:
    """space: the cases for a world. perform: one case -> a record that a test judges.

    presumed: the calls that must be accepted for a refusal to be blamed on what the clause is about: where the same
    call with a plain value in that place is refused too, another clause is violated. judges_shapes: whether one answer
    of each shape that came up in other trials is judged too.
    """

    space: Callable[[World], Space]
    perform: Callable[[World, Any], Record]
    presumed: Callable[[World, Call], Sequence[Call]] = lambda _world, _call: ()
    judges_shapes: bool = False


def calls(
    votes: Votes,
    *,
    about: Sequence[str] = (),
    also: Callable[[World], Sequence[Call]] = lambda _: (),
    judges_shapes: bool = False,
) -> Feed:
    """Single exchanges. about: what the clause is about, see _plainer. also: further calls, written out."""

    def space(world: World) -> Space:
        found = votes.space(world)
        return replace(found, named=(*found.named, *also(world)))

    def presumed(world: World, call: Call) -> list[Call]:
        plainer = (_plainer(world, call, subject) for subject in about)
        return [plain for plain in plainer if plain is not None and plain != call]

    return Feed(space, World.ask_once, presumed, judges_shapes)


def _plainer(world: World, call: Call, subject: str) -> Call | None:
    """The call with nothing unusual in one place; None where that would leave nothing to accept."""
    if subject == "session":
        return replace(call, session=world.rateable)
    if subject == "comment":
        return replace(call, comment=boundary(COMMENTS, "plain"))
    if subject == "rating":
        return None if call.comment.absent else replace(call, rating=NOTHING)
    if subject == "comment left out":
        return None if call.rating.absent else replace(call, comment=NOTHING)
    if subject == "digits" and call.rating.of == "digits":
        return replace(call, rating=boundary(RATINGS, call.rating.value))
    return call.by(DIRECT)


def pairs(votes: Votes) -> Feed:
    """Each call twice: plainly, and in one of the ways."""
    return Feed(votes.space, _perform_pair)


def effects(votes: Votes) -> Feed:
    """Each call between two read-backs."""

    def space(world: World) -> Space:
        return votes.space(world) if world.reads else Space((), lacking="the portal offers no read-back")

    def perform(world: World, call: Call) -> Effect:
        before = world.read()
        if isinstance(before, Stored) and not unsaved_fields(call, before):
            # What is sent already stands there: an effect would not show.
            world.ask(_unlike(call, world))
            before = world.read()
        exchange = world.ask(call)
        return Effect(before, exchange, world.read())

    return Feed(space, perform)


def stories(space: Callable[[World], Space], perform: Callable[[World, tuple[Call, ...]], Story]) -> Feed:
    """Calls one after the other."""
    return Feed(space, perform)


def listed(cases: Callable[[World], Sequence[Call]]) -> Feed:
    """Single exchanges of calls that are written out."""
    return Feed(lambda world: Space(tuple(cases(world))), World.ask_once)


def observations(cases: Callable[[World], Mapping[str, Call]]) -> Feed:
    """Labelled calls of which is recorded what they do; the vote before each is one that no case sends."""

    def space(world: World) -> Space:
        named = tuple(cases(world).items())
        return Space(named, lacking="" if named else "the session or caller that this needs is not configured")

    def perform(world: World, case: tuple[str, Call]) -> Observation:
        label, call = case
        if world.reads:
            world.ask(Call(world.rateable, boundary(RATINGS, "2"), Pick("plain", "seen before")))
        exchange = world.ask(call)
        seen = f"{exchange.shown_outcome} {exchange.answer.status}"
        stored = world.read() if exchange.answer.accepted else NOT_READ
        return Observation(label, seen if isinstance(stored, NotRead) else f"{seen}; {_in_short(stored)}")

    return Feed(space, perform)


def _perform_pair(world: World, call: Call) -> Pair:
    base_call = base_of(call)
    base = world.ask_once(base_call)
    if base.answer.accepted and world.reads:
        # What the base left behind would hide that the variant leaves nothing.
        world.ask(_unlike(call, world))
    variant = world.ask(call)
    if base.is_permitted or not variant.is_permitted:
        return Pair(base, variant, _saved_as_base(world, base_call, variant))
    # The base is at fault. Where it is so only for its values being texts, this is not about the way.
    typed = world.ask_once(_typed(base_call))
    return Pair(typed if typed.is_permitted else base, variant, saved=True)


def base_of(call: Call) -> Call:
    """The call on the way that it is compared with: one thing is plainer.

    Suffix, caller and order are compared within one encoding; encodings and batch with plain JSON that holds the same
    texts.
    """
    same_encoding = Way(call.way.encoding)
    if call.way != same_encoding and call.way.batch is Batch.NO:
        return call.by(same_encoding)
    plain = call.by(DIRECT)
    in_json = call.way.encoding in JSON_ENCODINGS and call.way.batch is Batch.NO
    return plain if in_json else _with_values(plain, as_text)


def _typed(call: Call) -> Call:
    """The call with numbers as JSON numbers, where its texts state numbers by their class."""
    numeric = ("rateable", "zero", "negative", "forbidden", "not_open_line", "unknown", *OUTSIDE, *STARS, "fraction")
    return replace(
        call,
        session=_converted(call.session, _number_of) if call.session.of in numeric else call.session,
        rating=_converted(call.rating, _number_of) if call.rating.of in numeric else call.rating,
    )


def _with_values(call: Call, convert: Callable[[Any], Any]) -> Call:
    return replace(
        call,
        session=_converted(call.session, convert),
        rating=_converted(call.rating, convert),
        comment=_converted(call.comment, convert),
    )


def _converted(pick: Pick, convert: Callable[[Any], Any]) -> Pick:
    return pick if pick.absent else replace(pick, value=convert(pick.value))


def _number_of(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value


def _saved_as_base(world: World, base: Call, variant: Exchange) -> bool:
    """False when the variant's vote did not read back and the plain call's does."""
    if not world.reads or not variant.answer.accepted or not variant.permitted.accepted:
        return True
    after = world.read()
    if isinstance(after, NotRead) or not unsaved_fields(variant.call, after):
        return True
    again = world.ask(base)
    after = world.read()
    return not again.answer.accepted or isinstance(after, NotRead) or bool(unsaved_fields(base, after))


def _in_short(stored: Stored) -> str:
    comment = stored.comment
    if isinstance(comment, str) and len(comment) > _LONGEST_SEEN:
        return f"rating {stored.rating!r}, comment of {len(comment):,} characters"
    return str(stored)


def _unlike(call: Call, world: World) -> Call:
    """A vote that differs from the call in both fields."""
    stars = "2" if call.rating.value in (1, "1") else "1"
    return Call(world.rateable, boundary(RATINGS, stars), Pick("plain", "another vote"))
