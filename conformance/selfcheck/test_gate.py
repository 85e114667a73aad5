"""Does the gate accuse a client library that lies, by the right clause, and no other.

A whole gate takes seconds. So five of six lying clients are judged by their own clauses and those about every round,
and the sixth by all. With WHOLE=1 in the environment all are judged by all.
"""

from pathlib import Path

import pytest

from conformance.check import check_client
from conformance.contract.clauses import Edition, default_edition, edition_names, load_edition
from conformance.loading import fit
from conformance.reporting.read import ReportFile
from conformance.reporting.report import report_of
from conformance.reporting.verdict import RunVerdict, Status, Verdict
from conformance.selfcheck.chosen import OLDEST_AND_NEWEST, WHOLE
from conformance.selfcheck.client_mutants import CLIENT_MUTANTS, CONFORMING_CLIENTS
from conformance.selfcheck.client_parts import Client
from conformance.suite import client_checks

NEWEST = load_edition(default_edition())
DRAWS = 10
CAP_SECONDS = 3.0
# client.recovers has the most rounds of its own, so only those that name it, and each sixth client, are judged by it.
OF_EVERY_ROUND = {check.clause for check in client_checks() if check.given.reads_every_round} - {"client.recovers"}
LYING = [
    (client, None if WHOLE or place % 6 == 0 else {*client.clauses, *OF_EVERY_ROUND})
    for place, client in enumerate(CLIENT_MUTANTS)
]
CORRECT = [
    (client, edition)
    for place, client in enumerate(CONFORMING_CLIENTS)
    for edition in (OLDEST_AND_NEWEST if WHOLE else [OLDEST_AND_NEWEST[place % 2]])
]


def _gated(client: Client, edition: Edition, only: set[str] | None = None) -> RunVerdict:
    """One program at a time: starting programs is what these gates cost. Its report must be one that can be read."""
    report = check_client(client.command, edition, draws=DRAWS, timeout_seconds=CAP_SECONDS, jobs=1, only=only)
    fit(report_of(report.verdict, report.facts), ReportFile, Path("report.json"))
    return report.verdict


@pytest.mark.parametrize(("client", "only"), LYING, ids=[client.name for client, _ in LYING])
def test_a_lying_client_is_caught_by_the_clauses_that_it_names_and_no_others(
    client: Client, only: set[str] | None
) -> None:
    verdict = _gated(client, NEWEST, only)
    assert verdict.verdict is Verdict.NOT_CONFORMANT
    failed = {entry.clause.id for entry in verdict.with_status(Status.FAILED)}
    assert failed == set(client.clauses)


@pytest.mark.parametrize(
    ("client", "edition"), CORRECT, ids=[f"{client.name}-{edition}" for client, edition in CORRECT]
)
def test_a_correct_client_is_not_accused(client: Client, edition: str) -> None:
    verdict = _gated(client, load_edition(edition))
    assert [violation for entry in verdict.clauses for violation in entry.violations] == []
    assert verdict.verdict is Verdict.CONFORMANT


def test_every_judged_clause_catches_a_lying_client() -> None:
    judged = {clause.id for clause in NEWEST.client_clauses.values() if clause.level != "observed"}
    assert judged == {clause for client in CLIENT_MUTANTS for clause in client.clauses}


@pytest.mark.parametrize("edition", edition_names())
def test_every_clause_of_the_chapter_has_one_test(edition: str) -> None:
    tested = [check.clause for check in client_checks()]
    assert sorted(tested) == sorted(load_edition(edition).client_clauses)
