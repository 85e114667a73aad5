"""Runs the checks of a portal: a list of requests is sent, then every check judges the log.

A plan is one list. Explore mode may send more. A second list holds the suspected calls again, and the same made
plainer; then everything is judged once more. Exhaustive mode sends every combination. At the end each violation is made
smaller and sent again.
"""

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from conformance.contract.classes import READ_BACK_SESSIONS
from conformance.contract.clauses import Edition
from conformance.engine.blame import Blame, features_of
from conformance.engine.cases import Case
from conformance.engine.checks import Check, baseline_of, plainer
from conformance.engine.deviations import Deviation
from conformance.engine.drawing import shrink
from conformance.engine.evidence import (
    CallSequence,
    Comparison,
    Evidence,
    Exchange,
    Observation,
    StateChange,
    WithoutBase,
)
from conformance.engine.exhaustive import combinations_of
from conformance.engine.judging import Finding, Judgement
from conformance.engine.log import ExchangeLog
from conformance.engine.preflight import preflight, preflight_requests
from conformance.engine.results import ClauseResult
from conformance.engine.session import PortalSession, Step
from conformance.engine.workload import (
    Exhaustive,
    Explore,
    Mode,
    Planned,
    Workload,
    control_vote,
    explore_steps,
    seed_of,
    steps_of_case,
)
from conformance.exchange.call import Call, ReadBack
from conformance.exchange.reproduce import describe
from conformance.exchange.violation import ReadBackMissing

HISTORY: Final = "effect.history-free"
_ANSWERED: Final = "error.never-5xx"
_FIRST: Final = "documentation.example"
_LATE_CHAPTERS: Final = ("success", "errors")
_CHAPTERS_OF_VOTES: Final = ("success", "effects", "transport", "access")
"""Their clauses are about votes on the rateable session, whatever the values are."""
_MOST_REPEATED: Final = 200
"""The suspected calls that a second list sends again."""
_ENOUGH_FINDINGS: Final = 200
"""The violations of one clause that combinations are searched for."""


@dataclass(frozen=True, slots=True)
class Watch:
    """What a run calls while it sends its list.

    before_first_step: called with the plan after the preflight; returns what is sent of it.
    progress: called after each request with the number of those that were sent, and of all.
    """

    before_first_step: Callable[[Workload], Workload] = lambda plan: plan
    progress: Callable[[int, int], None] = lambda _done, _all: None


UNWATCHED: Final = Watch()


def clause_order(edition: Edition) -> list[str]:
    """Return the clauses in the order in which their cases are sent.

    The page's own example is first: later refusals of the same vote then show that the state matters. The chapters that
    judge every shape of answer are late.
    """

    def place(name: str) -> tuple[bool, bool, bool]:
        return name != _FIRST, edition.clauses[name].chapter in _LATE_CHAPTERS or name == HISTORY, name == HISTORY

    return sorted(edition.clauses, key=place)


def run_checks(
    session: PortalSession,
    checks: Sequence[Check],
    mode: Mode,
    deviations: tuple[Deviation, ...],
    *,
    seed: int,
    watch: Watch = UNWATCHED,
    finds_all: bool = False,
) -> dict[str, ClauseResult]:
    """Send what the mode asks for and return the result of each check by clause. Raise UserError.

    finds_all: True if every violation is wanted, however many there are.
    """
    order = {name: place for place, name in enumerate(clause_order(session.edition))}
    run = _PortalRun(session, sorted(checks, key=lambda check: order[check.clause]), deviations, seed, finds_all)
    if isinstance(mode, Planned):
        judged = run.plan(mode, watch)
    else:
        judged = run.explore(watch, mode.draws if isinstance(mode, Explore) else 0, isinstance(mode, Exhaustive))
    for judgement in judged:
        judgement.result.violations = judgement.result.violations or [
            finding.violation for finding in judgement.smallest()
        ]
    return {judgement.check.clause: judgement.result for judgement in judged}


