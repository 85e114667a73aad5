"""The stack of transports: what leaves, what comes back, and that nothing secret is above it."""

import gzip
import json
import logging
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from socketserver import StreamRequestHandler, ThreadingTCPServer

import httpx
import pytest

from conformance.exchange.call import REST_CALLERS, TOKEN_CALLERS, Call, Caller, ClassifiedValue, Delivery, Encoding
from conformance.exchange.encode import WRONG_TOKEN, HttpRequest, encode
from conformance.exchange.read_back import StoredVote
from conformance.portals.php_forms import PortalRequest, read_parameters
from conformance.portals.reference import PortalResponse
from conformance.portals.server import serving
from conformance.target import bodies
from conformance.target.client import Portal, edge_of, network_portal, portal_behind
from conformance.target.redact import Redactor
from conformance.target.secrets import Secret, SecretUrl
from conformance.target.target import Target, embedded_target
from conformance.target.transports import NoResponse, placeholder_request

pytestmark = pytest.mark.quick

HOST = "portal.example"
TOKEN = "tok/en+value&=x"
SECRET = "s3cret-webhook"
PRIVATE = "Maria Petrovna"
USER = "1417"
VOTE = Call(ClassifiedValue("rateable", 494), ClassifiedValue("5", 5), ClassifiedValue("plain", "Excellent"))


def _target(base: str = f"https://{HOST}", secret: str = SECRET, private: str = PRIVATE) -> Target:
    urls = dict.fromkeys(Caller, SecretUrl(f"{base}/rest/{USER}/{secret}/"))
    urls |= dict.fromkeys(REST_CALLERS, SecretUrl(f"{base}/rest/"))
    return replace(
        embedded_target(), kind="url", live=True, callers=urls, token=Secret(TOKEN), private=(Secret(private),)
    )


class _Network(httpx.BaseTransport):
    """Keeps the requests that leave, and answers each with the next of these bodies or exceptions."""

    def __init__(self, *answers: bytes | Exception, content_type: str = "application/json") -> None:
        self.requests: list[httpx.Request] = []
        self._answers: Iterator[bytes | Exception] = iter(answers)
        self._headers = {"Content-Type": content_type, "Location": f"https://{HOST}/rest/{USER}/{SECRET}/"}

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.requests.append(request)
        answer = next(self._answers)
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(200, headers=self._headers, stream=_Chunks(answer))


class _Chunks(httpx.SyncByteStream):
    def __init__(self, body: bytes) -> None:
        self._body = body

    def __iter__(self) -> Iterator[bytes]:
        for start in range(0, len(self._body), 2**16):
            yield self._body[start : start + 2**16]


def _answer(network: httpx.BaseTransport, call: Call = VOTE, target: Target | None = None) -> httpx.Response:
    sent = placeholder_request(encode(call, "recorded-token"), call.delivery.caller)
    return edge_of(network, target or _target(), Counter()).handle_request(sent)


@pytest.mark.parametrize("caller", Caller)
@pytest.mark.parametrize("encoding", Encoding)
def test_what_leaves_has_the_real_address_and_token(caller: Caller, encoding: Encoding) -> None:
    network = _Network(b"{}")
    _answer(network, VOTE.via(Delivery(encoding, caller=caller)))
    [sent] = network.requests
    base = "/rest/" if caller in REST_CALLERS else f"/rest/{USER}/{SECRET}/"
    assert (sent.url.host, sent.headers["host"]) == (HOST, HOST)
    assert sent.url.path == f"{base}imopenlines.session.head.vote"
    assert sent.headers.get("content-length", "0") == str(len(sent.content))
    headers = {name.lower(): value for name, value in sent.headers.items()}
    got = PortalRequest(sent.method, sent.url.path, sent.url.query.decode(), headers, sent.content)
    parameters = read_parameters(got)
    token = headers.get("authorization", "").removeprefix("Bearer ") or parameters.get("auth")
    assert token == (TOKEN if caller in TOKEN_CALLERS else WRONG_TOKEN if caller is Caller.WRONG_TOKEN else None)
    assert parameters["COMMENT"] == "Excellent"


