"""Ends a connection on which the status and the headers of an answer take too long.

The limit of time of httpx is that of a single read: a portal that sends a byte now and then never reaches it.
"""

import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, Final

import httpx

from conformance.target import bodies

TRACE: Final = "trace"
"""The extension of a request for a function that httpcore calls with each of its steps."""


class HeadDeadline:
    """Knows the newest connection, and ends it if an answer does not begin in time. One request at a time.

    is_over: True if that was done for the last request.
    """

    def __init__(self) -> None:
        self.is_over = False
        self._connection: Any = None

    @contextmanager
    def of(self, request: httpx.Request) -> Iterator[None]:
        """Bound the time of what is sent in the block."""
        self.is_over = False
        request.extensions[TRACE] = self._note
        timer = threading.Timer(bodies.LONGEST_SECONDS, self._end)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _note(self, step: str, about: Mapping[str, Any]) -> None:
        if step == "connection.connect_tcp.complete":
            self._connection = about["return_value"]

    def _end(self) -> None:
        self.is_over = True
        with suppress(OSError, AttributeError):
            self._connection.get_extra_info("socket").shutdown(socket.SHUT_RDWR)