@dataclass(slots=True)
class _PortalRun:
    session: PortalSession
    checks: list[Check]
    deviations: tuple[Deviation, ...]
    seed: int
    finds_all: bool

    def plan(self, mode: Planned, watch: Watch) -> list[Judgement]:
        """Send a plan and judge its log. No second list is sent."""
        log = preflight(self.session, mode.plan.preflight)
        plan = watch.before_first_step(mode.plan)
        done_before = len(plan.preflight)
        log += self.session.execute(plan.steps, lambda done: watch.progress(done_before + done, plan.requests))
        absent = "the plan holds nothing that it can be judged by"
        if plan.limit:
            absent = f"no call for it is left by {plan.limit}"
        if log.unanswered:
            absent += f", or it was among the {len(log.unanswered)} calls that were not answered"
        blame = self._blame(log)
        judged = self._judge_all(blame)
        for judgement in judged:
            self._say_why_not_exercised(judgement, absent + mode.advice)
            for call, reason in plan.withheld:
                if self._needs(judgement.check.clause, call):
                    judgement.result.why_not_passed = reason
        return judged

    @property
    def _control(self) -> Call:
        return control_vote(self.session.edition, self.session.rateable)

    def _needs(self, clause: str, call: Call) -> bool:
        """Return True if a clause has not passed where this call was not sent."""
        permitted = self.session.permitted(call)
        by_answers = self.session.edition.clauses[clause].chapter in _CHAPTERS_OF_VOTES
        return (
            clause in (*permitted.accepting_clauses, *permitted.rejecting_clauses)
            or (by_answers and call.session.cls in READ_BACK_SESSIONS)
            or (clause == _FIRST and call == self._control)
        )

    def explore(self, watch: Watch, draws: int, exhaustive: bool) -> list[Judgement]:
        """Send the boundary cases and the proposed ones, a second list where something is suspected, and judge."""
        log = preflight(self.session, preflight_requests(self.session.portal.target))
        steps = explore_steps(self.session, self.checks, draws, self.seed)
        log += self.session.execute(steps, lambda done: watch.progress(done, len(steps)))
        blame = self._blame(log)
        judged = self._judge_all(blame)
        second_list = self._second_list(judged, blame)
        if second_list:
            blame = self._blame(log + self.session.execute(second_list))
            judged = self._judge_all(blame)
        if exhaustive:
            self._judge_combinations(judged, blame, watch)
        for judgement in judged:
            self._say_why_not_exercised(judgement)
            if judgement.findings:
                self._shrink(judgement, blame, draws)
                self._confirm(judgement, blame)
        return judged

    def _say_why_not_exercised(self, judgement: Judgement, otherwise: str = "") -> None:
        result = judgement.result
        if result.exchanges:
            return
        elsewhere = ""
        if judgement.explained:
            elsewhere = f"its wrong answers ({judgement.explained}) have a cause that another clause is about"
        reason = judgement.check.given.cases(self.session).why_not_exercised
        result.why_not_exercised = reason or elsewhere or otherwise

    def _blame(self, log: ExchangeLog) -> Blame:
        judges_history = any(check.clause == HISTORY for check in self.checks)
        return Blame(log, log, judges_history, self._control)

    def _judge_all(self, blame: Blame) -> list[Judgement]:
        """Judge the log.

        If answers were wrong and the whole run would accuse nobody, every clause that they may be about is accused.
        """
        judged = [self._judge(check, blame) for check in self.checks]
        if any(one.findings for one in judged) or not any(one.suspected for one in judged):
            return judged
        return [self._judge(check, blame.unsure()) for check in self.checks]

    def _judge(self, check: Check, blame: Blame) -> Judgement:
        judgement = Judgement(check, ClauseResult(check.clause))
        self._judge_log(judgement, blame)
        return judgement

    def _judge_log(self, judgement: Judgement, blame: Blame) -> None:
        """Judge the evidence that a check finds in a log, and count the calls that were not answered."""
        check, result = judgement.check, judgement.result
        for evidence in check.given.evidence(self.session, blame, check.clause):
            if isinstance(evidence, Observation):
                result.observed[evidence.label] = evidence.seen
                result.exchanges += 1
            elif self._is_judged(check.clause, evidence):
                self._judge_evidence(judgement, evidence, blame)
        for lost in blame.log.lost:
            if check.clause in (lost.clauses or self._promises(lost.call)):
                result.count_lost(f"{lost.reason}: {describe(lost.call)}", self._features_about(lost.call, check))

    def _judge_evidence(self, judgement: Judgement, evidence: Evidence, blame: Blame) -> None:
        call, check = evidence.exchange.call, judgement.check
        try:
            if judgement.judge(evidence, self.deviations, partial(self._is_caused_elsewhere, blame)):
                judgement.result.judged_kinds |= self._features_about(call, check)
        except ReadBackMissing as missing:
            if missing.reason:
                line = f"the read-back: {missing.reason}: {describe(call)}"
                judgement.result.count_lost(line, self._features_about(call, check))

    def _features_about(self, call: Call, check: Check) -> set[Hashable]:
        """Return the features of a call that its clause is about. Values of one class are one feature.

        A clause that demands a refusal is about the classes of all three parameters.
        """
        is_refusal = check.clause in self.session.permitted(call).rejecting_clauses
        about, classes = check.given.about, call.classes
        features: set[Hashable] = {(name, cls) for name, cls in classes.items() if is_refusal or name in about}
        return features | {
            feature for feature in features_of(call) if feature[0] in about and feature[0] not in classes
        }

    def _promises(self, call: Call) -> tuple[str, ...]:
        permitted = self.session.permitted(call)
        return (*permitted.accepting_clauses, *permitted.rejecting_clauses, _ANSWERED)

    def _is_caused_elsewhere(self, blame: Blame, check: Check, exchange: Exchange) -> bool:
        if check.clause == HISTORY:
            return False
        return self._is_known_of_others(check.clause, exchange) or not blame.may_accuse(exchange, check.given.about)

    def _is_known_of_others(self, clause: str, exchange: Exchange) -> bool:
        """Return True if a known deviation of another clause already explains why these values were refused."""
        others = set(exchange.permitted.accepting_clauses) - {clause}
        return any(entry.covers(other, exchange.call.classes) for entry in self.deviations for other in others)

    def _is_judged(self, clause: str, evidence: Evidence) -> bool:
        """Return True if the evidence belongs to the level of the run: a part of a documented clause may be implied."""
        if self.session.judges_implied or isinstance(evidence, CallSequence):
            return True
        implied = self.session.edition.clauses[clause].implied
        return not any(f"{name}:{cls}" in implied for name, cls in evidence.exchange.call.classes.items())

    def _second_list(self, judged: Iterable[Judgement], blame: Blame) -> tuple[Step, ...]:
        """Return the second list: each suspected call again, the same made plainer, and the first vote again."""
        suspected = {exchange.call: exchange for judgement in judged for exchange in judgement.suspected}
        suspected |= {exchange.call: exchange for exchange in blame.wrongly_refused}
        steps: list[Step] = []
        sent: set[Call] = set()
        for call, exchange in list(suspected.items())[:_MOST_REPEATED]:
            kinds = {kind for cause in blame.suspects_of(exchange) for kind, _ in cause}
            plainer_calls = [plainer(call, kind, self.session) for kind in sorted(kinds)]
            for control in (call, *plainer_calls):
                if control not in sent:
                    sent.add(control)
                    steps += steps_of_case(self.session, Case((control,), needs_another_vote=True), "")
        if steps:
            steps += steps_of_case(self.session, Case((self._control,), needs_another_vote=True), "")
        return tuple(steps)

    def _judge_combinations(self, judged: list[Judgement], blame: Blame, watch: Watch) -> None:
        """Send each combination of classes in every encoding, judge it, and forget it."""
        everything = 0 if watch is UNWATCHED else sum(map(len, combinations_of(self.session)))
        done = 0
        shapes = set(blame.log.by_shape)
        for steps in combinations_of(self.session):
            done += len(steps)
            watch.progress(done, everything)
            log = self.session.execute(steps)
            of_log = blame.for_log(log)
            is_new = not shapes.issuperset(log.by_shape)
            shapes.update(log.by_shape)
            for judgement in judged:
                is_wanted = self.finds_all or len(judgement.findings) < _ENOUGH_FINDINGS
                if is_wanted and self._is_about(judgement.check, log, is_new):
                    self._judge_log(judgement, of_log)

    def _is_about(self, check: Check, log: ExchangeLog, is_new: bool) -> bool:
        """Return True if a check has to look at the log of a combination. is_new: an answer has a new shape."""
        if log.unanswered or not log.exchanges:
            return bool(log.unanswered)
        given = check.given
        return (is_new and given.judges_every_shape) or given.judges_combination(
            self.session, log.exchanges[0], check.clause
        )

    def _shrink(self, judgement: Judgement, blame: Blame, draws: int) -> None:
        """Let Hypothesis make a violation smaller that no boundary value shows."""
        cases = judgement.check.given.cases(self.session)
        fixed = {call for case in cases.fixed for call in case.requests if isinstance(call, Call)}
        if (
            not draws
            or cases.strategy is None
            or any(one.evidence.exchange.call in fixed for one in judgement.findings)
        ):
            return
        failing = {one.evidence.exchange.call for one in judgement.findings}
        known = {exchange.call for exchange in blame.log.exchanges_for(judgement.check.clause)} - failing

        def fails(case: Case) -> bool:
            if all(not isinstance(call, Call) or call in known for call in case.requests):
                return False
            found = self._findings_of(judgement.check, case, blame)
            judgement.findings += found
            return bool(found)

        shrink(cases.strategy, seed_of(self.seed, judgement.check.clause), draws, fails)

    def _confirm(self, judgement: Judgement, blame: Blame) -> None:
        """Send the smallest violation once more, and say where it does not come back."""
        smallest, *others = judgement.smallest()
        violation = smallest.violation
        if not self._findings_of(judgement.check, case_of(smallest.evidence, self.session), blame):
            before = (
                f"before it: {describe(one.call)} ({one.call.delivery}): {one.shown_outcome}"
                for one in blame.log.before(smallest.evidence.exchange)
            )
            notes = ("seen once, depends on the calls before it", *violation.notes, *before)
            violation = replace(violation, notes=notes)
        judgement.result.violations = [violation, *(other.violation for other in others)]

    def _findings_of(self, check: Check, case: Case, blame: Blame) -> list[Finding]:
        """Return the violations that one case shows when it is sent alone."""
        log = self.session.execute(steps_of_case(self.session, case, check.clause))
        judgement = Judgement(check, ClauseResult(check.clause))
        self._judge_log(judgement, blame.for_log(log))
        return judgement.findings


def case_of(evidence: Evidence, session: PortalSession) -> Case:
    """Return the requests that show the evidence again."""
    call = evidence.exchange.call
    read = ReadBack(session.rateable.value)
    if isinstance(evidence, CallSequence):
        return Case(tuple(request for exchange in evidence.exchanges for request in (exchange.call, read)))
    if isinstance(evidence, StateChange):
        return Case((call, read), needs_another_vote=True)
    if isinstance(evidence, Comparison | WithoutBase):
        return Case((call, read), (baseline_of(call),), needs_another_vote=True)
    return Case((call,))
