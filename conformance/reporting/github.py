"""What GitHub Actions and a badge read: annotations, and the endpoint JSON of shields."""

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
    """A workflow command for each failing clause."""
    return "\n".join(_annotation(clause) for clause in failing(report))


def badge_of(report: Report) -> dict[str, Any]:
    """The endpoint JSON of shields.io."""
    label = f"head.vote {report['edition']}"
    return {"schemaVersion": 1, "label": label, "message": report["verdict"], "color": _COLOURS[report["verdict"]]}


def _annotation(clause: dict[str, Any]) -> str:
    told = [f"{label}: {text}" for label, text in shown_facts(clause["violations"][0])] if clause["violations"] else []
    text = printable("; ".join([clause["statement"], *(told or [clause["note"]])]), _LONGEST)
    # The id holds nothing, and the text besides the percent sign nothing, that a workflow command would read.
    return f"::error title={clause['id']}::{text.replace('%', '%25')}"
