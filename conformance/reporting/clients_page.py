"""The matrix of client libraries: a row for each library and version, a column for each clause, in each edition."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from conformance.engine.deviations import is_hang
from conformance.exchange.violation import shown_facts
from conformance.reporting.diff import Change, compare
from conformance.reporting.markdown import code
from conformance.reporting.page import GLYPHS, page_of
from conformance.reporting.read import Report, name_of


@dataclass(frozen=True, kw_only=True)
class Row:
    """A library in one version.

    sends: how the call travels.
    reports: the report of its gate, without a deviation file, by edition.
    whys: why there is no report, by edition.
    known: the reason of the known deviation that a violation of a clause with these classes is, or "".
    is_pinned: True if its deviation file is about this version.
    """

    name: str
    version: str
    language: str
    released: str
    sends: str
    reports: Mapping[str, Report]
    whys: Mapping[str, str]
    known: Callable[[str, dict[str, str]], str]
    is_pinned: bool

    @cached_property
    def known_hangs(self) -> frozenset[str]:
        """Return the answers from which the library does not come back, where a known deviation says so."""
        return frozenset(
            violation["answered"]
            for report in self.reports.values()
            for clause in report["clauses"]
            for violation in clause["violations"]
            if is_hang(violation["classes"]) and self.known(clause["id"], violation["classes"])
        )

    @property
    def title(self) -> str:
        """Return the library and its version, as the adapter names them where the table does not."""
        if self.version:
            return f"{self.name} {self.version}"
        return next((f"{self.name}: {name_of(report)}" for report in self.reports.values()), self.name)


@dataclass(frozen=True)
class Finding:
    """A clause that a library fails, in the editions in which it fails with the same call."""

    row: Row
    clause: dict[str, Any]
    editions: tuple[str, ...]
    violation: dict[str, Any] | None

    @cached_property
    def status(self) -> str:
        """Return known-deviation where every kept violation is one, failed where one is not."""
        return status_of(self.row, self.clause)

    @property
    def reasons(self) -> list[str]:
        """Return the reasons of the known deviations, each once."""
        found = (self.row.known(self.clause["id"], entry["classes"]) for entry in self.clause["violations"])
        return [reason for reason in dict.fromkeys(found) if reason]

    @property
    def anchors(self) -> list[str]:
        """Return the names under which cells lead here."""
        return [anchor(self.row, edition, self.clause["id"]) for edition in self.editions]


def status_of(row: Row, clause: dict[str, Any]) -> str:
    """Return the status of a clause, with known deviations told apart."""
    entries = clause["violations"]
    if clause["status"] == "failed" and entries and all(row.known(clause["id"], entry["classes"]) for entry in entries):
        return "known-deviation"
    hung_at = clause.get("hung_at", ())
    if clause["status"] == "incomplete" and hung_at and row.known_hangs.issuperset(hung_at):
        return "known-deviation"
    return str(clause["status"])


def anchor(row: Row, edition: str, clause: str) -> str:
    """Return the name of the place on the page where a cell leads."""
    return re.sub(r"[^A-Za-z0-9.]+", "-", f"{row.name} {row.version} {edition} {clause}").lower()


def findings_of(row: Row) -> list[Finding]:
    """Return what a library fails, each call once for all editions that show it."""
    found: dict[str, Finding] = {}
    for edition, report in row.reports.items():
        for clause in report["clauses"]:
            if clause["status"] not in ("failed", "error"):
                continue
            entry = clause["violations"][0] if clause["violations"] else None
            facts = shown_facts(entry) if entry else [("note", clause["note"])]
            key = f"{clause['id']} {[fact for fact in facts if fact[0] != 'repeat']}"
            before = found.get(key)
            editions = (*before.editions, edition) if before else (edition,)
            found[key] = Finding(row, clause, editions, entry)
    return list(found.values())


def columns_of(rows: Sequence[Row], edition: str) -> list[dict[str, Any]]:
    """Return the clauses of an edition, as the reports hold them."""
    reports = [row.reports[edition] for row in rows if edition in row.reports]
    return list({clause["id"]: clause for report in reports for clause in report["clauses"]}.values())


def cell_of(row: Row, edition: str, clause: str) -> dict[str, Any] | None:
    """Return what a library's report says of a clause, or None."""
    clauses = row.reports[edition]["clauses"] if edition in row.reports else ()
    return next((entry for entry in clauses if entry["id"] == clause), None)


def changes_of(rows: Sequence[Row]) -> list[tuple[Row, Row, str, tuple[Change, ...]]]:
    """Return what each other version of a library changed against the pinned one, by edition."""
    pinned = {row.name: row for row in rows if row.is_pinned}
    return [
        (pinned[row.name], row, edition, compare(pinned[row.name].reports[edition], report, False))
        for row in rows
        if not row.is_pinned and row.name in pinned
        for edition, report in row.reports.items()
        if edition in pinned[row.name].reports
    ]


def clients_html(rows: Sequence[Row], editions: Sequence[str]) -> str:
    """Return the matrix as one page."""
    return page_of(
        "clients",
        rows=rows,
        editions=editions,
        columns_of=columns_of,
        cell_of=cell_of,
        status_of=status_of,
        anchor=anchor,
        findings=[(row, findings_of(row)) for row in rows],
        changes=changes_of(rows),
    )


def clients_markdown(rows: Sequence[Row], editions: Sequence[str]) -> str:
    """Return the matrix as Markdown; the page beside it has the line that repeats each finding."""
    lines = ["# Client libraries of imopenlines.session.head.vote", ""]
    lines += [
        "✓ holds · ✗ violated · ≈ violated, and known of this version · ○ observed · – not judged · ! not to the end",
        "",
    ]
    for edition in editions:
        columns = [column["id"] for column in columns_of(rows, edition)]
        lines += [f"## Edition {edition}", ""]
        lines += [
            "| library | language | released | sends | "
            + " | ".join(name.removeprefix("client.") for name in columns)
            + " |"
        ]
        lines += ["|---" * (4 + len(columns)) + "|"]
        for row in rows:
            cells = [cell_of(row, edition, name) for name in columns]
            glyphs = [GLYPHS[status_of(row, cell)] if cell else "–" for cell in cells]
            lines.append("| " + " | ".join([row.title, row.language, row.released, row.sends, *glyphs]) + " |")
        lines += ["", *(f"{row.title}: {row.whys[edition]}" for row in rows if edition in row.whys), ""]
    lines += ["## What was found", ""]
    for row in rows:
        for finding in findings_of(row):
            told = shown_facts(finding.violation) if finding.violation else [("note", finding.clause["note"])]
            facts = [f"{label} {code(text, 400)}" for label, text in told if label not in ("permitted", "repeat")]
            said = f" Known: {'; '.join(finding.reasons)}." if finding.reasons else ""
            lines.append(
                f"* **{row.title}**, {finding.clause['id']} ({', '.join(finding.editions)}): {', '.join(facts)}.{said}"
            )
    for before, after, edition, changes in changes_of(rows):
        lines += ["", f"## {before.title} → {after.title}, edition {edition}", ""]
        lines += [f"* {change.where}: {change.before} → {change.after}" for change in changes] or ["nothing changed"]
    return "\n".join(lines) + "\n"
