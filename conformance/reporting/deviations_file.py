"""Writes the violations of a run as a deviation file, and takes entries out that hold again."""

import re
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Final

from conformance.engine.deviations import UNFILLED, Deviation, header_lines, is_hang
from conformance.engine.narrowing import Where, narrow
from conformance.errors import UserError
from conformance.exchange.violation import Violation, printable, shown_facts
from conformance.loading import read_text
from conformance.reporting.report import write_whole
from conformance.reporting.verdict import ClauseVerdict, RunVerdict, Status

_HEADING: Final = f"# Known deviations. Fill in each {UNFILLED}: until then the entry excuses nothing.\n"
_LONGEST_LINE: Final = 120
_LONGEST_FACT: Final = 200
_LARGEST_FILE: Final = 2**20
_NOT_SHOWN: Final = ("repeat",)
"""The line that repeats a call holds paths of this machine. The report has it."""


def change_deviations(
    verdict: RunVerdict, deviations: Sequence[Deviation], path: Path | None, write: Path | None, updates: bool
) -> list[str]:
    """Write what a run asked for and return what was done, a line for each thing. Raise UserError.

    deviations: the entries of the deviation file of the run.
    path: this file, None where the run had none.
    write: the file to which the violations are written, with the entries of the deviation file.
    updates: True if the entries that hold again are taken out.
    """
    outdated = [entry for clause in verdict.clauses for entry in clause.outdated] if updates else []
    new = [text for clause in verdict.with_status(Status.FAILED) for text in _entries(clause)] if write else []
    unfilled = [entry for entry in deviations if entry.is_unfilled] if new else []
    lines = []
    if write and not new:
        lines.append(f"--write-deviations {write}: no clause fails: nothing was added")
    if updates and not outdated:
        lines.append(f"--update-deviations: no entry of {path} holds again")
    if not new and not outdated:
        return lines
    target = write or path
    assert target is not None
    old = "" if path is None else read_text(path, _LARGEST_FILE)
    if len(header_lines(old)) != len(deviations):
        raise UserError(f"{path}: only entries under a [[deviation]] of their own can be taken out: change it by hand")
    kept = without_entries(old, {entry.line for entry in (*outdated, *unfilled)})
    text = "\n".join([kept.rstrip("\n") + "\n" if kept.strip() else _HEADING, *new])
    try:
        write_whole(target, text)
    except OSError as error:
        raise UserError(f"{target}: cannot write the deviations ({error.strerror})") from None
    if new:
        advice = f"put a reason and a source in place of each {UNFILLED}"
        lines.append(f"deviations: {_counted(len(new), 'new ')} in {target}: {advice}")
    if outdated:
        lines.append(f"deviations: {_counted(len(outdated))} taken out of {target}, because the clause holds again")
    return lines


def _counted(number: int, kind: str = "") -> str:
    return f"{number} {kind}{'entry' if number == 1 else 'entries'}"


def without_entries(text: str, lines: Collection[int]) -> str:
    """Return the text of a deviation file without the entries that begin at these lines, and their own comments."""
    starts, written = header_lines(text), text.splitlines(keepends=True)
    blocks = [_first_comment(written, start) for start in starts]
    ends = [*blocks, len(written)][1:]
    kept = written[: blocks[0]] if blocks else written
    for start, block, end in zip(starts, blocks, ends, strict=True):
        if start not in lines:
            kept += written[block:end]
    return "".join(kept)


def _first_comment(written: Sequence[str], start: int) -> int:
    """Return the index of the first line of an entry: the comment above it, but not one that begins the file."""
    index = start - 1
    while index and written[index - 1].startswith("#"):
        index -= 1
    return index if index else start - 1


def _entries(clause: ClauseVerdict) -> Iterator[str]:
    """Yield the entries for the violations of a clause: one for each kind of answer and each condition."""
    found: dict[tuple[tuple[str, frozenset[str]], ...], tuple[Violation, Where]] = {}
    kinds: dict[str, list[Violation]] = {}
    for violation in clause.violations:
        kinds.setdefault(_kind(violation), []).append(violation)
    for violations in kinds.values():
        by_classes = {tuple(violation.classes.items()): violation for violation in reversed(violations)}
        for where in narrow(by_classes, clause.held):
            inside = [
                violation
                for classes, violation in by_classes.items()
                if all(cls in where[name] for name, cls in classes if name in where)
            ]
            found.setdefault(tuple(sorted(where.items())), (inside[-1], where))
    for shown, where in found.values():
        yield _entry(clause.clause.id, shown, where)


def _kind(violation: Violation) -> str:
    """Return the first words of what came back: entries with one reason are about one kind of answer."""
    answered = violation.fact("came back") or violation.fact("answered")
    found = re.match(r"[a-z ]*", answered)
    return found[0] if found else ""


def _entry(clause: str, shown: Violation, where: Where) -> str:
    facts = [fact for fact in shown_facts(shown) if fact[0] not in _NOT_SHOWN]
    lines = [
        *(f"# {label:10}{printable(text, _LONGEST_FACT)}" for label, text in facts),
        "[[deviation]]",
        f'clause = "{clause}"',
        f'reason = "{UNFILLED}: what it does"',
        f'source = "{UNFILLED}: where this was seen, or who accepted it"',
        *(["hangs = true"] if is_hang(shown.classes) else []),
        *_where(where),
    ]
    return "\n".join(lines) + "\n"


def _where(where: Where) -> list[str]:
    listed = {name: [f'"{cls}"' for cls in sorted(classes)] for name, classes in where.items()}
    pairs = [f"{name} = [{', '.join(classes)}]" for name, classes in listed.items()]
    line = f"where = {{ {', '.join(pairs)} }}"
    if len(line) <= _LONGEST_LINE:
        return [line]
    tables = ([f"{name} = [", *(f"    {cls}," for cls in classes), "]"] for name, classes in listed.items())
    return ["[deviation.where]", *(line for table in tables for line in table)]
