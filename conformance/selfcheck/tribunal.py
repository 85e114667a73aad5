"""Runs the suite without pytest against any portal, for the selfcheck's many portals."""

from collections.abc import Collection, Iterator
from functools import cache
from importlib import import_module
from importlib.resources import files
from typing import Any, Final

from conformance.clients.process import words_of
from conformance.clients.runner import ClientTrial, Rounds, Sent
from conformance.contract.clauses import Edition
from conformance.courts import gate_of, note_missing
from conformance.engine.checks import Feed
from conformance.engine.deviations import Deviation
from conformance.engine.plan_file import plan_from
from conformance.engine.results import ClauseResult
from conformance.engine.runner import Body, Trial, trial_order
from conformance.engine.session import PortalSession
from conformance.engine.workload import Mode, Planned, proceedings
from conformance.reporting.verdict import RunVerdict, Selection, decide
from conformance.run import ClientOptions
from conformance.target.cassette import CassetteTransport
from conformance.target.client import Portal
from conformance.target.recording import Record

SEED: Final = 1


def judge_portal(
    portal: Portal,
    edition: Edition,
    mode: Mode,
    deviations: tuple[Deviation, ...] = (),
    only: Collection[str] | None = None,
    *,
    seed: int = SEED,
) -> RunVerdict:
    """The verdict on a portal, from the same tests as a run with pytest. only: the clauses to try."""
    world = PortalSession(edition, portal, judges_implied=True)
    tests = {name: (feed, body) for name, feed, body in suite_tests()}
    trials: list[Trial] = []
    for name in trial_order(edition):
        # The first clause is always tried: it finds a vote that the portal accepts.
        wanted = only is None or name in only or not trials
        if wanted and name not in portal.target.not_offered:
            feed, body = tests[name]
            trials.append(Trial(world, edition.clauses[name], feed, body, deviations, True, ClauseResult(name)))
    hold = proceedings(mode, world, trials, seed)
    for trial in trials:
        hold(trial)
    tallies = {trial.clause.id: trial.tally for trial in trials}
    selection = Selection(frozenset(tallies), portal.target.not_offered, stopped=False, allow_incomplete=False)
    return decide(edition.clauses, tallies, deviations, selection)


def judge_record(record: Record, edition: Edition) -> RunVerdict:
    """The verdict on a record, from the same tests as a run with pytest."""
    player = CassetteTransport(record.cassette)
    world = PortalSession(edition, Portal(record.target, player), judges_implied=True)
    tests = {name: (feed, body) for name, feed, body in suite_tests()}
    trials = [
        Trial(world, edition.clauses[name], *tests[name], (), True, ClauseResult(name)) for name in trial_order(edition)
    ]
    hold = proceedings(Planned(plan_from(record.plan)), world, trials, SEED)
    for trial in trials:
        hold(trial)
        if player.missing:
            note_missing(trial.tally, record.judged.get(trial.clause.id, 0))
    tallies = {trial.clause.id: trial.tally for trial in trials}
    selection = Selection(frozenset(tallies), frozenset(), False, False, player.missing)
    return decide(edition.clauses, tallies, (), selection)


def judge_client(
    command: str,
    edition: Edition,
    *,
    draws: int,
    timeout_seconds: float,
    deviations: tuple[Deviation, ...] = (),
    only: Collection[str] | None = None,
) -> RunVerdict:
    """The verdict on a client library, from the same tests as a run with pytest. only: the clauses to try."""
    tests = {name: (feed, body) for name, feed, body in client_tests()}
    tallies = {name: ClauseResult(name) for name in edition.client_clauses if only is None or name in only}
    with gate_of(ClientOptions(words_of(command), timeout_seconds, https=False), edition) as gate:
        for name, tally in tallies.items():
            feed, body = tests[name]
            ClientTrial(gate, edition.client_clauses[name], feed, body, deviations, tally).run(SEED, draws)
    selection = Selection(frozenset(tallies), frozenset(), stopped=False, allow_incomplete=False)
    return decide(edition.client_clauses, tallies, deviations, selection)


@cache
def suite_tests() -> tuple[tuple[str, Feed, Body], ...]:
    """The tests of the suite: the clause, what the test is fed with, and what it demands."""
    return tuple(mark for name in _modules() if name != "test_client" for mark in _tests(name))


@cache
def client_tests() -> tuple[tuple[str, Rounds | Sent, Body], ...]:
    """The tests of client libraries, in the same form."""
    return tuple(_tests("test_client"))


def _modules() -> list[str]:
    names = (entry.name for entry in files("conformance").iterdir())
    return [name.removesuffix(".py") for name in names if name.startswith("test_")]


def _tests(module: str) -> Iterator[Any]:
    for item in vars(import_module(f"conformance.{module}")).values():
        for mark in getattr(item, "pytestmark", []):
            yield mark.args
