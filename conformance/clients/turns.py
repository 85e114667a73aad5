"""Which case is asked next, and how many programs work at the same time."""

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from conformance.clients.exchange import ClientCase
from conformance.portals.scripts import NEVER

_LONG_SECONDS: Final = 1.0
"""A library that has sent its request and does not come back for so long waits: the portal answers at once."""
PROGRAMS_OF_A_JOB: Final = 2
"""So many programs there are for each that may work at the same time."""


@dataclass(slots=True)
class Waiting:
    """The cases that nobody has asked yet.

    What a library may wait for comes first: the short rounds then fill the time of the other programs. While an answer
    is tried for the first time, no other program tries it, for a library that hangs there would hang in each.
    """

    cases: list[ClientCase]
    _known: set[str] = field(default_factory=set)
    _tried_now: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def of(cls, cases: Iterable[ClientCase]) -> "Waiting":
        """Return the cases in the order in which they are asked."""
        return cls(sorted(cases, key=lambda case: (case.script is not NEVER, -len(case.special_answers))))

    @contextmanager
    def next(self) -> Iterator[ClientCase | None]:
        """Give the case that is asked in the block; None if none is left."""
        with self._lock:
            free = (case for case in self.cases if not self._tried_now.intersection(case.special_answers))
            case = next(free, self.cases[0] if self.cases else None)
            tried = set(case.special_answers) - self._known if case else set()
            if case:
                self.cases.remove(case)
            self._tried_now |= tried
        try:
            yield case
        finally:
            with self._lock:
                self._known |= tried
                self._tried_now -= tried

    def clear(self) -> None:
        """Forget what was not asked."""
        with self._lock:
            self.cases.clear()


@dataclass(slots=True)
class Place:
    """The place of a program among those that work at the same time. While its call is long, another has it."""

    places: threading.Semaphore
    _is_taken: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def working(self, is_waiting: Callable[[], bool]) -> Iterator[None]:
        """Take the place for a block, and keep it for the next one unless the program waits in the block for long."""
        if not self._is_taken:
            self.places.acquire()
            self._is_taken = True
        is_over = threading.Event()

        def watch() -> None:
            while not is_over.wait(_LONG_SECONDS):
                if is_waiting():
                    self.leave()
                    break

        threading.Thread(target=watch, daemon=True).start()
        try:
            yield
        finally:
            is_over.set()

    def leave(self) -> None:
        """Give the place to another program."""
        with self._lock:
            if self._is_taken:
                self._is_taken = False
                self.places.release()
