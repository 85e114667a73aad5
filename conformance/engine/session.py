"""The session with one portal: sends what is judged and keeps what came back."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, TypeVar

from conformance.contract.classes import LETTERS, NOT_FILLED, EquivalenceClass, session_classes
from conformance.contract.clauses import Edition
from conformance.contract.oracle import PermittedOutcomes, judged_sessions, permitted
from conformance.engine.evidence import Exchange
from conformance.engine.log import Entry, ExchangeLog, Unanswered
from conformance.engine.outcome_map import Combination, cell_of
from conformance.errors import UserError
from conformance.exchange.call import (
    ABSENT,
    NO_RIGHTS,
    PLAIN_JSON,
    Batch,
    BatchRequest,
    Call,
    ClassifiedValue,
    ReadBack,
    Request,
    calls_of,
)
from conformance.exchange.read_back import NOT_READ, NotRead, StoredVote
from conformance.exchange.response import LIMIT_CODES, Response
from conformance.exchange.stand_in import advice_of, is_denial, stand_in
from conformance.target.client import Portal
from conformance.target.transports import REPEATABLE, VOTES, NoResponse, NotRecorded

MOST_FAILURES: Final = 3
"""After so many failures of the transport in a row the target counts as dead."""

_UNUSABLE: Final = ("absent", "empty", "null", "zero")
Progress = Callable[[int], None]
Answered = TypeVar("Answered")


@dataclass(frozen=True, slots=True)
class Step:
    """One request of a run.

    purpose: what the request is for, in words.
    priority: 0 and 1 for what a short plan needs most, 5 for what it needs least.
    clauses: the clauses for which it is sent. Empty in a plan, where every clause may judge it; and for the calls of
        explore mode that no clause judges, and that only show the cause of a refusal.
    """

    purpose: str
    priority: int
    request: Request
    clauses: frozenset[str] = frozenset()


def cannot_write(call: Call) -> bool:
    """Return True if no portal can take the call for a vote on some session.

    A portal that casts SESSION_ID to a number takes "494abc" for 494, and true for 1. It takes false and a text without
    digits for 0. Where the name of the parameter is another one, the portal may read the session by it.
    """
    unusable = call.session.cls in _UNUSABLE or call.session.value is False or call.session.value == LETTERS
    neither = call.rating.cls in NOT_FILLED and call.comment.cls in NOT_FILLED
    return neither or (unusable and call.is_documented)


@dataclass(slots=True)
class PortalSession:
    """One portal, judged by one edition.

    judges_implied: True if implied demands are judged too.
    reads: True if the portal offers a read-back.
    writes: how many votes were accepted.
    voted_on: the classes of SESSION_ID of the accepted votes.
    combinations: how each combination that was sent alone was answered, as a letter of the map.
    sessions: the classes of SESSION_ID for this target.
    judged_sessions: the classes of SESSION_ID for which the edition demands something.
    """

    edition: Edition
    portal: Portal
    judges_implied: bool
    reads: bool = False
    writes: int = 0
    voted_on: set[str] = field(default_factory=set)
    combinations: dict[Combination, str] = field(default_factory=dict)
    sessions: Mapping[str, EquivalenceClass] = field(init=False)
    judged_sessions: frozenset[str] = field(init=False)
    _number: int = 0
    _failures: int = 0
    _not_for_every_call: set[str] = field(default_factory=set)
    _permitted: dict[tuple[str, str, str], PermittedOutcomes] = field(default_factory=dict)
    _denied: PermittedOutcomes = field(init=False)

    def __post_init__(self) -> None:
        self.judged_sessions = judged_sessions(self.edition)
        self._denied = PermittedOutcomes(False, frozenset(self.edition.system_codes))
        self.sessions = session_classes(self.portal.target.sessions, self.portal.target.live)

    @property
    def rateable(self) -> ClassifiedValue:
        return ClassifiedValue("rateable", self.portal.target.sessions["rateable"])

    def execute(self, steps: Iterable[Step], on_step: Progress = lambda _done: None) -> ExchangeLog:
        """Send the requests in order and return the log. Raise UserError if the target is dead."""
        entries: list[Entry] = []
        unanswered: list[Unanswered] = []
        for done, step in enumerate(steps, 1):
            try:
                entries += [Entry(content, step.clauses) for content in self._send(step.request)]
            except NotRecorded:
                entries.append(Entry(NOT_READ))
            except NoResponse as failure:
                unanswered += [Unanswered(call, str(failure), step.clauses) for call in calls_of(step.request)]
                # The call may have stored a vote: what was read before it says nothing of the calls after it.
                is_read = isinstance(step.request, ReadBack)
                entries.append(Entry(NotRead(reason=str(failure)) if is_read else NOT_READ))
            on_step(done)
        return ExchangeLog(tuple(entries), tuple(unanswered))

    def _send(self, request: Request) -> tuple[Exchange | StoredVote | NotRead, ...]:
        if isinstance(request, ReadBack):
            return (self.read(request.session),)
        if isinstance(request, BatchRequest):
            again = self._repeat_options(*request.calls)
            responses = self._answered(lambda: self.portal.send_batch(request.calls, **again))
            self._ask_if_every_call_is_denied(responses[0])
            return tuple(map(self._exchange, request.calls, responses))
        return (self.send(request),)

    def send(self, call: Call) -> Exchange:
        """Send one call now. Raise NoResponse, or UserError if the target is dead."""
        response = self._answered(lambda: self.portal.send(call, **self._repeat_options(call)))
        if call.delivery.caller not in NO_RIGHTS:
            self._ask_if_every_call_is_denied(response)
        return self._exchange(call, response)

    def read(self, number: int) -> StoredVote | NotRead:
        """Return the vote of a session as it stands. Raise as send does."""
        if not self.reads:
            return NOT_READ
        stored = self._answered(lambda: self.portal.read(number))
        if isinstance(stored, NotRead):
            return replace(stored, reason=stored.code or "the answer holds no vote")
        return stored

    def _repeat_options(self, *calls: Call) -> dict[str, int]:
        """Return the extensions that say if a request may be sent twice, and what that may cost.

        It may if no call can be accepted, or if the effect can be read back.
        """
        may_repeat = self.reads or not any(self.permitted(call).may_be_accepted for call in calls)
        return {REPEATABLE: may_repeat, VOTES: sum(not cannot_write(call) for call in calls)}

    def permitted(self, call: Call) -> PermittedOutcomes:
        """Return the outcomes that the edition permits for a call."""
        if call.delivery.caller in NO_RIGHTS:
            return self._denied
        classes = (call.session.cls, call.rating.cls, call.comment.cls)
        if classes not in self._permitted:
            self._permitted[classes] = permitted(self.edition, *classes)
        return self._permitted[classes]

    def _exchange(self, call: Call, response: Response) -> Exchange:
        exchange = Exchange(call, response, self.permitted(call), self.edition, self.judges_implied, self._number)
        self._number += 1
        if response.accepted:
            self.writes += 1
            self.voted_on.add(call.session.cls)
        if call.delivery.batch is Batch.NO:
            combination = (call.session.cls, call.rating.cls, call.comment.cls, call.delivery.encoding)
            self.combinations[combination] = cell_of(exchange, self.combinations.get(combination, "s"))
        return exchange

    def _answered(self, ask: Callable[[], Answered]) -> Answered:
        try:
            answer = ask()
        except NotRecorded:
            raise
        except NoResponse as failure:
            self._count_unless_alive(failure)
            raise
        self._failures = 0
        return answer

    def _ask_if_every_call_is_denied(self, response: Response) -> None:
        """Raise UserError if every call is answered like this one, whatever its values are."""
        system_codes = frozenset(self.edition.system_codes) - self.edition.method_codes - LIMIT_CODES
        found = stand_in(response) or (response.code if is_denial(response, system_codes) else "")
        if not found or found in self._not_for_every_call:
            return
        target = self.portal.target
        try:
            others = [self.portal.send(Call(ClassifiedValue("absent", ABSENT)), unrecorded=True)]
            if target.reads_back:
                others.append(self.portal.read_answer(target.sessions["rateable"], unrecorded=True))
        except NoResponse:
            return
        if all((other.status, other.code) == (response.status, response.code) for other in others):
            shown = target.callers[PLAIN_JSON.caller].shown
            every = f"the portal answers {found} (HTTP {response.status})" if response.refused else f"{found} answers"
            raise UserError(f"{shown}: {every} to every call: {advice_of(response)}")
        self._not_for_every_call.add(found)

    def _count_unless_alive(self, failure: NoResponse) -> None:
        """Count failures in a row, unless the portal answers a harmless call: then it is alive."""
        try:
            self.portal.send(Call(ClassifiedValue("absent", ABSENT)), unrecorded=True)
        except NoResponse:
            self._failures += 1
        if self._failures >= MOST_FAILURES:
            raise UserError(f"the target stopped answering ({failure}, {MOST_FAILURES} times in a row)") from None
