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
Chapter = Literal[
    "required", "optional", "rating", "comment", "success", "errors", "transport", "access", "effects", "client"
]
CLIENT: Final = "client"
"""The chapter of the clauses for client libraries. A portal is not judged by this chapter."""
CHAPTERS: Final = tuple(chapter for chapter in get_args(Chapter) if chapter != CLIENT)
"""The chapters by which a portal is judged, in reading order."""
REPOSITORY: Final = "bitrix24/b24restdocs"
"""The public repository of the documentation. The path and the commit of a section belong to it."""
_CLIENT_ERRORS: Final = frozenset(range(400, 500))


@dataclass(frozen=True, slots=True)
class Section:
    """A section of a page of the public documentation, from its heading to the next heading of any level.

    id: the name of the section in the edition file.
    path: the path of the page in the repository.
    heading: the text of the heading, without its anchor such as "{#time}".
    commit: the commit of the page that was read.
    link: the address at which the section can be read.
    hash: the hash of the content at this commit; empty if it was not taken.
    """

    id: str
    path: str
    heading: str
    commit: str
    link: str
    hash: str

    def __str__(self) -> str:
        return f"{self.path}, {self.heading} ({self.commit[:8]})"


@dataclass(frozen=True, slots=True)
class Clause:
    """One demand of the documentation.

    id: group and name, as in "rating.whole-number".
    chapter: the chapter of the suite that judges the clause.
    level: how the documentation states the demand.
    statement: the demand in one sentence.
    sources: the sections that state the demand; empty if the documentation is silent.
    reading: our one step from the sections to the demand, in one sentence; empty if there is none.
    codes: the codes that a refusal under this clause may carry. If the page names no codes, these are all method codes.
    statuses: the HTTP statuses that a refusal under this clause may have; empty if the method's statuses apply.
    implied: the parts of a documented clause that are only implied, as "parameter:class" or "content-type".
    """

    id: str
    chapter: str
    level: Level
    statement: str
    sources: tuple[Section, ...]
    reading: str
    codes: frozenset[str]
    statuses: frozenset[int]
    implied: frozenset[str]

    @property
    def source(self) -> str:
        """Return the sections of the clause as one text."""
        return "; ".join(map(str, self.sources)) or "the documentation is silent"


@dataclass(frozen=True, slots=True)
class SystemCode:
    """A row of the system error table: the HTTP status of the code, and the section that states it."""

    status: int
    section: Section


@dataclass(frozen=True, slots=True)
class Parameter:
    """A row of the method's parameter table.

    type: the type as the page names it.
    required: True if the page marks the parameter as required.
    """

    type: str
    required: bool


@dataclass(frozen=True, slots=True)
class NotJudged:
    """A sentence of the documentation that no clause judges, with the reason."""

    what: str
    reason: str
    section: Section


@dataclass(frozen=True, slots=True)
class Edition:
    """One published state of the documentation.

    name: the month of the edition, as its file is named.
    summary: the edition in one sentence.
    clauses: the demands on a portal by clause id, in reading order.
    client_clauses: the demands on a client library by clause id, in reading order.
    sections: the cited sections by id.
    parameters: the method's parameter table by name.
    method_codes: the error codes that the method page lists.
    system_table: the system error table by code.
    method_statuses: the HTTP statuses with which the method may refuse.
    example_accepted: the fields of the page's example of a success.
    example_refused: the fields of the page's example of a refusal; empty if the page shows no such example.
    """

    name: str
    summary: str
    clauses: Mapping[str, Clause]
    client_clauses: Mapping[str, Clause]
    sections: Mapping[str, Section]
    parameters: Mapping[str, Parameter]
    method_codes: frozenset[str]
    system_table: Mapping[str, SystemCode]
    method_statuses: frozenset[int]
    example_accepted: Mapping[str, Any]
    example_refused: Mapping[str, Any]
    not_judged: tuple[NotJudged, ...]

    @property
    def system_codes(self) -> Mapping[str, int]:
        """Return the HTTP status of each error code in the system error table."""
        return {code: entry.status for code, entry in self.system_table.items()}

    @property
    def all_clauses(self) -> Mapping[str, Clause]:
        """Return the clauses for portals and for client libraries by id."""
        return {**self.clauses, **self.client_clauses}

    def documents(self, code: str) -> bool:
        """Return True if the method page or the system error table lists this code."""
        return code in self.method_codes or code in self.system_table


