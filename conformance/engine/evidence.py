"""What a test is given: an exchange, or a few that belong together, with the demands that a test can make of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from conformance.contract.classes import FILLED, STARS
from conformance.contract.clauses import Edition, editions_naming
from conformance.contract.oracle import PermittedOutcomes
from conformance.exchange.call import PLAIN_JSON, Batch, Call
from conformance.exchange.read_back import NotRead, StoredVote, comment_reads_back, rating_reads_back
from conformance.exchange.reproduce import curl, describe
from conformance.exchange.response import Accepted, AnotherResult, LimitReached, Malformed, Outcome, Refused, Response
from conformance.exchange.violation import (
    ClauseViolated,
    NotApplicable,
    ReadBackMissing,
    Violation,
    assume,
    printable,
    require,
)

_LONGEST_BODY: Final = 160


@dataclass(frozen=True, slots=True)
class Exchange:
    """One call and its response.

    permitted: the outcomes that the edition permits for the call.
    judges_implied: True if the run judges implied demands too.
    number: the place of the exchange in the run, counted from 0.
    """

    call: Call
    response: Response
    permitted: PermittedOutcomes
    edition: Edition
    judges_implied: bool
    number: int = 0

    @property
    def exchange(self) -> "Exchange":
        return self

    @property
    def classes(self) -> Mapping[str, str]:
        return self.call.classes

    @property
    def oddness(self) -> tuple[bool, bool]:
        """Return what keeps the call from being a plain one: a batch, another delivery."""
        return self.call.delivery.batch is not Batch.NO, self.call.delivery != PLAIN_JSON

    @property
    def outcome(self) -> Outcome:
        return self.response.outcome

    @property
    def shown_outcome(self) -> str:
        """Return the outcome as one printable line: a code is the portal's own text."""
        return printable(str(self.outcome), _LONGEST_BODY)

    @property
    def is_permitted(self) -> bool:
        """Return True if the oracle permits the outcome."""
        if isinstance(self.outcome, Refused):
            return self.response.code in self.permitted.codes
        return isinstance(self.outcome, Accepted) and self.permitted.may_be_accepted

    @property
    def is_wrongly_refused(self) -> bool:
        """Return True if the portal refused a call that must be accepted."""
        return self.permitted.demands_acceptance and isinstance(self.outcome, Refused)

    @property
    def has_documented_code(self) -> bool:
        """Return True if this is a refusal with a code of the method page or of the system error table."""
        return self.response.has_well_formed_code and self.edition.documents(self.response.code)

    def must_be_accepted(self) -> None:
        """Require acceptance. An answer that is neither accepted nor refused is left to success.* and never-5xx."""
        self.skip_if_limited()
        if isinstance(self.outcome, Refused):
            raise ClauseViolated("accepted", may_be_caused_elsewhere=True)
        assume(isinstance(self.outcome, Accepted))

    def must_be_refused(self) -> None:
        """Require a refusal with a permitted code.

        A code that is malformed is left to error.envelope. Where any method code is permitted, a code that no page
        names is left to error.documented-code. A permitted refusal of a call with two faults shows neither of them.
        """
        self.skip_if_limited()
        if isinstance(self.outcome, Accepted):
            raise ClauseViolated(str(self.permitted))
        assume(len(self.permitted.rejecting_clauses) == 1 or not self.is_permitted)
        assume(isinstance(self.outcome, Refused) and self.response.has_well_formed_code)
        any_code = self.permitted.codes == self.edition.method_codes
        unnamed = not self.edition.documents(self.response.code)
        if self.response.code not in self.permitted.codes and not (any_code and unnamed):
            raise ClauseViolated(str(self.permitted), may_be_caused_elsewhere=True)

    def must_not_be_accepted(self) -> None:
        """Require that the call is not accepted. The code of a refusal is not judged."""
        self.skip_if_limited()
        require(not isinstance(self.outcome, Accepted), "refused")

    def must_be_permitted(self) -> None:
        """Require an outcome that the oracle permits."""
        if self.permitted.demands_acceptance:
            self.must_be_accepted()
        if self.permitted.demands_refusal:
            self.must_be_refused()

    def skip_if_limited(self) -> None:
        """Leave an answer unjudged that says that a limit is reached."""
        assume(not isinstance(self.outcome, LimitReached))

    def violation(self, clause: str, expected: str) -> Violation:
        """Return this exchange as a violation of a clause."""
        notes = [
            f"{self.response.code} is a code of edition {name}: did you mean --edition {name}?"
            for name in editions_naming(self.response.code)
            if not self.edition.documents(self.response.code)
        ]
        shown_body = printable(self.response.text, _LONGEST_BODY)
        facts = (
            ("sent", describe(self.call)),
            ("way", str(self.call.delivery)),
            ("permitted", expected),
            ("answered", f"{self.shown_outcome}: {self.response.status} {shown_body}"),
            ("repeat", curl(self.call)),
        )
        return Violation(clause, facts, self.call.classes, tuple(notes))


