"""Known deviations of a target: which violations its owner expects, why, and for which values."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

from conformance.contract.classes import BAD_SESSIONS, COMMENTS, RATINGS, STATES
from conformance.contract.clauses import edition_names, load_edition
from conformance.errors import UserError
from conformance.portals.scripts import scripts_of

_CLASSES: Final[Mapping[str, frozenset[str]]] = {
    "session": frozenset({*BAD_SESSIONS, *STATES, "digits"}),
    "rating": frozenset(RATINGS),
    "comment": frozenset(COMMENTS),
    "answer": frozenset(script for name in edition_names() for script in scripts_of(name)),
}


@dataclass(frozen=True, slots=True)
class Deviation:
    """One expected violation. where: the classes it is narrowed to, by parameter; empty: all calls of the clause."""

    clause: str
    reason: str
    source: str
    where: Mapping[str, frozenset[str]]
    expired: bool

    def covers(self, clause: str, classes: Mapping[str, str]) -> bool:
        """Whether a call with values of these classes is inside the entry; an expired one covers nothing."""
        narrowed = all(classes.get(parameter) in names for parameter, names in self.where.items())
        return not self.expired and self.clause == clause and narrowed


def load_deviations(path: Path, today: date) -> tuple[Deviation, ...]:
    """The entries of a deviation file. Raises Problem naming file and key."""
    try:
        data = tomllib.loads(path.read_text("utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise UserError(f"{path}: not valid TOML: {error}") from None
    except UnicodeDecodeError:
        raise UserError(f"{path}: not valid TOML: it is not UTF-8 text") from None
    except OSError as error:
        raise UserError(f"{path}: cannot read the deviation file ({error.strerror}): check the path") from None
    entries = data.pop("deviation", [])
    if data or not isinstance(entries, list):
        raise UserError(f"{path}: a deviation file holds [[deviation]] tables only, each with clause, reason, source")
    return tuple(_parse(entry, f"{path}: deviation {number}", today) for number, entry in enumerate(entries, 1))


def _parse(entry: Any, where: str, today: date) -> Deviation:
    kinds = {"clause": str, "reason": str, "source": str, "expires": date, "where": dict}
    if not isinstance(entry, dict):
        raise UserError(f"{where}: write it as a [[deviation]] table")
    for key, kind in kinds.items():
        if key in ("clause", "reason", "source") and not entry.get(key):
            raise UserError(f"{where}: key {key!r} is missing or empty")
        # A date with a time is a kind of date to Python, but cannot be compared with one.
        if key in entry and (not isinstance(entry[key], kind) or isinstance(entry[key], datetime)):
            raise UserError(f"{where}: {key}: this must be a {kind.__name__}")
    if unknown := entry.keys() - kinds:
        raise UserError(f"{where}: unknown key {sorted(unknown)[0]!r}: the keys here are {', '.join(kinds)}")
    if not any(entry["clause"] in load_edition(name).all_clauses for name in edition_names()):
        raise UserError(f"{where}: clause: unknown clause {entry['clause']!r}: `vote-conformance explain` lists them")
    narrowed = entry.get("where", {})
    for parameter, names in narrowed.items():
        if parameter not in _CLASSES or not isinstance(names, list) or not names:
            raise UserError(f"{where}: where.{parameter}: give session, rating, comment or answer a list of classes")
        for name in names:
            if not isinstance(name, str) or name not in _CLASSES[parameter]:
                known = ", ".join(sorted(_CLASSES[parameter]))
                raise UserError(f"{where}: where.{parameter}: unknown class {name!r}: the classes are {known}")
    return Deviation(
        clause=entry["clause"],
        reason=entry["reason"],
        source=entry["source"],
        where={parameter: frozenset(names) for parameter, names in narrowed.items()},
        expired="expires" in entry and entry["expires"] < today,
    )