def edition_names() -> list[str]:
    """Return the editions that ship with the suite, oldest first."""
    return sorted(
        entry.name.removesuffix(".toml") for entry in _editions_folder().iterdir() if entry.name.endswith(".toml")
    )


def default_edition() -> str:
    """Return the newest edition. It holds wherever the user names none."""
    return edition_names()[-1]


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


def status_words(statuses: frozenset[int]) -> str:
    """Return HTTP statuses in words, as in "200 or any 4xx"."""
    single = statuses - _CLIENT_ERRORS if statuses >= _CLIENT_ERRORS else statuses
    return " or ".join([*map(str, sorted(single)), *(["any 4xx"] if statuses >= _CLIENT_ERRORS else [])])


_Statuses = tuple[int | Literal["4xx"], ...]


@dataclass(frozen=True, slots=True)
class _SectionEntry:
    path: str
    heading: str
    commit: str | UnsetType = UNSET
    anchor: str | UnsetType = UNSET
    hash: str = ""


@dataclass(frozen=True, slots=True)
class _SystemCodeEntry:
    status: int
    section: str


@dataclass(frozen=True, slots=True)
class _CodesEntry:
    method: tuple[str, ...]
    method_status: _Statuses
    system: Mapping[str, _SystemCodeEntry]


@dataclass(frozen=True, slots=True)
class _ExampleEntry:
    accepted: Mapping[str, Any]
    refused: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _ClauseEntry:
    id: str
    chapter: Chapter
    level: Level
    statement: str
    sources: tuple[str, ...] = ()
    reading: str = ""
    codes: tuple[str, ...] | UnsetType = UNSET
    statuses: _Statuses = ()
    implied: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _NotJudgedEntry:
    what: str
    reason: str
    section: str


@dataclass(frozen=True, slots=True)
class EditionFile:
    """The form of an edition file: its fields are the keys of the file.

    commit: the commit of the documentation, for every section that names no other.
    base: the edition from which this one starts. Then the file holds its differences only: a table is merged key by
        key, an entry of `clause` or `not_judged` with the entry of the same `id` or `what`.
    without: the clauses, system codes and sections of the base that this edition does not have.
    """

    edition: str
    summary: str
    commit: str
    sections: Mapping[str, _SectionEntry]
    codes: _CodesEntry
    parameters: Mapping[str, Parameter]
    example: _ExampleEntry
    clause: tuple[_ClauseEntry, ...]
    not_judged: tuple[_NotJudgedEntry, ...] = ()
    base: str = ""
    without: tuple[str, ...] = ()


def parse_edition(text: str, file: str) -> Edition:
    """Return an edition from the text of its file.

    Raise UserError with the names of the file and of the key if the text does not fit.
    """
    form = fit(_with_base(parse(text, "TOML", file), file), EditionFile, file)
    sections = {
        name: Section(name, entry.path, entry.heading, commit, _link(entry, commit), entry.hash)
        for name, entry in form.sections.items()
        for commit in [form.commit if isinstance(entry.commit, UnsetType) else entry.commit]
    }

    def section(name: str, where: str) -> Section:
        if name not in sections:
            raise UserError(f"{file}: {where}: {name!r} is not under [sections]")
        return sections[name]

    clauses: dict[str, Clause] = {}
    for number, entry in enumerate(form.clause, 1):
        where = f"clause {number} ({entry.id})"
        if entry.id in clauses:
            raise UserError(f"{file}: {where}: id: it is there twice")
        sources = tuple(section(name, f"{where}: sources") for name in entry.sources)
        clauses[entry.id] = _read_clause(entry, form, sources, f"{file}: {where}")
    return Edition(
        name=form.edition,
        summary=form.summary,
        clauses={name: clause for name, clause in clauses.items() if clause.chapter != CLIENT},
        client_clauses={name: clause for name, clause in clauses.items() if clause.chapter == CLIENT},
        sections=sections,
        parameters=form.parameters,
        method_codes=frozenset(form.codes.method),
        system_table={
            code: SystemCode(row.status, section(row.section, f"codes.system.{code}.section"))
            for code, row in form.codes.system.items()
        },
        method_statuses=_expanded(form.codes.method_status),
        example_accepted=form.example.accepted,
        example_refused=form.example.refused,
        not_judged=tuple(
            NotJudged(entry.what, entry.reason, section(entry.section, f"not_judged {number}: section"))
            for number, entry in enumerate(form.not_judged, 1)
        ),
    )


