"""The sides of a comparison: a report, or a record that is judged now."""

import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from conformance.errors import UserError
from conformance.reporting.diff import Change, compare, in_order
from conformance.reporting.read import Report, read_report

if TYPE_CHECKING:
    from conformance.target.recording import Recording


@dataclass(frozen=True, slots=True)
class Side:
    """A report, and the record that it was made from, where it was."""

    report: Report
    record: "Recording | None"


def side_of(path: Path) -> Side:
    """The side that a file or folder stands for. Raises Problem."""
    if not path.is_dir():
        return Side(read_report(path), None)
    from conformance.target.recording import load_recording  # noqa: PLC0415 - vcrpy takes long, and reports need none

    record = load_recording(path)
    with tempfile.TemporaryDirectory() as folder:
        line = [sys.executable, "-m", "conformance", "run", "--target", str(path), "--report-dir", folder]
        done = subprocess.run(line, capture_output=True, text=True, check=False)
        written = Path(folder) / "report.json"
        if not written.exists():
            told = [
                text for text in (done.stdout + done.stderr).splitlines() if "cannot run" in text or "Error:" in text
            ]
            raise UserError(f"{path}: it could not be judged: {(told or ['no reason given'])[0].strip(' !')}")
        return Side({**read_report(written), "started": record.recorded.isoformat(timespec="seconds")}, record)


def compare_sides(before: Side, after: Side, forced: bool) -> tuple[Change, ...]:
    """What changed, of two records also answer by answer. Raises Problem."""
    changes = compare(before.report, after.report, forced)
    if before.record is None or after.record is None:
        return changes
    from conformance.reporting.answers import compare_records  # noqa: PLC0415 - vcrpy takes long, and reports need none

    return in_order([*changes, *compare_records(before.record, after.record)])
