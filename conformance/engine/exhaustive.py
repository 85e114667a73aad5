"""Every combination of equivalence classes in every encoding that can carry it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import combinations as choose
from itertools import product
from typing import Final

from conformance.contract.classes import COMMENTS, RATINGS, EquivalenceClass, session_classes
from conformance.engine.cases import is_offered, sendable
from conformance.engine.outcome_map import Combination, OutcomeMap, maps_of
from conformance.engine.session import PortalSession, Step
from conformance.exchange.call import (
    DOCUMENTED_ENCODINGS,
    NOTHING,
    Call,
    ClassifiedValue,
    Delivery,
    Encoding,
    Json,
    ReadBack,
)
from conformance.target.target import Target

PARAMETERS: Final = ("SESSION_ID", "RATING", "COMMENT", "encoding")
_DELIVERIES: Final[dict[Encoding, Delivery]] = {encoding: Delivery(encoding) for encoding in DOCUMENTED_ENCODINGS}


@dataclass(frozen=True, slots=True)
class PairCoverage:
    """How many pairs of classes of two parameters were sent, and how many can be sent."""

    parameters: tuple[str, str]
    met: int
    all: int


@dataclass(frozen=True, slots=True)
class Coverage:
    """How many combinations of all four parameters were sent, how many can be sent, and the same of pairs.

    maps: how each combination was answered.
    """

    met: int
    all: int
    pairs: tuple[PairCoverage, ...]
    maps: tuple[OutcomeMap, ...]


def combinations_of(session: PortalSession) -> Iterator[tuple[Step, ...]]:
    """Yield for each combination of classes the calls in all encodings that can carry it, each vote read back."""
    fitting: dict[tuple[int, int], list[Json]] = {}
    read = Step("read back", 1, ReadBack(session.rateable.value))
    for turn, (classes, encodings) in enumerate(_groups(session.sessions)):
        voted, rating, comment = (_value(entry, turn, encodings, fitting) for entry in classes)
        calls = [Call(voted, rating, comment, _DELIVERIES[encoding]) for encoding in encodings]
        steps = [read] if session.reads else []
        not_offered = session.portal.target.not_offered
        for call in (call for call in calls if sendable(call) and is_offered(call.delivery, not_offered)):
            purpose = " x ".join((*call.classes.values(), call.delivery.encoding))
            steps.append(Step(purpose, 1, call))
            if session.reads and session.permitted(call).may_be_accepted:
                steps.append(read)
        if session.reads and isinstance(steps[-1].request, Call):
            steps.append(read)
        yield tuple(steps)


def coverage_of(cells: Mapping[Combination, str], target: Target) -> Coverage:
    """Return how much of all combinations was sent. cells: by combination that was sent, its letter of the map."""
    sendable_ones = _sendable_ones(tuple(target.sessions.items()), target.live)
    met = cells.keys()
    pairs = []
    for one, other in choose(range(len(PARAMETERS)), 2):
        every = {(combination[one], combination[other]) for combination in sendable_ones}
        seen = {(combination[one], combination[other]) for combination in met}
        pairs.append(PairCoverage((PARAMETERS[one], PARAMETERS[other]), len(every & seen), len(every)))
    sessions = tuple(session_classes(target.sessions, target.live))
    maps = maps_of(cells, sendable_ones, sessions)
    return Coverage(len(sendable_ones & met), len(sendable_ones), tuple(pairs), maps)


@cache
def _sendable_ones(sessions: tuple[tuple[str, int], ...], live: bool) -> frozenset[Combination]:
    """Return the combinations that can be sent. A target that is judged many times has always the same."""
    return frozenset(
        (session.name, rating.name, comment.name, encoding)
        for (session, rating, comment), encodings in _groups(session_classes(dict(sessions), live))
        for encoding in encodings
    )


Classes = tuple[EquivalenceClass, EquivalenceClass, EquivalenceClass]


def _groups(sessions: Mapping[str, EquivalenceClass]) -> Iterator[tuple[Classes, list[Encoding]]]:
    """Yield each combination of classes with the encodings that can carry it."""
    carried = {id(entry): _carriers(entry) for table in (sessions, RATINGS, COMMENTS) for entry in table.values()}
    for classes in product(sessions.values(), RATINGS.values(), COMMENTS.values()):
        yield classes, [way for way in DOCUMENTED_ENCODINGS if all(way in carried[id(entry)] for entry in classes)]


def _carriers(entry: EquivalenceClass) -> set[Encoding]:
    return {
        encoding
        for encoding in DOCUMENTED_ENCODINGS
        if any(_carries(encoding, entry.name, one) for one in entry.boundaries)
    }


def _carries(encoding: Encoding, name: str, value: Json) -> bool:
    return sendable(Call(NOTHING, NOTHING, ClassifiedValue(name, value), Delivery(encoding)))


def _value(
    entry: EquivalenceClass, turn: int, encodings: list[Encoding], fitting: dict[tuple[int, int], list[Json]]
) -> ClassifiedValue:
    """Return a boundary value that all these encodings can carry. Each turn takes another one."""
    key = (id(entry), len(encodings))
    if key not in fitting:
        fitting[key] = [
            one for one in entry.boundaries if all(_carries(encoding, entry.name, one) for encoding in encodings)
        ]
    return ClassifiedValue(entry.name, fitting[key][turn % len(fitting[key])])
