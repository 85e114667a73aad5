"""How much a call shows: the order in which votes are kept where a live portal gets only so many.

The ranks were measured with the mutants of the selfcheck: a call stands the earlier, the more faults no earlier call
shows. Two rules came out. A vote that must be accepted shows most, and more the more of it is unusual. A call that must
be refused shows one fault, and the same fault in another delivery shows little more.
"""

from typing import Final

from conformance.contract.classes import COMMENTS, DENIED_STATES, RATINGS, READ_BACK_SESSIONS
from conformance.contract.oracle import PermittedOutcomes
from conformance.exchange.call import NO_RIGHTS, PLAIN_JSON, Batch, Call, Caller, Encoding

ALWAYS, FIRST, NEXT, OBSERVED, LATER, LAST = range(6)
"""ALWAYS is in every plan with votes. 25 votes hold FIRST and some of NEXT. 45 hold each observed clause once."""

_SIX: Final = RATINGS["above"].core_values[0]
_RATINGS_ALONE: Final = {"zero": FIRST, "list": FIRST, "negative": NEXT, "fraction": NEXT, "text": LATER}
_RATINGS_IN_BATCH: Final = {_SIX: FIRST, 2**32 + 3: FIRST, 7: LATER}
_ENCODINGS_OF_6: Final = {Encoding.QUERY_GET: LATER, Encoding.FORM: LATER}
_OBSERVED_COMMENTS: Final = ("blank", "control", "lines", "object", "oversize")
_WITHOUT_RIGHTS: Final = {Caller.WRONG_TOKEN: FIRST, Caller.NO_CREDENTIALS: NEXT}


def rank_of(call: Call, permitted: PermittedOutcomes) -> int:
    """Return how late a call is kept: the smallest number for what shows most.

    permitted: the outcomes that the edition permits for the call.
    """
    if call.delivery.caller in NO_RIGHTS:
        by_get = call.delivery.encoding is Encoding.QUERY_GET
        return FIRST if by_get else _WITHOUT_RIGHTS.get(call.delivery.caller, LAST)
    if permitted.demands_acceptance and call.is_documented:
        return _rank_of_vote(call)
    if permitted.may_be_accepted:
        return _rank_of_observed(call)
    if call.session.cls in DENIED_STATES:
        return _rank_of_denied(call)
    if call.session.cls not in READ_BACK_SESSIONS:
        return LATER if call.delivery == PLAIN_JSON else LAST
    return _rank_of_rating(call)


def _rank_of_vote(call: Call) -> int:
    delivery, comment = call.delivery, call.comment
    if delivery.batch is not Batch.NO:
        return FIRST if delivery.batch is Batch.LIST else LAST
    if comment.cls == "empty":
        return LAST
    if delivery.caller is not Caller.MAIN:
        return NEXT if delivery.caller is Caller.SECOND else LAST
    as_text = [value.cls == "digits" for value in (call.session, call.rating)]
    if any(as_text) and not all(as_text):
        return LATER if call.session.cls == "digits" else LAST
    # The special characters of other votes hold an emoji too.
    return LAST if comment.cls == "emoji" else FIRST


def _rank_of_observed(call: Call) -> int:
    first = COMMENTS[call.comment.cls].core_values[0]
    in_turn = call.comment.cls in _OBSERVED_COMMENTS and call.comment.value == first
    return OBSERVED if in_turn or call.session.cls == "open" or not call.is_documented else LAST


def _rank_of_denied(call: Call) -> int:
    if call.session.cls == "not_open_line":
        return NEXT if call.delivery == PLAIN_JSON else LAST
    # In a batch a denial shows the batch too. That of an unknown session alone costs no second vote to put one back.
    way = Batch.MAP if call.session.cls == "forbidden" else Batch.NO
    return FIRST if call.delivery.batch is way and call.comment.absent and not call.delivery.suffix else LAST


def _rank_of_rating(call: Call) -> int:
    rating, delivery = call.rating, call.delivery
    if delivery.batch is not Batch.NO:
        is_number = isinstance(rating.value, int) and call.comment.absent and delivery.batch is Batch.MAP
        return _RATINGS_IN_BATCH.get(rating.value, LAST) if is_number else LAST
    if rating.value == _SIX:
        alone = call.comment.absent and delivery == PLAIN_JSON
        return ALWAYS if alone else _ENCODINGS_OF_6.get(delivery.encoding, LAST)
    if rating.value is True:
        return NEXT
    return _RATINGS_ALONE.get(rating.cls, LATER)
