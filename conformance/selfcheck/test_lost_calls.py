"""What was not judged is never silent: lost calls are counted by clause; many of them make a run incomplete."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import pytest

from conformance.check import Report, check_portal, check_recording
from conformance.contract.clauses import load_edition
from conformance.engine.plan import plan_of
from conformance.engine.results import ClauseResult
from conformance.engine.workload import Explore, Planned
from conformance.exchange.call import READ_METHOD
from conformance.loading import shipped_recordings
from conformance.portals.in_process import portal_answering
from conformance.portals.php_forms import PortalRequest
from conformance.portals.reference import PortalResponse, ReferencePortal
from conformance.reporting.verdict import RunVerdict, Selection, Status, Verdict, decide
from conformance.selfcheck.chosen import WHOLE
from conformance.selfcheck.mutation import is_batch
from conformance.target.recording import load_recording
from conformance.target.target import embedded_target
from conformance.target.transports import NoResponse

EDITION: Final = load_edition("2026-03")
PLAN: Final = Planned(plan_of(embedded_target(), EDITION))
LIMITED: Final = PortalResponse(503, "application/json", b'{"error": "QUERY_LIMIT_EXCEEDED", "error_description": ""}')


def judged(change: Callable[[PortalRequest, PortalResponse, int], PortalResponse]) -> Report:
    """Judge a portal whose answers are changed; the change gets the number of the request, from 1."""
    honest = ReferencePortal(EDITION).answer
    number = 0

    def answer(request: PortalRequest) -> PortalResponse:
        nonlocal number
        number += 1
        return change(request, honest(request), number)

    return check_portal(portal_answering(embedded_target(), answer), EDITION, PLAN)


def _dropping(where: Callable[[bytes], bool]) -> Callable[[PortalRequest, PortalResponse, int], PortalResponse]:
    def change(request: PortalRequest, honest: PortalResponse, _number: int) -> PortalResponse:
        if where(request.body):
            raise NoResponse("the connection was dropped")
        return honest

    return change


def test_a_clause_that_lost_all_calls_of_one_kind_is_incomplete() -> None:
    report = judged(_dropping(lambda body: b'"RATING": 3' in body))
    assert report.verdict.verdict is Verdict.INCOMPLETE
    incomplete = report.verdict.with_status(Status.INCOMPLETE)
    assert incomplete
    for entry in incomplete:
        assert "calls were not answered: the connection was dropped: " in entry.note
        assert entry.lost >= 1


def test_a_refusal_whose_calls_of_one_class_are_all_lost_is_incomplete() -> None:
    honest = ReferencePortal(EDITION).answer

    def answer(request: PortalRequest) -> PortalResponse:
        if b'"RATING": true' in request.body or b'"RATING": false' in request.body:
            raise NoResponse("the connection was dropped")
        return honest(request)

    portal = portal_answering(embedded_target(), answer)
    report = check_portal(portal, EDITION, Explore(20), only=["rating.whole-number"])
    [entry] = report.verdict.with_status(Status.INCOMPLETE)
    assert 0 < entry.lost < entry.exchanges / 10


@pytest.mark.parametrize("every", [2, 3, 4, 5, 6])
def test_limits_that_do_not_end_make_a_run_incomplete(every: int) -> None:
    report = judged(lambda request, honest, number: LIMITED if number > 4 and number % every == 0 else honest)
    assert report.verdict.verdict is Verdict.INCOMPLETE
    assert any("a limit is reached" in entry.note for entry in report.verdict.with_status(Status.INCOMPLETE))


NO_VOTES: Final = {
    "a page": PortalResponse(502, "text/html", b"<html>Bad Gateway</html>"),
    "a limit": LIMITED,
    "null": PortalResponse(200, "application/json", b'{"result": null}'),
    "another type": PortalResponse(200, "application/json", b'{"result": ["a"]}'),
}


@pytest.mark.parametrize("answer", NO_VOTES.values(), ids=NO_VOTES)
def test_lost_read_backs_are_counted_for_the_clauses_that_need_them(answer: PortalResponse) -> None:
    report = judged(
        lambda request, honest, number: answer if number > 30 and request.path.endswith(READ_METHOD) else honest
    )
    assert report.verdict.verdict is Verdict.INCOMPLETE
    notes = {entry.clause.id: entry.note for entry in report.verdict.with_status(Status.INCOMPLETE)}
    assert notes.keys() == {"effect.saved", "effect.unchanged-on-refusal"}
    assert all("calls were not answered: the read-back: " in note for note in notes.values())


@pytest.mark.parametrize(
    ("judged_calls", "lost", "incomplete"), [(9, 1, False), (8, 1, True), (0, 1, True), (40, 4, False), (40, 5, True)]
)
def test_more_than_a_tenth_is_too_much(judged_calls: int, lost: int, incomplete: bool) -> None:
    result = ClauseResult("rating.rejects-outside", exchanges=judged_calls, judged_kinds={"a"})
    for _ in range(lost):
        result.count_lost("dropped: a vote", {"a"})
    assert (result.is_incomplete, result.sent) == (incomplete, judged_calls + lost)
    assert result.lost_note == f"{lost} of {judged_calls + lost} calls were not answered: dropped: a vote"


def test_a_user_may_accept_that_a_run_is_incomplete() -> None:
    report = judged(_dropping(lambda body: b'"RATING": 3' in body))
    verdicts = {entry.clause.id: entry for entry in report.verdict.clauses}

    def decided(allow: bool) -> RunVerdict:
        return decide(EDITION.clauses, verdicts, Selection(frozenset(verdicts), frozenset(), False, allow))

    assert [decided(allow).exit_status for allow in (False, True)] == [1, 0]


def _without_item(place: int) -> Callable[[PortalRequest, PortalResponse, int], PortalResponse]:
    """Leave an item out of each answer to a batch."""

    def change(request: PortalRequest, honest: PortalResponse, _number: int) -> PortalResponse:
        return replace(honest, body=left_out(honest.body, place)) if is_batch(request) else honest

    return change


def left_out(body: bytes, place: int) -> bytes:
    """Return the answer to a batch without one judged item; the same bytes where it has no such item."""
    try:
        document = json.loads(body)
        parts: list[Any] = [document["result"][name] for name in ("result", "result_error")]
    except (ValueError, KeyError, TypeError):
        return body
    for part in parts:
        for key in (f"vote{place}", str(place)):
            if isinstance(part, dict):
                part.pop(key, None)
        if isinstance(part, list) and place < len(part):
            part[place] = None
    return json.dumps(document).encode()


@pytest.mark.parametrize("place", range(1, 8))
def test_an_item_of_a_batch_that_a_portal_leaves_out_is_shown(place: int) -> None:
    report = judged(_without_item(place))
    assert report.verdict.exit_status == 1
    notes = [entry.note for entry in report.verdict.clauses] + [
        str(entry.violations) for entry in report.verdict.clauses
    ]
    assert any("leaves this item out" in note or "transport.batch" in note for note in notes)


@pytest.mark.parametrize("name", ["reference-2024-10", "reference-2026-03"])
def test_an_item_of_a_batch_that_a_recording_leaves_out_is_shown(name: str) -> None:
    recording = load_recording(shipped_recordings() / name)
    cassette = json.loads(recording.cassette)
    silent = []
    for number, interaction in enumerate(cassette["interactions"]):
        whole = interaction["response"]["body"]["string"]
        for place in range(1, 50) if WHOLE else (1, 4):
            cut = left_out(whole.encode(), place).decode()
            if "/batch" not in interaction["request"]["uri"] or json.loads(cut) == json.loads(whole):
                continue
            interaction["response"]["body"]["string"] = cut
            report = check_recording(replace(recording, cassette=json.dumps(cassette)))
            interaction["response"]["body"]["string"] = whole
            if report.verdict.exit_status == 0:
                silent.append((number, place))
    assert silent == []
