"""The result of one clause, from where it is judged to where the verdict is decided."""

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from conformance.engine.deviations import Deviation
from conformance.engine.narrowing import Classes
from conformance.exchange.violation import Violation

_MOST_LOST: Final = 10
"""One call of so many may be lost."""
MOST_KEPT: Final = 3
"""The violations of one clause that a report shows, unless a deviation file is written from it."""


@dataclass(slots=True)
class ClauseResult:
    """The result of one clause.

    exchanges: how many were judged.
    violations: one of each combination of classes, the smallest first.
    held: the classes of the calls for which the clause held.
    deviation_counts: by the place of a deviation entry, how many judged calls were inside it, how many deviated.
    observed: by label, the words that two runs are compared by.
    errors: why a call could not be judged, one line each.
    lost: how many calls were not answered, so that nothing of them could be judged.
    first_lost: the first of them, and why.
    judged_kinds, lost_kinds: the kinds of the calls that were judged, and of those that were not answered.
    lost_at: the answers from which a client library did not come back; "" for calls that were lost in another way.
    behind_hangs: by the place of a deviation entry, how many calls were not judged because of the hang that it lists.
    why_not_exercised: the reason why nothing could be exercised.
    why_not_passed: why calls that it needs were not sent, or are not on the recording.
    """

    clause: str
    exchanges: int = 0
    violations: list[Violation] = field(default_factory=list)
    held: set[Classes] = field(default_factory=set)
    deviation_counts: dict[int, list[int]] = field(default_factory=dict)
    observed: dict[str, str] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    lost: int = 0
    first_lost: str = ""
    judged_kinds: set[Hashable] = field(default_factory=set)
    lost_kinds: set[Hashable] = field(default_factory=set)
    lost_at: set[str] = field(default_factory=set)
    behind_hangs: Counter[int] = field(default_factory=Counter)
    why_not_exercised: str = ""
    why_not_passed: str = ""

    @property
    def sent(self) -> int:
        """Return how many calls were sent that the clause judges, as far as their answers show."""
        return self.exchanges + self.lost

    @property
    def lost_note(self) -> str:
        """Return a line about the calls that were not answered; the empty text where there are none."""
        return f"{self.lost} of {self.sent} calls were not answered: {self.first_lost}" if self.lost else ""

    @property
    def is_incomplete(self) -> bool:
        """Return True if more than a tenth of the calls was not answered, or all of one kind."""
        return self.lost * _MOST_LOST > self.sent or not self.lost_kinds <= self.judged_kinds

    def count_lost(self, line: str, kinds: Iterable[Hashable], hung_at: str = "") -> None:
        """Count a call that was not answered.

        line: the reason, and the call.
        kinds: what the clause is about in this call.
        hung_at: the name of the answer from which a client library did not come back, if that is the reason.
        """
        self.lost += 1
        self.first_lost = self.first_lost or line
        self.lost_kinds.update(kinds)
        self.lost_at.add(hung_at)

    def count(self, deviations: tuple[Deviation, ...], classes: Mapping[str, str], deviated: bool) -> bool:
        """Count a judged call with values of these classes. Return True if a known deviation excuses it."""
        self.exchanges += 1
        if not deviated:
            self.held.add(tuple(classes.items()))
        excused = False
        for place, entry in enumerate(deviations):
            if entry.covers(self.clause, classes):
                counts = self.deviation_counts.setdefault(place, [0, 0])
                counts[0] += 1
                excuses = deviated and entry.excuses(self.clause, classes)
                counts[1] += excuses
                excused = excused or excuses
        return excused
