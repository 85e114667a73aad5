"""A portal on record: the folder with its cassette, the plan that was run, and where all this comes from.

cassette.json    the exchanges, in vcrpy's format
plan.json        what was sent, in order
target.toml      name, edition, sessions, callers; recorded when, by which version, from what kind of portal
deviations.toml  the portal's known deviations, where the run was given any
"""

import errno
import json
import re
import shutil
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import jsonschema

from conformance.contract.clauses import check_keys, edition_names
from conformance.errors import UserError
from conformance.exchange.call import Caller
from conformance.target.redact import Redactor
from conformance.target.secrets import Secret, SecretUrl
from conformance.target.target import Target, check_not_offered, check_sessions
from conformance.target.transports import PLACEHOLDER_BASES, PLACEHOLDER_TOKEN

CASSETTE: Final = "cassette.json"
PLAN: Final = "plan.json"
TARGET: Final = "target.toml"
DEVIATIONS: Final = "deviations.toml"
_LARGEST_FILE: Final = 8 * 2**20
_TEXTS: Final = {"type": "array", "items": {"type": "string"}}
_CASSETTE_SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["version", "interactions"],
    "additionalProperties": False,
    "properties": {
        "version": {"const": 1},
        "interactions": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["request", "response"],
                "additionalProperties": False,
                "properties": {
                    "request": {
                        "type": "object",
                        "required": ["method", "uri", "body", "headers"],
                        "additionalProperties": False,
                        "properties": {
                            "method": {"type": "string"},
                            "uri": {"type": "string"},
                            "body": {"type": ["string", "null"]},
                            "headers": {"type": "object", "additionalProperties": _TEXTS},
                        },
                    },
                    "response": {
                        "type": "object",
                        "required": ["status", "headers", "body"],
                        "additionalProperties": False,
                        "properties": {
                            "status": {
                                "type": "object",
                                "required": ["code"],
                                "properties": {"code": {"type": "integer", "minimum": 100, "maximum": 999}},
                            },
                            "headers": {"type": "object", "additionalProperties": _TEXTS},
                            "body": {
                                "type": "object",
                                "minProperties": 1,
                                "maxProperties": 1,
                                "additionalProperties": False,
                                "properties": {"string": {"type": "string"}, "base64": {"type": "string"}},
                            },
                        },
                    },
                },
            },
        },
    },
}


@dataclass(frozen=True, slots=True)
class Record:
    """A record. plan: a JSON document. judged: by clause, how many exchanges the first run judged."""

    target: Target
    cassette: str
    plan: Any
    judged: Mapping[str, int]
    suite_version: str
    recorded: datetime

    @property
    def exchanges(self) -> int:
        return len(json.loads(self.cassette)["interactions"])


def write_record(folder: Path, record: Record, redactor: Redactor) -> None:
    """Writes the folder, whole or not at all. Raises Problem where a value is in it that must not be recorded."""
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
    """Whether a recording was ended between its last two steps: the record of before stands beside its place."""
    return bool(folder.name) and not folder.exists() and _old(folder).exists()


def load_record(folder: Path) -> Record:
    """The record in a folder. Raises Problem; executes nothing."""
    if is_interrupted(folder):
        _old(folder).rename(folder)
    try:
        data = tomllib.loads(_text_of(folder / TARGET))
    except ValueError as error:  # of a number that is too long too
        raise UserError(f"{folder / TARGET}: not valid TOML: {error}") from None
    where = str(folder / TARGET)
    required = {"name": str, "edition": str, "recorded": datetime, "suite_version": str, "portal": str, "live": bool}
    required |= {"callers": list, "sessions": dict, "not_offered": list, "judged": dict}
    check_keys(data, required, {}, where)
    if data["edition"] not in edition_names():
        raise UserError(f"{where}: edition: unknown edition {data['edition']!r}: record again")
    known = {caller.name: caller for caller in PLACEHOLDER_BASES}
    for name in data["callers"]:
        if not isinstance(name, str) or name not in known:
            raise UserError(f"{where}: callers: unknown caller {name!r}")
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", data["name"]):
        raise UserError(f"{where}: name: use letters, digits, dot, dash and underscore")
    for clause, number in data["judged"].items():
        if not isinstance(number, int):
            raise UserError(f"{where}: judged.{clause}: this must be a int")
    sessions = check_sessions(data["sessions"], f"{where}: sessions")
    callers: dict[Caller, SecretUrl] = {
        known[name]: SecretUrl(PLACEHOLDER_BASES[known[name]]) for name in data["callers"]
    }
    if Caller.MAIN not in callers:
        raise UserError(f"{where}: callers: MAIN is missing")
    target = Target(
        name=data["name"],
        kind="recorded",
        edition=data["edition"],
        live=data["live"],
        callers=callers,
        token=Secret(PLACEHOLDER_TOKEN),
        sessions=sessions,
        not_offered=check_not_offered(data["not_offered"], sessions, f"{where}: not_offered"),
        deviations=folder / DEVIATIONS if (folder / DEVIATIONS).exists() else None,
        portal=data["portal"],
    )
    cassette = _text_of(folder / CASSETTE)
    _checked(_json_of(cassette, folder / CASSETTE), _CASSETTE_SCHEMA, folder / CASSETTE)
    plan = _json_of(_text_of(folder / PLAN), folder / PLAN)
    return Record(target, cassette, plan, data["judged"], data["suite_version"], data["recorded"])


def _old(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.old")


def _target_text(record: Record) -> str:
    """JSON's texts, numbers and lists are TOML too."""
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


def _text_of(path: Path) -> str:
    try:
        if not path.is_file():
            raise FileNotFoundError(errno.ENOENT, "no such file")
        if path.stat().st_size > _LARGEST_FILE:
            raise UserError(f"{path}: larger than {_LARGEST_FILE // 2**20} MiB: no plan needs so much: record again")
        return path.read_text("utf-8")
    except UnicodeDecodeError:
        raise UserError(f"{path}: not UTF-8 text: record again") from None
    except OSError as error:
        raise UserError(
            f"{path}: cannot read it ({error.strerror}): a record has {CASSETTE}, {PLAN} and {TARGET}"
        ) from None


def _json_of(text: str, path: Path) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise UserError(f"{path}: not JSON, or cut: record again") from None


def _checked(document: Any, schema: dict[str, Any], path: Path) -> None:
    try:
        jsonschema.validate(document, schema)
    except jsonschema.ValidationError as error:
        place = "/".join(map(str, error.absolute_path)) or "the whole"
        raise UserError(f"{path}: not a record of this suite, version 1 ({place}): record again") from None
    except RecursionError:
        raise UserError(f"{path}: nested too deeply: record again") from None
