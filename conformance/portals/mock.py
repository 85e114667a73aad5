"""The mock portal: a portal, scripted answers chosen by the webhook's secret, and a log of what arrived."""

import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final
from urllib.parse import unquote

from conformance.contract.clauses import Edition
from conformance.errors import UserError
from conformance.exchange.call import METHOD, READ_METHOD, Json
from conformance.portals.other_methods import OTHER_METHODS
from conformance.portals.php_forms import PortalRequest, parse_query, read_parameters, split_name
from conformance.portals.reference import CONTROL_PARAMETERS, SECRET, PortalResponse, ReferencePortal, Vote
from conformance.portals.scripts import Dropped, Script, ScriptStep, play, script_named, scripts_of

LONGEST_LOG: Final = 1_000
"""The most requests that the log keeps. Older requests are dropped."""
_LARGEST_LOGGED: Final = 2**16
"""In bytes. The log keeps a request with a larger body without its body."""
_LARGEST_OF_A_ROUND: Final = 2**17
"""In bytes, as above, for a request of a round: the longest text of the gate in a batch, escaped twice."""


@dataclass(frozen=True, slots=True)
class Item:
    """A call of a method, directly or as an item of a batch.

    method: the name in lower case, without suffix.
    parameters: values by name, as the method reads them.
    """

    method: str
    parameters: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Arrival:
    """A request as it arrived.

    request: the request.
    status: the HTTP status of the answer; 0 if the connection was closed without an answer.
    at: the time of a clock in seconds.
    """

    request: PortalRequest
    status: int
    at: float = 0.0

    @property
    def secret(self) -> str:
        """Return the secret of the webhook in the URL, or the empty text."""
        return _secret_of(self.request.path)

    @property
    def name(self) -> str:
        """Return the method of the URL, in lower case and without suffix."""
        return split_name(unquote(self.request.path.rpartition("/")[2]))[0].lower()

    @property
    def items(self) -> tuple[Item, ...]:
        """Return the calls of the request: one call, or the items of a batch."""
        parameters = read_parameters(self.request)
        if self.name != "batch":
            return (_item(self.name, parameters),)
        commands = parameters.get("cmd")
        texts = commands.values() if isinstance(commands, dict) else commands if isinstance(commands, list) else ()
        parts = [str(text).partition("?") for text in texts]
        return tuple(_item(unquote(name).lower(), parse_query(query)) for name, _, query in parts)

    @property
    def votes(self) -> tuple[Item, ...]:
        """Return the items that call the method of this suite."""
        return tuple(item for item in self.items if item.method == METHOD)

    @property
    def unknown_methods(self) -> tuple[str, ...]:
        """Return the methods that this portal does not know."""
        known = {METHOD, READ_METHOD, *OTHER_METHODS}
        return tuple(item.method for item in self.items if item.method not in known)

    @property
    def way(self) -> str:
        """Return verb and media type in words, with a note for a batch."""
        kind = self.request.media_type or ("query" if self.request.query else "no parameters")
        return f"{self.request.method}, {kind}" + (", batch" if self.name == "batch" else "")

    def document(self) -> dict[str, Any]:
        """Return the arrival as a JSON object."""
        return {
            "way": self.way,
            "path": self.request.path,
            "calls": [{"method": item.method, "params": dict(item.parameters)} for item in self.items],
            "status": self.status,
        }


def _item(method: str, parameters: Mapping[str, Json]) -> Item:
    return Item(method, {name: value for name, value in parameters.items() if name not in CONTROL_PARAMETERS})


@dataclass(slots=True)
class MockPortal:
    """A portal for client libraries. A webhook `/rest/1/NAME/` gives the answers of the script of that name.

    A script answers votes. Other calls with its secret are answered as the portal answers its own supervisor.

    portal: answers every request that no script answers.
    log: the requests that arrived, oldest first.
    scripts: further scripts by secret.
    rounds: the requests of these secrets, which are kept apart from the log.
    """

    portal: ReferencePortal
    log: deque[Arrival] = field(default_factory=lambda: deque(maxlen=LONGEST_LOG))
    scripts: dict[str, Script] = field(default_factory=dict)
    rounds: dict[str, list[Arrival]] = field(default_factory=dict)
    _next: deque[ScriptStep] = field(default_factory=deque)
    _played: dict[str, int] = field(default_factory=dict)

    @property
    def edition(self) -> Edition:
        """Return the edition of the portal."""
        return self.portal.edition

    @property
    def votes(self) -> dict[int, Vote]:
        """Return the stored votes by session id."""
        return self.portal.votes

    def answer_next(self, name: str) -> None:
        """Answer the next requests by the steps of that script, whatever their secrets.

        Raise UserError if there is no such script.
        """
        script = script_named(name, self.edition)
        if script is None:
            raise UserError(f"unknown script {name!r}: the scripts are {', '.join(scripts_of(self.edition.name))}")
        self._next += script.steps

    def answer(self, request: PortalRequest) -> PortalResponse | Dropped:
        """Answer a request and log the request."""
        answered = self._answer(request)
        status = answered.status if isinstance(answered, PortalResponse) else 0
        of_round = self.rounds.get(_secret_of(request.path))
        largest = _LARGEST_LOGGED if of_round is None else _LARGEST_OF_A_ROUND
        kept = request if len(request.body) <= largest else replace(request, body=b"")
        arrival = Arrival(kept, status, time.monotonic())
        if of_round is None:
            self.log.append(arrival)
        elif len(of_round) < LONGEST_LOG:
            of_round.append(arrival)
        return answered

    def begin_round(self, secret: str, script: Script) -> None:
        """Answer the requests of that secret by a script, and keep them."""
        self.scripts[secret] = script
        self.rounds[secret] = []

    def has_arrived(self, secret: str) -> bool:
        """Return True if a request of that round has arrived."""
        return bool(self.rounds.get(secret))

    def end_round(self, secret: str) -> tuple[Arrival, ...]:
        """Return the requests of that secret and forget them."""
        self._played.pop(secret, None)
        del self.scripts[secret]
        return tuple(self.rounds.pop(secret))

    def _answer(self, request: PortalRequest) -> PortalResponse | Dropped:
        if self._next:
            return play(self._next.popleft(), request, self.edition)
        secret = _secret_of(request.path)
        script = self.scripts.get(secret) or script_named(secret, self.edition)
        if script is None:
            return self.portal.answer(request)
        if not Arrival(request, 0).votes:
            name = request.path.rpartition("/")[2]
            return self.portal.answer(replace(request, path=f"/rest/1/{SECRET}/{name}"))
        played = self._played.get(secret, 0)
        self._played[secret] = (played + 1) % len(script.steps)
        return play(script.steps[played], request, self.edition)


def _secret_of(path: str) -> str:
    """Return the secret in /rest/USER/SECRET/METHOD, or the empty text for a path of another form."""
    parts = path.rpartition("/rest/")[2].split("/")
    return unquote(parts[1]) if len(parts) == 3 else ""
