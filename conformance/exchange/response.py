"""Read an HTTP response as an outcome: accepted, refused, another result, malformed, or not judged."""

import json
import math
import re
import sys
from collections.abc import Hashable
from dataclasses import dataclass
from itertools import islice
from typing import Final
from xml.etree import ElementTree

from conformance.exchange.call import Batch, Delivery, Json

# The codes of all pages consist of these characters, so client libraries may compare them as plain words.
WELL_FORMED_CODE: Final = re.compile(r"[A-Za-z0-9_]+")
# With these codes a portal puts the caller off. Such an answer says nothing about the vote.
LIMIT_CODES: Final = frozenset({"QUERY_LIMIT_EXCEEDED", "OPERATION_TIME_LIMIT"})
DEEPEST: Final = 64
"""The levels of lists and objects that are read of an answer."""
_MOST_CONTAINERS: Final = 50_000
"""An answer with more lists and objects is not read: that would take seconds, for every answer of a run."""
_MOST_DIGITS: Final = 300
# A run keeps every answer. So that a portal cannot fill the memory, of a long body only so much is kept.
_LONG_BODY: Final = 2**16
_LONGEST_TEXT: Final = 20_000
_MOST_ENTRIES: Final = 1_000


@dataclass(frozen=True, slots=True)
class Accepted:
    """An object with a true `result`, or the bare `true`."""

    def __str__(self) -> str:
        return "accepted"


@dataclass(frozen=True, slots=True)
class Refused:
    """An object with `error` and without a true `result`.

    code: the text of `error`; empty if `error` is not a text.
    """

    code: str

    def __str__(self) -> str:
        return f"refused {self.code}".rstrip()


@dataclass(frozen=True, slots=True)
class AnotherResult:
    """An object without `error`, and with a `result` that is not true."""

    def __str__(self) -> str:
        return "another result"


@dataclass(frozen=True, slots=True)
class Malformed:
    """An answer of any other form.

    foreign: True if the body is not in the format of the request, JSON or XML.
    """

    foreign: bool

    def __str__(self) -> str:
        return "malformed: not the format asked for" if self.foreign else "malformed: neither result nor error"


@dataclass(frozen=True, slots=True)
class LimitReached:
    """An answer of a limit: the rate limit, or the largest size of a request."""

    def __str__(self) -> str:
        return "not judged: a limit was reached"


Outcome = Accepted | Refused | AnotherResult | Malformed | LimitReached


class NotJson:
    """The document of an answer that cannot be read. None cannot mark such answers: null is JSON."""

    def __repr__(self) -> str:
        return "no JSON"


NO_JSON: Final = NotJson()


@dataclass(frozen=True, slots=True)
class Response:
    """An HTTP response to one call, with its outcome.

    status: the HTTP status.
    content_type: the header Content-Type; empty if the response has no such header.
    text: the body, or the beginning of a long one; in a long batch, only the part that answers the call.
    document: the whole body as JSON, or NO_JSON.
    item: the part of the document that answers the call; outside of a batch, the document itself.
    outcome: what the item says about the call.
    """

    status: int
    content_type: str
    text: str
    document: Json
    item: Json
    outcome: Outcome

    @property
    def accepted(self) -> bool:
        """Return True if the portal accepted the call."""
        return isinstance(self.outcome, Accepted)

    @property
    def refused(self) -> bool:
        """Return True if the portal refused the call with an error object."""
        return isinstance(self.outcome, Refused)

    @property
    def code(self) -> str:
        """Return the code of a refusal, or the empty text for every other outcome."""
        return self.outcome.code if isinstance(self.outcome, Refused) else ""

    @property
    def has_well_formed_code(self) -> bool:
        """Return True for a refusal with a code of letters, digits and underscores."""
        return WELL_FORMED_CODE.fullmatch(self.code) is not None

    @property
    def is_unanswered_item(self) -> bool:
        """Return True if the answer to a batch has no answer to this item."""
        # A limit answers the batch as a whole.
        is_limit = isinstance(self.outcome, LimitReached)
        return self.item == {} and self.item is not self.document and not is_limit

    @property
    def shape(self) -> tuple[Hashable, ...]:
        """Return a key that is equal for answers of equal form.

        The key holds status, content type, outcome, and the types of all fields.
        """
        return self.status, self.content_type, self.outcome, _field_types(self.document)


