"""Hypothesis as a proposer of cases: it draws, and makes a failing case smaller. It does not hold the verdict."""

import hashlib
from collections.abc import Callable
from typing import Any, Final

from hypothesis import HealthCheck, Phase, Verbosity, given, settings
from hypothesis import seed as set_seed
from hypothesis.errors import HypothesisException
from hypothesis.strategies import SearchStrategy

LONGEST_SEARCH: Final = 200
"""How many cases are spent on making one violation smaller."""


class _Found(Exception):
    """Tells Hypothesis that a case is worth shrinking."""


def search(drawn: SearchStrategy[Any], seed: str, draws: int, fails: Callable[[Any], bool]) -> None:
    """Draws so many cases; from the first that fails, smaller ones. What failed is kept by `fails` itself."""
    number = hashlib.sha256(seed.encode()).digest()
    found, spent = False, 0

    @set_seed(int.from_bytes(number[:8]))
    @settings(
        max_examples=draws,
        database=None,
        deadline=None,
        derandomize=False,
        verbosity=Verbosity.quiet,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
        print_blob=False,
    )
    @given(drawn)
    def attempt(case: Any) -> None:
        nonlocal found, spent
        if found:
            spent += 1
            if spent > LONGEST_SEARCH:
                return
        if fails(case):
            found = True
            raise _Found

    # A violation that does not come back when Hypothesis repeats it is kept all the same.
    try:
        attempt()
    except (_Found, HypothesisException):
        if not found:
            raise
