"""Gate every library that has an adapter here, in each edition, and keep one report of each run.

The reports lie in FOLDER/NAME/VERSION/EDITION/report.json, or not-run.txt that says why there is none.
"""

import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Final

from conformance.clients.libraries import ADAPTERS, Library, python_of
from conformance.engine.deviations import is_hang, load_deviations
from conformance.engine.results import MOST_KEPT
from conformance.errors import UserError
from conformance.reporting.clients_page import Row
from conformance.reporting.read import read_report
from conformance.reporting.report import write_whole

_NOT_RUN: Final = "not-run.txt"
_WHY: Final = re.compile(r"^(?:Error|cannot run): (.+)", re.MULTILINE)


def folder_of(library: Library) -> str:
    """Return the name of the folder of a library."""
    return library.name.lstrip("@").replace("/", "-")


def gate_one(library: Library, version: str, edition: str, folder: Path) -> str:
    """Gate a library without its deviation file, keep the report, and return its verdict or why there is none."""
    kept = folder / folder_of(library) / (version or "here") / edition
    shutil.rmtree(kept, ignore_errors=True)
    name = f"{library.name}=={version}" if version else library.name
    with tempfile.TemporaryDirectory() as made:
        nothing_known = Path(made) / "none.toml"
        nothing_known.touch()
        words = [sys.executable, "-m", "conformance", "gate", name, "--edition", edition, "--report-dir", made]
        # The report has all violations only where a deviation file is written from it.
        words += ["--deviations", str(nothing_known), "--write-deviations", str(Path(made) / "found.toml")]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        report = Path(made) / "report.json"
        if not report.exists():
            why = _WHY.findall(done.stdout + done.stderr) or ["it ended without a report"]
            write_whole(kept / _NOT_RUN, why[-1])
            return f"not run: {why[-1]}"
        document = read_report(report)
    known = _known_of(library)
    for clause in document["clauses"]:
        # What is not known comes first, so that the few that are kept show it, then hangs, which explain lost calls.
        clause["violations"].sort(
            key=lambda violation: (
                bool(known(clause["id"], violation["classes"])),
                not is_hang(violation["classes"]),
            )
        )
        del clause["violations"][MOST_KEPT:]
        for violation in clause["violations"]:
            asked = violation["repeat"].rpartition(" | ")[0]
            # The path of an environment is of no use to another person.
            violation["repeat"] = f"{asked} | vote-conformance adapter {name}"
    write_whole(kept / "report.json", json.dumps(document, indent=1))
    return str(document["verdict"])


def newest_of(library: Library) -> str:
    """Return the newest version in the registry that can be installed for its Python. Raise UserError."""
    package = library.package or library.name
    if library.registry == "npm":
        words = ["npm", "view", package, "version"]
    else:
        words = [python_of(library), "-m", "pip", "install", "--quiet", "--dry-run", "--ignore-installed", "--no-deps"]
        words += ["--report", "-", package]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        raise UserError(f"{package}: the registry does not name its newest version")
    if library.registry == "npm":
        return done.stdout.strip()
    return str(json.loads(done.stdout)["install"][0]["metadata"]["version"])


def rows_of(chosen: Sequence[Library], editions: Sequence[str], folder: Path) -> Iterator[Row]:
    """Yield what the reports in a folder say: a row for each library and version."""
    for library in chosen:
        versions = sorted(path.name for path in (folder / folder_of(library)).glob("*") if path.is_dir())
        # The version that the deviation file is about comes first.
        versions.sort(key=lambda version: version != (library.version or "here"))
        for version in versions:
            yield _row(library, version, editions, folder / folder_of(library) / version)


def _row(library: Library, version: str, editions: Sequence[str], kept: Path) -> Row:
    reports = {
        name: read_report(kept / name / "report.json") for name in editions if (kept / name / "report.json").exists()
    }
    whys = {name: (kept / name / _NOT_RUN).read_text("utf-8") for name in editions if (kept / name / _NOT_RUN).exists()}
    return Row(
        name=library.name,
        version=library.version and version,
        language=library.language,
        released=library.released if version == library.version else "",
        sends=library.sends,
        reports=reports,
        whys=whys,
        known=_known_of(library),
        is_pinned=version == (library.version or "here"),
    )


def _known_of(library: Library) -> Callable[[str, dict[str, str]], str]:
    """Return the function that gives the reason of the known deviation that a violation is, or the empty text."""
    entries = load_deviations(ADAPTERS / library.deviations, date.today())

    def known(clause: str, classes: dict[str, str]) -> str:
        return next((entry.reason for entry in entries if entry.excuses(clause, classes)), "")

    return known


def gate_all(
    chosen: Sequence[Library], editions: Sequence[str], folder: Path, newest: bool, say: Callable[[str], None]
) -> None:
    """Gate libraries one after the other. newest: gate the newest version of each that is not the pinned one."""
    for library in chosen:
        version = library.version
        if newest:
            try:
                version = newest_of(library) if library.registry else ""
            except UserError as error:
                say(f"{library.name}: not run ({error})")
                continue
            if version in ("", library.version):
                continue
        for edition in editions:
            verdict = gate_one(library, version, edition, folder)
            say(f"{library.name} {version}, edition {edition}: {verdict}")
