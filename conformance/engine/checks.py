"""What a test of a portal is given: how its cases are made, and which evidence it finds in the log.

A test sends nothing. Each function here returns a `Given`. Its `cases` are sent in explore mode; a plan has requests of
its own, see plan_steps.py. Its `evidence` finds in any log what the test judges: an exchange, or a few that belong
together.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from conformance.contract.classes import COMMENTS, RATINGS, READ_BACK_SESSIONS
from conformance.engine.blame import FILLED_KINDS, KINDS, Blame
from conformance.engine.cases import CallTemplate, Case, Cases, alone, value_of
from conformance.engine.evidence import (
    CallSequence,
    Comparison,
    Exchange,
    Observation,
    StateChange,
    WithoutBase,
    unsaved_fields,
)
from conformance.engine.log import changers
from conformance.engine.session import PortalSession
from conformance.exchange.call import (
    DOCUMENTED_ENCODINGS,
    JSON_ENCODINGS,
    PLAIN_JSON,
    Batch,
    Call,
    Caller,
    ClassifiedValue,
    Delivery,
    Encoding,
    ReadBack,
)
from conformance.exchange.encode import as_text
from conformance.exchange.read_back import NotRead, StoredVote
from conformance.exchange.response import Accepted, Outcome, Refused

_LONGEST_SEEN: Final = 40
NO_READ_BACK: Final = "the portal offers no read-back"


@dataclass(frozen=True, slots=True)
class Given:
    """What a test is given.

    cases: session -> the cases that explore mode sends. Of a client library: edition -> the rounds that are sent.
    evidence: session, blame with its log, clause id -> each piece of evidence. Of a client library: edition, log,
      clause id.
    about: the kinds of features that the clause is about, see blame.py. It is accused of no other wrong refusal.
    judges_combination: session, one exchange of a combination of classes, clause id -> True if it is judged.
    judges_every_shape: True if one answer of each shape to any plain call is judged too.
    reads_every_round: True if it judges the rounds of a client library that were made for other clauses too.
    """

    cases: Callable[[Any], Cases]
    evidence: Callable[[Any, Any, str], Iterable[Any]]
    about: frozenset[str] = KINDS
    judges_combination: Callable[[Any, Exchange, str], bool] = lambda _session, _exchange, _clause: False
    judges_every_shape: bool = False
    reads_every_round: bool = False


@dataclass(frozen=True, slots=True)
class Check:
    """A test: its clause, what it is given, and the body that judges each piece of evidence."""

    clause: str
    given: Given
    body: Callable[[Any], None]


def calls(
    *,
    session: tuple[str, ...] = ("rateable",),
    rating: tuple[str, ...] = ("absent",),
    comment: tuple[str, ...] = ("absent",),
    deliveries: tuple[Delivery, ...] = (PLAIN_JSON,),
    about: Sequence[str] = FILLED_KINDS,
    also: Callable[[PortalSession], Sequence[Call]] = lambda _: (),
    judges_every_shape: bool = False,
    leaves: tuple[type[Outcome], ...] = (),
) -> Given:
    """Give the test single exchanges with values of these classes.

    about: the kinds of features that the clause is about. They decide which clause is accused of a wrong refusal.
    also: further calls, written out.
    judges_every_shape: see Given.
    leaves: the outcomes that the clause does not judge.
    session, rating, comment, deliveries: see CallTemplate.
    """
    votes = CallTemplate(session, rating, comment, deliveries)

    def cases(portal_session: PortalSession) -> Cases:
        found = votes.cases(portal_session, alone)
        return replace(found, fixed=(*found.fixed, *map(alone, also(portal_session))))

    def evidence(portal_session: PortalSession, blame: Blame, clause: str) -> Iterator[Exchange]:
        written_out = set(also(portal_session))
        candidates = {exchange.number: exchange for exchange in blame.log.exchanges_for(clause)}
        of_shape = blame.log.exchanges_judged_by_shape() if judges_every_shape else ()
        shapes = {exchange.number: exchange for exchange in of_shape}
        candidates |= shapes
        for exchange in candidates.values():
            if isinstance(exchange.outcome, leaves):
                continue
            call = exchange.call
            covered = votes.covers(portal_session, call)
            of_template = covered and call.delivery in votes.deliveries
            # A plan sends many values once only, in some delivery: there they stand for the plain call.
            in_another_delivery = (
                (covered and votes.deliveries == (PLAIN_JSON,)) or _is_reason_for(clause, exchange, blame)
            ) and _stands_for_plain_json(exchange, blame)
            if of_template or exchange.number in shapes or call in written_out or in_another_delivery:
                yield exchange

    def judges_combination(portal_session: PortalSession, exchange: Exchange, clause: str) -> bool:
        permitted = exchange.permitted
        promised = clause in permitted.accepting_clauses or clause in permitted.rejecting_clauses
        return promised or votes.covers(portal_session, exchange.call)

    if judges_every_shape:
        return Given(cases, evidence, frozenset(about), judges_every_shape=True)
    return Given(cases, evidence, frozenset(about), judges_combination)


def _is_reason_for(clause: str, exchange: Exchange, blame: Blame) -> bool:
    """Return True if the clause is the reason why the call must be accepted, or why it must be refused.

    Where an accepted call has several faults, the clause is a reason if each fault alone is refused.
    """
    permitted = exchange.permitted
    if clause in permitted.accepting_clauses or permitted.rejecting_clauses == (clause,):
        return True
    several = clause in permitted.rejecting_clauses and exchange.response.accepted
    return several and all(blame.refuses_alone(broken) for broken in permitted.rejecting_clauses)


def _stands_for_plain_json(exchange: Exchange, blame: Blame) -> bool:
    """Return True for a call in plain JSON, and for one in another delivery if these values were sent in no other."""
    permitted, call = exchange.permitted, exchange.call
    if not call.is_documented:
        return False
    if call.delivery == PLAIN_JSON:
        return True
    only_one = call.delivery.caller is Caller.MAIN and blame.log.in_plain_json(call) is None
    return only_one and (
        exchange.is_permitted or permitted.demands_acceptance or not blame.is_caused_by_delivery(exchange)
    )


def comparisons(
    *,
    about: str,
    session: tuple[str, ...] = ("rateable",),
    rating: tuple[str, ...] = ("absent",),
    comment: tuple[str, ...] = ("absent",),
    deliveries: tuple[Delivery, ...] = (PLAIN_JSON,),
) -> Given:
    """Give the test each call in other deliveries, beside the same call in plain JSON.

    about: the kind of feature that differs: encoding, suffix, batch, caller or order.
    session, rating, comment, deliveries: see CallTemplate.
    """
    votes = CallTemplate(session, rating, comment, deliveries)

    def is_such(call: Call) -> bool:
        if call.delivery.order == PLAIN_JSON.order:
            return about != "order" and call.delivery in votes.deliveries
        delivery = call.delivery if about == "order" else replace(call.delivery, order=PLAIN_JSON.order)
        return delivery in votes.deliveries

    def cases(session: PortalSession) -> Cases:
        def case_of(call: Call) -> Case:
            base = baseline_of(call)
            if not session.reads or not session.permitted(call).may_be_accepted:
                return Case((call,), baselines=(base,))
            return Case((call, _read(session)), baselines=(base,), needs_another_vote=True)

        return votes.cases(session, case_of)

    def evidence(_session: PortalSession, blame: Blame, clause: str) -> Iterator[Comparison | WithoutBase]:
        log = blame.log
        for change in log.changes_for(clause):
            variant = change.exchange
            if about == "batch" and _has_left_out(variant):
                yield WithoutBase(variant, saved=True)
                continue
            if not is_such(variant.call) or not variant.call.is_documented:
                continue
            base = log.first(baseline_of(variant.call))
            # Where the order and the encoding are both unusual, a lost field is the encoding's.
            saved = (about == "order" and base is None) or not _is_lost_in_delivery(change, blame, about)
            base = base or log.in_plain_json(variant.call)
            if base is None:
                if variant.is_permitted or blame.is_caused_by_delivery(variant):
                    yield WithoutBase(variant, saved)
            elif base.is_permitted or not variant.is_permitted:
                yield Comparison(base, variant, saved)

    return Given(cases, evidence, frozenset({about}), lambda *_: about == "encoding")


def _has_left_out(exchange: Exchange) -> bool:
    """Return True if a portal answered a batch, and not this item. What refuses a whole batch answers no item."""
    document = exchange.response.document
    return (
        exchange.response.is_unanswered_item and isinstance(document, dict) and isinstance(document.get("result"), dict)
    )


def state_changes(
    *,
    after: type[Accepted | Refused],
    session: tuple[str, ...] = ("rateable",),
    rating: tuple[str, ...] = ("absent",),
    comment: tuple[str, ...] = ("absent",),
    deliveries: tuple[Delivery, ...] = (PLAIN_JSON,),
) -> Given:
    """Give the test each call of the log with this outcome, between two read-backs.

    after: the outcome.
    session, rating, comment, deliveries: what explore mode sends, see CallTemplate. Other calls of the log count too.
    """
    votes = CallTemplate(session, rating, comment, deliveries)

    def cases(session: PortalSession) -> Cases:
        if not session.reads:
            return Cases((), why_not_exercised=NO_READ_BACK)
        return votes.cases(session, lambda call: Case((call, _read(session)), needs_another_vote=True))

    def evidence(_session: PortalSession, blame: Blame, clause: str) -> Iterator[StateChange]:
        changes = [change for change in blame.log.changes_for(clause) if isinstance(change.exchange.outcome, after)]
        guilty = {change.exchange.number for change in changers(changes)} if after is Refused else set()
        for change in changes:
            call = change.exchange.call
            if after is Accepted:
                if call.session.cls in READ_BACK_SESSIONS and call.delivery.caller is Caller.MAIN:
                    yield change
            elif change.exchange.number in guilty or change.before_is_after:
                yield change

    return Given(cases, evidence, judges_combination=lambda *_: True)


def sequences(
    cases: Callable[[PortalSession], Cases], evidence: Callable[[Blame, str], Iterable[CallSequence]]
) -> Given:
    """Give the test calls that were sent one after the other."""
    return Given(cases, lambda _session, blame, clause: evidence(blame, clause))


def listed(written_out: Callable[[PortalSession], Sequence[Call]]) -> Given:
    """Give the test single exchanges of calls that are written out."""

    def evidence(session: PortalSession, blame: Blame, clause: str) -> Iterator[Exchange]:
        wanted = set(written_out(session))
        return (exchange for exchange in blame.log.exchanges_for(clause) if exchange.call in wanted)

    return Given(lambda session: Cases(tuple(map(alone, written_out(session)))), evidence)


def what_happened(change: StateChange) -> str:
    """Return the outcome of a call and what it left, in words that two runs can be compared by."""
    exchange = change.exchange
    seen = exchange.shown_outcome
    if exchange.call.delivery.batch is Batch.NO:
        seen += f" {exchange.response.status}"
    if not exchange.response.accepted or isinstance(change.after, NotRead):
        return seen
    return f"{seen}; {_in_short(change.after)}"


def observations(
    labelled: Callable[[PortalSession], Mapping[str, Call]], describe: Callable[[StateChange], str] = what_happened
) -> Given:
    """Record what labelled calls do. The vote before each is one that no labelled call sends.

    describe: returns what is recorded of a call; the empty text where it shows nothing.
    """

    def cases(session: PortalSession) -> Cases:
        callers = session.portal.target.callers
        found = {label: call for label, call in labelled(session).items() if call.delivery.caller in callers}
        if not found:
            return Cases((), why_not_exercised="the session or caller that this needs is not configured")
        if not session.reads:
            return Cases(tuple(map(alone, found.values())))
        before = Call(session.rateable, value_of(RATINGS, "2"), ClassifiedValue("plain", "seen before"))
        return Cases(tuple(Case((before, _read(session), call, _read(session))) for call in found.values()))

    def evidence(session: PortalSession, blame: Blame, clause: str) -> Iterator[Observation]:
        seen: dict[Call, StateChange] = {}
        for change in blame.log.changes_for(clause):
            call = change.exchange.call
            seen[call] = change
            # A plan sends some of these calls in another delivery only, where it stands for the plain call.
            if call.delivery.caller is Caller.MAIN and call.delivery.encoding in DOCUMENTED_ENCODINGS:
                seen.setdefault(call.via(PLAIN_JSON), change)
        for label, call in labelled(session).items():
            if call in seen and (text := describe(seen[call])):
                yield Observation(label, text)

    return Given(cases, evidence)


def observed_where_silent(clause: str, judged: Given, observed: Given) -> Given:
    """Give the test what an edition judges by the clause, and record observations in an edition that is silent."""

    def of(session: PortalSession) -> Given:
        return observed if session.edition.clauses[clause].level == "observed" else judged

    return Given(
        lambda session: of(session).cases(session),
        lambda session, blame, clause: of(session).evidence(session, blame, clause),
        judged.about,
        lambda session, exchange, clause: of(session).judges_combination(session, exchange, clause),
    )


def baseline_of(call: Call) -> Call:
    """Return the call that a delivery is compared with: one thing is plainer.

    Suffix, caller and order are compared within one encoding. Encodings and batch are compared with plain JSON that
    holds the same texts.
    """
    same_encoding = Delivery(call.delivery.encoding)
    if call.delivery != same_encoding and call.delivery.batch is Batch.NO:
        return call.via(same_encoding)
    plain = call.via(PLAIN_JSON)
    in_json = call.delivery.encoding in JSON_ENCODINGS and call.delivery.batch is Batch.NO
    return plain if in_json else _as_texts(plain)


def another_vote(call: Call, session: PortalSession) -> Call:
    """Return a vote that differs from the call in both fields."""
    stars = "2" if call.rating.value in (1, "1") else "1"
    return Call(session.rateable, value_of(RATINGS, stars), ClassifiedValue("plain", "another vote"))


def plainer(call: Call, kind: str, session: PortalSession) -> Call:
    """Return the call with one kind of feature made plain.

    For a kind that says which fields are filled, the same fields are filled with plain values.
    """
    stars = value_of(RATINGS, "4" if call.rating.value in (5, "5") else "5")
    rating = call.rating if call.rating.absent else stars
    comment = call.comment if call.comment.absent else value_of(COMMENTS, "plain")
    if kind in FILLED_KINDS:
        return replace(call, rating=rating, comment=comment)
    if kind == "comment":
        return replace(call, comment=comment)
    if kind == "rating":
        return replace(call, rating=rating)
    if kind == "rating as text" and call.rating.cls == "digits":
        return replace(call, rating=value_of(RATINGS, call.rating.value))
    if kind in ("session", "session as text", "rating as text"):
        return replace(call, session=session.rateable)
    return call.via(PLAIN_JSON)


def _as_texts(call: Call) -> Call:
    return replace(call, session=_as_text(call.session), rating=_as_text(call.rating), comment=_as_text(call.comment))


def _as_text(value: ClassifiedValue) -> ClassifiedValue:
    return value if value.absent else replace(value, value=as_text(value.value))


def _read(session: PortalSession) -> ReadBack:
    return ReadBack(session.rateable.value)


def _is_lost_in_delivery(change: StateChange, blame: Blame, about: str) -> bool:
    """Return True if a field did not read back that did when it was sent in another delivery.

    about: the kind of feature that the clause is about. A field that is lost without it has another cause.
    """
    exchange = change.exchange
    if not (exchange.response.accepted and exchange.permitted.may_be_accepted and isinstance(change.after, StoredVote)):
        return False
    encodings = {Encoding.JSON} if about == "encoding" else {Encoding.JSON, exchange.call.delivery.encoding}
    lost = [
        name
        for name in unsaved_fields(exchange.call, change.after)
        if not any((encoding, name) in blame.lost_plainly for encoding in encodings)
    ]
    return bool(lost) and all(_is_saved_elsewhere(exchange.call, name, blame) for name in lost)


def _is_saved_elsewhere(call: Call, name: str, blame: Blame) -> bool:
    """Return True if an accepted vote with the same value of a field was read back as sent in another delivery."""
    sent = as_text(dict(call.parameters)[name])
    for other in blame.log.state_changes:
        same_value = any(field == name and as_text(value) == sent for field, value in other.exchange.call.parameters)
        read_back = other.exchange.response.accepted and isinstance(other.after, StoredVote)
        elsewhere = read_back and same_value and other.exchange.call.delivery != call.delivery
        if elsewhere and name not in unsaved_fields(other.exchange.call, other.after):
            return True
    return False


def _in_short(stored: StoredVote) -> str:
    comment = stored.comment
    if isinstance(comment, str) and len(comment) > _LONGEST_SEEN:
        return f"rating {stored.rating!r}, comment of {len(comment):,} characters"
    return str(stored)
