"""Answers that are not the portal's: each is named, asked once more, and accuses no clause about values."""

import itertools
import json
import time
from collections.abc import Callable
from dataclasses import replace
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Final

import httpx
import pytest

from conformance.check import Report, check_portal
from conformance.contract.clauses import load_edition
from conformance.engine.plan import plan_of
from conformance.engine.workload import Planned
from conformance.errors import UserError
from conformance.exchange.call import Call, Caller, ClassifiedValue
from conformance.exchange.encode import encode
from conformance.exchange.stand_in import before_json
from conformance.portals.in_process import portal_answering
from conformance.portals.php_forms import PortalRequest
from conformance.portals.reference import PortalResponse, ReferencePortal
from conformance.reporting.verdict import Status, Verdict
from conformance.target.client import network_portal
from conformance.target.rate_limit import RateLimitTransport
from conformance.target.secrets import SecretUrl
from conformance.target.target import Limit, embedded_target
from conformance.target.transports import NoResponse, placeholder_request

pytestmark = pytest.mark.quick

PAGE: Final = b"<!DOCTYPE html><html><body>Service temporarily unavailable</body></html>"
PLAN: Final = Planned(plan_of(embedded_target(), load_edition("2026-03")))
VOTE: Final = Call(ClassifiedValue("rateable", 494), ClassifiedValue("5", 5))


def page(status: int, kind: str = "text/html; charset=utf-8", body: bytes = PAGE) -> PortalResponse:
    return PortalResponse(status, kind, body)


def denial(status: int, code: str, text: str = "") -> PortalResponse:
    return page(status, "application/json", json.dumps({"error": code, "error_description": text}).encode())


def judged(change: Callable[[PortalRequest, PortalResponse, int], PortalResponse], edition: str = "2026-03") -> Report:
    """Judge a portal some of whose answers are others'; the change gets the number of the request, from 1."""
    counter = itertools.count(1)
    honest = ReferencePortal(load_edition(edition)).answer

    def answer(request: PortalRequest) -> PortalResponse:
        return change(request, honest(request), next(counter))

    plan = PLAN if edition == "2026-03" else Planned(plan_of(embedded_target(), load_edition(edition)))
    return check_portal(portal_answering(embedded_target(), answer), load_edition(edition), plan)


@pytest.mark.parametrize("status", [301, 403, 404, 408, 429, 451, 502, 503, 504, 522])
@pytest.mark.parametrize("number", [1, 4, 30, 55])
def test_one_page_of_a_front_accuses_no_clause_and_is_noted(status: int, number: int) -> None:
    report = judged(lambda _, honest, at: page(status) if at == number else honest)
    assert report.verdict.verdict is Verdict.CONFORMANT
    [note] = report.facts.notes
    assert note.startswith("asked once more, 1 times: ")
    assert f"HTTP {status}" in note


ERRORS_OF_FRONTS: Final = {
    "of a framework": b'{"timestamp": 1, "status": 503, "error": "Service Unavailable", "path": "/"}',
    "of a cloud": b'{"error": {"code": 503, "message": "The service is currently unavailable."}}',
}


@pytest.mark.parametrize("body", ERRORS_OF_FRONTS.values(), ids=ERRORS_OF_FRONTS)
def test_one_error_of_a_front_in_json_accuses_no_clause(body: bytes) -> None:
    report = judged(lambda _, honest, at: page(503, "application/json", body) if at == 30 else honest)
    assert report.verdict.verdict is Verdict.CONFORMANT
    assert report.facts.notes == ("asked once more, 1 times: an error of a front (HTTP 503, JSON)",)


def test_an_answer_of_thousands_of_braces_is_read_in_bounded_time() -> None:
    assert before_json("<html>" + '{"error"' * 100_000) == ""


def test_every_fifth_answer_may_be_a_page() -> None:
    report = judged(lambda _, honest, at: page(502) if at % 5 == 0 else honest)
    assert report.verdict.with_status(Status.FAILED) == []
    assert report.verdict.verdict is Verdict.CONFORMANT


def test_a_page_that_stays_for_some_values_is_a_violation() -> None:
    report = judged(lambda request, honest, _: page(502) if b'RATING": 3' in request.body else honest)
    assert "error.never-5xx" in [entry.clause.id for entry in report.verdict.with_status(Status.FAILED)]


FOR_EVER: Final = {
    "a front that is down": (page(503), "try again later"),
    "a gateway's own JSON": (page(504, "application/json", b'{"message": "Endpoint timed out"}'), "try again later"),
    "a firewall": (page(403), "keeps this machine out"),
    "a moved portal": (page(302, body=b""), "renamed or moved: give its new address"),
    "a block by the provider": (denial(503, "OVERLOAD_LIMIT"), "OVERLOAD_LIMIT (HTTP 503) to every call: the provider"),
    "a caller without authority": (denial(401, "authorization_error"), "authorization_error (HTTP 401) to every call"),
    "a plan that has ended": (denial(403, "ACCESS_DENIED"), "its plan or trial has ended"),
    "an old plan that has ended": (denial(401, "ACCESS_DENIED"), "its plan or trial has ended"),
    "a deleted portal": (denial(403, "PORTAL_DELETED"), "does not exist any more"),
}


