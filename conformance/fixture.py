"""For authors of Python client libraries: the pytest fixture `bitrix24_portal`, and the scrubbing of cassettes.

pytest finds the fixture where this package is installed. So nothing heavy is imported before the fixture is used.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import conformance

if TYPE_CHECKING:
    from conformance.portals.mock import Arrival, MockPortal
    from conformance.portals.reference import Vote


@dataclass(frozen=True, slots=True)
class ServedPortal:
    """A mock portal on this machine, of the newest edition, that takes votes on `session`.

    url, https_url: the webhook, at the same port. ca_file: the authority that HTTPS is to be trusted by.
    """

    url: str
    https_url: str
    ca_file: Path
    session: int
    _mock: "MockPortal" = field(repr=False)

    @property
    def votes(self) -> "dict[int, Vote]":
        """The stored votes by session id."""
        return self._mock.votes

    @property
    def log(self) -> "list[Arrival]":
        """The requests that arrived, oldest first."""
        return list(self._mock.log)

    def answer_next(self, script: str) -> None:
        """Let the next requests be answered by a script, as "ACCESS_DENIED" or "two-limits"; more calls line up.

        Raise UserError where there is no such script.
        """
        self._mock.answer_next(script)


def pytest_configure(config: pytest.Config) -> None:
    """Let the modules of a project's own package `conformance` be imported beside those of this one."""
    own = config.rootpath / "conformance"
    if (own / "__init__.py").is_file() and str(own) not in conformance.__path__:
        # Last, so that a file of the project hides none of this package.
        conformance.__path__.append(str(own))


@pytest.fixture
def bitrix24_portal() -> Iterator[ServedPortal]:
    """Yield a mock portal that is there while the test runs."""
    from conformance.contract.clauses import default_edition, load_edition
    from conformance.portals.certificate import throw_away_certificate
    from conformance.portals.mock import MockPortal
    from conformance.portals.reference import SECRET, SESSIONS, ReferencePortal
    from conformance.portals.server import serving

    mock = MockPortal(ReferencePortal(load_edition(default_edition())))
    with throw_away_certificate() as certificate, serving(mock.answer, certificate.context) as base:
        url = f"{base}/rest/1/{SECRET}/"
        https = url.replace("http:", "https:", 1)
        yield ServedPortal(url, https, certificate.ca_file, SESSIONS["rateable"], mock)


def vcr_config_for(webhook: str, *private: str) -> dict[str, Any]:
    """Return a `vcr_config` for pytest-recording or vcrpy with which no cassette holds a secret.

    Host, user id and secret are taken out by their values: from addresses, headers and bodies, in every spelling.

    webhook: the URL of the webhook that is recorded.
    private: more values that no cassette may hold.
    """
    from conformance.target.redact import Redactor
    from conformance.target.secrets import Secret, SecretUrl

    redactor = Redactor.of([SecretUrl(webhook)], map(Secret, private))

    def without(value: Any) -> Any:
        if isinstance(value, str):
            return redactor.body(value.encode()).decode()
        if isinstance(value, bytes):
            return redactor.body(value)
        if isinstance(value, list):
            return [without(entry) for entry in value]
        return {key: without(entry) for key, entry in value.items()} if isinstance(value, dict) else value

    def request_without(request: Any) -> Any:
        request.uri, request.body = without(request.uri), without(request.body)
        for name in request.headers:
            request.headers[name] = without(request.headers[name])
        return request

    return {"before_record_request": request_without, "before_record_response": without}
