"""The result of one clause, from where it is judged to where the verdict is decided."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from conformance.engine.deviations import Deviation
from conformance.exchange.violation import Violation

MOST_KEPT: Final = 3
"""The violations of one clause that are kept."""


@dataclass(slots=True)
class ClauseResult:
    """The result of one clause.

    exchanges: how many were judged.
    excused: by the place of a deviation entry in its file, how many judged calls were inside it, how many deviated.
    observed: by label, the words that two runs are compared by.
    errors: calls that were not answered, one line each.
    lacking: the reason why nothing could be exercised.
    missing: why calls that it needs were not sent, or are not on the recording; then it has not passed.
    """

    clause: str
    exchanges: int = 0
    violations: list[Violation] = field(default_factory=list)
    excused: dict[int, list[int]] = field(default_factory=dict)
    observed: dict[str, str] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    lacking: str = ""
    missing: str = ""

    def count(self, deviations: tuple[Deviation, ...], classes: Mapping[str, str], deviated: bool) -> bool:
        """Count a judged call with values of these classes. Return True if a known deviation excuses it."""
        self.exchanges += 1
        excused = False
        for place, entry in enumerate(deviations):
            if entry.covers(self.clause, classes):
                counts = self.excused.setdefault(place, [0, 0])
                counts[0] += 1
                counts[1] += deviated
                excused = excused or deviated
        return excused
