"""A transcript: what came of requests that were sent in order, and which of their features a wrong refusal is due to.

Where calls are sent once and never again, nobody can ask a plainer call to learn why one was refused. The transcript
answers instead, as fault localisation does: a feature (a value, a way) of a call that was accepted is cleared; of the
others, the fewest that explain all wrong refusals are guilty.
"""

import json
from collections.abc import Callable, Collection, Hashable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from conformance.engine.evidence import Exchange, StateChange, same_outcome
from conformance.engine.plan import Plan, calls_of
from conformance.engine.session import UNTRUSTED, PortalSession
from conformance.exchange.call import PLAIN_JSON, Batch, BatchRequest, Call, ClassifiedValue, ReadBack
from conformance.exchange.read_back import NOT_READ, NotRead, StoredVote, comment_reads_back, rating_reads_back
from conformance.exchange.response import Accepted, Malformed, NotJudged, Refused
from conformance.target.transports import NoResponse, NotRecorded

OWN_SESSION: Final = ("rateable", "digits")
"""The classes of SESSION_ID that name the session whose vote is read back."""
Feature = tuple[str, Hashable]
Entry = Exchange | StoredVote | NotRead


@dataclass(frozen=True)
class ExchangeLog:
    """entries: exchanges, and read-backs of the rateable session, in order. unanswered: calls, with the reason."""

    entries: tuple[Entry, ...]
    unanswered: tuple[tuple[Call, str], ...] = ()
    _base: dict[Hashable, Exchange] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        for exchange in self.exchanges:
            if exchange.call.delivery == PLAIN_JSON and not exchange.call.extra:
                self._base.setdefault(_values(exchange.call), exchange)

    @cached_property
    def exchanges(self) -> tuple[Exchange, ...]:
        return tuple(entry for entry in self.entries if isinstance(entry, Exchange))

    def base_of(self, call: Call) -> Exchange | None:
        """The exchange of the same values in plain JSON, numbers and texts of digits taken for the same."""
        return self._base.get(_values(call))

    @cached_property
    def effects(self) -> tuple[StateChange, ...]:
        """Each exchange with the stored vote before and after it, where no other vote came between."""
        before = self._nearest_reads(self.entries)
        after = self._nearest_reads(self.entries[::-1])[::-1]
        return tuple(
            StateChange(before[place], entry, after[place])
            for place, entry in enumerate(self.entries)
            if isinstance(entry, Exchange)
        )

    @staticmethod
    def _nearest_reads(entries: Iterable[Entry]) -> list[StoredVote | NotRead]:
        """For each entry the last read-back before it, unless a call that may have written stands between."""
        nearest: list[StoredVote | NotRead] = []
        last: StoredVote | NotRead = NOT_READ
        for entry in entries:
            nearest.append(last)
            if isinstance(entry, StoredVote):
                last = entry
            elif isinstance(entry, Exchange) and _may_have_written(entry):
                last = NOT_READ
        return nearest

    @cached_property
    def repeated(self) -> dict[Call, list[Exchange]]:
        """The calls that were sent more than once, with all their exchanges."""
        by_call: dict[Call, list[Exchange]] = {}
        for exchange in self.exchanges:
            by_call.setdefault(exchange.call, []).append(exchange)
        return {call: exchanges for call, exchanges in by_call.items() if len(exchanges) > 1}

    @cached_property
    def depends_on_history(self) -> bool:
        """Whether one call had different outcomes."""
        return any(
            not same_outcome(told[0], other)
            for told in self.repeated.values()
            for other in told[1:]
            if not isinstance(other.outcome, NotJudged) and not isinstance(told[0].outcome, NotJudged)
        )

    def explains(self, exchange: Exchange, subjects: Collection[str]) -> bool:
        """Whether a wrong refusal, or a wrong code, is due to what a clause is about, and not to something else in it.

        subjects: the kinds of features that the clause is about, as in features_of.
        """
        features = features_of(exchange.call)
        guilty = features & self._guilty
        if guilty:
            return any(kind in subjects for kind, _ in guilty)
        if exchange.allowed.must_be_accepted:
            return True
        way = ("way", _way_of(exchange.call))
        return "way" in subjects or exchange.call.delivery == PLAIN_JSON or way in self._cleared

    def refuses_alone(self, clause: str) -> bool:
        """Whether calls that break this clause and no other were sent, and all were refused."""
        single = [exchange for exchange in self.exchanges if exchange.allowed.rejecting_clauses == (clause,)]
        return bool(single) and all(isinstance(exchange.outcome, Refused) for exchange in single)

    def is_due_to_way(self, exchange: Exchange) -> bool:
        """Whether a wrong answer to a call that no plain call was compared with is due to the way that it travelled.

        What must be accepted is told apart by its features. A bad value is at fault where it is accepted in plain JSON
        too, or where another one of its kind is refused in the same way.
        """
        if exchange.allowed.must_be_accepted:
            malformed_plain = any(
                isinstance(other.outcome, Malformed) and other.allowed.must_be_accepted for other in self._base.values()
            )
            return not (isinstance(exchange.outcome, Malformed) and malformed_plain)
        alike = [
            other
            for other in self.exchanges
            if other.allowed.rejecting_clauses == exchange.allowed.rejecting_clauses and other.call.is_documented
        ]
        same_value = [
            other for other in alike if other.call.delivery == PLAIN_JSON and _bad_value(other) == _bad_value(exchange)
        ]
        if same_value:
            return all(other.is_allowed for other in same_value)
        same_way = [other for other in alike if _way_of(other.call) == _way_of(exchange.call) and other is not exchange]
        if any(other.is_allowed for other in same_way):
            return False
        plain = [other for other in alike if other.call.delivery == PLAIN_JSON]
        return bool(plain) and all(other.is_allowed for other in plain)

    @cached_property
    def _cleared(self) -> frozenset[Feature]:
        cleared: set[Feature] = set()
        for exchange in filter(lambda exchange: exchange.call.is_documented, self.exchanges):
            if exchange.allowed.must_be_accepted and isinstance(exchange.outcome, Accepted):
                cleared |= features_of(exchange.call)
            elif exchange.call.session.cls == "forbidden" and exchange.is_allowed:
                cleared.add(("way", _way_of(exchange.call)))
        return frozenset(cleared)

    @cached_property
    def _guilty(self) -> frozenset[Feature]:
        """The fewest features, chosen greedily, that explain all wrong refusals; equally good ones all count."""
        suspects = [
            features_of(exchange.call) - self._cleared
            for exchange in self.exchanges
            if exchange.allowed.must_be_accepted
            and isinstance(exchange.outcome, Refused)
            and exchange.call.is_documented
        ]
        guilty: set[Feature] = set()
        while left := [features for features in suspects if features and not features & guilty]:
            counts: dict[Feature, int] = {}
            for features in left:
                for feature in features:
                    counts[feature] = counts.get(feature, 0) + 1
            most = max(counts.values())
            guilty |= {feature for feature, count in counts.items() if count == most}
        return frozenset(guilty)


