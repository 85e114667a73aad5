"""The comparison of the documentation with an edition, as text, Markdown and JSON."""

from collections import Counter
from typing import Any, Final

from conformance.documentation.comparison import Comparison, SectionResult, SectionState

_NO_CLAUSE: Final = "none; it is cited for a system code, or for what is not judged"


def comparison_text(comparison: Comparison) -> str:
    """Return the differences by section and row for a terminal, with the clauses that rest on each."""
    lines = [f"edition {comparison.edition} and {comparison.state}: {_counts(comparison)}"]
    for result in _shown(comparison):
        lines += ["", f"{result.state}: {result.section.path}, {result.section.heading}"]
        lines += [f"  {result.note}"] if result.note else []
        lines.append(f"  clauses: {', '.join(result.clauses) or _NO_CLAUSE}")
    if comparison.rows:
        lines += ["", "tables:", *(f"  {row}" for row in comparison.rows)]
    return "\n".join(lines)


def comparison_markdown(comparison: Comparison) -> str:
    """Return the differences as Markdown, for an issue."""
    lines = [f"### Edition {comparison.edition} and {comparison.state}", "", f"{_counts(comparison)}."]
    shown = _shown(comparison)
    if shown:
        lines += ["", "| section | state | clauses that rest on it |", "|---|---|---|"]
    for result in shown:
        section, note = result.section, f": {result.note}" if result.note else ""
        place = f"[{_cell(f'{section.path}, {section.heading}')}]({section.link})"
        clauses = ", ".join(f"`{clause}`" for clause in result.clauses) or _NO_CLAUSE
        lines.append(f"| {place} | {_cell(f'{result.state}{note}')} | {clauses} |")
    if comparison.rows:
        lines += ["", "Tables:", "", *(f"- {row}" for row in comparison.rows)]
    return "\n".join(lines)


def comparison_document(comparison: Comparison) -> dict[str, Any]:
    """Return all sections and rows as a JSON object."""
    return {
        "edition": comparison.edition,
        "state": comparison.state,
        "changed": comparison.has_changed,
        "sections": [
            {
                "id": result.section.id,
                "path": result.section.path,
                "heading": result.section.heading,
                "link": result.section.link,
                "state": str(result.state),
                "note": result.note,
                "differs": result.differs,
                "clauses": list(result.clauses),
            }
            for result in comparison.sections
        ],
        "rows": list(comparison.rows),
    }


def _shown(comparison: Comparison) -> list[SectionResult]:
    return [result for result in comparison.sections if result.state is not SectionState.UNCHANGED]


def _counts(comparison: Comparison) -> str:
    counts = Counter(result.state for result in comparison.sections)
    sections = [f"{counts[state]} {state}" for state in SectionState if counts[state]]
    return f"sections: {', '.join(sections)}; rows of tables that differ: {len(comparison.rows)}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
