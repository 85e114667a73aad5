"""The settings of one run: what was asked for, checked, before anything is sent."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Final

from conformance.clients.process import words_of
from conformance.contract.clauses import Clause, Edition, default_edition, edition_names
from conformance.engine.detect_edition import CALLS, DetectedEdition, detect_edition
from conformance.engine.deviations import Deviation, load_deviations
from conformance.engine.plan import plan_of
from conformance.engine.plan_file import plan_from
from conformance.engine.workload import Exhaustive, Explore, Mode, Planned
from conformance.errors import UserError
from conformance.options import AUTO, Options
from conformance.target.client import network_portal
from conformance.target.environment import read_environment
from conformance.target.recording import Recording, is_interrupted, load_recording
from conformance.target.target import NO_LIMIT, Limit, Target, edition_of, embedded_target, load_target

DRAWS: Final = 100
"""How many calls Hypothesis may propose for each clause of a portal."""
CLIENT_DRAWS: Final = 60
"""How many calls Hypothesis may propose for each clause of a client library."""


@dataclass(frozen=True, slots=True)
class ClientOptions:
    """A client library under test.

    words: the program that drives it.
    https: True if it is given such a URL.
    jobs: how many programs work at the same time.
    max_seconds: the time after which no call is asked for any more.
    """

    words: list[str]
    timeout_seconds: float
    https: bool
    jobs: int
    max_seconds: float


@dataclass(frozen=True, slots=True)
class Settings:
    """What was asked for.

    level: the lowest level that is judged.
    deviation_file: where the deviations were read from.
    write_deviations: the file that the violations of the run are written to as deviations.
    update_deviations: True if deviations that are gone are taken out of their file.
    judged_file: the target file, or the adapter of the client library.
    client: the library under test; None where a portal is judged.
    client_draws: how many calls Hypothesis may propose for each clause of the library.
    record: what is replayed.
    records_to: the folder that is recorded to.
    may_write: True if --yes was given.
    overwrite: True if --overwrite was given.
    shows_texts: True if the texts of a live portal are shown on the terminal.
    edition_evidence: what the edition was chosen by, where the portal was asked.
    """

    edition: Edition
    target: Target = field(default_factory=embedded_target)
    mode: Mode = field(default_factory=lambda: Explore(DRAWS))
    level: str = "implied"
    seed: int = 1
    deviations: tuple[Deviation, ...] = ()
    deviation_file: Path | None = None
    write_deviations: Path | None = None
    update_deviations: bool = False
    judged_file: Path | None = None
    report_folder: Path = Path("reports")
    allow_incomplete: bool = False
    client: ClientOptions | None = None
    client_draws: int = CLIENT_DRAWS
    record: Recording | None = None
    records_to: Path | None = None
    may_write: bool = False
    overwrite: bool = False
    shows_texts: bool = False
    edition_evidence: tuple[str, ...] = ()

    @property
    def limit(self) -> Limit:
        """Return the limit that the requests are kept to: only a plan counts them."""
        return self.target.limit if self.target.kind == "url" and isinstance(self.mode, Planned) else NO_LIMIT

    @property
    def clauses(self) -> Mapping[str, Clause]:
        """The clauses that the run may judge."""
        return self.edition.clauses if self.client is None else self.edition.client_clauses

    @property
    def finds_all(self) -> bool:
        """Return True if the run looks for every violation, to write it down, and not for a few of each kind."""
        return self.write_deviations is not None


def settings_of(options: Options) -> Settings:
    """Return what the options ask for. May ask the portal for its edition. Raises UserError."""
    client = None
    if options.client is not None:
        client = ClientOptions(words_of(options.client), options.timeout, options.https, options.jobs, options.max_time)
    record = _record_of(options)
    target = load_target(options.target) if record is None else record.target
    if target.kind == "url":
        read_environment(target.ca_file)  # so that a wrong value is said before anything else
    given = default_edition() if client and options.edition is None else options.edition
    guess = _guessed(target) if (given or target.edition) == AUTO else None
    if guess is not None:
        # What was asked for that counts for the portal's limit too.
        target = replace(target, limit=replace(target.limit, burst=max(1, target.limit.burst - CALLS)))
    edition = edition_of(target, given if guess is None else guess.edition)
    mode = _mode_of(options, target, edition) if record is None else _replayed(options, record)
    path = target.deviations if options.deviations is None else options.deviations
    _check_deviations(options, path)
    deviations = () if path is None else load_deviations(path, date.today())
    return Settings(
        target=target,
        edition=edition,
        level=options.level,
        deviations=deviations,
        deviation_file=path,
        write_deviations=options.write_deviations,
        update_deviations=options.update_deviations,
        judged_file=_adapter_of(client.words) if client else Path(options.target),
        seed=options.seed,
        report_folder=options.report_dir or Path("reports") / _report_name(target, client, record),
        allow_incomplete=options.allow_incomplete,
        mode=mode,
        client=client,
        record=record,
        records_to=_records_to(options, target),
        may_write=options.yes,
        shows_texts=options.show_texts,
        overwrite=options.overwrite,
        edition_evidence=() if guess is None else guess.evidence,
    )


def _check_deviations(options: Options, path: Path | None) -> None:
    """Raise UserError where no deviation file could be written after the run. path: that of the run."""
    if options.update_deviations and path is None:
        raise UserError("--update-deviations: the run has no deviation file: give it with --deviations")
    written = options.write_deviations
    if written is not None and written.exists() and (path is None or not written.samefile(path)):
        raise UserError(
            f"--write-deviations {written}: it is there: give it with --deviations too, or give another name"
        )


def _guessed(target: Target) -> DetectedEdition:
    if target.kind != "url":
        names = " or ".join(edition_names())
        raise UserError(f"--edition auto: only a portal with a url is asked: give --edition {names}")
    portal = network_portal(target)
    try:
        return detect_edition(portal)
    finally:
        portal.close()


def _record_of(options: Options) -> Recording | None:
    folder = Path(options.target)
    return load_recording(folder) if folder.is_dir() or is_interrupted(folder) else None


def _replayed(options: Options, record: Recording) -> Mode:
    given = {
        "--exhaustive": options.exhaustive,
        "--budget": options.budget is not None,
        "--votes": options.votes is not None,
        "--no-votes": options.no_votes,
    }
    for name in (name for name, is_given in given.items() if is_given):
        raise UserError(f"{name}: a record is judged by the plan that it was made with: leave it out")
    folder = Path(options.target)
    plan = plan_from(record.plan, str(folder / "plan.json"))
    # A portal that does not read JSON is read back otherwise: then a read-back takes two requests.
    if record.exchanges > plan.requests + 1:
        raise UserError(f"{folder / 'cassette.json'}: more exchanges than the plan sends: record again")
    return Planned(plan, "; record again with this version")


def _records_to(options: Options, target: Target) -> Path | None:
    if options.record_mode != "rewrite":
        return None
    if target.kind != "url":
        raise UserError("--record-mode: only a portal with a url is recorded: give its target file with --target")
    return Path("cassettes") / target.name


def _adapter_of(words: list[str]) -> Path | None:
    """Return the file that drives a client library: the last word that names one; of module:function the module."""
    paths = [Path(word) for word in words[1:]]
    module = Path(words[-1].partition(":")[0].replace(".", "/")).with_suffix(".py")
    return next((path for path in (module, *reversed(paths), Path(words[0])) if path.is_file()), None)


def _report_name(target: Target, client: ClientOptions | None, record: Recording | None) -> str:
    """Return the name of the folder of the report. The replay of a portal must not take the place of its live run."""
    if client is not None:
        return _slug(client.words)
    return target.name if record is None else f"{target.name}-replay"


def _slug(words: list[str]) -> str:
    """A folder's name from the last word of a command."""
    return "client-" + re.sub(r"[^A-Za-z0-9]+", "-", Path(words[-1]).stem).strip("-")


def _mode_of(options: Options, target: Target, edition: Edition) -> Mode:
    if options.exhaustive and target.live:
        raise UserError("--exhaustive: each call counts on a live target: leave it out, and the plan is sent")
    if options.exhaustive:
        return Exhaustive()
    if options.planned or target.live:
        return Planned(plan_of(target, edition, options.budget, options.most_votes))
    return Explore(DRAWS)
