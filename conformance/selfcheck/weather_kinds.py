"""Kinds of bad weather: what a server writes in place of a portal's answer.

Each page and each text in them holds what no file and no output may hold: see FREE.
"""

import json
import socket
import struct
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler
from typing import Any, Final

from conformance.portals.reference import PortalResponse

HOST: Final = "a-clients-portal.localhost"
USER: Final = 4_141_709_533
FOUND: Final = "the operator was rude to Maria on Monday"
FREE: Final = f"Иван Петров +7 555 0100 of {HOST}, user {USER}, s3cret-webhook-value, s3cret-token-value: {FOUND}"
_PAGE: Final = f"<html><head><title>Sorry</title></head><body><p>{FREE}</p></body></html>".encode()
_DEEP: Final = 500
_MOST_DRIPS: Final = 100
_TOO_LARGE: Final = 5 * 2**20
SLOW_SECONDS: Final = 0.3
"""What counts as a time-out here; the pauses of a slow answer are shorter."""


@dataclass
class Storm:
    """A connection on which the answer of a portal is to be replaced.

    handler: writes to the connection.
    answer: what the portal answers to this request.
    earlier: what the portal answered to an earlier request of the same method.
    """

    handler: BaseHTTPRequestHandler
    answer: PortalResponse
    earlier: PortalResponse

    def write(self, status: int, body: bytes, kind: str = "text/html; charset=utf-8", **headers: str) -> None:
        """Write a whole answer."""
        self.head(status, kind, **{"Content_Length": str(len(body)), **headers})
        self.handler.wfile.write(body)

    def head(self, status: int, kind: str, **headers: str) -> None:
        """Write the status and the headers of an answer."""
        self.handler.send_response(status)
        self.handler.send_header("Content-Type", kind)
        for name, value in headers.items():
            self.handler.send_header(name.replace("_", "-"), value)
        self.handler.end_headers()

    def changed(self, change: Callable[[Any], Any]) -> None:
        """Write the portal's answer with its JSON changed; as it is where it holds none."""
        try:
            body = json.dumps(change(json.loads(self.answer.body))).encode()
        except ValueError:
            body = self.answer.body
        self.write(self.answer.status, body, self.answer.content_type)

    def end(self) -> None:
        """Close the connection after what was written."""
        self.handler.wfile.flush()
        self.handler.close_connection = True
        self.handler.connection.shutdown(socket.SHUT_RDWR)


@dataclass(frozen=True)
class Kind:
    """A kind of bad weather.

    blow: writes it; None where no connection can be made.
    carries_out: True if the portal has carried the call out all the same.
    lasts: after so many seconds it is over; 0 if that does not end it.
    may_look_right: True if nobody can tell some of its answers from the right ones.
    """

    blow: Callable[[Storm], None] | None
    carries_out: bool = True
    lasts: float = field(default=0.0)
    may_look_right: bool = False


def _page(status: int, **headers: str) -> Kind:
    return Kind(lambda storm: storm.write(status, _PAGE, **headers), carries_out=False)


def _refusal(status: int, code: str, **headers: str) -> Kind:
    body = json.dumps({"error": code, "error_description": FREE}).encode()
    return Kind(lambda storm: storm.write(status, body, "application/json", **headers), carries_out=False)


def _body(body: bytes, status: int = 200) -> Kind:
    return Kind(lambda storm: storm.write(status, body, "application/json"))


def _before(text: bytes) -> Kind:
    return Kind(lambda storm: storm.write(storm.answer.status, text + storm.answer.body, storm.answer.content_type))


def _with(**fields: Any) -> Kind:
    return Kind(lambda storm: storm.changed(lambda document: {**document, **fields}))


def _of_length(difference: int) -> Kind:
    """Return an answer whose stated length is wrong by so many bytes."""

    def blow(storm: Storm) -> None:
        body = storm.answer.body
        storm.head(storm.answer.status, storm.answer.content_type, Content_Length=str(len(body) + difference))
        storm.handler.wfile.write(body)
        storm.end()

    return Kind(blow)


