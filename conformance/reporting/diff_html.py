"""The comparison of two runs as a page: before and after side by side."""

from typing import Any

from conformance.reporting.diff import KINDS, Change, has_got_worse
from conformance.reporting.html import counts, sentence_of
from conformance.reporting.page import page_of
from conformance.reporting.read import FAILING, Report, name_of


def diff_html(before: Report, after: Report, changes: tuple[Change, ...], fail_on: str) -> str:
    """Return the page. fail_on: the lowest grade that counts as worse, see has_got_worse."""
    found = {kind: [change for change in changes if change.kind == kind] for kind in KINDS}
    return page_of(
        "diff",
        before=before,
        after=after,
        worse=has_got_worse(changes, fail_on),
        sentence=_sentence(found),
        kinds=[(KINDS[kind], of_kind) for kind, of_kind in found.items() if of_kind],
        statements={clause["id"]: clause["statement"] for side in (before, after) for clause in side["clauses"]},
        old=_smallest(before),
        new=_smallest(after),
        counts=counts,
        sentence_of=sentence_of,
        name_of=name_of,
    )


def _sentence(found: dict[str, list[Change]]) -> str:
    said = [f"{KINDS[kind]}: {len(changes)}" for kind, changes in found.items() if changes]
    return "; ".join(said).capitalize() + "." if said else "Nothing changed."


def _smallest(report: Report) -> dict[str, dict[str, Any]]:
    """Return by failing clause its smallest violation."""
    return {
        clause["id"]: clause["violations"][0]
        for clause in report["clauses"]
        if clause["status"] in FAILING and clause["violations"]
    }
