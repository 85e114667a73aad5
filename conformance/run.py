"""One run of the suite: what was asked for, and what came of it so far."""

import random
import time
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

import pytest

from conformance.contract.edition import Edition, load_edition
from conformance.judging.deviations import Deviation, load_deviations
from conformance.judging.trial import Tally
from conformance.portals.target import Target, load_target
from conformance.problem import Problem
from conformance.reporting.report import RunFacts

LEVELS: Final = ("documented", "implied")
SEED_INPUT: Final = "vote_conformance_seed"
"""Under this name a worker of pytest-xdist is told the seed."""


@dataclass(slots=True)
class Run:
    """collected: the clauses whose tests are to run. tallies: by clause, what came of its trial."""

    target: Target
    edition: Edition
    level: str
    deviations: tuple[Deviation, ...]
    seed: int
    report_folder: Path
    allow_incomplete: bool
    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    clock: float = field(default_factory=time.monotonic)
    collected: set[str] = field(default_factory=set)
    tallies: dict[str, Tally] = field(default_factory=dict)
    requests: int = 0
    writes: int = 0

    def facts(self) -> RunFacts:
        """What the report says of the run, as it stands now."""
        return RunFacts(
            edition=self.edition.name,
            target=self.target,
            level=self.level,
            seed=self.seed,
            started=self.started,
            duration_seconds=time.monotonic() - self.clock,
            requests=self.requests,
            writes=self.writes,
        )


def run_of(config: pytest.Config) -> Run:
    """The run that the options of pytest ask for. Raises Problem."""
    target = load_target(config.getoption("--target"))
    if target.kind != "embedded" and config.getoption("numprocesses", default=None):
        raise Problem("-n: only the embedded portal can be judged by several workers: leave -n out for this target")
    given = config.getoption("--edition")
    name = target.edition if given is None else given
    if not name and given is None:
        raise Problem(f"{target.name}: no edition: put it into the target file or give --edition")
    level = config.getoption("--level")
    if level not in LEVELS:
        raise Problem(f"--level {level}: choose documented or implied")
    given = config.getoption("--deviations")
    path = target.deviations if given is None else Path(given)
    folder = config.getoption("--report-dir")
    return Run(
        target=target,
        edition=load_edition(name),
        level=level,
        deviations=() if path is None else load_deviations(path, date.today()),
        seed=_seed_of(config),
        report_folder=Path(folder) if folder else Path("reports") / target.name,
        allow_incomplete=config.getoption("--allow-incomplete"),
    )


def _seed_of(config: pytest.Config) -> int:
    told: dict[str, int] = getattr(config, "workerinput", {})
    if SEED_INPUT in told:
        return told[SEED_INPUT]
    given = config.getoption("--seed")
    if given is None:
        return random.SystemRandom().randrange(2**32)
    if not str(given).isdecimal():
        raise Problem(f"--seed {given}: give a whole number")
    return int(given)
