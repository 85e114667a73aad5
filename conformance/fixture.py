"""The pytest fixture `bitrix24_portal` for authors of Python client libraries.

One line in their conftest.py makes it known: pytest_plugins = ["conformance.fixture"]
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from conformance.contract.clauses import default_edition, load_edition
from conformance.portals.certificate import throw_away_certificate
from conformance.portals.mock import Arrival, MockPortal
from conformance.portals.reference import SECRET, SESSIONS, ReferencePortal, Vote
from conformance.portals.server import serving


@dataclass(frozen=True, slots=True)
class ServedPortal:
    """A mock portal on this machine, of the newest edition, that takes votes on `session`.

    url, https_url: the webhook, at the same port. ca_file: the authority that HTTPS is to be trusted by.
    """

    url: str
    https_url: str
    ca_file: Path
    session: int
    _mock: MockPortal = field(repr=False)

    @property
    def votes(self) -> dict[int, Vote]:
        """The stored votes by session id."""
        return self._mock.votes

    @property
    def log(self) -> list[Arrival]:
        """The requests that arrived, oldest first."""
        return list(self._mock.log)

    def answer_next(self, script: str) -> None:
        """Lets the next requests be answered by a script, as "ACCESS_DENIED" or "two-limits"; more calls line up.

        Raise UserError where there is no such script.
        """
        self._mock.answer_next(script)


@pytest.fixture
def bitrix24_portal() -> Iterator[ServedPortal]:
    """A mock portal that is there while the test runs."""
    mock = MockPortal(ReferencePortal(load_edition(default_edition())))
    with throw_away_certificate() as certificate, serving(mock.answer, certificate.context) as base:
        url = f"{base}/rest/1/{SECRET}/"
        https = url.replace("http:", "https:", 1)
        yield ServedPortal(url, https, certificate.ca_file, SESSIONS["rateable"], mock)
