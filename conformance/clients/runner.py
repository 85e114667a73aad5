"""The gate of a client library: cases are put through it, each round is judged, the smallest violation is kept."""

import json
import secrets
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from hypothesis.strategies import SearchStrategy

from conformance.clients.exchange import Case, ClientExchange
from conformance.clients.process import CommandClient
from conformance.clients.protocol import ApiError, Asked, OtherError, ProtocolError, Returned, TimedOut
from conformance.contract.clauses import Clause, Edition
from conformance.engine.deviations import Deviation
from conformance.engine.drawing import search
from conformance.engine.results import MOST_KEPT, ClauseResult
from conformance.errors import UserError
from conformance.exchange.call import METHOD
from conformance.exchange.reproduce import describe
from conformance.exchange.violation import ClauseViolated, NotApplicable, Violation
from conformance.portals.mock import MockPortal
from conformance.portals.scripts import TRUE
from conformance.target.secrets import MASK

_NAMED: Final = "a client library"


@dataclass(frozen=True, slots=True)
class Rounds:
    """The cases of a clause, its own and, where it has any, drawn ones.

    to_the_end: the program is let end after each case, so that all that it prints is known.
    """

    cases: Callable[[Edition], tuple[Case, ...]]
    strategy: Callable[[Edition], SearchStrategy[Case]] | None = None
    to_the_end: bool = False


@dataclass(frozen=True, slots=True)
class Sent:
    """The clause is about what the trials of the others sent: nothing is sent for it."""


