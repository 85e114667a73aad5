"""The published libraries that have an adapter here: the table, the command `gate`, what ends it before a call.

No package is installed by these tests: what they leave out is the gate of each library, which the weekly workflow runs.
"""

import json
import shutil
import subprocess
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from conformance.cli import main
from conformance.clients.libraries import ADAPTERS, Library, libraries, library_of, program_of
from conformance.clients.matrix import gate_all, gate_one, newest_of
from conformance.engine.deviations import load_deviations
from conformance.errors import UserError
from conformance.reporting.clients_page import Row, clients_html, clients_markdown

pytestmark = pytest.mark.quick


@pytest.mark.parametrize("library", libraries().values(), ids=lambda library: library.name)
def test_each_library_has_an_adapter_of_one_screen_and_a_deviation_file_about_its_version(library: Library) -> None:
    adapter = (ADAPTERS / library.adapter).read_text("utf-8")
    assert len(adapter.splitlines()) <= 50
    assert library.version in adapter.splitlines()[0]
    load_deviations(ADAPTERS / library.deviations, date.today())
    assert library.version in (ADAPTERS / library.deviations).read_text("utf-8").splitlines()[0]


def test_a_name_may_carry_another_version() -> None:
    assert library_of("fast-bitrix24") == (libraries()["fast-bitrix24"], "1.8.14")
    assert library_of("@bitrix24/b24jssdk==9.9")[1] == "9.9"
    with pytest.raises(UserError, match=r"no adapter for it here: choose b24pysdk, .* `vote-conformance run --client"):
        library_of("nobody")


def test_an_installed_library_is_not_installed_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", "")
    folder = tmp_path / "vote-conformance" / "clients" / "abx24==1.1.2"
    folder.mkdir(parents=True)
    (folder / "installed").touch()
    python, adapter = program_of(*library_of("abx24"))
    assert Path(python) == folder / "bin" / "python"
    assert Path(adapter).name == "abx24_adapter.py"
    with pytest.raises(UserError, match="gate: npm is not on the path: install it"):
        program_of(*library_of("@bitrix24/b24jssdk"))


def _pip_that_knows(version: str, asked: list[list[str]]) -> Callable[..., subprocess.CompletedProcess[str]]:
    def run(words: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        asked.append(words)
        document = {"install": [{"metadata": {"version": version}}]} if version else {}
        return subprocess.CompletedProcess(words, not version, json.dumps(document), "")

    return run


def test_the_newest_version_is_one_for_the_python_of_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []
    monkeypatch.setattr(subprocess, "run", _pip_that_knows("9.9", asked))
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    assert newest_of(libraries()["b24api-2"]) == "9.9"
    assert asked[0][0] == f"/usr/bin/python{libraries()['b24api-2'].python}"


def test_a_library_without_a_newest_version_is_said_and_the_others_are_judged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subprocess, "run", _pip_that_knows("", []))
    said: list[str] = []
    chosen = [libraries()[name] for name in ("abx24", "raw-bash", "b24pysdk")]
    gate_all(chosen, ["2026-03"], tmp_path, True, said.append)
    assert said == [
        f"{name}: not run ({name}: the registry does not name its newest version)" for name in ("abx24", "b24pysdk")
    ]


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("Error: gate: php is not on the path: install it\n", "gate: php is not on the path: install it"),
        ("one test\ncannot run: --client: it ended: see docs\n", "--client: it ended: see docs"),
        ("", "it ended without a report"),
    ],
)
def test_a_library_that_cannot_be_judged_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str, why: str
) -> None:
    monkeypatch.setattr(subprocess, "run", lambda words, **_: subprocess.CompletedProcess(words, 2, said, ""))
    assert gate_one(libraries()["raw-php"], "", "2026-03", tmp_path) == f"not run: {why}"
    assert (tmp_path / "raw-php" / "here" / "2026-03" / "not-run.txt").read_text("utf-8") == why


def test_gate_without_a_name_lists_the_libraries() -> None:
    shown = CliRunner().invoke(main, ["gate"])
    assert "b24pysdk==1.3.2  PyPI, POST, JSON" in shown.output


def _report(status: str, classes: dict[str, str]) -> dict[str, Any]:
    violation = {
        "asked": "SESSION_ID=494 RATING=null",
        "arrived": 'SESSION_ID="494" RATING="<b>None"   GET, query',
        "answered": "true",
        "came_back": "the value true",
        "permitted": "RATING arrives absent, null or empty",
        "repeat": "printf x | vote-conformance adapter abx24",
        "classes": classes,
        "notes": [],
    }
    clause = {
        "id": "client.omitted-stays-omitted",
        "status": status,
        "note": "",
        "statement": "left out",
        "violations": [violation] if status == "failed" else [],
        "observed": {},
    }
    return {"client": "abx24 1.1.2", "edition": "2026-03", "clauses": [clause]}


def _row(status: str, classes: dict[str, str]) -> Row:
    return Row(
        name="abx24",
        version="1.1.2",
        language="Python",
        released="2021-11",
        sends="GET, query",
        reports={"2026-03": _report(status, classes)},
        whys={"2024-10": "php is not on the path"},
        known=lambda _clause, given: "None is sent as a text" if given["rating"] == "null" else "",
        is_pinned=True,
    )


@pytest.mark.parametrize(("rating", "glyph", "status"), [("null", "≈", "known-deviation"), ("absent", "✗", "failed")])
def test_a_cell_leads_to_the_violation_and_tells_a_known_deviation_apart(rating: str, glyph: str, status: str) -> None:
    rows, editions = [_row("failed", {"rating": rating})], ("2024-10", "2026-03")
    page, text = clients_html(rows, editions), clients_markdown(rows, editions)
    place = "abx24-1.1.2-2026-03-client.omitted-stays-omitted"
    assert f'<a class="chip {status}" href="#{place}"' in page
    assert f'id="{place}"' in page
    assert "printf x | vote-conformance adapter abx24" in page
    assert "&lt;b&gt;None" in page
    assert page.count("php is not on the path") == 1
    assert f"| abx24 1.1.2 | Python | 2021-11 | GET, query | {glyph} |" in text
    assert ("Known: None is sent as a text." in text) == (status == "known-deviation")


def test_a_clause_that_holds_leads_nowhere() -> None:
    page = clients_html([_row("passed", {})], ("2026-03",))
    assert '<a class="chip' not in page
    assert '<span class="chip passed" title="client.omitted-stays-omitted: passed">' in page
