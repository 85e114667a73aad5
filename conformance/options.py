"""The options of a run: one table that pytest, the command and its help read, and one dataclass of checked values."""

import argparse
import os
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from conformance.contract.clauses import edition_names
from conformance.errors import UserError
from conformance.loading import DEVIATIONS, file_or_shipped, shipped_recordings
from conformance.portals import BITRIX24

if TYPE_CHECKING:
    import pytest

AUTO: Final = "auto"
"""In place of an edition: the portal is asked."""
EDITIONS: Final = tuple(edition_names())
LEVELS: Final = ("documented", "implied")
RECORD_MODES: Final = ("none", "rewrite")
_SHIPPED_RECORD: Final = "record:"
JOBS: Final = 2 * (os.cpu_count() or 1)
"""Programs of a client library: most of the time a library waits."""
MOST_VOTES: Final = 45
"""So many votes a plan sends at most, unless another number is given."""
_MOST_PROGRAMS: Final = 64
_LONGEST_NUMBER: Final = 18
"""Digits of the largest whole number that an option takes."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """The checked values of the options of a run.

    target: "mock", the path of a target file, or the folder of a record.
    edition: an edition, "auto", or None for that of the target.
    level: "documented" or "implied".
    deviations: the deviation file, None for that of the target.
    write_deviations: the file to which the violations of the run are written as deviations.
    budget: the most requests of the plan, None for no limit.
    record_mode: "none" or "rewrite".
    client: the command of the client library under test, None where a portal is judged.
    timeout: seconds that one call of the client library may take.
    jobs: how many programs of the client library work at the same time.
    max_time: seconds after which no call of the client library is asked for any more.
    report_dir: the folder of the report, None for one with the name of the target.
    """

    target: str = "mock"
    edition: str | None = None
    level: str = "implied"
    deviations: Path | None = None
    write_deviations: Path | None = None
    update_deviations: bool = False
    allow_incomplete: bool = False
    plan: bool = False
    budget: int | None = None
    votes: int | None = None
    no_votes: bool = False
    exhaustive: bool = False
    yes: bool = False
    show_texts: bool = False
    overwrite: bool = False
    seed: int = field(default_factory=lambda: int.from_bytes(os.urandom(4), "big"))
    report_dir: Path | None = None
    record_mode: str = "none"
    client: str | None = None
    https: bool = False
    timeout: float = 20.0
    jobs: int = JOBS
    max_time: float = 900.0

    @property
    def target_is_file(self) -> bool:
        """Return True if a portal is called over the network: neither one of this package nor a record."""
        return self.target not in ("mock", BITRIX24) and not Path(self.target).is_dir()

    @property
    def planned(self) -> bool:
        """Return True if an option asks for a plan, whatever the target is."""
        return self.plan or self.is_limited or self.record_mode == "rewrite"

    @property
    def is_limited(self) -> bool:
        """Return True if an option says how much of the plan is sent."""
        return self.budget is not None or self.votes is not None or self.no_votes

    @property
    def most_votes(self) -> int:
        """Return how many votes a plan may send to a portal that takes everything."""
        if self.no_votes:
            return 0
        return MOST_VOTES if self.votes is None else self.votes


def one_of(name: str, value: str, choices: Sequence[str]) -> str:
    """Return the value. Raises UserError if it is not one of the choices."""
    if value not in choices:
        raise UserError(f"{name} {value}: choose {', '.join(choices[:-1])} or {choices[-1]}")
    return value


def _whole_number(name: str, value: str) -> int:
    if not value.isdecimal() or len(value) > _LONGEST_NUMBER:
        raise UserError(f"{name} {value}: give a whole number")
    return int(value)


def _seconds(name: str, value: str) -> float:
    try:
        seconds = float(value)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < threading.TIMEOUT_MAX:
        raise UserError(f"{name} {value}: give seconds, a number above 0")
    return seconds


@dataclass(frozen=True, slots=True)
class Option:
    """One option of a run.

    name: as a user writes it, with its dashes.
    group: the heading under which help shows it.
    metavar: the name of its value in help, empty for a flag.
    choices: the values that it takes, empty where they cannot be listed.
    parse: makes the value out of the text of a user. Raises UserError.
    declared: False if another plugin of pytest declares the option.
    """

    name: str
    group: str
    help: str
    metavar: str = ""
    choices: tuple[str, ...] = ()
    parse: Callable[[str, str], Any] = lambda _, value: value
    declared: bool = True

    @property
    def field(self) -> str:
        """Return the name of its field in Options."""
        return self.name.removeprefix("--").replace("-", "_")

    @property
    def shown_value(self) -> str:
        """Return its value as help shows it: the choices, else the name of the value."""
        return "|".join(self.choices) or self.metavar

    def read(self, value: Any) -> Any:
        """Return the checked value of what a user gave. Raises UserError."""
        if not self.metavar:
            return bool(value)
        return one_of(self.name, value, self.choices) if self.choices else self.parse(self.name, value)


def _some_programs(name: str, value: str) -> int:
    number = _whole_number(name, value)
    if not 1 <= number <= _MOST_PROGRAMS:
        raise UserError(f"{name} {value}: give 1 to {_MOST_PROGRAMS} programs")
    return number


def _path(_name: str, value: str) -> Path:
    return Path(value)


def _deviations(_name: str, value: str) -> Path:
    return file_or_shipped(Path(), value, DEVIATIONS)


def _target(_name: str, value: str) -> str:
    if not value.startswith(_SHIPPED_RECORD):
        return value
    folder = shipped_recordings()
    shipped = sorted(path.name for path in folder.iterdir())
    name = one_of("--target", value, [_SHIPPED_RECORD + name for name in shipped])
    return str(folder / name.removeprefix(_SHIPPED_RECORD))


_JUDGED: Final = "what is judged"
_SENT: Final = "how much is sent"
_WRITTEN: Final = "what is written"
_CLIENT: Final = "a client library in place of a portal"

OPTIONS: Final = (
    Option(
        "--target",
        _JUDGED,
        "`mock` (default) or `bitrix24` (portals in this package), a target file, a record's folder, or `record:NAME`.",
        "T",
        parse=_target,
    ),
    Option(
        "--edition",
        _JUDGED,
        "Edition of the documentation; auto asks the portal. Default: the target's.",
        "E",
        (*EDITIONS, AUTO),
    ),
    Option("--level", _JUDGED, "documented: judge only that. implied: judge both (the default).", "L", LEVELS),
    Option(
        "--deviations",
        _JUDGED,
        "Known deviations of the target: a file, or `bitrix24-portal`.",
        "FILE",
        parse=_deviations,
    ),
    Option("--allow-incomplete", _JUDGED, "Exit 0 although documented clauses were not exercised."),
    Option("--plan", _SENT, "Send the plan and nothing else. The default on a live target."),
    Option("--budget", _SENT, "The plan with so many requests at most.", "N", parse=_whole_number),
    Option(
        "--votes",
        _SENT,
        "So many votes at most on a portal that takes everything. Default: 45.",
        "N",
        parse=_whole_number,
    ),
    Option("--no-votes", _SENT, "The plan without calls that could write on some portal."),
    Option("--exhaustive", _SENT, "Send every combination of classes in every encoding."),
    Option("--yes", _SENT, "Send votes to a live target without asking."),
    Option("--overwrite", _SENT, "Vote also where the present vote cannot be read. It is lost."),
    Option("--seed", _SENT, "Seed of the drawn calls, as an earlier run printed it.", "N", parse=_whole_number),
    Option("--show-texts", _WRITTEN, "Show the answers of a live portal on the terminal. No file ever holds them."),
    Option("--report-dir", _WRITTEN, "Folder of the report. Default: reports/<target>.", "DIR", parse=_path),
    Option(
        "--record-mode",
        _WRITTEN,
        "rewrite: keep every exchange under cassettes/<target>.",
        "MODE",
        RECORD_MODES,
        declared=False,
    ),
    Option(
        "--write-deviations",
        _WRITTEN,
        "Write the violations as known deviations, with reasons to fill in.",
        "FILE",
        parse=_path,
    ),
    Option("--update-deviations", _WRITTEN, "Take the entries that hold again out of the deviation file."),
    Option("--client", _CLIENT, "Judge a client library: a program, or module:function of Python.", "CMD"),
    Option("--https", _CLIENT, "Give the client library a URL with https."),
    Option(
        "--timeout",
        _CLIENT,
        f"Seconds that a call of the client may take. Default: {Options.timeout:g}.",
        "S",
        parse=_seconds,
    ),
    Option(
        "--jobs",
        _CLIENT,
        "Programs of the client that work at the same time. Default: two for each core.",
        "N",
        parse=_some_programs,
    ),
    Option(
        "--max-time",
        _CLIENT,
        f"Seconds that the gate may take; what was not asked then is incomplete. Default: {Options.max_time:g}.",
        "S",
        parse=_seconds,
    ),
)
GROUPS: Final = {
    group: [option for option in OPTIONS if option.group == group] for group in (_JUDGED, _SENT, _WRITTEN, _CLIENT)
}


def add_options(parser: "pytest.Parser") -> None:
    """Declare the options in pytest."""
    for option in OPTIONS:
        group = parser.getgroup(option.group, f"vote-conformance: {option.group}")
        if not option.declared:
            continue
        # pytest's own check of choices answers with a page: `read` answers with a line.
        if option.metavar:
            group.addoption(option.name, metavar=option.shown_value, help=option.help)
        else:
            group.addoption(option.name, action="store_true", help=option.help)
    parser.getgroup(_CLIENT).addoption("--cap", dest="timeout", help=argparse.SUPPRESS)


def options_of(config: "pytest.Config") -> Options:
    """Return the options of a run of pytest. Raises UserError."""
    return checked({option.field: config.getoption(option.field, default=None) for option in OPTIONS})


def checked(given: Mapping[str, Any]) -> Options:
    """Return the options with these values by field; None and False count as not given. Raises UserError."""
    present = [option for option in OPTIONS if given.get(option.field) not in (None, False)]
    options = Options(**{option.field: option.read(given[option.field]) for option in present})
    _check_together(options, [option.name for option in present])
    return options


def _check_together(options: Options, given: Collection[str]) -> None:
    if options.client is None and {"--timeout", "--https", "--jobs", "--max-time"} & set(given):
        raise UserError("--timeout, --https, --jobs and --max-time go with --client: leave them out")
    if options.client is not None:
        for name in ("--plan", "--exhaustive", "--budget", "--votes", "--no-votes"):
            if name in given:
                raise UserError(f"{name}: it is about portals: leave it out with --client")
        if options.target != Options.target:
            raise UserError(
                "--target: a client library is judged on the portal of the suite: leave it out with --client"
            )
    if options.record_mode == "rewrite" and options.client is not None:
        raise UserError("--record-mode: only a portal with a url is recorded: leave it out with --client")
    if options.record_mode == "rewrite" and options.exhaustive:
        raise UserError("--record-mode: a plan is recorded: leave --exhaustive out")
    if options.votes is not None and options.no_votes:
        raise UserError("--votes and --no-votes: give one of them")
    if options.exhaustive and options.planned:
        raise UserError("--exhaustive: it does not go with --plan, --budget, --votes or --no-votes: choose one mode")
