"""Does the suite accuse who lies, by the right clause, and nobody else."""

import httpx
import pytest

from conformance.check import check_portal
from conformance.contract.clauses import edition_names, load_edition
from conformance.engine.workload import Explore
from conformance.portals.in_process import portal_answering
from conformance.portals.php_forms import PortalRequest
from conformance.portals.reference import PortalResponse, ReferencePortal
from conformance.reporting.verdict import Status, Verdict
from conformance.selfcheck.conforming_variants import CONFORMING_VARIANTS
from conformance.selfcheck.mutants import MUTANTS, must_catch
from conformance.selfcheck.mutation import Variant
from conformance.target.target import embedded_target

FEW_DRAWS = Explore(3)
MORE_DRAWS = Explore(10)
TRIED = [(fault, edition) for fault in MUTANTS for edition in fault.editions]


@pytest.mark.parametrize(("fault", "edition"), TRIED, ids=[f"{fault.name}-{edition}" for fault, edition in TRIED])
def test_a_lying_portal_is_caught_by_every_clause_that_it_names(fault: Variant, edition: str) -> None:
    portal = ReferencePortal(load_edition(edition))
    fault.apply(portal)
    named = must_catch(fault, edition)
    judged = portal_answering(embedded_target(), portal.answer)
    verdict = check_portal(judged, portal.edition, FEW_DRAWS, only=named).verdict
    assert verdict.verdict is Verdict.NOT_CONFORMANT
    assert named <= {entry.clause.id for entry in verdict.with_status(Status.FAILED)}


def test_a_connection_that_is_lost_after_a_refusal_hides_nothing() -> None:
    """The calls that look for the reason of a refusal are not answered: the refusal still counts."""
    portal = ReferencePortal(load_edition("2024-10"))
    next(fault for fault in MUTANTS if fault.name == "refuses_rating_3").apply(portal)
    to_lose = 0

    def answer(request: PortalRequest) -> PortalResponse:
        nonlocal to_lose
        if to_lose:
            to_lose -= 1
            raise httpx.ReadError("lost")
        outgoing = portal.answer(request)
        to_lose = 4 if b"WRONG_PARAMETER" in outgoing.body and b'"RATING": 3' in request.body else 0
        return outgoing

    judged = portal_answering(embedded_target(), answer)
    verdict = check_portal(judged, portal.edition, FEW_DRAWS, only=["optional.rating-alone"]).verdict
    assert "optional.rating-alone" in {entry.clause.id for entry in verdict.with_status(Status.FAILED)}


@pytest.mark.parametrize("name", edition_names())
def test_every_judged_clause_catches_a_lying_portal(name: str) -> None:
    judged = {clause.id for clause in load_edition(name).clauses.values() if clause.level != "observed"}
    proven = {clause for fault in MUTANTS if name in fault.editions for clause in must_catch(fault, name)}
    assert judged <= proven


@pytest.mark.parametrize("name", edition_names())
def test_the_reference_portal_is_conformant_and_every_clause_exercised(name: str) -> None:
    edition = load_edition(name)
    judged = portal_answering(embedded_target(), ReferencePortal(edition).answer)
    verdict = check_portal(judged, edition, FEW_DRAWS).verdict
    assert verdict.verdict is Verdict.CONFORMANT
    assert {entry.status for entry in verdict.clauses} == {Status.PASSED, Status.OBSERVED}


@pytest.mark.parametrize("name", edition_names())
@pytest.mark.parametrize("variant", CONFORMING_VARIANTS, ids=[variant.name for variant in CONFORMING_VARIANTS])
def test_a_correct_portal_of_another_style_is_not_accused(variant: Variant, name: str) -> None:
    portal = ReferencePortal(load_edition(name))
    variant.apply(portal)
    verdict = check_portal(portal_answering(embedded_target(), portal.answer), portal.edition, MORE_DRAWS).verdict
    accused = [violation for entry in verdict.clauses for violation in entry.violations]
    assert accused == []
    assert verdict.verdict is Verdict.CONFORMANT
