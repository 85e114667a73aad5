"""One clause on trial: its cases are performed, each record is judged, the smallest violation is kept.

Hypothesis proposes calls and makes a failing one smaller; it does not hold the verdict. What was seen once stays seen,
and a violation that is excused by a known deviation is counted and never raised, so that the search goes on.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

from conformance.contract.clauses import Clause, Edition
from conformance.engine.checks import Feed
from conformance.engine.deviations import Deviation
from conformance.engine.drawing import LONGEST_SEARCH, search
from conformance.engine.evidence import Exchange, Judged, Observation
from conformance.engine.log import ExchangeLog
from conformance.engine.results import MOST_KEPT, ClauseResult
from conformance.engine.session import PortalSession
from conformance.exchange.call import Call
from conformance.exchange.reproduce import describe
from conformance.exchange.violation import ClauseViolated, NotApplicable, Violation
from conformance.target.transports import NoResponse

HISTORY: Final = "effect.history-free"
_ANSWERED: Final = "error.never-5xx"
_FIRST: Final = "documentation.example"
_LATE_CHAPTERS: Final = ("success", "errors")

Body = Callable[[Any], None]


def trial_order(edition: Edition) -> list[str]:
    """The clauses in the order in which they are tried.

    The page's own example comes first: once a vote was accepted, a later refusal of the same vote tells of the state.
    Chapters that judge every shape of answer come late, and the clause that other trials may accuse comes last.
    """

    def place(name: str) -> tuple[bool, bool, bool]:
        return name != _FIRST, edition.clauses[name].chapter in _LATE_CHAPTERS or name == HISTORY, name == HISTORY

    return sorted(edition.clauses, key=place)


@dataclass(slots=True)
class Trial:
    """One clause, the body of its test, and what may be excused."""

    world: PortalSession
    clause: Clause
    feed: Feed
    body: Body
    deviations: tuple[Deviation, ...]
    judges_history: bool
    tally: ClauseResult
    _smallest: tuple[tuple[int, int], Any, Violation] | None = None
    _found: int = 0

    def run(self, seed: int, draws: int) -> None:
        """Performs the clause's own cases, and as many as Hypothesis may draw; leaves the outcome in the tally."""
        space = self.feed.space(self.world)
        self.tally.lacking = space.lacking
        if self.feed.judges_shapes:
            for exchange in tuple(self.world.shapes.values()):
                self._keep(exchange.call, self._judge_asking(exchange.call, exchange, ()))
        for case in space.cases:
            if self._is_judged(case):
                self._keep(case, self._try(case))
        if self._smallest is None and space.strategy is not None and draws:
            search(space.strategy, f"{seed} {self.clause.id}", draws, self._fails)
        if self._smallest is not None:
            self._confirm()

    def sweep(self, transcript: ExchangeLog) -> None:
        """Judges what all encodings of one combination of classes brought; where something is wrong, asks again."""
        if transcript.unanswered:
            self._count_unanswered(transcript)
        if not transcript.exchanges or self._found > LONGEST_SEARCH:
            return
        if not self.feed.sweeps(self.world, transcript.exchanges[0], self.clause.id):
            return
        for record in self.feed.find(self.world, transcript, self.clause.id):
            assert not isinstance(record, Observation)
            case = record.judged.call
            if self._is_judged(case):
                self._keep(case, self._judge_asking(case, record, ()))

    def hear(self, transcript: ExchangeLog, left_out: str) -> None:
        """Judges what a plan brought. Nothing is sent. left_out: what is said where no call is about the clause."""
        self.tally.lacking = self.feed.space(self.world).lacking or left_out
        for record in self.feed.find(self.world, transcript, self.clause.id):
            if isinstance(record, Observation):
                self._observe(record)
            elif self._is_judged(record.judged.call):
                self._keep(record.judged.call, self._judge_telling(record, transcript))
        self._count_unanswered(transcript)
        self.tally.violations = self.tally.violations[:MOST_KEPT]

    def _count_unanswered(self, transcript: ExchangeLog) -> None:
        for call, reason in transcript.unanswered:
            promised = self.world.allowed(call)
            if self.clause.id in (*promised.accepting_clauses, *promised.rejecting_clauses, _ANSWERED):
                self._count_error(reason, call)

    def _judge_telling(self, record: Judged, transcript: ExchangeLog) -> Violation | None:
        """Judges one record of a plan, where the other calls tell what a wrong refusal is due to."""

        def is_due_elsewhere(_: ClauseViolated) -> bool:
            due_to_history = transcript.depends_on_history and self.judges_history and self.clause.id != HISTORY
            known = due_to_history or self._is_known_of_others(record)
            return known or not transcript.explains(record.judged, self.feed.subjects)

        return self._judge(record, (), is_due_elsewhere)

    def _is_known_of_others(self, record: Judged) -> bool:
        """Whether another clause that promised acceptance is known not to hold for these values."""
        others = set(record.judged.allowed.accepting_clauses) - {self.clause.id}
        classes = record.judged.call.classes
        return any(entry.covers(clause, classes) for entry in self.deviations for clause in others)

    def _is_judged(self, case: Any) -> bool:
        """Whether the case belongs to the level of the run: a part of a documented clause may be only implied."""
        if self.world.judges_implied or isinstance(case, tuple):
            return True
        return not any(f"{parameter}:{name}" in self.clause.implied for parameter, name in case.classes.items())

    def _fails(self, case: Any) -> bool:
        violation = self._try(case) if self._is_judged(case) else None
        self._keep(case, violation)
        return violation is not None

    def _try(self, case: Any) -> Violation | None:
        """Performs and judges one case; the violation, unless it is excused or the fault of the calls before."""
        before = tuple(self.world.recent)
        try:
            record = self.feed.perform(self.world, case)
        except NoResponse as failure:
            self._count_error(str(failure), case)
            return None
        if isinstance(record, Observation):
            self._observe(record)
            return None
        return self._judge_asking(case, record, before)

    def _judge_asking(self, case: Any, record: Judged, before: tuple[Exchange, ...]) -> Violation | None:
        """Judges one record where calls are cheap, so that what a wrong refusal is due to can be asked."""

        def is_due_elsewhere(violated: ClauseViolated) -> bool:
            return self._is_history(case, record, violated, before) or self._is_presumption_at_fault(record)

        return self._judge(record, before, is_due_elsewhere)

    def _judge(
        self, record: Judged, before: tuple[Exchange, ...], is_due_elsewhere: Callable[[ClauseViolated], bool]
    ) -> Violation | None:
        """The violation, unless there is none, or it is excused, or due to what the clause is not about."""
        try:
            self.body(record)
        except NotApplicable:
            return None
        except ClauseViolated as violated:
            if violated.may_be_caused_elsewhere and is_due_elsewhere(violated):
                return None
            return self._count(record, violated, before)
        self._count(record, None, before)
        return None

    def _observe(self, record: Observation) -> None:
        if record.seen:
            self.tally.observed[record.label] = record.seen
            self.tally.exchanges += 1

    def _count(self, record: Judged, violated: ClauseViolated | None, before: tuple[Exchange, ...]) -> Violation | None:
        excused = self.tally.count(self.deviations, record.judged.call.classes, violated is not None)
        if violated is None or excused:
            return None
        violation = record.judged.violation(self.clause.id, violated.expected)
        return violation.with_notes(*_told(before))

    def _count_error(self, reason: str, case: Any) -> None:
        line = f"{reason}: {describe(case)}" if isinstance(case, Call) else reason
        if len(self.tally.errors) < MOST_KEPT and line not in self.tally.errors:
            self.tally.errors.append(line)

    def _keep(self, case: Any, violation: Violation | None) -> None:
        if violation is None:
            return
        self._found += 1
        if not any(kept.classes == violation.classes for kept in self.tally.violations):
            self.tally.violations.append(violation)
        size = (sum(name != "absent" for name in violation.classes.values()), len(violation.fact("repeat")))
        if self._smallest is None or size < self._smallest[0]:
            self._smallest = (size, case, violation)

    def _is_presumption_at_fault(self, record: Judged) -> bool:
        """Whether the call is refused for something that the clause is not about."""
        for call in self.feed.presumed(self.world, record.judged.call):
            plainer = self._ask_again(call)
            if plainer is not None and plainer.answer.code and not plainer.is_allowed:
                return True
        return False

    def _ask_again(self, call: Call) -> Exchange | None:
        try:
            return self.world.ask(call)
        except NoResponse:
            return None

    def _is_history(self, case: Any, record: Judged, violated: ClauseViolated, before: tuple[Exchange, ...]) -> bool:
        """Whether the same call, or one that was accepted before, now goes the other way: then the state is at fault.

        The violation is one of effect.history-free then, and this clause is not judged by it.
        """
        if not self.judges_history or self.clause.id == HISTORY:
            return False
        violation = record.judged.violation(HISTORY, f"{violated.expected}, as when the call is sent again")
        if self._holds_now(case):
            self._blame_history(violation, before)
            return True
        control = self.world.control
        if control is None or not record.judged.allowed.must_be_accepted:
            return False
        again = self._ask_again(control.call)
        if again is not None and again.answer.code:
            expected = "accepted, as when the same call was sent before"
            self._blame_history(again.violation(HISTORY, expected), before)
            return True
        return False

    def _holds_now(self, case: Any) -> bool:
        try:
            self.body(self.feed.perform(self.world, case))
        except (NotApplicable, NoResponse, ClauseViolated):
            return False
        return True

    def _blame_history(self, violation: Violation, before: tuple[Exchange, ...]) -> None:
        if len(self.tally.history) < MOST_KEPT:
            self.tally.history.append(violation.with_notes(*_told(before)))

    def _confirm(self) -> None:
        """Puts the smallest violation first, and says whether it comes back when its call is repeated alone."""
        if self._smallest is None:
            return
        _, case, violation = self._smallest
        others = [other for other in self.tally.violations if other.classes != violation.classes]
        if self._holds_now(case):
            violation = replace(violation, notes=("seen once, depends on the calls before it", *violation.notes))
        else:
            kept = tuple(note for note in violation.notes if not note.startswith("before it:"))
            violation = replace(violation, notes=kept)
        self.tally.violations = [violation, *others[: MOST_KEPT - 1]]


def _told(before: tuple[Exchange, ...]) -> tuple[str, ...]:
    return tuple(
        f"before it: {describe(exchange.call)} ({exchange.call.delivery}): {exchange.shown_outcome}"
        for exchange in before
    )
