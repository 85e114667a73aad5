"""Every combination of equivalence classes in every encoding that can carry it: sent, and counted.

One combination at a time is sent in all its encodings and judged by every clause that it concerns, then forgotten: the
memory that this takes does not grow with the number of calls.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations as choose
from itertools import product
from typing import Final

from conformance.contract.classes import COMMENTS, RATINGS, EquivalenceClass
from conformance.engine.cases import sendable
from conformance.engine.log import Entry, ExchangeLog
from conformance.engine.session import Combination, PortalSession
from conformance.exchange.call import NOTHING, Call, ClassifiedValue, Delivery, Encoding, Json
from conformance.exchange.read_back import NOT_READ, NotRead, StoredVote
from conformance.target.transports import NoResponse

PARAMETERS: Final = ("SESSION_ID", "RATING", "COMMENT", "encoding")
_ENCODINGS: Final = tuple(Encoding)
_WAYS: Final = {encoding: Delivery(encoding) for encoding in Encoding}


@dataclass(frozen=True, slots=True)
class PairCoverage:
    """How many pairs of classes of two parameters were met, of those that can be sent."""

    parameters: tuple[str, str]
    met: int
    all: int


@dataclass(frozen=True, slots=True)
class Coverage:
    """How many combinations of four classes were met, and how many pairs of two, of those that can be sent."""

    met: int
    all: int
    pairs: tuple[PairCoverage, ...]


def sweep(world: PortalSession, judge: Callable[[ExchangeLog], None]) -> None:
    """Sends every combination, with a read-back after each vote and at its end; hands on what each brought."""
    stored = world.read()
    fitting: dict[tuple[int, int], list[Json]] = {}
    for turn, (classes, encodings) in enumerate(_groups(world.sessions)):
        session, rating, comment = (_pick(entry, turn, encodings, fitting) for entry in classes)
        entries: list[Entry] = [stored]
        unanswered: list[tuple[Call, str]] = []
        for encoding in encodings:
            call = Call(session, rating, comment, _WAYS[encoding])
            if not sendable(call):
                continue
            try:
                exchange = world.ask(call)
                entries.append(exchange)
                if exchange.answer.accepted:
                    entries.append(world.read())
            except NoResponse as failure:
                unanswered.append((call, str(failure)))
        stored = _last_read(entries, world)
        entries.append(stored)
        sent = world.portal.requests
        judge(ExchangeLog(tuple(entries), tuple(unanswered)))
        if world.portal.requests > sent:  # something was wrong, and was asked again
            stored = _last_read([], world)


def coverage_of(met: set[Combination], sessions: Mapping[str, EquivalenceClass]) -> Coverage:
    """How much of all combinations was met."""
    sendable_ones = {
        (*(entry.name for entry in classes), encoding)
        for classes, encodings in _groups(sessions)
        for encoding in encodings
    }
    pairs = []
    for one, other in choose(range(len(PARAMETERS)), 2):
        every = {(combination[one], combination[other]) for combination in sendable_ones}
        seen = {(combination[one], combination[other]) for combination in met}
        pairs.append(PairCoverage((PARAMETERS[one], PARAMETERS[other]), len(every & seen), len(every)))
    return Coverage(len(sendable_ones & met), len(sendable_ones), tuple(pairs))


Classes = tuple[EquivalenceClass, EquivalenceClass, EquivalenceClass]


def _groups(sessions: Mapping[str, EquivalenceClass]) -> Iterator[tuple[Classes, list[Encoding]]]:
    """Each combination of classes with the encodings that can carry it."""
    carried = {id(entry): _carriers(entry) for table in (sessions, RATINGS, COMMENTS) for entry in table.values()}
    for classes in product(sessions.values(), RATINGS.values(), COMMENTS.values()):
        yield classes, [way for way in _ENCODINGS if all(way in carried[id(entry)] for entry in classes)]


def _carriers(entry: EquivalenceClass) -> set[Encoding]:
    return {encoding for encoding in _ENCODINGS if any(_carries(encoding, entry.name, one) for one in entry.boundaries)}


def _carries(encoding: Encoding, name: str, value: Json) -> bool:
    return sendable(Call(NOTHING, NOTHING, ClassifiedValue(name, value), Delivery(encoding)))


def _pick(
    entry: EquivalenceClass, turn: int, encodings: list[Encoding], fitting: dict[tuple[int, int], list[Json]]
) -> ClassifiedValue:
    """A boundary value of the class that all these encodings can carry; each turn takes another one."""
    key = (id(entry), len(encodings))
    if key not in fitting:
        fitting[key] = [
            one for one in entry.boundaries if all(_carries(encoding, entry.name, one) for encoding in encodings)
        ]
    return ClassifiedValue(entry.name, fitting[key][turn % len(fitting[key])])


def _last_read(entries: list[Entry], world: PortalSession) -> StoredVote | NotRead:
    """The stored vote as it stands: the last entry, or read now where calls came after it."""
    if entries and isinstance(entries[-1], StoredVote):
        return entries[-1]
    try:
        return world.read()
    except NoResponse:
        return NOT_READ
