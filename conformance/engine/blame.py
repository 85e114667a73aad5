"""Fault localisation: the feature of a call that causes a wrong refusal or a wrong code. It sends nothing.

A call has features: its session, its rating, its comment, which fields are filled, how it is delivered. A portal may
refuse a good call for any of them. So a clause is accused of a wrong refusal only if the suspicious feature is one that
the clause is about.

1. Each feature of a call that was rightly accepted is cleared.
2. The suspects of a refused call are its features that are not cleared. Where each one is cleared by itself, they are
   its pairs of features that no accepted call had. If a refused call has shown that the portal reads a delivery, the
   delivery is a suspect only where nothing else is. If one has shown that the portal does not, it is the only suspect.
3. The fewest suspects that explain all wrong refusals are the causes. Suspects that explain equally many all count.
4. A wrong code, too, accuses only the clauses that are about a cause in the call. Without a cause it accuses its own
   clause, unless the delivery is not proven and the clause is not about deliveries.
"""

from collections.abc import Collection, Hashable, Iterable
from copy import copy
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from itertools import combinations
from typing import Final

from conformance.contract.classes import COMMENTS, NOT_FILLED, READ_BACK_SESSIONS, STARS
from conformance.engine.evidence import Exchange, same_outcome, unsaved_fields
from conformance.engine.log import ExchangeLog, as_digits
from conformance.exchange.call import JSON_ENCODINGS, PLAIN_JSON, Batch, Call, Delivery, Encoding
from conformance.exchange.read_back import StoredVote
from conformance.exchange.response import LimitReached, Malformed

Feature = tuple[str, Hashable]
"""The kind of a feature, and its value."""
Suspect = frozenset[Feature]
"""One feature, or a pair of them."""
FILLED_KINDS: Final = ("rating alone", "comment alone", "both filled", "neither filled")
KINDS: Final = frozenset(
    {"session", "session as text", "rating", "rating as text", "comment", *FILLED_KINDS}
    | {"encoding", "suffix", "caller", "batch", "order"}
)
DELIVERY_KINDS: Final = frozenset({"encoding", "suffix", "caller", "batch", "order"})
_SUITE_TEXT: Final = "a text of the suite"


