"""The two sides of a comparison: each a report, or a recording that is judged now."""

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
    """A report, and the recording that it was made from where there was one."""

    report: Report
    recording: "Recording | None"


def side_of(path: Path) -> Side:
    """Return the side that a report file or a recording's folder stands for. Raise UserError."""
    if not path.is_dir():
        return Side(read_report(path), None)
    # The engine takes long to import, and two reports are compared without it.
    from conformance.check import check_recording  # noqa: PLC0415
    from conformance.target.recording import load_recording  # noqa: PLC0415

    recording = load_recording(path)
    try:
        report = check_recording(recording).document()
    except UserError as error:
        raise UserError(f"{path}: it could not be judged: {error}") from None
    return Side(report, recording)


def compare_sides(before: Side, after: Side, forced: bool) -> tuple[Change, ...]:
    """Return what changed; of two recordings also answer by answer. Raise UserError where they cannot be compared."""
    changes = compare(before.report, after.report, forced)
    if before.recording is None or after.recording is None:
        return changes
    from conformance.reporting.answers import compare_records  # noqa: PLC0415

    return in_order([*changes, *compare_records(before.recording, after.recording)])
