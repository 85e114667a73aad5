"""A portal that is spoken to over HTTP: sends calls, reads votes back, counts requests."""

import logging
import time
from dataclasses import replace
from typing import Final

import httpx

from conformance.exchange.answer import Answer, read_answer, read_answers
from conformance.exchange.call import DIRECT, TOKEN_CALLERS, Call, Caller, Encoding, Read
from conformance.exchange.encode import HttpRequest, encode, encode_read, encode_together
from conformance.exchange.stored import PARAMETER_MISSED, NotRead, Stored, read_stored
from conformance.portals.target import Target

TIMEOUT_SECONDS: Final = 60.0
LARGEST_ANSWER: Final = 4 * 2**20


class NoAnswer(Exception):
    """A request that was not answered: no connection, a dropped one, or the time was over. Holds no URL."""


class Portal:
    """A target and the HTTP client that reaches it."""

    def __init__(self, target: Target, client: httpx.Client) -> None:
        self.target = target
        self.requests = 0
        self._client = client
        self._reads_by = Encoding.JSON
        self._scrubber = target.scrubber

    def send(self, call: Call) -> Answer:
        """The answer to a vote. Raises NoAnswer."""
        token = self.target.token.value if call.way.caller in TOKEN_CALLERS else ""
        status, kind, body = self._exchange(encode(call, token), call.way.caller)
        return self._shown(read_answer(status, kind, body, call.way))

    def send_together(self, calls: tuple[Call, ...]) -> tuple[Answer, ...]:
        """The answers to votes that are the items of one batch of the main caller. Raises NoAnswer."""
        status, kind, body = self._exchange(encode_together(calls), Caller.MAIN)
        return tuple(map(self._shown, read_answers(status, kind, body, calls[0].way, len(calls))))

    def _shown(self, answer: Answer) -> Answer:
        # The text is for showing, and will be cut: half a secret is not found any more.
        shown = self._scrubber.clean(answer.text)
        return answer if shown == answer.text else replace(answer, text=shown)

    def read(self, session: int) -> Stored | NotRead:
        """The vote of a session, of which only the allowed fields are kept. Raises NoAnswer."""
        stored = self._read(session)
        if isinstance(stored, NotRead) and stored.code == PARAMETER_MISSED and self._reads_by is Encoding.JSON:
            # A portal that does not read JSON bodies is at fault, and shall be judged for it.
            self._reads_by = Encoding.QUERY_GET
            stored = self._read(session)
        return stored

    def _read(self, session: int) -> Stored | NotRead:
        status, kind, body = self._exchange(encode_read(Read(session), self._reads_by), Caller.MAIN)
        return read_stored(read_answer(status, kind, body, DIRECT).document)

    def close(self) -> None:
        self._client.close()

    def _exchange(self, request: HttpRequest, caller: Caller) -> tuple[int, str, bytes]:
        url = self.target.callers[caller].value + request.path + (f"?{request.query}" if request.query else "")
        # The text of httpx's exceptions may hold the URL and so the secret: none of it is kept.
        try:
            sent = httpx.Request(request.method, url, headers=dict(request.headers), content=request.body)
            try:
                return self._send(sent)
            except (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError):
                # The portal closed a connection that stood idle: that says nothing of this call.
                return self._send(sent)
        except httpx.TimeoutException:
            raise NoAnswer(f"no answer within {TIMEOUT_SECONDS:.0f} s") from None
        except httpx.ConnectError:
            raise NoAnswer("cannot connect") from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise NoAnswer(f"the connection failed ({type(error).__name__})") from None

    def _send(self, request: httpx.Request) -> tuple[int, str, bytes]:
        self.requests += 1
        deadline = time.monotonic() + TIMEOUT_SECONDS
        response = self._client.send(request, stream=True)
        try:
            body = bytearray()
            for chunk in response.iter_bytes():
                body += chunk
                if len(body) > LARGEST_ANSWER:
                    raise NoAnswer("the answer is larger than 4 MiB")
                if time.monotonic() > deadline:
                    raise NoAnswer(f"the answer took longer than {TIMEOUT_SECONDS:.0f} s")
        finally:
            response.close()
        return response.status_code, response.headers.get("content-type", ""), bytes(body)


def http_portal(target: Target) -> Portal:
    """A portal somewhere else. Proxies of the environment are used, but not on the way to this machine."""
    for name in ("httpx", "httpcore"):
        logging.getLogger(name).disabled = True
    direct = dict.fromkeys(("all://127.0.0.1", "all://localhost", "all://[::1]"))
    client = httpx.Client(timeout=httpx.Timeout(TIMEOUT_SECONDS, connect=10.0), mounts=direct)
    return Portal(target, client)
