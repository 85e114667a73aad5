"""The one place where hosts, secrets, tokens, private values and user ids are taken out of texts and answers."""

import base64
import html
import json
import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import quote, quote_plus

from conformance.exchange.call import Json
from conformance.exchange.reproduce import WRONG_SECRET
from conformance.exchange.response import NO_JSON, parse_json
from conformance.target.secrets import MASK, SHORTEST_SECRET, Secret, SecretUrl

_OUR_OWN: Final = ("error", "date_start", "date_finish", "sessionCommentHead")
"""The keys whose digits are those of codes, dates and our own comments, not of a user id."""
_SHORTEST_ID: Final = 3
"""A shorter user id is taken out of URLs only: elsewhere it would be any small number."""
_SHORTEST_IN_BASE64: Final = 6


class Redactor:
    """Replaces values by a mask, in every form and spelling.

    values: hosts, secrets, private texts.
    user_ids: digits, which are taken out of answers only.
    """

    def __init__(self, values: Iterable[str] = (), user_ids: Iterable[str] = ()) -> None:
        self._values = frozenset(value for value in values if len(value) >= SHORTEST_SECRET) - {WRONG_SECRET}
        self._user_ids = frozenset(user_ids)
        self._found = pattern_of(self._values)
        long_ids = (number for number in self._user_ids if len(number) >= _SHORTEST_ID)
        # A number is no user id where it is a part of another number, of a date or of a time.
        self._ids = re.compile(rf"(?<![\d.:-]){_one_of(long_ids)}(?![\d.:-])")
        self._urls = re.compile(rf"/rest/{_one_of(self._user_ids)}(?=/)")
        forms = {form.lower() for value in self._values for form in forms_of(value)}
        # A form that holds another one is found by the other.
        self._signs = [form for form in forms if not any(other in form for other in forms - {form})]
        self._signs += [number for number in self._user_ids if len(number) >= _SHORTEST_ID]
        self._signs += ["/rest/"] if self._user_ids else []

    @staticmethod
    def of(urls: Iterable[SecretUrl], secrets: Iterable[Secret], *, hosts: bool = True) -> "Redactor":
        """Return the redactor for the webhooks of a portal and for its other secrets."""
        urls = tuple(urls)
        values = [secret.value for secret in secrets]
        for url in urls:
            values += [url.secret, url.password, *(url.hosts if hosts else ())]
        return Redactor(values, (url.user_id for url in urls if url.user_id))

    def without(self, text: str) -> "Redactor":
        """Return the redactor for those values that a text does not hold."""
        if not self.leaks(text):
            return self
        return Redactor((value for value in self._values if not pattern_of([value]).search(text)), self._user_ids)

    def leaks(self, text: str) -> bool:
        """Return True if a text holds one of the values."""
        return self._may_hold(text) and self._found.search(text) is not None

    def text(self, text: str) -> str:
        """Return a text without the values."""
        return self._found.sub(MASK, text)

    def body(self, body: bytes) -> bytes:
        """Return an answer's body without the values and user ids; the same bytes where there are none in it."""
        text = body.decode("utf-8", "surrogateescape")
        # Nearly every answer ends here. A backslash may stand for any character of JSON.
        if "\\" not in text and not self._may_hold(text):
            return body
        document = parse_json(body)
        if document is NO_JSON:
            return self._without_all(text).encode("utf-8", "surrogateescape")
        redacted = self._redact(document, "")
        return body if redacted == document else json.dumps(redacted).encode()

    def _may_hold(self, text: str) -> bool:
        # A pattern that ignores case is many times slower than looking for fixed texts.
        lower_case = text.lower()
        return not text.isascii() or any(map(lower_case.__contains__, self._signs))

    def _redact(self, value: Json, key: str) -> Json:
        if isinstance(value, dict):
            return {self._without_all(name): self._redact(entry, name) for name, entry in value.items()}
        if isinstance(value, list):
            return [self._redact(entry, key) for entry in value]
        if not isinstance(value, str):
            return value
        return self._without_urls(value) if key in _OUR_OWN else self._without_all(value)

    def _without_urls(self, text: str) -> str:
        return self._urls.sub(f"/rest/{MASK}", self.text(text))

    def _without_all(self, text: str) -> str:
        return self._ids.sub(MASK, self._without_urls(text))


def forms_of(text: str) -> set[str]:
    """Return a text as it stands in URLs, forms, JSON, HTML and base64, and as it is."""
    escaped = json.dumps(text)[1:-1]
    forms = {text, quote(text, safe=""), quote(quote(text, safe=""), safe=""), quote_plus(text), html.escape(text)}
    forms |= {escaped, escaped.replace("/", "\\/"), json.dumps(text, ensure_ascii=False)[1:-1]}
    if len(text) >= _SHORTEST_IN_BASE64:
        forms.add(base64.b64encode(text.encode()).decode().rstrip("="))
    return {form for form in forms if len(form) >= SHORTEST_SECRET}


def pattern_of(texts: Iterable[str]) -> re.Pattern[str]:
    """Return a pattern that finds each of the texts in every form and spelling."""
    return re.compile(_one_of(form for text in texts for form in forms_of(text)), re.IGNORECASE)


def _one_of(texts: Iterable[str]) -> str:
    """Return a pattern of alternatives, the longest first, since one may be a part of another."""
    found = sorted(set(texts), key=len, reverse=True)
    return f"(?:{'|'.join(map(re.escape, found))})" if found else "(?!)"
