"""Portals on record: the live verdict without network, nothing private is there, hostile records end in one line."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from conformance.loading import shipped_recordings
from conformance.portals.bitrix24 import bitrix24_portal
from conformance.portals.php_forms import PortalRequest
from conformance.portals.reference import PortalResponse, ReferencePortal, Vote
from conformance.portals.server import serving
from conformance.selfcheck.chosen import OLDEST_AND_NEWEST
from conformance.selfcheck.outside import SECRET, TOKEN, environment, faulty, run
from conformance.selfcheck.recordings import FOUND, PRIVATE, STUFFED, USER, live_target, record, replay, talkative

PORTALS: dict[str, tuple[str, Callable[[], ReferencePortal]]] = {
    "reference 2024-10": ("2024-10", lambda: faulty("2024-10")),
    "reference 2026-03": ("2026-03", lambda: faulty("2026-03")),
    "as the real one": ("2026-03", bitrix24_portal),
    "with faults": ("2024-10", lambda: faulty("2024-10", "accepts_6", "refuses_emoji", "takes_any_secret")),
}


@pytest.mark.parametrize("name", PORTALS)
def test_the_replay_finds_what_the_live_run_found(tmp_path: Path, name: str) -> None:
    edition, portal = PORTALS[name]
    live = record(tmp_path, talkative(portal()), edition)
    replayed = replay(tmp_path)
    schema = json.loads((files("conformance") / "schemas" / "report.schema.json").read_text("utf-8"))
    jsonschema.validate(replayed.report, schema)
    assert (replayed.status, replayed.report["verdict"]) == (live.status, live.report["verdict"])
    assert [entry[:4] for entry in replayed.found] == [entry[:4] for entry in live.found]
    for count in ("requests", "writes", "coverage", "mode", "edition"):
        assert replayed.report[count] == live.report[count]


def test_nothing_private_is_in_a_file_or_in_what_is_printed(tmp_path: Path) -> None:
    portal = faulty("2024-10", "accepts_6")
    portal.votes[494] = Vote(3, FOUND)
    arguments = ("--", "-l", "--log-level=DEBUG", "--tb=long", "-vv", "-rA")
    live = record(tmp_path, talkative(portal), "2024-10", *arguments)
    replayed = replay(tmp_path, *arguments)
    assert (live.status, replayed.status) == (1, 1)
    (tmp_path / "target.toml").unlink()
    written = {path: path.read_text("utf-8") for path in tmp_path.rglob("*") if path.is_file()}
    assert len(written) >= 4
    private = [SECRET, TOKEN, "127.0.0.1", PRIVATE, FOUND, *_texts(STUFFED)]
    for text in (live.output, replayed.output, *written.values()):
        assert [value for value in private if value in text] == []
    assert not [path for path, text in written.items() if str(USER) in text and "cassettes" in path.parts]


def _texts(document: Any) -> list[str]:
    if isinstance(document, dict):
        return [text for entry in document.values() for text in _texts(entry)]
    return [str(document)]


def test_a_record_that_would_hold_a_secret_is_not_written(tmp_path: Path) -> None:
    with serving(talkative(faulty("2026-03"))) as base:
        target = live_target(tmp_path, base, "2026-03")
        text = (tmp_path / "target.toml").read_text("utf-8").replace(PRIVATE, "Excellent handling")
        (tmp_path / "target.toml").write_text(text, "utf-8")
        ran = run(tmp_path, target, "--record-mode=rewrite", "--yes")
    assert ran.status == 2
    assert "it would hold a secret, the host or a private value" in ran.output
    assert "verdict: conformant" in ran.output
    assert not (tmp_path / "cassettes" / "staging").exists()


def test_a_recording_that_is_killed_leaves_the_one_of_before(recorded: Path, tmp_path: Path) -> None:
    shutil.copytree(recorded / "cassettes", tmp_path / "cassettes")
    before = {path: path.read_bytes() for path in (tmp_path / "cassettes").rglob("*") if path.is_file()}
    honest = talkative(faulty("2026-03"))
    running: list[subprocess.Popen[str]] = []
    requests = 0

    def answer(request: PortalRequest) -> PortalResponse:
        nonlocal requests
        requests += 1
        if requests == 60:
            running[0].kill()
        return honest(request)

    with serving(answer) as base:
        arguments = [live_target(tmp_path, base, "2026-03"), "--record-mode=rewrite", "--yes"]
        line = [sys.executable, "-m", "conformance", "run", *arguments]
        with subprocess.Popen(line, cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, text=True) as process:
            running.append(process)
            process.communicate(timeout=120)
    assert requests >= 60
    assert {path: path.read_bytes() for path in (tmp_path / "cassettes").rglob("*") if path.is_file()} == before
    assert replay(tmp_path).status == 0


def test_a_recording_that_was_killed_between_its_last_steps_is_mended(recorded: Path, tmp_path: Path) -> None:
    shutil.copytree(recorded / "cassettes" / "staging", tmp_path / "cassettes" / ".staging.old")
    assert replay(tmp_path).status == 0


def _deep(depth: int) -> str:
    return "[" * depth + "]" * depth


def _doubled(text: str) -> str:
    cassette = json.loads(text)
    return json.dumps({**cassette, "interactions": cassette["interactions"] * 2})


HOSTILE: list[tuple[str, Callable[[str], str], str]] = [
    ("cassette.json", lambda _: "x" * 9_000_000, "cassette.json: larger than 8 MiB"),
    ("cassette.json", lambda _: _deep(200_000), "cassette.json: nested too deeply: record again"),
    (
        "cassette.json",
        lambda _: f'{{"version": 1, "interactions": [{_deep(500)}]}}',
        "cassette.json: nested too deeply",
    ),
    ("cassette.json", lambda text: text[: len(text) // 2], "cassette.json: not valid JSON"),
    (
        "cassette.json",
        lambda text: text.replace('"version": 1', '"version": 2'),
        "cassette.json: version: 2 is none of 1: record again",
    ),
    (
        "cassette.json",
        lambda _: "!!python/object/apply:os.system ['touch executed']",
        "cassette.json: not valid JSON",
    ),
    (
        "cassette.json",
        lambda _: '{"version": 1, "interactions": []}',
        "interactions: this must be a list of length >= 1",
    ),
    ("cassette.json", _doubled, "cassette.json: more exchanges than the plan sends"),
    ("cassette.json", lambda _: "\ud800", "cassette.json: not UTF-8 text"),
    ("plan.json", lambda _: '{"version": 1}', "plan.json: key 'limit' is missing: record again"),
    ("plan.json", lambda _: _deep(200_000), "plan.json: nested too deeply: record again"),
    ("target.toml", lambda _: "name = ", "target.toml: not valid TOML"),
    ("target.toml", lambda text: text.replace("suite_version", "suite"), "target.toml: unknown key 'suite'"),
    ("target.toml", lambda text: text.replace('"2026-03"', '"2031-01"'), "target.toml: edition: unknown edition"),
]


@pytest.mark.parametrize(("file", "change", "told"), HOSTILE, ids=[told for _, _, told in HOSTILE])
def test_a_hostile_record_ends_in_one_clear_line(
    recorded: Path, tmp_path: Path, file: str, change: Callable[[str], str], told: str
) -> None:
    folder = tmp_path / "cassettes" / "staging"
    shutil.copytree(recorded / "cassettes" / "staging", folder)
    text = change((folder / file).read_text("utf-8"))
    (folder / file).write_bytes(text.encode("utf-8", "surrogatepass"))
    ran = replay(tmp_path)
    assert ran.status >= 2
    assert told in ran.output
    assert "Traceback" not in ran.output
    assert not (tmp_path / "executed").exists()


def test_a_folder_that_is_no_record_ends_in_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "cassettes" / "staging").mkdir(parents=True)
    ran = replay(tmp_path)
    assert ran.status >= 2
    assert "target.toml: cannot read it (No such file" in ran.output


def test_a_clause_that_the_recorded_plan_does_not_feed_is_not_exercised(recorded: Path, tmp_path: Path) -> None:
    folder = tmp_path / "cassettes" / "staging"
    shutil.copytree(recorded / "cassettes" / "staging", folder)
    plan = json.loads((folder / "plan.json").read_text("utf-8"))
    plan["steps"] = [step for step in plan["steps"] if "zero-text" not in json.dumps(step)]
    (folder / "plan.json").write_text(json.dumps(plan), "utf-8")
    cassette = json.loads((folder / "cassette.json").read_text("utf-8"))
    kept = [entry for entry in cassette["interactions"] if '"COMMENT": "0"' not in str(entry["request"]["body"])]
    (folder / "cassette.json").write_text(json.dumps({**cassette, "interactions": kept}), "utf-8")
    assert replay(tmp_path).statuses()["comment.zero-text"] == "not-exercised"


SHIPPED = shipped_recordings()


@pytest.mark.parametrize("edition", OLDEST_AND_NEWEST)
def test_the_shipped_record_of_the_reference_portal_is_conformant(tmp_path: Path, edition: str) -> None:
    ran = run(tmp_path, "--target", str(SHIPPED / f"reference-{edition}"))
    assert (ran.status, ran.report["verdict"], ran.report["edition"]) == (0, "conformant", edition)
    assert set(ran.statuses().values()) == {"passed", "observed"}


def test_the_page_satisfies_its_own_contract(tmp_path: Path) -> None:
    ran = run(tmp_path, "--target", str(SHIPPED / "documentation-2026-03"), "--allow-incomplete")
    assert ran.status == 0
    assert set(ran.statuses().values()) == {"passed", "observed", "not-exercised"}
    passed = {name for name, status in ran.statuses().items() if status == "passed"}
    assert {"documentation.example", "success.time", "error.empty-vote-params", "error.status"} <= passed