def test_a_request_of_a_caller_without_an_address_does_not_leave() -> None:
    network = _Network(b"{}")
    target = _target()
    target = replace(target, callers={who: url for who, url in target.callers.items() if who is not Caller.SECOND})
    with pytest.raises(KeyError):
        _answer(network, VOTE.via(Delivery(caller=Caller.SECOND)), target)
    with pytest.raises(ValueError, match="not the placeholder"):
        edge_of(network, target, Counter()).handle_request(httpx.Request("GET", "https://example.org/rest/1/x/y"))
    assert network.requests == []


LEAK = f"see https://{HOST}/rest/{USER}/{SECRET}/x of user {USER}, token {TOKEN}, {PRIVATE.upper()}"
LEAKS = {
    "in JSON": json.dumps({"error": "E", "error_description": LEAK, LEAK: [LEAK]}).encode(),
    "in JSON that escapes every character": b'{"result": "%s"}' % b"".join(b"\\u%04x" % ord(char) for char in LEAK),
    "in HTML": f"<p>{LEAK.replace('&', '&amp;')}</p>".encode(),
    "in a text that is no UTF-8": b"\xff" + LEAK.encode(),
    "percent-encoded": str(httpx.QueryParams({"x": LEAK})).encode(),
}


@pytest.mark.parametrize("body", LEAKS.values(), ids=LEAKS)
def test_no_answer_holds_a_secret_above_the_stack(body: bytes) -> None:
    answer = _answer(_Network(body, content_type=f"text/html; {LEAK}"))
    text = answer.content.decode("utf-8", "surrogateescape")
    shown = f"{text} {json.loads(text) if text.startswith('{') else ''} {answer.headers}".lower()
    assert [value for value in (HOST, TOKEN, "tok%2fen", SECRET, USER, PRIVATE.lower()) if value in shown] == []
    assert "***" in shown


def test_an_answer_without_a_secret_is_left_as_it_came() -> None:
    body = b'{ "result":true , "time":{"start":1.50, "date_start":"2026-03-16T20:24:38+01:00"}, "text": "\\u05e9" }'
    assert _answer(_Network(body)).content == body


def test_the_digits_of_a_user_id_stay_in_numbers_dates_and_codes() -> None:
    redactor = Redactor(user_ids=["1417", "1"])
    kept = {"error": "E1417", "date_start": "1417", "number": 1417, "text": "1 and 14170 and 10:1417"}
    assert json.loads(redactor.body(json.dumps(kept).encode())) == kept
    assert redactor.body(b"user 1417 at /rest/1/x") == b"user *** at /rest/***/x"


@pytest.mark.parametrize(
    "error", [httpx.ConnectError, httpx.ReadTimeout, httpx.DecodingError, httpx.UnsupportedProtocol]
)
def test_an_exception_of_the_network_holds_no_address(error: type[httpx.RequestError]) -> None:
    with pytest.raises(NoResponse) as caught:
        _answer(_Network(error(LEAK), error(LEAK)))
    assert [value for value in (HOST, SECRET, TOKEN) if value in str(caught.value)] == []
    assert caught.value.__suppress_context__


def test_after_a_dropped_connection_a_vote_is_not_sent_again() -> None:
    network = _Network(httpx.ReadError("lost"), b'{"result": true}')
    with pytest.raises(NoResponse, match="the connection was dropped"):
        _answer(network)
    assert len(network.requests) == 1


def test_after_a_dropped_connection_a_read_back_is_asked_once_more_and_noted() -> None:
    stored = b'{"result": {"sessionId": 494, "sessionVoteHead": 5, "sessionCommentHead": "x"}}'
    network = _Network(httpx.ReadError("lost"), stored, httpx.ReadError("lost"), httpx.ReadError("lost"))
    portal = portal_behind(network, _target())
    assert isinstance(portal.read(494), StoredVote)
    assert portal.repeated == {"the connection was dropped, or the answer broke off": 1}
    with pytest.raises(NoResponse):
        portal.read(494)


