"""The clauses of one edition of the documentation, loaded from its TOML file and checked."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any, Final, Literal, get_args

from msgspec import UNSET, UnsetType

from conformance.errors import UserError
from conformance.loading import fit, parse, unknown

Level = Literal["documented", "implied", "observed"]
DEFAULT_EDITION: Final = "2024-10"
"""The edition of the embedded portal and of the commands that show the contract."""
Chapter = Literal[
    "required", "optional", "rating", "comment", "success", "errors", "transport", "access", "effects", "client"
]
CLIENT: Final = "client"
"""The chapter of the clauses for client libraries. A portal is not judged by this chapter."""
CHAPTERS: Final = tuple(chapter for chapter in get_args(Chapter) if chapter != CLIENT)
"""The chapters by which a portal is judged, in reading order."""
ACCEPTED_STATUSES: Final = {"400": frozenset({400}), "200 or 4xx": frozenset({200, *range(400, 500)})}
"""The HTTP statuses of a refusal by the method, for each spelling of `method_status` in an edition file."""


@dataclass(frozen=True, slots=True)
class Source:
    """The place in the public documentation from which a clause comes.

    page: the name of the page.
    section: the heading in the page.
    commit: the commit of the page that was read.
    """

    page: str
    section: str
    commit: str

    def __str__(self) -> str:
        return f"{self.page}, {self.section} ({self.commit})"


@dataclass(frozen=True, slots=True)
class Clause:
    """One demand of the documentation.

    id: group and name, as in "rating.whole-number".
    chapter: the chapter of the suite that judges the clause.
    level: how the documentation states the demand.
    statement: the demand in one sentence.
    source: the place in the documentation.
    codes: the codes that a refusal under this clause may carry. If the page names no codes, these are all method codes.
    implied: the parts of a documented clause that are only implied, as "parameter:class" or "content-type".
    """

    id: str
    chapter: str
    level: Level
    statement: str
    source: Source
    codes: frozenset[str]
    implied: frozenset[str]


@dataclass(frozen=True, slots=True)
class Edition:
    """One published state of the documentation.

    name: the month of the edition, as in "2026-03".
    summary: the edition in one sentence.
    clauses: the demands on a portal by clause id, in reading order.
    client_clauses: the demands on a client library by clause id, in reading order.
    method_codes: the error codes that the method page lists.
    system_codes: the HTTP status of each error code in the system error table.
    method_statuses: the HTTP statuses with which the method may refuse.
    denial_statuses: the HTTP statuses with which a caller without rights may be denied.
    example_accepted: the fields of the page's example of a success.
    example_refused: the fields of the page's example of a refusal; empty if the page shows no such example.
    """

    name: str
    summary: str
    clauses: Mapping[str, Clause]
    client_clauses: Mapping[str, Clause]
    method_codes: frozenset[str]
    system_codes: Mapping[str, int]
    method_statuses: frozenset[int]
    denial_statuses: frozenset[int]
    example_accepted: Mapping[str, Any]
    example_refused: Mapping[str, Any]

    @property
    def all_clauses(self) -> Mapping[str, Clause]:
        """Return the clauses for portals and for client libraries by id."""
        return {**self.clauses, **self.client_clauses}

    def documents(self, code: str) -> bool:
        """Return True if the method page or the system error table lists this code."""
        return code in self.method_codes or code in self.system_codes


def edition_names() -> list[str]:
    """Return the editions that ship with the suite, oldest first."""
    return sorted(
        entry.name.removesuffix(".toml") for entry in _editions_folder().iterdir() if entry.name.endswith(".toml")
    )


@cache
def load_edition(name: str) -> Edition:
    """Return the edition of that name.

    Raise UserError if there is no such edition or if its file has a fault.
    """
    if name not in edition_names():
        raise UserError(unknown("edition", name, edition_names(), f"choose one of {', '.join(edition_names())}"))
    return parse_edition((_editions_folder() / f"{name}.toml").read_text("utf-8"), f"{name}.toml")


def editions_naming(code: str) -> list[str]:
    """Return the names of the editions whose method page lists this code."""
    return [name for name in edition_names() if code in load_edition(name).method_codes]


@dataclass(frozen=True, slots=True)
class _PageEntry:
    page: str
    commit: str


@dataclass(frozen=True, slots=True)
class _CodesEntry:
    method: tuple[str, ...]
    method_status: Literal["400", "200 or 4xx"]
    denial_status: tuple[int, ...]
    system: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class _ExampleEntry:
    accepted: Mapping[str, Any]
    refused: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _SourceEntry:
    page: str
    section: str


@dataclass(frozen=True, slots=True)
class _ClauseEntry:
    id: str
    chapter: Chapter
    level: Level
    statement: str
    source: _SourceEntry
    codes: tuple[str, ...] | UnsetType = UNSET
    implied: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EditionFile:
    """The form of an edition file: its fields are the keys of the file."""

    edition: str
    summary: str
    sources: Mapping[str, _PageEntry]
    codes: _CodesEntry
    example: _ExampleEntry
    clause: tuple[_ClauseEntry, ...]


def parse_edition(text: str, file: str) -> Edition:
    """Return an edition from the text of its file.

    Raise UserError with the names of the file and of the key if the text does not fit.
    """
    form = fit(parse(text, "TOML", file), EditionFile, file)
    clauses: dict[str, Clause] = {}
    for number, entry in enumerate(form.clause, 1):
        where = f"{file}: clause {number} ({entry.id})"
        if entry.id in clauses:
            raise UserError(f"{where}: id: it is there twice")
        clauses[entry.id] = _read_clause(entry, form, where)
    return Edition(
        name=form.edition,
        summary=form.summary,
        clauses={name: clause for name, clause in clauses.items() if clause.chapter != CLIENT},
        client_clauses={name: clause for name, clause in clauses.items() if clause.chapter == CLIENT},
        method_codes=frozenset(form.codes.method),
        system_codes=form.codes.system,
        method_statuses=ACCEPTED_STATUSES[form.codes.method_status],
        denial_statuses=frozenset(form.codes.denial_status),
        example_accepted=form.example.accepted,
        example_refused=form.example.refused,
    )


def _editions_folder() -> Traversable:
    return files("conformance.contract") / "editions"


def _read_clause(entry: _ClauseEntry, form: EditionFile, where: str) -> Clause:
    if not re.fullmatch(r"[a-z0-9-]+\.[a-z0-9-]+", entry.id):
        raise UserError(f"{where}: id: write it as group.name in lower case")
    if entry.source.page not in form.sources:
        raise UserError(f"{where}: source.page: {entry.source.page!r} is not under [sources]")
    codes = form.codes.method if isinstance(entry.codes, UnsetType) else entry.codes
    for code in codes:
        if code not in form.codes.method and code not in form.codes.system:
            raise UserError(f"{where}: codes: no edition page names {code!r}")
    page = form.sources[entry.source.page]
    return Clause(
        id=entry.id,
        chapter=entry.chapter,
        level=entry.level,
        statement=entry.statement,
        source=Source(page.page, entry.source.section, page.commit),
        codes=frozenset(codes),
        implied=frozenset(entry.implied),
    )
