"""What tries the clauses of a run: the trials of a portal, or those of a client library."""

import signal
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final

from conformance import __version__
from conformance.clients.cases import VOTE
from conformance.clients.exchange import Case
from conformance.clients.process import CommandClient
from conformance.clients.runner import ClientRunner, ClientTrial
from conformance.console import Console
from conformance.contract.clauses import Edition
from conformance.engine.plan import Plan, writes_of
from conformance.engine.plan_file import plan_document
from conformance.engine.results import ClauseResult
from conformance.engine.runner import HISTORY, Trial
from conformance.engine.session import Combination, PortalSession
from conformance.engine.workload import UNWATCHED, Planned, Watch, proceedings
from conformance.exchange.violation import Violation
from conformance.portals.certificate import throw_away_certificate
from conformance.portals.in_process import in_process_portal
from conformance.portals.mock import MockPortal
from conformance.portals.reference import ReferencePortal
from conformance.portals.scripts import TRUE
from conformance.portals.server import serving
from conformance.run import ClientOptions, Run
from conformance.target.cassette import CassetteTransport
from conformance.target.client import Portal, live_portal, network_portal
from conformance.target.recording import Record, write_record
from conformance.target.restore import Vote

CLIENT_DRAWS: Final = 60
"""How many rounds Hypothesis may propose for each clause of a client library."""

VOTED_ON: Final = ("rateable", "open")
"""The states of the sessions that a plan may leave a vote on."""
Mark = tuple[str, Any, Callable[[Any], None]]
"""What a test says of itself: the id of its clause, its feed, its body."""


@dataclass(slots=True)
class Court:
    """The tallies of a run by clause, how one clause is tried, and what was sent since that was asked last.

    history: what the trials of portals found out about the clause that they may accuse besides their own.
    """

    tallies: Mapping[str, ClauseResult]
    hold: Callable[[str], None]
    sent: Callable[[], dict[str, Any]]
    history: list[Violation] = field(default_factory=list)


@contextmanager
def court_of(run: Run, marks: Iterable[Mark], voice: Console) -> Iterator[Court]:
    """The court of a run, after what it sends once for all clauses. Raises Problem."""
    opened = _portal_court(run, marks, voice) if run.client is None else _client_court(run, run.client, marks)
    with opened as court:
        yield court


@contextmanager
def _portal_court(run: Run, marks: Iterable[Mark], voice: Console) -> Iterator[Court]:
    with _reached(run, voice) as (portal, watch):
        world = PortalSession(run.edition, portal, run.level == "implied")
        judges_history = HISTORY in run.collected
        trials = {
            name: Trial(
                world, run.edition.clauses[name], feed, body, run.deviations, judges_history, ClauseResult(name)
            )
            for name, feed, body in marks
        }
        hold = proceedings(run.mode, world, trials.values(), run.seed, watch)
    tallies = {name: trial.tally for name, trial in trials.items()}
    yield Court(tallies, lambda name: _hear(run, trials[name], hold), _Sent(world).since)
    portal.close()


def _hear(run: Run, trial: Trial, hold: Callable[[Trial], None]) -> None:
    hold(trial)
    if run.unrecorded and run.record is not None:
        note_missing(trial.tally, run.record.judged.get(trial.clause.id, 0))


def note_missing(tally: ClauseResult, expected: int) -> None:
    """Where requests were not on a record: a clause of which less was judged than at first has not passed."""
    if tally.exchanges < expected:
        missing = expected - tally.exchanges
        tally.unrecorded = f"{missing} of {expected} are not on the record as this plan sends them: record again"


@contextmanager
def _reached(run: Run, voice: Console) -> Iterator[tuple[Portal, Watch]]:
    """The portal of a run; at the end of the block, what belongs to a plan is tidied up."""
    if run.target.kind == "embedded":
        yield in_process_portal(run.target, run.edition), UNWATCHED
    elif run.record is not None:
        player = CassetteTransport(run.record.cassette)
        yield Portal(run.target, player), UNWATCHED
        run.unrecorded = player.missing
    elif isinstance(run.mode, Planned):
        with _planned(run, run.mode, voice) as reached:
            yield reached
    else:
        yield network_portal(run.target), UNWATCHED


