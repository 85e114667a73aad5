"""The vote that was there before a live run: read before it is overwritten, put back, or named at the end."""

import json
import os
import re
import signal
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from conformance.engine.plan import votes_of
from conformance.engine.workload import Planned
from conformance.errors import UserError
from conformance.portals.bitrix24 import bitrix24_portal
from conformance.portals.php_forms import PortalRequest
from conformance.portals.reference import Context, PortalResponse, Reply, Result, Vote
from conformance.reporting.verdict import Status
from conformance.selfcheck.live_run import OPEN, RATEABLE, Alter, LiveRun, is_read, names, unanswered

PAGE = PortalResponse(403, "text/html", b"<html><title>403 Forbidden</title></html>")


def _result(response: PortalResponse, **fields: Any) -> PortalResponse:
    """Return the answer to a read-back with these fields of the result changed."""
    document = json.loads(response.body)
    if "result" in document:
        document["result"] |= fields
    return replace(response, body=json.dumps(document).encode())


def _on_reads(change: Callable[[PortalResponse], PortalResponse], session: int = RATEABLE) -> Alter:
    def alter(request: PortalRequest, response: PortalResponse, _number: int) -> PortalResponse:
        return change(response) if is_read(request) and names(request, session) else response

    return alter


def test_a_few_pages_of_a_front_on_read_backs_cost_no_vote() -> None:
    pages = [PortalResponse(502, "text/html", b"<html>502 Bad Gateway</html>")] * 3

    def alter(request: PortalRequest, response: PortalResponse, _number: int) -> PortalResponse:
        return pages.pop() if pages and is_read(request) and names(request, OPEN) else response

    ran = LiveRun(alter).judge()
    assert ran.is_back
    assert ran.run.not_put_back == ()
    assert {entry.status for entry in ran.verdicts.values()} == {Status.PASSED, Status.OBSERVED}
    assert "cannot read session 495 (HTTP 502, and no JSON): waiting 1 s" in ran.lines


UNREADABLE: dict[str, Callable[[PortalResponse], PortalResponse]] = {
    "a page": lambda _: PAGE,
    "no answer": lambda _: unanswered(),
    "a limit": lambda _: PortalResponse(429, "text/plain", b"slow down"),
    "a list": lambda response: replace(response, body=b'{"result": []}'),
    "null": lambda response: replace(response, body=b'{"result": null}'),
    "an unknown method": lambda _: PortalResponse(404, "application/json", b'{"error": "ERROR_METHOD_NOT_FOUND"}'),
    "a rating that is null": lambda response: _result(response, sessionVoteHead=None),
    "a rating that is true": lambda response: _result(response, sessionVoteHead=True),
    "a rating that is a fraction": lambda response: _result(response, sessionVoteHead=2.5),
    "a rating outside": lambda response: _result(response, sessionVoteHead=-1),
    "a comment that is a list": lambda response: _result(response, sessionCommentHead=["a"]),
}


@pytest.mark.parametrize("kind", UNREADABLE)
def test_no_vote_is_sent_over_one_that_cannot_be_read(kind: str) -> None:
    ran = LiveRun(_on_reads(UNREADABLE[kind])).judge()
    assert ran.is_back
    assert ran.requests < 60
    reason = next(line for line in ran.lines if line.startswith("no vote is sent on session 494: its present vote"))
    for clause in ("optional.both", "rating.accepts-1-to-5", "effect.saved", "success.true", "documentation.example"):
        assert (ran.verdicts[clause].status, ran.verdicts[clause].note) == (Status.NOT_EXERCISED, reason)
    assert ran.verdicts["error.empty-session-id"].status is Status.PASSED
    assert not any(entry.status is Status.FAILED for entry in ran.verdicts.values())


