"""Read parameters from an HTTP request by the rules of PHP and of the portal's REST module (page Data Encoding)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from io import BytesIO
from typing import Final
from urllib.parse import parse_qsl

import python_multipart
from python_multipart.exceptions import FormParserError

from conformance.exchange.call import Json
from conformance.exchange.response import NO_JSON, parse_json

_KEY: Final = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")
_BRACKET: Final = re.compile(r"\[([^\[\]]*)\]")
_DEEPEST: Final = 64
"""A name with more levels of brackets is dropped, as PHP drops names above max_input_nesting_level."""


@dataclass(frozen=True, slots=True)
class PortalRequest:
    """An HTTP request as it reaches a portal.

    method: the HTTP verb.
    path: percent-decoded, without the query.
    query: percent-encoded, without the question mark.
    headers: values by name in lower case.
    body: the bytes of the body; empty if the request has no body.
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def media_type(self) -> str:
        """Return the media type in lower case, without its parameters such as charset."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


def split_name(name: str) -> tuple[str, bool]:
    """Return the method in the last part of a path without its suffix, and True if the suffix asks for XML."""
    # The portal knows these two suffixes in any case. Another text after a dot belongs to the method's name.
    stem, dot, suffix = name.rpartition(".")
    if dot and suffix.lower() in ("json", "xml"):
        return stem, suffix.lower() == "xml"
    return name, False


def read_parameters(request: PortalRequest) -> dict[str, Json]:
    """Return the parameters of a request. A value in the body of a POST replaces a value of the query."""
    parameters = parse_query(request.query)
    # The portal ignores the body of every other verb.
    if request.method == "POST":
        parameters.update(_read_body(request))
    return parameters


def parse_query(text: str) -> dict[str, Json]:
    """Return a query as PHP reads one.

    Every value is text. X[] makes a list, X[k] a map. Of equal names the last one wins.
    """
    # PHP keeps an empty value as an empty text, and Python would drop the name.
    return _nest(parse_qsl(text, keep_blank_values=True))


def _read_body(request: PortalRequest) -> dict[str, Json]:
    kind = request.media_type
    if kind == "application/json" or kind.endswith("+json"):
        document = parse_json(request.body)
        # The portal ignores JSON that is broken or no object; the parameters of the query still count.
        return document if document is not NO_JSON and isinstance(document, dict) else {}
    # The portal takes a body of text for a form, whatever else its type says.
    if kind in ("", "application/x-www-form-urlencoded") or kind.startswith("text/"):
        return _nest(parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True))
    if kind == "multipart/form-data":
        return _nest(_multipart_fields(request))
    return {}


def _multipart_fields(request: PortalRequest) -> list[tuple[str, str]]:
    fields: list[tuple[str, str]] = []

    def keep(part: python_multipart.multipart.Field) -> None:
        fields.append(
            ((part.field_name or b"").decode("utf-8", "replace"), (part.value or b"").decode("utf-8", "replace"))
        )

    headers = {"Content-Type": request.headers["content-type"].encode()}
    try:
        # A part with a file name is a file to PHP, and never a parameter.
        python_multipart.parse_form(headers, BytesIO(request.body), keep, lambda _file: None)
    except FormParserError:
        return []
    return fields


def _nest(pairs: list[tuple[str, str]]) -> dict[str, Json]:
    """Return parameters as PHP nests them: brackets in a name are keys of arrays."""
    tree: dict[str, Json] = {}
    # PHP gives an empty key the index one above the highest so far. The next index by the identity of each array:
    following: dict[int, int] = {}

    def place(array: dict[str, Json], key: str) -> str:
        free = following.get(id(array), 0)
        index = int(key) if key.isascii() and key.isdigit() else free if not key else -1
        following[id(array)] = max(free, index + 1)
        return key or str(index)

    for name, value in pairs:
        matched = _KEY.fullmatch(name)
        if matched is None:
            tree[_as_php_name(name)] = value
            continue
        keys = [_as_php_name(matched[1]), *_BRACKET.findall(matched[2])]
        if len(keys) > _DEEPEST:
            continue
        inner = tree
        for given in keys[:-1]:
            key = place(inner, given)
            found = inner.setdefault(key, {})
            # A later array replaces an earlier text of the same name: the last of equal names wins.
            if not isinstance(found, dict):
                found = inner[key] = {}
            inner = found
        inner[place(inner, keys[-1])] = value
    return {name: _as_php_array(value) for name, value in tree.items()}


def _as_php_name(name: str) -> str:
    """Return a name as PHP turns it into a variable: without leading blanks, and without signs that no variable has."""
    return re.sub(r"[ .\[]", "_", name.lstrip(" "))


def _as_php_array(value: Json) -> Json:
    """Return nested arrays as JSON shows them: an array with the keys 0 to n-1 in order is a list."""
    if not isinstance(value, dict):
        return value
    inner = {key: _as_php_array(entry) for key, entry in value.items()}
    return list(inner.values()) if list(inner) == [str(index) for index in range(len(inner))] else inner
