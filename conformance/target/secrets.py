"""Values that must not be shown, and the one place where they are taken out of texts."""

import base64
import html
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote, quote_plus, urlsplit

MASK: Final = "***"
SHORTEST_SECRET: Final = 4
"""A shorter text is not taken out: it would be found everywhere."""
_SHORTEST_IN_BASE64: Final = 6


@dataclass(frozen=True, slots=True)
class Secret:
    """A text that repr, str and exceptions do not show."""

    value: str = field(repr=False)

    def __str__(self) -> str:
        return MASK


@dataclass(frozen=True, slots=True)
class SecretUrl:
    """A base URL that ends with a slash. Its last path segment is the webhook's secret, unless it is "rest"."""

    value: str = field(repr=False)

    @property
    def shown(self) -> str:
        """The URL with host and secret masked."""
        parts = urlsplit(self.value)
        path = "/".join(MASK if segment and segment == self.secret else segment for segment in parts.path.split("/"))
        return f"{parts.scheme}://{MASK}{path}"

    @property
    def secret(self) -> str:
        last = urlsplit(self.value).path.rstrip("/").rpartition("/")[2]
        return "" if last == "rest" else last

    @property
    def hosts(self) -> tuple[str, ...]:
        """The host with its port, and alone."""
        parts = urlsplit(self.value)
        return parts.netloc.rpartition("@")[2], parts.hostname or ""

    def with_secret(self, secret: str) -> "SecretUrl":
        """The same webhook with another secret."""
        parent = self.value.rstrip("/").rpartition("/")[0] if self.secret else self.value.rstrip("/") + "/1"
        return SecretUrl(f"{parent}/{secret}/")

    def __str__(self) -> str:
        return self.shown


def forms_of(text: str) -> set[str]:
    """A text as it stands in URLs, forms, JSON, HTML and base64, and as it is."""
    escaped = json.dumps(text)[1:-1]
    forms = {text, quote(text, safe=""), quote(quote(text, safe=""), safe=""), quote_plus(text), html.escape(text)}
    forms |= {escaped, escaped.replace("/", "\\/"), json.dumps(text, ensure_ascii=False)[1:-1]}
    if len(text) >= _SHORTEST_IN_BASE64:
        forms.add(base64.b64encode(text.encode()).decode().rstrip("="))
    return {form for form in forms if len(form) >= SHORTEST_SECRET}


def pattern_of(texts: Iterable[str]) -> re.Pattern[str] | None:
    """Finds each of the texts in every form and spelling; None where there are none."""
    forms = {form for text in texts for form in forms_of(text)}
    # The longest first: one may be a part of another.
    found = "|".join(re.escape(form) for form in sorted(forms, key=len, reverse=True))
    return re.compile(found, re.IGNORECASE) if found else None


@dataclass(frozen=True, slots=True)
class Redactor:
    """Takes the secrets of a target out of texts, in every form; hosts and private values in every spelling too."""

    secrets: tuple[str, ...] = field(repr=False)
    private: re.Pattern[str] | None = field(default=None, repr=False)

    @staticmethod
    def of(urls: Iterable[SecretUrl], secrets: Iterable[Secret], private: Iterable[str] = ()) -> "Redactor":
        plain = {secret.value for secret in secrets}
        for url in urls:
            plain |= {url.secret, urlsplit(url.value).password or ""}
        forms = {form for text in plain for form in forms_of(text)}
        return Redactor(tuple(sorted(forms, key=len, reverse=True)), pattern_of(private))

    def clean(self, text: str) -> str:
        """The text without secrets."""
        for secret in self.secrets:
            text = text.replace(secret, MASK)
        return text if self.private is None else self.private.sub(MASK, text)
