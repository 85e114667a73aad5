"""Lying portals, the reference portal with one fault each. They stand in files by what they lie about.

The docstring of a fault says how the portal lies, the decorator which clauses must see it.
"""

from typing import Final

from conformance.contract.clauses import load_edition
from conformance.selfcheck import (
    mutants_answers,
    mutants_effects,
    mutants_look_alikes,
    mutants_transport,
    mutants_values,
)
from conformance.selfcheck.mutation import Variant, mutants_of

MUTANTS: Final = [
    *mutants_of(mutants_values),
    *mutants_of(mutants_answers),
    *mutants_of(mutants_transport),
    *mutants_of(mutants_effects),
    *mutants_of(mutants_look_alikes),
]


def must_catch(fault: Variant, edition: str) -> set[str]:
    """Return the clauses of the edition that must catch a fault."""
    return set(fault.clauses) & load_edition(edition).clauses.keys()