@dataclass(slots=True)
class ClientRunner:
    """A client library between us and the mock portal. base: where that is served, `/rest/1/SECRET/` left out.

    requests: how many arrived. sent: by the name of the answer, how many requests its calls caused.
    """

    edition: Edition
    client: CommandClient
    mock: MockPortal
    base: str
    ca_file: str
    requests: int = 0
    sent: dict[str, set[int]] = field(default_factory=dict)
    _never_back: dict[Hashable, ClientExchange] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The library and its version, as the program tells them."""
        return self.client.name or _NAMED

    def perform(self, case: Case, to_the_end: bool = False) -> ClientExchange:
        """One round. An answer from which the library did not come back is not tried a second time."""
        # What a success does not come back from is the values; what another answer does not, is that answer.
        key = case if case.script is TRUE else case.script.name
        if key in self._never_back:
            return replace(self._never_back[key], case=case)
        secret = secrets.token_hex(12)
        self.mock.log.clear()
        self.mock.scripts = {secret: case.script}
        self.client.printed.clear()
        url = f"{self.base}/rest/1/{secret}/"
        asked = Asked(url, self.ca_file, METHOD, dict(case.call.parameters))
        back = self.client.ask(asked)
        arrivals = tuple(arrival for arrival in tuple(self.mock.log) if arrival.secret == secret)
        if to_the_end and not isinstance(back, TimedOut):
            # Some print of a call when the next one comes.
            self.client.ask(asked)
            self.client.finish()
        self.requests += len(arrivals)
        told = str(back) + (back.description if isinstance(back, ApiError) else "")
        leaks = {"what it hands back": told, "what it prints": "".join(self.client.printed)}
        where = [f"the secret, in {place}: {_cut(text, secret)}" for place, text in leaks.items() if secret in text]
        done = ClientExchange(case, arrivals, _without(back, secret), "; ".join(where))
        if isinstance(back, TimedOut):
            self._never_back[key] = done
        elif arrivals:
            self.sent.setdefault(case.script.name, set()).add(len(arrivals))
        return done

    def preflight(self, case: Case) -> None:
        """One call must come back and must have arrived. Raises Problem."""
        first = self.perform(case)
        if isinstance(first.back, TimedOut):
            printed = [line.strip() for line in self.client.printed if line.strip()]
            told = f"it printed what is no answer, first {printed[0][:100]!r}" if printed else "it printed nothing"
            raise UserError(
                f"--client: {first.back} to the first call; {told}: check the program, or give it longer (--timeout)"
            )
        if isinstance(first.back, ProtocolError):
            raise UserError(f"--client: {first.back.reason}: the README shows the client protocol")
        if not first.arrivals:
            raise UserError(
                f"--client: nothing arrived at the url of the first call, and what came back is {first.back}: "
                "check how the program uses url and ca_file"
            )


def _cut(text: str, secret: str) -> str:
    """The neighbourhood of the secret, which is masked."""
    masked = text.replace(secret, MASK)
    at = masked.index(MASK)
    return repr(masked[max(0, at - 60) : at + 20])


def _without(back: Returned | ApiError | OtherError | TimedOut | ProtocolError, secret: str) -> Any:
    match back:
        case OtherError(text):
            return OtherError(text.replace(secret, MASK))
        case ProtocolError(reason):
            return ProtocolError(reason.replace(secret, MASK))
        case ApiError(code, description, status):
            return ApiError(code.replace(secret, MASK), description.replace(secret, MASK), status)
        case Returned(value) if secret in json.dumps(value):
            return Returned(json.loads(json.dumps(value).replace(secret, MASK)))
    return back


@dataclass(slots=True)
class ClientTrial:
    """One clause of the chapter "client", the body of its test, and what may be excused."""

    gate: ClientRunner
    clause: Clause
    feed: Rounds | Sent
    body: Callable[[ClientExchange], None]
    deviations: tuple[Deviation, ...]
    tally: ClauseResult
    _found: list[tuple[Case, Violation]] = field(default_factory=list)
    _is_stuck: bool = False

    def run(self, seed: int, draws: int) -> None:
        """Performs the clause's own cases, and as many as Hypothesis may draw; leaves the outcome in the tally."""
        if isinstance(self.feed, Sent):
            self._observe(self.gate.sent)
            return
        for case in self.feed.cases(self.gate.edition):
            self._fails(case)
        if not self._found and self.feed.strategy is not None:
            search(self.feed.strategy(self.gate.edition), f"{seed} {self.clause.id}", draws, self._fails)
        self.tally.violations += self._smallest()

    def _observe(self, sent: Mapping[str, set[int]]) -> None:
        for name, counts in sent.items():
            most = max(counts)
            seen = f"{most} request{'s' if most > 1 else ''}"
            self.tally.observed[name] = seen if len(counts) == 1 else f"{min(counts)} to {seen}"
            self.tally.exchanges += 1

    def _fails(self, case: Case) -> bool:
        """Judges one case, unless the library did not come back from an earlier one: each costs a whole cap."""
        assert isinstance(self.feed, Rounds)
        if self._is_stuck:
            return False
        done = self.gate.perform(case, self.feed.to_the_end)
        violated = self._judge(done)
        if violated is None:
            return False
        violation = done.violation(self.clause.id, violated.expected, self.gate.client.words, self.gate.edition.name)
        self._found.append((case, violation))
        return True

    def _judge(self, done: ClientExchange) -> ClauseViolated | None:
        try:
            self.body(done)
            violated = None
        except NotApplicable:
            self._count_error(done)
            return None
        except ClauseViolated as error:
            violated = error
        excused = self.tally.count(self.deviations, done.case.classes, violated is not None)
        if violated is not None and not excused:
            self._is_stuck = isinstance(done.back, TimedOut)
            return violated
        return None

    def _count_error(self, done: ClientExchange) -> None:
        """A call that a clause cannot judge, because it did not come back, must not be lost in silence."""
        if not isinstance(done.back, TimedOut | ProtocolError):
            return
        self._is_stuck = True
        advice = " (--timeout SECONDS gives it longer)" if isinstance(done.back, TimedOut) else ""
        self.tally.errors.append(
            f"{done.back} to {describe(done.case.call)}, answered {done.case.script.name}; "
            f"{len(done.arrivals)} requests arrived{advice}"
        )

    def _smallest(self) -> list[Violation]:
        """The smallest violation of each combination of classes, the smallest of all first and tried once more."""

        def size(found: tuple[Case, Violation]) -> tuple[int, int]:
            return sum(name != "absent" for name in found[1].classes.values()), len(found[1].fact("repeat"))

        kept: dict[tuple[str, ...], tuple[Case, Violation]] = {}
        for found in sorted(self._found, key=size):
            kept.setdefault(tuple(found[1].classes.values()), found)
        smallest = list(kept.values())[:MOST_KEPT]
        if smallest and not self._fails_again(smallest[0][0]):
            case, violation = smallest[0]
            smallest[0] = (case, violation.with_notes("seen once: not when it was tried again"))
        return [violation for _, violation in smallest]

    def _fails_again(self, case: Case) -> bool:
        assert isinstance(self.feed, Rounds)
        try:
            self.body(self.gate.perform(case, self.feed.to_the_end))
        except NotApplicable:
            return False
        except ClauseViolated:
            return True
        return False
