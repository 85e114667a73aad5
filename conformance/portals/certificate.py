"""A throw-away certificate authority for HTTPS on this machine."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import trustme

NAMES: Final = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate for HTTPS.

    context: the settings of a server that speaks HTTPS.
    ca_file: the file of the authority; clients that trust this file trust the server.
    """

    context: ssl.SSLContext
    ca_file: Path

    @property
    def environment(self) -> dict[str, str]:
        """Return the environment variables by which the usual libraries find the authority."""
        names = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")
        return dict.fromkeys(names, str(self.ca_file))


@contextmanager
def throw_away_certificate(host: str = NAMES[0]) -> Iterator[Certificate]:
    """Yield a certificate for this machine. The file of its authority is removed when the block ends."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*dict.fromkeys((host, *NAMES))).configure_cert(context)
    with TemporaryDirectory(prefix="vote-conformance-") as folder:
        ca_file = Path(folder) / "ca.pem"
        authority.cert_pem.write_to_path(str(ca_file))
        yield Certificate(context, ca_file)
