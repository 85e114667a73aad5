"""The log of a run: exchanges and read-backs in the order in which they happened."""

import json
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from conformance.engine.evidence import Exchange, StateChange
from conformance.exchange.call import NO_RIGHTS, PLAIN_JSON, TOKEN_CALLERS, Batch, Call, Caller, ClassifiedValue
from conformance.exchange.read_back import NOT_READ, NotRead, StoredVote, comment_reads_back, rating_reads_back
from conformance.exchange.response import NO_JSON, LimitReached, Refused

_TRUSTED: Final = (Caller.MAIN, Caller.SECOND, *TOKEN_CALLERS)
_MOST_BEFORE: Final = 3
"""The exchanges before a violation that are shown with it."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An exchange, or a read-back of the rateable session. NOT_READ: from here on what is stored is not known.

    clauses: as in a step.
    """

    content: Exchange | StoredVote | NotRead
    clauses: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A call that was not answered, with the reason. clauses: as in an entry."""

    call: Call
    reason: str
    clauses: frozenset[str] = frozenset()


@dataclass(frozen=True)
class ExchangeLog:
    """entries: in the order in which they happened. unanswered: the calls without an answer."""

    entries: tuple[Entry, ...]
    unanswered: tuple[Unanswered, ...] = ()

    def __add__(self, later: "ExchangeLog") -> "ExchangeLog":
        return ExchangeLog(self.entries + later.entries, self.unanswered + later.unanswered)

    @cached_property
    def lost(self) -> tuple[Unanswered, ...]:
        """Return the calls of which nothing can be judged: not answered, put off by a limit, or left out of a batch."""
        put_off = (
            Unanswered(entry.content.call, why, entry.clauses)
            for entry in self.entries
            if isinstance(entry.content, Exchange) and (why := _why_lost(entry.content))
        )
        return (*self.unanswered, *put_off)

    @cached_property
    def exchanges(self) -> tuple[Exchange, ...]:
        return tuple(entry.content for entry in self.entries if isinstance(entry.content, Exchange))

    def exchanges_for(self, clause: str) -> Iterable[Exchange]:
        """Return the exchanges that were sent for a clause. The requests of a plan are sent for all clauses."""
        return self._sent_for.get(clause, ()) if self._is_tagged else self.exchanges

    def changes_for(self, clause: str) -> Iterator[StateChange]:
        """Yield the state changes of the exchanges that exchanges_for returns."""
        if not self._is_tagged:
            yield from self.state_changes
            return
        numbers = {exchange.number for exchange in self.exchanges_for(clause)}
        yield from (change for change in self.state_changes if change.exchange.number in numbers)

    def exchanges_judged_by_shape(self) -> Iterable[Exchange]:
        """Return the exchanges whose shape of answer is judged. In explore mode one of each shape stands for all."""
        return self.by_shape.values() if self._is_tagged else filter(_is_judged_by_shape, self.exchanges)

    @cached_property
    def _is_tagged(self) -> bool:
        return any(entry.clauses for entry in self.entries)

    @cached_property
    def _sent_for(self) -> dict[str, list[Exchange]]:
        found: dict[str, list[Exchange]] = {}
        for entry in self.entries:
            if isinstance(entry.content, Exchange):
                for clause in entry.clauses:
                    found.setdefault(clause, []).append(entry.content)
        return found

    @cached_property
    def by_shape(self) -> dict[Hashable, Exchange]:
        """Return the first exchange of each shape of answer whose shape is judged."""
        shapes: dict[Hashable, Exchange] = {}
        for exchange in filter(_is_judged_by_shape, self.exchanges):
            shapes.setdefault((exchange.permitted.demands_acceptance, *exchange.response.shape), exchange)
        return shapes

    def first(self, call: Call) -> Exchange | None:
        """Return the first exchange of a call, or None."""
        exchanges = self.by_call.get(call)
        return exchanges[0] if exchanges else None

    @cached_property
    def by_call(self) -> dict[Call, list[Exchange]]:
        found: dict[Call, list[Exchange]] = {}
        for exchange in self.exchanges:
            found.setdefault(exchange.call, []).append(exchange)
        return found

    @cached_property
    def repeated(self) -> dict[Call, list[Exchange]]:
        """Return the calls that were sent more than once, each with all its exchanges."""
        return {call: exchanges for call, exchanges in self.by_call.items() if len(exchanges) > 1}

    def in_plain_json(self, call: Call) -> Exchange | None:
        """Return the exchange of the same values in plain JSON. A number and a text of its digits count as the same."""
        return self._in_plain_json.get(_values(call))

    @cached_property
    def _in_plain_json(self) -> dict[Hashable, Exchange]:
        found: dict[Hashable, Exchange] = {}
        for exchange in self.exchanges:
            if exchange.call.delivery == PLAIN_JSON and not exchange.call.extra:
                found.setdefault(_values(exchange.call), exchange)
        return found

    @cached_property
    def state_changes(self) -> tuple[StateChange, ...]:
        """Return each exchange with the stored vote before and after it, where no other vote came between."""
        contents = [entry.content for entry in self.entries]
        before = _nearest_reads(contents)
        after = _nearest_reads(contents[::-1])[::-1]
        return tuple(
            StateChange(before[place], content, after[place])
            for place, content in enumerate(contents)
            if isinstance(content, Exchange)
        )

    def before(self, exchange: Exchange) -> tuple[Exchange, ...]:
        """Return the last exchanges before this one."""
        place = next((at for at, one in enumerate(self.exchanges) if one.number == exchange.number), 0)
        return self.exchanges[max(0, place - _MOST_BEFORE) : place]


def _why_lost(exchange: Exchange) -> str:
    response = exchange.response
    # 413 and 414 answer the size of the call.
    if isinstance(exchange.outcome, LimitReached) and response.status not in (413, 414):
        return "the portal answered that a limit is reached"
    # A batch of a caller without rights is refused as a whole.
    if response.is_unanswered_item and exchange.call.delivery.caller not in NO_RIGHTS:
        return "the answer to the batch leaves this item out"
    return ""


def _is_judged_by_shape(exchange: Exchange) -> bool:
    """Return True if the shape of the answer is judged, whatever the values of the call are.

    The call asked for JSON by documented parameters. It came alone from a caller with rights, or it came from a caller
    without rights and the answer is no JSON.
    """
    delivery = exchange.call.delivery
    alone = delivery.batch is Batch.NO and delivery.caller in _TRUSTED
    # The clauses of these callers judge codes only, so no other clause sees that the answer has none. Without a secret
    # an address may be no portal's, so whoever answers there is not judged.
    in_format = delivery.caller not in NO_RIGHTS or delivery.caller is Caller.EMPTY_SECRET
    no_json = not in_format and exchange.response.document is NO_JSON
    return (alone or no_json) and delivery.suffix != ".xml" and exchange.call.is_documented


def changers(changes: Iterable[StateChange]) -> list[StateChange]:
    """Return, of refused calls between two read-backs that differ, those whose own values read back; all if none do."""
    changed = [change for change in changes if not change.before_is_after]
    return [change for change in changed if _left_its_values(change)] or changed


def _nearest_reads(contents: list[Exchange | StoredVote | NotRead]) -> list[StoredVote | NotRead]:
    """Return for each entry the last read-back before it, unless a call that may have written stands between."""
    nearest: list[StoredVote | NotRead] = []
    last: StoredVote | NotRead = NOT_READ
    for content in contents:
        nearest.append(last)
        if not isinstance(content, Exchange):
            last = content
        elif _may_have_written(content):
            last = NOT_READ
    return nearest


def _may_have_written(exchange: Exchange) -> bool:
    """Return True if the call was not refused. A batch of a caller without rights is refused as a whole."""
    denied = exchange.call.delivery.caller in NO_RIGHTS and not exchange.response.accepted
    return not isinstance(exchange.outcome, Refused) and not denied


def _left_its_values(change: StateChange) -> bool:
    before, exchange, after = change.before, change.exchange, change.after
    if not isinstance(before, StoredVote) or not isinstance(after, StoredVote):
        return False
    rating, comment = exchange.call.rating.value, exchange.call.comment.value
    whole = isinstance(rating, int) and not isinstance(rating, bool)
    return (whole and after.rating != before.rating and rating_reads_back(rating, after.rating)) or (
        isinstance(comment, str) and after.comment != before.comment and comment_reads_back(comment, after.comment)
    )


def _values(call: Call) -> Hashable:
    return call.session_name, as_digits(call.session), as_digits(call.rating), as_digits(call.comment), call.extra


def as_digits(value: ClassifiedValue) -> str:
    """Return the value as a text that is the same for a number and for a text of its digits."""
    if value.absent:
        return "absent"
    plain = value.value
    if isinstance(plain, str) or (isinstance(plain, int | float) and not isinstance(plain, bool)):
        return f"={plain}"
    return json.dumps(plain)
