"""What a person reads on a terminal: the block of one violation, and the table and verdict of a run."""

import io
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from conformance.contract.edition import CHAPTERS, Clause, Edition
from conformance.judging.records import Violation
from conformance.reporting.report import RunFacts
from conformance.reporting.verdict import ClauseVerdict, RunVerdict, Status

_STYLES: Final = {
    Status.PASSED: "green",
    Status.FAILED: "bold red",
    Status.DEVIATION_GONE: "bold red",
    Status.ERROR: "bold red",
    Status.KNOWN_DEVIATION: "yellow",
    Status.NOT_EXERCISED: "yellow",
    Status.NOT_OFFERED: "dim",
    Status.NOT_SELECTED: "dim",
    Status.OBSERVED: "cyan",
}
_NARROWEST: Final = 60


def violation_block(violation: Violation, clause: Clause, edition: Edition) -> str:
    """A violation as a stranger understands it: the demand, what was sent, permitted and answered, how to repeat it."""
    faults = sum(1 for note in violation.notes if note.startswith("before it:"))
    lines = [
        f"{clause.id}   {clause.level}, edition {edition.name}",
        f"  the page: {clause.statement}",
        f"  sent      {violation.sent}   {violation.way}",
        f"  permitted {violation.permitted}",
        f"  answered  {violation.answered}",
        f"  repeat    {violation.repeat}",
        *(f"  {note}" for note in violation.notes),
    ]
    if not faults:
        lines.append("  the smallest call found")
    return "\n".join(lines)


def summary(run: RunVerdict, facts: RunFacts, width: int, colour: bool) -> str:
    """The table by chapter and the verdict."""
    table = Table(box=None, padding=(0, 2, 0, 0), show_edge=False, header_style="bold")
    table.add_column("clause", no_wrap=True)
    table.add_column("level", no_wrap=True)
    table.add_column("status", no_wrap=True)
    table.add_column("judged", justify="right")
    table.add_column("")
    for chapter in CHAPTERS:
        entries = [entry for entry in run.clauses if entry.clause.chapter == chapter]
        table.add_row(Text(chapter, "bold"))
        for entry in entries:
            style = _STYLES[entry.status]
            shown = Text(entry.status.value, style)
            table.add_row(f"  {entry.clause.id}", entry.clause.level, shown, str(entry.exchanges), Text(_note(entry)))
    return _rendered(table, width, colour) + verdict_lines(run, facts)


def verdict_lines(run: RunVerdict, facts: RunFacts) -> str:
    """The verdict and what it counts."""
    counts = ", ".join(f"{len(run.with_status(status))} {status.value}" for status in Status if run.with_status(status))
    return (
        f"\nverdict: {run.verdict.value}   {facts.target.name}, edition {facts.edition}\n"
        f"{counts}; {facts.requests} requests, {facts.writes} votes; seed {facts.seed}\n"
    )


def clause_list(edition: Edition, width: int, colour: bool) -> str:
    """All clauses of an edition by chapter."""
    table = Table(box=None, padding=(0, 2, 0, 0), show_edge=False, header_style="bold")
    table.add_column("clause", no_wrap=True)
    table.add_column("level", no_wrap=True)
    table.add_column("statement")
    for chapter in CHAPTERS:
        table.add_row(Text(chapter, "bold"))
        for clause in edition.clauses.values():
            if clause.chapter == chapter:
                table.add_row(f"  {clause.id}", clause.level, Text(clause.statement))
    return f"edition {edition.name}: {edition.summary}\n" + _rendered(table, width, colour)


def clause_text(clause: Clause, edition: Edition) -> str:
    """What one edition says of a clause."""
    lines = [f"edition {edition.name}: {clause.level}", f"  {clause.statement}", f"  source: {clause.source}"]
    if clause.codes != edition.method_codes:
        lines.append(f"  codes: {', '.join(sorted(clause.codes))}")
    if clause.implied:
        lines.append(f"  only implied for: {', '.join(sorted(clause.implied))}")
    return "\n".join(lines)


def _note(entry: ClauseVerdict) -> str:
    if entry.status is Status.FAILED:
        first = entry.violations[0]
        return f"{first.sent} ({first.way}): {first.answered.partition(':')[0]}"
    return entry.note


def _rendered(table: Table, width: int, colour: bool) -> str:
    target = io.StringIO()
    Console(
        file=target, width=max(width, _NARROWEST), force_terminal=colour, no_color=not colour, highlight=False
    ).print(table)
    return target.getvalue()
