"""The engine as a library: judge a portal, a recording, or a client library, and return a report.

pytest, the command, `diff` and the selfcheck all judge through `judge_clauses`.
"""

import math
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from itertools import chain
from typing import Any, Final

import httpx

from conformance import __version__
from conformance.clients.cases import VOTE
from conformance.clients.elsewhere import other_hosts_refused
from conformance.clients.exchange import ClientCase
from conformance.clients.process import CommandClient, words_of
from conformance.clients.runner import run_client_checks
from conformance.clients.session import ClientSession
from conformance.clients.turns import PROGRAMS_OF_A_JOB
from conformance.contract.classes import DENIED_STATES
from conformance.contract.clauses import Edition, load_edition
from conformance.engine.checks import Check
from conformance.engine.deviations import Deviation, load_deviations
from conformance.engine.exhaustive import combinations_of
from conformance.engine.plan import Votes, session_of, votes_of, without_votes_on
from conformance.engine.plan_file import plan_document, plan_from
from conformance.engine.preflight import preflight_requests
from conformance.engine.results import MOST_KEPT, ClauseResult
from conformance.engine.runner import UNWATCHED, Watch, clause_order, run_checks
from conformance.engine.session import PortalSession
from conformance.engine.workload import Exhaustive, Explore, Mode, Planned, Workload, explore_steps
from conformance.interrupts import ending_signals
from conformance.options import JOBS
from conformance.portals.certificate import throw_away_certificate
from conformance.portals.in_process import in_process_portal
from conformance.portals.mock import MockPortal
from conformance.portals.reference import ReferencePortal
from conformance.portals.scripts import REFUSED_CONNECTION, TRUE, UNKNOWN_AUTHORITY
from conformance.portals.server import HOST, nobody_listens, serving
from conformance.reporting.report import RunFacts, report_of
from conformance.reporting.verdict import ClauseVerdict, RunVerdict, Selection, decide, decide_clause
from conformance.run import CLIENT_DRAWS, DRAWS, ClientOptions, Run, do_nothing
from conformance.suite import client_checks, portal_checks
from conformance.target.cassette import CassetteTransport
from conformance.target.client import REAL_SURROUNDINGS, Portal, Surroundings, live_portal, network_portal
from conformance.target.recording import Recording, write_recording
from conformance.target.restore import NO_VOTE, Failed, Vote
from conformance.target.target import Target

Ask = Callable[[str], None]
"""Asks a person whether to go on. Raises UserError where the answer is no."""


@dataclass(frozen=True, slots=True)
class Listener:
    """Who follows a run on a terminal.

    say: prints a line.
    ask: asks before the first vote on a live target.
    progress: called with the number of requests that were sent, and of all.
    """

    say: Callable[[str], None] = lambda _line: None
    ask: Ask = lambda _question: None
    progress: Callable[[int, int], None] = lambda _done, _all: None


SILENT: Final = Listener()


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
    run = Run(target=portal.target, edition=edition, mode=mode or Explore(DRAWS), deviations=deviations, seed=seed)
    chosen = edition.clauses.keys() if only is None else set(only)
    checks = [check for check in portal_checks() if check.clause in chosen - portal.target.not_offered]
    session = PortalSession(edition, portal, judges_implied=True)
    run.verdicts = _verdicts(run, _run_portal_checks(run, session, checks, UNWATCHED))
    return _report(run, checks)


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
    run = Run(
        target=target,
        edition=edition or load_edition(target.edition),
        mode=Planned(plan_from(recording.plan)),
        record=recording,
        deviations=deviations,
    )
    checks = [check for check in portal_checks() if check.clause in run.clauses.keys() - target.not_offered]
    run.verdicts = judge_clauses(run, checks)
    return _report(run, checks)


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
    run = Run(edition=edition, client=client, deviations=deviations, seed=seed, client_draws=draws)
    chosen = edition.client_clauses.keys() if only is None else set(only)
    checks = [check for check in client_checks() if check.clause in chosen]
    run.verdicts = judge_clauses(run, checks)
    return _report(run, checks)


