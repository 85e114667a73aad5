"""The answers of two records, request by request."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from conformance.contract.clauses import Edition, load_edition
from conformance.contract.oracle import permitted
from conformance.engine.plan_file import plan_from
from conformance.exchange.call import Call, ReadBack, Request, calls_of
from conformance.exchange.reproduce import describe
from conformance.exchange.response import Response
from conformance.reporting.diff import Change, compare_answers
from conformance.target.cassette import CassetteTransport
from conformance.target.client import Portal
from conformance.target.recording import Recording
from conformance.target.transports import NotRecorded


@dataclass(frozen=True, slots=True)
class _Played:
    """An answer of a record.

    is_silent: True if no page says what the answer must be. Then another answer is no failure.
    is_past: True if it was read back before a vote was accepted. Then it shows an earlier vote.
    """

    asked: str
    answer: Response
    is_silent: bool
    is_past: bool = False


def compare_records(before: Recording, after: Recording) -> list[Change]:
    """Return what changed in the answers to the requests that both records hold. Equal changes are one change."""
    new = dict(_numbered(after))
    alike: dict[Change, list[str]] = {}
    for asked, played in _numbered(before):
        if asked in new:
            for change in compare_answers(played.answer, new[asked].answer):
                capped = played.is_silent and change.grade == "failure"
                alike.setdefault(replace(change, grade="warning") if capped else change, []).append(asked)
    return [replace(change, where=f"{change.where}, {_times(asked)}") for change, asked in alike.items()]


def _times(asked: list[str]) -> str:
    return f"asked {asked[0]}" if len(asked) == 1 else f"{len(asked)} times, first asked {asked[0]}"


def _numbered(record: Recording) -> Iterator[tuple[str, _Played]]:
    """Each answer by what it was asked for, counted where the same was asked before."""
    asked: dict[str, int] = {}
    for played in _played(record):
        asked[played.asked] = asked.get(played.asked, 0) + 1
        times = asked[played.asked]
        if not played.is_past:
            yield played.asked if times == 1 else f"{played.asked}, time {times}", played


def _played(record: Recording) -> Iterator[_Played]:
    portal, edition = Portal(record.target, CassetteTransport(record.cassette)), load_edition(record.target.edition)
    plan = plan_from(record.plan)
    voted = False
    for request in (*plan.preflight, *(step.request for step in plan.steps)):
        try:
            found = _answers(portal, request, edition)
        except NotRecorded:
            continue
        voted = voted or any(played.answer.accepted for played in found)
        for played in found:
            yield replace(played, is_past=not voted and isinstance(request, ReadBack))


def _answers(portal: Portal, request: Request, edition: Edition) -> list[_Played]:
    if isinstance(request, ReadBack):
        answer = portal.read_answer(request.session)
        return [_Played(f"read session {request.session}", answer, is_silent=True)]
    calls = calls_of(request)
    way = calls[0].delivery
    answers = portal.send_batch(calls) if len(calls) > 1 else (portal.send(calls[0]),)
    return [
        _Played(f"{describe(call)} ({way})", answer, _is_silent(call, edition))
        for call, answer in zip(calls, answers, strict=True)
    ]


def _is_silent(call: Call, edition: Edition) -> bool:
    promised = permitted(edition, call.session.cls, call.rating.cls, call.comment.cls)
    return not call.is_documented or not (promised.demands_acceptance or promised.demands_refusal)