def test_a_vote_that_cannot_be_read_is_overwritten_only_on_demand() -> None:
    ran = LiveRun(_on_reads(UNREADABLE["a page"]), overwrite=True).judge()
    assert ran.portal.votes[OPEN] == ran.found[OPEN]
    assert ran.portal.votes[RATEABLE] != ran.found[RATEABLE]
    expected = "session 494 got a vote, and what it had could not be read (HTTP 403, and no JSON)"
    assert ran.run.left_behind == (expected,)


def test_two_read_backs_that_differ_are_no_vote_that_was_read() -> None:
    readings = 0

    def stale_once(response: PortalResponse) -> PortalResponse:
        nonlocal readings
        readings += 1
        return _result(response, sessionVoteHead=5, sessionCommentHead="of last year") if readings == 1 else response

    ran = LiveRun(_on_reads(stale_once, OPEN)).judge()
    assert ran.is_back
    assert not any(entry.status is Status.FAILED for entry in ran.verdicts.values())


def test_a_cache_between_does_not_hide_what_is_stored() -> None:
    answers: dict[tuple[str, bytes], PortalResponse] = {}

    def cache(request: PortalRequest, response: PortalResponse, _number: int) -> PortalResponse:
        return answers.setdefault((request.query, request.body), response) if is_read(request) else response

    ran = LiveRun(cache).judge()
    assert ran.is_back
    assert ran.run.not_put_back == ()


def test_a_vote_is_put_back_although_an_old_answer_says_that_it_is_there() -> None:
    def stale(response: PortalResponse) -> PortalResponse:
        return _result(response, sessionVoteHead=2, sessionCommentHead="Angry customer, call back on Monday")

    ran = LiveRun(_on_reads(stale)).judge()
    assert ran.is_back
    assert ran.run.not_put_back == ()


@pytest.mark.parametrize("rating", ["2", 2.0])
def test_a_rating_in_another_form_is_put_back_as_a_number(rating: Any) -> None:
    ran = LiveRun(_on_reads(lambda response: _result(response, sessionVoteHead=rating))).judge()
    assert ran.is_back


def test_a_portal_that_dies_and_comes_back_gets_its_votes_back() -> None:
    ran = LiveRun()

    def alter(_request: PortalRequest, response: PortalResponse, number: int) -> PortalResponse:
        # The portal is away for a minute, and the run has ended by then.
        is_away = number > 30 and ran.time.seconds < 60
        return unanswered() if is_away else response

    ran.alter = alter
    with pytest.raises(Exception, match="stopped answering"):
        ran.judge()
    assert ran.is_back
    assert ran.run.not_put_back == ()


def test_a_portal_that_stays_away_is_named_with_what_it_had() -> None:
    ran = LiveRun(lambda _request, response, number: response if number <= 60 else unanswered())
    with pytest.raises(Exception, match="stopped answering"):
        ran.judge()
    assert ran.run.not_put_back == (
        "session 494 had rating 2 and a comment (cannot connect)",
        "session 495 had rating 1 and a comment (cannot connect)",
    )
    assert ran.time.seconds < 200


def test_a_session_without_a_vote_is_no_loss() -> None:
    ran = LiveRun(found={RATEABLE: Vote(0, None)}).judge()
    assert ran.run.not_put_back == ()
    stays = "had no vote before the run: the last test vote stays there"
    assert ran.run.left_behind == (f"session 494 {stays}", f"session 495 {stays}")


@pytest.mark.parametrize("found", [Vote(4, None), Vote(0, "call back"), Vote(5, "a\r\nb"), Vote(1, "«ё» 😀")])
def test_a_portal_like_the_real_one_gets_each_kind_of_vote_back(found: Vote) -> None:
    portal = bitrix24_portal()
    ran = LiveRun(portal=portal, found={RATEABLE: found}).judge()
    assert ran.run.not_put_back == ()
    assert portal.votes[RATEABLE] == Vote(found.rating, found.comment or "")