def _cut(storm: Storm) -> None:
    body = storm.answer.body
    storm.head(storm.answer.status, storm.answer.content_type, Content_Length=str(len(body)))
    storm.handler.wfile.write(body[: len(body) // 2])
    storm.end()


def _broken_chunks(storm: Storm) -> None:
    storm.head(storm.answer.status, storm.answer.content_type, Transfer_Encoding="chunked")
    storm.handler.wfile.write(b"9\r\n" + storm.answer.body[:9] + b"\r\nzz\r\n" + storm.answer.body[9:])
    storm.end()


def _reset(storm: Storm) -> None:
    storm.handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    storm.handler.close_connection = True
    storm.handler.connection.close()


def _silent(storm: Storm) -> None:
    time.sleep(2 * SLOW_SECONDS)
    storm.end()


def _dripping(storm: Storm) -> None:
    storm.head(storm.answer.status, storm.answer.content_type, Content_Length=str(len(storm.answer.body)))
    for place in range(len(storm.answer.body)):
        storm.handler.wfile.write(storm.answer.body[place : place + 1])
        time.sleep(SLOW_SECONDS / 2)


def _dripping_head(storm: Storm) -> None:
    storm.handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    for _ in range(_MOST_DRIPS):
        storm.handler.wfile.write(b"x")
        time.sleep(SLOW_SECONDS / 2)


def _foreign(document: Any) -> Any:
    other = {"sessionId": 777, "sessionVoteHead": 4, "sessionCommentHead": FREE, "chatId": USER}
    return {"result": other} if "sessionVoteHead" in str(document) else {"result": {"ID": USER, "NAME": FREE}}


def _odd_vote(document: Any) -> Any:
    result = document.get("result")
    odd = {"sessionVoteHead": [4], "sessionCommentHead": {"text": FREE}}
    return {**document, "result": {**result, **odd} if isinstance(result, dict) else [FREE]}


def _garbage(storm: Storm) -> None:
    storm.handler.wfile.write(f"HTTP/9.9 {FREE}\r\n\r\n".encode())
    storm.end()


def _reset_in_a_minute(storm: Storm) -> None:
    now = time.time()
    times = {"start": now, "finish": now, "operating": 480.1, "operating_reset_at": round(now) + 60}
    body = {"error": "OPERATION_TIME_LIMIT", "error_description": FREE, "time": times}
    storm.write(429, json.dumps(body).encode(), "application/json")


def _bomb(storm: Storm) -> None:
    packer = zlib.compressobj(wbits=31)
    pieces = [packer.compress(b'{"result": "'), *(packer.compress(b"x" * 2**20) for _ in range(200)), packer.flush()]
    storm.write(200, b"".join(pieces), "application/json", Content_Encoding="gzip")


def _on_a_date(storm: Storm) -> None:
    storm.write(429, _PAGE, Retry_After=format_datetime(datetime.now(UTC) + timedelta(seconds=5), usegmt=True))


KINDS: Final[dict[str, Kind]] = {
    "502 page": _page(502),
    "503 page": _page(503),
    "503 page, Retry-After 3": _page(503, Retry_After="3"),
    "503 page, Retry-After 1 day": _page(503, Retry_After="86400"),
    "429 page": _page(429),
    "429 page, Retry-After a date": Kind(_on_a_date, carries_out=False),
    "403 page": _page(403),
    "407 page": _page(407),
    "500 page": Kind(lambda storm: storm.write(500, _PAGE)),
    "504 page, carried out": Kind(lambda storm: storm.write(504, _PAGE)),
    "200 block page": _page(200),
    "redirect": _page(302, Location=f"http://{HOST}/login?{USER}"),
    "empty body": _body(b""),
    "204": Kind(lambda storm: storm.head(204, "application/json")),
    "cut body": Kind(_cut),
    "length too large": _of_length(7),
    "length too small": _of_length(-7),
    "broken chunks": Kind(_broken_chunks),
    "reset": Kind(_reset),
    "closed": Kind(lambda storm: storm.end()),
    "no HTTP": Kind(_garbage),
    "refused": Kind(None, carries_out=False),
    "time-out": Kind(_silent),
    "slow body": Kind(_dripping),
    "slow headers": Kind(_dripping_head),
    "too large": _body(b'{"result": "' + b"x" * _TOO_LARGE + b'"}'),
    "gzip bomb": Kind(_bomb),
    "text before JSON": _before(f"Notice: {FREE} in /home/bitrix/index.php on line 7\n".encode()),
    "byte order mark": _before(b"\xef\xbb\xbf"),
    "ended plan": _refusal(401, "ACCESS_DENIED"),
    # That is what a wrong token may be answered.
    "expired token": replace(_refusal(401, "expired_token"), may_look_right=True),
    "wrong secret": _refusal(401, "NO_AUTH_FOUND"),
    "method unknown": _refusal(404, "ERROR_METHOD_NOT_FOUND"),
    "blocked by the provider": _refusal(503, "OVERLOAD_LIMIT"),
    "rate limit": _refusal(503, "QUERY_LIMIT_EXCEEDED"),
    "rate limit, Retry-After 2": _refusal(429, "QUERY_LIMIT_EXCEEDED", Retry_After="2"),
    "operating limit": Kind(_reset_in_a_minute, carries_out=False),
    "result null": replace(_with(result=None), may_look_right=True),
    "other types": Kind(lambda storm: storm.changed(_odd_vote)),
    "foreign answer": Kind(lambda storm: storm.changed(_foreign)),
    "stale answer": Kind(
        lambda storm: storm.write(storm.earlier.status, storm.earlier.body, "application/json"), may_look_right=True
    ),
    "500 levels": _body(b'{"result": ' + b"[" * _DEEP + b"]" * _DEEP + b"}"),
    "NaN": _body(b'{"result": NaN, "time": {"start": Infinity}}'),
    # That shows, as a refusal does, that an unknown session has no vote.
    "5,000 digits": replace(_body(b'{"result": ' + b"9" * 5_000 + b"}"), may_look_right=True),
    "error object": _body(json.dumps({"error": {"code": FREE}, "error_description": [FREE]}).encode(), 400),
    "no UTF-8": _body(b'{"result": "\xff\xfe", "error_description": "' + FREE.encode("cp1251") + b'"}'),
    "dies, comes back after 40 s": Kind(None, carries_out=False, lasts=40.0),
}
