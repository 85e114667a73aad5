"""A plan as JSON, so that a record can be judged by the plan that it was made with. Loading executes nothing."""

from typing import Any, Final

import jsonschema

from conformance.engine.session import Step
from conformance.engine.workload import Workload
from conformance.errors import UserError
from conformance.exchange.call import (
    ABSENT,
    Batch,
    BatchRequest,
    Call,
    Caller,
    ClassifiedValue,
    Delivery,
    Encoding,
    ReadBack,
    Request,
)

_VERSION: Final = 1
_PICK: Final = {
    "type": "object",
    "required": ["of"],
    "additionalProperties": False,
    "properties": {"of": {"type": "string"}, "value": True},
}
_WAY: Final = {
    "type": "object",
    "required": ["encoding", "suffix", "caller", "batch", "order"],
    "additionalProperties": False,
    "properties": {
        "encoding": {"enum": [entry.name for entry in Encoding]},
        "suffix": {"enum": ["", ".json", ".xml"]},
        "caller": {"enum": [entry.name for entry in Caller]},
        "batch": {"enum": [entry.name for entry in Batch]},
        "order": {"type": "array", "minItems": 3, "maxItems": 3, "items": {"enum": [0, 1, 2]}},
    },
}
_CALL: Final = {
    "type": "object",
    "required": ["session", "rating", "comment", "way", "extra", "session_name"],
    "additionalProperties": False,
    "properties": {
        "session": _PICK,
        "rating": _PICK,
        "comment": _PICK,
        "way": _WAY,
        "extra": {
            "type": "array",
            "items": {"type": "array", "minItems": 2, "maxItems": 2, "prefixItems": [{"type": "string"}, True]},
        },
        "session_name": {"type": "string"},
    },
}
_REQUEST: Final = {
    "oneOf": [
        {"required": ["read"], "additionalProperties": False, "properties": {"read": {"type": "integer"}}},
        {"required": ["call"], "additionalProperties": False, "properties": {"call": _CALL}},
        {
            "required": ["together"],
            "additionalProperties": False,
            "properties": {"together": {"type": "array", "minItems": 1, "items": _CALL}},
        },
    ],
    "type": "object",
}
SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["version", "limit", "preflight", "steps"],
    "additionalProperties": False,
    "properties": {
        "version": {"const": _VERSION},
        "limit": {"type": "string"},
        "preflight": {"type": "array", "items": _REQUEST},
        "steps": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["purpose", "request"],
                "additionalProperties": False,
                "properties": {"purpose": {"type": "string"}, "request": _REQUEST},
            },
        },
    },
}
_VALIDATOR: Final = jsonschema.Draft202012Validator(SCHEMA)


def plan_document(plan: Workload) -> dict[str, Any]:
    """The plan as a JSON object."""
    return {
        "version": _VERSION,
        "limit": plan.limit,
        "preflight": [_request_document(request) for request in plan.preflight],
        "steps": [{"purpose": step.purpose, "request": _request_document(step.request)} for step in plan.steps],
    }


def plan_from(document: Any, where: str = "plan.json") -> Workload:
    """The plan of a JSON document. Raises Problem where it is none."""
    try:
        is_plan = _VALIDATOR.is_valid(document)
    except RecursionError:
        is_plan = False
    if not is_plan:
        raise UserError(f"{where}: not a plan of this suite, version 1: record again")
    steps = tuple(Step(entry["purpose"], 1, _request_from(entry["request"])) for entry in document["steps"])
    preflight = [_request_from(entry) for entry in document["preflight"]]
    return Workload(tuple(one for one in preflight if not isinstance(one, BatchRequest)), steps, (), document["limit"])


def _request_document(request: Request) -> dict[str, Any]:
    if isinstance(request, ReadBack):
        return {"read": request.session}
    if isinstance(request, BatchRequest):
        return {"together": [_call_document(call) for call in request.calls]}
    return {"call": _call_document(request)}


def _request_from(document: dict[str, Any]) -> Request:
    if "read" in document:
        return ReadBack(document["read"])
    if "together" in document:
        return BatchRequest(tuple(map(_call_from, document["together"])))
    return _call_from(document["call"])


def _call_document(call: Call) -> dict[str, Any]:
    way = call.delivery
    return {
        "session": _pick_document(call.session),
        "rating": _pick_document(call.rating),
        "comment": _pick_document(call.comment),
        "way": {
            "encoding": way.encoding.name,
            "suffix": way.suffix,
            "caller": way.caller.name,
            "batch": way.batch.name,
            "order": list(way.order),
        },
        "extra": [list(entry) for entry in call.extra],
        "session_name": call.session_name,
    }


def _call_from(document: dict[str, Any]) -> Call:
    way = document["way"]
    one, two, three = way["order"]
    return Call(
        _pick_from(document["session"]),
        _pick_from(document["rating"]),
        _pick_from(document["comment"]),
        Delivery(
            Encoding[way["encoding"]], way["suffix"], Caller[way["caller"]], Batch[way["batch"]], (one, two, three)
        ),
        tuple((name, value) for name, value in document["extra"]),
        document["session_name"],
    )


def _pick_document(pick: ClassifiedValue) -> dict[str, Any]:
    return {"of": pick.cls} if pick.absent else {"of": pick.cls, "value": pick.value}


def _pick_from(document: dict[str, Any]) -> ClassifiedValue:
    return ClassifiedValue(document["of"], document.get("value", ABSENT))