def test_a_portal_like_the_real_one_gets_no_more_votes_than_the_question_says() -> None:
    portal = bitrix24_portal()
    accepted = 0
    honest = portal.vote

    def counted(parameters: dict[str, Any], context: Context) -> Reply:
        nonlocal accepted
        reply = honest(parameters, context)
        accepted += isinstance(reply, Result)
        return reply

    portal.vote = counted
    ran = LiveRun(portal=portal).judge()
    [question] = ran.asked
    announced = re.search(r"(\d+) must be accepted; at most (\d+) on a portal that takes everything", question)
    assert announced is not None
    assert int(announced[1]) <= accepted <= int(announced[2]) <= 45
    assert ran.is_back


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_ends_a_run_after_the_votes_are_back(name: str) -> None:
    received = getattr(signal, name)
    before = signal.getsignal(received)

    def alter(_request: PortalRequest, response: PortalResponse, number: int) -> PortalResponse:
        if number in (40, 42):  # the second comes while the votes are put back
            os.kill(os.getpid(), received)
        return response

    ran = LiveRun(alter)
    with pytest.raises(KeyboardInterrupt):
        ran.judge()
    assert ran.is_back
    assert signal.getsignal(received) == before


def test_a_fault_of_the_suite_costs_no_vote(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("a fault of the suite")

    monkeypatch.setattr("conformance.engine.session.PortalSession.permitted", fail)
    ran = LiveRun()
    with pytest.raises(RuntimeError):
        ran.judge()
    assert ran.is_back


def test_one_session_that_cannot_be_read_costs_only_its_own_clauses() -> None:
    ran = LiveRun(_on_reads(UNREADABLE["a page"], OPEN)).judge()
    assert ran.verdicts["access.open-dialog"].status is Status.NOT_EXERCISED
    assert ran.verdicts["optional.both"].status is Status.PASSED


@pytest.mark.quick
@pytest.mark.parametrize("every", [1, 2, 5, 100], ids=lambda every: f"one in {every}")
def test_no_more_votes_are_stored_than_were_announced_where_a_front_answers_votes_that_it_passed_on(every: int) -> None:
    portal = bitrix24_portal()
    vote = portal.vote
    saved = 0

    def counted(parameters: dict[str, Any], context: Context) -> Reply:
        nonlocal saved
        reply = vote(parameters, context)
        saved += isinstance(reply, Result)
        return reply

    def alter(request: PortalRequest, response: PortalResponse, _number: int) -> PortalResponse:
        return PAGE if saved and not is_read(request) and saved % every == 0 else response

    portal.vote = counted
    ran = LiveRun(alter, portal=portal)
    plan = ran.run.settings.mode
    assert isinstance(plan, Planned)
    with suppress(UserError):
        ran.judge()
    assert 0 < saved <= votes_of(plan.plan, ran.run.settings.target, portal.edition).most


def test_a_vote_that_is_carried_out_after_it_was_put_back_is_put_back_again() -> None:
    votes, reads_since = 0, 0

    def alter(request: PortalRequest, response: PortalResponse, _number: int) -> PortalResponse:
        nonlocal votes, reads_since
        votes += not is_read(request) and b'"result": true' in response.body
        if votes == 3 and not reads_since:
            reads_since = 1
            return unanswered()
        if reads_since and is_read(request) and names(request, RATEABLE) and b"Monday" in response.body:
            reads_since += 1
            if reads_since == 2:
                # The portal has been asked, and carries the lost vote out now.
                ran.portal.votes[RATEABLE] = Vote(1, "carried out late")
        return response

    ran = LiveRun(alter)
    ran.judge()
    assert reads_since > 2
    assert ran.is_back


def test_a_long_comment_is_put_back_whole() -> None:
    long = _on_reads(lambda response: _result(response, transcript="x" * 70_000))
    ran = LiveRun(long, found={RATEABLE: Vote(2, "y" * 30_000)}).judge()
    assert ran.is_back
    assert ran.run.not_put_back == ()