def judge_clauses(
    run: Run,
    checks: Sequence[Check],
    listener: Listener = SILENT,
    surroundings: Surroundings = REAL_SURROUNDINGS,
) -> dict[str, ClauseVerdict]:
    """Send what a run needs and return the verdict on each clause. Raise UserError."""
    if run.client is not None:
        return _verdicts(run, _client_results(run, run.client, checks))
    with _reached(run, listener, surroundings) as (portal, watch):
        session = PortalSession(run.edition, portal, run.level == "implied")
        results = _run_portal_checks(run, session, checks, watch)
    portal.close()
    if run.record is not None and run.unrecorded:
        for result in results.values():
            _note_missing(result, run.record.judged.get(result.clause, 0))
    return _verdicts(run, results)


def _say(listener: Listener, line: str) -> None:
    """Print a line if the terminal is still there: what comes after it matters more."""
    with suppress(OSError):
        listener.say(line)


def _verdicts(run: Run, results: Mapping[str, ClauseResult]) -> dict[str, ClauseVerdict]:
    most = None if run.write_deviations else MOST_KEPT
    return {name: decide_clause(run.clauses[name], result, run.deviations, most) for name, result in results.items()}


def _note_missing(result: ClauseResult, expected: int) -> None:
    """Note a clause of which less was judged than when the portal was recorded: it has not passed."""
    if result.exchanges < expected:
        missing = expected - result.exchanges
        result.missing = f"{missing} of {expected} are not on the record as this plan sends them: record again"


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


def _report(run: Run, checks: Sequence[Check]) -> Report:
    collected = frozenset(check.clause for check in checks)
    selection = Selection(collected, run.target.not_offered, stopped=False, allow_incomplete=False)
    selection = replace(selection, unrecorded=run.unrecorded)
    return Report(decide(run.clauses, run.verdicts, selection), run.facts())


def _run_portal_checks(
    run: Run, session: PortalSession, checks: Sequence[Check], watch: Watch
) -> dict[str, ClauseResult]:
    try:
        finds_all = run.write_deviations is not None
        results = run_checks(session, checks, run.mode, run.deviations, seed=run.seed, watch=watch, finds_all=finds_all)
    finally:
        run.notes = _asked_again(session.portal)
        run.requests, run.writes, run.combinations = session.portal.requests, session.writes, session.combinations
        run.voted_on = {run.target.sessions.get(name, session.rateable.value) for name in session.voted_on}
    return results


def _asked_again(portal: Portal) -> tuple[str, ...]:
    return tuple(f"asked once more, {count} times: {reason}" for reason, count in portal.repeated.items())


@contextmanager
def _reached(run: Run, listener: Listener, surroundings: Surroundings) -> Iterator[tuple[Portal, Watch]]:
    """Give the portal of a run. At the end of the block, put back what a plan found."""
    watch = Watch(progress=listener.progress)
    if run.target.kind == "embedded":
        yield in_process_portal(run.target, run.edition), watch
    elif run.record is not None:
        player = CassetteTransport(run.record.cassette)
        yield Portal(run.target, player), watch
        run.unrecorded = player.missing
    elif isinstance(run.mode, Planned):
        with _planned(run, run.mode, listener, surroundings) as reached:
            yield reached
    else:
        yield network_portal(run.target), watch


