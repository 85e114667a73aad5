"""No correct portal is accused: neither the reference portal nor a variant of it, in any mode."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from conformance.check import Report, check_portal
from conformance.contract.clauses import Edition, edition_names, load_edition
from conformance.engine.plan import plan_of
from conformance.engine.workload import Exhaustive, Explore, Mode, Planned
from conformance.portals.in_process import portal_answering
from conformance.portals.php_forms import PortalRequest
from conformance.portals.reference import PortalResponse, ReferencePortal, Refusal, render
from conformance.reporting.verdict import Status, Verdict
from conformance.selfcheck.chosen import OLDEST_AND_NEWEST, WHOLE, alternating
from conformance.selfcheck.conforming_variants import CONFORMING_VARIANTS
from conformance.selfcheck.mutation import Variant
from conformance.selfcheck.referee import EVERY_VOTE, SHORT_PLAN, varied_portal
from conformance.target.target import Target, embedded_target

TARGET = embedded_target()
LIVE = replace(TARGET, live=True)
EXHAUSTIVE = alternating(CONFORMING_VARIANTS if WHOLE else CONFORMING_VARIANTS[:1])
"""Exhaustive mode sends what explore mode sends, and all combinations: 20 seconds each."""
ALL = [
    (variant, edition)
    for variant in CONFORMING_VARIANTS
    for edition in OLDEST_AND_NEWEST
    if edition in variant.editions
]


def _judge(portal: ReferencePortal, mode: Mode, target: Target = TARGET) -> Report:
    report = check_portal(portal_answering(target, portal.answer), portal.edition, mode)
    assert [violation for entry in report.verdict.clauses for violation in entry.violations] == []
    return report


def _plan(edition: Edition, target: Target, budget: int | None = None) -> Planned:
    return Planned(plan_of(target, edition, budget))


@pytest.mark.parametrize("name", edition_names())
def test_the_reference_portal_is_conformant_and_every_clause_exercised(name: str) -> None:
    verdict = _judge(ReferencePortal(load_edition(name)), Explore(3)).verdict
    assert verdict.verdict is Verdict.CONFORMANT
    assert {entry.status for entry in verdict.clauses} == {Status.PASSED, Status.OBSERVED}


@pytest.mark.parametrize(("variant", "edition"), ALL, ids=[f"{variant.name}-{edition}" for variant, edition in ALL])
def test_a_conforming_variant_is_not_accused(variant: Variant, edition: str) -> None:
    portal = varied_portal(variant.name, edition)
    exhaustive = (variant, edition) in EXHAUSTIVE
    report = _judge(portal, Exhaustive() if exhaustive else Explore(10))
    assert report.verdict.verdict is Verdict.CONFORMANT
    if exhaustive:
        coverage = report.facts.coverage
        assert coverage.met == coverage.all == 14_628
        assert all(pair.met == pair.all > 0 for pair in coverage.pairs)


@pytest.mark.quick
@pytest.mark.parametrize(("variant", "edition"), ALL, ids=[f"{variant.name}-{edition}" for variant, edition in ALL])
def test_no_plan_accuses_a_conforming_variant(variant: Variant, edition: str) -> None:
    whole = _plan(load_edition(edition), TARGET)
    assert _judge(varied_portal(variant.name, edition), whole).verdict.verdict is Verdict.CONFORMANT
    _judge(varied_portal(variant.name, edition), _plan(load_edition(edition), LIVE, SHORT_PLAN), LIVE)


NOT_OFFERED: dict[str, Callable[[PortalRequest], bool]] = {
    "transport.batch": lambda request: request.path.endswith("/batch"),
    "transport.xml": lambda request: request.path.endswith(".xml"),
    "transport.suffix": lambda request: request.path.endswith(".json"),
    "transport.encodings": lambda request: request.method == "GET" or "json" not in request.headers["content-type"],
}


@pytest.mark.parametrize("mode", ["explore", "plan"])
@pytest.mark.parametrize("clause", NOT_OFFERED)
def test_what_a_target_does_not_offer_is_used_by_no_clause(clause: str, mode: str) -> None:
    target, edition = replace(TARGET, not_offered=frozenset({clause})), load_edition("2026-03")
    honest = ReferencePortal(edition)
    unknown = Refusal("ERROR_METHOD_NOT_FOUND", 404)

    def answer(request: PortalRequest) -> PortalResponse:
        return render(unknown) if NOT_OFFERED[clause](request) else honest.answer(request)

    how: Mode = Explore(10) if mode == "explore" else Planned(plan_of(target, edition, votes=EVERY_VOTE))
    report = check_portal(portal_answering(target, answer), edition, how)
    assert report.verdict.verdict is Verdict.CONFORMANT
