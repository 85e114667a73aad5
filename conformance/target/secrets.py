"""Values that must not be shown: a secret text, and a base URL with a secret in it."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

MASK: Final = "***"
SHORTEST_SECRET: Final = 4
"""A shorter text is not taken out: it would be found everywhere."""


@dataclass(frozen=True, slots=True)
class Secret:
    """A text that repr, str and exceptions do not show."""

    value: str = field(repr=False)

    def __str__(self) -> str:
        return MASK


def _spellings(host: str) -> Iterator[str]:
    """Yield a host name in punycode and in Unicode."""
    # A name that has no such spelling is no host name of that kind.
    with suppress(UnicodeError):
        yield host.encode("idna").decode("ascii")
    with suppress(UnicodeError):
        yield host.encode("ascii").decode("idna")


@dataclass(frozen=True, slots=True)
class SecretUrl:
    """A base URL that ends with a slash. Its last path segment is the webhook's secret, unless it is "rest"."""

    value: str = field(repr=False)

    @property
    def shown(self) -> str:
        """Return the URL with host, user id and secret masked."""
        parts = urlsplit(self.value)
        hidden = {self.secret, self.user_id} - {""}
        path = "/".join(MASK if segment in hidden else segment for segment in parts.path.split("/"))
        return f"{parts.scheme}://{MASK}{path}"

    @property
    def secret(self) -> str:
        last = urlsplit(self.value).path.rstrip("/").rpartition("/")[2]
        return "" if last == "rest" else last

    @property
    def password(self) -> str:
        return urlsplit(self.value).password or ""

    @property
    def user_id(self) -> str:
        """Return the digits before the secret; the empty text where there are none."""
        segment = urlsplit(self.value).path.rstrip("/").split("/")[-2]
        return segment if self.secret and segment.isdecimal() else ""

    @property
    def hosts(self) -> tuple[str, ...]:
        """Return the host in Unicode and in punycode, each with its port and alone."""
        parts = urlsplit(self.value)
        given = parts.netloc.rpartition("@")[2]
        host = parts.hostname or ""
        port = given[len(host) :] if given.lower().startswith(host) else ""
        spellings = dict.fromkeys((host, *_spellings(host)))
        return (given, *(spelling + end for spelling in spellings for end in (port, "")))

    def with_secret(self, secret: str) -> "SecretUrl":
        """Return the same webhook with another secret."""
        parent = self.value.rstrip("/").rpartition("/")[0] if self.secret else self.value.rstrip("/") + "/1"
        return SecretUrl(f"{parent}/{secret}/")

    def without_secret(self) -> "SecretUrl":
        """Return the REST address of the same portal, without a user and a secret."""
        return SecretUrl(self.value.rstrip("/").rsplit("/", 2)[0] + "/")

    def __str__(self) -> str:
        return self.shown
