"""What a person reads on a terminal: the block of one violation, table and verdict of a run."""

import os
import re
import shutil
import textwrap
from collections.abc import Iterable
from typing import Final

import click

from conformance.contract.clauses import Clause, Edition
from conformance.engine.exhaustive import Coverage
from conformance.exchange.violation import Violation, shown_facts
from conformance.portals import BITRIX24
from conformance.reporting.clause_list import ID_WIDTH, LEVEL_WIDTH
from conformance.reporting.report import RunFacts
from conformance.reporting.verdict import ClauseVerdict, RunVerdict, Status, Verdict
from conformance.target.target import Target

_COLOURS: Final = {
    Status.PASSED: "green",
    Status.FAILED: "red",
    Status.DEVIATION_GONE: "red",
    Status.ERROR: "red",
    Status.KNOWN_DEVIATION: "yellow",
    Status.INCOMPLETE: "red",
    Status.NOT_EXERCISED: "yellow",
    Status.NOT_OFFERED: "white",
    Status.NOT_SELECTED: "white",
    Status.OBSERVED: "cyan",
}
_PLAIN: Final = (Status.PASSED, Status.OBSERVED, Status.NOT_SELECTED)
_STATUS_WIDTH: Final = 17
_INDENT: Final = " " * 6
_VARIABLE: Final = re.compile(r"\bB24_[A-Z_]+")
_VARIABLES: Final = {
    "B24_WEBHOOK_URL": "the URL of the webhook",
    "B24_SECOND_URL": "the second webhook",
    "B24_UNSCOPED_URL": "the webhook without the scope",
    "B24_TOKEN_URL": "the address for calls by token",
    "B24_TOKEN": "the access token",
    "B24_PORTAL_URL": "the portal, up to its host",
}


def violation_block(violations: tuple[Violation, ...], clause: Clause, edition: Edition) -> str:
    """The smallest violation as a stranger understands it: the demand, sent, permitted, answered, how to repeat it."""
    smallest = violations[0]
    lines = [
        f"{clause.id}   {clause.level}, edition {edition.name}",
        f"  the clause: {clause.statement}",
        *(f"  source    {section.link}" for section in clause.sources),
        *([f"  read as   {clause.reading}"] if clause.level == "implied" else []),
        *(f"  {label:10}{text}" for label, text in shown_facts(smallest)),
        *(f"  {note}" for note in smallest.notes),
    ]
    more = f"; {len(violations) - 1} of other kinds are in the report" if len(violations) > 1 else ""
    return "\n".join([*lines, f"  the smallest call found{more}"])


def clause_table(run: RunVerdict, colour: bool, *, whole: bool) -> str:
    """Return the table by chapter of the clauses that are not plainly passed, or of all."""
    lines = []
    for chapter in dict.fromkeys(entry.clause.chapter for entry in run.clauses):
        entries = [entry for entry in run.clauses if entry.clause.chapter == chapter]
        shown = [entry for entry in entries if whole or entry.status not in _PLAIN]
        if shown:
            lines += [chapter, *(line for entry in shown for line in _rows(entry, colour))]
    return "\n".join(lines)


def what_was_sent(facts: RunFacts, *, whole: bool) -> str:
    """Return the facts of the run in short; with its coverage, where everything is shown."""
    sent = f"{facts.mode}: {facts.requests} requests, {facts.writes} votes"
    if facts.client:
        sent, whole = f"{facts.requests} requests arrived", False
    lines = [f"{sent}; seed {facts.seed}", *facts.edition_evidence, *facts.notes]
    return "\n".join([*lines, *([_coverage(facts.coverage)] if whole else [])])


