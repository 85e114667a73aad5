"""The world as a test sees it: the portal under test, the edition, the session ids, and what has been sent so far."""

from collections import deque
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Final

from conformance.contract.classes import EquivalenceClass, session_classes
from conformance.contract.clauses import Edition
from conformance.contract.oracle import AllowedOutcomes, allowed, judged_sessions
from conformance.engine.evidence import Exchange
from conformance.errors import UserError
from conformance.exchange.call import ABSENT, PLAIN_JSON, TOKEN_CALLERS, Batch, Call, Caller, ClassifiedValue, Encoding
from conformance.exchange.read_back import NOT_READ, NotRead, StoredVote
from conformance.exchange.response import Response
from conformance.target.client import Portal
from conformance.target.transports import NoResponse, NotRecorded

BREAKER: Final = 3
"""After so many transport failures in a row the target counts as dead."""
_TRUSTED: Final = (Caller.MAIN, Caller.SECOND, *TOKEN_CALLERS)
UNTRUSTED: Final = (Caller.WRONG_SECRET, Caller.UNSCOPED)
"""The callers whose every call must be denied."""


Combination = tuple[str, str, str, Encoding]


def is_plain(call: Call) -> bool:
    """Whether the call came alone, from a caller with rights, asks for JSON, and has the documented parameters only."""
    way = call.delivery
    alone = way.batch is Batch.NO and way.suffix != ".xml" and way.caller in _TRUSTED
    return alone and call.is_documented


@dataclass(slots=True)
class PortalSession:
    """Everything that a run of the suite asks.

    judges_implied: whether implied demands are judged. control: the first vote that was accepted. shapes: the first
    answer of each shape to a call that came alone and asked for JSON. combinations: the classes of the three parameters
    and the encoding of each call that came alone. told_sessions: the classes of SESSION_ID of which the edition speaks.
    """

    edition: Edition
    portal: Portal
    judges_implied: bool
    reads: bool = False
    writes: int = 0
    control: Exchange | None = None
    recent: deque[Exchange] = field(default_factory=lambda: deque(maxlen=3))
    shapes: dict[Hashable, Exchange] = field(default_factory=dict)
    keeps_shapes: bool = True
    combinations: set[Combination] = field(default_factory=set)
    sessions: Mapping[str, EquivalenceClass] = field(init=False)
    judged_sessions: frozenset[str] = field(init=False)
    _failures: int = 0
    _known: dict[tuple[str, str, str], AllowedOutcomes] = field(default_factory=dict)
    _denied: AllowedOutcomes = field(init=False)

    def __post_init__(self) -> None:
        self.judged_sessions = judged_sessions(self.edition)
        self._denied = AllowedOutcomes(False, frozenset(self.edition.system_codes))
        self.sessions = session_classes(self.portal.target.sessions, self.portal.target.live)

    @property
    def rateable(self) -> ClassifiedValue:
        return ClassifiedValue("rateable", self.portal.target.sessions["rateable"])

    def ask(self, call: Call) -> Exchange:
        """The exchange of a call that is sent now. Raises NoAnswer; Problem when the target is dead."""
        try:
            answer = self.portal.send(call)
        except NoResponse as failure:
            self._count_failure(failure)
            raise
        self._failures = 0
        return self._met(call, answer)

    def ask_together(self, calls: tuple[Call, ...]) -> tuple[Exchange, ...]:
        """The exchanges of calls that are the items of one batch. Raises as ask does."""
        try:
            answers = self.portal.send_batch(calls)
        except NoResponse as failure:
            self._count_failure(failure)
            raise
        self._failures = 0
        return tuple(map(self._met, calls, answers))

    def _met(self, call: Call, answer: Response) -> Exchange:
        exchange = Exchange(call, answer, self.allowed(call), self.edition, self.judges_implied)
        if answer.accepted:
            self.writes += 1
            if self.control is None and call.delivery == PLAIN_JSON and exchange.allowed.must_be_accepted:
                self.control = exchange
        if self.keeps_shapes and is_plain(call):
            self.shapes.setdefault((exchange.allowed.must_be_accepted, *answer.shape), exchange)
        if call.delivery.batch is Batch.NO:
            self.combinations.add((call.session.cls, call.rating.cls, call.comment.cls, call.delivery.encoding))
        self.recent.append(exchange)
        return exchange

    def allowed(self, call: Call) -> AllowedOutcomes:
        """The outcomes that the edition permits for a call."""
        if call.delivery.caller in UNTRUSTED:
            return self._denied
        classes = (call.session.cls, call.rating.cls, call.comment.cls)
        if classes not in self._known:
            self._known[classes] = allowed(self.edition, *classes)
        return self._known[classes]

    def read(self) -> StoredVote | NotRead:
        """The vote of the rateable session as it stands."""
        if not self.reads:
            return NOT_READ
        try:
            return self.portal.read(self.rateable.value)
        except NoResponse as failure:
            self._count_failure(failure)
            raise

    def _count_failure(self, failure: NoResponse) -> None:
        """Counts failures in a row, unless the portal answers a harmless call: then it is alive."""
        if isinstance(failure, NotRecorded):
            return
        try:
            self.portal.send(Call(ClassifiedValue("absent", ABSENT)))
        except NoResponse:
            self._failures += 1
        if self._failures >= BREAKER:
            raise UserError(f"the target stopped answering ({failure}, {BREAKER} times in a row)") from None
