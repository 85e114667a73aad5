"""A plan as a person reads it before anything is sent: each request, what it is for, what it carries, and totals."""

from typing import Final

from conformance.contract.clauses import Edition
from conformance.engine.plan import votes_of
from conformance.engine.workload import Workload
from conformance.exchange.call import Call, ReadBack, Request, calls_of
from conformance.exchange.reproduce import describe
from conformance.target.target import Target

CALLS_A_SECOND: Final = 2


def plan_list(plan: Workload, target: Target, edition: Edition) -> str:
    """The requests in order, the items of a batch under it, then what the plan costs and what it leaves out."""
    steps: list[tuple[str, Request]] = [("is this a portal that can be judged", request) for request in plan.preflight]
    steps += [(step.purpose, step.request) for step in plan.steps]
    lines = [f"plan for {target.name}, edition {edition.name}"]
    for number, (purpose, request) in enumerate(steps, 1):
        lines.append(f"{number:3}  {purpose}")
        lines += [f"       {line}" for line in _shown(request)]
    seconds = plan.requests / CALLS_A_SECOND
    lines += [
        "",
        f"{plan.requests} requests, about {seconds:.0f} s at {CALLS_A_SECOND} a second",
        f"votes: {votes_of(plan, target, edition)}",
    ]
    if plan.left_out:
        lines.append(f"left out by {plan.limit}:")
        lines += [f"     {step.purpose}" for step in plan.left_out]
    return "\n".join(lines)


def _shown(request: Request) -> list[str]:
    if isinstance(request, ReadBack):
        return [f"read session {request.session}"]
    if isinstance(request, Call):
        return [_line(request)]
    calls = calls_of(request)
    return [f"{calls[0].delivery}, {len(calls)} items", *(f"  {describe(call)}" for call in calls)]


def _line(call: Call) -> str:
    return f"{describe(call)}   {call.delivery}"
