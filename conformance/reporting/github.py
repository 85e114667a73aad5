"""Annotations for GitHub Actions, and the endpoint JSON of a shields badge."""

from typing import Any, Final

from conformance.exchange.violation import printable, shown_facts
from conformance.reporting.read import Report, failing

_LONGEST: Final = 400
_COLOURS: Final = {
    "conformant": "brightgreen",
    "conformant-with-deviations": "green",
    "deviations-outdated": "orange",
    "incomplete": "yellow",
    "not-conformant": "red",
}


def annotations_of(report: Report) -> str:
    """Return a workflow command for each failing clause, at the target file or at the adapter."""
    place = f"file={_escaped(report['judged_file'])}," if report["judged_file"] else ""
    return "\n".join(_annotation(clause, place) for clause in failing(report))


def badge_of(report: Report) -> dict[str, Any]:
    """Return the endpoint JSON of shields.io."""
    label = f"head.vote {report['edition']}"
    return {"schemaVersion": 1, "label": label, "message": report["verdict"], "color": _COLOURS[report["verdict"]]}


def _annotation(clause: dict[str, Any], place: str) -> str:
    facts = [f"{label}: {text}" for violation in clause["violations"][:1] for label, text in shown_facts(violation)]
    text = printable("; ".join([clause["statement"], *(facts or [clause["note"]])]), _LONGEST)
    # The id holds nothing, and the text besides the percent sign nothing, that a workflow command would read.
    return f"::error {place}title={clause['id']}::{text.replace('%', '%25')}"


def _escaped(path: str) -> str:
    """Return a path in which nothing ends a property of a workflow command."""
    shown = printable(path, _LONGEST).replace("%", "%25")
    return shown.replace(",", "%2C").replace(":", "%3A")
