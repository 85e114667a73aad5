"""Read reports: those of earlier versions are brought into the form of this one. Nothing is executed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from msgspec import UNSET, Meta, UnsetType

from conformance.contract.clauses import Level
from conformance.engine.outcome_map import CELLS
from conformance.errors import UserError
from conformance.loading import fit, parse, quoted, read_text
from conformance.reporting.report import SCHEMA_VERSION

Report = dict[str, Any]
"""A report as a JSON document in the form of ReportFile."""
_LARGEST_FILE: Final = 64 * 2**20
_Count = Annotated[int, Meta(ge=0)]
_OF_A_PORTAL: Final = ("sent", "way")
_OF_A_CLIENT: Final = ("asked", "arrived", "came_back")
_LETTERS: Final = ", ".join(f"'{letter}': {words}" for letter, words in CELLS.items())
_SIDES: Final = [{"required": list(facts)} for facts in (_OF_A_PORTAL, _OF_A_CLIENT)]


@dataclass(frozen=True, slots=True)
class _TargetEntry:
    name: str
    kind: Literal["embedded", "url", "recorded"]
    live: bool
    url: Annotated[str, Meta(description="Without the secret.")]


@dataclass(frozen=True, slots=True)
class _PairsEntry:
    parameters: tuple[str, str]
    met: _Count
    all: _Count


@dataclass(frozen=True, slots=True)
class _MapEntry:
    """How the combinations of classes were answered in one encoding."""

    encoding: str
    sessions: tuple[str, ...]
    ratings: tuple[str, ...]
    comments: tuple[str, ...]
    cells: Annotated[
        tuple[tuple[str, ...], ...],
        Meta(description=f"By session and comment, one letter a rating. {_LETTERS}."),
    ]


@dataclass(frozen=True, slots=True)
class _CoverageEntry:
    """Combinations of equivalence classes that were sent alone, and those that can be sent."""

    met: Annotated[int, Meta(ge=0, description="Of SESSION_ID, RATING, COMMENT and encoding.")]
    all: _Count
    pairs: tuple[_PairsEntry, ...]
    maps: tuple[_MapEntry, ...]


@dataclass(frozen=True, slots=True)
class _ViolationEntry:
    """A violation by a portal (sent, way, answered) or by a client (asked, arrived, answered, came_back)."""

    permitted: str
    answered: Annotated[str, Meta(description="By the portal; for a client, the name of the scripted answer.")]
    repeat: Annotated[str, Meta(description="A shell line that sends the call again.")]
    classes: Annotated[Mapping[str, str], Meta(description="By parameter, the class of its value.")]
    notes: tuple[str, ...]
    read_back: Annotated[str, Meta(description="The vote that is stored after the call.")] | UnsetType = UNSET
    sent: Annotated[str, Meta(description="The call to the portal.")] | UnsetType = UNSET
    way: Annotated[str, Meta(description="How the call was delivered.")] | UnsetType = UNSET
    before: Annotated[str, Meta(description="The last call that the library was asked for before.")] | UnsetType = UNSET
    beside: Annotated[str, Meta(description="The call that it was asked for at the same time.")] | UnsetType = UNSET
    asked: Annotated[str, Meta(description="The call that the library was asked for.")] | UnsetType = UNSET
    arrived: Annotated[str, Meta(description="The request at the portal.")] | UnsetType = UNSET
    came_back: Annotated[str, Meta(description="The result that the library handed back.")] | UnsetType = UNSET


@dataclass(frozen=True, slots=True)
class _DeviationEntry:
    reason: str
    source: str
    where: Mapping[str, tuple[str, ...]]
    line: Annotated[int, Meta(ge=1, description="Where the entry begins in the deviation file.")] = 1
    hangs: Annotated[bool, Meta(description="A client library does not come back from these calls.")] = False


@dataclass(frozen=True, slots=True)
class _SectionEntry:
    """A section of the public documentation that states the demand."""

    text: str
    link: Annotated[str, Meta(pattern="^https://")]


@dataclass(frozen=True, slots=True)
class _ClauseEntry:
    id: Annotated[str, Meta(pattern=r"^[a-z0-9-]+\.[a-z0-9-]+$")]
    chapter: str
    level: Level
    statement: str
    source: Annotated[str, Meta(description="The sections as one text.")]
    sections: tuple[_SectionEntry, ...]
    status: Literal[
        "passed",
        "failed",
        "known-deviation",
        "deviation-gone",
        "incomplete",
        "not-exercised",
        "not-offered",
        "not-selected",
        "observed",
        "error",
    ]
    exchanges: Annotated[int, Meta(ge=0, description="How many were judged.")]
    note: str
    violations: tuple[Annotated[_ViolationEntry, Meta(extra_json_schema={"oneOf": _SIDES})], ...]
    deviations: tuple[_DeviationEntry, ...]
    observed: Annotated[
        Mapping[str, str], Meta(description="By label what was seen; equal for two runs of the same portal.")
    ]
    lost: Annotated[int, Meta(ge=1, description="How many calls were not answered.")] | UnsetType = UNSET
    hung_at: (
        Annotated[
            tuple[str, ...],
            Meta(description="The answers from which a client did not come back, if all lost calls were lost so."),
        ]
        | UnsetType
    ) = UNSET
    reading: Annotated[str, Meta(description="The step of reading from the sections to the demand.")] | UnsetType = (
        UNSET
    )


@dataclass(frozen=True, slots=True)
class ReportFile:
    """The form of report.json."""

    schema_version: Literal[4]
    verdict: Literal["conformant", "conformant-with-deviations", "deviations-outdated", "incomplete", "not-conformant"]
    suite_version: str
    edition: str
    edition_evidence: Annotated[tuple[str, ...], Meta(description="The codes by which the edition was chosen.")]
    target: _TargetEntry
    client: Annotated[str, Meta(description="The library that was judged, with its version; empty for a portal.")]
    mode: Literal["explore", "exhaustive", "planned"]
    level: Annotated[Literal["documented", "implied"], Meta(description="The lowest level that was judged.")]
    seed: int
    started: Annotated[str, Meta(extra_json_schema={"format": "date-time"})]
    recorded: Annotated[str, Meta(description="When the answers of a replay were recorded; empty for other runs.")]
    duration_seconds: Annotated[float, Meta(ge=0)]
    requests: _Count
    writes: Annotated[int, Meta(ge=0, description="Votes that were accepted.")]
    coverage: _CoverageEntry
    judged_file: Annotated[
        str, Meta(description="The target file or the adapter, relative to where the run started; empty outside of it.")
    ]
    deviation_file: Annotated[str, Meta(description="As judged_file.")]
    clauses: tuple[_ClauseEntry, ...]
    notes: Annotated[tuple[str, ...], Meta(description="What was asked once more, and why.")] | UnsetType = UNSET


def read_report(path: Path) -> Report:
    """Return the report of a file. Raise UserError where it is cut, foreign, or of a newer version."""
    document = parse(read_text(path, _LARGEST_FILE), "JSON", path)
    version = document.get("schema_version") if isinstance(document, dict) else None
    if type(version) is not int or version < 1:
        raise UserError(f"{path}: no report of vote-conformance: give the report.json of a run")
    if version > SCHEMA_VERSION:
        raise UserError(f"{path}: written by a newer version (schema {quoted(version)}): update vote-conformance")
    upgraded = _upgraded(document)
    _check_violations(fit(upgraded, ReportFile, path), path)
    return upgraded


def _check_violations(report: ReportFile, path: Path) -> None:
    for place, clause in enumerate(report.clauses, 1):
        for number, entry in enumerate(clause.violations, 1):
            facts = (*_OF_A_PORTAL, *_OF_A_CLIENT)
            given = tuple(fact for fact in facts if not isinstance(getattr(entry, fact), UnsetType))
            if given not in (_OF_A_PORTAL, _OF_A_CLIENT):
                where = f"{path}: clauses {place}: violations {number}"
                raise UserError(f"{where}: give sent and way, or asked, arrived and came_back")


def _upgraded(document: Report) -> Report:
    """Return a report of an earlier version with the keys that it did not have yet."""
    then: Report = {
        "mode": "explore",
        "coverage": {"met": 0, "all": 0, "pairs": []},
        "client": "",
        "edition_evidence": [],
        "recorded": "",
        "judged_file": "",
        "deviation_file": "",
    }
    upgraded = {**then, **document, "schema_version": SCHEMA_VERSION}
    if isinstance(upgraded["coverage"], dict):
        upgraded["coverage"] = {"maps": [], **upgraded["coverage"]}
    if isinstance(clauses := upgraded.get("clauses"), list):
        upgraded["clauses"] = [{"sections": [], **one} if isinstance(one, dict) else one for one in clauses]
    return upgraded


def name_of(report: Report) -> str:
    """Return what was judged, in a few words."""
    name: str = report["client"] or report["target"]["name"]
    return name


def names_of(reports: Sequence[Report]) -> list[str]:
    """Return a name for each report; with its time where another report has the same name."""
    names = [name_of(report) for report in reports]
    return [
        name if names.count(name) == 1 else f"{name}, {shown_time(time_of(report))}"
        for name, report in zip(names, reports, strict=True)
    ]


def shown_time(text: str) -> str:
    """Return a time of a report as a person reads it, in UTC; another text as it is."""
    try:
        return f"{datetime.fromisoformat(text).astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    except (ValueError, OverflowError):
        return text


def time_of(report: Report) -> str:
    """Return when the portal gave the answers: of a replay, when they were recorded."""
    time: str = report["recorded"] or report["started"]
    return time


def failing(report: Report) -> list[dict[str, Any]]:
    """Return the clauses for which the run fails."""
    return [clause for clause in report["clauses"] if clause["status"] in FAILING]


FAILING: Final = ("failed", "error", "deviation-gone", "incomplete")
EXERCISED: Final = ("passed", "failed", "known-deviation", "deviation-gone", "observed")
