"""SARIF and CTRF hold what their specifications demand, nothing that they do not know, and the right place.

The forms below are the parts of SARIF 2.1.0 and of CTRF 0.0 that the suite writes, with the keys that each demands.
"""

import json
from datetime import date
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from conformance.engine.deviations import load_deviations
from conformance.reporting.ctrf import ctrf_of
from conformance.reporting.read import FAILING, Report, read_report
from conformance.reporting.sarif import sarif_of

GOLDEN = Path(__file__).parent / "golden"
HOSTILE = "<b>\u202e\x1b[31m\ud800 %0A::error::"
pytestmark = pytest.mark.quick


def _object(required: dict[str, Any], optional: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return the schema of an object with these keys and no others."""
    properties = {**required, **(optional or {})}
    return {"type": "object", "properties": properties, "required": list(required), "additionalProperties": False}


def _list(of: dict[str, Any], *, least: int = 0) -> dict[str, Any]:
    return {"type": "array", "items": of, "minItems": least, "uniqueItems": True}


TEXT = {"type": "string", "minLength": 1}
COUNT = {"type": "integer", "minimum": 0}
RELATIVE = {"type": "string", "pattern": r"^[^/\\:]+(/[^/\\:]+)*$"}
MESSAGE = _object({"text": TEXT})
PLACE = _object(
    {
        "physicalLocation": _object(
            {
                "artifactLocation": _object({"uri": RELATIVE}),
                "region": _object({"startLine": {"type": "integer", "minimum": 1}}),
            }
        )
    }
)
RESULT = _object(
    {
        "ruleId": TEXT,
        "ruleIndex": COUNT,
        "level": {"enum": ["none", "note", "warning", "error"]},
        "message": MESSAGE,
        "partialFingerprints": {"type": "object", "additionalProperties": TEXT},
    },
    {
        "locations": _list(PLACE, least=1),
        "suppressions": _list(_object({"kind": {"enum": ["inSource", "external"]}, "justification": TEXT}), least=1),
    },
)
RULE = _object(
    {"id": TEXT, "shortDescription": MESSAGE, "help": MESSAGE, "properties": _object({"tags": _list(TEXT)})},
    {"helpUri": {"type": "string", "pattern": "^https://"}},
)
SARIF = _object(
    {
        "$schema": TEXT,
        "version": {"const": "2.1.0"},
        "runs": _list(
            _object(
                {
                    "tool": _object({"driver": _object({"name": TEXT, "version": TEXT, "rules": _list(RULE)})}),
                    "automationDetails": _object({"id": TEXT}),
                    "invocations": _list(_object({"executionSuccessful": {"const": True}})),
                    "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
                    "results": _list(RESULT),
                }
            ),
            least=1,
        ),
    }
)
CTRF_STATUSES = ("passed", "failed", "skipped", "pending", "other")
CTRF = _object(
    {
        "reportFormat": {"const": "CTRF"},
        "specVersion": {"type": "string", "pattern": r"^[0-9]+\.[0-9]+\.[0-9]+$"},
        "generatedBy": TEXT,
        "results": _object(
            {
                "tool": _object({"name": TEXT, "version": TEXT}),
                "summary": _object(
                    dict.fromkeys(("tests", *CTRF_STATUSES, "suites", "start", "stop"), COUNT),
                ),
                "environment": _object({"testEnvironment": TEXT, "extra": {"type": "object"}}),
                "tests": _list(
                    _object(
                        {
                            "name": TEXT,
                            "status": {"enum": list(CTRF_STATUSES)},
                            "rawStatus": TEXT,
                            "duration": COUNT,
                            "suite": _list(TEXT, least=1),
                            "tags": _list(TEXT),
                            "extra": {"type": "object"},
                        },
                        {"message": TEXT, "filePath": RELATIVE},
                    )
                ),
            }
        ),
    }
)


def _reports() -> dict[str, Report]:
    reports = {f"schema {schema}": read_report(GOLDEN / f"report-{schema}.json") for schema in (1, 2, 3, 4)}
    newest = reports["schema 4"]
    clauses = [
        {
            **clause,
            "note": HOSTILE,
            "violations": [{**entry, "answered": HOSTILE * 1000} for entry in clause["violations"]],
        }
        for clause in newest["clauses"]
    ]
    in_error = [{**clause, "status": "error", "violations": [], "note": HOSTILE} for clause in newest["clauses"]]
    return {
        **reports,
        "hostile": {**newest, "client": HOSTILE, "started": HOSTILE, "clauses": clauses},
        "only errors": {**newest, "clauses": in_error},
        "without files": {**newest, "judged_file": "", "deviation_file": ""},
    }


REPORTS = _reports()


@pytest.mark.parametrize("name", REPORTS)
def test_each_report_is_sarif_and_ctrf_of_printable_text(name: str) -> None:
    report = REPORTS[name]
    for document, schema in ((sarif_of(report), SARIF), (ctrf_of(report), CTRF)):
        jsonschema.Draft202012Validator(schema).validate(document)
        text = json.dumps(document, ensure_ascii=False)
        assert not set(text) & {"\u202e", "\x1b"}
        assert len(text) < 200_000


@pytest.mark.parametrize("name", REPORTS)
def test_what_fails_in_the_report_fails_in_both(name: str) -> None:
    report = REPORTS[name]
    failed = {clause["id"] for clause in report["clauses"] if clause["status"] in FAILING}
    (run,) = sarif_of(report)["runs"]
    assert {result["ruleId"] for result in run["results"] if "suppressions" not in result} == failed
    assert all(run["tool"]["driver"]["rules"][one["ruleIndex"]]["id"] == one["ruleId"] for one in run["results"])
    results = ctrf_of(report)["results"]
    assert {test["name"] for test in results["tests"] if test["status"] == "failed"} == failed
    statuses = [test["status"] for test in results["tests"]]
    assert all(results["summary"][status] == statuses.count(status) for status in CTRF_STATUSES)


def test_a_violation_is_at_the_target_file_and_a_deviation_at_its_entry() -> None:
    (run,) = sarif_of(REPORTS["schema 4"])["runs"]
    places = {
        (result["ruleId"], place["artifactLocation"]["uri"], place["region"]["startLine"])
        for result in run["results"]
        for place in [result["locations"][0]["physicalLocation"]]
    }
    assert ("rating.rejects-outside", "portal.toml", 1) in places
    assert ("transport.oauth", "deviations/portal.toml", 22) in places


def test_an_entry_of_a_deviation_file_knows_its_line(tmp_path: Path) -> None:
    entry = 'clause = "success.true"\nreason = "it answers 1"\nsource = "seen"\n'
    file = tmp_path / "known.toml"
    file.write_text(f"# why\n\n[[deviation]]\n{entry}\n  [[ deviation ]]\n{entry}", "utf-8")
    assert [one.line for one in load_deviations(file, date(2026, 1, 1))] == [3, 8]
    file.write_text('deviation = [{ clause = "success.true", reason = "a", source = "b" }]\n', "utf-8")
    assert [one.line for one in load_deviations(file, date(2026, 1, 1))] == [1]
