"""Taking out of recorded answers what must not be on disk, by value, and making sure that it is not there."""

import json
import re
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from conformance.exchange.call import Json
from conformance.exchange.reproduce import WRONG_SECRET
from conformance.exchange.response import NO_JSON, parse_json
from conformance.target.secrets import MASK, SHORTEST_SECRET, SecretUrl, pattern_of
from conformance.target.target import Target

_OUR_OWN: Final = ("error", "date_start", "date_finish", "sessionCommentHead")
"""The keys whose digits are those of codes, dates and our own comments, not of a user id."""
_SHORTEST_ID: Final = 3
"""A shorter user id is taken out of URLs only: elsewhere it would be any small number."""


@dataclass(frozen=True, slots=True)
class RecordingRedactor:
    """found: what must not be recorded, in every form and spelling. user_ids: numbers, taken out of texts only."""

    found: re.Pattern[str] | None = field(repr=False)
    user_ids: tuple[str, ...] = field(repr=False)

    def body(self, body: bytes) -> bytes:
        """A body without them; the same bytes where there was nothing to take out."""
        document = parse_json(body)
        if document is NO_JSON:
            text = self._without_ids(self.text(body.decode("utf-8", "surrogateescape")))
            return text.encode("utf-8", "surrogateescape")
        cleaned = self._clean(document, "")
        return body if cleaned == document else json.dumps(cleaned).encode()

    def text(self, text: str) -> str:
        """A text without them."""
        text = text if self.found is None else self.found.sub(MASK, text)
        for number in self.user_ids:
            text = re.sub(rf"/rest/{number}(?=/)", f"/rest/{MASK}", text)
        return text

    def leaks(self, text: str) -> bool:
        """Whether a text that is to be written holds one of the values."""
        return self.found is not None and self.found.search(text) is not None

    def _clean(self, value: Json, key: str) -> Json:
        if isinstance(value, dict):
            return {self.text(name): self._clean(entry, name) for name, entry in value.items()}
        if isinstance(value, list):
            return [self._clean(entry, key) for entry in value]
        if not isinstance(value, str):
            return value
        text = self.text(value)
        return text if key in _OUR_OWN else self._without_ids(text)

    def _without_ids(self, text: str) -> str:
        for number in (one for one in self.user_ids if len(one) >= _SHORTEST_ID):
            # Not where it is a part of another number, of a date or of a time.
            text = re.sub(rf"(?<![\d.:-]){number}(?![\d.:-])", MASK, text)
        return text


def recording_redactor_of(target: Target) -> RecordingRedactor:
    """What must not be recorded of a target: host, secrets, token, private values, user ids."""
    urls = set(target.callers.values())
    values = {target.token.value, *(private.value for private in target.private)}
    for url in urls:
        parts = urlsplit(url.value)
        values |= {url.secret, *url.hosts, parts.password or ""}
    kept = {value for value in values if len(value) >= SHORTEST_SECRET and value != WRONG_SECRET}
    numbers = {number for url in urls if (number := _user_id(url))}
    return RecordingRedactor(pattern_of(kept), tuple(sorted(numbers)))


def _user_id(url: SecretUrl) -> str:
    parts = urlsplit(url.value).path.rstrip("/").split("/")
    return parts[-2] if url.secret and parts[-2].isdecimal() else ""
