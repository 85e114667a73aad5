"""Encode a call as an HTTP request, for each encoding, alone or as an item of a batch."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final
from urllib.parse import quote, quote_plus, urlencode

from conformance import __version__
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

USER_AGENT: Final = f"vote-conformance/{__version__}"
"""Names the suite, as the page How a Request Is Executed asks of every integration."""
FORM_TYPE: Final = "application/x-www-form-urlencoded"
WRONG_TOKEN: Final = "not-an-access-token"
BOUNDARY: Final = "vote-conformance-boundary"
"""Fixed, so that a recorded multipart request equals the request of a replay."""
_UTF8: Final = json.JSONEncoder(ensure_ascii=False)
NEIGHBOUR: Final = METHOD
"""The batch item before and after the judged items: a vote without parameters, because every portal must refuse it."""

Parameters = tuple[tuple[str, Json], ...]
"""Names and values in the order of sending."""


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """An HTTP request without the address of a portal.

    method: the HTTP verb.
    path: the name of the REST method with its suffix.
    query: percent-encoded, without the question mark.
    headers: values by name.
    body: None if the request has no body.
    """

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None


def encode(call: Call, token: str = "") -> HttpRequest:
    """Return the request of a vote.

    token: the access token; used only by callers that send a token.
    """
    if call.delivery.batch is not Batch.NO:
        return encode_together((call,), token)
    return _encode_request(call.delivery, METHOD, call.parameters, token)


def encode_together(calls: tuple[Call, ...], token: str = "") -> HttpRequest:
    """Return the request of one batch with these votes as items.

    calls: at least one vote; all have the same delivery.
    token: the access token; used only by callers that send a token.
    """
    delivery = calls[0].delivery
    return _encode_request(delivery, "batch", (("halt", 0), ("cmd", _batch_commands(delivery.batch, calls))), token)


# Two of five requests of an exhaustive run are the same read-back.
@lru_cache(maxsize=64)
def encode_read(read: ReadBack, encoding: Encoding = Encoding.JSON) -> HttpRequest:
    """Return the request of a read-back."""
    return _encode_request(Delivery(encoding), READ_METHOD, (("SESSION_ID", read.session),), "")


def as_text(value: Json) -> str:
    """Return a value as a form, a query or a batch item carries it: texts as they are, other values as JSON."""
    return value if isinstance(value, str) else json.dumps(value)


def query_of(parameters: Parameters, quote_value: Callable[..., str]) -> str:
    """Return parameters as a percent-encoded query.

    quote_value: `quote_plus` writes a blank as "+", `quote` writes a blank as "%20".
    """
    return urlencode([(name, as_text(value)) for name, value in parameters], quote_via=quote_value)


def _batch_commands(batch: Batch, calls: tuple[Call, ...]) -> Json:
    """Return the value of `cmd`: the items of a batch, with neighbours that every portal must refuse.

    If a portal mixes up the items, it answers a vote with the refusal of a neighbour. In a list one neighbour stands
    before the votes, so that the index of a vote equals its place, counted from 1.
    """
    if batch is Batch.LIST:
        return [NEIGHBOUR, *(f"{METHOD}?{query_of(call.parameters, quote_plus)}" for call in calls)]
    items = {item_key(place): f"{METHOD}?{query_of(call.parameters, quote)}" for place, call in enumerate(calls, 1)}
    return {"before": NEIGHBOUR, **items, "after": NEIGHBOUR}


def _flatten(parameters: Parameters) -> Parameters:
    """Return parameters with lists and maps written in PHP's form syntax: cmd[0]=..., cmd[key]=..."""
    flat: list[tuple[str, Json]] = []
    for name, value in parameters:
        entries = enumerate(value) if isinstance(value, list) else value.items() if isinstance(value, dict) else ()
        inner = [(f"{name}[{key}]", entry) for key, entry in entries]
        flat += inner or [(name, value)]
    return tuple(flat)


def _encode_request(delivery: Delivery, name: str, parameters: Parameters, token: str) -> HttpRequest:
    path = name + delivery.suffix
    accepted = "text/xml" if delivery.suffix == ".xml" else "application/json"
    headers = {"Accept": accepted, "User-Agent": USER_AGENT}
    query: Parameters = ()
    if delivery.caller is Caller.TOKEN_BEARER:
        headers["Authorization"] = f"Bearer {token}"
    elif delivery.caller is Caller.TOKEN_QUERY:
        query = (("auth", token),)
    elif delivery.caller is Caller.TOKEN_BODY:
        parameters = (*parameters, ("auth", token))
    elif delivery.caller is Caller.WRONG_TOKEN:
        parameters = (*parameters, ("auth", WRONG_TOKEN))
    if delivery.encoding not in JSON_ENCODINGS:
        parameters = _flatten(parameters)
    # Client libraries write a blank as + or as %20, so each spelling is sent in some encoding.
    if delivery.encoding is Encoding.QUERY_GET:
        return HttpRequest("GET", path, query_of(parameters + query, quote_plus), headers)
    if delivery.encoding is Encoding.QUERY_POST:
        headers["Content-Type"] = FORM_TYPE
        return HttpRequest("POST", path, query_of(parameters + query, quote), headers)
    if delivery.encoding is Encoding.JSON:
        headers["Content-Type"] = "application/json"
        body = _UTF8.encode(dict(parameters)).encode()
    elif delivery.encoding is Encoding.JSON_ASCII:
        headers["Content-Type"] = "application/json; charset=utf-8"
        body = json.dumps(dict(parameters)).encode()
    elif delivery.encoding is Encoding.FORM:
        headers["Content-Type"] = FORM_TYPE
        body = query_of(parameters, quote_plus).encode()
    else:
        headers["Content-Type"] = f"multipart/form-data; boundary={BOUNDARY}"
        body = _multipart_body(parameters)
    return HttpRequest("POST", path, query_of(query, quote), headers, body)


def _multipart_body(parameters: Parameters) -> bytes:
    """Return parameters as a multipart body. The names are the suite's own, so they need no escape."""
    fields = (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{as_text(value)}\r\n'
        for name, value in parameters
    )
    return "".join((*fields, f"--{BOUNDARY}--\r\n")).encode()
