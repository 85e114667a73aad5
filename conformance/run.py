"""One run: what came of its settings so far."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from conformance.engine.deviations import UNFILLED, Deviation
from conformance.engine.exhaustive import Coverage, coverage_of
from conformance.engine.outcome_map import Combination
from conformance.reporting.report import RunFacts
from conformance.settings import Settings


def do_nothing() -> None:
    """Put nothing back: no vote was found."""


@dataclass(slots=True)
class Run:
    """What came of a run so far.

    started: when the run began; started_seconds: the same on the monotonic clock.
    writes: how many votes were accepted.
    voted_on: the sessions on which a vote was accepted.
    notes: what was asked once more, and other things to know beside the verdict.
    unrecorded: how many requests were not on the recording.
    client_name: the library as it names itself.
    put_back: puts the found votes back; does nothing where that is done.
    not_put_back: what of the found votes was not restored.
    left_behind: what else the run leaves on the portal.
    write_record: writes the recording when the run has come to its end.
    """

    settings: Settings
    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    started_seconds: float = field(default_factory=time.monotonic)
    requests: int = 0
    writes: int = 0
    voted_on: set[int] = field(default_factory=set)
    combinations: dict[Combination, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    unrecorded: int = 0
    client_name: str = ""
    put_back: Callable[[], None] = do_nothing
    not_put_back: tuple[str, ...] = ()
    left_behind: tuple[str, ...] = ()
    write_record: Callable[[Mapping[str, int]], None] | None = None

    def facts(self) -> RunFacts:
        """What the report says of the run, as it stands now."""
        asked = self.settings
        return RunFacts(
            edition=asked.edition.name,
            target=asked.target,
            client=self.client_name,
            edition_evidence=asked.edition_evidence,
            mode=type(asked.mode).__name__.lower(),
            # Of a client library no combinations are counted.
            coverage=Coverage(0, 0, (), ()) if asked.client else coverage_of(self.combinations, asked.target),
            level=asked.level,
            seed=asked.seed,
            started=self.started,
            duration_seconds=time.monotonic() - self.started_seconds,
            requests=self.requests,
            writes=self.writes,
            recorded=None if asked.record is None else asked.record.recorded,
            notes=self.notes + _unfilled(asked.deviations, asked.deviation_file),
            judged_file=_inside(asked.judged_file),
            deviation_file=_inside(asked.deviation_file),
        )


def _unfilled(deviations: tuple[Deviation, ...], path: Path | None) -> tuple[str, ...]:
    """Return a line about the entries of a deviation file that nobody filled in."""
    lines = ", ".join(str(entry.line) for entry in deviations if entry.is_unfilled)
    if path is None or not lines:
        return ()
    name = _inside(path) or path.name
    return (f"{name}: an entry excuses nothing until {UNFILLED} is replaced by a reason and a source: line {lines}",)


def _inside(path: Path | None) -> str:
    """Return the path as seen from the folder in which the run started; the empty text where it is no file below it."""
    here = Path.cwd()
    if path is None or not path.is_file() or not path.resolve().is_relative_to(here):
        return ""
    return path.resolve().relative_to(here).as_posix()
