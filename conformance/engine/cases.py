"""Cases of a clause: the requests that its test needs, boundary values first, then a strategy for further values."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any, Final, TypedDict

from hypothesis import strategies as st

from conformance.contract.classes import COMMENTS, LONGEST_URL, RATINGS, EquivalenceClass, needs_json
from conformance.engine.session import PortalSession
from conformance.exchange.call import (
    JSON_ENCODINGS,
    PLAIN_JSON,
    TOKEN_CALLERS,
    Batch,
    Call,
    ClassifiedValue,
    Delivery,
    Encoding,
    Request,
)
from conformance.exchange.encode import encode

_URL_MARGIN: Final = 200
"""What host, path and token may add to a query, in bytes."""
_LONGEST_ESCAPE: Final = 24
"""The bytes to which one character may grow in a batch item in a query, where it is escaped twice."""
_LARGEST_PRODUCT: Final = 300
"""A product of values up to this size is sent whole, in place of drawn calls."""


@dataclass(frozen=True, slots=True)
class Case:
    """The requests that one judgement needs, in the order in which they are sent.

    baselines: plain calls whose answers are needed too, from whatever place of the run.
    needs_another_vote: True if the vote that is stored before must differ from the first call.
    """

    requests: tuple[Request, ...]
    baselines: tuple[Call, ...] = ()
    needs_another_vote: bool = False


@dataclass(frozen=True, slots=True)
class Cases:
    """The cases of a clause.

    fixed: the cases that are always sent: `Case` for a portal, `ClientCase` for a client library.
    strategy: proposes further cases; None where the fixed ones are all there are.
    why_not_exercised: the reason why there are none.
    """

    fixed: tuple[Any, ...]
    strategy: st.SearchStrategy[Any] | None = None
    why_not_exercised: str = ""


class Optionals(TypedDict):
    """Classes of RATING and COMMENT that several tests share."""

    rating: tuple[str, ...]
    comment: tuple[str, ...]


class Values(Optionals):
    """Classes of all three parameters that several tests share."""

    session: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CallTemplate:
    """Calls with values of these classes in these deliveries. The first of each is the plain one."""

    session: tuple[str, ...] = ("rateable",)
    rating: tuple[str, ...] = ("absent",)
    comment: tuple[str, ...] = ("absent",)
    deliveries: tuple[Delivery, ...] = (PLAIN_JSON,)

    def covers(self, session: PortalSession, call: Call) -> bool:
        """Return True if the call's values are of these classes, and the edition demands something for its session."""
        return (
            call.session.cls in self.session
            and call.rating.cls in self.rating
            and call.comment.cls in self.comment
            and call.session.cls in session.judged_sessions
            and call.is_documented
        )

    def cases(self, session: PortalSession, case_of: Callable[[Call], Case]) -> Cases:
        """Return the cases of this template: each value once, each delivery once, then combinations."""
        target = session.portal.target
        offered = [delivery for delivery in self.deliveries if is_offered(delivery, target.not_offered)]
        if not offered:
            return Cases((), why_not_exercised="the target file does not offer what its calls need")
        deliveries = [delivery for delivery in offered if delivery.caller in target.callers]
        if not deliveries:
            return Cases((), why_not_exercised=f"not configured: {self.deliveries[0].caller}")
        known = session.sessions.keys() & session.judged_sessions
        sessions = [session.sessions[name] for name in self.session if name in known]
        if not sessions:
            return Cases((), why_not_exercised=f"no session in the state {' or '.join(self.session)} is configured")
        tables = (sessions, [RATINGS[name] for name in self.rating], [COMMENTS[name] for name in self.comment])
        calls = _one_at_a_time(tables, deliveries, lambda entry: entry.core_values)
        if all(entry.strategy is None for table in tables for entry in table):
            whole = _product(tables, deliveries, lambda entry: entry.boundaries)
            if whole:
                return Cases(tuple(map(case_of, dict.fromkeys((*calls, *whole)))))
        calls += _one_at_a_time(tables, deliveries, lambda entry: entry.boundaries)
        for delivery in deliveries[1:]:
            calls += _one_at_a_time(tables, [delivery], lambda entry: entry.core_values)
        calls += _product(tables, deliveries, lambda entry: entry.core_values)
        return Cases(tuple(map(case_of, dict.fromkeys(calls))), _strategy(tables, deliveries).map(case_of))


