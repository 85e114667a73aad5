"""The session with one client library: what is asked of it, and what reaches the portal. The only place that asks."""

import json
import secrets
from collections.abc import Hashable
from dataclasses import dataclass, field, replace
from typing import Any, Final

from conformance.clients.exchange import ClientCase, ClientExchange
from conformance.clients.process import CommandClient
from conformance.clients.protocol import ApiError, Asked, OtherError, ProtocolError, Returned, TimedOut
from conformance.contract.clauses import Edition
from conformance.errors import UserError
from conformance.exchange.call import METHOD
from conformance.portals.mock import MockPortal
from conformance.portals.scripts import TRUE
from conformance.target.secrets import MASK

_UNNAMED: Final = "a client library"


@dataclass(slots=True)
class ClientSession:
    """A client library between its caller and the mock portal.

    base: where the portal is served, without `/rest/1/SECRET/`.
    requests: how many requests arrived.
    requests_by_answer: by the name of the scripted answer, how many requests its calls caused.
    """

    edition: Edition
    client: CommandClient
    mock: MockPortal
    base: str
    ca_file: str
    requests: int = 0
    requests_by_answer: dict[str, set[int]] = field(default_factory=dict)
    _never_back: dict[Hashable, ClientExchange] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Return the library and its version, as the program names them."""
        return self.client.name or _UNNAMED

    def send(self, case: ClientCase) -> ClientExchange:
        """Ask the library for one call. A call from which it did not come back is not tried a second time.

        If nothing arrives although it should, what the library remembers of earlier calls may be the reason: then the
        call is asked again of a fresh program, and so is the next one. A success that was made up is kept.
        """
        exchange = self._send(case)
        if exchange.was_lost and not isinstance(exchange.outcome, Returned):
            if not self.client.is_fresh:
                self.client.finish()
                exchange = self._send(case)
            self.client.finish()
        return exchange

    def _send(self, case: ClientCase) -> ClientExchange:
        # If the library hangs on a success, blame the values and skip this case only. If it hangs on another answer,
        # skip every case with that answer.
        key: Hashable = case.call if case.script is TRUE else case.script.name
        if key in self._never_back:
            return replace(self._never_back[key], case=case)
        secret = secrets.token_hex(12)
        self.mock.log.clear()
        self.mock.scripts = {secret: case.script}
        self.client.printed.clear()
        asked = Asked(f"{self.base}/rest/1/{secret}/", self.ca_file, METHOD, dict(case.call.parameters))
        outcome = self.client.ask(asked)
        arrivals = tuple(arrival for arrival in tuple(self.mock.log) if arrival.secret == secret)
        if case.to_the_end and not isinstance(outcome, TimedOut):
            # Some print of a call when the next one comes.
            self.client.ask(asked)
            self.client.finish()
        self.requests += len(arrivals)
        handed_back = str(outcome) + (outcome.description if isinstance(outcome, ApiError) else "")
        places = {"what it hands back": handed_back, "what it prints": "".join(self.client.printed)}
        leaks = [f"the secret, in {place}: {_cut(text, secret)}" for place, text in places.items() if secret in text]
        exchange = ClientExchange(
            case,
            arrivals,
            _without(outcome, secret),
            "; ".join(leaks),
            tuple(self.client.words),
            self.edition.name,
        )
        if isinstance(outcome, TimedOut):
            self._never_back[key] = exchange
        elif arrivals:
            self.requests_by_answer.setdefault(case.script.name, set()).add(len(arrivals))
        return exchange

    def preflight(self, case: ClientCase) -> None:
        """Send one call, which must come back and must have arrived. Raise UserError."""
        first = self.send(case)
        if isinstance(first.outcome, TimedOut):
            printed = [line.strip() for line in self.client.printed if line.strip()]
            output = f"it printed what is no answer, first {printed[0][:100]!r}" if printed else "it printed nothing"
            raise UserError(
                f"--client: {first.outcome} to the first call; {output}: "
                "check the program, or give it longer (--timeout)"
            )
        if isinstance(first.outcome, ProtocolError):
            raise UserError(f"--client: {first.outcome.reason}: docs/client-libraries.md shows the protocol")
        if not first.arrivals:
            raise UserError(
                f"--client: nothing arrived at the url of the first call, and what came back is {first.outcome}: "
                "check how the program uses url and ca_file"
            )


def _cut(text: str, secret: str) -> str:
    """The neighbourhood of the secret, which is masked."""
    masked = text.replace(secret, MASK)
    at = masked.index(MASK)
    return repr(masked[max(0, at - 60) : at + 20])


def _without(outcome: Returned | ApiError | OtherError | TimedOut | ProtocolError, secret: str) -> Any:
    match outcome:
        case OtherError(text):
            return OtherError(text.replace(secret, MASK))
        case ProtocolError(reason):
            return ProtocolError(reason.replace(secret, MASK))
        case ApiError(code, description, status):
            return ApiError(code.replace(secret, MASK), description.replace(secret, MASK), status)
        case Returned(value) if secret in json.dumps(value):
            return Returned(json.loads(json.dumps(value).replace(secret, MASK)))
    return outcome
