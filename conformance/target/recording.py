"""A recording of a portal: the folder with its cassette, the plan that was run, and where all this comes from.

cassette.json    the exchanges, in vcrpy's format
plan.json        what was sent, in order
target.toml      name, edition, sessions, callers; recorded when, by which version, from what kind of portal
deviations.toml  the portal's known deviations, where the run was given any
"""

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from msgspec import UNSET, Meta, UnsetType

from conformance.contract.clauses import edition_names
from conformance.errors import UserError
from conformance.exchange.call import Caller
from conformance.loading import fit, load, parse, quoted, read_text
from conformance.target.redact import Redactor
from conformance.target.secrets import Secret, SecretUrl
from conformance.target.target import SessionsEntry, Target, check_name, checked_not_offered, checked_sessions
from conformance.target.transports import PLACEHOLDER_BASES, PLACEHOLDER_TOKEN

CASSETTE: Final = "cassette.json"
PLAN: Final = "plan.json"
TARGET: Final = "target.toml"
DEVIATIONS: Final = "deviations.toml"
_LARGEST_FILE: Final = 8 * 2**20


@dataclass(frozen=True, slots=True)
class _RequestEntry:
    method: str
    uri: str
    body: str | None
    headers: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class _StatusEntry:
    code: Annotated[int, Meta(ge=100, le=999)]
    message: str = ""


@dataclass(frozen=True, slots=True)
class _BodyEntry:
    string: str | UnsetType = UNSET
    base64: str | UnsetType = UNSET


@dataclass(frozen=True, slots=True)
class _ResponseEntry:
    status: _StatusEntry
    headers: Mapping[str, tuple[str, ...]]
    body: _BodyEntry


@dataclass(frozen=True, slots=True)
class _InteractionEntry:
    request: _RequestEntry
    response: _ResponseEntry


@dataclass(frozen=True, slots=True)
class CassetteFile:
    """The form of cassette.json."""

    version: Literal[1]
    interactions: Annotated[tuple[_InteractionEntry, ...], Meta(min_length=1)]


@dataclass(frozen=True, slots=True)
class RecordedTargetFile:
    """The form of target.toml."""

    name: str
    edition: str
    recorded: datetime
    suite_version: str
    portal: str
    live: bool
    callers: tuple[str, ...]
    not_offered: tuple[str, ...]
    sessions: SessionsEntry
    judged: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Recording:
    """A recording.

    cassette: the text of its file.
    plan: a JSON document.
    judged: by clause, how many exchanges the first run judged.
    """

    target: Target
    cassette: str
    plan: Any
    judged: Mapping[str, int]
    suite_version: str
    recorded: datetime

    @property
    def exchanges(self) -> int:
        return len(json.loads(self.cassette)["interactions"])


def write_recording(folder: Path, record: Recording, redactor: Redactor) -> None:
    """Write the folder, whole or not at all. Raise UserError if a value is in it that must not be recorded."""
    files = {
        CASSETTE: record.cassette,
        PLAN: json.dumps(record.plan, indent=1) + "\n",
        TARGET: _target_text(record),
    }
    if record.target.deviations is not None:
        files[DEVIATIONS] = record.target.deviations.read_text("utf-8")
    for name, text in files.items():
        if redactor.leaks(text):
            raise UserError(
                f"{folder / name}: it would hold a secret, the host or a private value, which a call itself sends: "
                "nothing was recorded; see `private` in the target file"
            )
    new, old = folder.with_name(f".{folder.name}.new"), _old(folder)
    try:
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(parents=True)
        for name, text in files.items():
            (new / name).write_text(text, "utf-8")
        shutil.rmtree(old, ignore_errors=True)
        if folder.exists():
            folder.rename(old)
        new.rename(folder)
        shutil.rmtree(old, ignore_errors=True)
    except OSError as error:
        raise UserError(f"{folder}: cannot write the record ({error.strerror})") from None


def is_interrupted(folder: Path) -> bool:
    """Return True if a recording was ended between its last two steps: its predecessor then stands beside its place."""
    return bool(folder.name) and not folder.exists() and _old(folder).exists()


def load_recording(folder: Path) -> Recording:
    """Return the recording in a folder. Raise UserError; execute nothing."""
    if is_interrupted(folder):
        _old(folder).rename(folder)
    try:
        form = load(folder / TARGET, RecordedTargetFile)
        cassette = read_text(folder / CASSETTE, _LARGEST_FILE)
        _check_bodies(fit(parse(cassette, "JSON", folder / CASSETTE), CassetteFile, folder / CASSETTE), folder)
        plan = parse(read_text(folder / PLAN, _LARGEST_FILE), "JSON", folder / PLAN)
        return Recording(_target(form, folder), cassette, plan, form.judged, form.suite_version, form.recorded)
    except UserError as error:
        raise UserError(f"{error}: record again") from None


def _target(form: RecordedTargetFile, folder: Path) -> Target:
    path = folder / TARGET
    check_name(form.name, path)
    if form.edition not in edition_names():
        raise UserError(f"{path}: edition: unknown edition {quoted(form.edition)}")
    known = {caller.name: caller for caller in PLACEHOLDER_BASES}
    for name in form.callers:
        if name not in known:
            raise UserError(f"{path}: callers: unknown caller {quoted(name)}")
    if Caller.MAIN.name not in form.callers:
        raise UserError(f"{path}: callers: MAIN is missing")
    sessions = checked_sessions(form.sessions, path)
    return Target(
        name=form.name,
        kind="recorded",
        edition=form.edition,
        live=form.live,
        callers={known[name]: SecretUrl(PLACEHOLDER_BASES[known[name]]) for name in form.callers},
        token=Secret(PLACEHOLDER_TOKEN),
        sessions=sessions,
        not_offered=checked_not_offered(form.not_offered, sessions, path),
        deviations=folder / DEVIATIONS if (folder / DEVIATIONS).exists() else None,
        portal=form.portal,
    )


def _check_bodies(cassette: CassetteFile, folder: Path) -> None:
    for number, interaction in enumerate(cassette.interactions, 1):
        body = interaction.response.body
        if isinstance(body.string, UnsetType) == isinstance(body.base64, UnsetType):
            place = f"{folder / CASSETTE}: interactions {number}: response.body"
            raise UserError(f"{place}: give either string or base64")


def _old(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.old")


def _target_text(record: Recording) -> str:
    # The texts, numbers and lists of JSON are TOML too.
    target = record.target
    recorded = record.recorded.isoformat(timespec="seconds").replace("+00:00", "Z")
    lines = [
        f"name = {json.dumps(target.name)}",
        f"edition = {json.dumps(target.edition)}",
        f"recorded = {recorded}",
        f"suite_version = {json.dumps(record.suite_version)}",
        f"portal = {json.dumps(target.portal or 'unknown')}",
        f"live = {json.dumps(target.live)}",
        f"callers = {json.dumps(sorted(caller.name for caller in target.callers))}",
        f"not_offered = {json.dumps(sorted(target.not_offered))}",
        "[sessions]",
        *(f"{state} = {number}" for state, number in target.sessions.items()),
        "[judged]",
        *(f"{json.dumps(clause)} = {number}" for clause, number in sorted(record.judged.items())),
    ]
    return "\n".join(lines) + "\n"
