"""The command from the outside, for tests: run in a folder, against portals with secrets that must not show."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from conformance.contract.clauses import load_edition
from conformance.portals import reference
from conformance.portals.php_forms import PortalRequest
from conformance.portals.reference import Answering, PortalResponse, ReferencePortal
from conformance.selfcheck.mutants import MUTANTS

SECRET: Final = "s3cret-webhook-value"
TOKEN: Final = "s3cret-token-value"
TARGET: Final = "--target=target.toml"


class Ran:
    """A finished command: its status, all that it printed, and its report, empty where it wrote none."""

    def __init__(self, done: subprocess.CompletedProcess[str], folder: Path) -> None:
        self.status = done.returncode
        self.output = done.stdout + done.stderr
        path = folder / "report" / "report.json"
        self.report: dict[str, Any] = json.loads(path.read_text("utf-8")) if path.exists() else {}

    def statuses(self) -> dict[str, str]:
        return {clause["id"]: clause["status"] for clause in self.report["clauses"]}

    @property
    def found(self) -> list[tuple[Any, ...]]:
        """What is said of each clause: its id, status, how many were judged, what was observed, the violations."""
        names = ("id", "status", "exchanges", "observed", "violations")
        return [tuple(clause[name] for name in names) for clause in self.report["clauses"]]

    def clauses(self, status: str) -> set[str]:
        return {name for name, found in self.statuses().items() if found == status}


def environment() -> Mapping[str, str]:
    """That of a command, with the secrets that target_file refers to."""
    return {**os.environ, "B24_SECRET": SECRET, "B24_TOKEN": TOKEN}


def command(folder: Path, *arguments: str) -> Ran:
    """Runs vote-conformance in that folder."""
    line = [sys.executable, "-m", "conformance", *arguments]
    done = subprocess.run(line, capture_output=True, text=True, cwd=folder, env=environment(), check=False, timeout=300)
    return Ran(done, folder)


def run(folder: Path, *arguments: str) -> Ran:
    """Runs the suite; the report of an earlier run in the folder is forgotten."""
    (folder / "report" / "report.json").unlink(missing_ok=True)
    return command(folder, "run", "--report-dir", "report", "--seed", "1", *arguments)


def target_file(
    folder: Path, base: str, edition: str = "2024-10", *, live: bool = False, user: int = 1, more: str = ""
) -> str:
    """Writes target.toml; gives the option that names it."""
    (folder / "target.toml").write_text(
        f"""
name = "staging"
edition = "{edition}"
url = "{base}/rest/{user}/${{B24_SECRET}}/"
live = {str(live).lower()}
{more}
[sessions]
rateable = 494
forbidden = 7001
not_open_line = 8001
unknown = 999999937
open = 495
[callers]
second_url = "{base}/rest/2/{reference.SECOND_SECRET}/"
unscoped_url = "{base}/rest/3/{reference.UNSCOPED_SECRET}/"
token_url = "{base}/rest/"
token = "${{B24_TOKEN}}"
""",
        "utf-8",
    )
    return TARGET


def faulty(edition: str, *faults: str) -> ReferencePortal:
    """The reference portal with these faults."""
    portal = ReferencePortal(load_edition(edition))
    for fault in MUTANTS:
        if fault.name in faults:
            fault.apply(portal)
    return portal


def keyed(honest: Answering) -> Answering:
    """The reference portal with the secrets of these tests."""

    def answer(request: PortalRequest) -> PortalResponse:
        for ours, theirs in ((SECRET, reference.SECRET), (TOKEN, reference.TOKEN)):
            request = replace(
                request,
                path=request.path.replace(ours, theirs),
                query=request.query.replace(ours, theirs),
                headers={name: value.replace(ours, theirs) for name, value in request.headers.items()},
                body=request.body.replace(ours.encode(), theirs.encode()),
            )
        return honest(request)

    return answer