@pytest.mark.parametrize("name", FOR_EVER)
@pytest.mark.parametrize("edition", ["2024-10", "2026-03"])
def test_what_answers_every_call_ends_the_run_after_five_requests_with_its_cause(name: str, edition: str) -> None:
    answer, cause = FOR_EVER[name]
    numbers = []

    def change(_request: PortalRequest, _honest: PortalResponse, number: int) -> PortalResponse:
        numbers.append(number)
        return answer

    with pytest.raises(UserError) as caught:
        judged(change, edition)
    assert cause in str(caught.value)
    assert "check the id" not in str(caught.value)
    assert len(numbers) <= 5


@pytest.mark.parametrize("name", FOR_EVER)
def test_what_answers_every_call_from_the_middle_ends_the_run_too(name: str) -> None:
    answer, cause = FOR_EVER[name]
    numbers = []

    def change(_request: PortalRequest, honest: PortalResponse, number: int) -> PortalResponse:
        numbers.append(number)
        return answer if number > 40 else honest

    with pytest.raises(UserError) as caught:
        judged(change)
    assert cause in str(caught.value)
    assert len(numbers) <= 46


@pytest.mark.parametrize(
    ("first", "named"),
    [
        (b"\xef\xbb\xbf", "a byte order mark stands"),
        (b"<br />\n<b>Deprecated</b>: in <b>/home/x.php</b><br />\n", "HTML of "),
        (b"PHP Warning: x {in} y\n", "a text of "),
        (b'{"status":"success","data":null}', "another JSON document stands"),
    ],
)
def test_what_stands_before_the_json_is_named(first: bytes, named: str) -> None:
    with pytest.raises(UserError) as caught:
        judged(lambda _, honest, __: replace(honest, body=first + honest.body))
    assert named in str(caught.value)
    assert "check that the url" not in str(caught.value)


def test_nothing_stands_before_the_json_of_a_page() -> None:
    assert before_json("<html>{}</html>") == ""


def test_a_denial_that_not_every_call_gets_is_judged() -> None:
    report = judged(
        lambda request, honest, _: denial(401, "NO_AUTH_FOUND") if b'RATING": 3' in request.body else honest
    )
    assert report.verdict.verdict is Verdict.NOT_CONFORMANT


class _Waiting(httpx.BaseTransport):
    def __init__(self, first: httpx.Response) -> None:
        self.answers = [first, httpx.Response(200, content=b'{"result": true}')]

    def handle_request(self, _request: httpx.Request) -> httpx.Response:
        return self.answers.pop(0)


def _asked_again_after(first: httpx.Response) -> tuple[float, int]:
    lines: list[str] = []
    transport = RateLimitTransport(_Waiting(first), Limit(1000, 1000.0), lines.append)
    started = time.monotonic()
    answer = transport.handle_request(placeholder_request(encode(VOTE), Caller.MAIN))
    return time.monotonic() - started, answer.status_code


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("header", ["1", "date"])
def test_a_front_that_says_when_is_asked_again_then(status: int, header: str) -> None:
    given = formatdate(time.time() + 1.6, usegmt=True) if header == "date" else header
    waited, status = _asked_again_after(httpx.Response(status, headers={"Retry-After": given}, content=PAGE))
    assert status == 200
    assert 0.5 < waited < 3


def test_the_operating_time_is_waited_for_until_its_reset() -> None:
    body = {"error": "OPERATION_TIME_LIMIT", "time": {"finish": 1000.0, "operating_reset_at": 1001}}
    waited, status = _asked_again_after(httpx.Response(429, content=json.dumps(body).encode()))
    assert (status, 0.9 < waited < 3) == (200, True)


@pytest.mark.parametrize("asked", ["86400", "inf", "nan", "-5", "soon", "9" * 400])
def test_a_wait_without_an_end_is_not_waited_for(asked: str) -> None:
    waited, _ = _asked_again_after(httpx.Response(429, headers={"Retry-After": asked}, content=PAGE))
    assert waited < 1


def _broken_server(raw: bytes) -> tuple[ThreadingHTTPServer, list[str]]:
    arrived: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            arrived.append(self.path)
            self.wfile.write(raw)
            self.close_connection = True

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    return server, arrived


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}",
        b"no HTTP at all\r\n\r\n",
    ],
)
def test_a_vote_is_sent_once_whatever_breaks(raw: bytes) -> None:
    server, arrived = _broken_server(raw)
    url = SecretUrl(f"http://127.0.0.1:{server.server_address[1]}/rest/1/secret/")
    portal = network_portal(replace(embedded_target(), kind="url", callers={Caller.MAIN: url}))
    try:
        with pytest.raises(NoResponse):
            portal.send(VOTE)
    finally:
        portal.close()
        server.shutdown()
        server.server_close()
    assert len(arrived) == 1
