"""The map of a run: for each combination of classes and each encoding, how the portal answered."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from conformance.contract.classes import COMMENTS, RATINGS
from conformance.engine.evidence import Exchange
from conformance.exchange.call import NO_RIGHTS, Encoding
from conformance.exchange.response import LimitReached

Combination = tuple[str, str, str, Encoding]

CELLS: Final[Mapping[str, str]] = {
    "A": "accepted, must be refused",
    "R": "refused, must be accepted or has another code",
    "o": "neither accepted nor refused",
    "b": "both, as permitted",
    "a": "accepted, as permitted",
    "r": "refused, as permitted",
    "s": "sent, not judged here",
    ".": "not sent",
    " ": "cannot be sent",
}
"""The letters of the map, the gravest first."""
_GRAVEST_FIRST: Final = "".join(CELLS)


@dataclass(frozen=True, slots=True)
class OutcomeMap:
    """The answers in one encoding.

    sessions, ratings, comments: the names of the classes.
    cells: for each session and each comment, a text with one letter for each rating.
    """

    encoding: str
    sessions: tuple[str, ...]
    ratings: tuple[str, ...]
    comments: tuple[str, ...]
    cells: tuple[tuple[str, ...], ...]


def cell_of(exchange: Exchange, before: str = "s") -> str:
    """Return the letter of a combination after one more exchange. before: its letter until now."""
    new = _letter(exchange)
    return "b" if {before, new} == {"a", "r"} else min(before, new, key=_GRAVEST_FIRST.index)


def _letter(exchange: Exchange) -> str:
    call = exchange.call
    if call.delivery.caller in NO_RIGHTS or not call.is_documented or isinstance(exchange.outcome, LimitReached):
        return "s"
    if exchange.response.accepted:
        return "a" if exchange.permitted.may_be_accepted else "A"
    if exchange.response.refused:
        return "r" if exchange.is_permitted else "R"
    return "o"


def maps_of(
    met: Mapping[Combination, str], sendable: Collection[Combination], sessions: tuple[str, ...]
) -> tuple[OutcomeMap, ...]:
    """Return the map of each encoding in which a call was sent."""
    ratings, comments = tuple(RATINGS), tuple(COMMENTS)

    def cell(combination: Combination) -> str:
        return met.get(combination, "." if combination in sendable else " ")

    return tuple(
        OutcomeMap(
            str(encoding),
            sessions,
            ratings,
            comments,
            tuple(
                tuple("".join(cell((session, rating, comment, encoding)) for rating in ratings) for comment in comments)
                for session in sessions
            ),
        )
        for encoding in sorted({combination[3] for combination in met}, key=list(Encoding).index)
    )
