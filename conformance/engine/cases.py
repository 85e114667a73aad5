"""The space of a clause: the calls that it is about, named ones, further boundary ones, a strategy for the rest."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import product
from typing import Any, Final

from hypothesis import strategies as st

from conformance.contract.classes import COMMENTS, LONGEST_URL, RATINGS, EquivalenceClass, needs_json
from conformance.engine.session import PortalSession
from conformance.exchange.call import JSON_ENCODINGS, PLAIN_JSON, Batch, Call, ClassifiedValue, Delivery, Encoding
from conformance.exchange.encode import encode

_URL_MARGIN: Final = 200
"""What host, path and token may add to a query, in bytes."""
_LONGEST_ESCAPE: Final = 24
"""The bytes to which one character may grow in a batch item in a query, where it is escaped twice."""
_LARGEST_SPACE: Final = 300
"""A space up to this size is sent whole, in place of drawn calls."""


@dataclass(frozen=True, slots=True)
class Cases:
    """The cases of a feed, named values first. lacking: why there are none. drawn: None where these are all."""

    cases: tuple[Any, ...]
    strategy: st.SearchStrategy[Any] | None = None
    lacking: str = ""


@dataclass(frozen=True, slots=True)
class CallTemplate:
    """Calls with values of these classes that travel in these ways. The first of each is the plain one."""

    session: tuple[str, ...] = ("rateable",)
    rating: tuple[str, ...] = ("absent",)
    comment: tuple[str, ...] = ("absent",)
    deliveries: tuple[Delivery, ...] = (PLAIN_JSON,)

    def speak_of(self, world: PortalSession, call: Call) -> bool:
        """Whether the call's values are of these classes, and of a session of which the edition speaks."""
        return (
            call.session.cls in self.session
            and call.rating.cls in self.rating
            and call.comment.cls in self.comment
            and call.session.cls in world.judged_sessions
            and call.is_documented
        )

    def space(self, world: PortalSession) -> Cases:
        callers = world.portal.target.callers
        ways = [way for way in self.deliveries if way.caller in callers]
        if not ways:
            return Cases((), lacking=f"not configured: {self.deliveries[0].caller}")
        known = world.sessions.keys() & world.judged_sessions
        sessions = [world.sessions[name] for name in self.session if name in known]
        if not sessions:
            return Cases((), lacking=f"no session in the state {' or '.join(self.session)} is configured")
        tables = (sessions, [RATINGS[name] for name in self.rating], [COMMENTS[name] for name in self.comment])
        named = _one_at_a_time(tables, ways, lambda entry: entry.core_values)
        if all(entry.strategy is None for table in tables for entry in table):
            whole = _product(tables, ways, lambda entry: entry.boundaries)
            if whole:
                return Cases((*named, *_new(whole, named)))
        corners = _product(tables, ways, lambda entry: entry.core_values)
        edges = _one_at_a_time(tables, ways, lambda entry: entry.boundaries)
        for way in ways[1:]:
            edges += _one_at_a_time(tables, [way], lambda entry: entry.core_values)
        return Cases((*named, *_new((*edges, *corners), named)), _strategy(tables, ways))


def boundary(table: Mapping[str, EquivalenceClass], name: str, place: int = 0) -> ClassifiedValue:
    """A boundary value of a class."""
    return ClassifiedValue(name, table[name].boundaries[place])


def sendable(call: Call) -> bool:
    """Whether the way can carry the call's values without doubt."""
    if call.delivery.batch is Batch.NO and call.delivery.encoding in JSON_ENCODINGS:
        return True
    if any(needs_json(pick) for pick in (call.session, call.rating, call.comment)):
        return False
    if isinstance(call.comment.value, str) and len(call.comment.value) * _LONGEST_ESCAPE + _URL_MARGIN <= LONGEST_URL:
        return True
    in_url = call.delivery.encoding in (Encoding.QUERY_GET, Encoding.QUERY_POST)
    return not in_url or len(encode(call).query) + _URL_MARGIN <= LONGEST_URL


Tables = tuple[list[EquivalenceClass], list[EquivalenceClass], list[EquivalenceClass]]
Values = Callable[[EquivalenceClass], Iterable[Any]]


def _one_at_a_time(tables: Tables, ways: list[Delivery], values: Values) -> tuple[Call, ...]:
    """Each value once, each way once, everything else plain: at most one thing is unusual in a call."""
    sessions, ratings, comments = tables
    session, rating, comment = (ClassifiedValue(table[0].name, table[0].core_values[0]) for table in tables)
    plain = Call(session, rating, comment)
    calls = [plain]
    calls += [replace(plain, session=pick) for pick in _each(sessions, values)]
    calls += [replace(plain, rating=pick) for pick in _each(ratings, values)]
    calls += [replace(plain, comment=pick) for pick in _each(comments, values)]
    in_each_way = (plain.via(way) for way in ways)
    in_first_way = (next(filter(sendable, map(call.via, ways)), None) for call in calls)
    return _new((*filter(sendable, in_each_way), *(call for call in in_first_way if call is not None)), ())


def _each(table: list[EquivalenceClass], values: Values) -> list[ClassifiedValue]:
    return [ClassifiedValue(entry.name, one) for entry in table for one in values(entry)]


def _product(tables: Tables, ways: list[Delivery], values: Values) -> list[Call]:
    """Every combination, or none where that would be too many."""
    sessions, ratings, comments = (_each(table, values) for table in tables)
    if len(sessions) * len(ratings) * len(comments) * len(ways) > _LARGEST_SPACE:
        return []
    return [
        call
        for session, rating, comment, way in product(sessions, ratings, comments, ways)
        if sendable(call := Call(session, rating, comment, way))
    ]


def _new(found: Iterable[Call], known: Iterable[Call]) -> tuple[Call, ...]:
    left_out = set(known)
    return tuple(call for call in dict.fromkeys(found) if call not in left_out)


def _strategy(tables: Tables, ways: list[Delivery]) -> st.SearchStrategy[Call]:
    picks = [st.one_of(*(_picks(entry) for entry in table)) for table in tables]
    return st.builds(Call, *picks, st.sampled_from(ways)).filter(sendable)


def _picks(entry: EquivalenceClass) -> st.SearchStrategy[ClassifiedValue]:
    values = st.sampled_from(entry.boundaries)
    drawn = values if entry.strategy is None else st.one_of(values, entry.strategy)
    return drawn.map(lambda one: ClassifiedValue(entry.name, one))
