"""The result of one clause, from where it is judged to where the verdict is decided."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final

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
    history: violations of `effect.history-free` that this clause's calls showed.
    lacking: the reason why nothing could be exercised.
    unrecorded: what the recording lacks of it.
    """

    clause: str
    exchanges: int = 0
    violations: list[Violation] = field(default_factory=list)
    excused: dict[int, list[int]] = field(default_factory=dict)
    observed: dict[str, str] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    history: list[Violation] = field(default_factory=list)
    lacking: str = ""
    unrecorded: str = ""

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

    def document(self, clean: Callable[[str], str]) -> dict[str, Any]:
        """Return the result as plain JSON, as a worker of pytest-xdist hands it to the controller.

        clean: takes secrets out of a text. Ids and classes are the suite's own and stay as they are.
        """

        def cleaned(violation: Violation) -> dict[str, Any]:
            facts = [[label, clean(text)] for label, text in violation.facts]
            return {**asdict(violation), "facts": facts, "notes": list(map(clean, violation.notes))}

        return {
            **asdict(self),
            "violations": list(map(cleaned, self.violations)),
            "history": list(map(cleaned, self.history)),
            "errors": list(map(clean, self.errors)),
            "observed": {label: clean(seen) for label, seen in self.observed.items()},
        }


def result_from(document: Mapping[str, Any]) -> ClauseResult:
    """Return the result that a worker handed over."""

    def violations(name: str) -> list[Violation]:
        return [
            Violation(
                entry["clause"],
                tuple((label, text) for label, text in entry["facts"]),
                entry["classes"],
                tuple(entry["notes"]),
            )
            for entry in document[name]
        ]

    excused = {int(place): counts for place, counts in document["excused"].items()}
    return ClauseResult(
        **{**document, "violations": violations("violations"), "history": violations("history"), "excused": excused}
    )
