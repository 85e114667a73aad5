"""What is kept of a live portal's answer: no more than a clause needs. Free text is replaced by what it is.

A text may hold names, addresses and secrets in any spelling. So none is looked for: what is not known is not kept.
"""

import json
import re
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, Final

import httpx

from conformance.exchange.call import READ_METHOD, Json
from conformance.exchange.read_back import KEPT_FIELDS
from conformance.exchange.response import NO_JSON, WELL_FORMED_CODE, parse_json, parse_xml
from conformance.exchange.stand_in import before_json, media_type
from conformance.exchange.violation import printable
from conformance.target.restore import FOUND_COMMENT
from conformance.target.transports import OuterTransport, answer_of, content_type_of

_LONGEST_NAME: Final = 64
_LONGEST_SHOWN: Final = 4_000
_SAME_START: Final = 100
"""A portal may cut a comment. Where it begins as one of the suite's own, it is one."""
_DIGITS: Final = re.compile(r"[0-9]{1,18}")
_CHARSET: Final = re.compile(r"; ?charset=[\w-]{1,20}", re.IGNORECASE)
_BATCH_PARTS: Final = ("result", "result_error")


class KeepingTransport(OuterTransport):
    """Replaces each text of an answer that no clause needs.

    own_comments: the comments that the run sends, which it must read back.
    show: called with each answer as it came, without secrets; for the terminal only.
    """

    def __init__(
        self, inner: httpx.BaseTransport, own_comments: Iterable[str], show: Callable[[str], None] | None = None
    ) -> None:
        super().__init__(inner)
        self._own = frozenset(comment.strip()[:_SAME_START] for comment in own_comments) | {FOUND_COMMENT}
        self._show = show

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = self.inner.handle_request(request)
        body = answer.content
        if self._show is not None:
            text = printable(body.decode("utf-8", "backslashreplace"), _LONGEST_SHOWN)
            self._show(f"the portal answers HTTP {answer.status_code}, {content_type_of(answer)}: {text}")
        name = request.url.path.lower().rstrip("/").rpartition("/")[2]
        if name.startswith(READ_METHOD):
            kept = _written(self._kept_vote(parse_json(body)), body)
        elif name.endswith(".xml"):
            kept = _kept_xml(body)
        else:
            kept = _written(_kept_answer(parse_json(body)), body)
        return answer_of(answer.status_code, _kept_label(content_type_of(answer)), kept)

    def _kept_vote(self, document: Json) -> Json:
        result = document.get("result") if isinstance(document, dict) else None
        if not isinstance(result, dict):
            return _kept_answer(document)
        kept = {name: _kept_scalar(result[name]) for name in KEPT_FIELDS if name in result}
        comment = result.get("sessionCommentHead")
        if isinstance(comment, str) and (not comment or comment.strip()[:_SAME_START] in self._own):
            kept["sessionCommentHead"] = comment
        if result.get("canVoteHead") in ("Y", "N"):
            kept["canVoteHead"] = result["canVoteHead"]
        return {"result": kept}


def described(value: Json) -> Json:
    """Return a value of the same type that says what the value is."""
    if isinstance(value, str):
        return f"text, {len(value):,} characters" if value else ""
    if isinstance(value, list):
        return [f"list, {len(value):,} entries"] if value else []
    if isinstance(value, dict):
        return {"object": f"{len(value):,} keys"} if value else {}
    return value


def _kept_scalar(value: Json) -> Json:
    return value if isinstance(value, str) and _DIGITS.fullmatch(value) else described(value)


def _name(key: str) -> str:
    well_formed = len(key) <= _LONGEST_NAME and WELL_FORMED_CODE.fullmatch(key)
    return key if well_formed else f"key, {len(key):,} characters"


def _kept_answer(document: Json) -> Json:
    """Return the answer to one call, or to a batch, with what clauses need."""
    if not isinstance(document, dict):
        return described(document)
    kept = {_name(key): described(value) for key, value in document.items()}
    code, times, result = document.get("error"), document.get("time"), document.get("result")
    if isinstance(code, str) and len(code) <= _LONGEST_NAME and WELL_FORMED_CODE.fullmatch(code):
        kept["error"] = code
    if isinstance(times, dict):
        kept["time"] = {_name(key): _kept_time(value) for key, value in times.items()}
    if isinstance(result, dict) and any(part in result for part in _BATCH_PARTS):
        kept["result"] = {_name(key): _kept_items(key, value) for key, value in result.items()}
    return kept


def _kept_items(part: str, items: Json) -> Json:
    if part not in _BATCH_PARTS:
        return described(items)
    keep = described if part == "result" else _kept_answer
    if isinstance(items, list):
        return [keep(item) for item in items]
    return {_name(key): keep(item) for key, item in items.items()} if isinstance(items, dict) else described(items)


def _kept_time(value: Json) -> Json:
    if not isinstance(value, str):
        return described(value)
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return described(value)
    return value


def _kept_xml(body: bytes) -> bytes:
    document = parse_xml(body)
    if document is NO_JSON:
        return _written(_kept_answer(parse_json(body)), body)
    if not isinstance(document, dict):
        return b"<response>1</response>"
    kept: dict[str, Any] = _kept_answer(document)
    parts = (f"<{name}>{1 if value is True else value or ''}</{name}>" for name, value in kept.items())
    return f"<response>{''.join(parts)}</response>".encode()


def _written(kept: Json, body: bytes) -> bytes:
    if kept is not NO_JSON:
        return json.dumps(kept).encode()
    text = body.decode("utf-8", "surrogateescape")
    if first := before_json(text):
        return f"({first} before JSON)".encode()
    kind = "HTML" if text.lstrip()[:1] == "<" else "no JSON"
    return f"({kind}, {len(text):,} characters)".encode() if body else b""


def _kept_label(label: str) -> str:
    if not label:
        return ""
    charset = _CHARSET.search(label)
    return media_type(label) + (charset[0] if charset else "")
