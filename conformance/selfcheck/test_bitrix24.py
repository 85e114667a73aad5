"""The portal that follows the real one's source, judged as the README says of real portals: 2026-03, shipped file."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from importlib.resources import files
from pathlib import Path

import pytest

from conformance.check import check_portal
from conformance.contract.clauses import Edition
from conformance.engine.deviations import load_deviations
from conformance.engine.plan import plan_of
from conformance.engine.workload import Exhaustive, Explore, Mode, Planned
from conformance.portals.bitrix24 import bitrix24_portal
from conformance.portals.in_process import portal_answering
from conformance.reporting.verdict import RunVerdict, Status, Verdict
from conformance.selfcheck.chosen import WHOLE
from conformance.target.target import Target, embedded_target

SHIPPED = Path(str(files("conformance") / "deviations" / "bitrix24-portal.toml"))
LIVE = replace(embedded_target(), live=True)
RUNS: dict[str, tuple[Target, Callable[[Edition], Mode]]] = {
    "explore": (embedded_target(), lambda _: Explore(20)),
    "plan": (embedded_target(), lambda edition: Planned(plan_of(embedded_target(), edition))),
    "live plan": (LIVE, lambda edition: Planned(plan_of(LIVE, edition))),
    "live plan of 50": (LIVE, lambda edition: Planned(plan_of(LIVE, edition, budget=50))),
}
if WHOLE:
    RUNS["exhaustive"] = (embedded_target(), lambda _: Exhaustive())


def _judge(run: str, with_file: bool) -> RunVerdict:
    portal = bitrix24_portal()
    target, mode = RUNS[run]
    deviations = load_deviations(SHIPPED, date.today()) if with_file else ()
    judged = portal_answering(target, portal.answer)
    return check_portal(judged, portal.edition, mode(portal.edition), deviations=deviations).verdict


@pytest.mark.parametrize("run", RUNS)
def test_the_shipped_file_excuses_all_that_it_deviates_in(run: str) -> None:
    verdict = _judge(run, with_file=True)
    accused = [(entry.clause.id, entry.status, entry.violations) for entry in verdict.clauses if entry.violations]
    assert accused == []
    assert not verdict.with_status(Status.DEVIATION_GONE)
    assert verdict.verdict is Verdict.WITH_DEVIATIONS or run == "live plan of 50"


def test_without_the_file_these_clauses_fail_and_no_others() -> None:
    assert {entry.clause.id for entry in _judge("explore", with_file=False).with_status(Status.FAILED)} == {
        "comment.zero-text",
        "effect.saved",
        "error.documented-code",
        "error.never-5xx",
        "rating.digits-as-text",
        "rating.rejects-outside",
        "rating.whole-number",
        "session-id.positive",
        "session-id.whole-number",
        "transport.scope",
    }
