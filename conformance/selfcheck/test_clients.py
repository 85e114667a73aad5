"""`run --client` from the outside: what is shown, how it ends, and the real libraries by their adapters."""

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from conformance.selfcheck.chosen import OLDEST_AND_NEWEST
from conformance.selfcheck.client_mutants import command_of

ADAPTERS = Path(str(files("conformance") / "clients" / "adapters"))
LIBRARIES = {
    "b24pysdk 1.3.2": ("b24pysdk.toml", f"{sys.executable} {ADAPTERS / 'b24pysdk_adapter.py'}"),
    "fast-bitrix24 1.8.14": ("fast_bitrix24.toml", f"{sys.executable} {ADAPTERS / 'fast_bitrix24_adapter.py'}"),
    "@bitrix24/b24jssdk 2.2.0": ("b24jssdk.toml", f"node {ADAPTERS / 'b24jssdk_adapter.mjs'}"),
}


@dataclass(frozen=True)
class Ran:
    """A finished command: its status, all that it printed, and its report."""

    status: int
    output: str
    report: dict[str, Any]

    def statuses(self) -> dict[str, str]:
        return {clause["id"]: clause["status"] for clause in self.report["clauses"]}

    def violations(self, clause: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = next(entry for entry in self.report["clauses"] if entry["id"] == clause)[
            "violations"
        ]
        return found


def _run(folder: Path, client: str, *arguments: str, cwd: Path | None = None) -> Ran:
    line = [sys.executable, "-m", "conformance", "run", "--client", client, "--report-dir", str(folder), "--seed", "1"]
    done = subprocess.run(
        [*line, *arguments], capture_output=True, text=True, cwd=cwd or folder, check=False, timeout=300
    )
    path = folder / "report.json"
    return Ran(done.returncode, done.stdout + done.stderr, json.loads(path.read_text("utf-8")) if path.exists() else {})


@pytest.mark.parametrize("edition", OLDEST_AND_NEWEST)
@pytest.mark.parametrize("library", LIBRARIES)
def test_a_real_library_has_the_defects_of_its_file_and_no_others(tmp_path: Path, library: str, edition: str) -> None:
    deviations, command = LIBRARIES[library]
    if command.startswith("node") and not (shutil.which("node") and (ADAPTERS / "node_modules").exists()):
        pytest.skip("needs node and `npm ci` in conformance/clients/adapters")
    ran = _run(tmp_path, command, "--edition", edition, "--deviations", str(ADAPTERS / deviations), cwd=ADAPTERS)
    assert ran.status == 0, ran.output
    assert ran.report["client"] == library
    assert set(ran.statuses().values()) <= {"passed", "known-deviation", "observed"}


def test_a_violation_shows_what_was_asked_what_arrived_and_what_came_back(tmp_path: Path) -> None:
    ran = _run(tmp_path, command_of("joins_the_query_by_hand"))
    assert ran.status == 1
    schema = json.loads((files("conformance") / "schemas" / "report.schema.json").read_text("utf-8"))
    jsonschema.validate(ran.report, schema)
    block = ran.output[ran.output.index("client.parameters-intact   implied, edition 2026-03") :]
    for line in (
        '  asked     SESSION_ID=494 RATING=5 COMMENT="&"',
        '  arrived   SESSION_ID="494" RATING="5" COMMENT=""   GET, query',
        "  answered  true",
        "  came back the value true",
        "  permitted COMMENT arrives as it was passed",
    ):
        assert line in block
    assert {name for name, status in ran.statuses().items() if status == "failed"} == {"client.parameters-intact"}


def test_the_line_that_repeats_a_violation_repeats_it(tmp_path: Path) -> None:
    [violation, *_] = _run(tmp_path, command_of("swallows_the_code")).violations("client.error-code")
    assert any("`vote-conformance serve --edition 2026-03`" in note for note in violation["notes"])
    line = [sys.executable, "-u", "-m", "conformance", "serve", "--edition", "2026-03"]
    with subprocess.Popen(line, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        assert server.stdout.readline()
        done = subprocess.run(
            ["/bin/sh", "-c", violation["repeat"]], capture_output=True, text=True, check=False, timeout=60
        )
        server.terminate()
    assert json.loads(done.stdout) == {"exception": "Refused: access denied"}


def test_a_known_deviation_of_a_client_is_strict(tmp_path: Path) -> None:
    entry = '[[deviation]]\nclause = "client.true"\nreason = "hands back 1"\nsource = "seen"\n'
    (tmp_path / "known.toml").write_text(entry, "utf-8")
    one = ("--", "-k", "client.true")
    ran = _run(tmp_path, command_of("hands_back_1"), "--deviations", "known.toml", *one)
    assert (ran.status, ran.report["verdict"]) == (0, "conformant-with-deviations")
    ran = _run(tmp_path, command_of("posts_json"), "--deviations", "known.toml", *one)
    assert (ran.status, ran.report["verdict"]) == (1, "deviations-outdated")
    (tmp_path / "known.toml").write_text(entry + 'where = { answer = ["false"] }\n', "utf-8")
    assert _run(tmp_path, command_of("hands_back_1"), "--deviations", "known.toml", *one).status == 1


def test_a_client_that_never_returns_costs_one_cap(tmp_path: Path) -> None:
    ran = _run(tmp_path, command_of("never_returns"), "--timeout", "1.5")
    assert ran.status == 2
    assert "--client: nothing within 1.5 s to the first call" in ran.output
    assert ran.report == {}


def test_a_client_that_retries_for_ever_is_ended_and_the_others_clauses_are_judged(tmp_path: Path) -> None:
    ran = _run(tmp_path, command_of("retries_for_ever"), "--cap", "3")
    failed = {name for name, status in ran.statuses().items() if status != "passed"}
    incomplete = {"client.error-code", "client.error-in-200", "client.recovers"}
    assert failed == {"client.rate-limit", "client.requests-sent"} | incomplete
    [violation, *_] = ran.violations("client.rate-limit")
    assert violation["came_back"] == "nothing within 3 s"
    assert any("requests arrived" in note for note in violation["notes"])


def test_a_program_that_answers_one_line_is_started_for_each(tmp_path: Path) -> None:
    ran = _run(tmp_path, command_of("one_line"), "--", "-k", "test_request or client.true")
    assert ran.status == 0, ran.output


def test_the_first_call_over_https_reaches_a_client_that_trusts_the_authority(tmp_path: Path) -> None:
    ran = _run(tmp_path, command_of("posts_json"), "--https", "--", "-k", "client.true")
    assert ran.status == 0, ran.output


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nowhere-to-be-found"], "--client: cannot start nowhere-to-be-found"),
        (["'"], "--client ': not a command line"),
        (["no.such.module:function"], "ModuleNotFoundError: No module named 'no'"),
        ([command_of("ends_the_program")], "the program ended (status 1) before it answered: the adapter is broken"),
        ([f"{sys.executable} -c 'print(1)'"], "the program ended (status 0) before it answered: 1"),
        ([f"{sys.executable} -c 'input(); print(\"{{}}\")'"], "nothing arrived at the url of the first call"),
        ([command_of("posts_json"), "--timeout", "soon"], "--timeout soon: give seconds, a number above 0"),
        ([command_of("posts_json"), "--plan"], "--plan: it is about portals: leave it out with --client"),
        ([command_of("posts_json"), "--target", "x.toml"], "--target: a client library is judged on the portal of"),
    ],
)
def test_what_cannot_be_judged_is_said_in_one_line(tmp_path: Path, arguments: list[str], told: str) -> None:
    ran = _run(tmp_path, *arguments)
    assert ran.status == 2, ran.output
    assert told in ran.output
    assert "Traceback" not in ran.output
    assert ran.report == {}
