"""The words in which the tests of the suite are written.

A test names its clause and its feed; its body says what must hold of one record. The fixture `judge` comes to records
in the mode of the run and judges each with the body.
"""

from collections.abc import Callable
from typing import Any

import pytest

from conformance.clients.runner import Rounds, Sent
from conformance.engine.cases import CallTemplate, Cases, boundary
from conformance.engine.checks import Feed, calls, effects, listed, observations, pairs, stories
from conformance.exchange.violation import assume, require

__all__ = [
    "CallTemplate",
    "Cases",
    "Rounds",
    "Sent",
    "assume",
    "boundary",
    "calls",
    "clause",
    "effects",
    "listed",
    "observations",
    "pairs",
    "require",
    "stories",
]

Body = Callable[[Any], None]
Judge = Callable[[str], None]


def clause(name: str, feed: Feed | Rounds | Sent) -> Callable[[Body], Callable[[Judge], None]]:
    """Makes a test of a clause out of what must hold of each record of the feed."""

    def decorate(body: Body) -> Callable[[Judge], None]:
        @pytest.mark.clause(name, feed, body)
        def test(judge: Judge) -> None:
            judge(name)

        test.__name__ = body.__name__
        test.__qualname__ = body.__qualname__
        test.__module__ = body.__module__
        test.__doc__ = body.__doc__
        return test

    return decorate