@dataclass(frozen=True)
class Blame:
    """Which clause may be accused of a wrong refusal or a wrong code. Other violations have no other cause to look for.

    log: what is judged.
    learned_from: the log in which the causes are looked for.
    judges_history: True if effect.history-free is judged, so that it is accused in place of other clauses.
    control: the first vote of the run, which is sent again later.
    is_unsure: True if each suspect counts as a cause, because the log is too short to tell them apart.
    """

    log: ExchangeLog
    learned_from: ExchangeLog
    judges_history: bool
    control: Call
    is_unsure: bool = False

    def for_log(self, log: ExchangeLog) -> "Blame":
        """Return the same blame for another log of the same portal. What was learned is not looked for again."""
        # `copy` keeps what these properties have cached; `replace` would lose it.
        _ = self._causes, self._cleared_pairs, self._changeable, self.lost_plainly
        other = copy(self)
        object.__setattr__(other, "log", log)
        return other

    def unsure(self) -> "Blame":
        """Return the same blame where each suspect counts as a cause."""
        return replace(self, is_unsure=True)

    def may_accuse(self, exchange: Exchange, about: Collection[str]) -> bool:
        """Return True if the cause of a wrong refusal or a wrong code may be one of these kinds of features."""
        if self.depends_on_history(exchange):
            return False
        if not self._rightly_accepted:
            # Nothing can be compared: a refused good call accuses the clauses about values, and no delivery.
            return exchange.permitted.demands_acceptance and bool(set(about) - DELIVERY_KINDS)
        causes = self.causes_of(exchange)
        if causes:
            return any(kind in about for cause in causes for kind, _ in cause)
        if self.is_unsure or exchange.permitted.demands_acceptance:
            return True
        return self._may_accuse_of_code(exchange.call, about)

    def _may_accuse_of_code(self, call: Call, about: Collection[str]) -> bool:
        """Return True if a wrong code that has no known cause may accuse a clause about these kinds of features."""
        unproven = {kind for kind, _ in self._suspect_features(call) if kind in DELIVERY_KINDS}
        is_proven = _delivery(call) in self._proven_deliveries or not unproven
        return is_proven or bool(unproven & set(about))

    def causes_of(self, exchange: Exchange) -> set[Suspect]:
        """Return the suspects that explain the refusal of this call."""
        if not exchange.is_wrongly_refused:
            features = features_of(exchange.call)
            return set() if self.is_unsure else {cause for cause in self._causes if cause <= features}
        suspects = self.suspects_of(exchange)
        return suspects if self.is_unsure else suspects & self._causes or suspects

    def suspects_of(self, exchange: Exchange) -> set[Suspect]:
        """Return the features of a call that are not cleared, or its pairs of features where each one is."""
        single = self._suspect_features(exchange.call, exchange.has_documented_code)
        if single:
            return {frozenset({feature}) for feature in single}
        return set(map(frozenset, combinations(features_of(exchange.call), 2))) - self._cleared_pairs

    def _suspect_features(self, call: Call, has_documented_code: bool = False) -> set[Feature]:
        """Return the features that are not cleared. has_documented_code: True if the method itself refused the call."""
        uncleared = set(features_of(call) - self._cleared)
        of_delivery = {feature for feature in uncleared if feature[0] in DELIVERY_KINDS}
        if _delivery(call) in self._proven_deliveries or (
            has_documented_code and call.delivery in self._read_deliveries
        ):
            return uncleared - of_delivery or uncleared
        if _delivery(call) in self._disproven_deliveries:
            return of_delivery or uncleared
        return uncleared

    def depends_on_history(self, exchange: Exchange) -> bool:
        """Return True if the same call, or one that every run repeats, had different outcomes in this run."""
        if not self.judges_history:
            return False
        repeated = any(call == self.control or _has_only_a_session(call) for call in self._changeable)
        return repeated or exchange.call in self._changeable

    @cached_property
    def wrongly_refused(self) -> list[Exchange]:
        return [one for one in self.learned_from.exchanges if one.is_wrongly_refused and one.call.is_documented]

    @cached_property
    def _changeable(self) -> frozenset[Call]:
        """The calls whose outcomes in this run differ."""
        return frozenset(call for call, exchanges in self.learned_from.repeated.items() if _differ(exchanges))

    @cached_property
    def _rightly_accepted(self) -> list[Exchange]:
        return [
            one
            for one in self.learned_from.exchanges
            if one.response.accepted and one.permitted.demands_acceptance and one.call.is_documented
        ]

    @cached_property
    def _cleared(self) -> frozenset[Feature]:
        return frozenset(feature for exchange in self._rightly_accepted for feature in features_of(exchange.call))

    @cached_property
    def _proven_deliveries(self) -> frozenset[Hashable]:
        """The deliveries in which a forbidden session was rightly refused: the portal understood the call."""
        return frozenset(_delivery(one.call) for one in self._rightly_refused if _is_forbidden(one))

    @cached_property
    def _read_deliveries(self) -> frozenset[Delivery]:
        """The deliveries, of calls alone, in which a telling call was rightly refused: the portal read the session."""
        deliveries = (one.call.delivery for one in self._rightly_refused)
        return frozenset(delivery for delivery in deliveries if delivery.batch is Batch.NO)

    @cached_property
    def _disproven_deliveries(self) -> frozenset[Hashable]:
        """The deliveries in which a telling call is answered wrongly, other than in plain JSON, and no call rightly."""
        in_json = {one.permitted for one in self._rightly_refused if one.call.delivery == PLAIN_JSON}
        wrong = {_delivery(one.call) for one in self._telling if not one.is_permitted and one.permitted in in_json}
        return frozenset(wrong - {_delivery(one.call) for one in (*self._rightly_refused, *self._rightly_accepted)})

    @cached_property
    def _rightly_refused(self) -> list[Exchange]:
        return [one for one in self._telling if one.is_permitted]

    @cached_property
    def _telling(self) -> list[Exchange]:
        """The calls whose refusal tells if the session was read: it is forbidden, or nothing stands beside it.

        A call with nothing beside the session tells it only if a call with nothing at all gets another code.
        """
        documented = [one for one in self.learned_from.exchanges if one.call.is_documented]
        codes_of_nothing = {one.response.code for one in documented if _is_empty(one.call)}
        return [
            one
            for one in documented
            if _is_forbidden(one) or (_has_only_a_session(one.call) and not codes_of_nothing & one.permitted.codes)
        ]

    @cached_property
    def _cleared_pairs(self) -> frozenset[Suspect]:
        return frozenset(
            frozenset(pair)
            for exchange in self._rightly_accepted
            for pair in combinations(features_of(exchange.call), 2)
        )

    @cached_property
    def _causes(self) -> frozenset[Suspect]:
        """The fewest suspects, chosen greedily, that explain all wrong refusals."""
        causes: set[Suspect] = set()
        left = [
            suspects
            for exchange in self.wrongly_refused
            if not self.depends_on_history(exchange) and (suspects := self.suspects_of(exchange))
        ]
        while left:
            counts: dict[Suspect, int] = {}
            for suspects in left:
                for suspect in suspects:
                    counts[suspect] = counts.get(suspect, 0) + 1
            most = max(counts.values())
            causes |= {suspect for suspect, count in counts.items() if count == most}
            left = [suspects for suspects in left if not suspects & causes]
        return frozenset(causes)

    @cached_property
    def lost_plainly(self) -> frozenset[tuple[Encoding, str]]:
        """The encodings in which some vote, with nothing else unusual, did not read back a field as sent."""
        return frozenset(
            (change.exchange.call.delivery.encoding, name)
            for change in self.learned_from.state_changes
            if change.exchange.call.delivery == Delivery(change.exchange.call.delivery.encoding)
            and change.exchange.permitted.demands_acceptance
            and change.exchange.response.accepted
            and isinstance(change.after, StoredVote)
            for name in unsaved_fields(change.exchange.call, change.after)
        )

    def refuses_alone(self, clause: str) -> bool:
        """Return True if calls that break this clause and no other were sent, and all were refused."""
        single = [one for one in self.log.exchanges if one.permitted.rejecting_clauses == (clause,)]
        return bool(single) and all(one.response.refused for one in single)

    def is_caused_by_delivery(self, exchange: Exchange) -> bool:
        """Return True if the delivery is the cause of a wrong answer for which there is no plain call to compare with.

        A bad value is the cause where it is accepted in plain JSON too, or where another bad value of its kind is
        refused in the same delivery.
        """
        if exchange.permitted.demands_acceptance:
            plain_is_malformed = any(
                isinstance(other.outcome, Malformed) and other.call.delivery == PLAIN_JSON
                for other in self.log.exchanges
                if other.permitted.demands_acceptance
            )
            return not (isinstance(exchange.outcome, Malformed) and plain_is_malformed)
        alike = [
            other
            for other in self.log.exchanges
            if other.permitted.rejecting_clauses == exchange.permitted.rejecting_clauses and other.call.is_documented
        ]
        plain = [other for other in alike if other.call.delivery == PLAIN_JSON]
        same_value = [other for other in plain if _bad_value(other) == _bad_value(exchange)]
        if same_value:
            return all(other.is_permitted for other in same_value)
        in_delivery = [
            other
            for other in alike
            if _delivery(other.call) == _delivery(exchange.call) and other.number != exchange.number
        ]
        rating = as_digits(exchange.call.rating)
        rated_plainly = [other for other in plain if as_digits(other.call.rating) == rating]
        rated_in_delivery = [
            other
            for other in in_delivery
            if as_digits(other.call.rating) == rating
            and other.call.session.cls in (*READ_BACK_SESSIONS, exchange.call.session.cls)
        ]
        if rated_plainly and rated_in_delivery and not exchange.call.rating.absent:
            right_in_delivery = any(other.is_permitted for other in rated_in_delivery)
            return all(other.is_permitted for other in rated_plainly) and not right_in_delivery
        if any(other.is_permitted for other in in_delivery):
            return False
        return bool(plain) and all(other.is_permitted for other in plain)


