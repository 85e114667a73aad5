"""A program that speaks the client protocol: started without a shell, capped, ended and started again."""

import contextlib
import os
import queue
import re
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final

from conformance.clients.protocol import Asked, ClientOutcome, ProtocolError, TimedOut, read_reply
from conformance.errors import UserError

LONGEST_LINE: Final = 4 * 2**20
_MOST_PRINTED: Final = 5_000
"""The printed lines that are kept; more are read and forgotten."""
_LONGEST_PRINTED: Final = 2**14
_MOST_WAITING: Final = 1_000
_FUNCTION: Final = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")
_WAIT_FOR_END_SECONDS: Final = 5.0


def words_of(command: str) -> list[str]:
    """The words of a command line, or those that run a Python function given as module:function. Raise UserError."""
    if _FUNCTION.fullmatch(command):
        return [sys.executable, "-P", str(Path(__file__).with_name("function.py")), command]
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise UserError(f"--client {command}: not a command line ({error})") from None
    if not words:
        raise UserError("--client: give a command, or module:function of Python")
    return words


@dataclass(slots=True)
class _Process:
    """A running program and the two threads that read it."""

    running: subprocess.Popen[bytes]
    lines: "queue.Queue[str | None]" = field(default_factory=lambda: queue.Queue(_MOST_WAITING))
    threads: list[threading.Thread] = field(default_factory=list)
    answered: int = 0


@dataclass(slots=True)
class CommandClient:
    """A program under test. environment: what is added to ours. printed: what it wrote besides answers."""

    words: list[str]
    environment: Mapping[str, str]
    timeout_seconds: float
    name: str = ""
    printed: list[str] = field(default_factory=list)
    _process: _Process | None = None

    def ask(self, asked: Asked) -> ClientOutcome:
        """What the library hands back. Raise UserError when the program cannot be started."""
        while True:
            process = self._process or self._start()
            back = self._answer_of(process, asked)
            if not isinstance(back, ProtocolError) or self._process is not None or not process.answered:
                return back
            # It ended after an earlier answer, as a program does that is written for one line: this is another one.

    @property
    def is_fresh(self) -> bool:
        """Return True if the program that is asked next has no memory of two calls."""
        return self._process is None or self._process.answered <= 1

    def finish(self) -> None:
        """Lets the program end by itself, so that all that it prints is in `printed`."""
        process = self._process
        if process is None:
            return
        assert process.running.stdin is not None
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            process.running.stdin.close()
            process.running.wait(_WAIT_FOR_END_SECONDS)
        self._end()

    def _start(self) -> _Process:
        try:
            running = subprocess.Popen(
                self.words,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env={**os.environ, **self.environment},
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            raise UserError(f"--client: cannot start {self.words[0]} ({reason}): check the command") from None
        process = self._process = _Process(running)
        assert running.stdout is not None
        assert running.stderr is not None
        for work in ((_read_lines, running.stdout, process.lines), (_read_all, running.stderr, self.printed)):
            thread = threading.Thread(target=work[0], args=work[1:], daemon=True)
            thread.start()
            process.threads.append(thread)
        return process

    def _answer_of(self, process: _Process, asked: Asked) -> ClientOutcome:
        assert process.running.stdin is not None
        try:
            process.running.stdin.write(asked.line)
            process.running.stdin.flush()
        except OSError:
            return self._broke(process)
        end = time.monotonic() + self.timeout_seconds
        while True:
            try:
                line = process.lines.get(timeout=max(0.0, end - time.monotonic()))
            except queue.Empty:
                self._end()
                return TimedOut(self.timeout_seconds)
            if line is None:
                return self._broke(process)
            reply = read_reply(line)
            if reply is not None:
                process.answered += 1
                self.name = self.name or reply.client
                return reply.back
            _keep(self.printed, line)

    def _broke(self, process: _Process) -> ProtocolError:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.running.wait(_WAIT_FOR_END_SECONDS)
        self._end()
        last = [line for line in "".join(self.printed).splitlines() if line.strip()][-1:]
        told = f": {last[0].strip()[:200]}" if last else ""
        return ProtocolError(f"the program ended (status {process.running.returncode}) before it answered{told}")

    def _end(self) -> None:
        """Ends the program with all that it started, and waits until what it printed is read."""
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            # Its own session, so this reaches what a wrapper has started.
            os.killpg(process.running.pid, signal.SIGKILL)
        process.running.wait()
        for thread in process.threads:
            thread.join(_WAIT_FOR_END_SECONDS)
        while not process.lines.empty():
            _keep(self.printed, process.lines.get() or "")


def _read_lines(stream: IO[bytes], lines: "queue.Queue[str | None]") -> None:
    while line := stream.readline(LONGEST_LINE):
        lines.put(line.decode("utf-8", "replace"))
    lines.put(None)


def _read_all(stream: IO[bytes], printed: list[str]) -> None:
    while line := stream.readline(_LONGEST_PRINTED):
        _keep(printed, line.decode("utf-8", "replace"))


def _keep(printed: list[str], text: str) -> None:
    if len(printed) < _MOST_PRINTED:
        printed.append(text[:_LONGEST_PRINTED])
