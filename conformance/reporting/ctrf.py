"""A report in the Common Test Report Format (CTRF): each clause is a test, each chapter a suite."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from conformance.exchange.violation import printable, shown_facts
from conformance.reporting.read import FAILING, Report, name_of

_LONGEST: Final = 1_000
_STATUSES: Final[Mapping[str, str]] = {
    **dict.fromkeys(FAILING, "failed"),
    "passed": "passed",
    "observed": "passed",
    "known-deviation": "other",
    "not-exercised": "skipped",
    "not-offered": "skipped",
    "not-selected": "skipped",
}


def ctrf_of(report: Report) -> dict[str, Any]:
    """Return the report as a CTRF document. A start that is no time counts as 1970."""
    tests = [_test(clause, report["judged_file"]) for clause in report["clauses"]]
    counts = dict.fromkeys(("passed", "failed", "skipped", "pending", "other"), 0)
    for test in tests:
        counts[test["status"]] += 1
    start = _start(report)
    stop = start + timedelta(seconds=report["duration_seconds"])
    version = report["suite_version"]
    extra = {name: report[name] for name in ("verdict", "edition", "level", "mode", "seed", "requests", "writes")}
    return {
        "reportFormat": "CTRF",
        "specVersion": "0.0.0",
        "generatedBy": f"vote-conformance {version}",
        "results": {
            "tool": {"name": "vote-conformance", "version": version},
            "summary": {
                "tests": len(tests),
                **counts,
                "suites": len({clause["chapter"] for clause in report["clauses"]}),
                "start": int(start.timestamp() * 1000),
                "stop": int(stop.timestamp() * 1000),
            },
            "environment": {"testEnvironment": printable(name_of(report), _LONGEST), "extra": extra},
            "tests": tests,
        },
    }


def _start(report: Report) -> datetime:
    try:
        return datetime.fromisoformat(report["started"])
    except ValueError:
        return datetime.fromtimestamp(0, UTC)


def _test(clause: Mapping[str, Any], file: str) -> dict[str, Any]:
    facts = [f"{label}: {text}" for violation in clause["violations"][:1] for label, text in shown_facts(violation)]
    message = "; ".join(facts) or clause["note"]
    return {
        "name": clause["id"],
        "status": _STATUSES[clause["status"]],
        "rawStatus": clause["status"],
        # All requests of a run are sent before a clause is judged.
        "duration": 0,
        "suite": [clause["chapter"]],
        "tags": [clause["level"]],
        **({"message": printable(message, _LONGEST)} if message else {}),
        **({"filePath": file} if file else {}),
        "extra": {"statement": clause["statement"], "source": clause["source"], "judged": clause["exchanges"]},
    }