# Each clause that judges a call asks for its features.
@lru_cache(maxsize=1024)
def features_of(call: Call) -> frozenset[Feature]:
    """Return the features of a call. An empty COMMENT or RATING is not filled, so it is no feature of being filled."""
    delivery = call.delivery
    in_text = delivery.encoding not in JSON_ENCODINGS or delivery.batch is not Batch.NO
    own = call.session.cls in READ_BACK_SESSIONS
    filled = _filled(call)
    features: set[Feature] = {
        ("session", "own" if own else call.session.cls),
        # A portal may take "" or null for filled, so it matters how a field is not filled.
        *((filled, cls) for cls in (True, call.rating.cls, call.comment.cls) if cls is True or cls in NOT_FILLED),
        # The parameters of an item are in its own query, whatever the encoding of the batch is.
        ("encoding", delivery.encoding if delivery.batch is Batch.NO else Encoding.JSON),
        ("suffix", delivery.suffix),
        ("caller", delivery.caller),
        ("batch", delivery.batch),
        ("order", delivery.order == PLAIN_JSON.order),
    }
    if delivery.batch is not Batch.NO:
        features.add(("batch", "any"))
    if not call.rating.absent:
        features.add(("rating", as_digits(call.rating)))
    # A number as a text has two features: that it is a text, as in every form, and that it is one inside JSON.
    if call.rating.cls == "digits" or (in_text and call.rating.cls in STARS):
        features |= {("rating as text", where) for where in ("anywhere", "in a form" if in_text else "in JSON")}
    if call.session.cls == "digits" or (in_text and own):
        features |= {("session as text", where) for where in ("anywhere", "in a form" if in_text else "in JSON")}
    if not call.comment.absent:
        features.add(("comment", _SUITE_TEXT if _is_suite_text(call) else as_digits(call.comment)))
    return frozenset(features)


