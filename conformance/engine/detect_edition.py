"""Finds the edition of a portal by the codes of a few calls that no portal can take for a vote."""

from dataclasses import dataclass
from typing import Final

from conformance.contract.classes import RATINGS
from conformance.contract.clauses import edition_names, editions_naming, load_edition
from conformance.engine.cases import value_of
from conformance.errors import UserError
from conformance.exchange.call import NOTHING, Call, Caller, ClassifiedValue, Delivery
from conformance.exchange.reproduce import describe
from conformance.exchange.response import Response
from conformance.target.client import Portal
from conformance.target.transports import NoResponse

CALLS: Final = 4
"""The most calls that are sent."""


@dataclass(frozen=True, slots=True)
class DetectedEdition:
    """An edition, and the answers of the portal that show it."""

    edition: str
    evidence: tuple[str, ...]


def detect_edition(portal: Portal) -> DetectedEdition:
    """Return the edition that alone documents the portal's answers. Raise UserError if they do not show one."""
    sessions = portal.target.sessions
    five_stars = value_of(RATINGS, "5")
    calls = [Call(NOTHING, five_stars), Call(ClassifiedValue("rateable", sessions["rateable"]))]
    if "unknown" in sessions:
        calls.append(Call(ClassifiedValue("unknown", sessions["unknown"]), five_stars))
    evidence: list[str] = []
    possible = set(edition_names())
    for call in calls:
        code = _send(portal, call).code
        possible &= _narrowed(editions_naming(code), describe(call), code, evidence)
    if len(possible) > 1:
        # Editions with the same method codes may differ in the statuses of the system error table.
        call = Call(NOTHING, five_stars, delivery=Delivery(caller=Caller.WRONG_SECRET))
        answer = _send(portal, call)
        row = (answer.code, answer.status)
        naming = [name for name in edition_names() if row in load_edition(name).system_codes.items()]
        shown = f"{answer.code} at HTTP status {answer.status}"
        possible &= _narrowed(naming, "a wrong secret", shown, evidence)
    if len(possible) != 1:
        why = f"what editions {' and '.join(sorted(possible))} document" if possible else "codes of several editions"
        raise UserError(f"--edition auto: the portal answers {why}: give --edition {' or '.join(edition_names())}")
    return DetectedEdition(possible.pop(), tuple(evidence))


def _send(portal: Portal, call: Call) -> Response:
    try:
        return portal.send(call)
    except NoResponse as failure:
        raise UserError(f"--edition auto: {failure}: check the url and that the portal is up") from None


def _narrowed(naming: list[str], call: str, answer: str, evidence: list[str]) -> set[str]:
    """Return the editions that an answer leaves possible, and add a sentence to the evidence if it excludes one."""
    if not naming or naming == edition_names():
        return set(edition_names())
    evidence.append(f"edition {' or '.join(naming)}: {call} is refused with {answer}, as no other edition documents")
    return set(naming)
