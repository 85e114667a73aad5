"""Feeds: which calls a clause is about, and how its tests come to exchanges.

A feed knows the space of its cases for a world (named ones, further boundary ones, a strategy for the rest) and how to
perform one case. Where the cases come from is the mode's business, see trial.py.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any, Final

from hypothesis import strategies as st

from conformance.contract.oracle import judged_sessions
from conformance.contract.partition import COMMENTS, LONGEST_URL, RATINGS, EquivalenceClass, needs_json
from conformance.exchange.call import DIRECT, METHOD, Batch, Call, Encoding, Pick, Way
from conformance.exchange.encode import as_text, query_of
from conformance.exchange.stored import NOT_READ, NotRead, Stored
from conformance.judging.records import Effect, Exchange, Observation, Pair, Record, Story, unsaved_fields
from conformance.judging.world import World

_URL_MARGIN: Final = 200
"""What host, path and token may add to a query, in bytes."""
_LONGEST_SEEN: Final = 40
_LARGEST_PRODUCT: Final = 100


@dataclass(frozen=True, slots=True)
class Space:
    """The cases of a feed. lacking: why there are none. drawn: None where the others are the whole space."""

    named: tuple[Any, ...]
    edges: tuple[Any, ...] = ()
    drawn: st.SearchStrategy[Any] | None = None
    lacking: str = ""


@dataclass(frozen=True, slots=True)
class Feed:
    """space: the cases for a world. perform: one case -> a record that a test judges."""

    space: Callable[[World], Space]
    perform: Callable[[World, Any], Record]


@dataclass(frozen=True, slots=True)
class Domain:
    """Calls with values of these classes that travel in these ways. The first of each is the plain one."""

    session: tuple[str, ...]
    rating: tuple[str, ...]
    comment: tuple[str, ...]
    ways: tuple[Way, ...]

    def space(self, world: World) -> Space:
        callers = world.portal.target.callers
        ways = [way for way in self.ways if way.caller in callers]
        if not ways:
            return Space((), lacking=f"no {self.ways[0].caller} is configured")
        told = judged_sessions(world.edition)
        sessions = [world.sessions[name] for name in self.session if name in world.sessions and name in told]
        if not sessions:
            return Space((), lacking=f"no session in the state {' or '.join(self.session)} is configured")
        tables = (sessions, [RATINGS[name] for name in self.rating], [COMMENTS[name] for name in self.comment])
        named = _one_at_a_time(tables, ways, lambda entry: entry.named)
        edges = _one_at_a_time(tables, ways, lambda entry: entry.boundaries)
        finite = all(entry.drawn is None for table in tables for entry in table)
        whole = _product(tables, ways, lambda entry: entry.boundaries) if finite else []
        if whole and len(whole) <= _LARGEST_PRODUCT:
            return Space(named, _new(whole, named))
        corners = _product(tables, ways, lambda entry: entry.named[:1])
        if len(corners) <= _LARGEST_PRODUCT:
            edges = (*edges, *corners)
        return Space(named, _new(edges, named), _strategy(tables, ways))


def calls(
    *,
    session: Sequence[str] = ("rateable",),
    rating: Sequence[str] = ("absent",),
    comment: Sequence[str] = ("absent",),
    ways: Sequence[Way] = (DIRECT,),
) -> Feed:
    """Single exchanges."""
    domain = Domain(tuple(session), tuple(rating), tuple(comment), tuple(ways))
    return Feed(domain.space, World.ask_once)


def pairs(
    *,
    session: Sequence[str],
    rating: Sequence[str],
    comment: Sequence[str],
    ways: Sequence[Way],
) -> Feed:
    """Each call twice: plainly as JSON, and in one of the ways."""
    domain = Domain(tuple(session), tuple(rating), tuple(comment), tuple(ways))
    return Feed(domain.space, _perform_pair)


def effects(
    *,
    session: Sequence[str],
    rating: Sequence[str],
    comment: Sequence[str],
    ways: Sequence[Way] = (DIRECT,),
) -> Feed:
    """Each call between two read-backs."""
    domain = Domain(tuple(session), tuple(rating), tuple(comment), tuple(ways))

    def space(world: World) -> Space:
        return domain.space(world) if world.reads else Space((), lacking="the portal offers no read-back")

    def perform(world: World, call: Call) -> Effect:
        before = world.read()
        if isinstance(before, Stored) and not unsaved_fields(call, before):
            # What is sent already stands there: an effect would not show.
            world.ask(_unlike(call, world))
            before = world.read()
        exchange = world.ask(call)
        return Effect(before, exchange, world.read())

    return Feed(space, perform)


def stories(space: Callable[[World], Space], perform: Callable[[World, tuple[Call, ...]], Record] | None = None) -> Feed:
    """Calls one after the other."""
    return Feed(space, perform or (lambda world, told: Story(tuple(world.ask(call) for call in told), world.read())))


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
        seen = f"{exchange.outcome} {exchange.answer.status}"
        stored = world.read() if exchange.answer.accepted else NOT_READ
        return Observation(label, seen if isinstance(stored, NotRead) else f"{seen}; {_in_short(stored)}")

    return Feed(space, perform)


def boundary(table: Mapping[str, EquivalenceClass], name: str, place: int = 0) -> Pick:
    """A boundary value of a class."""
    return Pick(name, table[name].boundaries[place])


def sendable(call: Call) -> bool:
    """Whether the way can carry the call's values without doubt."""
    encoding = Encoding.FORM if call.way.batch is not Batch.NO else call.way.encoding
    if encoding is Encoding.JSON:
        return True
    if any(needs_json(pick) for pick in (call.session, call.rating, call.comment)):
        return False
    in_url = encoding in (Encoding.QUERY_GET, Encoding.QUERY_POST)
    return not in_url or len(query_of(call.parameters)) + len(METHOD) + _URL_MARGIN <= LONGEST_URL


