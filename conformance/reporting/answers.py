"""The answers of two records, request by request."""

from collections.abc import Iterator
from dataclasses import replace

from conformance.exchange.answer import Answer, read_answers
from conformance.exchange.call import DIRECT, TOKEN_CALLERS, Caller, Read, Request
from conformance.exchange.encode import encode, encode_read, encode_together
from conformance.exchange.repeat import describe
from conformance.judging.plan import calls_of
from conformance.judging.plan_file import plan_from
from conformance.portals.cassette import PlayingWire
from conformance.portals.record import Record
from conformance.portals.wire import NotRecorded
from conformance.reporting.diff import Change, compare_answers


def compare_records(before: Record, after: Record) -> list[Change]:
    """What changed in the answers to the requests that both records hold; what changed alike is one change."""
    old, new = dict(_answers_of(before)), dict(_answers_of(after))
    alike: dict[Change, list[str]] = {}
    for asked, answer in old.items():
        if asked in new:
            for change in compare_answers(answer, new[asked]):
                alike.setdefault(change, []).append(asked)
    return [replace(change, where=f"{change.where}, {_times(asked)}") for change, asked in alike.items()]


def _times(asked: list[str]) -> str:
    return f"asked {asked[0]}" if len(asked) == 1 else f"{len(asked)} times, first asked {asked[0]}"


def _answers_of(record: Record) -> Iterator[tuple[str, Answer]]:
    """Each answer with what it was asked for, counted where the same was asked before.

    What read back before the first vote was accepted is of the portal's past, not of its conduct.
    """
    wire = PlayingWire(record.cassette)
    plan = plan_from(record.plan)
    asked: dict[str, int] = {}
    voted = False
    for request in (*plan.preflight, *(step.request for step in plan.steps)):
        try:
            found = _played(wire, request)
        except NotRecorded:
            continue
        voted = voted or any(answer.accepted for _, answer in found)
        for what, answer in found if voted or not isinstance(request, Read) else ():
            asked[what] = asked.get(what, 0) + 1
            yield what if asked[what] == 1 else f"{what}, time {asked[what]}", answer


def _played(wire: PlayingWire, request: Request) -> list[tuple[str, Answer]]:
    if isinstance(request, Read):
        raw = wire.send(lambda _: encode_read(request), Caller.MAIN)
        answers = read_answers(raw.status, raw.content_type, raw.body, DIRECT, 1)
        return [(f"read session {request.session}", answers[0])]
    calls = calls_of(request)
    way = calls[0].way
    with_token = way.caller in TOKEN_CALLERS
    if len(calls) > 1:
        raw = wire.send(lambda _: encode_together(calls), Caller.MAIN)
    else:
        raw = wire.send(lambda token: encode(calls[0], token if with_token else ""), way.caller)
    answers = read_answers(raw.status, raw.content_type, raw.body, way, len(calls))
    return [(f"{describe(call)} ({way})", answer) for call, answer in zip(calls, answers, strict=True)]
