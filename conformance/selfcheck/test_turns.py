"""Which case of the gate is asked next, and when a program gives its place to another."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from conformance.clients.cases import VOTE
from conformance.clients.exchange import ClientCase
from conformance.clients.turns import Place, Waiting
from conformance.exchange.call import Call
from conformance.portals.scripts import DROPPED, RESULTS, TRUE

pytestmark = pytest.mark.quick
PLAIN = ClientCase(VOTE, TRUE)
LOST = ClientCase(VOTE, DROPPED)
AFTER_LOST = ClientCase(VOTE, TRUE, (LOST, LOST))
FALSE = ClientCase(VOTE, RESULTS[0])


def test_what_a_library_may_wait_for_comes_first() -> None:
    assert Waiting.of([PLAIN, FALSE, AFTER_LOST]).cases == [AFTER_LOST, FALSE, PLAIN]


def test_an_answer_is_tried_for_the_first_time_by_one_program_alone() -> None:
    waiting = Waiting.of([LOST, AFTER_LOST, FALSE, PLAIN])
    with waiting.next() as first, waiting.next() as second:
        assert (first, second) == (AFTER_LOST, FALSE)
    another = ClientCase(Call(VOTE.session), DROPPED)
    waiting.cases.append(another)
    with waiting.next() as first, waiting.next() as second, waiting.next() as third, waiting.next() as fourth:
        assert (first, second, third, fourth) == (LOST, PLAIN, another, None)


def test_no_program_is_idle_where_only_such_answers_are_left() -> None:
    waiting = Waiting.of([LOST, AFTER_LOST])
    with waiting.next() as first, waiting.next() as second:
        assert (first, second) == (AFTER_LOST, LOST)


@dataclass
class Clock:
    """Stands in for threading.Timer: its time passes when the test says so."""

    seconds: float
    function: Callable[[], None]
    daemon: bool = False
    is_cancelled: bool = field(default=False)

    def start(self) -> None:
        CLOCKS.append(self)

    def cancel(self) -> None:
        self.is_cancelled = True


CLOCKS: list[Clock] = []


def test_a_program_gives_its_place_away_while_its_call_is_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threading, "Timer", Clock)
    CLOCKS.clear()
    places = threading.Semaphore(1)
    place = Place(places)
    with place.working(starts=True):
        assert not places.acquire(blocking=False)
    with place.working(starts=False):
        assert not places.acquire(blocking=False)
        CLOCKS[-1].function()
        assert places.acquire(blocking=False)
    assert all(clock.is_cancelled for clock in CLOCKS)
    assert CLOCKS[0].seconds > CLOCKS[1].seconds
    places.release()
    with place.working(starts=False):
        assert not places.acquire(blocking=False)
    place.leave()
    place.leave()
    assert places.acquire(blocking=False)
    assert not places.acquire(blocking=False)
