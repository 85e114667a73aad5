"""Files that a user gives: a damaged one ends in one line, and the schemas for editors fit the files."""

import json
import os
import random
import time
import tomllib
from collections.abc import Callable, Iterator
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import jsonschema
import pytest

import conformance
from conformance.contract.classes import STATES
from conformance.engine.deviations import load_deviations
from conformance.engine.plan_file import plan_from
from conformance.errors import UserError
from conformance.loading import parse, shipped_recordings
from conformance.reporting.read import read_report
from conformance.selfcheck.schemas import FORMS, schema_path, schema_text
from conformance.target.recording import load_recording
from conformance.target.target import load_target

pytestmark = pytest.mark.quick

GOLDEN: Final = Path(__file__).parent / "golden"
RECORDING: Final = shipped_recordings() / "documentation-2026-03"
DEVIATIONS: Final = Path(str(files("conformance"))) / "deviations" / "bitrix24-portal.toml"
TARGET: Final = """
name = "staging"
edition = "2026-03"
url = "https://example.com/rest/1/secret/"
live = true
not_offered = ["transport.scope"]
private = ["Maria Petrovna"]
[sessions]
rateable = 494
unknown = 999999937
[callers]
second_url = "https://example.com/rest/2/other/"
token_url = "https://example.com/rest/"
token = "token"
[limit]
burst = 10
per_second = 1.5
"""
MUTATIONS: Final = 200
MOST_SECONDS: Final = 2.0


def _load_recording(path: Path) -> object:
    """Load the recording that a damaged file belongs to, and its plan."""
    for entry in RECORDING.iterdir():
        if not os.path.lexists(path.parent / entry.name):
            (path.parent / entry.name).write_bytes(entry.read_bytes())
    return plan_from(load_recording(path.parent).plan)


def _deviations() -> Any:
    return {"deviation": tomllib.loads(DEVIATIONS.read_text("utf-8"))["deviation"][:3]}


def _golden_report() -> Any:
    report = json.loads((GOLDEN / "report-4.json").read_text("utf-8"))
    # Most leaves would be in clauses that look alike.
    failed = [clause for clause in report["clauses"] if clause["violations"]]
    return {**report, "clauses": failed[:3]}


LOADERS: Final[dict[str, Callable[[Path], object]]] = {
    "target.toml": lambda path: load_target(str(path)),
    "deviations.toml": lambda path: load_deviations(path, date(2026, 11, 25)),
    "recorded/target.toml": _load_recording,
    "cassette.json": _load_recording,
    "plan.json": _load_recording,
    "report.json": read_report,
}
DOCUMENTS: Final[dict[str, Callable[[], Any]]] = {
    "target.toml": lambda: tomllib.loads(TARGET),
    "deviations.toml": _deviations,
    "recorded/target.toml": lambda: tomllib.loads((RECORDING / "target.toml").read_text("utf-8")),
    "cassette.json": lambda: json.loads((RECORDING / "cassette.json").read_text("utf-8")),
    "plan.json": lambda: json.loads((RECORDING / "plan.json").read_text("utf-8")),
    "report.json": _golden_report,
}


def _line_of(load: Callable[[Path], object], path: Path) -> str:
    """Return the line that loading ends in, or the empty text if the file loads."""
    line = ""
    try:
        load(path)
    except UserError as error:
        line = str(error)
    assert len(line.splitlines()) <= 1
    assert len(line) < 2_000
    return line


@pytest.mark.parametrize("name", LOADERS)
def test_the_undamaged_files_load(tmp_path: Path, name: str) -> None:
    path = tmp_path / Path(name).name
    path.write_text(_written(DOCUMENTS[name](), path.suffix), "utf-8")
    assert _line_of(LOADERS[name], path) == ""


