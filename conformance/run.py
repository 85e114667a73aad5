"""One run of the suite: what was asked for, and what came of it so far."""

import random
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

import pytest

from conformance.clients.process import words_of
from conformance.contract.classes import session_classes
from conformance.contract.clauses import Clause, Edition, edition_names, load_edition
from conformance.engine.detect_edition import CALLS, DetectedEdition, detect_edition
from conformance.engine.deviations import Deviation, load_deviations
from conformance.engine.exhaustive import Coverage, coverage_of
from conformance.engine.plan import plan_of
from conformance.engine.plan_file import plan_from
from conformance.engine.results import ClauseResult
from conformance.engine.session import Combination
from conformance.engine.workload import Exhaustive, Explore, Mode, Planned
from conformance.errors import UserError
from conformance.reporting.report import RunFacts
from conformance.target.client import network_portal
from conformance.target.recording import Record, is_interrupted, load_record
from conformance.target.target import Target, load_target

DRAWS: Final = 100
"""How many calls Hypothesis may propose for each clause."""
DEFAULT_CAP: Final = 20.0
"""Seconds that one call of a client library may take."""
LEVELS: Final = ("documented", "implied")
AUTO: Final = "auto"
"""In place of an edition: the portal is asked."""
CLIENT_EDITION: Final = edition_names()[-1]
"""Client libraries of today speak to portals of today."""
SEED_INPUT: Final = "vote_conformance_seed"
"""Under this name a worker of pytest-xdist is told the seed."""


@dataclass(frozen=True, slots=True)
class ClientOptions:
    """A client library under test. words: the program that drives it. https: whether it is given such a URL."""

    words: list[str]
    timeout_seconds: float
    https: bool


@dataclass(slots=True)
class Run:
    """collected: the clauses whose tests are to run. tallies: by clause, what came of its trial.

    client: the library under test, None where the target is; client_name: as it names itself. edition_evidence: by what
    the edition was chosen, where the portal was asked. record: what is replayed; unrecorded: how many requests were not
    on it. records_to: the folder that is recorded to; write_record: does so when the run came to its end. may_write:
    whether --yes was given; not_put_back: what of the found vote was not.
    """

    target: Target
    edition: Edition
    level: str
    deviations: tuple[Deviation, ...]
    deviation_file: Path | None
    seed: int
    report_folder: Path
    allow_incomplete: bool
    mode: Mode
    client: ClientOptions | None
    record: Record | None
    records_to: Path | None
    may_write: bool
    edition_evidence: tuple[str, ...] = ()
    client_name: str = ""
    unrecorded: int = 0
    write_record: Callable[[Mapping[str, int]], None] | None = None
    not_put_back: str = ""
    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    clock: float = field(default_factory=time.monotonic)
    collected: set[str] = field(default_factory=set)
    tallies: dict[str, ClauseResult] = field(default_factory=dict)
    combinations: set[Combination] = field(default_factory=set)
    requests: int = 0
    writes: int = 0

    @property
    def clauses(self) -> Mapping[str, Clause]:
        """The clauses that the run may judge."""
        return self.edition.clauses if self.client is None else self.edition.client_clauses

    def _coverage(self) -> Coverage:
        """Of a client library no combinations are counted."""
        if self.client is not None:
            return Coverage(0, 0, ())
        return coverage_of(self.combinations, session_classes(self.target.sessions, self.target.live))

    def facts(self) -> RunFacts:
        """What the report says of the run, as it stands now."""
        return RunFacts(
            edition=self.edition.name,
            target=self.target,
            client=self.client_name,
            edition_evidence=self.edition_evidence,
            mode=type(self.mode).__name__.lower(),
            coverage=self._coverage(),
            level=self.level,
            seed=self.seed,
            started=self.started,
            duration_seconds=time.monotonic() - self.clock,
            requests=self.requests,
            writes=self.writes,
        )


def run_of(config: pytest.Config) -> Run:
    """The run that the options of pytest ask for. Raises Problem."""
    client = _client_of(config)
    record = _record_of(config)
    target = load_target(config.getoption("--target")) if record is None else record.target
    given = config.getoption("--edition") or (CLIENT_EDITION if client else None)
    guess = _guessed(target) if given == AUTO else None
    if guess is not None:
        # What was asked for that counts for the portal's limit too.
        target = replace(target, limit=replace(target.limit, burst=max(1, target.limit.burst - CALLS)))
    edition = edition_of(target, given if guess is None else guess.edition)
    mode = _mode_of(config, target, edition) if record is None else _replayed(config, record)
    parallel = target.kind == "embedded" and isinstance(mode, Explore) and client is None
    if config.getoption("numprocesses", default=None) and not parallel:
        raise UserError(
            "-n: only the embedded portal can be judged by several workers, and only explored: leave -n out"
        )
    level = config.getoption("--level")
    if level not in LEVELS:
        raise UserError(f"--level {level}: choose documented or implied")
    deviations = config.getoption("--deviations")
    path = target.deviations if deviations is None else Path(deviations)
    folder = config.getoption("--report-dir")
    return Run(
        target=target,
        edition=edition,
        level=level,
        deviations=() if path is None else load_deviations(path, date.today()),
        deviation_file=path,
        seed=_seed_of(config),
        report_folder=Path(folder) if folder else Path("reports") / (_slug(client.words) if client else target.name),
        allow_incomplete=config.getoption("--allow-incomplete"),
        mode=mode,
        client=client,
        record=record,
        records_to=_records_to(config, target, client),
        may_write=config.getoption("--yes"),
        edition_evidence=() if guess is None else guess.evidence,
    )