@dataclass(frozen=True, slots=True)
class Comparison:
    """The same values in two deliveries.

    base: the plain JSON call that the variant is compared with.
    saved: False if a vote in this delivery did not read back as sent, and the same vote in another one did.
    """

    base: Exchange
    variant: Exchange
    saved: bool

    @property
    def exchange(self) -> Exchange:
        return self.variant

    def must_agree(self) -> None:
        """Require that both are accepted, or both refused, with the same code where only one is permitted."""
        base, variant = self.base.outcome, self.variant.outcome
        assume(isinstance(base, Accepted | Refused) and _is_comparable(self.variant))
        expected = f"{self.base.shown_outcome}, as with {self.base.call.delivery}"
        if isinstance(variant, Malformed):
            raise ClauseViolated(expected)
        if not same_outcome(self.base, self.variant):
            raise ClauseViolated(expected, may_be_caused_elsewhere=True)
        if not self.variant.is_permitted and self.base.is_permitted and self.variant.has_documented_code:
            raise ClauseViolated(str(self.variant.permitted), may_be_caused_elsewhere=True)
        # error.envelope judges the code in JSON only.
        in_xml = self.variant.call.delivery.suffix == ".xml" and isinstance(variant, Refused)
        require(
            not in_xml or self.variant.response.has_well_formed_code or not self.base.response.has_well_formed_code,
            expected,
        )
        require(self.saved, f"the vote reads back as sent, as with {self.base.call.delivery}")


@dataclass(frozen=True, slots=True)
class WithoutBase:
    """A call in a delivery for which the log holds no plain JSON call of the same values.

    saved: as in a comparison.
    """

    variant: Exchange
    saved: bool

    @property
    def exchange(self) -> Exchange:
        return self.variant

    def must_agree(self) -> None:
        """Require an outcome that is permitted in every delivery, and an answer to each item of a batch."""
        require(not self.variant.response.is_unanswered_item, "an answer to each item of the batch")
        assume(_is_comparable(self.variant))
        if not self.variant.is_permitted:
            malformed = isinstance(self.variant.outcome, Malformed)
            raise ClauseViolated(str(self.variant.permitted), may_be_caused_elsewhere=not malformed)
        require(self.saved, "the vote reads back as sent")


def _is_comparable(variant: Exchange) -> bool:
    """Return True if the edition demands one outcome, unless success.true or error.envelope judge the answer.

    These do not judge XML.
    """
    is_demanded = variant.permitted.demands_acceptance or variant.permitted.demands_refusal
    another = isinstance(variant.outcome, AnotherResult) and variant.call.delivery.suffix != ".xml"
    return is_demanded and not another and not isinstance(variant.outcome, LimitReached)


