"""Read the files that a user gives: regular files of a limited size, in TOML or JSON, in the form of a dataclass.

Nothing in a file is executed. The first fault of a file becomes a UserError of one line: "file: key: message".
"""

import difflib
import json
import os
import re
import stat
import tomllib
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import date, datetime, time
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeVar, get_args, get_origin, get_type_hints

import msgspec

from conformance.errors import UserError

Form = TypeVar("Form")
Language = Literal["TOML", "JSON"]
DEVIATIONS: Final = "deviations/{}.toml"
"""Where the deviation files that ship with this package stand in it."""
_DEEPEST: Final = 64
_MOST_DOTS: Final = 1000
_LONGEST: Final = 60
_WORDS: Final = {
    "int": "a whole number",
    "float": "a number",
    "str": "a text",
    "bool": "true or false",
    "array": "a list",
    "object": "a table of keys",
    "date": "a date",
    "datetime": "a date with a time",
    "time": "a time of day",
}


def load(path: Path, form: type[Form], language: Language = "TOML", largest: int = 2**20) -> Form:
    """Return what a file holds. Raise UserError unless it is a regular file in this form.

    form: a dataclass; its fields are the keys of the file.
    largest: the most bytes that the file may have.
    """
    return fit(parse(read_text(path, largest), language, path), form, path)


def file_or_shipped(folder: Path, name: str, shipped: str) -> Path:
    """Return the path of a user's file, or the file of that bare name that ships with this package.

    folder: the folder at which the user's path begins.
    shipped: a pattern of the shipped files, as DEVIATIONS.
    """
    own = folder / name
    inside = Path(str(files("conformance"))) / shipped.format(name)
    is_shipped = re.fullmatch(r"[a-z0-9-]+", name) and not own.exists() and inside.exists()
    return inside if is_shipped else own


def shipped_recordings() -> Path:
    """Return the folder of the recordings that ship with this package: inside it, or beside it in a clone."""
    package = Path(str(files("conformance")))
    inside = package / "cassettes"
    return inside if inside.is_dir() else package.parent / "cassettes"


def read_text(path: Path, largest: int) -> str:
    """Return the text of a regular file. Raise UserError."""
    try:
        return read_bytes(path, largest).decode("utf-8")
    except UnicodeDecodeError:
        raise UserError(f"{_plain(path)}: not UTF-8 text") from None


def read_bytes(path: Path, largest: int) -> bytes:
    """Return what a regular file holds. Raise UserError; never wait for a pipe, never read more than is allowed."""
    place = _plain(path)
    try:
        found = os.stat(path)
        if not stat.S_ISREG(found.st_mode):
            raise UserError(f"{place}: not a regular file: give the path of a text file")
        data = b""
        if found.st_size <= largest:
            with open(path, "rb", opener=_without_waiting) as file:
                data = file.read(largest + 1) or b""
        if max(found.st_size, len(data)) > largest:
            raise UserError(f"{place}: larger than {largest // 2**20} MiB: is this the right file?")
        return data
    except (OSError, ValueError) as error:  # ValueError: the path holds a NUL
        reason = error.strerror if isinstance(error, OSError) else error
        raise UserError(f"{place}: cannot read it ({reason})") from None


def _without_waiting(path: str, flags: int) -> int:
    # Some files under /proc call themselves regular and wait for data.
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def parse(text: str, language: Language, where: Path | str) -> Any:
    """Return the values of a text. Raise UserError where it is not of this language or nested too deeply."""
    place = _plain(where)
    try:
        values = _parse_toml(text) if language == "TOML" else _parse_json(text)
    except RecursionError:
        raise UserError(f"{place}: nested too deeply") from None
    except ValueError as error:
        raise UserError(f"{place}: not valid {language}: {error}") from None
    level = [values]
    for _ in range(_DEEPEST):
        inner = [
            value.values() if isinstance(value, dict) else value for value in level if isinstance(value, dict | list)
        ]
        level = [value for values_inside in inner for value in values_inside]
    if level:
        raise UserError(f"{place}: nested too deeply")
    return values


def _parse_toml(text: str) -> Any:
    # Each dot of a key nests, and the time that tomllib takes for a key grows with the square of its dots.
    if any(line.count(".") > _MOST_DOTS for line in text.splitlines()):
        raise RecursionError
    return tomllib.loads(text)


