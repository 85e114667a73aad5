"""What a test is handed: an exchange, or a few that belong together, with the demands that a test can make of them."""

from dataclasses import dataclass
from typing import Final

from conformance.contract.classes import FILLED, STARS
from conformance.contract.clauses import Edition, editions_naming
from conformance.contract.oracle import AllowedOutcomes
from conformance.exchange.call import Call
from conformance.exchange.read_back import NotRead, StoredVote, comment_reads_back, rating_reads_back
from conformance.exchange.reproduce import curl, describe
from conformance.exchange.response import (
    Accepted,
    AnotherResult,
    Malformed,
    NotJudged,
    Outcome,
    Refused,
    Response,
)
from conformance.exchange.violation import ClauseViolated, NotApplicable, Violation, assume, printable, require

_LONGEST_BODY: Final = 160


@dataclass(frozen=True, slots=True)
class Exchange:
    """One call and its answer, with what the documentation permits."""

    call: Call
    answer: Response
    allowed: AllowedOutcomes
    edition: Edition
    judges_implied: bool

    @property
    def judged(self) -> "Exchange":
        return self

    @property
    def outcome(self) -> Outcome:
        return self.answer.outcome

    @property
    def shown_outcome(self) -> str:
        """The outcome as one printable line: a code is the portal's own text."""
        return printable(str(self.outcome), _LONGEST_BODY)

    @property
    def is_allowed(self) -> bool:
        """Whether the oracle permits the outcome."""
        if isinstance(self.outcome, Refused):
            return self.answer.code in self.allowed.codes
        return isinstance(self.outcome, Accepted) and self.allowed.accepted

    @property
    def has_documented_code(self) -> bool:
        """Whether this is a refusal with a code of the method page or of the system error table."""
        return self.answer.has_code and self.edition.documents(self.answer.code)

    def must_be_accepted(self) -> None:
        """A refusal violates this; an answer that is neither is left to success.* and error.never-5xx."""
        self.must_be_answered_by_method()
        if isinstance(self.outcome, Refused):
            raise ClauseViolated("accepted", may_be_caused_elsewhere=True)
        assume(isinstance(self.outcome, Accepted))

    def must_be_refused(self) -> None:
        """Acceptance violates this, and a code that is not permitted here.

        A code that is none is left to error.envelope; where any method code will do, a code that no page names is left
        to error.documented-code.
        """
        self.must_be_answered_by_method()
        if isinstance(self.outcome, Accepted):
            raise ClauseViolated(str(self.allowed))
        assume(isinstance(self.outcome, Refused) and self.answer.has_code)
        any_code = self.allowed.codes == self.edition.method_codes
        unnamed = not self.edition.documents(self.answer.code)
        if self.answer.code not in self.allowed.codes and not (any_code and unnamed):
            raise ClauseViolated(str(self.allowed), may_be_caused_elsewhere=True)

    def must_not_be_accepted(self) -> None:
        """Only acceptance violates this: the clause says nothing of the code."""
        self.must_be_answered_by_method()
        require(not isinstance(self.outcome, Accepted), "refused")

    def must_be_allowed(self) -> None:
        """The outcome is one that the oracle permits."""
        if self.allowed.must_be_accepted:
            self.must_be_accepted()
        if self.allowed.must_be_refused:
            self.must_be_refused()

    def must_be_answered_by_method(self) -> None:
        """Leaves answers unjudged that speak of a limit."""
        assume(not isinstance(self.outcome, NotJudged))

    def violation(self, clause: str, expected: str) -> Violation:
        """This exchange as a violation of a clause."""
        notes = []
        for name in editions_naming(self.answer.code):
            if not self.edition.documents(self.answer.code):
                notes.append(f"{self.answer.code} is a code of edition {name}: did you mean --edition {name}?")
        facts = (
            ("sent", describe(self.call)),
            ("way", str(self.call.delivery)),
            ("permitted", expected),
            ("answered", f"{self.shown_outcome}: {self.answer.status} {printable(self.answer.text, _LONGEST_BODY)}"),
            ("repeat", curl(self.call)),
        )
        return Violation(clause, facts, self.call.classes, tuple(notes))


@dataclass(frozen=True, slots=True)
class Comparison:
    """The same call in two ways: base is the plain JSON call. saved: whether the variant's vote read back as sent."""

    base: Exchange
    variant: Exchange
    saved: bool

    @property
    def judged(self) -> Exchange:
        return self.variant

    def must_agree(self) -> None:
        """Both are accepted, or both refused, with the same code where only one is permitted."""
        base, variant = self.base.outcome, self.variant.outcome
        assume(self.variant.allowed.must_be_accepted or self.variant.allowed.must_be_refused)
        assume(isinstance(base, Accepted | Refused) and not _is_left_to_others(self.variant))
        if isinstance(variant, Malformed):
            raise ClauseViolated(f"{self.base.shown_outcome}, as with {self.base.call.delivery}")
        if not same_outcome(self.base, self.variant):
            raise ClauseViolated(
                f"{self.base.shown_outcome}, as with {self.base.call.delivery}", may_be_caused_elsewhere=True
            )
        if not self.variant.is_allowed and self.base.is_allowed and self.variant.has_documented_code:
            raise ClauseViolated(str(self.variant.allowed), may_be_caused_elsewhere=True)
        if not self.saved:
            raise ClauseViolated(f"the vote reads back as sent, as with {self.base.call.delivery}")


