"""Exhaustive mode sees the fault of one combination and accuses no other clause.

That every combination is sent, and that no correct portal is accused: test_conforming_variants.py.
"""

import httpx
import pytest

from conformance.check import check_portal
from conformance.contract.clauses import load_edition
from conformance.engine.exhaustive import coverage_of
from conformance.engine.session import PortalSession
from conformance.engine.workload import Exhaustive
from conformance.exchange.call import DOCUMENTED_ENCODINGS
from conformance.portals.in_process import in_process_portal, portal_answering
from conformance.portals.php_forms import PortalRequest
from conformance.portals.reference import Context, PortalResponse, ReferencePortal, Reply, Result
from conformance.reporting.verdict import Status, Verdict
from conformance.selfcheck.mutation import Parameters
from conformance.target.target import embedded_target


@pytest.mark.quick
def test_only_json_carries_what_a_text_would_leave_in_doubt() -> None:
    edition = load_edition("2024-10")
    session = PortalSession(edition, in_process_portal(embedded_target(), edition), judges_implied=True)
    every = {("rateable", rating, "absent", encoding) for rating in ("list", "5") for encoding in DOCUMENTED_ENCODINGS}
    # Three encodings cannot carry a list without doubt.
    assert coverage_of(dict.fromkeys(every, "a"), session.portal.target).met == len(every) - 3


def test_a_fault_where_three_values_meet_is_blamed_and_a_lost_combination_is_counted() -> None:
    """One run shows both: they are of different clauses."""
    portal = ReferencePortal(load_edition("2024-10"))
    honest = portal.vote

    def vote(parameters: Parameters, context: Context) -> Reply:
        above = isinstance(parameters.get("RATING"), int) and parameters["RATING"] > 5
        meet = parameters.get("SESSION_ID") == "494" and above and parameters.get("COMMENT") == "0"
        return Result(True) if meet else honest(parameters, context)

    def answer(request: PortalRequest) -> PortalResponse:
        if all(part in request.body for part in (b'"494"', b'"RATING": [', b'"COMMENT": "0"')):
            raise httpx.ReadError("lost")
        return portal.answer(request)

    portal.vote = vote
    verdict = check_portal(portal_answering(embedded_target(), answer), portal.edition, Exhaustive()).verdict
    failed = {entry.clause.id for entry in verdict.with_status(Status.FAILED)}
    lost = {entry.clause.id for entry in verdict.clauses if entry.lost}
    assert failed == {"rating.rejects-outside"}
    assert lost == {"rating.whole-number", "error.never-5xx"}
    assert verdict.verdict is Verdict.NOT_CONFORMANT
