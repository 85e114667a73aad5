"""The violation of a clause: how a test states a violation, and how every report shows one."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

_DELIVERY_LABEL: Final = "way"
"""The label of the fact about the delivery. Reports show this fact on the line of the call."""


class ClauseViolated(Exception):
    """A test raises this error if its clause does not hold.

    expected: the permitted answer, in words.
    read_back: the stored vote, in words, where the clause is about it.
    may_be_caused_elsewhere: True for a wrong refusal and for a wrong code. Then another value of the call, or
    an earlier call, may be the cause.
    """

    def __init__(self, expected: str, may_be_caused_elsewhere: bool = False, read_back: str = "") -> None:
        super().__init__(expected)
        self.expected = expected
        self.read_back = read_back
        self.may_be_caused_elsewhere = may_be_caused_elsewhere


class NotApplicable(Exception):
    """A test raises this error if its clause makes no demand on this answer."""


class ReadBackMissing(NotApplicable):
    """A test raises this error if it needs a read-back that is not there.

    reason: why a read-back that was sent shows no vote; empty if none was sent.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def require(condition: bool, expected: str, read_back: str = "") -> None:
    """Raise ClauseViolated unless the condition holds. Unlike `assert`, this also works under `python -O`."""
    if not condition:
        raise ClauseViolated(expected, read_back=read_back)


def assume(condition: bool) -> None:
    """Raise NotApplicable unless the condition holds: the clause makes no demand on other cases."""
    if not condition:
        raise NotApplicable


@dataclass(frozen=True, slots=True)
class Violation:
    """One violation of a clause by a portal or by a client library.

    clause: the id of the clause.
    facts: labels and texts in reading order.
    classes: the equivalence class of each parameter.
    notes: further sentences, shown below the facts.
    """

    clause: str
    facts: tuple[tuple[str, str], ...]
    classes: Mapping[str, str]
    notes: tuple[str, ...] = ()

    def fact(self, label: str) -> str:
        """Return the text of one fact, or the empty text if there is no such fact."""
        return dict(self.facts).get(label, "")

    def with_read_back(self, text: str) -> "Violation":
        """Return the violation with the stored vote as a fact before the line that repeats the call."""
        fact = ("read back", text)
        return replace(self, facts=(*self.facts[:-1], fact, *self.facts[-1:])) if text else self

    def with_notes(self, *notes: str) -> "Violation":
        """Return the violation with further notes at its end."""
        return replace(self, notes=(*self.notes, *notes))

    def document(self) -> dict[str, Any]:
        """Return the violation as report.json holds one. The id of the clause stands elsewhere in the report."""
        facts = {label.replace(" ", "_"): text for label, text in self.facts}
        return {**facts, "classes": dict(self.classes), "notes": list(self.notes)}


def shown_facts(violation: Violation | Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return labels and texts for a person, with the delivery on the line of the call.

    violation: a Violation, or its JSON object in a report.
    """
    shown: list[tuple[str, str]] = []
    for label, text in violation.facts if isinstance(violation, Violation) else _facts_of(violation):
        if label == _DELIVERY_LABEL and shown:
            shown[-1] = (shown[-1][0], f"{shown[-1][1]}   {text}")
        else:
            shown.append((label, text))
    return shown


def _facts_of(document: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    others: Iterable[str] = ("classes", "notes")
    return tuple((key.replace("_", " "), text) for key, text in document.items() if key not in others)


def printable(text: str, longest: int) -> str:
    """Return a text as one line without control characters, cut after the longest permitted length."""
    shown = text[:longest]
    shown = "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in shown)
    return shown if len(text) <= longest else f"{shown}… ({len(text):,} characters)"