def _field_types(document: Json) -> Hashable:
    if isinstance(document, dict):
        return tuple(sorted((name, _field_types(entry)) for name, entry in document.items()))
    return type(document).__name__


def item_key(place: int) -> str:
    """Return the key of a judged item in a batch that writes its items as a map.

    place: the position of the item, counted from 1.
    """
    return f"vote{place}"


def read_response(status: int, content_type: str, body: bytes, delivery: Delivery) -> Response:
    """Return the answer to one call that was delivered in this way."""
    return read_responses(status, content_type, body, delivery, 1)[0]


def read_responses(status: int, content_type: str, body: bytes, delivery: Delivery, calls: int) -> tuple[Response, ...]:
    """Return the answers to several calls of one request, in the order of the calls.

    delivery: the delivery of all the calls.
    calls: the number of calls; more than 1 only in a batch.
    """
    # A body that is not UTF-8 is shown in the report all the same, with escapes for the wrong bytes.
    text = body[:_LONG_BODY].decode("utf-8", "backslashreplace")
    if delivery.suffix.lower() == ".xml":
        # A rate limiter may stand in front of the portal. It ignores the suffix .xml and answers in JSON.
        limit = _limit_of(parse_json(body))
        document = parse_xml(body)
    else:
        document = parse_json(body)
        limit = _limit_of(document)
    responses = []
    for place in range(1, calls + 1):
        item = document if delivery.batch is Batch.NO else _answer_to_item(document, delivery.batch, place)
        outcome = limit or outcome_of(item)
        # 413 and 414 mean that the request is too large, whatever the body says. 429 means the rate limit, unless the
        # body is an answer of the method: then the clauses error.* judge the status.
        if status in (413, 414) or (status == 429 and not isinstance(outcome, Accepted | Refused)):
            outcome = LimitReached()
        # A batch answers many calls. A person wants to see only the part that answers this call.
        shown_text = (
            text if delivery.batch is Batch.NO or not item or item is NO_JSON else json.dumps(item, ensure_ascii=False)
        )
        responses.append(Response(status, content_type, shown_text, document, item, outcome))
    return tuple(responses)


def outcome_of(document: Json) -> Outcome:
    """Return the outcome that a JSON document states."""
    if document is NO_JSON:
        return Malformed(foreign=True)
    # The oldest page prints the bare `true`. The missing envelope is judged by the clause success.envelope alone.
    if document is True:
        return Accepted()
    if not isinstance(document, dict):
        return Malformed(foreign=False)
    # An `error` beside a true result does not change the outcome: extra keys are judged by the clauses success.*.
    if document.get("result") is True:
        return Accepted()
    if "error" in document:
        return _limit_of(document) or Refused(document["error"] if isinstance(document["error"], str) else "")
    return AnotherResult() if "result" in document else Malformed(foreign=False)


def parse_json(body: bytes, *, whole: bool = False) -> Json:
    """Return the JSON value of a body in UTF-8, or NO_JSON.

    What lies deeper than DEEPEST levels is read as null, and a number beyond all floats as the largest float.
    Of a long body, long texts and lists are cut, unless the whole is asked for.
    """
    try:
        text = body.decode("utf-8")
        containers = body.count(b"[") + body.count(b"{")
        if containers > _MOST_CONTAINERS:
            return NO_JSON
        if containers > DEEPEST:
            text = _without_deep_levels(text)
        document = _DECODER.decode(text)
    except (ValueError, RecursionError):
        return NO_JSON
    return document if whole or len(body) <= _LONG_BODY else _cut(document)


# Python reads NaN and Infinity as numbers, and the JSON standard has no such words.
def _refuse_constant(name: str) -> None:
    raise ValueError(name)


# Python refuses to read a whole number of thousands of digits, and reads 1e999 as infinity, which JSON cannot write.
def _float(digits: str) -> float:
    number = float(digits)
    return math.copysign(sys.float_info.max, number) if math.isinf(number) else number


