"""The history of one portal or library as a page: a row for each clause, a column for each run in the order of time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from conformance.errors import UserError
from conformance.reporting.page import GLYPHS, page_of
from conformance.reporting.read import Report, name_of, time_of

_NO_CLAUSE: Final = "not a clause"
_GLYPHS: Final = {
    "conformant": "✓",
    "conformant-with-deviations": "≈",
    "deviations-outdated": "✗",
    "incomplete": "–",
    "not-conformant": "✗",
}


@dataclass(frozen=True, slots=True)
class Cell:
    """What one run says of one clause.

    changed: True if the run before says another status.
    observed: True if the status is the same and something was observed otherwise.
    """

    status: str
    glyph: str
    changed: bool
    observed: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """A clause, or the verdict, in each run."""

    id: str
    cells: tuple[Cell, ...]

    @property
    def has_changed(self) -> bool:
        """Return True if the row is not the same in all runs."""
        return any(cell.changed or cell.observed for cell in self.cells)


def history_html(reports: Sequence[Report]) -> str:
    """Return the page. Raise UserError where the reports are not of one portal, nor of client libraries."""
    _must_be_of_one(reports)
    runs = sorted(reports, key=_moment)
    ids = dict.fromkeys(clause["id"] for report in runs for clause in report["clauses"])
    rows = [_row(clause, runs) for clause in ids]
    changed = [row for row in rows if row.has_changed]
    shown = {cell.status for row in rows for cell in row.cells}
    groups = (
        ("", [_verdicts(runs)]),
        ("Clauses that changed", changed),
        ("Clauses that did not change", [row for row in rows if not row.has_changed]),
    )
    return page_of(
        "history",
        name=name_of(runs[-1]),
        reports=runs,
        groups=groups,
        sentence=_sentence(runs, changed),
        statuses=[(status, glyph) for status, glyph in GLYPHS.items() if status in shown],
    )


def _must_be_of_one(reports: Sequence[Report]) -> None:
    names = sorted({"a client library" if report["client"] else report["target"]["name"] for report in reports})
    if len(names) > 1:
        raise UserError(
            f"--history: give runs of one portal, not of {' and '.join(names)}: without it they are side by side"
        )


def _moment(report: Report) -> datetime:
    try:
        moment = datetime.fromisoformat(time_of(report))
    except ValueError:
        raise UserError(f"--history: started {time_of(report)[:60]!r} is no time: leave this report out") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _verdicts(runs: Sequence[Report]) -> Row:
    found = [report["verdict"] for report in runs]
    before = [found[0], *found]
    return Row("verdict", tuple(Cell(now, _GLYPHS[now], now != then) for then, now in zip(before, found, strict=False)))


def _row(clause: str, runs: Sequence[Report]) -> Row:
    cells: list[Cell] = []
    before: dict[str, str] | None = None
    for report in runs:
        found = next((entry for entry in report["clauses"] if entry["id"] == clause), None)
        status = found["status"] if found else _NO_CLAUSE
        changed = bool(cells) and cells[-1].status != status
        observed = found["observed"] if found else None
        otherwise = not changed and before is not None and observed is not None and observed != before
        cells.append(Cell(status, GLYPHS.get(status, ""), changed, otherwise))
        before = observed
    return Row(clause, tuple(cells))


def _named(clauses: Sequence[str]) -> str:
    more = f" and {len(clauses) - 3} more" if len(clauses) > 3 else ""
    return ", ".join(clauses[:3]) + more


def _sentence(runs: Sequence[Report], changed: Sequence[Row]) -> str:
    last = [row.id for row in changed if row.cells[-1].changed or row.cells[-1].observed]
    many = f"{len(runs)} runs of {name_of(runs[-1])}; {len(changed)} clauses changed."
    return f"{many} In the last run: {_named(last)}." if last else f"{many} Nothing changed in the last run."