def _editions_folder() -> Traversable:
    return files("conformance.contract") / "editions"


def _read_clause(entry: _ClauseEntry, form: EditionFile, sources: tuple[Section, ...], where: str) -> Clause:
    if not re.fullmatch(r"[a-z0-9-]+\.[a-z0-9-]+", entry.id):
        raise UserError(f"{where}: id: write it as group.name in lower case")
    if entry.level != "observed" and not sources:
        raise UserError(f"{where}: sources: name the sections that state the clause, or make it observed")
    if (entry.level == "implied" or entry.implied) and not entry.reading:
        raise UserError(f"{where}: reading: state the step from the sections to what is implied")
    codes = form.codes.method if isinstance(entry.codes, UnsetType) else entry.codes
    for code in codes:
        if code not in form.codes.method and code not in form.codes.system:
            raise UserError(f"{where}: codes: no edition page names {code!r}")
    return Clause(
        id=entry.id,
        chapter=entry.chapter,
        level=entry.level,
        statement=entry.statement,
        sources=sources,
        reading=entry.reading,
        codes=frozenset(codes),
        statuses=_expanded(entry.statuses),
        implied=frozenset(entry.implied),
    )


def _expanded(statuses: _Statuses) -> frozenset[int]:
    return frozenset(status for entry in statuses for status in (_CLIENT_ERRORS if entry == "4xx" else {entry}))


def _link(entry: _SectionEntry, commit: str) -> str:
    # GitHub makes the anchor of a heading from its text.
    anchor = entry.anchor
    if isinstance(anchor, UnsetType):
        anchor = re.sub(r"[^\w\- ]", "", entry.heading.lower()).replace(" ", "-")
    return f"https://github.com/{REPOSITORY}/blob/{commit}/{entry.path}#{anchor}"


def _with_base(own: Any, file: str) -> Any:
    """Return the values of an edition file, with those of its base below them."""
    base = own.get("base", "")
    if not base:
        return own
    if base not in edition_names():
        raise UserError(f"{file}: base: {unknown('edition', str(base), edition_names(), 'name an edition')}")
    text = (_editions_folder() / f"{base}.toml").read_text("utf-8")
    whole = _with_base(parse(text, "TOML", f"{base}.toml"), f"{base}.toml")
    for name in own.get("without", ()):
        places = [part for part in (whole["sections"], whole["codes"]["system"]) if name in part]
        kept = [entry for entry in whole["clause"] if entry["id"] != name]
        if not places and len(kept) == len(whole["clause"]):
            raise UserError(f"{file}: without: the base has no {name!r}")
        whole["clause"] = kept
        for part in places:
            del part[name]
    return _merged(whole, own)


def _merged(base: Any, own: Any) -> Any:
    """Return two values of edition files as one: tables by key, lists of tables by `id` or `what`, others replaced."""
    if isinstance(base, dict) and isinstance(own, dict):
        return {**base, **{name: _merged(base.get(name), value) for name, value in own.items()}}
    if isinstance(base, list) and all(isinstance(entry, dict) for entry in (*base, *own)):
        entries = {entry.get("id", entry.get("what")): entry for entry in base}
        return list(_merged(entries, {entry.get("id", entry.get("what")): entry for entry in own}).values())
    return own
