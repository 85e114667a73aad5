"""The report of a run as JSON, in the form of conformance/schemas/report.schema.json."""

# The types of a run are not imported here when Python runs: a report is read without the engine.
from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from conformance import __version__
from conformance.errors import UserError

if TYPE_CHECKING:
    from conformance.engine.deviations import Deviation
    from conformance.engine.exhaustive import Coverage
    from conformance.reporting.verdict import ClauseVerdict, RunVerdict
    from conformance.target.target import Target

SCHEMA_VERSION: Final = 4
PREVIOUS: Final = "previous.json"


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What a report says of a run besides the verdict.

    client: the library that was judged, with its version; the empty text where the target was judged.
    edition_evidence: what the edition was chosen by, where the portal was asked for it.
    mode: explore, exhaustive or planned.
    level: the lowest level that was judged.
    recorded: when the answers of a replay were recorded; None where requests were sent.
    judged_file: the target file, or the adapter of the library, relative to the folder in which the run started.
    deviation_file: the deviation file, in the same form. Both are empty for files outside of that folder.
    """

    edition: str
    target: Target
    client: str
    edition_evidence: tuple[str, ...]
    mode: str
    coverage: Coverage
    level: str
    seed: int
    started: datetime
    duration_seconds: float
    requests: int
    writes: int
    recorded: datetime | None
    judged_file: str = ""
    deviation_file: str = ""
    notes: tuple[str, ...] = ()


def report_of(run: RunVerdict, facts: RunFacts) -> dict[str, Any]:
    """Return the report as a JSON document."""
    return {
        "schema_version": SCHEMA_VERSION,
        "verdict": run.verdict.value,
        "suite_version": __version__,
        "edition": facts.edition,
        "edition_evidence": list(facts.edition_evidence),
        "target": {
            "name": facts.target.name,
            "kind": facts.target.kind,
            "live": facts.target.live,
            "url": next(iter(facts.target.callers.values())).shown,
        },
        "client": facts.client,
        "mode": facts.mode,
        "level": facts.level,
        "seed": facts.seed,
        "started": facts.started.isoformat(timespec="seconds"),
        "recorded": facts.recorded.isoformat(timespec="seconds") if facts.recorded else "",
        "duration_seconds": round(facts.duration_seconds, 3),
        "requests": facts.requests,
        "writes": facts.writes,
        "coverage": asdict(facts.coverage),
        "judged_file": facts.judged_file,
        "deviation_file": facts.deviation_file,
        "clauses": [_clause(entry) for entry in run.clauses],
        **({"notes": list(facts.notes)} if facts.notes else {}),
    }


def write_report(document: dict[str, Any], folder: Path) -> Path:
    """Write report.json, whole or not at all. Raise UserError.

    The report of the run before is kept beside it, as previous.json.
    """
    text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    try:
        if (folder / "report.json").is_file():
            (folder / "report.json").replace(folder / PREVIOUS)
        return write_whole(folder / "report.json", text)
    except OSError as error:
        raise UserError(f"--report-dir {folder}: cannot write the report ({error.strerror})") from None


def write_whole(path: Path, text: str) -> Path:
    """Write a file, whole or not at all. Raise OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    # A portal may answer half a character.
    unfinished.write_text(text, "utf-8", errors="backslashreplace")
    unfinished.replace(path)
    return path


def _clause(entry: ClauseVerdict) -> dict[str, Any]:
    clause = entry.clause
    return {
        "id": clause.id,
        "chapter": clause.chapter,
        "level": clause.level,
        "statement": clause.statement,
        "source": clause.source,
        **({"reading": clause.reading} if clause.reading else {}),
        "sections": [{"text": str(section), "link": section.link} for section in clause.sources],
        "status": entry.status.value,
        "exchanges": entry.exchanges,
        "note": entry.note,
        **({"lost": entry.lost} if entry.lost else {}),
        **({"hung_at": list(entry.hung_at)} if entry.hung_at else {}),
        "violations": [violation.document() for violation in entry.violations],
        "deviations": [_deviation(deviation) for deviation in entry.deviations],
        "observed": dict(sorted(entry.observed.items())),
    }


def _deviation(entry: Deviation) -> dict[str, Any]:
    where = {parameter: sorted(names) for parameter, names in entry.where.items()}
    return {"reason": entry.reason, "source": entry.source, "where": where, "line": entry.line} | (
        {"hangs": True} if entry.hangs else {}
    )
