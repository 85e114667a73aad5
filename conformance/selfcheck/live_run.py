"""A live run inside this process: a portal without a socket, and a clock that passes at once."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

import httpx

from conformance.check import judge_clauses
from conformance.contract.clauses import load_edition
from conformance.engine.plan import plan_of
from conformance.engine.workload import Planned
from conformance.planned import Listener
from conformance.portals.in_process import mock_transport
from conformance.portals.php_forms import PortalRequest
from conformance.portals.reference import PortalResponse, ReferencePortal, Vote
from conformance.reporting.verdict import ClauseVerdict
from conformance.run import Run
from conformance.settings import Settings
from conformance.suite import portal_checks
from conformance.target.client import Surroundings
from conformance.target.clock import Clock
from conformance.target.target import NO_LIMIT, embedded_target

EDITION: Final = load_edition("2026-03")
RATEABLE: Final = 494
OPEN: Final = 495
FOUND: Final = {RATEABLE: Vote(2, "Angry customer, call back on Monday"), OPEN: Vote(1, "left waiting for an hour")}
Alter = Callable[[PortalRequest, PortalResponse, int], PortalResponse]
"""Changes the answer to a request. The number counts requests from 1. Raise an error of httpx for no answer."""


@dataclass
class VirtualTime:
    """Seconds that pass only while somebody sleeps."""

    seconds: float = 0.0

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds

    @property
    def clock(self) -> Clock:
        return Clock(lambda: self.seconds, self.sleep)


@dataclass
class LiveRun:
    """A live run by plan against the reference portal, whose answers a function alters.

    lines: what was said to the user.
    asked: the questions before the first vote.
    verdicts: by clause.
    """

    alter: Alter = lambda _request, response, _number: response
    overwrite: bool = False
    portal: ReferencePortal = field(default_factory=lambda: ReferencePortal(EDITION))
    found: dict[int, Vote] = field(default_factory=lambda: {number: replace(vote) for number, vote in FOUND.items()})
    lines: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    verdicts: dict[str, ClauseVerdict] = field(default_factory=dict)
    time: VirtualTime = field(default_factory=VirtualTime)
    requests: int = 0
    run: Run = field(init=False)

    def __post_init__(self) -> None:
        target = replace(embedded_target(), kind="url", live=True, limit=NO_LIMIT)
        self.portal.votes = {number: replace(vote) for number, vote in self.found.items()}
        plan = plan_of(target, self.portal.edition)
        self.run = Run(Settings(self.portal.edition, target, Planned(plan), overwrite=self.overwrite))

    def judge(self) -> "LiveRun":
        """Send the plan and judge it. Raise what the run raises."""
        checks = [check for check in portal_checks() if check.clause in EDITION.clauses]
        listener = Listener(self.lines.append, self.asked.append)
        surroundings = Surroundings(lambda _ca_file: mock_transport(self._answer), self.time.clock)
        self.verdicts = judge_clauses(self.run, checks, listener, surroundings)
        return self

    def _answer(self, request: PortalRequest) -> PortalResponse:
        self.requests += 1
        answer = self.portal.answer(request)
        return self.alter(request, answer, self.requests)

    @property
    def is_back(self) -> bool:
        """Return True if the portal holds the votes that it held before the run."""
        return {number: self.portal.votes.get(number) for number in self.found} == self.found

    def is_named(self, session: int) -> bool:
        """Return True if the last line names a session whose vote is not back."""
        return any(f"session {session} had " in line for line in self.run.not_put_back)


def is_read(request: PortalRequest) -> bool:
    """Return True for a read-back."""
    return "history.get" in request.path


def names(request: PortalRequest, session: int) -> bool:
    """Return True if the request holds the id of this session."""
    return str(session).encode() in request.query.encode() + request.body


def unanswered() -> PortalResponse:
    """Raise the error of a connection that cannot be made."""
    raise httpx.ConnectError("no route")
