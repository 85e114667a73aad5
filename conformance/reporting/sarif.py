"""A report as SARIF 2.1.0, for code scanning: each violation is a result at a place of the user's own files."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from conformance.exchange.violation import printable, shown_facts
from conformance.reporting.read import Report, failing, name_of

_SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"
_LONGEST: Final = 1_000


def sarif_of(report: Report) -> dict[str, Any]:
    """Return the report as a SARIF log.

    A violation is shown at the target file or at the adapter of the client library, a deviation that holds no longer
    at its entry in the deviation file. A known deviation is a suppressed result.
    """
    clauses = {clause["id"]: clause for clause in report["clauses"]}
    return {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "vote-conformance",
                        "version": report["suite_version"],
                        "rules": [_rule(clause) for clause in clauses.values()],
                    }
                },
                "automationDetails": {"id": f"vote-conformance/{printable(name_of(report), _LONGEST)}/"},
                "invocations": [{"executionSuccessful": True}],
                "columnKind": "unicodeCodePoints",
                "results": [*_results(report, list(clauses))],
            }
        ],
    }


def _rule(clause: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": clause["id"],
        "shortDescription": {"text": printable(clause["statement"], _LONGEST)},
        "help": {"text": printable(f"{clause['level']}; source: {clause['source']}", _LONGEST)},
        **({"helpUri": clause["sections"][0]["link"]} if clause["sections"] else {}),
        "properties": {"tags": [clause["chapter"], clause["level"]]},
    }


def _results(report: Report, rules: list[str]) -> Iterator[dict[str, Any]]:
    judged, deviations = report["judged_file"], report["deviation_file"]
    for clause in failing(report):
        common = {"ruleId": clause["id"], "ruleIndex": rules.index(clause["id"]), "level": _level(clause["status"])}
        for violation in clause["violations"]:
            facts = "; ".join(f"{label}: {text}" for label, text in shown_facts(violation))
            kind = ",".join(f"{name}={value}" for name, value in violation["classes"].items())
            yield common | _at(facts, judged, 1, f"{clause['id']}:{kind}")
        if clause["status"] == "deviation-gone":
            for entry in clause["deviations"]:
                text = f"this deviation holds no longer, remove it: {entry['reason']}"
                yield common | _at(text, deviations, entry.get("line", 1), f"{clause['id']}:{entry['reason']}")
        elif not clause["violations"]:
            yield common | _at(clause["note"] or clause["status"], judged, 1, clause["id"])
    for clause in (clause for clause in report["clauses"] if clause["status"] == "known-deviation"):
        for entry in clause["deviations"]:
            result = {"ruleId": clause["id"], "ruleIndex": rules.index(clause["id"]), "level": "note"}
            result |= _at(entry["reason"], deviations, entry.get("line", 1), f"{clause['id']}:{entry['reason']}")
            justification = printable(entry["source"], _LONGEST)
            yield {**result, "suppressions": [{"kind": "external", "justification": justification}]}


def _level(status: str) -> str:
    return "warning" if status == "deviation-gone" else "error"


def _at(text: str, file: str, line: int, fingerprint: str) -> dict[str, Any]:
    """Return message, place and fingerprint of a result. file: empty where the run had none below its folder."""
    place = {"artifactLocation": {"uri": file}, "region": {"startLine": line}}
    return {
        "message": {"text": printable(text, _LONGEST)},
        "partialFingerprints": {"clauseAndClasses/v1": printable(fingerprint, _LONGEST)},
        **({"locations": [{"physicalLocation": place}]} if file else {}),
    }
