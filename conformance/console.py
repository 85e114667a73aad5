"""What a run says to a person while it runs, past pytest's capture, and what it asks."""

import sys
import time
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, Final

import click
import pytest

from conformance.errors import UserError
from conformance.target.target import Limit

_EVERY_SECONDS: Final = 0.1
"""How often the line of progress changes."""
_LINE_EVERY_SECONDS: Final = 30.0
"""How often there is a line of progress where there is no terminal."""


class OneLineErrors:
    """A plugin of pytest that says in one line what is wrong with the options, without pytest's usage."""

    @pytest.hookimpl(wrapper=True)
    def pytest_cmdline_parse(self) -> Generator[None, pytest.Config, pytest.Config]:
        try:
            return (yield)
        except pytest.UsageError as error:
            page = str(error)
            _, found, message = page.partition(": error: ")
            line = f"{message.partition(chr(10))[0]}: `vote-conformance run -h` lists the options" if found else page
            raise pytest.UsageError(line) from None


class _NoCapture:
    """What stands in for pytest's capture where `-p no:capture` takes it out."""

    def global_and_fixture_disabled(self) -> AbstractContextManager[None]:
        return nullcontext()

    def suspend_global_capture(self, in_: bool) -> None: ...

    def resume_global_capture(self) -> None: ...


class Console:
    """The terminal of a run of pytest."""

    def __init__(self, config: pytest.Config) -> None:
        self._reporter: Any = config.pluginmanager.get_plugin("terminalreporter")
        self._capture: Any = config.pluginmanager.get_plugin("capturemanager") or _NoCapture()
        self._has_progress = False

    def say(self, text: str, *, red: bool = False) -> None:
        """Print one line."""
        with self._capture.global_and_fixture_disabled():
            self.end_progress()
            self._reporter.ensure_newline()
            self._reporter.write_line(text, red=red)

    def ask(self, question: str) -> None:
        """Ask whether to go on. Raise UserError where the answer is no."""
        self._capture.suspend_global_capture(in_=True)
        try:
            if not sys.stdin.isatty():
                raise UserError(f"{question}. Nobody is there to be asked: give --yes")
            self._reporter.ensure_newline()
            self._reporter.write_line(question)
            if not click.confirm("go on?"):
                raise UserError("no vote was sent: you said no")
        except click.Abort:
            raise UserError("no vote was sent: you said no") from None
        finally:
            self._capture.resume_global_capture()

    def progress(self, limit: Limit) -> Callable[[int, int], None]:
        """Return a function that shows how many requests are done, their rate, and about how long the others take.

        Without a terminal it prints one line when the first request is done, and in a long run one from time to time.
        """
        pace = Pace(limit)

        def show(done: int, everything: int) -> None:
            now = time.monotonic()
            line = pace.line(done, everything, now)
            if not self._reporter.isatty:
                if not pace.shown_at:
                    self.say(f"{everything} requests{pace.at_most(everything)}")
                    pace.shown_at = now
                elif now - pace.shown_at >= _LINE_EVERY_SECONDS:
                    self.say(line)
                    pace.shown_at = now
            elif now - pace.shown_at >= _EVERY_SECONDS or pace.is_waiting(done, everything):
                pace.shown_at = now
                with self._capture.global_and_fixture_disabled():
                    self._reporter.rewrite(line, erase=True)
                    self._has_progress = True

        return show

    def end_progress(self) -> None:
        """Take the line of progress off the terminal."""
        if self._has_progress:
            self._has_progress = False
            self._reporter.rewrite("", erase=True)
            self._reporter.rewrite("")


@dataclass(slots=True)
class Pace:
    """How fast the requests of a run are sent.

    limit: the bucket of the portal.
    first: the requests that were done when the first line was made; the time before may be a user's who was asked.
    started: when the first line was made, on the monotonic clock, 0 if it was not yet.
    shown_at: when progress was shown last, 0 if it was not yet.
    """

    limit: Limit
    first: int = 0
    started: float = 0.0
    shown_at: float = 0.0

    @property
    def _window(self) -> float:
        return self.limit.burst / self.limit.per_second

    def is_waiting(self, done: int, everything: int) -> bool:
        """Return True if the next request has to wait until the bucket has drained."""
        return self._window > 1 and done < everything and done % self.limit.burst == 0

    def at_most(self, everything: int) -> str:
        """Return the words for the limit, where it counts."""
        if everything <= self.limit.burst:
            return ""
        full = (everything - 1) // self.limit.burst
        return f", about {full * self._window:.0f} s: the limit is {self.limit.burst} in {self._window:.0f} s"

    def line(self, done: int, everything: int, now: float) -> str:
        """Return the line of progress."""
        if not self.started:
            self.first, self.started = done, now
        elapsed = max(now - self.started, 0.001)
        a_second = (done - self.first) / elapsed
        waits_left = (everything - 1) // self.limit.burst * self._window - elapsed if self._window > 1 else 0.0
        if not a_second:
            return f"{done} of {everything} requests"
        left = max(waits_left, (everything - done) / a_second)
        words = f"{done} of {everything} requests, {a_second:.0f} a second, about {left:.0f} s left"
        return f"{words}; waiting for the limit" if self.is_waiting(done, everything) else words