@pytest.mark.parametrize("name", LOADERS)
def test_a_damaged_file_loads_or_ends_in_one_line(tmp_path: Path, name: str) -> None:
    path = tmp_path / Path(name).name
    chance = random.Random(name)  # noqa: S311
    refused = 0
    for _ in range(MUTATIONS):
        document = DOCUMENTS[name]()
        _damage(document, chance)
        path.write_bytes(_damaged_text(_written(document, path.suffix), chance))
        refused += _line_of(LOADERS[name], path) != ""
    assert refused > MUTATIONS / 3


def _written(document: Any, suffix: str) -> str:
    if suffix == ".json":
        return json.dumps(document)
    return "".join(f"{json.dumps(key)} = {_toml(value)}\n" for key, value in document.items())


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {_toml(entry)}" for key, entry in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    if isinstance(value, float | int | str) or value is None:
        return json.dumps(value)
    return str(value.isoformat())


def _inner(document: Any) -> Iterator[Any]:
    """Yield every table and list that is not empty."""
    if isinstance(document, dict | list) and document:
        yield document
        for entry in list(document.values() if isinstance(document, dict) else document):
            yield from _inner(entry)


def _damage(document: Any, chance: random.Random) -> None:
    """Change one value, take one away, or add one."""
    inner = chance.choice(list(_inner(document)))
    key = chance.choice(list(inner) if isinstance(inner, dict) else range(len(inner)))
    deep: Any = chance.choice([[], {}])
    for _ in range(chance.choice([5, 60, 300])):
        deep = [deep] if chance.random() < 0.5 else {"x": deep}
    others = [
        True,
        0,
        -1,
        5,
        10**30,
        10**4000,
        1.5,
        1e308,
        "",
        "x",
        "\n",
        "\ud800",
        "x" * 70_000,
        [],
        {},
        [[]],
        {"\x00\n": 1},
    ]
    action = chance.choice(["change", "change", "change", "delete", "add", "deep"])
    if action == "delete":
        del inner[key]
    elif action == "add" and isinstance(inner, dict):
        inner[chance.choice(["x", "names", "", "a\nb", "\u2028", "x" * 70_000])] = chance.choice(others)
    else:
        inner[key] = deep if action == "deep" else chance.choice(others)


def _damaged_text(text: str, chance: random.Random) -> bytes:
    """Return the text as bytes, in some cases cut or not UTF-8."""
    data = text.encode("utf-8", "surrogatepass")
    place = chance.randrange(max(1, len(data)))
    match chance.randrange(12):
        case 0:
            return data[:place]
        case 1:
            return data[:place] + chance.choice([b"\xff", b"\xed\xa0\x80", b"\x00", b"\\ud800"]) + data[place:]
        case 2:
            return data[:place] + b"9" * 5000 + data[place:]
    return data


HOSTILE_TEXTS: Final = {
    "empty": b"",
    "invalid UTF-8": b"\xff\xfe",
    "100,000 lists": b"[" * 100_000,
    "100,000 lists in a key": b"x = " + b"[" * 100_000,
    "100,000 tables": b'{"a":' * 100_000,
    "100,000 tables in a key": b"x = " + b"{a=" * 100_000,
    "100,000 dots": b"a" + b".a" * 100_000 + b" = 1",
    "a number of 100,000 digits": b'{"schema_version": ' + b"1" * 100_000 + b"}",
    "a number in a key": b"name = " + b"1" * 100_000,
    "no number": b'{"schema_version": NaN}',
    "a double key": b'{"schema_version": 3, "schema_version": 3}',
}


@pytest.mark.parametrize("name", LOADERS)
@pytest.mark.parametrize("text", HOSTILE_TEXTS)
def test_a_hostile_file_ends_in_one_line(tmp_path: Path, name: str, text: str) -> None:
    path = tmp_path / Path(name).name
    path.write_bytes(HOSTILE_TEXTS[text])
    # A deviation file without entries is one whose deviations are all gone.
    assert _line_of(LOADERS[name], path) or (name, text) == ("deviations.toml", "empty")


