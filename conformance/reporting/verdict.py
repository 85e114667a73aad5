"""The one place where results become a verdict. Every writer only shows what is decided here."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from conformance.contract.clauses import Clause
from conformance.engine.deviations import Deviation
from conformance.engine.narrowing import Classes
from conformance.engine.results import MOST_KEPT, ClauseResult
from conformance.exchange.violation import Violation


class Status(StrEnum):
    """What is said of one clause."""

    PASSED = "passed"
    FAILED = "failed"
    KNOWN_DEVIATION = "known-deviation"
    DEVIATION_GONE = "deviation-gone"
    INCOMPLETE = "incomplete"
    NOT_EXERCISED = "not-exercised"
    NOT_OFFERED = "not-offered"
    NOT_SELECTED = "not-selected"
    OBSERVED = "observed"
    ERROR = "error"


class Verdict(StrEnum):
    """What is said of the run."""

    CONFORMANT = "conformant"
    WITH_DEVIATIONS = "conformant-with-deviations"
    DEVIATIONS_OUTDATED = "deviations-outdated"
    INCOMPLETE = "incomplete"
    NOT_CONFORMANT = "not-conformant"


_UNEXERCISED: Final = "no answer was of the kind that this clause judges"
_EXIT_0: Final = (Verdict.CONFORMANT, Verdict.WITH_DEVIATIONS)


@dataclass(frozen=True, slots=True)
class Selection:
    """What the run was about. collected: clauses whose tests were to run; stopped: the user's own -x ended it early.

    unrecorded: how many requests were not on the record.
    """

    collected: frozenset[str]
    not_offered: frozenset[str]
    stopped: bool
    allow_incomplete: bool
    unrecorded: int = 0


@dataclass(frozen=True, slots=True)
class ClauseVerdict:
    """A clause and what is said of it.

    exchanges: how many were judged.
    deviations: the entries that excused something or are outdated.
    lost: how many calls were not answered.
    hung_at: the answers from which a client library did not come back, if all lost calls were lost so.
    outdated: the entries whose clause holds again, whatever else is said of the clause.
    held: the classes of the calls for which it held.
    """

    clause: Clause
    status: Status
    exchanges: int
    violations: tuple[Violation, ...]
    deviations: tuple[Deviation, ...]
    observed: Mapping[str, str]
    note: str
    lost: int = 0
    hung_at: tuple[str, ...] = ()
    outdated: tuple[Deviation, ...] = ()
    held: frozenset[Classes] = frozenset()


@dataclass(frozen=True, slots=True)
class RunVerdict:
    """The verdict of a run, its clauses in reading order, and the exit status that follows."""

    verdict: Verdict
    exit_status: int
    clauses: tuple[ClauseVerdict, ...]

    def with_status(self, *statuses: Status) -> list[ClauseVerdict]:
        return [entry for entry in self.clauses if entry.status in statuses]


def decide(clauses: Mapping[str, Clause], verdicts: Mapping[str, ClauseVerdict], selection: Selection) -> RunVerdict:
    """Return the verdict of a run from those on its clauses."""
    entries = tuple(verdicts.get(clause.id) or _unjudged(clause, selection) for clause in clauses.values())
    statuses = {entry.status for entry in entries}
    judged = any(entry.exchanges for entry in entries if entry.status is not Status.OBSERVED)
    unexercised = [
        entry for entry in entries if entry.status is Status.NOT_EXERCISED and entry.clause.level == "documented"
    ]
    if Status.FAILED in statuses:
        verdict = Verdict.NOT_CONFORMANT
    elif Status.DEVIATION_GONE in statuses:
        verdict = Verdict.DEVIATIONS_OUTDATED
    elif not judged or statuses & {Status.ERROR, Status.INCOMPLETE} or unexercised or selection.unrecorded:
        verdict = Verdict.INCOMPLETE
    elif Status.KNOWN_DEVIATION in statuses:
        verdict = Verdict.WITH_DEVIATIONS
    else:
        verdict = Verdict.CONFORMANT
    waived = selection.allow_incomplete and judged and Status.ERROR not in statuses
    fine = verdict in _EXIT_0 or (verdict is Verdict.INCOMPLETE and waived)
    return RunVerdict(verdict, 0 if fine else 1, entries)


def decide_clause(
    clause: Clause, result: ClauseResult, deviations: tuple[Deviation, ...], most: int | None = MOST_KEPT
) -> ClauseVerdict:
    """Return the verdict on one clause that was judged. most: how many violations are kept, None for all."""
    excusing = [deviations[place] for place, (_, deviated) in result.deviation_counts.items() if deviated]
    outdated = [
        deviations[place] for place, (judged, deviated) in result.deviation_counts.items() if judged and not deviated
    ]
    violations = tuple(result.violations[:most])
    note = ""
    if result.why_not_passed and not violations:
        status, note = Status.NOT_EXERCISED, result.why_not_passed
    elif clause.level == "observed":
        status = Status.OBSERVED if result.observed else Status.NOT_EXERCISED
        note = "" if result.observed else result.why_not_exercised
    elif violations:
        status = Status.FAILED
    elif result.errors:
        status, note = Status.ERROR, result.errors[0]
    elif result.is_incomplete:
        status, note = Status.INCOMPLETE, result.lost_note
    elif outdated:
        status = Status.DEVIATION_GONE
        note = "this deviation holds no longer, remove it: " + "; ".join(entry.reason for entry in outdated)
    elif result.exchanges and (excusing or result.behind_hangs):
        status = Status.KNOWN_DEVIATION
        note = "; ".join(entry.reason for entry in excusing)
    elif result.exchanges:
        status = Status.PASSED
    else:
        status, note = Status.NOT_EXERCISED, result.why_not_exercised or _UNEXERCISED
    if result.lost_note and result.lost_note not in note:
        note = "; ".join(filter(None, (note, result.lost_note)))
    hangs = {deviations[place].reason: count for place, count in result.behind_hangs.items()}
    hung = [f"{count} of its calls not judged: known hang, {reason}" for reason, count in hangs.items()]
    note = "; ".join(filter(None, (note, *hung)))
    entries = tuple(outdated or [*excusing, *(deviations[place] for place in result.behind_hangs)])
    return ClauseVerdict(
        clause,
        status,
        result.exchanges,
        violations,
        entries,
        result.observed,
        note,
        lost=result.lost,
        hung_at=tuple(sorted(result.lost_at)) if "" not in result.lost_at else (),
        outdated=tuple(outdated),
        held=frozenset(result.held),
    )


def _unjudged(clause: Clause, selection: Selection) -> ClauseVerdict:
    if clause.id in selection.not_offered:
        status, note = Status.NOT_OFFERED, "the target file says so"
    elif clause.id in selection.collected and not selection.stopped:
        status, note = Status.NOT_EXERCISED, "the run ended before it"
    else:
        status, note = Status.NOT_SELECTED, ""
    return ClauseVerdict(clause, status, 0, (), (), {}, note)
