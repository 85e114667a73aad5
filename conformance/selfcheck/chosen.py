"""Choose which mutants a test judges in which edition.

To judge every mutant in every edition takes minutes. So a mutant is judged in one edition where its clauses demand the
same in all; the oldest and the newest edition take turns. With WHOLE=1 in the environment each mutant
is judged in every edition that it is for.
"""

import os
from typing import Final

from conformance.contract.clauses import edition_names, load_edition
from conformance.selfcheck.mutants import MUTANTS, must_catch
from conformance.selfcheck.mutation import Variant

WHOLE: Final = bool(os.environ.get("WHOLE"))
OLDEST_AND_NEWEST: Final = (edition_names()[0], edition_names()[-1])
"""An edition between them demands what one of them demands, with other statuses. The kill table holds all editions."""


def alternating(variants: list[Variant]) -> list[tuple[Variant, str]]:
    """Return each mutant or conforming variant with one edition, in turn, or with all of them for WHOLE=1."""
    return [
        (variant, edition)
        for place, variant in enumerate(variants)
        for ends in ([edition for edition in OLDEST_AND_NEWEST if edition in variant.editions],)
        for edition in (variant.editions if WHOLE else [ends[place % len(ends)]])
    ]


def proving() -> list[tuple[Variant, str]]:
    """Return the mutants with editions that prove each judged clause of each edition.

    A mutant is in each edition where its clauses differ between them.
    """
    chosen = dict.fromkeys(alternating(MUTANTS))
    for variant in MUTANTS:
        if len({_demanded(variant, edition) for edition in variant.editions}) > 1:
            chosen |= dict.fromkeys((variant, edition) for edition in variant.editions)
    for edition in edition_names():
        proven = {clause for variant, name in chosen if name == edition for clause in must_catch(variant, edition)}
        for variant in MUTANTS:
            if edition in variant.editions and not must_catch(variant, edition) <= proven:
                chosen[variant, edition] = None
                proven |= must_catch(variant, edition)
    return sorted(chosen, key=lambda pair: (MUTANTS.index(pair[0]), pair[1]))


def _demanded(variant: Variant, edition: str) -> frozenset[tuple[str, frozenset[str]]]:
    """Return the clauses that the mutant violates, each with the codes that it names itself."""
    method = load_edition(edition).method_codes
    clauses = [load_edition(edition).clauses[name] for name in must_catch(variant, edition)]
    return frozenset((clause.id, frozenset() if clause.codes == method else clause.codes) for clause in clauses)
