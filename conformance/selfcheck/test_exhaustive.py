"""Exhaustive mode: every combination is sent, a fault of one combination is seen, and nobody else is accused."""

import httpx
import pytest

from conformance.check import check_portal
from conformance.contract.clauses import edition_names, load_edition
from conformance.engine.exhaustive import combinations_of, coverage_of
from conformance.engine.preflight import preflight, preflight_requests
from conformance.engine.session import PortalSession
from conformance.engine.workload import Exhaustive
from conformance.exchange.call import Encoding
from conformance.portals.in_process import in_process_portal, portal_answering
from conformance.portals.php_forms import PortalRequest
from conformance.portals.reference import Context, PortalResponse, ReferencePortal, Reply, Result
from conformance.reporting.verdict import Status, Verdict
from conformance.selfcheck.conforming_variants import CONFORMING_VARIANTS
from conformance.selfcheck.mutation import Parameters
from conformance.target.target import embedded_target


@pytest.mark.parametrize("name", edition_names())
def test_every_combination_of_classes_is_met(name: str) -> None:
    edition = load_edition(name)
    session = PortalSession(edition, in_process_portal(embedded_target(), edition), judges_implied=True)
    preflight(session, preflight_requests(session.portal.target))
    for steps in combinations_of(session):
        session.execute(steps)
    coverage = coverage_of(session.combinations, session.sessions)
    assert coverage.met == coverage.all > 15_000
    assert all(pair.met == pair.all > 0 for pair in coverage.pairs)


def test_only_json_carries_what_a_text_would_leave_in_doubt() -> None:
    world = PortalSession(load_edition("2024-10"), in_process_portal(embedded_target(), load_edition("2024-10")), True)
    every = {("rateable", rating, "absent", encoding) for rating in ("list", "5") for encoding in Encoding}
    # Four encodings cannot carry a list without doubt.
    assert coverage_of(every, world.sessions).met == len(every) - 4


@pytest.mark.parametrize("name", edition_names())
def test_correct_portals_of_other_styles_are_not_accused(name: str) -> None:
    for variant in CONFORMING_VARIANTS[:4]:
        portal = ReferencePortal(load_edition(name))
        variant.apply(portal)
        verdict = check_portal(portal_answering(embedded_target(), portal.answer), portal.edition, Exhaustive()).verdict
        assert [violation for entry in verdict.clauses for violation in entry.violations] == []
        assert verdict.verdict is Verdict.CONFORMANT


def test_a_fault_where_three_values_meet_is_blamed_on_the_clause_that_it_breaks() -> None:
    portal = ReferencePortal(load_edition("2024-10"))
    honest = portal.vote

    def vote(parameters: Parameters, context: Context) -> Reply:
        above = isinstance(parameters.get("RATING"), int) and parameters["RATING"] > 5
        meet = parameters.get("SESSION_ID") == "494" and above and parameters.get("COMMENT") == "0"
        return Result(True) if meet else honest(parameters, context)

    portal.vote = vote
    verdict = check_portal(portal_answering(embedded_target(), portal.answer), portal.edition, Exhaustive()).verdict
    assert {entry.clause.id for entry in verdict.with_status(Status.FAILED)} == {"rating.rejects-outside"}


def test_a_combination_that_is_not_answered_is_an_error() -> None:
    portal = ReferencePortal(load_edition("2024-10"))

    def answer(request: PortalRequest) -> PortalResponse:
        if all(part in request.body for part in (b'"494"', b'"RATING": [', b'"COMMENT": "0"')):
            raise httpx.ReadError("lost")
        return portal.answer(request)

    verdict = check_portal(portal_answering(embedded_target(), answer), portal.edition, Exhaustive()).verdict
    assert verdict.verdict is Verdict.INCOMPLETE
    assert {entry.clause.id for entry in verdict.with_status(Status.ERROR)} == {
        "rating.whole-number",
        "error.never-5xx",
    }
