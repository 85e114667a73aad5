"""The modes of a run: where the exchanges come from that the trials judge."""

from collections.abc import Callable, Collection
from dataclasses import dataclass

from conformance.judging.feeds import never
from conformance.judging.plan import Plan
from conformance.judging.preflight import preflight
from conformance.judging.sweep import sweep
from conformance.judging.transcript import Transcript, perform
from conformance.judging.trial import Trial
from conformance.judging.world import World


@dataclass(frozen=True, slots=True)
class Explore:
    """Each clause sends its boundary values, and so many calls that Hypothesis proposes."""

    draws: int


@dataclass(frozen=True, slots=True)
class Exhaustive:
    """Every combination of classes in every encoding is sent, then the boundary values of each clause."""


@dataclass(frozen=True, slots=True)
class Planned:
    """The calls of a plan are sent, and no others; each is judged by every clause that it concerns."""

    plan: Plan


Mode = Explore | Exhaustive | Planned


def proceedings(mode: Mode, world: World, trials: Collection[Trial], seed: int) -> Callable[[Trial], None]:
    """Sends what belongs to no single clause, and gives what then holds one trial. Raises Problem."""
    met = preflight(world)
    if isinstance(mode, Planned):
        transcript = perform(world, mode.plan, met)
        limit = mode.plan.limit
        return lambda trial: trial.hear(transcript, limit)
    if isinstance(mode, Exhaustive):
        swept = [trial for trial in trials if trial.feed.sweeps is not never]

        def judge(brought: Transcript) -> None:
            for trial in swept:
                trial.sweep(brought)

        # Every answer of the sweep is judged, so no shape is left for later.
        world.keeps_shapes = False
        sweep(world, judge)
        world.keeps_shapes = True
        return lambda trial: trial.run(seed, draws=0)
    draws = mode.draws
    return lambda trial: trial.run(seed, draws)
