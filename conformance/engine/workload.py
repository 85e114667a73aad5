"""The first list of requests of a run, complete before one of them is sent.

Explore mode may send more afterwards, see runner.py: controls of what is suspected, and a violation once more.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from conformance.contract.classes import NOT_FILLED, READ_BACK_SESSIONS
from conformance.contract.clauses import Edition
from conformance.engine.cases import Case, is_offered
from conformance.engine.checks import Check, another_vote
from conformance.engine.drawing import propose
from conformance.engine.log import as_digits
from conformance.engine.session import PortalSession, Step
from conformance.exchange.call import NO_RIGHTS, Call, ClassifiedValue, ReadBack, Request, calls_of

CONTROL_EVERY: Final = 100
"""In explore mode the first vote is sent again after so many requests, so that a dependence on history shows."""
_CONTROL: Final = "the control vote: is it accepted as it was at first"
_PREPARES: Final = "another vote, so that the next one shows"
_BASELINE: Final = "the call that another delivery is compared with"


@dataclass(frozen=True, slots=True)
class Workload:
    """What is sent in order: the preflight, then the steps.

    left_out: the steps that a limit left out.
    limit: the option that left them out; empty where none did.
    withheld: the calls that are not sent because of the state of the portal, each with the reason.
    """

    preflight: tuple[Call | ReadBack, ...]
    steps: tuple[Step, ...]
    left_out: tuple[Step, ...] = ()
    limit: str = ""
    withheld: tuple[tuple[Call, str], ...] = ()

    @property
    def requests(self) -> int:
        return len(self.preflight) + len(self.steps)

    @property
    def calls(self) -> list[Call]:
        """Return all calls of the method, those of the preflight and the items of batches among them."""
        requests = (*self.preflight, *(step.request for step in self.steps))
        return [call for request in requests for call in calls_of(request)]


@dataclass(frozen=True, slots=True)
class Explore:
    """Each check sends its boundary values, and so many cases that Hypothesis proposes."""

    draws: int


@dataclass(frozen=True, slots=True)
class Exhaustive:
    """The boundary values of each check are sent, then every combination of classes in every encoding."""


@dataclass(frozen=True, slots=True)
class Planned:
    """The requests of a plan are sent, and no others.

    advice: what is added where no request of the plan is about a clause.
    """

    plan: Workload
    advice: str = ""


Mode = Explore | Exhaustive | Planned


def control_vote(edition: Edition, rateable: ClassifiedValue) -> Call:
    """Return the first vote of every run: the values of the page's example, on the rateable session."""
    rating, comment = edition.example_accepted["RATING"], edition.example_accepted["COMMENT"]
    return Call(rateable, ClassifiedValue(str(rating), rating), ClassifiedValue("plain", comment))


def explore_steps(session: PortalSession, checks: Iterable[Check], draws: int, seed: int) -> tuple[Step, ...]:
    """Return what explore mode sends: the boundary cases of each check, and so many that Hypothesis proposes.

    A call that several checks need is sent once.
    """
    steps = _ExploreSteps(session)
    not_offered = session.portal.target.not_offered
    control = control_vote(session.edition, session.rateable)
    steps.add_request(_CONTROL, control)
    for check in checks:
        cases = check.given.cases(session)
        drawn: list[Case] = []
        if cases.strategy is not None and draws:
            drawn = propose(cases.strategy, seed_of(seed, check.clause), draws)
        for case in (*cases.fixed, *drawn):
            if not all(
                is_offered(call.delivery, not_offered) for request in case.requests for call in calls_of(request)
            ):
                continue
            steps.add_case(case, check.clause)
            if len(steps.rows) >= steps.next_control:
                steps.add_request(_CONTROL, control)
                steps.next_control = len(steps.rows) + CONTROL_EVERY
    steps.add_request(_CONTROL, control)
    return steps.finished()


def seed_of(seed: int, clause: str) -> str:
    """Return the seed of one clause's draws."""
    return f"{seed} {clause}"


def steps_of_case(session: PortalSession, case: Case, clause: str) -> tuple[Step, ...]:
    """Return what is sent where one case is tried alone."""
    steps = _ExploreSteps(session)
    steps.add_case(case, clause)
    return steps.finished()


@dataclass(slots=True)
class _Row:
    purpose: str
    request: Request
    clauses: set[str] = field(default_factory=set)


@dataclass(slots=True)
class _ExploreSteps:
    """Steps in the making.

    first: the row of the first time that a call is sent.
    stored: rating and comment that are stored by now, as far as the contract says; None where it does not say.
    is_read: True if the stored vote was read after the last vote.
    """

    session: PortalSession
    rows: list[_Row] = field(default_factory=list)
    first: dict[Call, _Row] = field(default_factory=dict)
    stored: dict[str, str] | None = None
    is_read: bool = False
    next_control: int = CONTROL_EVERY

    def add_case(self, case: Case, clause: str) -> None:
        for call in case.baselines:
            if call not in self.first:
                self.add_request(_BASELINE, call)
        purpose = f"{clause}: values"
        if len(case.requests) == 1 and not case.needs_another_vote:
            [request] = case.requests
            known = self.first.get(request) if isinstance(request, Call) else None
            if known is None:
                self.add_request(purpose, request, clause)
            else:
                known.clauses.add(clause)
            return
        if case.needs_another_vote and isinstance(case.requests[0], Call):
            self._prepare(case.requests[0])
        for each in case.requests:
            self.add_request(purpose, each, clause)

    def add_request(self, purpose: str, request: Request, clause: str = "") -> None:
        row = _Row(purpose, request, {clause} if clause and not isinstance(request, ReadBack) else set())
        self.rows.append(row)
        if isinstance(request, ReadBack):
            self.is_read = True
        for call in calls_of(request):
            self.first.setdefault(call, row)
            self._note_stored(call)

    def finished(self) -> tuple[Step, ...]:
        return tuple(Step(row.purpose, 1, row.request, frozenset(row.clauses)) for row in self.rows)

    def _prepare(self, call: Call) -> None:
        """Send another vote where the stored one is like the call, and read it where a refusal must not change it."""
        if self.stored is None or any(self.stored.get(name) == text for name, text in _filled(call)):
            self.add_request(_PREPARES, another_vote(call, self.session))
        if not self.is_read and not self.session.permitted(call).demands_acceptance:
            self.add_request(_PREPARES, ReadBack(self.session.rateable.value))

    def _note_stored(self, call: Call) -> None:
        permitted = self.session.permitted(call)
        if (
            not permitted.may_be_accepted
            or call.session.cls not in READ_BACK_SESSIONS
            or call.delivery.caller in NO_RIGHTS
        ):
            return
        self.is_read = False
        if permitted.demands_acceptance and call.is_documented:
            self.stored = {**(self.stored or {}), **dict(_filled(call))}
        else:
            self.stored = None


def _filled(call: Call) -> Iterator[tuple[str, str]]:
    for name, value in (("RATING", call.rating), ("COMMENT", call.comment)):
        if value.cls not in NOT_FILLED:
            yield name, as_digits(value)