@dataclass(frozen=True, slots=True)
class StateChange:
    """A call with the stored vote before and after it."""

    before: StoredVote | NotRead
    exchange: Exchange
    after: StoredVote | NotRead

    @property
    def before_is_after(self) -> bool:
        """Return True if both read-backs are there and show the same vote."""
        if not isinstance(self.before, StoredVote) or not isinstance(self.after, StoredVote):
            return False
        return self.before.same_vote(self.after)

    def must_be_saved(self) -> None:
        """Require that after `true` to a call that may be accepted each filled field reads back as sent."""
        assume(isinstance(self.exchange.outcome, Accepted) and self.exchange.permitted.may_be_accepted)
        unsaved = unsaved_fields(self.exchange.call, self.after)
        if unsaved:
            raise ClauseViolated(f"{' and '.join(unsaved)} read back as sent", read_back=str(self.after))

    def must_be_unchanged(self) -> None:
        """Require that after a refusal the stored vote is as before."""
        assume(isinstance(self.exchange.outcome, Refused))
        missing = [read.reason for read in (self.before, self.after) if isinstance(read, NotRead)]
        if missing:
            raise ReadBackMissing(missing[0] if all(missing) else "")
        if not self.before_is_after:
            raise ClauseViolated(f"reads back as before: {self.before}", read_back=str(self.after))


@dataclass(frozen=True, slots=True)
class CallSequence:
    """Calls in the order in which they were sent, and the stored vote after each of the last two."""

    exchanges: tuple[Exchange, ...]
    between: StoredVote | NotRead
    after: StoredVote | NotRead

    @property
    def exchange(self) -> Exchange:
        return self.exchanges[-1]

    def must_be_replaced(self) -> None:
        """Require that the second vote is accepted as the first was, and that nothing of the first reads back.

        A second vote that may be refused is judged by effect.saved alone.
        """
        first, second = self.exchanges[0], self.exchanges[-1]
        if first.call == second.call:
            assume(first.response.accepted)
            require(second.response.accepted, "accepted, as when the same vote was sent first")
            raise NotApplicable
        assume(first.response.accepted and second.response.accepted and second.permitted.demands_acceptance)
        assume(isinstance(self.between, StoredVote) and isinstance(self.after, StoredVote))
        sent_first, sent_second = dict(first.call.parameters), dict(second.call.parameters)
        unsaved = [
            name for name in unsaved_fields(second.call, self.after) if sent_first.get(name) not in sent_second.values()
        ]
        stale = [name for name in unsaved if _kept(name, self.between, self.after)]
        require(not stale, f"{' and '.join(stale)} of the later vote", str(self.after))

    def must_repeat(self) -> None:
        """Require that equal calls have equal outcomes."""
        seen: dict[Call, Exchange] = {}
        for exchange in self.exchanges:
            exchange.skip_if_limited()
            earlier = seen.setdefault(exchange.call, exchange)
            require(same_outcome(earlier, exchange), f"{earlier.shown_outcome}, as when the same call was sent before")


def _kept(name: str, between: StoredVote | NotRead, after: StoredVote | NotRead) -> bool:
    """Return True if a field of the first vote still reads back after the second."""
    if isinstance(between, NotRead) or isinstance(after, NotRead):
        return False
    old, new = (between.rating, after.rating) if name == "RATING" else (between.comment, after.comment)
    return bool(old) and new == old


def same_outcome(one: Exchange, other: Exchange) -> bool:
    """Return True if two answers to the same values agree. Of two permitted codes a portal may choose either."""
    if not isinstance(other.outcome, type(one.outcome)):
        return False
    comparable = (
        len(one.permitted.codes) <= 1 and one.response.has_well_formed_code and other.response.has_well_formed_code
    )
    return not comparable or one.response.code == other.response.code


def unsaved_fields(call: Call, after: StoredVote | NotRead) -> list[str]:
    """Return the filled parameters of a call that do not read back as sent. Raise ReadBackMissing."""
    if isinstance(after, NotRead):
        raise ReadBackMissing(after.reason)
    unsaved = []
    if call.rating.cls in (*STARS, "digits") and not rating_reads_back(int(call.rating.value), after.rating):
        unsaved.append("RATING")
    if call.comment.cls in FILLED and not comment_reads_back(call.comment.value, after.comment):
        unsaved.append("COMMENT")
    return unsaved


@dataclass(frozen=True, slots=True)
class Observation:
    """What a portal does where the documentation is silent, in words that two runs can be compared by."""

    label: str
    seen: str


Evidence = Exchange | Comparison | WithoutBase | StateChange | CallSequence
