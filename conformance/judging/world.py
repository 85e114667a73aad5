"""The world as a test sees it: the portal under test, the edition, the session ids, and what has been sent so far."""

from collections import deque
from collections.abc import Hashable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from conformance.contract.edition import Edition
from conformance.contract.oracle import Permitted, permitted
from conformance.contract.partition import EquivalenceClass, session_classes
from conformance.exchange.answer import LIMIT_CODES, NO_JSON
from conformance.exchange.call import ABSENT, DIRECT, NOTHING, TOKEN_CALLERS, Batch, Call, Caller, Pick
from conformance.exchange.stored import NOT_READ, NotRead, Stored
from conformance.judging.records import Exchange, Violation
from conformance.portals.portal import NoAnswer, Portal
from conformance.problem import Problem

BREAKER: Final = 3
"""After so many transport failures in a row the target counts as dead."""
_READS: Final = 5
_TRUSTED: Final = (Caller.MAIN, *TOKEN_CALLERS)
_SETUP_CODES: Final = frozenset(
    {"NO_AUTH_FOUND", "INVALID_CREDENTIALS", "expired_token", "user_access_error", "insufficient_scope"}
    | {"ERROR_METHOD_NOT_FOUND", "PORTAL_DELETED", "INVALID_REQUEST"}
)


@dataclass(slots=True)
class World:
    """Everything that a run of the suite asks.

    judges_implied: whether implied demands are judged. draws: how many calls Hypothesis proposes for each clause; 0 on
    a live target, where each named value is sent once. control: the first vote that was accepted. shapes: the first
    answer of each shape to a call that came alone and asked for JSON.
    """

    edition: Edition
    portal: Portal
    judges_implied: bool
    draws: int
    reads: bool = False
    writes: int = 0
    control: Exchange | None = None
    recent: deque[Exchange] = field(default_factory=lambda: deque(maxlen=3))
    history: list[Violation] = field(default_factory=list)
    shapes: dict[Hashable, Exchange] = field(default_factory=dict)
    sessions: Mapping[str, EquivalenceClass] = field(init=False)
    _failures: int = 0
    _asked: dict[Call, Exchange] = field(default_factory=dict)
    _known: dict[tuple[str, str, str], Permitted] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.sessions = session_classes(self.portal.target.sessions, self.portal.target.live)

    @property
    def rateable(self) -> Pick:
        return Pick("rateable", self.portal.target.sessions["rateable"])

    def ask(self, call: Call) -> Exchange:
        """The exchange of a call that is sent now. Raises NoAnswer; Problem when the target is dead."""
        try:
            answer = self.portal.send(call)
        except NoAnswer as failure:
            self._count_failure(failure)
            raise
        self._failures = 0
        exchange = Exchange(call, answer, self._permitted(call), self.edition, self.judges_implied)
        if answer.accepted:
            self.writes += 1
            if self.control is None and call.way == DIRECT and exchange.permitted.must_be_accepted:
                self.control = exchange
        plain = call.way.batch is Batch.NO and call.way.suffix != ".xml" and call.way.caller in _TRUSTED
        if plain and not call.extra and call.session_name == "SESSION_ID":
            self.shapes.setdefault((exchange.permitted.must_be_accepted, *answer.shape), exchange)
        self.recent.append(exchange)
        if not self.draws:
            self._asked[call] = exchange
        return exchange

    def _permitted(self, call: Call) -> Permitted:
        classes = (call.session.of, call.rating.of, call.comment.of)
        if classes not in self._known:
            self._known[classes] = permitted(self.edition, *classes)
        return self._known[classes]

    def ask_once(self, call: Call) -> Exchange:
        """The exchange of a call, on a live target the one that was made before."""
        return self._asked[call] if call in self._asked else self.ask(call)

    @contextmanager
    def asking_anew(self) -> Iterator[None]:
        """Inside, a call that was made before is sent again."""
        kept, self._asked = self._asked, {}
        try:
            yield
        finally:
            self._asked = kept

    def read(self) -> Stored | NotRead:
        """The vote of the rateable session as it stands."""
        if not self.reads:
            return NOT_READ
        try:
            return self.portal.read(self.rateable.value)
        except NoAnswer as failure:
            self._count_failure(failure)
            raise

    def preflight(self) -> None:
        """Tells a fault of the set-up from a violation before anything is judged. Raises Problem."""
        answers = []
        shown = self.portal.target.callers[DIRECT.caller].shown
        for call in (Call(Pick("absent", ABSENT)), Call(self.rateable, NOTHING)):
            try:
                answers.append(self.portal.send(call))
            except NoAnswer as failure:
                raise Problem(f"{shown}: {failure}: check the url and that the portal is up") from None
        self._preflight_reads()
        if self.reads:
            return
        if all(answer.code in _SETUP_CODES for answer in answers):
            raise Problem(
                f"{shown}: the portal answers {answers[0].code}: check the webhook's secret, scope and address"
            )
        if all(answer.document is NO_JSON for answer in answers):
            raise Problem(
                f"{shown}: the answers are not JSON but {answers[0].content_type or 'of no type'} "
                f"(HTTP {answers[0].status}): check that the url is a REST webhook"
            )

    def _preflight_reads(self) -> None:
        target = self.portal.target
        if {"effect.saved", "effect.unchanged-on-refusal", "effect.revote"} <= target.not_offered:
            return
        for state, number in target.sessions.items():
            stored = self._read_patiently(number)
            if state == "unknown" and isinstance(stored, Stored):
                raise Problem(f"sessions.unknown: the portal knows session {number}: give an id that does not exist")
            if state == "rateable":
                self.reads = self._is_rateable(number, stored)

    def _read_patiently(self, number: int) -> Stored | NotRead:
        """A read-back, sent again where the rate limit or a lost connection answers in its place."""
        for _ in range(_READS):
            try:
                stored = self.portal.read(number)
            except NoAnswer:
                continue
            if isinstance(stored, Stored) or stored.code not in LIMIT_CODES:
                return stored
        return NOT_READ

    def _is_rateable(self, number: int, stored: Stored | NotRead) -> bool:
        """False where read-back is not offered."""
        if isinstance(stored, NotRead):
            if stored.code:
                raise Problem(
                    f"sessions.rateable: the portal refuses to read session {number} ({stored.code}): check the id"
                )
            return False
        if str(stored.session) != str(number):
            raise Problem(f"sessions.rateable: the portal reads session {number} as {stored.session!r}: check the id")
        if stored.may_rate not in ("Y", None):
            raise Problem(
                f"sessions.rateable: the caller may not rate session {number} (canVoteHead is {stored.may_rate!r}): "
                "give a finished dialog that he may rate"
            )
        return True

    def _count_failure(self, failure: NoAnswer) -> None:
        """Counts failures in a row, unless the portal answers a harmless call: then it is alive."""
        try:
            self.portal.send(Call(Pick("absent", ABSENT)))
        except NoAnswer:
            self._failures += 1
        if self._failures >= BREAKER:
            raise Problem(f"the target stopped answering ({failure}, {BREAKER} times in a row)") from None
