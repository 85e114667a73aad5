"""An OpenAPI 3.1 description of the method, generated from the data of an edition.

Fuzzers, mock generators and documentation tools read this description. A schema can state types, ranges, statuses,
codes and envelopes. Demands that depend on the state of a portal, such as who may rate a session, are judged only
by the suite.
"""

from collections import defaultdict
from typing import Any, Final

from conformance.contract.classes import LONGEST_COMMENT, STARS
from conformance.contract.clauses import Edition

_MEDIA_TYPES: Final = ("application/json", "application/x-www-form-urlencoded", "multipart/form-data")
_FILLED: Final = {"pattern": r"\S"}
_CHAPTERS: Final = ("required", "optional", "rating", "comment", "success", "errors")


def openapi_of(edition: Edition, method: str, version: str) -> dict[str, Any]:
    """Return the description as a JSON document.

    method: the name of the REST method.
    version: the version of the suite.
    """
    operation = {
        "summary": "A supervisor rates a finished open-channel dialog",
        "description": _describe_clauses(edition),
        "tags": ["imopenlines"],
        "responses": _responses(edition),
    }
    body = {"required": True, "content": {kind: {"schema": _ref("Vote")} for kind in _MEDIA_TYPES}}
    paths = {
        f"/{method}{suffix}": {
            "post": {**operation, "operationId": f"vote{place}", "requestBody": body},
            "get": {**operation, "operationId": f"voteByQuery{place}", "parameters": _query_parameters()},
        }
        for place, suffix in (("", ""), ("Json", ".json"))
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": f"{method}, edition {edition.name}", "version": version, "description": edition.summary},
        "servers": [
            {
                "url": "https://{portal}/rest/{user}/{secret}",
                "description": "an incoming webhook of the portal",
                "variables": {name: {"default": name} for name in ("portal", "user", "secret")},
            }
        ],
        "paths": paths,
        "components": {"schemas": _schemas(edition)},
    }


def _describe_clauses(edition: Edition) -> str:
    clauses = (clause for clause in edition.clauses.values() if clause.chapter in _CHAPTERS)
    return "\n".join(f"- `{clause.id}` ({clause.level}): {clause.statement}" for clause in clauses)


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def _properties() -> dict[str, Any]:
    return {
        "SESSION_ID": {
            "description": "the session of the dialog; a text of digits means that number",
            "anyOf": [{"type": "integer", "minimum": 1}, {"type": "string", "pattern": "^[1-9][0-9]*$"}],
        },
        "RATING": {
            "description": "stars; a text of digits means that number",
            "enum": [*map(int, STARS), *STARS],
        },
        "COMMENT": {
            "description": f"any text; the pages are silent on one of more than {LONGEST_COMMENT:,} characters",
            "type": "string",
        },
    }


def _query_parameters() -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "query", "required": name == "SESSION_ID", "schema": schema}
        for name, schema in _properties().items()
    ]


def _schemas(edition: Edition) -> dict[str, Any]:
    accepted = {"SESSION_ID": 494, **edition.example_accepted}
    return {
        "Vote": {
            "type": "object",
            "required": ["SESSION_ID"],
            "anyOf": [{"required": ["RATING"]}, {"required": ["COMMENT"], "properties": {"COMMENT": _FILLED}}],
            "properties": _properties(),
            "examples": [accepted],
        },
        "Accepted": {
            "type": "object",
            "required": ["result", "time"],
            "properties": {"result": {"const": True}, "time": _ref("Time")},
            "not": {"required": ["error"]},
        },
        "Refused": {
            "type": "object",
            "required": ["error", "error_description"],
            "properties": {
                "error": {"enum": sorted(edition.method_codes | edition.system_codes.keys())},
                "error_description": {"type": "string"},
            },
            "not": {"required": ["result"]},
        },
        "Time": {
            "type": "object",
            "properties": {
                **{
                    name: {"type": "number"}
                    for name in ("start", "finish", "duration", "processing", "operating", "operating_reset_at")
                },
                **{name: {"type": "string", "format": "date-time"} for name in ("date_start", "date_finish")},
            },
        },
    }


def _responses(edition: Edition) -> dict[str, Any]:
    """Return the responses by status.

    If an edition leaves the status of a refusal open, status 200 and every 4xx status may carry a refusal.
    """
    codes: dict[int, set[str]] = defaultdict(set)
    for code, status in edition.system_codes.items():
        codes[status].add(code)
    if edition.method_statuses == {400}:
        codes[400] |= edition.method_codes
    else:
        codes[200] |= edition.method_codes
    responses = {
        str(status): _response(f"refused: {', '.join(sorted(codes[status]))}", _ref("Refused"))
        for status in sorted(codes)
        if status != 200
    }
    if codes[200]:
        ok_description = f"the vote is accepted, or refused: {', '.join(sorted(codes[200]))}"
        responses["200"] = _response(ok_description, {"oneOf": [_ref("Accepted"), _ref("Refused")]})
        responses["4XX"] = _response("the vote is refused", _ref("Refused"))
    else:
        responses["200"] = _response("the vote is accepted", _ref("Accepted"))
    return dict(sorted(responses.items()))


def _response(description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema}}}