@contextmanager
def _planned(run: Run, mode: Planned, voice: Console) -> Iterator[tuple[Portal, Watch]]:
    """Yield a portal to which a plan is sent. At the end of the block, put the found votes back."""
    own = frozenset(call.comment.value for call in mode.plan.calls if isinstance(call.comment.value, str))
    voted_on = [run.target.sessions[state] for state in VOTED_ON if state in run.target.sessions]
    live = live_portal(run.target, voted_on, own, voice.say)

    def before(plan: Plan) -> None:
        must, may = writes_of(plan.calls, run.edition)
        if not must + may:
            return
        live.restoring.look()
        if run.target.live and not run.may_write:
            voice.ask(_question(run, must, may, live.restoring.found))

    try:
        yield live.portal, Watch(before, voice.progress(run.target.limit))
    finally:
        with _undisturbed():
            run.not_put_back = "; ".join(live.restoring.put_back())
    if run.records_to is not None:
        folder, text = run.records_to, live.recording.text
        target = replace(run.target, edition=run.edition.name, deviations=run.deviation_file)

        def write(judged: Mapping[str, int]) -> None:
            recorded = datetime.now(UTC)
            record = Record(target, text, plan_document(mode.plan), judged, __version__, recorded)
            write_record(folder, record, target.redactor)

        run.write_record = write


@contextmanager
def _undisturbed() -> Iterator[None]:
    """A second Ctrl-C must not come between a vote and its place."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _question(run: Run, must: int, may: int, found: Mapping[int, Vote]) -> str:
    """What is asked before the first vote."""
    sessions = " and ".join(str(session) for session in found) or str(run.target.sessions["rateable"])
    fresh = [session for session, vote in found.items() if vote == Vote(0, "")]
    stays = f"; on {' and '.join(map(str, fresh))} there is no vote yet: the last test vote will stay" if fresh else ""
    return (
        f"{must} votes, up to {may} more, on session {sessions} of {run.target.name}; each may notify the dialog's "
        f"operator; a vote that is there now is put back at the end{stays}"
    )


@dataclass(slots=True)
class _Sent:
    """What a world has sent, of which everything is told once."""

    world: PortalSession
    requests: int = 0
    writes: int = 0
    combinations: set[Combination] = field(default_factory=set)

    def since(self) -> dict[str, Any]:
        """In the plain form in which it travels from a worker."""
        new = self.world.combinations - self.combinations
        sent = {
            "requests": self.world.portal.requests - self.requests,
            "writes": self.world.writes - self.writes,
            "combinations": [[*classes, encoding.value] for *classes, encoding in new],
        }
        self.requests, self.writes = self.world.portal.requests, self.world.writes
        self.combinations |= new
        return sent


@contextmanager
def _client_court(run: Run, client: ClientOptions, marks: Iterable[Mark]) -> Iterator[Court]:
    with gate_of(client, run.edition) as gate:
        run.client_name = gate.name
        trials = {
            name: ClientTrial(gate, run.edition.client_clauses[name], feed, body, run.deviations, ClauseResult(name))
            for name, feed, body in marks
        }
        told = 0

        def sent() -> dict[str, Any]:
            nonlocal told
            new, told = gate.requests - told, gate.requests
            return {"requests": new, "writes": 0, "combinations": []}

        tallies = {name: trial.tally for name, trial in trials.items()}
        yield Court(tallies, lambda name: trials[name].run(run.seed, CLIENT_DRAWS), sent)


@contextmanager
def gate_of(client: ClientOptions, edition: Edition) -> Iterator[ClientRunner]:
    """The gate of a client library: a served mock portal, and the program once it has answered. Raises Problem."""
    mock = MockPortal(ReferencePortal(edition))
    with throw_away_certificate() as certificate, serving(mock.answer, certificate.context) as base:
        environment = {**certificate.environment, "NO_PROXY": "*", "no_proxy": "*", "PYTHONUNBUFFERED": "1"}
        program = CommandClient(client.words, environment, client.timeout_seconds)
        url = base.replace("http:", "https:", 1) if client.https else base
        gate = ClientRunner(edition, program, mock, url, str(certificate.ca_file))
        try:
            gate.preflight(Case(VOTE, TRUE))
            yield gate
        finally:
            program.finish()
