"""Reading reports back: those of earlier versions are brought into the form of this one. Nothing is executed."""

import json
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import jsonschema

from conformance.errors import UserError
from conformance.reporting.report import SCHEMA_VERSION

Report = dict[str, Any]
"""A report as a JSON document in the form of report.schema.json."""
_LARGEST_FILE: Final = 64 * 2**20


def read_report(path: Path) -> Report:
    """The report of a file. Raises Problem where it is cut, foreign, or of a newer version."""
    try:
        if path.stat().st_size > _LARGEST_FILE:
            raise UserError(f"{path}: larger than {_LARGEST_FILE // 2**20} MiB: this is no report")
        document = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise UserError(f"{path}: cannot read the report ({error.strerror}): give a report.json") from None
    except (ValueError, RecursionError):
        raise UserError(f"{path}: not JSON, or cut: give the report.json of a run") from None
    version = document.get("schema_version") if isinstance(document, dict) else None
    if isinstance(version, int) and version > SCHEMA_VERSION:
        raise UserError(f"{path}: written by a newer version (schema {version}): update vote-conformance")
    if version not in range(1, SCHEMA_VERSION + 1):
        raise UserError(f"{path}: no report of vote-conformance: give the report.json of a run")
    upgraded = _upgraded(document)
    fault = next(_validator().iter_errors(upgraded), None)
    if fault is not None:
        place = "/".join(map(str, fault.absolute_path)) or "the whole"
        raise UserError(f"{path}: no report of vote-conformance ({place} is not as it should be)")
    return upgraded


@cache
def _validator() -> jsonschema.Draft202012Validator:
    schema = json.loads((files("conformance.reporting") / "report.schema.json").read_text("utf-8"))
    return jsonschema.Draft202012Validator(schema)


def _upgraded(document: Report) -> Report:
    """What earlier versions did not say is said as they would have."""
    then: Report = {
        "mode": "explore",
        "coverage": {"met": 0, "all": 0, "pairs": []},
        "client": "",
        "edition_evidence": [],
    }
    return {**then, **document, "schema_version": SCHEMA_VERSION}


def name_of(report: Report) -> str:
    """What was judged, in a few words."""
    name: str = report["client"] or report["target"]["name"]
    return name


def failing(report: Report) -> list[dict[str, Any]]:
    """The clauses for which the run fails."""
    return [clause for clause in report["clauses"] if clause["status"] in FAILING]


FAILING: Final = ("failed", "error", "deviation-gone")
EXERCISED: Final = ("passed", "failed", "known-deviation", "deviation-gone", "observed")
