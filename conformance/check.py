"""The engine as a library: judge a portal, a recording, or a client library, and return a report.

pytest, the command, `diff` and the selfcheck all judge through `judge_clauses`.
"""

import math
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from itertools import chain
from typing import Any

import httpx

from conformance.clients.cases import VOTE
from conformance.clients.elsewhere import other_hosts_refused
from conformance.clients.exchange import ClientCase
from conformance.clients.process import CommandClient, words_of
from conformance.clients.runner import run_client_checks
from conformance.clients.session import ClientSession
from conformance.clients.turns import PROGRAMS_OF_A_JOB
from conformance.contract.clauses import Edition, load_edition
from conformance.engine.checks import Check
from conformance.engine.deviations import Deviation, load_deviations
from conformance.engine.exhaustive import combinations_of
from conformance.engine.plan_file import plan_from
from conformance.engine.preflight import preflight_requests
from conformance.engine.results import MOST_KEPT, ClauseResult
from conformance.engine.runner import UNWATCHED, Watch, clause_order, run_checks
from conformance.engine.session import PortalSession
from conformance.engine.workload import Exhaustive, Explore, Mode, Planned, Workload, explore_steps
from conformance.options import JOBS
from conformance.planned import SILENT, Listener, asked_again, planned_portal
from conformance.portals.certificate import throw_away_certificate
from conformance.portals.in_process import in_process_portal
from conformance.portals.mock import MockPortal
from conformance.portals.reference import ReferencePortal
from conformance.portals.scripts import REFUSED_CONNECTION, TRUE, UNKNOWN_AUTHORITY
from conformance.portals.server import HOST, nobody_listens, serving
from conformance.reporting.report import RunFacts, report_of
from conformance.reporting.verdict import ClauseVerdict, RunVerdict, Selection, decide, decide_clause
from conformance.run import Run
from conformance.settings import CLIENT_DRAWS, DRAWS, ClientOptions, Settings
from conformance.suite import client_checks, portal_checks
from conformance.target.cassette import CassetteTransport
from conformance.target.client import REAL_SURROUNDINGS, Portal, Surroundings, network_portal
from conformance.target.recording import Recording
from conformance.target.target import Target


@dataclass(frozen=True, slots=True)
class Report:
    """The verdict of a run, and the facts that report.json holds beside it."""

    verdict: RunVerdict
    facts: RunFacts

    def document(self) -> dict[str, Any]:
        """Return the content of report.json."""
        return report_of(self.verdict, self.facts)


def check_portal(
    portal: Portal,
    edition: Edition,
    mode: Mode | None = None,
    *,
    deviations: tuple[Deviation, ...] = (),
    only: Collection[str] | None = None,
    seed: int = 1,
) -> Report:
    """Judge a portal and return the report. Raise UserError if it cannot be judged.

    only: the ids of the clauses to judge; all where it is None.
    """
    run = Run(Settings(edition, portal.target, mode or Explore(DRAWS), deviations=deviations, seed=seed))
    chosen = edition.clauses.keys() if only is None else set(only)
    checks = [check for check in portal_checks() if check.clause in chosen - portal.target.not_offered]
    session = PortalSession(edition, portal, judges_implied=True)
    return _report(run, checks, _verdicts(run.settings, _run_portal_checks(run, session, checks, UNWATCHED)))


def check_recording(
    recording: Recording, *, edition: Edition | None = None, deviations: tuple[Deviation, ...] | None = None
) -> Report:
    """Judge a recorded portal without network and return the report. Raise UserError.

    edition: that of the recording where it is None.
    deviations: those of the recording where they are None.
    """
    target = recording.target
    if deviations is None:
        deviations = load_deviations(target.deviations, date.today()) if target.deviations else ()
    edition = edition or load_edition(target.edition)
    mode = Planned(plan_from(recording.plan))
    run = Run(Settings(edition, target, mode, deviations=deviations, record=recording))
    checks = [check for check in portal_checks() if check.clause in edition.clauses.keys() - target.not_offered]
    return _report(run, checks, judge_clauses(run, checks))


def check_client(
    command: str,
    edition: Edition,
    *,
    timeout_seconds: float = 20.0,
    jobs: int = JOBS,
    max_seconds: float = math.inf,
    draws: int = CLIENT_DRAWS,
    deviations: tuple[Deviation, ...] = (),
    only: Collection[str] | None = None,
    seed: int = 1,
) -> Report:
    """Judge a client library and return the report. Raise UserError if it cannot be judged.

    command: a program, or module:function of Python.
    jobs: how many programs work at the same time.
    """
    client = ClientOptions(words_of(command), timeout_seconds, https=False, jobs=jobs, max_seconds=max_seconds)
    run = Run(Settings(edition, client=client, client_draws=draws, deviations=deviations, seed=seed))
    chosen = edition.client_clauses.keys() if only is None else set(only)
    checks = [check for check in client_checks() if check.clause in chosen]
    return _report(run, checks, judge_clauses(run, checks))


def judge_clauses(
    run: Run,
    checks: Sequence[Check],
    listener: Listener = SILENT,
    surroundings: Surroundings = REAL_SURROUNDINGS,
) -> dict[str, ClauseVerdict]:
    """Send what a run needs and return the verdict on each clause. Raise UserError."""
    asked = run.settings
    if asked.client is not None:
        return _verdicts(asked, _client_results(run, asked.client, checks))
    with _reached(run, listener, surroundings) as (portal, watch):
        session = PortalSession(asked.edition, portal, asked.level == "implied")
        results = _run_portal_checks(run, session, checks, watch)
    portal.close()
    if asked.record is not None and run.unrecorded:
        for result in results.values():
            _note_missing(result, asked.record.judged.get(result.clause, 0))
    return _verdicts(asked, results)


