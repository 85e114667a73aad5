"""The clauses of all editions side by side in Markdown: level and sources, and the sources that are not there."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from conformance.contract.clauses import Edition, Section
from conformance.documentation.checkout import open_checkout
from conformance.documentation.comparison import hash_of


def missing_sections(editions: Sequence[Edition], checkout: Path) -> Mapping[Section, str]:
    """Return the sections that are not as the edition files say, with the reason.

    Each section is read at its own commit. Raise UserError if git does not know a commit.
    """
    missing = {}
    for section in dict.fromkeys(section for edition in editions for section in edition.sections.values()):
        found = hash_of(section, open_checkout(checkout, section.commit))
        if found != section.hash:
            missing[section] = "no such heading" if found is None else "other content"
    return missing


def clause_table(editions: Sequence[Edition], missing: Mapping[Section, str]) -> str:
    """Return a row for each clause and a column for each edition; below, what is missing and the links."""
    ids = dict.fromkeys(name for edition in editions for name in edition.all_clauses)
    rows = [[f"`{name}`", *(_cell(name, edition, missing) for edition in editions)] for name in ids]
    head = [["clause", *(edition.name for edition in editions)], ["---"] * (len(editions) + 1)]
    lines = [f"| {' | '.join(row)} |" for row in head + rows]
    checked = sum(len(edition.sections) for edition in editions)
    lines += ["", f"{checked - len(missing)} of {checked} sections stand at their commits as the edition files say."]
    lines += [f"- {section}: {reason}" for section, reason in missing.items()]
    links = [(edition, section) for edition in editions for section in edition.sections.values()]
    return "\n".join([*lines, "", *(f"[{_label(edition, section)}]: {section.link}" for edition, section in links)])


def _cell(name: str, edition: Edition, missing: Mapping[Section, str]) -> str:
    clause = edition.all_clauses.get(name)
    if clause is None:
        return "-"
    places = [
        f"[{section.heading}][{_label(edition, section)}]" + (f" ({missing[section]})" if section in missing else "")
        for section in clause.sources
    ]
    return f"{clause.level}: {', '.join(places) or 'the documentation is silent'}".replace("|", "\\|")


def _label(edition: Edition, section: Section) -> str:
    return f"{edition.name} {section.id}"
