"""The signals that end a run: the first stops it, the others wait until the found votes are put back."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

_ENDING: Final = tuple(
    getattr(signal, name)
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGXCPU", "SIGBREAK")
    if hasattr(signal, name)
)


@dataclass(slots=True)
class Interrupts:
    """The signals of one run. is_held: True if a signal does nothing any more."""

    is_held: bool = False

    def hold(self) -> None:
        """Ignore every signal from now on."""
        self.is_held = True

    def on_signal(self, *_: Any) -> None:
        """Stop the run. Raise KeyboardInterrupt at the first signal."""
        if not self.is_held:
            self.is_held = True
            raise KeyboardInterrupt


@contextmanager
def ending_signals() -> Iterator[Interrupts]:
    """Treat every signal that would end the run like Ctrl-C inside of the block."""
    interrupts = Interrupts()
    before: dict[int, Any] = {}
    # Python lets only the main thread set handlers. nohup sets SIGHUP to be ignored, and it stays so.
    if threading.current_thread() is threading.main_thread():
        handled = [one for one in _ENDING if signal.getsignal(one) not in (signal.SIG_IGN, None)]
        before = {one: signal.signal(one, interrupts.on_signal) for one in handled}
    try:
        yield interrupts
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
