"""How much a call shows: the order in which votes are kept where a live portal gets only so many.

The ranks were measured: a call that alone shows a fault of some mutant of the selfcheck stands before one whose faults
other calls show too.
"""

from typing import Final

from conformance.contract.classes import COMMENTS, DENIED_STATES, OWN_SESSIONS
from conformance.contract.oracle import AllowedOutcomes
from conformance.exchange.call import NO_RIGHTS, PLAIN_JSON, TOKEN_CALLERS, Batch, Call, Caller, Encoding

_JUDGED_BY_ONE_CALL: Final = (Caller.WRONG_TOKEN, Caller.NO_CREDENTIALS)
_FIRST, _NEXT, _OBSERVED, _LATER, _LAST = range(1, 6)
_OFTEN: Final = 2
_RATINGS_ALONE: Final = {"zero": _FIRST, "list": _FIRST, "negative": _NEXT, "fraction": _NEXT, "object": _LATER}
_RATINGS_IN_BATCH: Final = {6: _FIRST, 2**32 + 3: _FIRST, 8: _LATER}
_SESSIONS_ALONE: Final = {"fraction": _NEXT, "list": _NEXT, "object": _NEXT, "negative": _NEXT}
_ENCODINGS_OF_6: Final = {Encoding.QUERY_GET: _LATER, Encoding.QUERY_POST: _LATER}


def rank_of(call: Call, allowed: AllowedOutcomes, times: int = 1) -> int:
    """Return how late a call is kept: 1 for what shows most.

    allowed: the outcomes that the edition permits for the call.
    times: how often the plan has sent the call, this time included.
    """
    if times > _OFTEN:
        return _NEXT
    if call.delivery.caller in NO_RIGHTS:
        in_query = call.delivery.encoding is Encoding.QUERY_GET
        return _FIRST if in_query or call.delivery.caller in _JUDGED_BY_ONE_CALL else _LAST
    if allowed.must_be_accepted and call.is_documented:
        return _rank_of_vote(call)
    if allowed.accepted:
        return _rank_of_observed(call)
    return _rank_of_fault(call)


def _rank_of_vote(call: Call) -> int:
    if call.delivery.batch is not Batch.NO:
        return _FIRST if call.delivery.batch is Batch.LIST else _LAST
    if call.delivery.caller is Caller.TOKEN_BEARER or call.comment.cls == "empty":
        return _LATER
    more_lines = call.comment.cls == "lines" and call.comment.value != COMMENTS["lines"].core_values[0]
    return _LAST if call.comment.cls == "emoji" or more_lines else _FIRST


def _rank_of_observed(call: Call) -> int:
    if call.comment.cls == "control":
        return _NEXT if call.comment.value == COMMENTS["control"].core_values[0] else _LAST
    if call.comment.cls == "blank":
        return _OBSERVED if call.comment.value == COMMENTS["blank"].core_values[0] else _LAST
    if call.comment.cls == "lines":
        return _OBSERVED if call.comment.value == COMMENTS["lines"].core_values[0] else _LAST
    in_turn = call.comment.cls in ("object", "oversize") or call.session.cls == "open"
    return _OBSERVED if in_turn or not call.is_documented else _LAST


def _rank_of_fault(call: Call) -> int:
    if call.delivery.batch is Batch.LIST:
        return _LAST
    if call.session.cls in DENIED_STATES:
        return _rank_of_denied(call)
    if call.session.cls not in OWN_SESSIONS:
        in_batch = call.delivery.batch is Batch.MAP
        return (
            (_NEXT if call.session.cls == "text" else _LAST)
            if in_batch
            else _SESSIONS_ALONE.get(call.session.cls, _LAST)
        )
    return _rank_of_rating(call)


def _rank_of_denied(call: Call) -> int:
    if not call.comment.absent:
        return _LAST
    if call.delivery.batch is Batch.MAP:
        return _LATER if call.session.cls == "forbidden" else _LAST
    if call.delivery == PLAIN_JSON:
        return _NEXT if call.session.cls == "not_open_line" else _FIRST
    return _NEXT if call.delivery.suffix == ".xml" else _LAST


def _rank_of_rating(call: Call) -> int:
    value = call.rating.value
    if call.delivery.batch is Batch.MAP:
        return _RATINGS_IN_BATCH.get(value, _LAST) if call.comment.absent and isinstance(value, int) else _LAST
    if call.rating.cls == "above" and call.delivery.encoding is not Encoding.JSON:
        return _LATER if call.delivery.caller in TOKEN_CALLERS else _ENCODINGS_OF_6.get(call.delivery.encoding, _LAST)
    if call.rating.cls == "boolean":
        return _NEXT if value else _LATER
    return _RATINGS_ALONE.get(call.rating.cls, _LAST)
