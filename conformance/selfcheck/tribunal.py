"""Runs the suite without pytest against any portal, for the selfcheck's many portals."""

from collections.abc import Collection, Iterator
from functools import cache
from importlib import import_module
from importlib.resources import files
from typing import Final

from conformance.contract.edition import Edition
from conformance.judging.deviations import Deviation
from conformance.judging.feeds import Feed
from conformance.judging.mode import Mode, proceedings
from conformance.judging.trial import Body, Tally, Trial, trial_order
from conformance.judging.world import World
from conformance.portals.portal import Portal
from conformance.reporting.verdict import RunVerdict, Selection, decide

SEED: Final = 1


def judge_portal(
    portal: Portal,
    edition: Edition,
    mode: Mode,
    deviations: tuple[Deviation, ...] = (),
    only: Collection[str] | None = None,
) -> RunVerdict:
    """The verdict on a portal, from the same tests as a run with pytest. only: the clauses to try."""
    world = World(edition, portal, judges_implied=True)
    tests = {name: (feed, body) for name, feed, body in suite_tests()}
    trials: list[Trial] = []
    for name in trial_order(edition):
        # The first clause is always tried: it finds a vote that the portal accepts.
        wanted = only is None or name in only or not trials
        if wanted and name not in portal.target.not_offered:
            feed, body = tests[name]
            trials.append(Trial(world, edition.clauses[name], feed, body, deviations, True, Tally(name)))
    hold = proceedings(mode, world, trials, SEED)
    for trial in trials:
        hold(trial)
    tallies = {trial.clause.id: trial.tally for trial in trials}
    selection = Selection(frozenset(tallies), portal.target.not_offered, stopped=False, allow_incomplete=False)
    return decide(edition, tallies, deviations, selection)


@cache
def suite_tests() -> tuple[tuple[str, Feed, Body], ...]:
    """The tests of the suite: the clause, what the test is fed with, and what it demands."""
    return tuple(_tests())


def _tests() -> Iterator[tuple[str, Feed, Body]]:
    for entry in files("conformance").iterdir():
        if entry.name.startswith("test_"):
            module = import_module(f"conformance.{entry.name.removesuffix('.py')}")
            for item in vars(module).values():
                for mark in getattr(item, "pytestmark", []):
                    yield mark.args
