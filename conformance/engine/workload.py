"""The modes of a run: where the exchanges come from that the trials judge."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final

from conformance.engine.checks import never
from conformance.engine.exhaustive import sweep
from conformance.engine.log import ExchangeLog, perform
from conformance.engine.plan import Plan
from conformance.engine.preflight import preflight, preflight_requests
from conformance.engine.runner import Trial
from conformance.engine.session import PortalSession


@dataclass(frozen=True, slots=True)
class Explore:
    """Each clause sends its boundary values, and so many calls that Hypothesis proposes."""

    draws: int


@dataclass(frozen=True, slots=True)
class Exhaustive:
    """Every combination of classes in every encoding is sent, then the boundary values of each clause."""


@dataclass(frozen=True, slots=True)
class Planned:
    """The calls of a plan are sent, and no others; each is judged by every clause that it concerns.

    advice: what is added where no call of the plan is about a clause.
    """

    plan: Plan
    advice: str = ""


Mode = Explore | Exhaustive | Planned


@dataclass(frozen=True, slots=True)
class Watch:
    """What is heard of a plan. before: called after the preflight and before the first step. step: after each step."""

    before: Callable[[Plan], None] = lambda _plan: None
    step: Callable[[int, int], None] = lambda _done, _all: None


UNWATCHED: Final = Watch()


def proceedings(
    mode: Mode, world: PortalSession, trials: Collection[Trial], seed: int, watch: Watch = UNWATCHED
) -> Callable[[Trial], None]:
    """Sends what belongs to no single clause, and gives what then holds one trial. Raises Problem."""
    target = world.portal.target
    met = preflight(world, mode.plan.preflight if isinstance(mode, Planned) else preflight_requests(target))
    if isinstance(mode, Planned):
        watch.before(mode.plan)
        transcript = perform(world, mode.plan, met, watch.step)
        left_out = (
            f"{mode.plan.limit} leaves no call for it"
            if mode.plan.limit
            else "the plan brought nothing that it can be judged by"
        )
        return lambda trial: trial.hear(transcript, left_out + mode.advice)
    if isinstance(mode, Exhaustive):
        swept = [trial for trial in trials if trial.feed.sweeps is not never]

        def judge(brought: ExchangeLog) -> None:
            for trial in swept:
                trial.sweep(brought)

        # Every answer of the sweep is judged, so no shape is left for later.
        world.keeps_shapes = False
        sweep(world, judge)
        world.keeps_shapes = True
        return lambda trial: trial.run(seed, draws=0)
    draws = mode.draws
    return lambda trial: trial.run(seed, draws)
