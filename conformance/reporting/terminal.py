"""What a person reads on a terminal: the block of one violation, table and verdict of a run."""

from typing import Final

import click

from conformance.contract.clauses import Clause, Edition
from conformance.engine.exhaustive import Coverage
from conformance.exchange.violation import Violation, shown_facts
from conformance.reporting.clause_list import ID_WIDTH, LEVEL_WIDTH
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
_STATUS_WIDTH: Final = 17


def violation_block(violations: tuple[Violation, ...], clause: Clause, edition: Edition) -> str:
    """The smallest violation as a stranger understands it: the demand, sent, permitted, answered, how to repeat it."""
    smallest = violations[0]
    lines = [
        f"{clause.id}   {clause.level}, edition {edition.name}",
        f"  the page: {clause.statement}",
        *(f"  {label:10}{text}" for label, text in shown_facts(smallest)),
        *(f"  {note}" for note in smallest.notes),
    ]
    more = f"; {len(violations) - 1} of other kinds are in the report" if len(violations) > 1 else ""
    return "\n".join([*lines, f"  the smallest call found{more}"])


def summary(run: RunVerdict, facts: RunFacts, colour: bool) -> str:
    """The table by chapter and the verdict."""
    lines = []
    for chapter in dict.fromkeys(entry.clause.chapter for entry in run.clauses):
        lines.append(chapter)
        for entry in run.clauses:
            if entry.clause.chapter == chapter:
                lines += _rows(entry, colour)
    judged = f"client: {facts.client}" if facts.client else facts.target.name
    counts = [f"{len(run.with_status(status))} {status.value}" for status in Status if run.with_status(status)]
    lines += [
        "",
        f"verdict: {run.verdict.value}   {judged}, edition {facts.edition}",
    ]
    lines += [*facts.edition_evidence, *facts.notes]
    if facts.client:
        return "\n".join([*lines, f"{', '.join(counts)}; {facts.requests} requests arrived; seed {facts.seed}"])
    sent = f"{facts.mode}: {facts.requests} requests, {facts.writes} votes"
    return "\n".join([*lines, f"{', '.join(counts)}; {sent}; seed {facts.seed}", _coverage(facts.coverage)])


def _coverage(coverage: Coverage) -> str:
    met, possible = (sum(getattr(pair, name) for pair in coverage.pairs) for name in ("met", "all"))
    return f"pairs of classes met: {met} of {possible}; combinations of four: {coverage.met} of {coverage.all}"


def _rows(entry: ClauseVerdict, colour: bool) -> list[str]:
    status = f"{entry.status.value:{_STATUS_WIDTH}}"
    if colour:
        status = click.style(status, fg=_COLOURS[entry.status])
    judged = f"{entry.exchanges:5} judged" if entry.exchanges else ""
    row = f"  {entry.clause.id:{ID_WIDTH}}{entry.clause.level:{LEVEL_WIDTH}}{status}{judged}"
    note = entry.note
    if entry.status is Status.FAILED:
        note = _in_short(entry.violations[0])
    return [row.rstrip(), *([f"      {note}"] if note else [])]


def _in_short(violation: Violation) -> str:
    fact = violation.fact
    if came_back := fact("came back"):
        what = f"arrived {fact('arrived')}; answered {fact('answered')}; came back {came_back}"
        return f"{fact('asked')}: {what}"
    return f"{fact('sent')} ({fact('way')}): {fact('answered').partition(':')[0]}"
