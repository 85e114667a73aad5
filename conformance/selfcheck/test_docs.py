"""Runs the commands of README and of the pages in conformance/docs, and compares what they print with the page.

A fenced block is read by its first line:

    console             commands after `$ `, then what each prints; `...` stands for any lines, or any text in a line
    LANGUAGE file.name  the content of a file, which all pages share
    python              a program
    sh, yaml, text      not run

portal.toml names a portal on the internet. Here it is a portal of this machine, which keeps the rules of a live one.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

import conformance
from conformance.cli import main
from conformance.options import OPTIONS
from conformance.portals.server import serving
from conformance.selfcheck.outside import SECRET, TOKEN, faulty, keyed

PACKAGE: Final = Path(conformance.__file__).parent
ROOT: Final = PACKAGE.parent
PAGES: Final = (ROOT / "README.md", *sorted((PACKAGE / "docs").glob("*.md")))
PRINTED: Final = (*PAGES, *sorted((ROOT / ".github").glob("*.md")))
BLOCK: Final = re.compile(r"^```(\S+)[ ]?(\S*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ELSEWHERE: Final = "https://example.bitrix24.com"
AT_ONCE: Final = "live = true\nlimit = { burst = 1000, per_second = 2 }\n"
OF_OTHER_TOOLS: Final = frozenset({"--lf", "--ff", "--junitxml", "--data-binary"})


@pytest.fixture(scope="module")
def portal() -> Iterator[str]:
    """Yield the address of a portal that knows the secrets of these tests."""
    with serving(keyed(faulty("2026-03").answer)) as base:
        yield base


def _environment(folder: Path) -> dict[str, str]:
    """Return the environment of a reader: the command and pytest are on the path, the secrets are set."""
    tools = folder / ".tools"
    tools.mkdir()
    for name, module in (
        ("vote-conformance", "conformance"),
        ("pytest", "pytest -p conformance.fixture"),
        ("python", ""),
    ):
        option = f"-m {module} " if module else ""
        (tools / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" {option}"$@"\n', "utf-8")
        (tools / name).chmod(0o755)
    secrets = {"B24_WEBHOOK_SECRET": SECRET, "B24_TOKEN": TOKEN, "PYTHONPATH": str(ROOT)}
    # Options of the own tests' pytest are no options of a reader's.
    path = f"{tools}:{os.environ['PATH']}"
    return {**os.environ, **secrets, "PATH": path, "COLUMNS": "80", "PYTEST_ADDOPTS": ""}


def _commands(block: str) -> Iterator[tuple[str, str]]:
    """Yield each command of a console block with what it is said to print."""
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        line, _, printed = part.partition("\n")
        yield line, printed


def _prints(expected: str, printed: str) -> bool:
    lines = ["(?:.*\n)*?" if line == "..." else _line(line) for line in expected.splitlines()]
    return re.fullmatch("".join(lines), printed) is not None


def _line(line: str) -> str:
    return ".*".join(map(re.escape, re.split(r"\.\.\.|…", line))) + "\n"


@pytest.mark.parametrize("page", PAGES, ids=[page.stem for page in PAGES])
def test_what_a_page_shows_is_what_happens(page: Path, tmp_path: Path, portal: str) -> None:
    environment = _environment(tmp_path)
    _write_files(tmp_path, portal)
    for language, name, content in BLOCK.findall(page.read_text("utf-8")):
        if language == "python" and not name:
            _run([sys.executable, "-c", content], tmp_path, environment)
        elif language == "console":
            for line, expected in _commands(content):
                printed = _run(["/bin/sh", "-c", line], tmp_path, environment)
                assert _prints(expected, printed), f"{page.name}: {line} printed\n{printed}"


def _run(command: list[str], folder: Path, environment: dict[str, str]) -> str:
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return done.stdout + done.stderr


def _write_files(folder: Path, portal: str) -> None:
    """Write the files of all pages."""
    for page in PAGES:
        for _, name, content in BLOCK.findall(page.read_text("utf-8")):
            if name:
                text = AT_ONCE + content.replace(ELSEWHERE, portal) if name == "portal.toml" else content
                (folder / name).write_text(text, "utf-8")


@pytest.mark.quick
@pytest.mark.parametrize("page", PRINTED, ids=[page.stem for page in PRINTED])
def test_links_options_and_subcommands_of_a_page_exist(page: Path) -> None:
    text = page.read_text("utf-8")
    for link in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text):
        assert (page.parent / link).exists(), link
    of_commands = {name for command in main.commands.values() for option in command.params for name in option.opts}
    known = {option.name for option in OPTIONS} | of_commands | OF_OTHER_TOOLS
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", "".join(re.findall(r"`+[^`]+`+", text))))
    assert named - known - {"--version"} == set()
    for name in re.findall(r"vote-conformance ([a-z]+(?:-[a-z]+)*)", text):
        assert name in main.commands, name


@pytest.mark.quick
def test_the_readme_fits_on_three_screens_and_names_every_page() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    assert len(text.splitlines()) <= 150
    assert all(page.name in text for page in (PACKAGE / "docs").glob("*.md"))


@pytest.mark.quick
def test_every_option_is_described_on_a_page() -> None:
    described = "".join(page.read_text("utf-8") for page in PAGES)
    assert [option.name for option in OPTIONS if option.name not in described] == []