def _verdicts(asked: Settings, results: Mapping[str, ClauseResult]) -> dict[str, ClauseVerdict]:
    most = None if asked.finds_all else MOST_KEPT
    return {
        name: decide_clause(asked.clauses[name], result, asked.deviations, most) for name, result in results.items()
    }


def _note_missing(result: ClauseResult, expected: int) -> None:
    """Note a clause of which less was judged than when the portal was recorded: it has not passed."""
    if result.exchanges < expected:
        missing = expected - result.exchanges
        result.why_not_passed = f"{missing} of {expected} are not on the record as this plan sends them: record again"


def workload_of(target: Target, edition: Edition, mode: Explore | Exhaustive, seed: int) -> Workload:
    """Return what a run in this mode sends to a portal that offers a read-back. Send nothing."""
    session = PortalSession(edition, Portal(target, httpx.MockTransport(_unreachable)), True, reads=True)
    checks = [check for check in portal_checks() if check.clause in edition.clauses.keys() - target.not_offered]
    checks.sort(key=lambda check: clause_order(edition).index(check.clause))
    steps = explore_steps(session, checks, mode.draws if isinstance(mode, Explore) else 0, seed)
    combinations = chain.from_iterable(combinations_of(session)) if isinstance(mode, Exhaustive) else ()
    return Workload(preflight_requests(target), (*steps, *combinations))


def _unreachable(_request: httpx.Request) -> httpx.Response:
    raise AssertionError("a list of requests is made without sending one")


def _report(run: Run, checks: Sequence[Check], verdicts: Mapping[str, ClauseVerdict]) -> Report:
    asked = run.settings
    collected = frozenset(check.clause for check in checks)
    selection = Selection(collected, asked.target.not_offered, False, False, run.unrecorded)
    return Report(decide(asked.clauses, verdicts, selection), run.facts())


def _run_portal_checks(
    run: Run, session: PortalSession, checks: Sequence[Check], watch: Watch
) -> dict[str, ClauseResult]:
    asked = run.settings
    try:
        return run_checks(
            session, checks, asked.mode, asked.deviations, seed=asked.seed, watch=watch, finds_all=asked.finds_all
        )
    finally:
        run.notes = asked_again(session.portal)
        run.requests, run.writes, run.combinations = session.portal.requests, session.writes, session.combinations
        run.voted_on = {asked.target.sessions.get(name, session.rateable.value) for name in session.voted_on}


@contextmanager
def _reached(run: Run, listener: Listener, surroundings: Surroundings) -> Iterator[tuple[Portal, Watch]]:
    """Give the portal of a run. At the end of the block, put back what a plan found."""
    asked, watch = run.settings, Watch(progress=listener.progress)
    if asked.target.kind == "embedded":
        yield in_process_portal(asked.target, asked.edition), watch
    elif asked.record is not None:
        player = CassetteTransport(asked.record.cassette)
        yield Portal(asked.target, player), watch
        run.unrecorded = player.missing
    elif isinstance(asked.mode, Planned):
        with planned_portal(run, asked.mode, listener, surroundings) as reached:
            yield reached
    else:
        yield network_portal(asked.target), watch


def _client_results(run: Run, client: ClientOptions, checks: Sequence[Check]) -> dict[str, ClauseResult]:
    asked = run.settings
    with client_session(client, asked.edition) as session:
        run.client_name = session.name
        try:
            return run_client_checks(
                session, checks, asked.deviations, asked.client_draws, seed=asked.seed, finds_all=asked.finds_all
            )
        finally:
            run.client_name, run.requests = session.name, session.requests
            told = session.other_hosts.told
            refused = (f"refused, because no call leaves this machine: {told}",) if told else ()
            run.notes = refused + session.told_of_resent


@contextmanager
def client_session(client: ClientOptions, edition: Edition) -> Iterator[ClientSession]:
    """Serve a mock portal and start the program; give the session once it has answered. Raise UserError."""
    mock = MockPortal(ReferencePortal(edition))
    with (
        throw_away_certificate() as certificate,
        throw_away_certificate() as unknown,
        serving(mock.answer, certificate.context) as base,
        serving(mock.answer, unknown.context) as untrusted,
        nobody_listens() as closed,
        other_hosts_refused() as other_hosts,
    ):
        environment = {**certificate.environment, **other_hosts.environment, "PYTHONUNBUFFERED": "1"}
        programs = tuple(
            CommandClient(client.words, environment, client.timeout_seconds)
            for _ in range(PROGRAMS_OF_A_JOB * client.jobs)
        )
        url = base.replace("http:", "https:", 1) if client.https else base
        scheme = "https" if client.https else "http"
        elsewhere = {
            UNKNOWN_AUTHORITY: untrusted.replace("http:", "https:", 1),
            REFUSED_CONNECTION: f"{scheme}://{HOST}:{closed}",
        }
        ends_at = time.monotonic() + client.max_seconds
        session = ClientSession(
            edition,
            programs,
            client.jobs,
            mock,
            url,
            str(certificate.ca_file),
            elsewhere,
            ends_at,
            other_hosts=other_hosts,
        )
        try:
            session.preflight(ClientCase(VOTE, TRUE))
            yield session
        finally:
            for program in programs:
                program.finish()
