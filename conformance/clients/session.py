"""The session with one client library: what is asked of it, and what reaches the portal. The only place that asks."""

import json
import math
import re
import threading
import time
from base64 import b64encode
from collections.abc import Hashable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any, Final

from conformance.clients.elsewhere import OtherHosts
from conformance.clients.exchange import ClientCase, ClientExchange
from conformance.clients.process import CommandClient, new_secret
from conformance.clients.protocol import (
    ApiError,
    Asked,
    ClientOutcome,
    NotSent,
    OtherError,
    ProtocolError,
    Returned,
    TimedOut,
)
from conformance.clients.turns import Place, Waiting
from conformance.contract.clauses import Edition
from conformance.errors import UserError
from conformance.exchange.call import METHOD
from conformance.exchange.violation import printable
from conformance.portals.mock import MockPortal
from conformance.portals.scripts import TRUE, Script
from conformance.target.secrets import MASK

_UNNAMED: Final = "a client library"
_LONGEST_SHOWN: Final = 200
_MOST_NAMED: Final = 3
_MOST_HANGS: Final = 3
"""So many calls of a clause are tried of a library that never comes back."""
_FEWEST_OF_A_PROGRAM: Final = 4
"""A program is not started for fewer rounds."""


@dataclass(slots=True)
class _Tried:
    """How many calls of a clause were tried, and how many came back."""

    hung: int = 0
    came_back: int = 0

    @property
    def is_hopeless(self) -> bool:
        return self.hung >= _MOST_HANGS and not self.came_back