def perform(
    world: PortalSession,
    plan: Plan,
    met: tuple[Entry, ...],
    tell: Callable[[int, int], None] = lambda _done, _all: None,
) -> ExchangeLog:
    """Sends the steps of a plan in order. Raises Problem when the target is dead.

    met: what the preflight met. tell: hears after each step how many requests are done, of how many.
    """
    entries: list[Entry] = list(met)
    unanswered: list[tuple[Call, str]] = []
    for done, step in enumerate(plan.steps, len(plan.preflight)):
        tell(done, plan.requests)
        try:
            if isinstance(step.request, ReadBack):
                entries.append(world.read())
            elif isinstance(step.request, BatchRequest):
                entries += world.ask_together(step.request.calls)
            else:
                entries.append(world.ask(step.request))
        except NotRecorded:
            continue
        except NoResponse as failure:
            unanswered += [(call, str(failure)) for call in calls_of(step.request)]
    tell(plan.requests, plan.requests)
    return ExchangeLog(tuple(entries), tuple(unanswered))


def features_of(call: Call) -> frozenset[Feature]:
    """What may be the reason that a call is refused, by kind: session, rating, digits, comment, filled, way, order."""
    filled = tuple(name for name, pick in (("RATING", call.rating), ("COMMENT", call.comment)) if not pick.absent)
    features: set[Feature] = {("session", call.session.cls), ("filled", filled), ("way", _way_of(call))}
    if not call.rating.absent:
        features.add(("rating", _text(call.rating)))
    if call.rating.cls == "digits":
        features.add(("digits", "RATING"))
    if not call.comment.absent:
        features.add(("comment", "plain" if call.comment.cls == "plain" else _text(call.comment)))
    if call.delivery.batch is not Batch.NO:
        features.add(("way", "batch"))
    if call.delivery.order != PLAIN_JSON.order:
        features.add(("order", "another"))
    return frozenset(features)


def culprits(effects: Iterable[StateChange]) -> list[StateChange]:
    """Of refused calls between two read-backs that differ, those whose own values read back; all where none do."""
    changed = [effect for effect in effects if not effect.before_is_after]
    own = [effect for effect in changed if _left(effect)]
    return own or changed


def _may_have_written(exchange: Exchange) -> bool:
    """Whether the call was not refused. A batch of a caller without rights is refused as a whole, item by item not."""
    denied = exchange.call.delivery.caller in UNTRUSTED and not exchange.answer.accepted
    return not isinstance(exchange.outcome, Refused) and not denied


def _left(effect: StateChange) -> bool:
    """Whether what changed is what the call carried."""
    before, exchange, after = effect.before, effect.exchange, effect.after
    if not isinstance(before, StoredVote) or not isinstance(after, StoredVote):
        return False
    rating, comment = exchange.call.rating.value, exchange.call.comment.value
    whole = isinstance(rating, int) and not isinstance(rating, bool)
    return (whole and after.rating != before.rating and rating_reads_back(rating, after.rating)) or (
        isinstance(comment, str) and after.comment != before.comment and comment_reads_back(comment, after.comment)
    )


def _bad_value(exchange: Exchange) -> Hashable:
    """The value for which a call with one fault must be refused."""
    call = exchange.call
    return _text(call.session) if call.session.cls not in OWN_SESSION else (_text(call.rating), call.comment.cls)


def _way_of(call: Call) -> Hashable:
    way = call.delivery
    return way.encoding, way.suffix, way.caller, way.batch


def _values(call: Call) -> Hashable:
    return call.session_name, _text(call.session), _text(call.rating), _text(call.comment), call.extra


def _text(pick: ClassifiedValue) -> str:
    """The value as a text that stands for its digits, whether they came as a number or as a text."""
    if pick.absent:
        return "absent"
    if isinstance(pick.value, str) or (isinstance(pick.value, int | float) and not isinstance(pick.value, bool)):
        return f"={pick.value}"
    return json.dumps(pick.value)
