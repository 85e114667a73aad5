"""A portal as the suite calls it: sends calls, reads votes back, counts requests."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import httpx

from conformance.exchange.call import PLAIN_JSON, TOKEN_CALLERS, Call, Caller, Encoding, ReadBack
from conformance.exchange.encode import HttpRequest, encode, encode_read, encode_together
from conformance.exchange.read_back import PARAMETER_MISSED, NotRead, StoredVote, read_vote
from conformance.exchange.response import Response, read_response, read_responses
from conformance.target.clock import REAL_CLOCK, Clock
from conformance.target.keep import KeepingTransport
from conformance.target.patience import PAUSE_SECONDS, SPARE_VOTES, PatientTransport
from conformance.target.rate_limit import RateLimitTransport
from conformance.target.restore import RestoringTransport
from conformance.target.target import Target
from conformance.target.time_limit import TimeLimitTransport
from conformance.target.transports import (
    PLACEHOLDER_TOKEN,
    CredentialsTransport,
    NetworkTransport,
    OuterTransport,
    RedactingTransport,
    content_type_of,
    placeholder_request,
)

if TYPE_CHECKING:
    from conformance.target.cassette import RecordingTransport


class Portal:
    """A target and the transports that reach it.

    requests: how many were sent.
    repeated: by reason, how many were sent once more.
    """

    def __init__(self, target: Target, transport: httpx.BaseTransport, repeated: Counter[str] | None = None) -> None:
        self.target = target
        self.requests = 0
        self.repeated: Counter[str] = Counter() if repeated is None else repeated
        self._transport = transport
        self._reads_by = Encoding.JSON

    def send(self, call: Call, **extensions: int) -> Response:
        """Return the answer to a vote. Raises NoResponse.

        extensions: REPEATABLE, VOTES, UNRECORDED, see transports.py.
        """
        caller = call.delivery.caller
        sent = self._send(encode(call, PLACEHOLDER_TOKEN if caller in TOKEN_CALLERS else ""), caller, **extensions)
        return read_response(sent.status_code, content_type_of(sent), sent.content, call.delivery)

    def send_batch(self, calls: tuple[Call, ...], **extensions: int) -> tuple[Response, ...]:
        """Return the answers to votes that are the items of one batch of the main caller. Raises NoResponse."""
        sent = self._send(encode_together(calls), Caller.MAIN, **extensions)
        return read_responses(sent.status_code, content_type_of(sent), sent.content, calls[0].delivery, len(calls))

    def read(self, session: int) -> StoredVote | NotRead:
        """Return the permitted fields of the vote of a session. Raises NoResponse."""
        stored = read_vote(self.read_answer(session).document)
        if isinstance(stored, NotRead) and stored.code == PARAMETER_MISSED and self._reads_by is Encoding.JSON:
            # A portal that does not read JSON bodies is at fault, and shall be judged for it.
            self._reads_by = Encoding.QUERY_GET
            stored = read_vote(self.read_answer(session).document)
        return stored

    def read_answer(self, session: int, **extensions: int) -> Response:
        """Return the answer to one read-back. Raises NoResponse."""
        sent = self._send(encode_read(ReadBack(session), self._reads_by), Caller.MAIN, **extensions)
        return read_response(sent.status_code, content_type_of(sent), sent.content, PLAIN_JSON)

    def close(self) -> None:
        """Let go of open connections."""
        self._transport.close()

    def _send(self, request: HttpRequest, caller: Caller, **extensions: int) -> httpx.Response:
        self.requests += 1
        sent = placeholder_request(request, caller)
        sent.extensions.update(extensions)
        return self._transport.handle_request(sent)


def portal_behind(network: httpx.BaseTransport, target: Target, pause: float = 0.0) -> Portal:
    """Return a portal that a transport reaches, without the care that a live one needs.

    pause: seconds before a request is sent once more.
    """
    repeated: Counter[str] = Counter()
    return Portal(target, edge_of(network, target, repeated, pause), repeated)


def edge_of(
    network: httpx.BaseTransport, target: Target, repeated: Counter[str], pause: float = 0.0
) -> httpx.BaseTransport:
    """Return the transports without which no request leaves: a portal's credentials, patience, and redaction."""
    patient = PatientTransport(CredentialsTransport(network, target), repeated, pause)
    return RedactingTransport(patient, target.redactor)


def network_portal(target: Target) -> Portal:
    """Return a portal somewhere else, without the care that a live one needs."""
    return portal_behind(NetworkTransport(target.ca_file), target, PAUSE_SECONDS)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a live run uses of this machine.

    network: makes the transport that reaches a portal, with the authority to trust besides.
    clock: the time by which the run waits.
    """

    network: Callable[[Path | None], httpx.BaseTransport] = NetworkTransport
    clock: Clock = REAL_CLOCK


REAL_SURROUNDINGS: Final = Surroundings()


@dataclass(frozen=True, slots=True)
class LivePortal:
    """A portal that is used by others.

    restoring: knows the votes of before the run.
    recording: holds what was sent and answered.
    """

    portal: Portal
    restoring: RestoringTransport
    recording: "RecordingTransport"


def live_portal(
    target: Target,
    own_comments: frozenset[str],
    say: Callable[[str], None],
    surroundings: Surroundings = REAL_SURROUNDINGS,
    show: Callable[[str], None] | None = None,
) -> LivePortal:
    """Return a portal behind the transports of a live plan.

    own_comments: the comments that the plan sends.
    say: called with a line for each wait.
    show: called with each answer as it came, without secrets.
    """
    # vcrpy takes half a second to import, and most commands record nothing.
    from conformance.target.cassette import RecordingTransport  # noqa: PLC0415

    # Recording is the outermost: a call that was sent again because of a limit is recorded once, and what restoring
    # hides is never recorded. Restoring stands below redaction: it has to put a comment back as it was found, with the
    # private values in it. It stands above the rate limit, because its own requests count too.
    network = CredentialsTransport(surroundings.network(target.ca_file), target)
    repeated: Counter[str] = Counter()
    limited = RateLimitTransport(network, target.limit, say, surroundings.clock)
    patient = PatientTransport(limited, repeated, PAUSE_SECONDS, surroundings.clock, SPARE_VOTES)
    restoring = RestoringTransport(patient, own_comments, say, surroundings.clock)
    # What is put back does not pass the limit of time: a vote is put back however long the run took.
    redacting: OuterTransport = RedactingTransport(TimeLimitTransport(restoring, surroundings.clock), target.redactor)
    if target.live:
        redacting = KeepingTransport(redacting, own_comments, show)
    recording = RecordingTransport(redacting)
    return LivePortal(Portal(target, recording, repeated), restoring, recording)
