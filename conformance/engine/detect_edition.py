"""Which edition does a portal speak? A few calls that no portal can take for a vote tell it by their codes."""

from dataclasses import dataclass
from typing import Final

from conformance.contract.classes import RATINGS
from conformance.contract.clauses import editions_naming
from conformance.engine.cases import boundary
from conformance.errors import UserError
from conformance.exchange.call import NOTHING, Call, ClassifiedValue
from conformance.exchange.reproduce import describe
from conformance.target.client import Portal
from conformance.target.transports import NoResponse

CALLS: Final = 3
"""The most calls that are sent."""


@dataclass(frozen=True, slots=True)
class DetectedEdition:
    """An edition, and what the portal answered that speaks for it."""

    edition: str
    evidence: tuple[str, ...]


def detect_edition(portal: Portal) -> DetectedEdition:
    """The edition of which the portal's codes are, when they are of one only. Raises Problem where they do not tell."""
    sessions = portal.target.sessions
    calls = [Call(NOTHING, boundary(RATINGS, "5")), Call(ClassifiedValue("rateable", sessions["rateable"]))]
    if "unknown" in sessions:
        calls.append(Call(ClassifiedValue("unknown", sessions["unknown"]), boundary(RATINGS, "5")))
    evidence: list[str] = []
    told: set[str] = set()
    for call in calls:
        try:
            code = portal.send(call).code
        except NoResponse as failure:
            raise UserError(f"--edition auto: {failure}: check the url and that the portal is up") from None
        naming = editions_naming(code)
        if len(naming) == 1:
            told.add(naming[0])
            evidence.append(
                f"edition {naming[0]}: {describe(call)} is refused with {code}, a code of that edition only"
            )
    if len(told) != 1:
        why = "codes of both editions" if told else "no code that is of one edition only"
        raise UserError(f"--edition auto: the portal answers {why}: give --edition 2024-10 or 2026-03")
    return DetectedEdition(told.pop(), tuple(evidence))
