"""Runs the checks of a client library: send every case once, then judge the log by every check."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from conformance.clients.checks import ClientLog
from conformance.clients.exchange import SECRET_KEPT, ClientCase, ClientExchange
from conformance.clients.protocol import TimedOut
from conformance.clients.session import ClientSession
from conformance.engine.checks import Check
from conformance.engine.deviations import Deviation
from conformance.engine.drawing import propose, shrink
from conformance.engine.judging import Finding, Judgement
from conformance.engine.records import Observation
from conformance.engine.results import ClauseResult
from conformance.engine.workload import seed_of
from conformance.exchange.reproduce import describe


def run_client_checks(
    session: ClientSession, checks: Iterable[Check], deviations: tuple[Deviation, ...], draws: int, seed: int
) -> dict[str, ClauseResult]:
    """Send the cases of all checks and return the result of each check by clause."""
    run = _Run(session, deviations, draws, seed, {})
    log = ClientLog({}, session.requests_by_answer)
    # What holds in every round is judged when all rounds are over.
    last = sorted(checks, key=lambda check: check.clause in EVERY_ROUND)
    judged = [run.judge(check, log) for check in last]
    return {judgement.check.clause: judgement.result for judgement in judged}


EVERY_ROUND: Final = ("client.method", SECRET_KEPT, "client.requests-sent")
"""The clauses that are about each round, whatever it was made for."""


@dataclass(slots=True)
class _Run:
    """sent: the exchange of each case, which is sent once."""

    session: ClientSession
    deviations: tuple[Deviation, ...]
    draws: int
    seed: int
    sent: dict[ClientCase, ClientExchange]

    def judge(self, check: Check, log: ClientLog) -> Judgement:
        judgement = Judgement(check, ClauseResult(check.clause))
        cases = check.evidence.cases(self.session.edition)
        log.exchanges[check.clause] = list(self._send(check, cases.fixed))
        log.every_round[:] = self.sent.values()
        self._judge_log(judgement, log)
        if (
            cases.strategy is not None
            and not judgement.findings
            and all(exchange.came_back for exchange in log.exchanges[check.clause])
        ):
            seed = seed_of(self.seed, check.clause)
            proposed = propose(cases.strategy, seed, self.draws)
            self._judge_log(judgement, ClientLog({check.clause: list(self._send(check, proposed))}))
            if judgement.findings:
                shrink(cases.strategy, seed, self.draws, lambda case: self._fails(judgement, case))
        if judgement.findings:
            self._confirm(judgement)
        return judgement

    def _send(self, check: Check, cases: Iterable[ClientCase]) -> Iterator[ClientExchange]:
        """Yield the exchanges, up to one from which the library does not come back: each costs a whole timeout."""
        for case in cases:
            if case not in self.sent:
                self.sent[case] = self.session.send(case)
            exchange = self.sent[case]
            yield exchange
            excused = any(entry.covers(check.clause, exchange.classes) for entry in self.deviations)
            if not exchange.came_back and not excused:
                return

    def _judge_log(self, judgement: Judgement, log: ClientLog) -> list[Finding]:
        before = len(judgement.findings)
        for record in judgement.check.evidence.records(self.session.edition, log, judgement.check.clause):
            if isinstance(record, Observation):
                judgement.result.observed[record.label] = record.seen
                judgement.result.exchanges += 1
            elif not judgement.judge(record, self.deviations) and (not record.came_back or record.was_lost):
                self._add_error(judgement, record)
        return judgement.findings[before:]

    def _add_error(self, judgement: Judgement, exchange: ClientExchange) -> None:
        """Keep the reason why a round could not be judged, with the clauses that it was made for."""
        own = judgement.check.evidence.cases(self.session.edition).fixed
        if judgement.check.clause not in EVERY_ROUND or exchange.case in own:
            judgement.add_error(_unjudged(exchange))

    def _fails(self, judgement: Judgement, case: ClientCase) -> bool:
        """Return True if a case shows a violation, which is kept."""
        if case not in self.sent:
            self.sent[case] = self.session.send(case)
        return bool(self._judge_log(judgement, ClientLog({judgement.check.clause: [self.sent[case]]})))

    def _confirm(self, judgement: Judgement) -> None:
        """Send the smallest violation once more, and say where it does not come back."""
        smallest, *others = judgement.smallest()
        again = Judgement(judgement.check, ClauseResult(judgement.check.clause))
        again.judge(self.session.send(smallest.record.case), self.deviations)
        violation = smallest.violation
        if not again.findings:
            violation = violation.with_notes("seen once: not when it was tried again")
        judgement.result.violations = [violation, *(other.violation for other in others)]


def _unjudged(exchange: ClientExchange) -> str:
    """Return the line that keeps a call from being lost in silence."""
    case = exchange.case
    advice = " (--timeout SECONDS gives it longer)" if isinstance(exchange.outcome, TimedOut) else ""
    return (
        f"{exchange.outcome} to {describe(case.call)}, answered {case.script.name}; "
        f"{len(exchange.arrivals)} requests arrived{advice}"
    )
