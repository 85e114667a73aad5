"""The clauses of one edition of the documentation, loaded from its TOML file and checked."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any, Final, Literal, get_args

from conformance.errors import UserError

Kind = type | tuple[type, ...]
Level = Literal["documented", "implied", "observed"]
CHAPTERS: Final = ("required", "optional", "rating", "comment", "success", "errors", "transport", "access", "effects")
DEFAULT_EDITION: Final = "2024-10"
"""The edition of the embedded portal and of what shows the contract."""
CLIENT: Final = "client"
"""The chapter of what a client library must do; a portal is not judged by it."""
ACCEPTED_STATUSES: Final = {"400": frozenset({400}), "200 or 4xx": frozenset({200, *range(400, 500)})}


@dataclass(frozen=True, slots=True)
class Source:
    """Where a clause comes from: page and section of the public documentation, and the commit that was read."""

    page: str
    section: str
    commit: str

    def __str__(self) -> str:
        return f"{self.page}, {self.section} ({self.commit})"


@dataclass(frozen=True, slots=True)
class Clause:
    """One demand of the documentation.

    codes: the codes that a refusal under this clause may carry; all method codes where the page names none.
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
    """One published state of the documentation: its clauses in reading order, its codes, its example.

    clauses: what a portal must do. client_clauses: what a library that calls it must do.
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
        return {**self.clauses, **self.client_clauses}

    def documents(self, code: str) -> bool:
        """Whether a code stands on the method page or in the system error table."""
        return code in self.method_codes or code in self.system_codes


def edition_names() -> list[str]:
    """The editions that ship with the suite, oldest first."""
    return sorted(entry.name.removesuffix(".toml") for entry in _folder().iterdir() if entry.name.endswith(".toml"))


@cache
def load_edition(name: str) -> Edition:
    """The edition of that name. Raises Problem when there is none or its file is at fault."""
    if name not in edition_names():
        raise UserError(f"unknown edition {name!r}: choose one of {', '.join(edition_names())}")
    return parse_edition((_folder() / f"{name}.toml").read_text("utf-8"), f"{name}.toml")


def editions_naming(code: str) -> list[str]:
    """The editions whose method page has that code."""
    return [name for name in edition_names() if code in load_edition(name).method_codes]


def parse_edition(text: str, file: str) -> Edition:
    """An edition from the text of its file. Raises Problem naming file and key."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UserError(f"{file}: not valid TOML: {error}") from None
    required = {"edition": str, "summary": str, "sources": dict, "codes": dict, "example": dict, "clause": list}
    check_keys(data, required, {}, file)
    codes = data["codes"]
    check_keys(
        codes, {"method": list, "method_status": str, "denial_status": list, "system": dict}, {}, f"{file}: codes"
    )
    if codes["method_status"] not in ACCEPTED_STATUSES:
        raise UserError(f"{file}: codes.method_status: use one of {', '.join(map(repr, ACCEPTED_STATUSES))}")
    check_keys(data["example"], {"accepted": dict}, {"refused": dict}, f"{file}: example")
    method, system = frozenset(codes["method"]), dict(codes["system"])
    clauses: dict[str, Clause] = {}
    for number, entry in enumerate(data["clause"], 1):
        where = f"{file}: clause {number}"
        clause = _parse_clause(entry, data["sources"], method, method | system.keys(), where)
        if clause.id in clauses:
            raise UserError(f"{where}: id: {clause.id} is there twice")
        clauses[clause.id] = clause
    return Edition(
        name=data["edition"],
        summary=data["summary"],
        clauses={name: clause for name, clause in clauses.items() if clause.chapter != CLIENT},
        client_clauses={name: clause for name, clause in clauses.items() if clause.chapter == CLIENT},
        method_codes=method,
        system_codes=system,
        method_statuses=ACCEPTED_STATUSES[codes["method_status"]],
        denial_statuses=frozenset(codes["denial_status"]),
        example_accepted=data["example"]["accepted"],
        example_refused=data["example"].get("refused", {}),
    )


def _folder() -> Traversable:
    return files("conformance.contract") / "editions"


def _parse_clause(
    entry: dict[str, Any], sources: dict[str, Any], method: frozenset[str], known: frozenset[str], where: str
) -> Clause:
    required = {"id": str, "chapter": str, "level": str, "statement": str, "source": dict}
    check_keys(entry, required, {"codes": list, "implied": list}, where)
    where = f"{where} ({entry['id']})"
    if not re.fullmatch(r"[a-z0-9-]+\.[a-z0-9-]+", entry["id"]):
        raise UserError(f"{where}: id: write it as group.name in lower case")
    if entry["chapter"] not in (*CHAPTERS, CLIENT):
        raise UserError(f"{where}: chapter: {entry['chapter']!r} is none of {', '.join((*CHAPTERS, CLIENT))}")
    if entry["level"] not in get_args(Level):
        raise UserError(f"{where}: level: {entry['level']!r} is none of {', '.join(get_args(Level))}")
    check_keys(entry["source"], {"page": str, "section": str}, {}, f"{where}: source")
    page = entry["source"]["page"]
    if page not in sources:
        raise UserError(f"{where}: source.page: {page!r} is not under [sources]")
    check_keys(sources[page], {"page": str, "commit": str}, {}, f"{where}: sources.{page}")
    for code in entry.get("codes", []):
        if code not in known:
            raise UserError(f"{where}: codes: no edition page names {code!r}")
    return Clause(
        id=entry["id"],
        chapter=entry["chapter"],
        level=entry["level"],
        statement=entry["statement"],
        source=Source(sources[page]["page"], entry["source"]["section"], sources[page]["commit"]),
        codes=frozenset(entry.get("codes", method)),
        implied=frozenset(entry.get("implied", [])),
    )


def check_keys(table: dict[str, Any], required: Mapping[str, Kind], optional: Mapping[str, Kind], where: str) -> None:
    """Checks the keys of a TOML table and the types of their values. Raises Problem naming file and key."""
    for key, value in table.items():
        kind = required.get(key) or optional.get(key)
        if kind is None:
            raise UserError(f"{where}: unknown key {key!r}: the keys here are {', '.join([*required, *optional])}")
        if not isinstance(value, kind):
            names = " or ".join(one.__name__ for one in (kind if isinstance(kind, tuple) else (kind,)))
            raise UserError(f"{where}: {key}: this must be a {names}")
    for key in required:
        if key not in table:
            raise UserError(f"{where}: key {key!r} is missing")