def conclusion(run: RunVerdict, facts: RunFacts, colour: bool) -> str:
    """Return the last lines of a run: the verdict, counts, and what to do next."""
    judged = f"client: {facts.client}" if facts.client else facts.target.name
    word = (
        click.style(run.verdict.value, fg="red" if run.exit_status else "green", bold=True) if colour else run.verdict
    )
    counts = [f"{len(run.with_status(status))} {status.value}" for status in Status if run.with_status(status)]
    lost = [entry for entry in run.with_status(Status.PASSED) if entry.lost]
    passed_all_the_same = [f"not answered: {entry.lost} calls of {entry.clause.id}, which passed" for entry in lost]
    lines = [f"verdict: {word}   {judged}, edition {facts.edition}", ", ".join(counts), *passed_all_the_same]
    return "\n".join([*lines, f"next: {_next(run, facts)}"])


def what_to_export(violation: Violation, target: Target, earlier: Iterable[Violation]) -> str:
    """Return what a person has to set before the line that repeats a call works, or the empty text.

    earlier: the violations that were shown before, with what to set for them.
    """
    said = {name for one in earlier for name in _VARIABLE.findall(one.fact("repeat"))} | os.environ.keys()
    names = [name for name in dict.fromkeys(_VARIABLE.findall(violation.fact("repeat"))) if name not in said]
    if not names:
        return ""
    if target.kind == "embedded" and names == ["B24_WEBHOOK_URL"]:
        portal = " --as bitrix24" if target.name == BITRIX24 else ""
        return (
            f"before it: `vote-conformance serve{portal}` in another terminal, "
            "export B24_WEBHOOK_URL=<the url that it prints>"
        )
    return f"before it: export {' '.join(f'{name}=<{_VARIABLES[name]}>' for name in names)}"


def _next(run: RunVerdict, facts: RunFacts) -> str:
    match run.verdict:
        case Verdict.NOT_CONFORMANT:
            name = run.with_status(Status.FAILED)[0].clause.id
            kind = "library" if facts.client else "portal"
            return (
                f"`vote-conformance explain {name}` says where the page says so;\n"
                f"correct the {kind}, or let --write-deviations FILE list what is known"
            )
        case Verdict.DEVIATIONS_OUTDATED:
            return "remove the deviations above from their file: they hold no longer"
        case Verdict.INCOMPLETE:
            if facts.client:
                return "see above what was not judged; give it longer (--timeout, --max-time), or --allow-incomplete"
            return "add what is missing above to the target file, or give --allow-incomplete"
        case _:
            return "keep the report, and compare a later one with it: `vote-conformance diff`"


def _coverage(coverage: Coverage) -> str:
    met, possible = (sum(getattr(pair, name) for pair in coverage.pairs) for name in ("met", "all"))
    return f"pairs of classes met: {met} of {possible}; combinations of four: {coverage.met} of {coverage.all}"


def _rows(entry: ClauseVerdict, colour: bool) -> list[str]:
    status = f"{entry.status.value:{_STATUS_WIDTH}}"
    if colour:
        status = click.style(status, fg=_COLOURS[entry.status])
    judged = f"{entry.exchanges:5} {'seen' if entry.status is Status.OBSERVED else 'judged'}" if entry.exchanges else ""
    judged += f", {entry.lost} not answered" if entry.lost else ""
    row = f"  {entry.clause.id:{ID_WIDTH}}{entry.clause.level:{LEVEL_WIDTH}}{status}{judged}"
    note = _in_short(entry.violations[0]) if entry.status is Status.FAILED else entry.note
    width = shutil.get_terminal_size((80, 24)).columns
    wrapped = textwrap.wrap(note, width, initial_indent=_INDENT, subsequent_indent=_INDENT, break_long_words=False)
    return [row.rstrip(), *wrapped]


def _in_short(violation: Violation) -> str:
    fact = violation.fact
    if came_back := fact("came back"):
        what = f"arrived {fact('arrived')}; answered {fact('answered')}; came back {came_back}"
        return f"{fact('asked')}: {what}"
    return f"{fact('sent')} ({fact('way')}): {fact('answered').partition(':')[0]}"