def _parse_json(text: str) -> Any:
    return json.loads(text, object_pairs_hook=_without_doubles, parse_constant=_no_constant)


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) < len(pairs):
        [(double, _)] = Counter(name for name, _ in pairs).most_common(1)
        raise ValueError(f"the key {quoted(double)} is there twice")
    return table


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no number of JSON")


def fit(values: Any, form: type[Form], where: Path | str) -> Form:
    """Return parsed values as a dataclass. Raise UserError that names the first key that does not fit."""
    place = _plain(where)
    _check(values, form, place, ": ")
    fitting: Form = _converted(values, form, place)
    return fitting


def unknown(kind: str, name: str, known: Collection[str], advice: str) -> str:
    """Return the message for a name that is not known, with the one that was probably meant."""
    close = difflib.get_close_matches(name[:_LONGEST], known, 1)
    guess = f", did you mean {close[0]!r}?" if close else ":"
    return f"unknown {kind} {quoted(name)}{guess} {advice}"


def _check(value: Any, form: Any, place: str, joint: str) -> None:
    """Raise UserError for the first value inside that does not fit its form.

    place: file and keys on the way to this value.
    joint: what stands between the place and the next key.
    """
    form_inside = _bare(form)
    kind, arguments = get_origin(form_inside), get_args(form_inside)
    if isinstance(form_inside, type) and is_dataclass(form_inside) and isinstance(value, dict):
        parts = _parts(form_inside)
        for name in value:
            if name not in parts:
                advice = f"the keys here are {', '.join(parts)}"
                raise UserError(f"{place}: {unknown('key', name, parts, advice)}")
        for name, (part, is_required) in parts.items():
            if name in value:
                _check(value[name], part, f"{place}{joint}{name}", ".")
            elif is_required:
                raise UserError(f"{place}: key {name!r} is missing")
        return
    if kind is Mapping and isinstance(value, dict):
        for name, entry in value.items():
            _check(entry, arguments[1], f"{place}{joint}{_key(name)}", ".")
    elif kind is tuple and isinstance(value, list) and arguments[1] is Ellipsis:
        for number, entry in enumerate(value, 1):
            _check(entry, arguments[0], f"{place} {number}", ": ")
    elif kind is Literal and value not in arguments:
        raise UserError(f"{place}: {quoted(value)} is none of {', '.join(map(str, arguments))}")
    _converted(value, form, place)


def _converted(value: Any, form: Any, place: str) -> Any:
    try:
        return msgspec.convert(value, form, builtin_types=(date, datetime, time))
    except msgspec.ValidationError as error:
        fault = str(error).partition(" - at ")[0].replace("Expected", "this must be").replace(", got ", ", not ")
        fault = re.sub(r"`([^`]*)`", lambda found: _in_words(found[1]), fault)
        raise UserError(f"{place}: {fault}") from None
    except UnicodeEncodeError:
        raise UserError(f"{place}: half a character (a lone surrogate) cannot stand here") from None


def _in_words(kinds: str) -> str:
    return " or ".join(_WORDS.get(kind, kind) for kind in kinds.split(" | "))


def _bare(form: Any) -> Any:
    """Return a form without its limits and without the case that the key is not there."""
    if get_origin(form) is Annotated:
        return _bare(get_args(form)[0])
    inside = [part for part in get_args(form) if part is not msgspec.UnsetType]
    return _bare(inside[0]) if len(inside) == 1 < len(get_args(form)) else form


@cache
def _parts(form: type[Any]) -> dict[str, tuple[Any, bool]]:
    """Return the form of each key of a dataclass, and True for the keys that must be there."""
    forms = get_type_hints(form, include_extras=True)
    return {
        part.name: (forms[part.name], part.default is MISSING and part.default_factory is MISSING)
        for part in fields(form)
    }


def _plain(path: Path | str) -> str:
    """Return a path as it is shown in a line."""
    return str(path) if str(path).isprintable() else repr(str(path))


def _key(name: str) -> str:
    return name if name.isprintable() and 0 < len(name) <= _LONGEST else quoted(name)


def quoted(value: Any) -> str:
    """Return a value of a file as Python writes it, cut after 60 characters."""
    text = repr(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
