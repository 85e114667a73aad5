"""Call -> HTTP request, for each of the five encodings, alone or as an item of a batch."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote, urlencode

import httpx

from conformance.exchange.answer import ITEM_INDEX, ITEM_KEY
from conformance.exchange.call import METHOD, READ_METHOD, Batch, Call, Caller, Encoding, Json, Read, Way

FORM_TYPE: Final = "application/x-www-form-urlencoded"
BOUNDARY: Final = "vote-conformance-boundary"
NEIGHBOUR: Final = METHOD
"""The items before and after the judged one in a batch: votes without parameters, which every portal must refuse."""


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request without its portal. path: the method's name with suffix; body: None where none is sent."""

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None


def encode(call: Call, token: str = "") -> HttpRequest:
    """The request of a vote. token: the access token, for the callers that send one."""
    parameters = call.parameters
    if call.way.batch is not Batch.NO:
        return _encode(call.way, "batch", (("halt", 0), ("cmd", _commands(call, parameters))), token)
    return _encode(call.way, METHOD, parameters, token)


def encode_read(read: Read) -> HttpRequest:
    """The request of a read-back."""
    body = json.dumps({"SESSION_ID": read.session}).encode()
    return HttpRequest("POST", READ_METHOD, headers={"Content-Type": "application/json"}, body=body)


def as_text(value: Json) -> str:
    """A value as a form, a query or a batch item carries it."""
    return value if isinstance(value, str) else json.dumps(value)


def query_of(parameters: tuple[tuple[str, Json], ...]) -> str:
    """Parameters as a percent-encoded query."""
    return urlencode([(name, as_text(value)) for name, value in parameters], quote_via=quote)


def _commands(call: Call, parameters: tuple[tuple[str, Json], ...]) -> Json:
    item = f"{METHOD}?{query_of(parameters)}"
    if call.way.batch is Batch.LIST:
        items = [NEIGHBOUR] * 3
        items[ITEM_INDEX] = item
        return items
    return {"before": NEIGHBOUR, ITEM_KEY: item, "after": NEIGHBOUR}


def _encode(way: Way, name: str, parameters: tuple[tuple[str, Json], ...], token: str) -> HttpRequest:
    path = name + way.suffix
    headers: dict[str, str] = {}
    query: tuple[tuple[str, Json], ...] = ()
    if way.caller is Caller.TOKEN_BEARER:
        headers["Authorization"] = f"Bearer {token}"
    elif way.caller is Caller.TOKEN_QUERY:
        query = (("auth", token),)
    elif way.caller is Caller.TOKEN_BODY:
        parameters = (*parameters, ("auth", token))
    if way.encoding is Encoding.QUERY_GET:
        return HttpRequest("GET", path, query_of(parameters + query), headers)
    if way.encoding is Encoding.QUERY_POST:
        return HttpRequest("POST", path, query_of(parameters + query), headers)
    if way.encoding is Encoding.JSON:
        headers["Content-Type"] = "application/json"
        body = json.dumps(dict(parameters), ensure_ascii=False).encode()
    elif way.encoding is Encoding.FORM:
        headers["Content-Type"] = FORM_TYPE
        body = urlencode([(name, as_text(value)) for name, value in parameters]).encode()
    else:
        headers["Content-Type"] = f"multipart/form-data; boundary={BOUNDARY}"
        body = _multipart(parameters, headers)
    return HttpRequest("POST", path, query_of(query), headers, body)


def _multipart(parameters: tuple[tuple[str, Json], ...], headers: Mapping[str, str]) -> bytes:
    if not parameters:
        return f"--{BOUNDARY}--\r\n".encode()
    fields = [(name, (None, as_text(value).encode())) for name, value in parameters]
    return httpx.Request("POST", "http://127.0.0.1/", files=fields, headers=dict(headers)).read()
