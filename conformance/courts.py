"""What tries the clauses of a run: the trials of a portal, or those of a client library."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from conformance.client_gate.cases import VOTE
from conformance.clients.command import CommandClient
from conformance.contract.edition import Edition
from conformance.judging.gate import ClientTrial, Gate
from conformance.judging.mode import proceedings
from conformance.judging.rounds import Case
from conformance.judging.tally import AnyViolation, Tally
from conformance.judging.trial import HISTORY, Trial
from conformance.judging.world import Combination, World
from conformance.portals.certificate import throw_away_certificate
from conformance.portals.in_process import in_process_portal
from conformance.portals.mock import MockPortal
from conformance.portals.portal import http_portal
from conformance.portals.reference import ReferencePortal
from conformance.portals.script import TRUE
from conformance.portals.server import serving
from conformance.run import ClientOptions, Run

CLIENT_DRAWS: Final = 60
"""How many rounds Hypothesis may propose for each clause of a client library."""

Mark = tuple[str, Any, Callable[[Any], None]]
"""What a test says of itself: the id of its clause, its feed, its body."""


@dataclass(slots=True)
class Court:
    """The tallies of a run by clause, how one clause is tried, and what was sent since that was asked last.

    history: what the trials of portals found out about the clause that they may accuse besides their own.
    """

    tallies: Mapping[str, Tally]
    hold: Callable[[str], None]
    sent: Callable[[], dict[str, Any]]
    history: list[AnyViolation] = field(default_factory=list)


@contextmanager
def court_of(run: Run, marks: Iterable[Mark]) -> Iterator[Court]:
    """The court of a run, after what it sends once for all clauses. Raises Problem."""
    opened = _portal_court(run, marks) if run.client is None else _client_court(run, run.client, marks)
    with opened as court:
        yield court


@contextmanager
def _portal_court(run: Run, marks: Iterable[Mark]) -> Iterator[Court]:
    embedded = run.target.kind == "embedded"
    portal = in_process_portal(run.target, run.edition) if embedded else http_portal(run.target)
    world = World(run.edition, portal, run.level == "implied")
    trials = {
        name: Trial(world, run.edition.clauses[name], feed, body, run.deviations, HISTORY in run.collected, Tally(name))
        for name, feed, body in marks
    }
    hold = proceedings(run.mode, world, trials.values(), run.seed)
    tallies = {name: trial.tally for name, trial in trials.items()}
    yield Court(tallies, lambda name: hold(trials[name]), _Sent(world).since)
    portal.close()


@dataclass(slots=True)
class _Sent:
    """What a world has sent, of which everything is told once."""

    world: World
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
            name: ClientTrial(gate, run.edition.client_clauses[name], feed, body, run.deviations, Tally(name))
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
def gate_of(client: ClientOptions, edition: Edition) -> Iterator[Gate]:
    """The gate of a client library: a served mock portal, and the program once it has answered. Raises Problem."""
    mock = MockPortal(ReferencePortal(edition))
    with throw_away_certificate() as certificate, serving(mock.answer, certificate.context) as base:
        environment = {**certificate.environment, "NO_PROXY": "*", "no_proxy": "*", "PYTHONUNBUFFERED": "1"}
        program = CommandClient(client.words, environment, client.cap_seconds)
        url = base.replace("http:", "https:", 1) if client.https else base
        gate = Gate(edition, program, mock, url, str(certificate.ca_file))
        try:
            gate.preflight(Case(VOTE, TRUE))
            yield gate
        finally:
            program.finish()
