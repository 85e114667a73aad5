"""Runs the checks of a client library: send every case once, then judge the log by every check."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from conformance.clients.checks import ClientLog
from conformance.clients.exchange import ClientCase, ClientExchange
from conformance.clients.protocol import NotSent, TimedOut
from conformance.clients.session import ClientSession
from conformance.engine.cases import Cases
from conformance.engine.checks import Check
from conformance.engine.deviations import Deviation
from conformance.engine.drawing import propose, shrink
from conformance.engine.evidence import Observation
from conformance.engine.judging import Judgement
from conformance.engine.results import ClauseResult
from conformance.engine.workload import seed_of
from conformance.exchange.reproduce import describe
from conformance.exchange.violation import printable

_LONGEST_SHOWN: Final = 200


def run_client_checks(
    session: ClientSession,
    checks: Iterable[Check],
    deviations: tuple[Deviation, ...],
    draws: int,
    *,
    seed: int,
    finds_all: bool = False,
) -> dict[str, ClauseResult]:
    """Send the cases of all checks and return the result of each check by clause.

    finds_all: True if every violation is wanted, however many there are.
    """
    # What holds in every round is judged when all rounds are over.
    ordered = sorted(checks, key=lambda check: check.given.reads_every_round)
    run = _ClientRun(session, deviations, seed, finds_all)
    judgements = [Judgement(check, ClauseResult(check.clause)) for check in ordered]
    cases = {check.clause: _possible(check.given.cases(session.edition), session) for check in ordered}
    run.send({clause: of_clause.fixed for clause, of_clause in cases.items()})
    for judgement in judgements:
        if not judgement.check.given.reads_every_round:
            run.judge_cases(judgement, cases[judgement.check.clause].fixed)
    proposed = run.propose(judgements, cases, draws)
    run.send(proposed)
    for judgement in judgements:
        clause = judgement.check.clause
        if clause in proposed:
            run.judge_cases(judgement, proposed[clause])
            if judgement.findings:
                run.shrink(judgement, cases[clause], draws)
        elif judgement.check.given.reads_every_round:
            run.judge_cases(judgement, cases[clause].fixed)
        if judgement.findings:
            run.confirm(judgement)
    run.settle_lost(judgements)
    return {judgement.check.clause: judgement.result for judgement in judgements}


def _possible(cases: Cases, session: ClientSession) -> Cases:
    """Leave out the calls that are made at once where the program does not say that they may be."""
    if session.is_concurrent:
        return cases
    return replace(cases, fixed=tuple(case for case in cases.fixed if case.beside is None))


@dataclass(slots=True)
class _ClientRun:
    """The rounds of a run.

    sent: the exchange of each case, which is sent once.
    lost: the rounds that could not be judged, each with a clause that it was made for.
    """

    session: ClientSession
    deviations: tuple[Deviation, ...]
    seed: int
    finds_all: bool
    sent: dict[ClientCase, ClientExchange] = field(default_factory=dict)
    lost: list[tuple[Judgement, ClientExchange]] = field(default_factory=list)

    def send(self, cases: Mapping[str, Iterable[ClientCase]]) -> None:
        """Send the cases of each clause that were not sent yet."""
        fresh = {clause: [case for case in of_clause if case not in self.sent] for clause, of_clause in cases.items()}
        self.sent.update(self.session.send_all(fresh))

    def propose(self, judgements: list[Judgement], cases: Mapping[str, Cases], draws: int) -> dict[str, list[Any]]:
        """Return further cases by clause. One violation or hang of a clause is enough unless all are wanted."""
        proposed = {}
        for judgement in judgements:
            clause, of_clause = judgement.check.clause, cases[judgement.check.clause]
            all_back = all(self.sent[case].came_back for case in of_clause.fixed)
            is_open = all_back and (self.finds_all or not judgement.findings)
            if of_clause.strategy is not None and is_open:
                proposed[clause] = propose(of_clause.strategy, seed_of(self.seed, clause), draws)
        return proposed

    def judge_cases(self, judgement: Judgement, cases: Iterable[ClientCase]) -> None:
        """Judge the exchanges of these cases, or of every round where the clause is about all."""
        exchanges = [self.sent[case] for case in dict.fromkeys(cases)]
        every_round = list(self.sent.values())
        log = ClientLog({judgement.check.clause: exchanges}, self.session.requests_by_answer, every_round)
        self._judge_log(judgement, log)

    def shrink(self, judgement: Judgement, cases: Cases, draws: int) -> None:
        """Let Hypothesis make a violation smaller that no boundary value shows."""
        assert cases.strategy is not None
        seed = seed_of(self.seed, judgement.check.clause)
        shrink(cases.strategy, seed, draws, lambda case: self._fails(judgement, case))

    def _judge_log(self, judgement: Judgement, log: ClientLog) -> None:
        for evidence in judgement.check.given.evidence(self.session.edition, log, judgement.check.clause):
            if isinstance(evidence, Observation):
                judgement.result.observed[evidence.label] = evidence.seen
                judgement.result.exchanges += 1
            elif judgement.judge(evidence, self.deviations):
                judgement.result.judged_kinds |= evidence.case.kinds
            elif evidence.should_be_judged and self._is_made_for(judgement, evidence):
                self.lost.append((judgement, evidence))

    def _is_made_for(self, judgement: Judgement, exchange: ClientExchange) -> bool:
        given = judgement.check.given
        return not given.reads_every_round or exchange.case in given.cases(self.session.edition).fixed

    def settle_lost(self, judgements: list[Judgement]) -> None:
        """Count each round that could not be judged: behind a hang that is a known deviation, or as lost.

        A hang is known only where this run has seen it, as a violation that an entry about hangs excuses.
        """
        known = {
            exchange.hung_at: place
            for judgement in judgements
            for exchange in judgement.excused
            for place, entry in enumerate(self.deviations)
            if exchange.hung_at and entry.hangs and entry.excuses(judgement.check.clause, exchange.classes)
        }
        for judgement, exchange in self.lost:
            if exchange.hung_at in known:
                judgement.result.behind_hangs[known[exchange.hung_at]] += 1
            else:
                judgement.result.count_lost(_unjudged(exchange), exchange.case.kinds, exchange.hung_at)

    def _fails(self, judgement: Judgement, case: ClientCase) -> bool:
        """Return True if a case shows a violation, which is kept."""
        if case not in self.sent:
            self.sent[case] = self.session.send(case)
        before = len(judgement.findings)
        self._judge_log(judgement, ClientLog({judgement.check.clause: [self.sent[case]]}))
        return len(judgement.findings) > before

    def confirm(self, judgement: Judgement) -> None:
        """Send the smallest violation once more, and say where it does not come back."""
        smallest, *others = judgement.smallest()
        again = Judgement(judgement.check, ClauseResult(judgement.check.clause))
        again.judge(self.session.send(smallest.evidence.case), self.deviations)
        violation = smallest.violation
        if not again.findings:
            violation = violation.with_notes("seen once: not when it was tried again")
        judgement.result.violations = [violation, *(other.violation for other in others)]


def _unjudged(exchange: ClientExchange) -> str:
    """Return the line that keeps a call from being lost in silence."""
    case = exchange.case
    if isinstance(exchange.outcome, NotSent):
        return str(exchange.outcome)
    advice = " (--timeout SECONDS gives it longer)" if isinstance(exchange.outcome, TimedOut) else ""
    return (
        f"{printable(str(exchange.outcome), _LONGEST_SHOWN)} to {describe(case.call)}, answered {case.script.name}; "
        f"{len(exchange.arrivals)} requests arrived{advice}"
    )
