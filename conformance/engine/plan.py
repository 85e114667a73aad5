"""The plan for one target: the fewest requests that send every named value, within a number of votes and of requests.

Which steps there are: plan_steps.py. Which votes are kept first: vote_rank.py.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from conformance.contract.clauses import Edition
from conformance.contract.oracle import permitted
from conformance.engine.cases import is_offered
from conformance.engine.plan_steps import plan_steps
from conformance.engine.preflight import preflight_requests
from conformance.engine.session import Step, cannot_write
from conformance.engine.vote_rank import rank_of
from conformance.engine.workload import Workload
from conformance.errors import UserError
from conformance.exchange.call import NO_RIGHTS, PLAIN_JSON, BatchRequest, Call, ReadBack, calls_of
from conformance.exchange.reproduce import describe
from conformance.options import MOST_VOTES
from conformance.target.patience import SPARE_VOTES
from conformance.target.target import Target


def plan_of(target: Target, edition: Edition, budget: int | None = None, votes: int = MOST_VOTES) -> Workload:
    """Return the plan for a target. Raise UserError if the budget is too small for anything.

    budget: the most requests.
    votes: the most votes that a portal gets if it takes everything, with those that put found votes back.
    """
    preflight = preflight_requests(target)
    whole = _as_offered(plan_steps(target, edition), target)
    steps = _with_votes(whole, target, edition, votes)
    room = len(steps) if budget is None else budget - len(preflight)
    if room < 1:
        raise UserError(f"--budget {budget}: the preflight alone takes {len(preflight)} requests: give more")
    chosen = set(sorted(range(len(steps)), key=lambda place: steps[place].priority)[:room])
    kept = tuple(step for place, step in enumerate(steps) if place in chosen)
    purposes = {step.purpose for step in kept}
    limits = [f"--votes {votes}" if votes else "--no-votes"] if steps != whole else []
    limits += [f"--budget {budget}"] if len(kept) < len(steps) else []
    return Workload(
        preflight, kept, tuple(step for step in whole if step.purpose not in purposes), " and ".join(limits)
    )


def _as_offered(steps: list[Step], target: Target) -> list[Step]:
    """Return the steps with each call in plain JSON that travels in a way which the target file takes out."""
    sent = {call for step in steps for call in calls_of(step.request)}
    offered: list[Step] = []
    for step in steps:
        calls = calls_of(step.request)
        if all(is_offered(call.delivery, target.not_offered) for call in calls):
            offered.append(step)
            continue
        fresh = [call for call in (call.via(PLAIN_JSON) for call in calls) if call not in sent]
        sent.update(fresh)
        offered += [replace(step, purpose=f"{step.purpose} ({describe(call)})", request=call) for call in fresh]
    return _with_calls(offered, lambda _place, _item: True)


@dataclass(frozen=True, slots=True)
class Votes:
    """How many votes a plan sends.

    must: those that must be accepted.
    most: those that some portal may take for votes, those that put found votes back, and those that may be sent again.
    """

    must: int
    most: int

    def __str__(self) -> str:
        return f"{self.must} must be accepted; at most {self.most} on a portal that takes everything"


def votes_of(plan: Workload, target: Target, edition: Edition) -> Votes:
    """Return how many votes a plan sends."""
    must = sum(
        permitted(edition, call.session.cls, call.rating.cls, call.comment.cls).demands_acceptance
        and call.is_documented
        and call.delivery.caller not in NO_RIGHTS
        for call in plan.calls
    )
    sessions = [session for call in plan.calls if (session := session_of(call, target)) is not None]
    return Votes(must, _most(sessions, target))


def _most(sessions: Sequence[int], target: Target) -> int:
    """Return how many votes there may be. sessions: that of each call that some portal may take for a vote."""
    # Each session may get one vote more at the end. The preflight shows that nobody reads the unknown one.
    put_back = set(sessions) - {target.sessions.get("unknown")}
    return len(sessions) + len(put_back) + SPARE_VOTES if sessions else 0


def _with_votes(steps: list[Step], target: Target, edition: Edition, votes: int) -> list[Step]:
    """Return the steps with those of the calls that may write that show most, and with all that cannot."""
    ranked = []
    for place, step in enumerate(steps):
        for item, call in enumerate(calls_of(step.request)):
            if (session := session_of(call, target)) is None:
                continue
            outcomes = permitted(edition, call.session.cls, call.rating.cls, call.comment.cls)
            ranked.append((rank_of(call, outcomes), place, item, session))
    ranked.sort()
    kept: dict[tuple[int, int], int] = {}
    for _rank, place, item, session in ranked:
        if _most([*kept.values(), session], target) <= votes:
            kept[place, item] = session
    dropped = {(place, item) for _rank, place, item, _session in ranked} - kept.keys()
    return _with_calls(steps, lambda place, item: (place, item) not in dropped)


def session_of(call: Call, target: Target) -> int | None:
    """Return the session that a portal may vote on if it takes the call for a vote, or None if no portal can."""
    if cannot_write(call):
        return None
    return target.sessions.get(call.session.cls, target.sessions["rateable"])


def without_votes_on(plan: Workload, target: Target, reasons: Mapping[int, str]) -> Workload:
    """Return the plan without the votes on some sessions.

    reasons: why a session gets no vote, by its id.
    """
    sessions = {call: session for call in plan.calls if (session := session_of(call, target)) in reasons}
    withheld = tuple((call, reasons[session]) for call, session in sessions.items() if session is not None)
    steps = plan.steps
    kept = _with_calls(steps, lambda place, item: calls_of(steps[place].request)[item] not in sessions)
    return replace(plan, steps=tuple(kept), withheld=withheld)


def _with_calls(steps: Sequence[Step], is_kept: Callable[[int, int], bool]) -> list[Step]:
    """Return the steps with some calls only, and without read-backs that follow no call.

    is_kept: takes the place of a step and that of a call in its request.
    """
    kept: list[Step] = []
    for place, step in enumerate(steps):
        if isinstance(step.request, ReadBack):
            if not kept or not isinstance(kept[-1].request, ReadBack):
                kept.append(step)
            continue
        calls = tuple(call for item, call in enumerate(calls_of(step.request)) if is_kept(place, item))
        if calls:
            together = isinstance(step.request, BatchRequest)
            kept.append(replace(step, request=BatchRequest(calls) if together else step.request))
    return kept
