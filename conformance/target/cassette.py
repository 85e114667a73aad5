"""Cassettes: the exchanges of a plan in vcrpy's JSON format, and the transports that record and play them."""

import base64
import json
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, Final
from urllib.parse import parse_qsl

import httpx
from vcr.cassette import Cassette
from vcr.record_mode import RecordMode
from vcr.request import Request
from vcr.serialize import deserialize, serialize
from vcr.serializers import jsonserializer

from conformance.errors import UserError
from conformance.exchange.response import NO_JSON, parse_json
from conformance.target.transports import UNRECORDED, NotRecorded, OuterTransport, answer_of, content_type_of

NUMBER: Final = "X-Request-Number"
"""Where a request stands in the run: equal requests, as read-backs are, must not get each other's answers."""

_COMMON_HEADERS: Final = ("host", "content-length", "accept", "user-agent")


class RecordingTransport(OuterTransport):
    """Keeps what the suite sends and what is answered. The secrets must be below."""

    def __init__(self, inner: httpx.BaseTransport) -> None:
        super().__init__(inner)
        self._number = 0
        self._cassette = Cassette("", serializer=jsonserializer, record_mode=RecordMode.ALL)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.extensions.get(UNRECORDED):
            return self.inner.handle_request(request)
        self._number += 1
        answer = self.inner.handle_request(request)
        response = {
            "status": {"code": answer.status_code, "message": ""},
            "headers": {"Content-Type": [content_type_of(answer)]},
            "body": _stored_body(answer.content),
        }
        self._cassette.append(_vcr_request(request, self._number), response)
        return answer

    @property
    def text(self) -> str:
        """Return the cassette as its file holds it."""
        data = {"requests": self._cassette.requests, "responses": self._cassette.responses}
        text: str = serialize(data, jsonserializer)
        return text


class CassetteTransport(httpx.BaseTransport):
    """Answers from a cassette.

    missing: how many requests were not on it.
    """

    def __init__(self, text: str) -> None:
        """Read the text of a cassette file that was checked. Raises UserError."""
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

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.extensions.get(UNRECORDED):
            raise NotRecorded("never recorded")
        self._number += 1
        asked = _vcr_request(request, self._number)
        if not self._cassette.can_play_response_for(asked):
            self.missing += 1
            raise NotRecorded("not on the record")
        response = self._cassette.play_response(asked)
        kind = next((value for name, value in _flat(response["headers"].items()) if name.lower() == "content-type"), "")
        return answer_of(response["status"]["code"], kind, _body_of(response["body"]))


def _vcr_request(request: httpx.Request, number: int) -> Request:
    """Return a request with the headers that distinguish calls: a recording outlives the version of the suite."""
    body = request.content.decode() or None
    left_out = _COMMON_HEADERS if body else (*_COMMON_HEADERS, "content-type")
    given = ((name.decode(), value.decode()) for name, value in request.headers.raw)
    headers = {name: value for name, value in given if name.lower() not in left_out}
    return Request(request.method, str(request.url), body, {**headers, NUMBER: str(number)})


def _is_same(one: Request, other: Request) -> bool:
    return _canonical(one) == _canonical(other)


@lru_cache(maxsize=4096)
def _canonical(request: Request) -> tuple[Any, ...]:
    """Return method, path, pairs of the query, headers, and the body as text with the types of JSON kept."""
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
    # A body that is no UTF-8 is kept as it is: replaced characters could make JSON of it.
    try:
        return {"string": body.decode("utf-8")}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(body).decode("ascii")}


def _body_of(stored: Mapping[str, Any]) -> bytes:
    if "base64" in stored:
        return base64.b64decode(stored["base64"])
    text = stored["string"]
    return text if isinstance(text, bytes) else str(text).encode("utf-8", "surrogatepass")
