"""Cassettes: the exchanges of a plan in vcrpy's JSON format, and the wires that record and play them.

A request is recorded as it is spelt for a portal that does not exist, so that no secret can be in it; an answer is
scrubbed by value.
"""

import base64
import json
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, Final
from urllib.parse import parse_qsl

from vcr.cassette import Cassette
from vcr.record_mode import RecordMode
from vcr.request import Request
from vcr.serialize import deserialize, serialize
from vcr.serializers import jsonserializer

from conformance.errors import UserError
from conformance.exchange.call import TOKEN_CALLERS, Caller
from conformance.exchange.encode import HttpRequest
from conformance.exchange.reproduce import WRONG_SECRET
from conformance.exchange.response import NO_JSON, parse_json
from conformance.target.redact import RecordingRedactor
from conformance.target.transports import NotRecorded, RawAnswer, Spelling, Wire

_HOST: Final = "https://portal.invalid/rest/"
RECORDED_BASES: Final[Mapping[Caller, str]] = {
    Caller.MAIN: f"{_HOST}1/recorded-webhook/",
    Caller.WRONG_SECRET: f"{_HOST}1/{WRONG_SECRET}/",
    Caller.SECOND: f"{_HOST}2/recorded-second/",
    Caller.UNSCOPED: f"{_HOST}3/recorded-unscoped/",
    **dict.fromkeys(TOKEN_CALLERS, _HOST),
}
RECORDED_TOKEN: Final = "recorded-token"
NUMBER: Final = "X-Request-Number"
"""Where a request stands in the run: equal requests, as read-backs are, must not get each other's answers."""


class RecordingWire:
    """A wire that keeps what goes over it."""

    def __init__(self, wire: Wire, scrub: RecordingRedactor) -> None:
        self._wire = wire
        self._scrub = scrub
        self._number = 0
        self._cassette = Cassette("", serializer=jsonserializer, record_mode=RecordMode.ALL)

    def send(self, spell: Spelling, caller: Caller) -> RawAnswer:
        self._number += 1
        raw = self._wire.send(spell, caller)
        body = self._scrub.body(raw.body)
        response = {
            "status": {"code": raw.status, "message": ""},
            "headers": {"Content-Type": [self._scrub.text(raw.content_type)]},
            "body": _stored_body(body),
        }
        self._cassette.append(_vcr_request(spell(RECORDED_TOKEN), caller, self._number), response)
        return raw

    def close(self) -> None:
        self._wire.close()

    @property
    def text(self) -> str:
        """The cassette as its file holds it."""
        data = {"requests": self._cassette.requests, "responses": self._cassette.responses}
        text: str = serialize(data, jsonserializer)
        return text


class PlayingWire:
    """A wire that answers from a cassette. missing: how many requests were not on it."""

    def __init__(self, text: str) -> None:
        """text: that of a cassette file that was checked."""
        self.missing = 0
        self._number = 0
        self._cassette = Cassette("", record_mode=RecordMode.NONE, match_on=(_is_same,))
        try:
            for request, response in zip(*deserialize(text, jsonserializer), strict=True):
                _canonical(request)
                _body_of(response["body"])
                self._cassette.append(request, response)
        except (ValueError, TypeError, AttributeError) as error:
            raise UserError(f"cassette.json: an exchange that cannot be read ({error}): record again") from None
        self._cassette.rewound = True

    def send(self, spell: Spelling, caller: Caller) -> RawAnswer:
        self._number += 1
        request = _vcr_request(spell(RECORDED_TOKEN), caller, self._number)
        if not self._cassette.can_play_response_for(request):
            self.missing += 1
            raise NotRecorded("not on the record")
        response = self._cassette.play_response(request)
        kind = next((value for name, value in _flat(response["headers"].items()) if name.lower() == "content-type"), "")
        return RawAnswer(response["status"]["code"], kind, _body_of(response["body"]))

    def close(self) -> None:
        pass


def _vcr_request(request: HttpRequest, caller: Caller, number: int) -> Request:
    url = RECORDED_BASES[caller] + request.path + (f"?{request.query}" if request.query else "")
    body = None if request.body is None else request.body.decode()
    return Request(request.method, url, body, {**request.headers, NUMBER: str(number)})


def _is_same(one: Request, other: Request) -> bool:
    return _canonical(one) == _canonical(other)


@lru_cache(maxsize=4096)
def _canonical(request: Request) -> tuple[Any, ...]:
    """Method, path, pairs of the query, headers, and the body as text with the types of JSON kept."""
    headers = sorted((name.lower(), value) for name, value in _flat(request.headers.items()))
    body = request.body or b""
    document = parse_json(body) if _is_json(headers) else NO_JSON
    text = body.decode("utf-8", "replace") if document is NO_JSON else json.dumps(document)
    uri = request.parsed_uri
    pairs = parse_qsl(uri.query, keep_blank_values=True)
    return request.method, uri.scheme, uri.netloc, uri.path, pairs, headers, text


def _flat(headers: Iterable[tuple[str, Any]]) -> Iterable[tuple[str, str]]:
    for name, value in headers:
        for entry in value if isinstance(value, list) else [value]:
            yield name, str(entry)


def _is_json(headers: list[tuple[str, str]]) -> bool:
    return any(name == "content-type" and value.startswith("application/json") for name, value in headers)


def _stored_body(body: bytes) -> dict[str, str]:
    """A body that is no UTF-8 is kept as it is: replaced characters could make JSON of it."""
    try:
        return {"string": body.decode("utf-8")}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(body).decode("ascii")}


def _body_of(stored: Mapping[str, Any]) -> bytes:
    if "base64" in stored:
        return base64.b64decode(stored["base64"])
    text = stored["string"]
    return text if isinstance(text, bytes) else str(text).encode("utf-8", "surrogatepass")
