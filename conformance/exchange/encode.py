"""Call -> HTTP request, for each of the five encodings, alone or as an item of a batch."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote, quote_plus, urlencode

from conformance.exchange.call import (
    JSON_ENCODINGS,
    METHOD,
    READ_METHOD,
    Batch,
    Call,
    Caller,
    Delivery,
    Encoding,
    Json,
    ReadBack,
)
from conformance.exchange.response import item_key

FORM_TYPE: Final = "application/x-www-form-urlencoded"
BOUNDARY: Final = "vote-conformance-boundary"
_UTF8: Final = json.JSONEncoder(ensure_ascii=False)
NEIGHBOUR: Final = METHOD
"""The items before and after the judged one in a batch: votes without parameters, which every portal must refuse."""


Parameters = tuple[tuple[str, Json], ...]


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
    if call.delivery.batch is not Batch.NO:
        return encode_together((call,), token)
    return _encode(call.delivery, METHOD, call.parameters, token)


def encode_together(calls: tuple[Call, ...], token: str = "") -> HttpRequest:
    """The request of one batch whose items are these votes, which share one way."""
    way = calls[0].delivery
    return _encode(way, "batch", (("halt", 0), ("cmd", _commands(way.batch, calls))), token)


def encode_read(read: ReadBack, encoding: Encoding = Encoding.JSON) -> HttpRequest:
    """The request of a read-back."""
    return _encode(Delivery(encoding), READ_METHOD, (("SESSION_ID", read.session),), "")


def as_text(value: Json) -> str:
    """A value as a form, a query or a batch item carries it."""
    return value if isinstance(value, str) else json.dumps(value)


def query_of(parameters: Parameters, quoted: Callable[..., str]) -> str:
    """Parameters as a percent-encoded query."""
    return urlencode([(name, as_text(value)) for name, value in parameters], quote_via=quoted)


def _commands(batch: Batch, calls: tuple[Call, ...]) -> Json:
    """The judged items stand between two others in a map, and after another one in a list."""
    if batch is Batch.LIST:
        return [NEIGHBOUR, *(f"{METHOD}?{query_of(call.parameters, quote_plus)}" for call in calls)]
    items = {item_key(place): f"{METHOD}?{query_of(call.parameters, quote)}" for place, call in enumerate(calls, 1)}
    return {"before": NEIGHBOUR, **items, "after": NEIGHBOUR}


def _flat(parameters: Parameters) -> Parameters:
    """Lists and maps of a batch as PHP writes them in a form: cmd[0]=..., cmd[key]=..."""
    flat: list[tuple[str, Json]] = []
    for name, value in parameters:
        entries = enumerate(value) if isinstance(value, list) else value.items() if isinstance(value, dict) else ()
        inner = [(f"{name}[{key}]", entry) for key, entry in entries]
        flat += inner or [(name, value)]
    return tuple(flat)


def _encode(way: Delivery, name: str, parameters: Parameters, token: str) -> HttpRequest:
    path = name + way.suffix
    headers: dict[str, str] = {}
    query: Parameters = ()
    if way.caller is Caller.TOKEN_BEARER:
        headers["Authorization"] = f"Bearer {token}"
    elif way.caller is Caller.TOKEN_QUERY:
        query = (("auth", token),)
    elif way.caller is Caller.TOKEN_BODY:
        parameters = (*parameters, ("auth", token))
    if way.encoding not in JSON_ENCODINGS:
        parameters = _flat(parameters)
    # Clients write a blank as + or as %20: each is sent somewhere.
    if way.encoding is Encoding.QUERY_GET:
        return HttpRequest("GET", path, query_of(parameters + query, quote_plus), headers)
    if way.encoding is Encoding.QUERY_POST:
        return HttpRequest("POST", path, query_of(parameters + query, quote), headers)
    if way.encoding is Encoding.JSON:
        headers["Content-Type"] = "application/json"
        body = _UTF8.encode(dict(parameters)).encode()
    elif way.encoding is Encoding.JSON_ASCII:
        headers["Content-Type"] = "application/json; charset=utf-8"
        body = json.dumps(dict(parameters)).encode()
    elif way.encoding is Encoding.FORM:
        headers["Content-Type"] = FORM_TYPE
        body = query_of(parameters, quote_plus).encode()
    else:
        headers["Content-Type"] = f"multipart/form-data; boundary={BOUNDARY}"
        body = _multipart(parameters)
    return HttpRequest("POST", path, query_of(query, quote), headers, body)


def _multipart(parameters: Parameters) -> bytes:
    """Fields under a fixed boundary. The names are ours and need no escape; the values stand as they are."""
    fields = (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{as_text(value)}\r\n'
        for name, value in parameters
    )
    return "".join((*fields, f"--{BOUNDARY}--\r\n")).encode()
