"""The comparison of the documentation with an edition, as text, Markdown and JSON."""

from collections import Counter
from typing import Any, Final

from conformance.documentation.comparison import Comparison, SectionResult, SectionState
from conformance.exchange.violation import printable

_NO_CLAUSE: Final = "none; it is cited for a system code, or for what is not judged"

_LONGEST_SHOWN: Final = 200


def comparison_text(comparison: Comparison) -> str:
    """Return the differences by section and row for a terminal, with the clauses that rest on each."""
    lines = [f"edition {comparison.edition} and {comparison.state}: {_counts(comparison)}"]
    for result in _shown(comparison):
        lines += ["", f"{result.state}: {result.section.path}, {result.section.heading}"]
        lines += [f"  {printable(result.note, _LONGEST_SHOWN)}"] if result.note else []
        lines.append(f"  clauses: {', '.join(result.clauses) or _NO_CLAUSE}")
    if comparison.rows:
        lines += ["", "tables:", *(f"  {printable(row, _LONGEST_SHOWN)}" for row in comparison.rows)]
    if same := _unchanged(comparison):
        lines += ["", "unchanged:", *(f"  {place}" for place in same)]
    return "\n".join(lines)


def comparison_markdown(comparison: Comparison) -> str:
    """Return the differences as Markdown, for an issue."""
    lines = [f"### Edition {comparison.edition} and {comparison.state}", "", f"{_counts(comparison)}."]
    shown = _shown(comparison)
    if shown:
        lines += ["", "| section | state | clauses that rest on it |", "|---|---|---|"]
    for result in shown:
        section, note = result.section, f": {_code(result.note)}" if result.note else ""
        place = f"[{_cell(f'{section.path}, {section.heading}')}]({section.link})"
        clauses = ", ".join(f"`{clause}`" for clause in result.clauses) or _NO_CLAUSE
        lines.append(f"| {place} | {_cell(f'{result.state}{note}')} | {clauses} |")
    if comparison.rows:
        lines += ["", "Tables:", "", *(f"- {_code(row)}" for row in comparison.rows)]
    if same := _unchanged(comparison):
        lines += ["", "<details><summary>Unchanged</summary>", "", *(f"- {place}" for place in same), "", "</details>"]
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


def _unchanged(comparison: Comparison) -> list[str]:
    """Return the unchanged sections, a text for each page with its headings."""
    pages: dict[str, list[str]] = {}
    for result in comparison.sections:
        if result.state is SectionState.UNCHANGED:
            pages.setdefault(result.section.path, []).append(result.section.heading)
    return [f"{path}: {', '.join(headings)}" for path, headings in pages.items()]


def _counts(comparison: Comparison) -> str:
    counts = Counter(result.state for result in comparison.sections)
    sections = [f"{counts[state]} {state}" for state in SectionState if counts[state]]
    return f"sections: {', '.join(sections)}; rows of tables that differ: {len(comparison.rows)}"


def _code(text: str) -> str:
    """Return a text in which words of a page stand: as code, so that none of them becomes a link or a mention."""
    shown = printable(text, _LONGEST_SHOWN).replace("`", "'")
    return f"`{shown}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
