"""How a portal is reached: a wire takes a request and gives the answer as it came."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

import httpx

from conformance.exchange.call import Caller
from conformance.exchange.encode import HttpRequest
from conformance.target.target import Target

TIMEOUT_SECONDS: Final = 60.0
LARGEST_ANSWER: Final = 4 * 2**20

Spelling = Callable[[str], HttpRequest]
"""A request, spelt with an access token; who does not send one gives the empty text."""


class NoResponse(Exception):
    """A request that was not answered: no connection, a dropped one, or the time was over. Holds no URL."""


class NotRecorded(NoResponse):
    """A request that is not on the record."""


@dataclass(frozen=True, slots=True)
class RawAnswer:
    """An HTTP response as it came."""

    status: int
    content_type: str
    body: bytes


class Wire(Protocol):
    """What reaches a portal."""

    def send(self, spell: Spelling, caller: Caller) -> RawAnswer:
        """The answer to a request of that caller. Raises NoAnswer."""

    def close(self) -> None:
        """Lets go of what is open."""


class HttpWire:
    """A target behind an HTTP client."""

    def __init__(self, target: Target, client: httpx.Client) -> None:
        self._target = target
        self._client = client

    def send(self, spell: Spelling, caller: Caller) -> RawAnswer:
        request = spell(self._target.token.value)
        url = self._target.callers[caller].value + request.path + (f"?{request.query}" if request.query else "")
        # The text of httpx's exceptions may hold the URL and so the secret: none of it is kept.
        try:
            sent = httpx.Request(request.method, url, headers=dict(request.headers), content=request.body)
            try:
                return self._send(sent)
            except (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError):
                # The portal closed a connection that stood idle: that says nothing of this call.
                return self._send(sent)
        except httpx.TimeoutException:
            raise NoResponse(f"no answer within {TIMEOUT_SECONDS:.0f} s") from None
        except httpx.ConnectError:
            raise NoResponse("cannot connect") from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise NoResponse(f"the connection failed ({type(error).__name__})") from None

    def close(self) -> None:
        self._client.close()

    def _send(self, request: httpx.Request) -> RawAnswer:
        deadline = time.monotonic() + TIMEOUT_SECONDS
        response = self._client.send(request, stream=True)
        try:
            body = bytearray()
            for chunk in response.iter_bytes():
                body += chunk
                if len(body) > LARGEST_ANSWER:
                    raise NoResponse("the answer is larger than 4 MiB")
                if time.monotonic() > deadline:
                    raise NoResponse(f"the answer took longer than {TIMEOUT_SECONDS:.0f} s")
        finally:
            response.close()
        return RawAnswer(response.status_code, response.headers.get("content-type", ""), bytes(body))