def _guessed(target: Target) -> DetectedEdition:
    if target.kind != "url":
        raise UserError("--edition auto: only a portal with a url is asked: give --edition 2024-10 or 2026-03")
    portal = network_portal(target)
    try:
        return detect_edition(portal)
    finally:
        portal.close()


def _record_of(config: pytest.Config) -> Record | None:
    folder = Path(config.getoption("--target"))
    return load_record(folder) if folder.is_dir() or is_interrupted(folder) else None


def _replayed(config: pytest.Config, record: Record) -> Mode:
    for name in ("exhaustive", "budget", "no_votes"):
        if config.getoption(f"--{name.replace('_', '-')}"):
            raise UserError(
                f"--{name.replace('_', '-')}: a record is judged by the plan that it was made with: leave it out"
            )
    folder = Path(config.getoption("--target"))
    plan = plan_from(record.plan, str(folder / "plan.json"))
    # A portal that does not read JSON is read back otherwise: then a read-back takes two requests.
    if record.exchanges > plan.requests + 1:
        raise UserError(f"{folder / 'cassette.json'}: more exchanges than the plan sends: record again")
    return Planned(plan, "; record again with this version")


def _records_to(config: pytest.Config, target: Target, client: ClientOptions | None) -> Path | None:
    mode = config.getoption("--record-mode", default=None)
    if mode in (None, "none"):
        return None
    if mode != "rewrite":
        raise UserError(f"--record-mode={mode}: a plan is recorded whole or not at all: use --record-mode=rewrite")
    if target.kind != "url" or client is not None:
        raise UserError("--record-mode: only a portal with a url is recorded: give its target file with --target")
    if config.getoption("--exhaustive"):
        raise UserError("--record-mode: a plan is recorded: leave --exhaustive out")
    return Path("cassettes") / target.name


def _client_of(config: pytest.Config) -> ClientOptions | None:
    command, cap = config.getoption("--client"), config.getoption("--cap")
    if command is None:
        if cap is not None or config.getoption("--https"):
            raise UserError("--cap and --https go with --client: leave them out")
        return None
    for name in ("plan", "exhaustive", "budget", "no_votes"):
        if config.getoption(f"--{name.replace('_', '-')}"):
            raise UserError(f"--{name.replace('_', '-')}: it is about portals: leave it out with --client")
    if config.getoption("--target") != "mock":
        raise UserError("--target: a client library is judged on the portal of the suite: leave it out with --client")
    try:
        seconds = DEFAULT_CAP if cap is None else float(cap)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < threading.TIMEOUT_MAX:
        raise UserError(f"--cap {cap}: give seconds, a number above 0")
    return ClientOptions(words_of(command), seconds, config.getoption("--https"))


def _slug(words: list[str]) -> str:
    """A folder's name from the last word of a command."""
    return "client-" + re.sub(r"[^A-Za-z0-9]+", "-", Path(words[-1]).stem).strip("-")


def edition_of(target: Target, given: str | None) -> Edition:
    """The edition that a target is judged by: the one that was given, else its own. Raises Problem."""
    name = target.edition if given is None else given
    if not name and given is None:
        raise UserError(f"{target.name}: no edition: put it into the target file or give --edition")
    return load_edition(name)


def budget_of(given: str | None) -> int | None:
    """The number of requests that --budget allows. Raises Problem."""
    if given is not None and not given.isdecimal():
        raise UserError(f"--budget {given}: give a whole number of requests")
    return None if given is None else int(given)


def _mode_of(config: pytest.Config, target: Target, edition: Edition) -> Mode:
    exhaustive, votes = config.getoption("--exhaustive"), not config.getoption("--no-votes")
    budget = budget_of(config.getoption("--budget"))
    records = config.getoption("--record-mode", default=None) == "rewrite"
    planned = config.getoption("--plan") or budget is not None or not votes or records
    if exhaustive and planned:
        raise UserError("--exhaustive: it does not go with --plan, --budget or --no-votes: choose one mode")
    if exhaustive and target.live:
        raise UserError("--exhaustive: each call counts on a live target: leave it out, and the plan is sent")
    if exhaustive:
        return Exhaustive()
    return Planned(plan_of(target, edition, budget, votes)) if planned or target.live else Explore(DRAWS)


def _seed_of(config: pytest.Config) -> int:
    told: dict[str, int] = getattr(config, "workerinput", {})
    if SEED_INPUT in told:
        return told[SEED_INPUT]
    given = config.getoption("--seed")
    if given is None:
        return random.SystemRandom().randrange(2**32)
    if not str(given).isdecimal():
        raise UserError(f"--seed {given}: give a whole number")
    return int(given)
