"""A portal as the suite speaks to it: sends calls, reads votes back, counts requests."""

import logging
from dataclasses import replace

import httpx

from conformance.exchange.call import PLAIN_JSON, TOKEN_CALLERS, Call, Caller, Encoding, ReadBack
from conformance.exchange.encode import encode, encode_read, encode_together
from conformance.exchange.read_back import PARAMETER_MISSED, NotRead, StoredVote, read_vote
from conformance.exchange.response import Response, read_response, read_responses
from conformance.target.target import Target
from conformance.target.transports import TIMEOUT_SECONDS, HttpWire, RawAnswer, Spelling, Wire


class Portal:
    """A target and the wire that reaches it."""

    def __init__(self, target: Target, wire: Wire) -> None:
        self.target = target
        self.requests = 0
        self._wire = wire
        self._reads_by = Encoding.JSON
        self._scrubber = target.redactor

    def send(self, call: Call) -> Response:
        """The answer to a vote. Raises NoAnswer."""
        with_token = call.delivery.caller in TOKEN_CALLERS
        raw = self._send(lambda token: encode(call, token if with_token else ""), call.delivery.caller)
        return self._shown(read_response(raw.status, raw.content_type, raw.body, call.delivery))

    def send_together(self, calls: tuple[Call, ...]) -> tuple[Response, ...]:
        """The answers to votes that are the items of one batch of the main caller. Raises NoAnswer."""
        raw = self._send(lambda _: encode_together(calls), Caller.MAIN)
        answers = read_responses(raw.status, raw.content_type, raw.body, calls[0].delivery, len(calls))
        return tuple(map(self._shown, answers))

    def _shown(self, answer: Response) -> Response:
        # The text is for showing, and will be cut: half a secret is not found any more.
        shown = self._scrubber.clean(answer.text)
        return answer if shown == answer.text else replace(answer, text=shown)

    def read(self, session: int) -> StoredVote | NotRead:
        """The vote of a session, of which only the allowed fields are kept. Raises NoAnswer."""
        stored = self._read(session)
        if isinstance(stored, NotRead) and stored.code == PARAMETER_MISSED and self._reads_by is Encoding.JSON:
            # A portal that does not read JSON bodies is at fault, and shall be judged for it.
            self._reads_by = Encoding.QUERY_GET
            stored = self._read(session)
        return stored

    def _read(self, session: int) -> StoredVote | NotRead:
        raw = self._send(lambda _: encode_read(ReadBack(session), self._reads_by), Caller.MAIN)
        return read_vote(read_response(raw.status, raw.content_type, raw.body, PLAIN_JSON).document)

    def _send(self, spell: Spelling, caller: Caller) -> RawAnswer:
        self.requests += 1
        return self._wire.send(spell, caller)

    def close(self) -> None:
        self._wire.close()


def http_wire(target: Target) -> HttpWire:
    """The wire to a portal somewhere else. Proxies of the environment are used, but not on the way to this machine."""
    for name in ("httpx", "httpcore"):
        logging.getLogger(name).disabled = True
    direct = dict.fromkeys(("all://127.0.0.1", "all://localhost", "all://[::1]"))
    client = httpx.Client(timeout=httpx.Timeout(TIMEOUT_SECONDS, connect=10.0), mounts=direct)
    return HttpWire(target, client)