def _perform_pair(world: World, call: Call) -> Pair:
    base_call = base_of(call)
    base = world.ask_once(base_call)
    variant = world.ask(call)
    return Pair(base, variant, _saved_as_base(world, base_call, variant))


def base_of(call: Call) -> Call:
    """The plain JSON call that says the same; its values are texts where the way can carry nothing else."""
    if call.way.encoding is Encoding.JSON and call.way.batch is Batch.NO:
        return call.by(DIRECT)
    texts = {
        name: pick if pick.absent else replace(pick, value=as_text(pick.value))
        for name, pick in (("session", call.session), ("rating", call.rating), ("comment", call.comment))
    }
    return replace(call, way=DIRECT, **texts)


def _saved_as_base(world: World, base: Call, variant: Exchange) -> bool:
    """False when the variant's vote did not read back and the plain call's does."""
    if not world.reads or not variant.answer.accepted or not variant.permitted.accepted:
        return True
    after = world.read()
    if after == NOT_READ or not unsaved_fields(variant.call, after):
        return True
    again = world.ask(base)
    after = world.read()
    return not again.answer.accepted or after == NOT_READ or bool(unsaved_fields(base, after))


def _in_short(stored: Stored) -> str:
    comment = stored.comment
    if isinstance(comment, str) and len(comment) > _LONGEST_SEEN:
        return f"rating {stored.rating!r}, comment of {len(comment):,} characters"
    return str(stored)


def _unlike(call: Call, world: World) -> Call:
    """A vote that differs from the call in both fields."""
    stars = "2" if call.rating.value in (1, "1") else "1"
    return Call(world.rateable, boundary(RATINGS, stars), Pick("plain", "another vote"))


Tables = tuple[list[EquivalenceClass], list[EquivalenceClass], list[EquivalenceClass]]
Values = Callable[[EquivalenceClass], Iterable[Any]]


def _one_at_a_time(tables: Tables, ways: list[Way], values: Values) -> tuple[Call, ...]:
    """Each value once, each way once, everything else plain: at most one thing is unusual in a call."""
    plain = [Pick(table[0].name, table[0].named[0]) for table in tables]
    found = [Call(*plain, way) for way in ways]
    for place, table in enumerate(tables):
        for entry in table:
            for one in values(entry):
                picks = [*plain]
                picks[place] = Pick(entry.name, one)
                found += [Call(*picks, way) for way in ways if sendable(Call(*picks, way))][:1]
    return _new([call for call in found if sendable(call)], ())


def _product(tables: Tables, ways: list[Way], values: Values) -> list[Call]:
    picks = [[Pick(entry.name, one) for entry in table for one in values(entry)] for table in tables]
    size = len(ways)
    for table in picks:
        size *= len(table)
    if size > _LARGEST_PRODUCT * 4:
        return []
    return [call for parts in product(*picks, ways) if sendable(call := Call(*parts))]


def _new(found: Iterable[Call], known: Iterable[Call]) -> tuple[Call, ...]:
    left_out = set(known)
    return tuple(call for call in dict.fromkeys(found) if call not in left_out)


def _strategy(tables: Tables, ways: list[Way]) -> st.SearchStrategy[Call]:
    picks = [st.one_of(*(_picks(entry) for entry in table)) for table in tables]
    return st.builds(Call, *picks, st.sampled_from(ways)).filter(sendable)


def _picks(entry: EquivalenceClass) -> st.SearchStrategy[Pick]:
    values = st.sampled_from(entry.boundaries)
    drawn = values if entry.drawn is None else st.one_of(values, entry.drawn)
    return drawn.map(lambda one: Pick(entry.name, one))