def alone(call: Call) -> Case:
    """Return the case of a call that is judged by its own answer."""
    return Case((call,))


def value_of(table: Mapping[str, EquivalenceClass], name: str, place: int = 0) -> ClassifiedValue:
    """Return a boundary value of a class."""
    return ClassifiedValue(name, table[name].boundaries[place])


def is_offered(delivery: Delivery, not_offered: Collection[str]) -> bool:
    """Return True unless the target file takes out the clause that is about this way to deliver a call."""
    if not not_offered:
        return True
    needed = {
        "transport.batch": delivery.batch is not Batch.NO,
        "transport.xml": delivery.suffix == ".xml",
        "transport.suffix": delivery.suffix == ".json",
        "transport.oauth": delivery.caller in TOKEN_CALLERS,
        "transport.encodings": delivery.encoding not in JSON_ENCODINGS,
    }
    return not any(is_used and clause in not_offered for clause, is_used in needed.items())


def sendable(call: Call) -> bool:
    """Return True if the delivery can carry the call's values without doubt."""
    if call.delivery.batch is Batch.NO and call.delivery.encoding in JSON_ENCODINGS:
        return True
    if any(needs_json(value) for value in (call.session, call.rating, call.comment)):
        return False
    if isinstance(call.comment.value, str) and len(call.comment.value) * _LONGEST_ESCAPE + _URL_MARGIN <= LONGEST_URL:
        return True
    in_url = call.delivery.encoding in (Encoding.QUERY_GET, Encoding.QUERY_POST)
    return not in_url or len(encode(call).query) + _URL_MARGIN <= LONGEST_URL


Tables = tuple[list[EquivalenceClass], list[EquivalenceClass], list[EquivalenceClass]]
_ValuesOf = Callable[[EquivalenceClass], Iterable[Any]]


def _one_at_a_time(tables: Tables, deliveries: list[Delivery], values: _ValuesOf) -> list[Call]:
    """Return each value once and each delivery once, everything else plain: at most one thing is unusual in a call."""
    session, rating, comment = (ClassifiedValue(table[0].name, table[0].core_values[0]) for table in tables)
    calls = [Call(session, rating, comment)]
    calls += [Call(value, rating, comment) for value in _each(tables[0], values)]
    calls += [Call(session, value, comment) for value in _each(tables[1], values)]
    calls += [Call(session, rating, value) for value in _each(tables[2], values)]
    in_each_delivery = filter(sendable, map(calls[0].via, deliveries))
    in_first_delivery = (next(filter(sendable, map(call.via, deliveries)), None) for call in calls)
    return [*in_each_delivery, *(call for call in in_first_delivery if call is not None)]


def _each(table: list[EquivalenceClass], values: _ValuesOf) -> list[ClassifiedValue]:
    return [ClassifiedValue(entry.name, one) for entry in table for one in values(entry)]


def _product(tables: Tables, deliveries: list[Delivery], values: _ValuesOf) -> list[Call]:
    """Return every combination, or none where that would be too many."""
    sessions, ratings, comments = (_each(table, values) for table in tables)
    if len(sessions) * len(ratings) * len(comments) * len(deliveries) > _LARGEST_PRODUCT:
        return []
    return [
        call
        for session, rating, comment, delivery in product(sessions, ratings, comments, deliveries)
        if sendable(call := Call(session, rating, comment, delivery))
    ]


def _strategy(tables: Tables, deliveries: list[Delivery]) -> st.SearchStrategy[Call]:
    values = [st.one_of(*(_values_of(entry) for entry in table)) for table in tables]
    return st.builds(Call, *values, st.sampled_from(deliveries)).filter(sendable)


def _values_of(entry: EquivalenceClass) -> st.SearchStrategy[ClassifiedValue]:
    values = st.sampled_from(entry.boundaries)
    drawn = values if entry.strategy is None else st.one_of(values, entry.strategy)
    return drawn.map(lambda one: ClassifiedValue(entry.name, one))
