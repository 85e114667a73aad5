"""Values that must not be shown, and the one place where they are taken out of texts."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote, urlsplit

MASK: Final = "***"
SHORTEST_SECRET: Final = 4
"""A shorter text is not taken out: it would be found everywhere."""


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


@dataclass(frozen=True, slots=True)
class Scrubber:
    """Takes the secrets of a target out of texts, in plain, percent-encoded and JSON-escaped form."""

    secrets: tuple[str, ...] = field(repr=False)

    @staticmethod
    def of(urls: Iterable[SecretUrl], secrets: Iterable[Secret]) -> "Scrubber":
        plain = {secret.value for secret in secrets}
        for url in urls:
            plain |= {url.secret, urlsplit(url.value).password or ""}
        forms = {form for text in plain for form in (text, quote(text, safe=""), json.dumps(text)[1:-1])}
        # The longest first: one secret may be a part of another.
        return Scrubber(tuple(sorted((form for form in forms if len(form) >= SHORTEST_SECRET), key=len, reverse=True)))

    def clean(self, text: str) -> str:
        """The text without secrets."""
        for secret in self.secrets:
            text = text.replace(secret, MASK)
        return text
