"""A report as Markdown, short enough for a comment on a pull request or a job summary."""

from collections.abc import Sequence
from typing import Any, Final

from conformance.exchange.violation import printable, shown_facts
from conformance.reporting.read import Report, failing, name_of

_MOST_FAILURES: Final = 10
_LONGEST: Final = 300


def markdown_of(reports: Sequence[Report]) -> str:
    """Return one section for each report: verdict, counts, and each failing clause with its smallest violation."""
    return "\n\n".join(_section(report) for report in reports) + "\n"


def code(text: str, longest: int = _LONGEST) -> str:
    """Return a text as inline code, in which nothing of it is markup."""
    shown = printable(text, longest).replace("|", "\\|")
    fence = "`"
    while fence in shown:
        fence += "`"
    inner = f" {shown} " if shown.startswith("`") or shown.endswith("`") else shown
    return f"{fence}{inner or ' '}{fence}"


def _section(report: Report) -> str:
    found = failing(report)
    counts: dict[str, int] = {}
    for clause in report["clauses"]:
        counts[clause["status"]] = counts.get(clause["status"], 0) + 1
    lines = [
        f"### {report['verdict']}: {code(name_of(report))}, edition {report['edition']}",
        "",
        f"{', '.join(f'{number} {status}' for status, number in counts.items())}; {report['mode']}, "
        f"{report['requests']} requests, seed {report['seed']}",
    ]
    lines += [f"- {code(note)}" for note in report.get("notes", ())]
    for clause in found[:_MOST_FAILURES]:
        lines += ["", *_failure(clause)]
    if len(found) > _MOST_FAILURES:
        lines += ["", f"and {len(found) - _MOST_FAILURES} more clauses: see the report"]
    return "\n".join(lines)


def _failure(clause: dict[str, Any]) -> list[str]:
    lines = [f"**{clause['id']}** ({clause['level']}): {code(clause['statement'])}"]
    if not clause["violations"]:
        return [*lines, f"- {clause['status']}: {code(clause['note'])}"]
    return [*lines, *(f"- {label}: {code(text)}" for label, text in shown_facts(clause["violations"][0]))]