@pytest.mark.parametrize("name", LOADERS)
@pytest.mark.parametrize(
    "kind",
    ["pipe", "directory", "100 MB", "/dev/zero", "/dev/null", "/proc/self/mem", "/proc/kmsg", "dangling", "none"],
)
def test_what_is_no_text_file_ends_in_one_line_at_once(tmp_path: Path, name: str, kind: str) -> None:
    path = tmp_path / Path(name).name
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "directory":
        path.mkdir()
    elif kind == "100 MB":
        path.touch()
        os.truncate(path, 100_000_000)
    elif kind != "none":
        path.symlink_to(kind)
    if kind == "none" and name not in ("target.toml", "deviations.toml", "report.json"):
        (tmp_path / "deviations.toml").touch()
        before = time.monotonic()
        assert _line_of(lambda place: load_recording(place.parent), path)
    else:
        before = time.monotonic()
        line = _line_of(LOADERS[name], path)
        # Root may read the log of the kernel, and finds it empty.
        assert line or (name, kind) == ("deviations.toml", "/proc/kmsg")
    assert time.monotonic() - before < MOST_SECONDS


@pytest.mark.parametrize("key", ["seed", "verdict", "target", "clauses", "duration_seconds", "\ud800"])
def test_half_a_character_ends_in_one_line(tmp_path: Path, key: str) -> None:
    path = tmp_path / "report.json"
    path.write_text(json.dumps({**_golden_report(), key: "\ud800"}), "utf-8")
    assert _line_of(read_report, path).startswith(str(path))


def test_a_key_that_is_there_twice_is_named() -> None:
    with pytest.raises(UserError, match=r"file: not valid JSON: the key 'a' is there twice"):
        parse('{"b": {"a": 1, "a": 2}}', "JSON", "file")


def _schema(name: str) -> Any:
    return json.loads(schema_path(name).read_text("utf-8"))


@pytest.mark.parametrize("name", FORMS)
def test_a_schema_is_up_to_date(name: str) -> None:
    assert schema_path(name).read_text("utf-8") == schema_text(name)
    jsonschema.Draft202012Validator.check_schema(_schema(name))


def test_the_shipped_files_fit_their_schemas() -> None:
    jsonschema.validate(tomllib.loads(TARGET), _schema("target"))
    adapters = list((Path(conformance.__file__).parent / "clients" / "adapters").glob("*.toml"))
    assert adapters
    for path in (DEVIATIONS, *adapters):
        jsonschema.validate(tomllib.loads(path.read_text("utf-8")), _schema("deviations"))
    for version in (1, 2, 3):
        jsonschema.validate(read_report(GOLDEN / f"report-{version}.json"), _schema("report"))


@pytest.mark.parametrize(
    ("name", "document"),
    [
        ("target", {**tomllib.loads(TARGET), "names": "x"}),
        ("target", {**tomllib.loads(TARGET), "sessions": {"rateable": 0}}),
        ("target", {**tomllib.loads(TARGET), "sessions": {"rateable": 1, "closed": 2}}),
        ("deviations", {"deviation": [{"clause": "x"}]}),
        ("report", {"schema_version": 3}),
    ],
)
def test_a_schema_refuses_what_the_loader_refuses(name: str, document: Any) -> None:
    assert not jsonschema.Draft202012Validator(_schema(name)).is_valid(document)


def test_a_violation_is_of_a_portal_or_of_a_client(tmp_path: Path) -> None:
    report = _golden_report()
    violation = report["clauses"][0]["violations"][0]
    path = tmp_path / "report.json"
    common = {key: violation[key] for key in ("permitted", "answered", "repeat", "classes", "notes")}
    client = {**common, "asked": "x", "arrived": "x", "came_back": "x"}
    for entry, fits in ((violation, True), (client, True), (common, False), ({**violation, **client}, False)):
        report["clauses"][0]["violations"] = [entry]
        path.write_text(json.dumps(report), "utf-8")
        assert (_line_of(read_report, path) == "") is fits
        assert jsonschema.Draft202012Validator(_schema("report")).is_valid(report) is fits


def test_the_states_of_a_target_file_are_those_of_the_suite() -> None:
    assert tuple(_schema("target")["$defs"]["Sessions"]["properties"]) == STATES
