"""Write the files of a run beside report.json, and the summary of a job of GitHub Actions."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

from conformance.errors import UserError
from conformance.reporting.ctrf import ctrf_of
from conformance.reporting.diff import since_markdown
from conformance.reporting.github import annotations_of, badge_of
from conformance.reporting.html import html_of
from conformance.reporting.markdown import markdown_of
from conformance.reporting.read import Report, read_report
from conformance.reporting.report import PREVIOUS, write_whole
from conformance.reporting.sarif import sarif_of

WRITERS: Final[dict[str, Callable[[Report], str]]] = {
    "report.html": lambda report: html_of([report]),
    "report.sarif": lambda report: json.dumps(sarif_of(report), indent=1) + "\n",
    "ctrf.json": lambda report: json.dumps(ctrf_of(report), indent=1) + "\n",
    "badge.json": lambda report: json.dumps(badge_of(report)) + "\n",
}


def write_files(report: Report, folder: Path) -> None:
    """Write what is made from a report; in a job of GitHub Actions also its summary. Raise UserError."""
    markdown = _since(folder, report) + markdown_of([report])
    try:
        write_whole(folder / "report.md", markdown)
        for name, writer in WRITERS.items():
            write_whole(folder / name, writer(report))
        summary = os.environ.get("GITHUB_STEP_SUMMARY")
        if summary:
            with Path(summary).open("a", encoding="utf-8", errors="backslashreplace") as file:
                file.write(markdown)
    except OSError as error:
        raise UserError(f"--report-dir {folder}: cannot write the report ({error.strerror})") from None


def _since(folder: Path, report: Report) -> str:
    """Return what changed since the run before; the empty text where its report is missing or cannot be read."""
    try:
        return since_markdown(read_report(folder / PREVIOUS), report)
    except UserError:
        return ""


def annotations(report: Report) -> str:
    """Return the annotations of a failing run; the empty text outside of GitHub Actions."""
    return annotations_of(report) if os.environ.get("GITHUB_ACTIONS") == "true" else ""
