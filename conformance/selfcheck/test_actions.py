"""Runs the shell steps of the GitHub actions outside of GitHub, and reads the workflows as YAML."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

import conformance
from conformance.options import OPTIONS
from conformance.portals.reference import Answering
from conformance.portals.server import serving
from conformance.selfcheck.outside import environment, faulty, keyed, target_file

ROOT: Final = Path(conformance.__file__).parent.parent
GITHUB: Final = ROOT / ".github"
WORKFLOWS: Final = (*sorted(GITHUB.glob("actions/*/action.yml")), *sorted(GITHUB.glob("workflows/*.yml")))
LAST: Final = """#!/bin/sh
case "$1" in
api) [ -d kept ] && echo 77 ;;
run) mkdir -p last && cp kept/report.json last/ ;;
esac
"""
"""In place of GitHub's command: the last report is in the folder `kept`."""
GATES: Final = """
import httpx


def correct(asked):
    try:
        answer = httpx.post(asked["url"] + asked["method"], json=asked["params"]).json()
    except (httpx.HTTPError, ValueError) as error:
        return {"exception": type(error).__name__}
    return {"error": {"code": answer["error"]}} if "error" in answer else {"value": answer["result"]}


def lying(asked):
    answer = correct(asked)
    return answer if "exception" in answer else {"value": True}
"""


def _steps(name: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    action = yaml.safe_load((GITHUB / "actions" / name / "action.yml").read_text("utf-8"))
    return action["inputs"], action["runs"]["steps"]


def _run(folder: Path, name: str, **given: str) -> subprocess.CompletedProcess[str]:
    """Run the step `run` of an action with these inputs, as GitHub does."""
    inputs, steps = _steps(name)
    tools = folder / ".tools"
    tools.mkdir(exist_ok=True)
    for tool, text in (("gh", LAST), ("vote-conformance", f'#!/bin/sh\nexec "{sys.executable}" -m conformance "$@"\n')):
        (tools / tool).write_text(text, "utf-8")
        (tools / tool).chmod(0o755)
    [step] = (step for step in steps if step.get("id") == "run")
    values = {key: given.get(key.replace("-", "_"), str(entry.get("default", ""))) for key, entry in inputs.items()}
    variables = {
        key: re.sub(r"\$\{\{ inputs\.([\w-]+) \}\}", lambda one: values[one[1]], text)
        for key, text in step["env"].items()
    }
    surroundings = {
        **environment(),
        **variables,
        "PATH": f"{tools}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "GITHUB_STEP_SUMMARY": str(folder / "summary.md"),
        "GITHUB_REPOSITORY": "owner/name",
        "GITHUB_REF_NAME": "main",
    }
    line = ["/bin/bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]]
    return subprocess.run(line, cwd=folder, env=surroundings, capture_output=True, text=True, check=False, timeout=300)


def _check(folder: Path, answer: Answering) -> subprocess.CompletedProcess[str]:
    with serving(answer) as base:
        target_file(folder, base, "2026-03", live=True, more="limit = { burst = 1000, per_second = 1000 }")
        return _run(folder, "portal-check", target="target.toml", budget="30", allow_incomplete="true")


def test_a_portal_is_compared_with_its_last_run(tmp_path: Path) -> None:
    for faults, status in ((["refuses_everything"], 1), ([], 0)):
        first = _check(tmp_path, keyed(faulty("2026-03", *faults).answer))
        assert first.returncode == status, first.stdout + first.stderr
        assert "No earlier run to compare with" in first.stdout
    (tmp_path / "report").rename(tmp_path / "kept")
    green = _check(tmp_path, keyed(faulty("2026-03").answer))
    assert green.returncode == 0, green.stdout + green.stderr
    assert (tmp_path / "report" / "diff.html").exists()
    changed = _check(tmp_path, keyed(faulty("2026-03", "refuses_everything").answer))
    assert changed.returncode == 1
    assert "refuses_everything" not in changed.stdout
    assert (tmp_path / "summary.md").read_text("utf-8")


@pytest.mark.parametrize(("function", "status"), [("correct", 0), ("lying", 1), ("missing", 2)])
def test_a_gate_ends_with_the_status_of_its_run(tmp_path: Path, function: str, status: int) -> None:
    (tmp_path / "gate.py").write_text(GATES, "utf-8")
    done = _run(tmp_path, "client-gate", client=f"gate:{function}", edition="2026-03", timeout="5")
    assert done.returncode == status, done.stdout + done.stderr


@pytest.mark.quick
@pytest.mark.parametrize("file", WORKFLOWS, ids=[file.parent.name + file.stem for file in WORKFLOWS])
def test_what_is_used_is_pinned_and_no_input_reaches_a_shell_as_text(file: Path) -> None:
    text = file.read_text("utf-8")
    yaml.safe_load(text)
    for used in re.findall(r"uses: (\S+)", text):
        assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", used), used
    for script in re.findall(r"run: (?:\|\n(?: {8,}.*\n|\n)+|.*)", text):
        assert "${{" not in script, script


@pytest.mark.quick
@pytest.mark.parametrize("name", ["client-gate", "portal-check"])
def test_every_input_is_used_and_names_an_option(name: str) -> None:
    inputs, steps = _steps(name)
    used = set(re.findall(r"inputs\.([\w-]+)", yaml.safe_dump(steps)))
    assert used == set(inputs)
    options = {option.name.removeprefix("--") for option in OPTIONS} | {
        "votes",
        "install",
        "fail-on",
        "token",
        "artifact",
    }
    assert set(inputs) - options == {"python-version"}
