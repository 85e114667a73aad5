"""What a person reads on a terminal: the block of one violation, table and verdict of a run, the list of clauses."""

import textwrap
from typing import Final

import click

from conformance.contract.edition import CHAPTERS, Clause, Edition
from conformance.judging.records import Violation
from conformance.judging.sweep import Coverage
from conformance.reporting.report import RunFacts
from conformance.reporting.verdict import ClauseVerdict, RunVerdict, Status

_COLOURS: Final = {
    Status.PASSED: "green",
    Status.FAILED: "red",
    Status.DEVIATION_GONE: "red",
    Status.ERROR: "red",
    Status.KNOWN_DEVIATION: "yellow",
    Status.NOT_EXERCISED: "yellow",
    Status.NOT_OFFERED: "white",
    Status.NOT_SELECTED: "white",
    Status.OBSERVED: "cyan",
}
_ID_WIDTH: Final = 29
_LEVEL_WIDTH: Final = 12
_STATUS_WIDTH: Final = 17


def violation_block(violations: tuple[Violation, ...], clause: Clause, edition: Edition) -> str:
    """The smallest violation as a stranger understands it: the demand, sent, permitted, answered, how to repeat it."""
    smallest = violations[0]
    lines = [
        f"{clause.id}   {clause.level}, edition {edition.name}",
        f"  the page: {clause.statement}",
        f"  sent      {smallest.sent}   {smallest.way}",
        f"  permitted {smallest.permitted}",
        f"  answered  {smallest.answered}",
        f"  repeat    {smallest.repeat}",
        *(f"  {note}" for note in smallest.notes),
    ]
    more = f"; {len(violations) - 1} of other kinds are in the report" if len(violations) > 1 else ""
    return "\n".join([*lines, f"  the smallest call found{more}"])


def summary(run: RunVerdict, facts: RunFacts, colour: bool) -> str:
    """The table by chapter and the verdict."""
    lines = []
    for chapter in CHAPTERS:
        lines.append(chapter)
        for entry in run.clauses:
            if entry.clause.chapter == chapter:
                lines += _rows(entry, colour)
    counts = [f"{len(run.with_status(status))} {status.value}" for status in Status if run.with_status(status)]
    lines += [
        "",
        f"verdict: {run.verdict.value}   {facts.target.name}, edition {facts.edition}",
        f"{', '.join(counts)}; {facts.mode}: {facts.requests} requests, {facts.writes} votes; seed {facts.seed}",
        _coverage(facts.coverage),
    ]
    return "\n".join(lines)


def _coverage(coverage: Coverage) -> str:
    met, possible = (sum(getattr(pair, name) for pair in coverage.pairs) for name in ("met", "all"))
    return f"pairs of classes met: {met} of {possible}; combinations of four: {coverage.met} of {coverage.all}"


def clause_list(edition: Edition, width: int) -> str:
    """All clauses of an edition by chapter, with their levels."""
    lines = [f"edition {edition.name}: {edition.summary}"]
    for chapter in CHAPTERS:
        lines.append(chapter)
        for clause in edition.clauses.values():
            if clause.chapter == chapter:
                start = f"  {clause.id:{_ID_WIDTH}}{clause.level:{_LEVEL_WIDTH}}"
                lines += textwrap.wrap(
                    clause.statement, width, initial_indent=start, subsequent_indent=" " * len(start)
                )
    return "\n".join(lines)


def clause_text(clause: Clause, edition: Edition) -> str:
    """What one edition says of a clause."""
    lines = [f"edition {edition.name}: {clause.level}", f"  {clause.statement}", f"  source: {clause.source}"]
    if clause.codes != edition.method_codes:
        lines.append(f"  codes: {', '.join(sorted(clause.codes))}")
    if clause.implied:
        lines.append(f"  only implied for: {', '.join(sorted(clause.implied))}")
    return "\n".join(lines)


def _rows(entry: ClauseVerdict, colour: bool) -> list[str]:
    status = f"{entry.status.value:{_STATUS_WIDTH}}"
    if colour:
        status = click.style(status, fg=_COLOURS[entry.status])
    judged = f"{entry.exchanges:5} judged" if entry.exchanges else ""
    row = f"  {entry.clause.id:{_ID_WIDTH}}{entry.clause.level:{_LEVEL_WIDTH}}{status}{judged}"
    note = entry.note
    if entry.status is Status.FAILED:
        first = entry.violations[0]
        note = f"{first.sent} ({first.way}): {first.answered.partition(':')[0]}"
    return [row.rstrip(), *([f"      {note}"] if note else [])]