def test_a_large_answer_is_not_read_to_its_end() -> None:
    with pytest.raises(NoResponse, match="larger than 4 MiB"):
        _answer(_Network(b"x" * (4 * 2**20 + 1)))


def test_a_small_answer_that_unpacks_to_a_large_one_is_not_read_to_its_end() -> None:
    packed = gzip.compress(b"x" * (4 * 2**20 + 1))

    class Packed(httpx.BaseTransport):
        def handle_request(self, _request: httpx.Request) -> httpx.Response:
            return httpx.Response(200, headers={"Content-Encoding": "gzip"}, stream=_Chunks(packed))

    with pytest.raises(NoResponse, match="larger than 4 MiB"):
        _answer(Packed())


def test_an_answer_that_comes_byte_by_byte_is_given_up_when_its_time_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "LONGEST_SECONDS", -1.0)
    sent = 0

    class Dripping(httpx.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            nonlocal sent
            while sent < 1_000:
                sent += 1
                yield b" "

    class Slow(httpx.BaseTransport):
        def handle_request(self, _request: httpx.Request) -> httpx.Response:
            return httpx.Response(200, stream=Dripping())

    with pytest.raises(NoResponse, match="the answer took longer than"):
        _answer(Slow())
    assert sent == 1


def test_headers_that_come_byte_by_byte_are_given_up_when_their_time_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "LONGEST_SECONDS", 0.2)

    class Dripping(StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
            with suppress(OSError):
                while not stopped.wait(0.02):
                    self.wfile.write(b"x")

    stopped = threading.Event()
    with ThreadingTCPServer(("127.0.0.1", 0), Dripping) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,)).start()
        portal = network_portal(_target(f"http://127.0.0.1:{server.server_address[1]}"))
        try:
            with pytest.raises(NoResponse, match="the answer took longer than"):
                portal.send(VOTE)
        finally:
            stopped.set()
            server.shutdown()
            portal.close()


def test_a_private_value_that_the_suite_sends_itself_reads_back_as_sent() -> None:
    stored = json.dumps({"result": {"sessionId": 494, "sessionVoteHead": 5, "sessionCommentHead": PRIVATE}}).encode()
    portal = Portal(_target(), edge_of(_Network(stored, b'{"result": true}', stored), _target(), Counter()))
    assert PRIVATE not in str(portal.read(494))
    portal.send(replace(VOTE, comment=ClassifiedValue("plain", PRIVATE)))
    assert PRIVATE in str(portal.read(494))


@pytest.mark.parametrize("word", ["error", "access", "session", "DENIED"])
def test_a_secret_that_is_a_word_of_every_answer_changes_no_outcome(word: str) -> None:
    network = _Network(b'{"error": "ACCESS_DENIED", "error_description": "no"}')
    target = _target(secret=word)
    assert Portal(target, edge_of(network, target, Counter())).send(VOTE).code == "ACCESS_DENIED"


def test_the_network_writes_nothing_into_a_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with serving(lambda _: PortalResponse(200, "application/json", b'{"result": true}')) as base:
        portal = network_portal(_target(base))
        assert portal.send(VOTE).accepted
        portal.close()
    assert [record for record in caplog.records if record.name.startswith("http")] == []


def test_a_request_looks_above_the_stack_as_it_does_in_a_cassette() -> None:
    sent = placeholder_request(HttpRequest("GET", "method", "a=%20+~"), Caller.MAIN)
    assert str(sent.url) == "https://portal.invalid/rest/1/recorded-webhook/method?a=%20+~"


def test_a_redirect_to_what_is_no_url_is_an_answer() -> None:
    with serving(lambda _: PortalResponse(302, "text/plain", b"", location=":no-port/")) as base:
        portal = network_portal(_target(base))
        with pytest.raises(NoResponse, match=r"^a redirect \(HTTP 302\)$"):
            portal.send(VOTE)
        portal.close()
