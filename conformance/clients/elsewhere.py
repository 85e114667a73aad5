"""What a library asks of other hosts while it is gated: a proxy refuses it, and the hosts are shown."""

import socketserver
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from conformance.exchange.violation import printable
from conformance.portals.server import HOST

_VARIABLES: Final = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
_NOT_BY_PROXY: Final = f"{HOST},localhost"
"""Without ::1, which older versions of httpx cannot read, and where no portal of the gate is."""
_LONGEST_LINE: Final = 2**12
_LONGEST_SHOWN: Final = 100
_MOST_HOSTS: Final = 20
_REFUSAL: Final = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


@dataclass(frozen=True, slots=True)
class OtherHosts:
    """The hosts that were asked for beside this machine.

    proxy: the URL of the proxy that refuses them.
    asked: how often each was asked for.
    """

    proxy: str
    asked: Counter[str] = field(default_factory=Counter)

    @property
    def environment(self) -> dict[str, str]:
        """Return the variables that send a library to the proxy, but for this machine."""
        named = {**dict.fromkeys(_VARIABLES, self.proxy), "NO_PROXY": _NOT_BY_PROXY}
        return {**named, **{name.lower(): value for name, value in named.items()}}

    @property
    def told(self) -> str:
        """Return the hosts in words, or the empty text."""
        return ", ".join(f"{host} ({count})" for host, count in sorted(self.asked.items()))


class _Refusal(socketserver.StreamRequestHandler):
    """Reads to whom a request is, and refuses it."""

    timeout = 10

    def handle(self) -> None:
        with suppress(OSError, ValueError):
            words = self.rfile.readline(_LONGEST_LINE).decode("latin-1").split()
            if len(words) > 1:
                # CONNECT names a host and a port, every other method a whole URL, which may hold a password.
                host = words[1] if words[0] == "CONNECT" else urlsplit(words[1]).netloc.rpartition("@")[2]
                assert isinstance(self.server, _Server)
                self.server.note(printable(host, _LONGEST_SHOWN))
            self.wfile.write(_REFUSAL)


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__((HOST, 0), _Refusal)
        self.hosts = OtherHosts(f"http://{HOST}:{self.server_address[1]}")
        self._lock = threading.Lock()

    def note(self, host: str) -> None:
        with self._lock:
            if host in self.hosts.asked or len(self.hosts.asked) < _MOST_HOSTS:
                self.hosts.asked[host] += 1


@contextmanager
def other_hosts_refused() -> Iterator[OtherHosts]:
    """Yield what a library asks of other hosts, as far as it goes by the proxy of its environment."""
    with _Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield server.hosts
        finally:
            server.shutdown()
            thread.join()
