"""The page of a run as a reader gets it: its size, its names, its line that repeats the run."""

from dataclasses import replace
from typing import Any

import pytest

from conformance.check import check_portal
from conformance.contract.clauses import default_edition, load_edition
from conformance.engine.workload import Exhaustive, Explore, Mode
from conformance.exchange.call import Json
from conformance.portals.in_process import portal_answering
from conformance.portals.reference import Context, ReferencePortal, Refusal, Reply, Result
from conformance.reporting.html import html_of
from conformance.selfcheck.test_reports import HOSTILE, golden_report
from conformance.target.target import embedded_target

LARGEST = 300_000


def _reversed(edition: str) -> ReferencePortal:
    """Return a portal that accepts what it must refuse, and refuses the rest at length."""
    portal = ReferencePortal(load_edition(edition))
    honest = portal.vote

    def vote(parameters: dict[str, Json], context: Context) -> Reply:
        reply = honest(parameters, context)
        return Result(True) if isinstance(reply, Refusal) else Refusal("E" * 3_000, 500, HOSTILE * 20)

    portal.vote = vote
    return portal


def _page(portal: ReferencePortal, mode: Mode) -> str:
    target = replace(embedded_target(), name="portal")
    return html_of([check_portal(portal_answering(target, portal.answer), portal.edition, mode).document()])


def test_the_page_of_a_portal_that_fails_everything_is_small() -> None:
    page = _page(_reversed(default_edition()), Exhaustive())
    assert page.count('class="clause failed"') > 20
    assert len(page.encode("utf-8", "backslashreplace")) < LARGEST


def test_the_page_of_a_conformant_portal_is_small() -> None:
    page = _page(ReferencePortal(load_edition(default_edition())), Explore(20))
    assert "No clause fails" in page
    assert len(page.encode("utf-8", "backslashreplace")) < LARGEST


@pytest.mark.quick
def test_two_runs_of_one_portal_have_names_of_their_own_on_a_page() -> None:
    report = golden_report(4)
    page = html_of([report, {**report, "started": "2027-01-02T03:04:00+00:00"}])
    assert page.count('aria-label="portal, ') == 2
    assert "portal, 2027-01-02 03:04 UTC" in page


@pytest.mark.quick
@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"deviation_file": "deviations/my portal.toml"}, "--deviations &#39;deviations/my portal.toml&#39;"),
        ({"deviation_file": ""}, "--deviations YOUR_FILE"),
    ],
)
def test_the_line_that_repeats_a_run_names_its_deviations(facts: dict[str, Any], said: str) -> None:
    assert said in html_of([{**golden_report(4), **facts}])


@pytest.mark.quick
def test_an_implied_clause_shows_by_which_reading_it_is_demanded() -> None:
    report = golden_report(4)
    clauses = [{**clause, "reading": "a <b> is no c"} for clause in report["clauses"][:1]]
    assert "Read as: a &lt;b&gt; is no c" in html_of([{**report, "clauses": clauses}])