@contextmanager
def _planned(run: Run, mode: Planned, listener: Listener, surroundings: Surroundings) -> Iterator[tuple[Portal, Watch]]:
    """Give a portal that is asked no faster than its limit allows. Restore the found votes at the end of the block."""
    own = frozenset(call.comment.value for call in mode.plan.calls if isinstance(call.comment.value, str))
    live = live_portal(run.target, own, listener.say, surroundings, listener.say if run.shows_texts else None)
    sent = mode.plan
    unread: dict[int, Failed] = {}

    def before_votes(plan: Workload) -> Workload:
        nonlocal sent
        voted_on = dict.fromkeys(own for call in plan.calls if (own := session_of(call, run.target)) is not None)
        if not voted_on:
            return plan
        unread.update(live.restoring.look(voted_on))
        reasons = {} if run.overwrite else _reasons_against_votes(unread, run.target)
        for reason in reasons.values():
            listener.say(reason)
        sent = without_votes_on(plan, run.target, reasons)
        votes = votes_of(sent, run.target, run.edition)
        if run.target.live and not run.may_write and votes.most:
            denied = _denied(run.target)
            found = {session: vote for session, vote in live.restoring.found.items() if session not in denied}
            listener.ask(_question(run.target, votes, found))
        return sent

    def put_back() -> None:
        if run.voted_on:
            _say(listener, "putting back the votes of before the run")
        done = live.restoring.put_back()
        run.notes = _asked_again(live.portal)
        overwritten = tuple(
            f"session {session} got a vote, and what it had could not be read ({unread[session].reason})"
            for session in sorted(unread.keys() & run.voted_on)
        )
        is_agreed = run.overwrite or not run.target.live
        run.left_behind = done.stays + (overwritten if is_agreed else ())
        run.not_put_back = done.lost + (() if is_agreed else overwritten)
        run.put_back = do_nothing
        if run.voted_on and not (run.not_put_back or run.left_behind):
            _say(listener, "put back")

    run.put_back = put_back
    with ending_signals() as interrupts:
        try:
            yield live.portal, Watch(before_votes, listener.progress)
        finally:
            # The inner block runs also if the first signal comes at this very moment.
            try:
                interrupts.hold()
            finally:
                run.put_back()
    if run.records_to is not None:
        folder, text = run.records_to, live.recording.text
        target = replace(run.target, edition=run.edition.name, deviations=run.deviation_file)

        def write(judged: Mapping[str, int]) -> None:
            recorded = datetime.now(UTC)
            recording = Recording(target, text, plan_document(sent), judged, __version__, recorded)
            write_recording(folder, recording, target.redactor)

        run.write_record = write


def _reasons_against_votes(unread: Mapping[int, Failed], target: Target) -> dict[int, str]:
    """Return why a session gets no vote, for each session of a live target whose vote would be lost."""
    return {
        session: f"no vote is sent on session {session}: its present vote cannot be read ({failed.reason}); "
        "--overwrite votes all the same"
        for session, failed in unread.items()
        # That the portal refuses to show a denied session is as it should be.
        if target.live and not (failed.lasting and session in _denied(target))
    }


def _denied(target: Target) -> set[int]:
    """Return the sessions that the caller has no access to."""
    return {target.sessions[state] for state in DENIED_STATES if state in target.sessions}


def _question(target: Target, votes: Votes, found: Mapping[int, Vote]) -> str:
    """Return what is asked before the first vote."""
    sessions = " and ".join(str(session) for session in found) or str(target.sessions["rateable"])
    fresh = [session for session, vote in found.items() if vote == NO_VOTE]
    stays = f"; on {' and '.join(map(str, fresh))} there is no vote yet: the last test vote will stay" if fresh else ""
    return (
        f"votes on session {sessions} of {target.name}: {votes}; each may notify the dialog's operator; "
        f"a vote that is there now is put back at the end{stays}"
    )


def _client_results(run: Run, client: ClientOptions, checks: Sequence[Check]) -> dict[str, ClauseResult]:
    with client_session(client, run.edition) as session:
        run.client_name = session.name
        try:
            finds_all = run.write_deviations is not None
            return run_client_checks(
                session, checks, run.deviations, run.client_draws, seed=run.seed, finds_all=finds_all
            )
        finally:
            run.client_name, run.requests = session.name, session.requests
            told = session.other_hosts.told
            run.notes = (f"refused, because no call leaves this machine: {told}",) if told else ()


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
