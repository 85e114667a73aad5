"""The clauses as a person reads them on a terminal: a list of all, or what an edition says of one."""

import textwrap
from typing import Final

from conformance.contract.clauses import CHAPTERS, CLIENT, Clause, Edition

ID_WIDTH: Final = 29
LEVEL_WIDTH: Final = 12


def clause_list(edition: Edition, width: int) -> str:
    """Return all clauses of an edition by chapter, with their levels."""
    lines = [f"edition {edition.name}: {edition.summary}"]
    for chapter in (*CHAPTERS, CLIENT):
        lines.append(chapter)
        for clause in edition.all_clauses.values():
            if clause.chapter == chapter:
                start = f"  {clause.id:{ID_WIDTH}}{clause.level:{LEVEL_WIDTH}}"
                lines += textwrap.wrap(
                    clause.statement, width, initial_indent=start, subsequent_indent=" " * len(start)
                )
    return "\n".join(lines)


def clause_text(clause: Clause, edition: Edition) -> str:
    """Return what one edition says of a clause."""
    lines = [f"edition {edition.name}: {clause.level}", f"  {clause.statement}", f"  source: {clause.source}"]
    lines += [f"  {section.link}" for section in clause.sources]
    if clause.reading:
        lines.append(f"  read as: {clause.reading}")
    if clause.codes != edition.method_codes:
        lines.append(f"  codes: {', '.join(sorted(clause.codes))}")
    if clause.implied:
        lines.append(f"  only implied for: {', '.join(sorted(clause.implied))}")
    return "\n".join(lines)