def _is_forbidden(exchange: Exchange) -> bool:
    return exchange.permitted.rejecting_clauses == ("error.access-denied",)


def _has_only_a_session(call: Call) -> bool:
    return call.session.cls in READ_BACK_SESSIONS and call.rating.absent and call.comment.absent


def _is_empty(call: Call) -> bool:
    return call.session.absent and call.rating.absent and call.comment.absent


def _filled(call: Call) -> str:
    """Return the kind of feature that says which optional parameters are filled."""
    rated, commented = (value.cls not in NOT_FILLED for value in (call.rating, call.comment))
    if rated:
        return "both filled" if commented else "rating alone"
    return "comment alone" if commented else "neither filled"


def _is_suite_text(call: Call) -> bool:
    """Return True if the comment is one of the suite's own plain texts, which are all alike to a portal."""
    return call.comment.cls == "plain" and call.comment.value not in COMMENTS["plain"].boundaries


def _differ(exchanges: Iterable[Exchange]) -> bool:
    judged = [exchange for exchange in exchanges if not isinstance(exchange.outcome, LimitReached)]
    return any(not same_outcome(judged[0], other) for other in judged[1:])


def _bad_value(exchange: Exchange) -> Hashable:
    """Return the value for which a call with one fault must be refused."""
    call = exchange.call
    if call.session.cls not in READ_BACK_SESSIONS:
        return as_digits(call.session)
    return as_digits(call.rating), call.comment.cls


def _delivery(call: Call) -> Hashable:
    """Return what two calls share that are delivered alike; the two forms of a batch count as one."""
    return call.delivery.encoding, call.delivery.suffix, call.delivery.caller, call.delivery.batch is not Batch.NO
