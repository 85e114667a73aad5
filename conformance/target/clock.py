"""The time by which a run waits, so that the selfcheck can let hours pass at once."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Clock:
    """A clock.

    now: returns the seconds that have passed since some moment.
    sleep: waits for so many seconds.
    """

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


REAL_CLOCK: Final = Clock()
