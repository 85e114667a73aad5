"""What came of the trial of a clause, as it travels from where it was tried to where the verdict is decided."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Final

from conformance.clients.exchange import GateViolation
from conformance.engine.deviations import Deviation
from conformance.engine.evidence import Violation
from conformance.target.secrets import Scrubber

AnyViolation = Violation | GateViolation
MOST_KEPT: Final = 3
"""The violations of one clause that are kept."""


@dataclass(slots=True)
class Tally:
    """What came of the trial of one clause.

    exchanges: how many were judged. excused: for each deviation entry, by its place in the file, how many judged calls
    were inside it and how many of those deviated. lacking: why nothing could be exercised. unrecorded: what the record
    lacks of it.
    """

    clause: str
    exchanges: int = 0
    violations: list[AnyViolation] = field(default_factory=list)
    excused: dict[int, list[int]] = field(default_factory=dict)
    observed: dict[str, str] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    history: list[AnyViolation] = field(default_factory=list)
    lacking: str = ""
    unrecorded: str = ""

    def count(self, deviations: tuple[Deviation, ...], classes: Mapping[str, str], deviated: bool) -> bool:
        """Counts a judged record with values of these classes; whether an entry excuses that it deviated."""
        self.exchanges += 1
        excused = False
        for place, entry in enumerate(deviations):
            if entry.covers(self.clause, classes):
                counts = self.excused.setdefault(place, [0, 0])
                counts[0] += 1
                counts[1] += deviated
                excused = excused or deviated
        return excused


def without_secrets(tally: Tally, scrubber: Scrubber) -> Tally:
    """The tally with secrets taken out of its texts; ids and classes are the suite's own and stay."""

    def clean(violation: AnyViolation) -> AnyViolation:
        texts: dict[str, Any] = {
            entry.name: scrubber.clean(getattr(violation, entry.name))
            for entry in fields(violation)
            if entry.name not in ("clause", "classes", "notes")
        }
        return replace(violation, **texts, notes=tuple(map(scrubber.clean, violation.notes)))

    return replace(
        tally,
        violations=list(map(clean, tally.violations)),
        history=list(map(clean, tally.history)),
        errors=list(map(scrubber.clean, tally.errors)),
        observed={label: scrubber.clean(seen) for label, seen in tally.observed.items()},
    )
