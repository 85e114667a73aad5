"""Known deviations of a target: which violations its owner expects, why, and for which values."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Annotated, Final

from msgspec import UNSET, Meta, UnsetType, to_builtins

from conformance.contract.classes import BAD_SESSIONS, COMMENTS, OVERFLOW, RATINGS, STATES
from conformance.contract.clauses import edition_names, load_edition
from conformance.errors import UserError
from conformance.loading import load, read_text, unknown
from conformance.portals.scripts import ELSEWHERE, scripts_of

UNFILLED: Final = "TODO"
"""How the reason and the source of an entry begin that --write-deviations wrote and nobody filled in."""
HANG: Final = ("came_back", "nothing")
"""The class of a call from which a client library did not come back."""
_HEADER: Final = re.compile(r"\s*\[\[\s*deviation\s*\]\]")
_CLASSES: Final[Mapping[str, frozenset[str]]] = {
    "session": frozenset({*BAD_SESSIONS, *STATES, OVERFLOW, "digits"}),
    "rating": frozenset(RATINGS),
    "comment": frozenset(COMMENTS),
    "answer": frozenset(
        (*(script for name in edition_names() for script in scripts_of(name)), *(script.name for script in ELSEWHERE))
    ),
}


def is_hang(classes: Mapping[str, str]) -> bool:
    """Return True if a client library did not come back from a call with these classes."""
    name, cls = HANG
    return classes.get(name) == cls


@dataclass(frozen=True, slots=True)
class Deviation:
    """One expected violation.

    where: by parameter, the classes that the entry is narrowed to. If it is empty, the entry covers all calls.
    hangs: True if the entry is about calls from which a client library does not come back, and about no others.
    is_unfilled: True if reason or source is still to be filled in.
    line: the line of the file on which the entry begins.
    """

    clause: str
    reason: str
    source: str
    where: Mapping[str, frozenset[str]]
    expired: bool
    line: int = 1
    is_unfilled: bool = False
    hangs: bool = False

    def covers(self, clause: str, classes: Mapping[str, str]) -> bool:
        """Return True if a call with values of these classes is inside the entry.

        An expired entry covers nothing, and nor does one whose reason or source is not filled in.
        """
        narrowed = all(classes.get(parameter) in names for parameter, names in self.where.items())
        return not self.expired and not self.is_unfilled and self.clause == clause and narrowed

    def excuses(self, clause: str, classes: Mapping[str, str]) -> bool:
        """Return True if a call with these classes is inside the entry, and violates the clause as the entry says."""
        return self.covers(clause, classes) and (not self.hangs or is_hang(classes))


_Names = Annotated[tuple[str, ...], Meta(min_length=1)] | UnsetType


@dataclass(frozen=True, slots=True)
class _WhereEntry:
    """The classes of values that an entry is narrowed to."""

    session: _Names = UNSET
    rating: _Names = UNSET
    comment: _Names = UNSET
    answer: _Names = UNSET


@dataclass(frozen=True, slots=True)
class _DeviationEntry:
    clause: Annotated[str, Meta(min_length=1, description="The id of the clause that is violated.")]
    reason: Annotated[str, Meta(min_length=1, description="What the portal does.")]
    source: Annotated[str, Meta(min_length=1, description="Where this was seen, or who accepted it.")]
    expires: Annotated[date, Meta(description="The last day on which the entry excuses anything.")] | UnsetType = UNSET
    where: _WhereEntry = _WhereEntry()
    hangs: Annotated[bool, Meta(description="A client library does not come back from these calls.")] = False


@dataclass(frozen=True, slots=True)
class DeviationsFile:
    """The form of a deviation file."""

    deviation: tuple[_DeviationEntry, ...] = ()


def load_deviations(path: Path, today: date) -> tuple[Deviation, ...]:
    """Return the entries of a deviation file. Raise UserError that names file and key."""
    entries = load(path, DeviationsFile).deviation
    lines = header_lines(read_text(path, 2**20))
    # A list of inline tables has no headers.
    starts = lines if len(lines) == len(entries) else [1] * len(entries)
    return tuple(
        replace(_deviation(entry, f"{path}: deviation {number}", today), line=line)
        for number, (entry, line) in enumerate(zip(entries, starts, strict=True), 1)
    )


def header_lines(text: str) -> list[int]:
    """Return the numbers of the lines on which the entries of a deviation file begin."""
    return [number for number, line in enumerate(text.splitlines(), 1) if _HEADER.match(line)]


def _deviation(entry: _DeviationEntry, where: str, today: date) -> Deviation:
    clauses = {clause for name in edition_names() for clause in load_edition(name).all_clauses}
    if entry.clause not in clauses:
        advice = "`vote-conformance explain` lists them"
        raise UserError(f"{where}: clause: {unknown('clause', entry.clause, clauses, advice)}")
    narrowed = {parameter: frozenset(names) for parameter, names in to_builtins(entry.where).items()}
    for parameter, names in narrowed.items():
        known = sorted(_CLASSES[parameter])
        for name in sorted(names):
            if name not in known:
                advice = f"the classes are {', '.join(known)}"
                raise UserError(f"{where}: where.{parameter}: {unknown('class', name, known, advice)}")
    return Deviation(
        clause=entry.clause,
        reason=entry.reason,
        source=entry.source,
        where=narrowed,
        expired=not isinstance(entry.expires, UnsetType) and entry.expires < today,
        is_unfilled=entry.reason.startswith(UNFILLED) or entry.source.startswith(UNFILLED),
        hangs=entry.hangs,
    )