def _whole_number(digits: str) -> int | float:
    return int(digits) if len(digits) <= _MOST_DIGITS else _float(digits)


# Built once, because json.loads with an option builds a new decoder for each text.
_DECODER: Final = json.JSONDecoder(parse_constant=_refuse_constant, parse_int=_whole_number, parse_float=_float)
# A text without an end matches up to the end of the document: otherwise each quote in it would be tried anew.
_TEXT_OR_BRACKET: Final = re.compile(r'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)|[\[\]{}]', re.DOTALL)


def _without_deep_levels(text: str) -> str:
    """Return the text of a JSON document with null in place of each list or object that lies too deep."""
    kept, copied, depth = [], 0, 0
    for found in _TEXT_OR_BRACKET.finditer(text):
        if found[0] in "[{":
            depth += 1
            if depth == DEEPEST + 1:
                kept.append(text[copied : found.start()] + "null")
                copied = len(text)
        elif found[0] in "]}":
            if depth == DEEPEST + 1:
                copied = found.end()
            depth -= 1
    if depth > DEEPEST:
        raise ValueError("a list or object without an end")
    return "".join(kept) + text[copied:]


def _cut(value: Json) -> Json:
    if isinstance(value, dict):
        return {name[:_LONGEST_TEXT]: _cut(value[name]) for name in islice(value, _MOST_ENTRIES)}
    if isinstance(value, list):
        return [_cut(entry) for entry in value[:_MOST_ENTRIES]]
    return value[:_LONGEST_TEXT] if isinstance(value, str) else value


def _limit_of(document: Json) -> LimitReached | None:
    # A list, because `error` may be a list or an object: Python cannot look these up in a set.
    limit = isinstance(document, dict) and document.get("error") in [*LIMIT_CODES]
    return LimitReached() if limit else None


def _answer_to_item(document: Json, batch: Batch, place: int) -> Json:
    """Return the answer to one item in the form of an answer to a call alone.

    Return an empty object, which is malformed, if the document does not answer this item exactly once.
    """
    # A refusal of the whole batch does not answer the item: the outer answer of a batch is always a success.
    if not isinstance(document, dict) or not isinstance(document.get("result"), dict):
        return document if document is NO_JSON else {}
    results, errors = (_array_entry(document["result"].get(part), batch, place) for part in ("result", "result_error"))
    # An item that stands under both keys, or under neither key, leaves the caller without an answer.
    if len(results) + len(errors) != 1 or not all(isinstance(error, dict) for error in errors):
        return {}
    return {"result": results[0]} if results else errors[0]


def _array_entry(container: Json, batch: Batch, place: int) -> list[Json]:
    """Return the entry of an item in a PHP array, as a list of at most one.

    PHP writes an array as a JSON list if its keys are 0 to n-1, and an empty array as []. With other keys the array
    becomes an object, so a batch in list form may be answered by a list or by an object.
    """
    if isinstance(container, dict):
        key = item_key(place) if batch is Batch.MAP else str(place)
        return [container[key]] if key in container else []
    if isinstance(container, list) and batch is Batch.LIST:
        # Index 0 is the neighbour before the votes. null fills the place of an item that stands in the other array.
        return [item for item in container[place : place + 1] if item is not None]
    return []


def parse_xml(body: bytes) -> Json:
    """Return an XML answer as the JSON document with the same outcome, or NO_JSON.

    Only `result` and `error` are kept: the outcome of an answer needs no other elements.
    """
    # Entities that contain each other can grow a short body to gigabytes. No honest answer declares any.
    if b"<!ENTITY" in body:
        return NO_JSON
    try:
        # Ruff warns of entities here; the check above refuses them.
        root = ElementTree.fromstring(body)  # noqa: S314
    except (ElementTree.ParseError, ValueError):
        return NO_JSON
    # XML has no types, and PHP writes true as the text 1. A root without elements is the bare `true`.
    if not len(root) and (root.text or "").strip() in ("1", "true"):
        return True
    error, result = root.find("error"), root.find("result")
    document: dict[str, Json] = {}
    if error is not None:
        document["error"] = (error.text or "").strip()
    if result is not None:
        document["result"] = True if (result.text or "").strip() in ("1", "true") else result.text
    return document
