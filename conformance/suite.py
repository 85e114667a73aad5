"""The words in which the tests of the suite are written.

A test names its clause and what it is given; its body says what must hold of it. A test sends nothing: a run sends its
requests and judges them before pytest comes to the first test, which then shows the verdict on its clause.

    @clause("rating.rejects-outside", exchange=calls(rating=OUTSIDE, comment=WITH_OR_WITHOUT))
    def test_a_rating_outside_1_to_5_is_refused(exchange: Exchange) -> None:
        exchange.must_be_refused()
"""

import inspect
from collections.abc import Callable
from functools import cache
from importlib import import_module
from importlib.resources import files
from typing import Any, Final

import pytest

from conformance.clients.checks import client_calls, every_round, requests_sent
from conformance.engine.cases import Case, Cases, Optionals, Values, value_of
from conformance.engine.checks import (
    Check,
    Given,
    calls,
    comparisons,
    listed,
    observations,
    observed_where_silent,
    sequences,
    state_changes,
)
from conformance.exchange.violation import assume, require

__all__ = [
    "Case",
    "Cases",
    "Given",
    "Optionals",
    "Values",
    "assume",
    "calls",
    "clause",
    "client_calls",
    "comparisons",
    "every_round",
    "listed",
    "observations",
    "observed_where_silent",
    "requests_sent",
    "require",
    "sequences",
    "state_changes",
    "value_of",
]

Body = Callable[[Any], None]
ConcludeClause = Callable[[Check], None]
_CLIENT_CHAPTER: Final = "test_client"


def clause(name: str, **given: Given) -> Callable[[Body], Callable[..., None]]:
    """Make a test of a clause out of a body that judges one piece of evidence.

    given: one keyword, the name of the body's argument; its value says where the evidence comes from.
    """
    [(argument, what)] = given.items()

    def decorate(body: Body) -> Callable[..., None]:
        if list(inspect.signature(body).parameters) != [argument]:
            raise TypeError(f"{body.__name__}: name its only argument {argument}")
        check = Check(name, what, body)

        # The id of the clause is the id of the test, so that node ids can be copied out of reports.
        @pytest.mark.clause(check)
        @pytest.mark.parametrize("judged", [pytest.param(check, id=name)])
        def test(judged: Check, conclude_clause: ConcludeClause) -> None:
            conclude_clause(judged)

        # Not functools.wraps: pytest would then look for a fixture with the name of the body's argument.
        test.__name__ = body.__name__
        test.__qualname__ = body.__qualname__
        test.__module__ = body.__module__
        test.__doc__ = body.__doc__
        return test

    return decorate


@cache
def portal_checks() -> tuple[Check, ...]:
    """Return the checks of all chapters for portals."""
    return tuple(check for name in _chapters() if name != _CLIENT_CHAPTER for check in _checks_of(name))


@cache
def client_checks() -> tuple[Check, ...]:
    """Return the checks of client libraries."""
    return tuple(_checks_of(_CLIENT_CHAPTER))


def _chapters() -> list[str]:
    names = (entry.name for entry in files("conformance").iterdir())
    return sorted(name.removesuffix(".py") for name in names if name.startswith("test_"))


def _checks_of(module: str) -> list[Check]:
    members = vars(import_module(f"conformance.{module}")).values()
    marks = (mark for member in members for mark in getattr(member, "pytestmark", []))
    return [mark.args[0] for mark in marks if mark.name == "clause"]
