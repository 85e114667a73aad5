"""Judging one piece of evidence by the body of a test, for portals and for client libraries alike."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from conformance.engine.checks import Check
from conformance.engine.deviations import Deviation
from conformance.engine.results import MOST_KEPT, ClauseResult
from conformance.exchange.violation import ClauseViolated, NotApplicable, ReadBackMissing, Violation


class HasExchange(Protocol):
    """Evidence that the body of a test can judge; `exchange` is what a report shows of it."""

    @property
    def exchange(self) -> Any: ...


@dataclass(frozen=True, slots=True)
class Finding:
    """A violation and the evidence that shows it."""

    evidence: Any
    violation: Violation

    @property
    def size(self) -> tuple[Any, ...]:
        """Return how plain the call is: in plain JSON and alone, few parameters, a short line to repeat it."""
        filled = sum(name != "absent" for name in self.violation.classes.values())
        return *self.evidence.exchange.oddness, filled, len(self.violation.fact("repeat"))


@dataclass(slots=True)
class Judgement:
    """What was found of one check so far.

    explained: how many wrong answers have a cause that other clauses are about.
    suspected: exchanges whose wrong refusal may have another cause.
    excused: exchanges whose violation a known deviation excuses.
    """

    check: Check
    result: ClauseResult
    findings: list[Finding] = field(default_factory=list)
    explained: int = 0
    suspected: list[Any] = field(default_factory=list)
    excused: list[Any] = field(default_factory=list)

    def smallest(self) -> list[Finding]:
        """Return the smallest violation of each combination of classes, the smallest of all first."""
        kept: dict[tuple[str, ...], Finding] = {}
        for finding in sorted(self.findings, key=lambda one: one.size):
            kept.setdefault(tuple(finding.violation.classes.values()), finding)
        return list(kept.values())

    def judge(
        self,
        evidence: HasExchange,
        deviations: tuple[Deviation, ...],
        is_caused_elsewhere: Callable[[Check, Any], bool] = lambda _check, _exchange: False,
    ) -> bool:
        """Judge one piece of evidence. Return False if the clause says nothing about it. Raise ReadBackMissing.

        A violation is kept unless a known deviation excuses it, or its cause lies elsewhere.
        """
        exchange = evidence.exchange
        try:
            self.check.body(evidence)
        except ReadBackMissing:
            raise
        except NotApplicable:
            return False
        except ClauseViolated as violated:
            if violated.may_be_caused_elsewhere:
                self.suspected.append(exchange)
                if is_caused_elsewhere(self.check, exchange):
                    self.explained += 1
                    return True
            if self.result.count(deviations, exchange.classes, deviated=True):
                self.excused.append(exchange)
            else:
                violation = exchange.violation(self.check.clause, violated.expected)
                self.findings.append(Finding(evidence, violation.with_read_back(violated.read_back)))
            return True
        except Exception as error:  # noqa: BLE001 - a fault of the suite must not hide the judgement of other clauses
            self.add_error(f"the suite itself failed: {type(error).__name__}")
            return True
        self.result.count(deviations, exchange.classes, deviated=False)
        return True

    def add_error(self, line: str) -> None:
        """Keep the reason why a call could not be judged."""
        errors = self.result.errors
        if len(errors) < MOST_KEPT and line not in errors:
            errors.append(line)
