"""Known deviations: narrowed to classes, strict, and checked when they are loaded."""

from datetime import date
from importlib.resources import files
from pathlib import Path

import pytest

from conformance.check import check_portal
from conformance.contract.clauses import load_edition
from conformance.engine.deviations import Deviation, load_deviations
from conformance.engine.workload import Explore
from conformance.errors import UserError
from conformance.portals.in_process import portal_answering
from conformance.portals.reference import ReferencePortal
from conformance.reporting.verdict import RunVerdict, Status, Verdict
from conformance.selfcheck.mutants import MUTANTS
from conformance.target.target import embedded_target

pytestmark = pytest.mark.quick

TODAY = date(2026, 11, 22)
ENTRY = """
[[deviation]]
clause = "rating.whole-number"
reason = "a list is read as its first value"
source = "seen"
where = { rating = ["list"] }
"""


def _load(folder: Path, text: str) -> tuple[Deviation, ...]:
    path = folder / "deviations.toml"
    path.write_text(text, "utf-8")
    return load_deviations(path, TODAY)


def _judge(deviations: tuple[Deviation, ...], *faults: str) -> RunVerdict:
    edition = load_edition("2024-10")
    portal = ReferencePortal(edition)
    for fault in MUTANTS:
        if fault.name in faults:
            fault.apply(portal)
    judged = portal_answering(embedded_target(), portal.answer)
    return check_portal(judged, edition, Explore(3), deviations=deviations, only=["rating.whole-number"]).verdict


def _status(verdict: RunVerdict) -> Status:
    return next(entry.status for entry in verdict.clauses if entry.clause.id == "rating.whole-number")


def test_a_known_deviation_does_not_fail_the_run(tmp_path: Path) -> None:
    verdict = _judge(_load(tmp_path, ENTRY), "takes_the_first_of_a_list_of_ratings")
    assert _status(verdict) is Status.KNOWN_DEVIATION
    assert verdict.verdict is Verdict.WITH_DEVIATIONS
    assert verdict.exit_status == 0


def test_it_excuses_its_own_classes_and_no_others(tmp_path: Path) -> None:
    faults = ("takes_the_first_of_a_list_of_ratings", "reads_true_as_1")
    verdict = _judge(_load(tmp_path, ENTRY), *faults)
    assert _status(verdict) is Status.FAILED
    violations = next(entry.violations for entry in verdict.clauses if entry.clause.id == "rating.whole-number")
    assert {violation.classes["rating"] for violation in violations} == {"boolean"}


def test_a_deviation_that_holds_no_longer_fails_the_run(tmp_path: Path) -> None:
    verdict = _judge(_load(tmp_path, ENTRY))
    assert _status(verdict) is Status.DEVIATION_GONE
    assert verdict.verdict is Verdict.DEVIATIONS_OUTDATED
    assert verdict.exit_status == 1


def test_an_expired_deviation_excuses_nothing(tmp_path: Path) -> None:
    expired = _load(tmp_path, ENTRY + "expires = 2026-11-21\n")
    assert _status(_judge(expired, "takes_the_first_of_a_list_of_ratings")) is Status.FAILED
    assert _status(_judge(expired)) is Status.PASSED
    today = _load(tmp_path, ENTRY + "expires = 2026-11-22\n")
    assert _status(_judge(today, "takes_the_first_of_a_list_of_ratings")) is Status.KNOWN_DEVIATION


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("rating.whole-number", "rating.hole", "deviation 1: clause: unknown clause 'rating.hole'"),
        ('source = "seen"', "", "deviation 1: key 'source' is missing"),
        ('source = "seen"', 'source = ""', "deviation 1: source: this must be a text of length >= 1"),
        (
            'reason = "a',
            'because = "a',
            "unknown key 'because', did you mean 'clause'? the keys here are clause, reason",
        ),
        ("{ rating", "{ stars", "deviation 1: where: unknown key 'stars': the keys here are session, rating"),
        ('["list"]', '["lists"]', "where.rating: unknown class 'lists', did you mean 'list'?"),
        ('["list"]', '[["list"]]', "deviation 1: where.rating 1: this must be a text, not a list"),
        (
            'source = "seen"',
            'source = "seen"\nexpires = 2030-01-01T00:00:00',
            "expires: this must be a date, not a date with",
        ),
        ('["list"]', "[]", "where.rating: this must be a list of length >= 1"),
        ("[[deviation]]", "[deviation]", "deviation: this must be a list, not a table of keys"),
        ("[[deviation]]", "[[deviation", "not valid TOML"),
        ("[[deviation]]", "[[deviations]]", "unknown key 'deviations', did you mean 'deviation'?"),
        ('source = "seen"', 'source = "seen"\nexpires = "soon"', "expires: this must be a date"),
    ],
)
def test_a_fault_in_a_deviation_file_names_file_and_key(tmp_path: Path, old: str, new: str, told: str) -> None:
    with pytest.raises(UserError) as caught:
        _load(tmp_path, ENTRY.replace(old, new))
    assert told in str(caught.value)
    assert "deviations.toml" in str(caught.value)


def test_the_shipped_file_loads() -> None:
    shipped = load_deviations(Path(str(files("conformance") / "deviations" / "bitrix24-portal.toml")), TODAY)
    assert all(entry.where for entry in shipped)
