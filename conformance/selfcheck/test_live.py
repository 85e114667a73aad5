"""Manners of a live run: it asks, keeps to the limit, waits, and puts back what it found."""

import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from conformance.exchange.call import READ_METHOD
from conformance.portals.bitrix24 import bitrix24_portal
from conformance.portals.php_forms import PortalRequest
from conformance.portals.reference import Answering, PortalResponse, Vote
from conformance.portals.server import serving
from conformance.selfcheck.outside import environment, faulty, run
from conformance.selfcheck.recordings import FOUND, live_target, record, replay, talkative


@pytest.mark.parametrize(("rating", "comment"), [(3, FOUND), (0, FOUND), (4, None)])
def test_the_vote_that_was_found_is_put_back(tmp_path: Path, rating: int, comment: str | None) -> None:
    portal = bitrix24_portal()
    portal.votes[494] = Vote(rating, comment)
    ran = record(tmp_path, talkative(portal), "2026-03")
    assert portal.votes[494] == Vote(rating, comment or "")
    assert "NOT PUT BACK" not in ran.output


def test_a_vote_on_the_open_session_is_put_back_too(tmp_path: Path) -> None:
    portal = faulty("2026-03")
    portal.votes |= {494: Vote(3, FOUND), 495: Vote(2, "still talking to a client")}
    ran = record(tmp_path, talkative(portal), "2026-03")
    assert portal.votes == {494: Vote(3, FOUND), 495: Vote(2, "still talking to a client")}
    assert "NOT PUT BACK" not in ran.output


def test_a_vote_is_put_back_without_pytests_capture(tmp_path: Path) -> None:
    portal = faulty("2026-03")
    portal.votes[494] = Vote(3, FOUND)
    ran = record(tmp_path, talkative(portal), "2026-03", "--", "-p", "no:capture")
    assert portal.votes[494] == Vote(3, FOUND)
    assert ran.status == 0


def test_what_could_not_be_put_back_is_the_last_line(tmp_path: Path) -> None:
    portal = faulty("2026-03", "refuses_hebrew")
    portal.votes[494] = Vote(3, "שלום")
    ran = record(tmp_path, talkative(portal), "2026-03")
    last = "NOT PUT BACK: session 494 had rating 3 and a comment (it reads back otherwise)"
    assert (ran.status, ran.output.strip().splitlines()[-1]) == (1, last)


def test_the_vote_is_put_back_when_the_run_is_interrupted(tmp_path: Path) -> None:
    portal = faulty("2026-03")
    portal.votes[494] = Vote(2, FOUND)
    honest = talkative(portal)
    votes = 0
    running: list[subprocess.Popen[str]] = []

    def answer(request: PortalRequest) -> PortalResponse:
        nonlocal votes
        outgoing = honest(request)
        votes += b'"result": true' in outgoing.body
        if votes == 3 or (votes == 4 and READ_METHOD in request.path):
            # The second comes while the vote is put back.
            running[0].send_signal(signal.SIGINT)
            votes += 1
        return outgoing

    with serving(answer) as base:
        line = [sys.executable, "-m", "conformance", "run", live_target(tmp_path, base, "2026-03"), "--yes"]
        with subprocess.Popen(line, cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, text=True) as process:
            running.append(process)
            output, _ = process.communicate(timeout=120)
    assert process.returncode != 0
    assert portal.votes[494] == Vote(2, FOUND)
    assert "NOT PUT BACK" not in output


def _bucket(answer: Answering, *, holds: int, per_second: float, over: list[float]) -> Answering:
    """A portal behind a leaky bucket; what came above it is noted."""
    level, last = 0.0, time.monotonic()

    def limited(request: PortalRequest) -> PortalResponse:
        nonlocal level, last
        now = time.monotonic()
        level, last = max(0.0, level - (now - last) * per_second), now
        if level + 1 > holds:
            over.append(now)
            return LIMITED
        level += 1
        return answer(request)

    return limited


LIMITED = PortalResponse(503, "application/json", b'{"error": "QUERY_LIMIT_EXCEEDED", "error_description": "Too many"}')


def test_no_call_is_above_the_limit_of_the_target(tmp_path: Path) -> None:
    over: list[float] = []
    honest = talkative(faulty("2026-03"))
    with serving(_bucket(honest, holds=50, per_second=20, over=over)) as base:
        ran = run(tmp_path, live_target(tmp_path, base, "2026-03", "burst = 50\nper_second = 20"), "--yes")
    assert (ran.status, ran.report["verdict"]) == (0, "conformant"), ran.output
    assert over == []


def test_a_limit_that_is_answered_all_the_same_is_waited_out(tmp_path: Path) -> None:
    honest = talkative(faulty("2026-03"))
    requests = 0

    def answer(request: PortalRequest) -> PortalResponse:
        nonlocal requests
        requests += 1
        return LIMITED if requests % 5 == 0 else honest(request)

    with serving(answer) as base:
        limit = "burst = 1000\nper_second = 1000"
        ran = run(tmp_path, live_target(tmp_path, base, "2026-03", limit), "--yes", "--record-mode=rewrite")
    assert (ran.status, ran.report["verdict"]) == (0, "conformant"), ran.output
    assert set(ran.statuses().values()) == {"passed", "observed"}
    assert "the portal answers QUERY_LIMIT_EXCEEDED: waiting" in ran.output
    assert replay(tmp_path).found == ran.found


def test_nobody_votes_on_a_live_portal_without_being_asked(tmp_path: Path) -> None:
    portal = faulty("2026-03")
    portal.votes[494] = Vote(3, FOUND)
    with serving(talkative(portal)) as base:
        target = live_target(tmp_path, base, "2026-03")
        ran = run(tmp_path, target)
        unvoted = run(tmp_path, target, "--no-votes", "--allow-incomplete")
    assert ran.status == 2
    question = r"votes on session 494 and 495 of staging: \d+ must be accepted; at most \d+ on a portal that takes "
    assert re.search(question, ran.output)
    assert "put back at the end; on 495 there is no vote yet: the last test vote will stay" in ran.output
    assert "Nobody is there to be asked: give --yes" in ran.output
    assert portal.votes[494] == Vote(3, FOUND)
    assert unvoted.status == 0, unvoted.output
