"""Reports as one HTML page that needs nothing else: no network, no script."""

from collections.abc import Sequence
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from conformance.exchange.violation import printable, shown_facts
from conformance.reporting.read import Report, failing, name_of

_LONGEST: Final = 500
_LONGEST_LINE: Final = 8_000
"""A line that repeats a call is of use as a whole only."""
_GLYPHS: Final = {
    "passed": "✓",
    "failed": "✗",
    "error": "!",
    "deviation-gone": "✗",
    "known-deviation": "≈",
    "not-exercised": "–",
    "not-offered": "–",
    "not-selected": "·",
    "observed": "○",
}


def html_of(reports: Sequence[Report]) -> str:
    """The page: failures first, then the clauses by chapter with a column for each report, then each clause in full."""
    environment = Environment(
        loader=PackageLoader("conformance.reporting", "."), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.filters["visible"] = lambda text: printable(str(text), _LONGEST)
    environment.filters["line"] = lambda text: printable(str(text), _LONGEST_LINE)
    environment.globals |= {"shown_facts": shown_facts, "failing": failing, "name_of": name_of, "glyphs": _GLYPHS}
    # Reports of client libraries and of the first version count no combinations.
    pairs = max((report["coverage"]["pairs"] for report in reports), key=len)
    page = environment.get_template("report.html.jinja")
    return page.render(reports=reports, chapters=_chapters(reports), pairs=pairs)


def _chapters(reports: Sequence[Report]) -> list[tuple[str, list[dict[str, Any]]]]:
    """By chapter its clauses in reading order, each with what every report says of it, or nothing."""
    rows: dict[str, dict[str, dict[str, Any]]] = {}
    for column, report in enumerate(reports):
        for clause in report["clauses"]:
            row = rows.setdefault(clause["chapter"], {}).setdefault(
                clause["id"], {"clause": clause, "cells": [None] * len(reports)}
            )
            row["cells"][column] = clause
    return [(chapter, list(clauses.values())) for chapter, clauses in rows.items()]
