"""Each mutant is caught by the clauses that it is registered with, in explore mode.

Only the cases of these clauses are sent. What a mutant is blamed on beside them: test_blame.py and the kill table.
"""

import httpx
import pytest

from conformance.check import check_portal
from conformance.contract.clauses import edition_names, load_edition
from conformance.engine.workload import Explore
from conformance.portals.in_process import portal_answering
from conformance.portals.php_forms import PortalRequest
from conformance.portals.reference import PortalResponse
from conformance.reporting.verdict import Status, Verdict
from conformance.selfcheck.chosen import proving
from conformance.selfcheck.mutants import must_catch
from conformance.selfcheck.mutation import Variant
from conformance.selfcheck.referee import varied_portal
from conformance.target.target import embedded_target

FEW_DRAWS = Explore(3)
JUDGED = proving()


@pytest.mark.parametrize(("mutant", "edition"), JUDGED, ids=[f"{mutant.name}-{edition}" for mutant, edition in JUDGED])
def test_a_mutant_is_caught_by_every_clause_that_it_names(mutant: Variant, edition: str) -> None:
    portal = varied_portal(mutant.name, edition)
    named = must_catch(mutant, edition)
    judged = portal_answering(embedded_target(), portal.answer)
    verdict = check_portal(judged, portal.edition, FEW_DRAWS, only=named).verdict
    assert verdict.verdict is Verdict.NOT_CONFORMANT
    assert named <= {entry.clause.id for entry in verdict.with_status(Status.FAILED)}


@pytest.mark.quick
@pytest.mark.parametrize("name", edition_names())
def test_every_judged_clause_catches_a_mutant(name: str) -> None:
    judged = {clause.id for clause in load_edition(name).clauses.values() if clause.level != "observed"}
    proven = {clause for mutant, edition in JUDGED if edition == name for clause in must_catch(mutant, edition)}
    assert judged <= proven


def test_a_connection_that_is_lost_after_a_refusal_hides_nothing() -> None:
    """The control calls for a refusal are not answered: the refusal still counts."""
    portal = varied_portal("refuses_rating_3", "2024-10")
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
