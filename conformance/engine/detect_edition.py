"""Finds the edition of a portal by the codes of a few calls that no portal can take for a vote."""

from dataclasses import dataclass
from typing import Final

from conformance.contract.classes import RATINGS
from conformance.contract.clauses import editions_naming
from conformance.engine.cases import value_of
from conformance.errors import UserError
from conformance.exchange.call import NOTHING, Call, ClassifiedValue
from conformance.exchange.reproduce import describe
from conformance.target.client import Portal
from conformance.target.transports import NoResponse

CALLS: Final = 3
"""The most calls that are sent."""


@dataclass(frozen=True, slots=True)
class DetectedEdition:
    """An edition, and the answers of the portal that show it."""

    edition: str
    evidence: tuple[str, ...]


def detect_edition(portal: Portal) -> DetectedEdition:
    """Return the edition that alone has the portal's codes. Raise UserError if the codes do not show one."""
    sessions = portal.target.sessions
    five_stars = value_of(RATINGS, "5")
    calls = [Call(NOTHING, five_stars), Call(ClassifiedValue("rateable", sessions["rateable"]))]
    if "unknown" in sessions:
        calls.append(Call(ClassifiedValue("unknown", sessions["unknown"]), five_stars))
    evidence: list[str] = []
    detected: set[str] = set()
    for call in calls:
        try:
            code = portal.send(call).code
        except NoResponse as failure:
            raise UserError(f"--edition auto: {failure}: check the url and that the portal is up") from None
        naming = editions_naming(code)
        if len(naming) == 1:
            detected.add(naming[0])
            evidence.append(
                f"edition {naming[0]}: {describe(call)} is refused with {code}, a code of that edition only"
            )
    if len(detected) != 1:
        why = "codes of both editions" if detected else "no code that is of one edition only"
        raise UserError(f"--edition auto: the portal answers {why}: give --edition 2024-10 or 2026-03")
    return DetectedEdition(detected.pop(), tuple(evidence))