def _is_left_to_others(variant: Exchange) -> bool:
    """Whether success.true or error.envelope speak of the answer; they do not speak of XML."""
    another = isinstance(variant.outcome, AnotherResult) and variant.call.delivery.suffix != ".xml"
    return another or isinstance(variant.outcome, NotJudged)


@dataclass(frozen=True, slots=True)
class Uncompared:
    """A call in one of the ways of which no plain JSON call was sent. saved: as with a pair."""

    variant: Exchange
    saved: bool

    @property
    def judged(self) -> Exchange:
        return self.variant

    def must_agree(self) -> None:
        """The outcome is one that is permitted whatever the way."""
        assume(self.variant.allowed.must_be_accepted or self.variant.allowed.must_be_refused)
        assume(not _is_left_to_others(self.variant))
        if not self.variant.is_allowed:
            raise ClauseViolated(
                str(self.variant.allowed), may_be_caused_elsewhere=not isinstance(self.variant.outcome, Malformed)
            )
        require(self.saved, "the vote reads back as sent")


@dataclass(frozen=True, slots=True)
class StateChange:
    """A call with the stored vote before and after it."""

    before: StoredVote | NotRead
    exchange: Exchange
    after: StoredVote | NotRead

    @property
    def judged(self) -> Exchange:
        return self.exchange

    @property
    def before_is_after(self) -> bool:
        """Whether both read-backs are there and show the same vote."""
        if not isinstance(self.before, StoredVote) or not isinstance(self.after, StoredVote):
            return False
        return self.before.same_vote(self.after)

    def must_be_saved(self) -> None:
        """After true to a call that may be accepted, each filled field reads back."""
        assume(isinstance(self.exchange.outcome, Accepted) and self.exchange.allowed.accepted)
        unsaved = unsaved_fields(self.exchange.call, self.after)
        if unsaved:
            raise ClauseViolated(f"{' and '.join(unsaved)} read back as sent; read back: {self.after}")

    def must_be_unchanged(self) -> None:
        """After a refusal, the stored vote is as before."""
        assume(isinstance(self.exchange.outcome, Refused))
        if not isinstance(self.before, StoredVote) or not isinstance(self.after, StoredVote):
            raise NotApplicable
        if not self.before.same_vote(self.after):
            raise ClauseViolated(f"reads back as before: {self.before}; read back: {self.after}")


@dataclass(frozen=True, slots=True)
class CallSequence:
    """Calls one after the other, and the stored vote after the last two of them."""

    exchanges: tuple[Exchange, ...]
    between: StoredVote | NotRead
    after: StoredVote | NotRead

    @property
    def judged(self) -> Exchange:
        return self.exchanges[-1]

    def must_be_replaced(self) -> None:
        """The second vote is accepted as the first was, and nothing of an earlier one reads back.

        A vote that may be refused says nothing: what becomes of it is judged by effect.saved.
        """
        first, second = self.exchanges[0], self.exchanges[-1]
        if first.call == second.call:
            # A vote was refused, so one that was accepted before was sent again.
            assume(first.answer.accepted)
            require(second.answer.accepted, "accepted, as when the same vote was sent first")
            raise NotApplicable
        assume(first.answer.accepted and second.answer.accepted and second.allowed.must_be_accepted)
        if not isinstance(self.between, StoredVote) or not isinstance(self.after, StoredVote):
            raise NotApplicable
        sent = dict(first.call.parameters)
        unsaved = [name for name in unsaved_fields(second.call, self.after) if sent.get(name) not in _values(second)]
        kept = {
            "RATING": bool(self.between.rating) and self.after.rating == self.between.rating,
            "COMMENT": bool(self.between.comment) and self.after.comment == self.between.comment,
        }
        stale = [name for name in unsaved if kept[name]]
        require(not stale, f"{' and '.join(stale)} of the later vote; read back: {self.after}")

    def must_repeat(self) -> None:
        """Equal calls have equal outcomes."""
        seen: dict[Call, Exchange] = {}
        for exchange in self.exchanges:
            exchange.must_be_answered_by_method()
            earlier = seen.setdefault(exchange.call, exchange)
            require(same_outcome(earlier, exchange), f"{earlier.shown_outcome}, as when the same call was sent before")


def _values(exchange: Exchange) -> list[object]:
    return [value for _, value in exchange.call.parameters]


def same_outcome(one: Exchange, other: Exchange) -> bool:
    """Whether two answers to the same call agree; of two permitted codes a portal may choose either."""
    if not isinstance(other.outcome, type(one.outcome)):
        return False
    comparable = len(one.allowed.codes) <= 1 and one.answer.has_code and other.answer.has_code
    return not comparable or one.answer.code == other.answer.code


def unsaved_fields(call: Call, after: StoredVote | NotRead) -> list[str]:
    """The filled parameters of a call that do not read back as sent."""
    if isinstance(after, NotRead):
        raise NotApplicable
    unsaved = []
    if call.rating.cls in (*STARS, "digits") and not rating_reads_back(int(call.rating.value), after.rating):
        unsaved.append("RATING")
    if call.comment.cls in FILLED and not comment_reads_back(call.comment.value, after.comment):
        unsaved.append("COMMENT")
    return unsaved


@dataclass(frozen=True, slots=True)
class Observation:
    """What a portal does where the pages are silent, in words that two runs can be compared by."""

    label: str
    seen: str


Judged = Exchange | Comparison | Uncompared | StateChange | CallSequence
Record = Judged | Observation
