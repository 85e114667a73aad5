"""A plan as JSON, so that a recording can be judged by the plan that it was made with. Loading executes nothing."""

from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Any, Final, Literal, TypeVar

import msgspec
from msgspec import UNSET, Meta, UnsetType

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
from conformance.loading import fit, quoted

_VERSION: Final = 1
_Place = Annotated[int, Meta(ge=0, le=2)]
_Member = TypeVar("_Member", bound=Enum)


@dataclass(frozen=True, slots=True)
class _ValueEntry:
    of: str
    value: Any = UNSET


@dataclass(frozen=True, slots=True)
class _WayEntry:
    encoding: str
    suffix: Annotated[str, Meta(pattern=r"^(\.json|\.xml)?\Z")]
    caller: str
    batch: str
    order: tuple[_Place, _Place, _Place]


@dataclass(frozen=True, slots=True)
class _CallEntry:
    session: _ValueEntry
    rating: _ValueEntry
    comment: _ValueEntry
    way: _WayEntry
    extra: tuple[tuple[str, Any], ...]
    session_name: str


@dataclass(frozen=True, slots=True)
class _RequestEntry:
    read: int | UnsetType = UNSET
    call: _CallEntry | UnsetType = UNSET
    together: tuple[_CallEntry, ...] | UnsetType = UNSET


@dataclass(frozen=True, slots=True)
class _StepEntry:
    purpose: str
    request: _RequestEntry


@dataclass(frozen=True, slots=True)
class _WithheldEntry:
    reason: str
    call: _CallEntry


@dataclass(frozen=True, slots=True)
class PlanFile:
    """The form of plan.json."""

    version: Literal[1]
    limit: str
    preflight: tuple[_RequestEntry, ...]
    steps: tuple[_StepEntry, ...]
    withheld: tuple[_WithheldEntry, ...] | UnsetType = UNSET


def plan_document(plan: Workload) -> dict[str, Any]:
    """Return the plan as a JSON object."""
    form = PlanFile(
        version=_VERSION,
        limit=plan.limit,
        preflight=tuple(map(_request_entry, plan.preflight)),
        steps=tuple(_StepEntry(step.purpose, _request_entry(step.request)) for step in plan.steps),
        withheld=tuple(_WithheldEntry(reason, _call_entry(call)) for call, reason in plan.withheld) or UNSET,
    )
    document: dict[str, Any] = msgspec.to_builtins(form)
    return document


def plan_from(document: Any, where: str = "plan.json") -> Workload:
    """Return the plan of a JSON document. Raise UserError where it does not hold one."""
    try:
        form = fit(document, PlanFile, where)
        preflight = [_request(entry, f"{where}: preflight {number}") for number, entry in enumerate(form.preflight, 1)]
        steps = tuple(
            Step(entry.purpose, 1, _request(entry.request, f"{where}: steps {number}: request"))
            for number, entry in enumerate(form.steps, 1)
        )
        withheld = tuple(
            (_call(entry.call, f"{where}: withheld {number}: call"), entry.reason)
            for number, entry in enumerate(form.withheld or (), 1)
        )
    except UserError as error:
        raise UserError(f"{error}: record again") from None
    calls = tuple(one for one in preflight if not isinstance(one, BatchRequest))
    return Workload(calls, steps, limit=form.limit, withheld=withheld)


def _request_entry(request: Request) -> _RequestEntry:
    if isinstance(request, ReadBack):
        return _RequestEntry(read=request.session)
    if isinstance(request, BatchRequest):
        return _RequestEntry(together=tuple(map(_call_entry, request.calls)))
    return _RequestEntry(call=_call_entry(request))


def _request(entry: _RequestEntry, where: str) -> Request:
    match entry:
        case _RequestEntry(int(session), UnsetType(), UnsetType()):
            return ReadBack(session)
        case _RequestEntry(UnsetType(), _CallEntry() as call, UnsetType()):
            return _call(call, f"{where}.call")
        case _RequestEntry(UnsetType(), UnsetType(), (_, *_) as calls):
            return BatchRequest(tuple(_call(call, f"{where}.together {n}") for n, call in enumerate(calls, 1)))
    raise UserError(f"{where}: give one of read, call and together")


def _call_entry(call: Call) -> _CallEntry:
    way = call.delivery
    return _CallEntry(
        session=_value_entry(call.session),
        rating=_value_entry(call.rating),
        comment=_value_entry(call.comment),
        way=_WayEntry(way.encoding.name, way.suffix, way.caller.name, way.batch.name, way.order),
        extra=call.extra,
        session_name=call.session_name,
    )


def _call(entry: _CallEntry, where: str) -> Call:
    delivery = Delivery(
        encoding=_member(Encoding, entry.way.encoding, f"{where}.way.encoding"),
        suffix=entry.way.suffix,
        caller=_member(Caller, entry.way.caller, f"{where}.way.caller"),
        batch=_member(Batch, entry.way.batch, f"{where}.way.batch"),
        order=entry.way.order,
    )
    values = (_value(entry.session), _value(entry.rating), _value(entry.comment))
    return Call(*values, delivery, entry.extra, entry.session_name)


def _member(members: type[_Member], name: str, where: str) -> _Member:
    if name not in members.__members__:
        raise UserError(f"{where}: {quoted(name)} is none of {', '.join(members.__members__)}")
    return members[name]


def _value_entry(value: ClassifiedValue) -> _ValueEntry:
    return _ValueEntry(value.cls, UNSET if value.absent else value.value)


def _value(entry: _ValueEntry) -> ClassifiedValue:
    return ClassifiedValue(entry.of, ABSENT if entry.value is UNSET else entry.value)
