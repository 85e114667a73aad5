"""HTTP response -> outcome: accepted, refused, another result, malformed, or not judged."""

import json
import re
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Final
from xml.etree import ElementTree

from conformance.exchange.call import Batch, Delivery, Json

WELL_FORMED_CODE: Final = re.compile(r"[A-Za-z0-9_]+")
LIMIT_CODES: Final = frozenset({"QUERY_LIMIT_EXCEEDED", "OPERATION_TIME_LIMIT"})


@dataclass(frozen=True, slots=True)
class Accepted:
    """`result` is true, or the bare `true`."""

    def __str__(self) -> str:
        return "accepted"


@dataclass(frozen=True, slots=True)
class Refused:
    """An object with `error` and no true `result`. code: `error` where that is text, else the empty text."""

    code: str

    def __str__(self) -> str:
        return f"refused {self.code}".rstrip()


@dataclass(frozen=True, slots=True)
class AnotherResult:
    """An object with a `result` that is not true, and no `error`."""

    def __str__(self) -> str:
        return "another result"


@dataclass(frozen=True, slots=True)
class Malformed:
    """Anything else. foreign: the body is not of the format that was asked for."""

    foreign: bool

    def __str__(self) -> str:
        return "malformed: not the format asked for" if self.foreign else "malformed: neither result nor error"


@dataclass(frozen=True, slots=True)
class NotJudged:
    """The rate limit, or a request that is too large."""

    def __str__(self) -> str:
        return "not judged: a limit was reached"


Outcome = Accepted | Refused | AnotherResult | Malformed | NotJudged


class NotJson:
    """The document of an answer whose body is no JSON."""

    def __repr__(self) -> str:
        return "no JSON"


NO_JSON: Final = NotJson()


@dataclass(frozen=True, slots=True)
class Response:
    """A response and what it means. document: the JSON of the whole body; item: the part that answers the call."""

    status: int
    content_type: str
    text: str
    document: Json
    item: Json
    outcome: Outcome

    @property
    def accepted(self) -> bool:
        return isinstance(self.outcome, Accepted)

    @property
    def refused(self) -> bool:
        return isinstance(self.outcome, Refused)

    @property
    def code(self) -> str:
        """The code of a refusal, else the empty text."""
        return self.outcome.code if isinstance(self.outcome, Refused) else ""

    @property
    def has_code(self) -> bool:
        """Whether this is a refusal with a code of letters, digits and underscore."""
        return WELL_FORMED_CODE.fullmatch(self.code) is not None

    @property
    def shape(self) -> tuple[Hashable, ...]:
        """What two answers that are built alike have in common: status, type, outcome, and the types of all fields."""
        return self.status, self.content_type, self.outcome, _skeleton(self.document)


def _skeleton(document: Json) -> Hashable:
    if isinstance(document, dict):
        return tuple(sorted((name, _skeleton(entry)) for name, entry in document.items()))
    return type(document).__name__


def item_key(place: int) -> str:
    """The key of a judged item in a batch whose cmd is a map, counted from 1; in a list, its index is the place."""
    return f"vote{place}"


def read_response(status: int, content_type: str, body: bytes, way: Delivery) -> Response:
    """The answer to a call that travelled this way."""
    return read_responses(status, content_type, body, way, 1)[0]


def read_responses(status: int, content_type: str, body: bytes, way: Delivery, calls: int) -> tuple[Response, ...]:
    """The answers to so many calls that travelled this way together; more than one only in a batch."""
    text = body.decode("utf-8", "backslashreplace")
    if way.suffix.lower() == ".xml":
        # What limits the rate may stand in front of the portal and not know the suffix.
        limited = _limit_of(parse_json(body))
        document = _xml(body)
    else:
        document = parse_json(body)
        limited = _limit_of(document)
    answers = []
    for place in range(1, calls + 1):
        item = document if way.batch is Batch.NO else _batch_item(document, way.batch, place)
        outcome = limited or outcome_of(item)
        if status in (413, 414) or (status == 429 and not isinstance(outcome, Accepted | Refused)):
            outcome = NotJudged()
        # Of a long batch the part that answers the call is what a person wants to see.
        shown = text if way.batch is Batch.NO or not item or item is NO_JSON else json.dumps(item, ensure_ascii=False)
        answers.append(Response(status, content_type, shown, document, item, outcome))
    return tuple(answers)


def outcome_of(document: Json) -> Outcome:
    """The outcome that a JSON document states."""
    if document is NO_JSON:
        return Malformed(foreign=True)
    if document is True:
        return Accepted()
    if not isinstance(document, dict):
        return Malformed(foreign=False)
    if document.get("result") is True:
        return Accepted()
    if "error" in document:
        return _limit_of(document) or Refused(document["error"] if isinstance(document["error"], str) else "")
    return AnotherResult() if "result" in document else Malformed(foreign=False)


def parse_json(body: bytes) -> Json:
    """The JSON value of a body in UTF-8, or NO_JSON."""
    try:
        return _DECODER.decode(body.decode("utf-8"))
    except (ValueError, RecursionError):
        return NO_JSON


def _refuse_constant(name: str) -> None:
    raise ValueError(name)


# Made once: json.loads with an option makes a decoder for each text.
_DECODER: Final = json.JSONDecoder(parse_constant=_refuse_constant)


def _limit_of(document: Json) -> NotJudged | None:
    limited = isinstance(document, dict) and document.get("error") in [*LIMIT_CODES]
    return NotJudged() if limited else None


def _batch_item(document: Json, batch: Batch, place: int) -> Json:
    """The item as if it had been answered alone; a document that is no batch answer stays as it is."""
    if not isinstance(document, dict) or not isinstance(document.get("result"), dict):
        return document if document is NO_JSON else {}
    results, errors = (_at(document["result"].get(part), batch, place) for part in ("result", "result_error"))
    if len(results) + len(errors) != 1 or not all(isinstance(error, dict) for error in errors):
        return {}
    return {"result": results[0]} if results else errors[0]


def _at(container: Json, batch: Batch, place: int) -> list[Json]:
    """What a PHP array holds for the item: an array with the keys 0..n-1 arrives as a list, an empty one as []."""
    if isinstance(container, dict):
        key = item_key(place) if batch is Batch.MAP else str(place)
        return [container[key]] if key in container else []
    if isinstance(container, list) and batch is Batch.LIST:
        return [item for item in container[place : place + 1] if item is not None]
    return []


def _xml(body: bytes) -> Json:
    """The outcome of an XML answer as the JSON document that says the same, or NO_JSON."""
    if b"<!ENTITY" in body:
        return NO_JSON
    try:
        # Entities were refused above.
        root = ElementTree.fromstring(body)  # noqa: S314
    except (ElementTree.ParseError, ValueError):
        return NO_JSON
    if not len(root) and (root.text or "").strip() in ("1", "true"):
        return True
    error, result = root.find("error"), root.find("result")
    document: dict[str, Json] = {}
    if error is not None:
        document["error"] = (error.text or "").strip()
    if result is not None:
        document["result"] = True if (result.text or "").strip() in ("1", "true") else result.text
    return document