@dataclass(slots=True)
class ClientSession:
    """A client library between its caller and the mock portal.

    programs: the library in so many programs.
    jobs: how many of them work at the same time. One that waits for long does not count.
    base: where the portal is served, without `/rest/1/SECRET/`.
    elsewhere: the base of another address, for scripts that need one.
    ends_at: the time of the clock after which nothing is asked any more.
    requests: how many requests arrived.
    other_hosts: what the library asked of other hosts.
    requests_by_answer: by the name of the scripted answer, what requests its calls caused, in words.
    resent: by the reason why a vote should not have been sent again, the answers after which it was.
    """

    edition: Edition
    programs: tuple[CommandClient, ...]
    jobs: int
    mock: MockPortal
    base: str
    ca_file: str
    elsewhere: Mapping[Script, str] = field(default_factory=dict)
    ends_at: float = math.inf
    requests: int = 0
    requests_by_answer: dict[str, set[str]] = field(default_factory=dict)
    resent: dict[str, set[str]] = field(default_factory=dict)
    other_hosts: OtherHosts = field(default_factory=lambda: OtherHosts(""))
    _under_way: dict[int, str] = field(default_factory=dict)
    _never_back: dict[Hashable, ClientExchange] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def name(self) -> str:
        """Return the library and its version, as the program names them."""
        return next((program.name for program in self.programs if program.name), _UNNAMED)

    @property
    def is_concurrent(self) -> bool:
        """Return True if the program says that calls may be made at once."""
        return self.programs[0].is_concurrent

    @property
    def told_of_resent(self) -> tuple[str, ...]:
        """Return a line for each reason why votes should not have been sent again."""
        return tuple(
            f"a vote that {risk} was sent again, after {_first_of(sorted(answers))}: recorded, never judged"
            for risk, answers in sorted(self.resent.items())
        )

    def send_all(self, cases: Mapping[str, Iterable[ClientCase]]) -> dict[ClientCase, ClientExchange]:
        """Ask for each case once, by clause, in all programs at the same time. Raise UserError."""
        tried = {clause: _Tried() for clause in cases}
        todo: dict[ClientCase, str] = {}
        for clause, of_clause in cases.items():
            for case in of_clause:
                todo.setdefault(case, clause)
        waiting = Waiting.of(todo)
        done: dict[ClientCase, ClientExchange] = {}
        used = self.programs[: max(1, len(todo) // _FEWEST_OF_A_PROGRAM)]
        places = threading.Semaphore(self.jobs)

        def ask_next(program: CommandClient) -> bool:
            with waiting.next() as case:
                if case is None:
                    return False
                of_clause = tried[todo[case]]
                if of_clause.is_hopeless:
                    reason = f"{_MOST_HANGS} calls of the clause did not come back, and no other did"
                    done[case] = self._unsent(case, reason)
                    return True
                exchange = done[case] = self._send(case, program)
            with self._lock:
                of_clause.hung += isinstance(exchange.outcome, TimedOut)
                of_clause.came_back += exchange.came_back
            return True

        def work(program: CommandClient) -> None:
            place = Place(places)
            is_more = True
            try:
                while is_more:
                    with place.working(lambda: self._is_waiting(program)):
                        is_more = ask_next(program)
                program.finish()
            finally:
                place.leave()

        with ThreadPoolExecutor(len(used)) as pool:
            try:
                for finished in [pool.submit(work, program) for program in used]:
                    finished.result()
            except BaseException:
                waiting.clear()
                for program in used:
                    program.end()
                raise
        return {case: self._with_leaks(done[case]) for case in todo}

    def _is_waiting(self, program: CommandClient) -> bool:
        """Return True if a request of the call that is under way has arrived."""
        return self.mock.has_arrived(self._under_way.get(id(program), ""))

    def send(self, case: ClientCase) -> ClientExchange:
        """Ask for one case in the first program, which is ended then, so that all that it prints is known."""
        exchange = self._send(case, self.programs[0])
        self.programs[0].finish()
        return self._with_leaks(exchange)

    def _send(self, case: ClientCase, program: CommandClient) -> ClientExchange:
        """Ask a program for one call. A call from which it did not come back is not tried a second time.

        If nothing arrives although it should, what the library remembers of earlier calls may be the reason: then the
        call is asked again of a fresh program, and so is the next one. A success that was made up is kept.
        """
        # If the library hangs on a success, blame the values and skip this case only. If it hangs on another answer,
        # skip every case with that answer.
        key: Hashable = (case.call, case.before) if case.script is TRUE else case.script.name
        if key in self._never_back:
            return replace(self._never_back[key], case=case)
        if time.monotonic() > self.ends_at:
            return self._unsent(case, "the time of the gate was over (--max-time)")
        if case.before:
            return self._ask_after_others(case, program)
        exchange = self._ask(case, program)
        if exchange.was_lost and not isinstance(exchange.outcome, Returned):
            if not program.is_fresh:
                program.finish()
                exchange = self._ask(case, program)
                if exchange.came_back and exchange.arrivals:
                    exchange = replace(exchange, needed_a_fresh_program=True)
            program.finish()
        if isinstance(exchange.outcome, TimedOut):
            self._never_back[key] = exchange
        return exchange

    def _ask_after_others(self, case: ClientCase, program: CommandClient) -> ClientExchange:
        """Ask a program for some calls, and give the exchange of the last."""
        secret = new_secret()
        earlier: list[ClientExchange] = []
        for one in case.before:
            if one.script.name in self._never_back:
                return self._behind(case, one)
            earlier.append(self._ask(one, program, secret))
            if len(earlier) == 1 and earlier[0].was_lost and not program.is_fresh:
                # What it remembers of other rounds is no matter of this one.
                program.finish()
                earlier = [self._ask(one, program, secret)]
            if isinstance(earlier[-1].outcome, TimedOut):
                self._never_back.setdefault(one.script.name, earlier[-1])
                return self._behind(case, one)
            if not earlier[-1].came_back:
                program.finish()
                return self._unsent(case, f"the program ended at the call before it, answered {one.script.name}")
        exchange = self._ask(case, program, "" if case.other_webhook else secret)
        if not isinstance(exchange.outcome, Returned):
            program.finish()
        arrivals = tuple(arrival for one in earlier if one.case.call == case.call for arrival in one.arrivals)
        leaks = "; ".join(one.leaks for one in (*earlier, exchange) if one.leaks)
        changed = next((one.changed for one in (*earlier, exchange) if one.changed is not None), None)
        return replace(exchange, earlier=arrivals, leaks=leaks, changed=changed)

    def _ask(self, case: ClientCase, program: CommandClient, secret: str = "") -> ClientExchange:
        secret = secret or new_secret()
        self.mock.begin_round(secret, case.script)
        self._under_way[id(program)] = secret
        base = self.elsewhere.get(case.script, self.base)
        calls = [case.call] if case.beside is None else [case.call, case.beside]
        url = f"{base}/rest/1/{secret}/"
        reply = program.ask(*(Asked(url, self.ca_file, METHOD, dict(call.parameters)) for call in calls))[0]
        outcome, passed = reply.back, dict(case.call.parameters)
        arrivals = self.mock.end_round(secret)
        handed_back = str(outcome) + (outcome.description if isinstance(outcome, ApiError) else "")
        leaks = f"the secret, in what it hands back: {_cut(handed_back, secret)}" if shows(handed_back, secret) else ""
        headers = {name for one in arrivals for name, value in one.request.headers.items() if shows(value, secret)}
        if headers:
            leaks = "; ".join(filter(None, (leaks, f"the secret, in the header {printable(min(headers), 60)}")))
        words = tuple(program.words)
        exchange = ClientExchange(
            case,
            arrivals,
            _without(outcome, secret),
            leaks,
            words,
            self.edition.name,
            secret,
            changed=reply.params if reply.params not in (None, passed) else None,
        )
        with self._lock:
            self.requests += len(arrivals)
            is_known = not isinstance(outcome, TimedOut) or exchange.may_still_wait
            if arrivals and case.beside is None and is_known:
                self.requests_by_answer.setdefault(case.script.name, set()).add(exchange.attempts)
            if exchange.resent_at_risk:
                self.resent.setdefault(exchange.resent_at_risk, set()).add(case.script.name)
        return exchange

    def _unsent(self, case: ClientCase, reason: str, behind: str = "") -> ClientExchange:
        words = tuple(self.programs[0].words)
        return ClientExchange(case, (), NotSent(reason, behind), "", words, self.edition.name, "")

    def _behind(self, case: ClientCase, hung: ClientCase) -> ClientExchange:
        """Return the exchange of a case that was not asked, because the library hangs on a call before it."""
        name = hung.script.name
        return self._unsent(case, f"the call before it, answered {name}, did not come back", name)

    def _with_leaks(self, exchange: ClientExchange) -> ClientExchange:
        """Return the exchange with the places where its secret was printed, at any time of the program's life."""
        printed = [program.leaks[exchange.secret] for program in self.programs if exchange.secret in program.leaks]
        leaks = [exchange.leaks] if exchange.leaks else []
        leaks += [f"the secret, in what it prints: {place}" for place in printed]
        return replace(exchange, leaks="; ".join(leaks))

    def preflight(self, case: ClientCase) -> None:
        """Send one call, which must come back and must have arrived. Raise UserError."""
        program = self.programs[0]
        self.mock.log.clear()
        first = self._ask(case, program)
        if isinstance(first.outcome, TimedOut):
            printed = program.first_line
            output = f"it printed what is no answer, first {printed!r}" if printed else "it printed nothing"
            raise UserError(
                f"--client: {first.outcome} to the first call; {output}: "
                "check the program, or give it longer (--timeout)"
            )
        if isinstance(first.outcome, ProtocolError):
            raise UserError(
                f"--client: {first.outcome.reason}: `vote-conformance client-check CMD` shows all that it prints"
            )
        if not first.arrivals:
            elsewhere = [
                f"{one.request.method} {one.request.path}".replace(first.secret, MASK) for one in self.mock.log
            ]
            elsewhere += [f"a request to {host}, which was refused," for host in sorted(self.other_hosts.asked)]
            raise UserError(
                f"--client: nothing arrived at the url of the first call"
                f"{f' ({printable(elsewhere[0], _LONGEST_SHOWN)} did)' if elsewhere else ''}, and what came back is "
                f"{printable(str(first.outcome), _LONGEST_SHOWN)}: check how the program uses url and ca_file"
            )


def _first_of(names: list[str]) -> str:
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return f"{', '.join(names[:_MOST_NAMED])}{more}"


def shows(text: str, secret: str) -> bool:
    """Return True if the secret is in a text, in letters of any case or in base64."""
    return secret in text.lower() or any(spelling in text for spelling in _in_base64(secret))


def _in_base64(secret: str) -> list[str]:
    """Return its spellings by its place in a text, for three bytes are four signs. Its neighbours are in the ends."""
    return [b64encode(b" " * place + secret.encode()).decode()[4:-4] for place in range(3)]


def _masked(text: str, secret: str) -> str:
    spellings = map(re.escape, (secret, *_in_base64(secret)))
    return re.sub("|".join(spellings), MASK, text, flags=re.IGNORECASE)


def _cut(text: str, secret: str) -> str:
    """The neighbourhood of the secret, which is masked."""
    masked = _masked(text, secret)
    at = masked.index(MASK)
    return repr(masked[max(0, at - 60) : at + 20])


def _without(outcome: ClientOutcome, secret: str) -> Any:
    match outcome:
        case OtherError(text):
            return OtherError(_masked(text, secret))
        case ProtocolError(reason):
            return ProtocolError(_masked(reason, secret))
        case ApiError(code, description, status):
            return ApiError(_masked(code, secret), _masked(description, secret), status)
        case Returned(value) if shows(json.dumps(value), secret):
            return Returned(json.loads(_masked(json.dumps(value), secret)))
    return outcome
