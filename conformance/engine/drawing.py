"""Hypothesis as a proposer: it draws cases, and makes a failing one smaller. It does not hold the verdict."""

import hashlib
from collections.abc import Callable
from typing import Any, Final

from hypothesis import HealthCheck, Phase, Verbosity, given, settings
from hypothesis import seed as set_seed
from hypothesis.errors import HypothesisException
from hypothesis.strategies import SearchStrategy

_LONGEST_SHRINK: Final = 200
"""How many cases are tried to make one violation smaller."""


class _Fails(Exception):
    """Makes Hypothesis shrink a case."""


def propose(strategy: SearchStrategy[Any], seed: str, draws: int) -> list[Any]:
    """Return the cases that Hypothesis draws. The same seed gives the same cases."""
    cases: list[Any] = []
    _draw(strategy, seed, draws, (Phase.generate,), cases.append)
    return cases


def shrink(strategy: SearchStrategy[Any], seed: str, draws: int, fails: Callable[[Any], bool]) -> None:
    """Draw the same cases as `propose`. From the first that fails on, try smaller ones.

    fails: returns True if a case fails; it keeps what it needs.
    """
    found, tried = False, 0

    def attempt(case: Any) -> None:
        nonlocal found, tried
        if found:
            tried += 1
        if tried <= _LONGEST_SHRINK and fails(case):
            found = True
            raise _Fails

    # A violation that does not come back when Hypothesis repeats it is kept by `fails` all the same.
    try:
        _draw(strategy, seed, draws, (Phase.generate, Phase.shrink), attempt)
    except (_Fails, HypothesisException):
        if not found:
            raise


def _draw(
    strategy: SearchStrategy[Any], seed: str, draws: int, phases: tuple[Phase, ...], use: Callable[[Any], None]
) -> None:
    @set_seed(int.from_bytes(hashlib.sha256(seed.encode()).digest()[:8]))
    @settings(
        max_examples=draws,
        database=None,
        deadline=None,
        derandomize=False,
        verbosity=Verbosity.quiet,
        phases=phases,
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
        print_blob=False,
    )
    @given(strategy)
    def each(case: Any) -> None:
        use(case)

    each()
