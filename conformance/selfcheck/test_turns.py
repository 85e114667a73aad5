"""Which case of the gate is asked next, and when a program gives its place to another."""

import threading

import pytest

from conformance.clients import turns
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


def test_a_program_gives_its_place_away_while_it_waits_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "_LONG_SECONDS", 0.001)
    places = threading.Semaphore(1)
    place, looked, arrived = Place(places), threading.Event(), threading.Event()

    def is_waiting() -> bool:
        looked.set()
        return arrived.is_set()

    with place.working(is_waiting):
        assert looked.wait(30)
        assert not places.acquire(blocking=False)
        arrived.set()
        assert places.acquire(timeout=30)
    places.release()
    arrived.clear()
    with place.working(is_waiting):
        assert not places.acquire(blocking=False)
    place.leave()
    place.leave()
    assert places.acquire(blocking=False)
    assert not places.acquire(blocking=False)
