"""What a run says to a person while it runs, past pytest's capture, and what it asks."""

import sys
from collections.abc import Callable, Generator
from typing import Any, Final

import click
import pytest

from conformance.errors import UserError
from conformance.target.target import Limit

_EVERY: Final = 20
"""Where there is no terminal, progress is a line after so many requests."""


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


class Console:
    """The terminal of a run of pytest."""

    def __init__(self, config: pytest.Config) -> None:
        self._reporter: Any = config.pluginmanager.get_plugin("terminalreporter")
        self._capture: Any = config.pluginmanager.get_plugin("capturemanager")

    def say(self, text: str) -> None:
        """One line."""
        with self._capture.global_and_fixture_disabled():
            self._reporter.ensure_newline()
            self._reporter.write_line(text)

    def ask(self, question: str) -> None:
        """Asks whether to go on, unless there is nothing to ask. Raise UserError where the answer is no."""
        if not question:
            return
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
        """Says how many requests are done, and about how long the others take at that limit."""

        def tell(done: int, everything: int) -> None:
            waiting = max(0, everything - max(done, limit.burst)) / limit.per_second
            line = f"{done} of {everything} requests, about {waiting:.0f} s left"
            if self._reporter.isatty:
                with self._capture.global_and_fixture_disabled():
                    self._reporter.rewrite(line, erase=True)
            elif done == everything or done % _EVERY == 0:
                self.say(line)

        return tell
