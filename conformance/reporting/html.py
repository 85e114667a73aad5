"""Reports as one HTML page: the verdict, what fails, every other clause, and how each combination was answered."""

import re
import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

from conformance.reporting.map import drawn, legend
from conformance.reporting.page import page_of
from conformance.reporting.read import FAILING, Report, failing, names_of

_WORTH_SEEING_FIRST: Final = (
    "failed",
    "error",
    "deviation-gone",
    "incomplete",
    "known-deviation",
    "not-exercised",
    "observed",
    "passed",
    "not-offered",
    "not-selected",
)
_MODE_OPTIONS: Final[Mapping[str, str]] = {"explore": "", "exhaustive": " --exhaustive", "planned": " --plan"}


def html_of(reports: Sequence[Report]) -> str:
    """Return the page. Each clause stands on it once, with what every report says of it."""
    rows = _rows(reports)
    failing_rows = [row for row in rows if row["status"] in FAILING]
    chapters: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        if row["status"] not in FAILING:
            chapters.setdefault(row["clause"]["chapter"], []).append(row)
    facts = (entry for report in reports for clause in failing(report) for entry in clause["violations"])
    return page_of(
        "report",
        reports=reports,
        names=names_of(reports),
        failing_rows=failing_rows,
        chapters=chapters.items(),
        has_curl=any("B24_WEBHOOK_URL" in entry["repeat"] for entry in facts),
        sentence_of=sentence_of,
        counts=counts,
        again=_again,
        drawn=drawn,
        legend=legend,
    )


def counts(report: Report) -> dict[str, int]:
    """Return how many clauses have each status, in the order in which they are worth seeing."""
    found = Counter(clause["status"] for clause in report["clauses"])
    return {status: found[status] for status in _WORTH_SEEING_FIRST if found[status]}


def _rows(reports: Sequence[Report]) -> list[dict[str, Any]]:
    """Return each clause in reading order, with what every report says of it, or None."""
    rows: dict[str, dict[str, Any]] = {}
    for column, report in enumerate(reports):
        for clause in report["clauses"]:
            row = rows.setdefault(clause["id"], {"clause": clause, "cells": [None] * len(reports)})
            row["cells"][column] = clause
    for row in rows.values():
        statuses = {cell["status"] for cell in row["cells"] if cell}
        row["statuses"] = [status for status in _WORTH_SEEING_FIRST if status in statuses]
        row["status"] = row["statuses"][0]
    return list(rows.values())


def sentence_of(report: Report) -> str:
    """Return what the verdict means for this run."""
    number = counts(report)
    failed = len(failing(report))
    judged = sum(clause["exchanges"] > 0 for clause in report["clauses"])
    if failed:
        what = ", ".join(clause["id"] for clause in failing(report)[:3])
        more = f" and {failed - 3} more" if failed > 3 else ""
        return f"{failed} of {judged} judged clauses {'fails' if failed == 1 else 'fail'}: {what}{more}."
    if report["verdict"] == "incomplete":
        missing = number.get("not-exercised", 0)
        return f"No clause fails, but {missing} {'was' if missing == 1 else 'were'} not exercised."
    if deviating := number.get("known-deviation", 0):
        return f"No clause fails beside the {deviating} with known deviations; {judged} were judged."
    return f"No clause fails; {judged} were judged."


def _again(report: Report) -> str:
    """Return the command that repeats the run. A path outside of the folder of the run is not in the report."""
    edition = f"--edition {report['edition']} --seed {report['seed']}"
    options = " --level documented" if report["level"] == "documented" else ""
    if report["deviation_file"]:
        options += f" --deviations {shlex.quote(report['deviation_file'])}"
    elif any(clause["deviations"] for clause in report["clauses"]):
        options += " --deviations YOUR_FILE"
    if report["client"]:
        return f"vote-conformance run --client YOUR_ADAPTER {edition}{options}"
    target = report["target"]
    name = re.sub(r"[^\w.-]", "-", target["name"])
    if target["kind"] == "recorded":
        return f"vote-conformance run --target cassettes/{name} --edition {report['edition']}{options}"
    file = shlex.quote(report["judged_file"] or f"{name}.toml")
    place = name if target["kind"] == "embedded" else file
    return f"vote-conformance run --target {place} {edition}{_MODE_OPTIONS[report['mode']]}{options}"
