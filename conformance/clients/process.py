"""A program that speaks the client protocol: started without a shell, capped, ended and started again."""

import contextlib
import fcntl
import os
import queue
import re
import secrets
import shlex
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from conformance.clients.protocol import AdapterReply, Asked, ProtocolError, TimedOut, line_of, read_reply
from conformance.errors import UserError
from conformance.exchange.violation import printable
from conformance.target.secrets import MASK

LONGEST_LINE: Final = 4 * 2**20
_LONGEST_KEPT: Final = 2**13
"""So much of what a program prints is kept of its beginning, and of its end. The rest is read and forgotten."""
_MOST_WAITING: Final = 8
"""The answers that may wait to be taken. Nobody asked for more of them."""
_SECRET: Final = re.compile(r"v[0-9a-f]{23}", re.IGNORECASE)
_AROUND: Final = 60
_MARK: Final = "VOTE_CONFORMANCE_PROGRAM"
"""The variable by which the descendants of a program are found, whatever session they moved to."""
_NAMES_AN_ERROR: Final = re.compile(r"[\w.]*(Error|Exception)\b")
_FUNCTION: Final = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")
_WAIT_FOR_END_SECONDS: Final = 5.0
_LONGEST_NAME: Final = 100


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


def new_secret() -> str:
    """Return a secret for one round, of a form that is found in any text."""
    return f"v{secrets.token_hex(12)[1:]}"


@dataclass(slots=True)
class Printed:
    """What a program printed on one stream besides answers.

    first, last: its beginning and its end.
    leaks: by secret, its neighbourhood.
    """

    first: str = ""
    last: str = ""
    leaks: dict[str, str] = field(default_factory=dict)

    def add(self, text: str) -> None:
        """Look for secrets in a further piece, also where two pieces meet, and keep what is shown to a person."""
        whole = self.last[-_AROUND:] + text
        for found in _SECRET.finditer(whole):
            around = whole[max(0, found.start() - _AROUND) : found.end() + _AROUND]
            self.leaks.setdefault(found[0].lower(), repr(_SECRET.sub(MASK, around)))
        self.first += text[: _LONGEST_KEPT - len(self.first)]
        self.last = whole[-_LONGEST_KEPT:]


@dataclass(slots=True)
class _Process:
    """A running program and the two threads that read it. longest_asked: the bytes of the last question."""

    running: subprocess.Popen[bytes]
    mark: str
    printed: tuple[Printed, Printed]
    replies: "queue.Queue[AdapterReply | None]" = field(default_factory=lambda: queue.Queue(_MOST_WAITING))
    threads: list[threading.Thread] = field(default_factory=list)
    answered: int = 0
    asked_bytes: int = 0

    def read_answers(self) -> None:
        """Take the answers out of what the program prints, until it ends."""
        assert self.running.stdout is not None
        while line := self.running.stdout.readline(LONGEST_LINE):
            text = line.decode("utf-8", "replace")
            reply = read_reply(text) if text.lstrip("\ufeff \t").startswith("{") else None
            if reply is None or not self._was_read():
                self.printed[0].add(text)
            else:
                with contextlib.suppress(queue.Full):
                    self.replies.put_nowait(reply)
        self.replies.put(None)

    def read_errors(self) -> None:
        """Look through what the program prints for people, until it ends."""
        assert self.running.stderr is not None
        while piece := self.running.stderr.read1(_LONGEST_KEPT):  # type: ignore[attr-defined]
            self.printed[1].add(piece.decode("utf-8", "replace"))

    def _was_read(self) -> bool:
        """Return True if the program has read something of the last question: an earlier answer is no answer."""
        try:
            assert self.running.stdin is not None
            waiting = fcntl.ioctl(self.running.stdin.fileno(), termios.FIONREAD, struct.pack("i", 0))
        except (OSError, ValueError):
            return True
        return bool(struct.unpack("i", waiting)[0] < self.asked_bytes)


@dataclass(slots=True)
class CommandClient:
    """A program under test.

    environment: what is added to ours.
    leaks: by secret, where it was printed. Complete when the program has been finished.
    first_line: the first line that it printed besides answers.
    is_concurrent: True if it said that calls may be made at once.
    """

    words: list[str]
    environment: Mapping[str, str]
    timeout_seconds: float
    name: str = ""
    leaks: dict[str, str] = field(default_factory=dict)
    first_line: str = ""
    is_concurrent: bool = False
    _process: _Process | None = None
    _answers_once: bool = False

    def ask(self, *calls: Asked) -> list[AdapterReply]:
        """Return the answer to each call; several are asked for at once. Raise UserError if it cannot be started."""
        while True:
            process = self._process or self._start()
            answered_before = process.answered
            replies = self._answers_of(process, calls)
            if not answered_before or not isinstance(replies[-1].back, ProtocolError):
                return replies
            # It ended after an earlier answer, as a program does that is written for one line: this is another one.
            self._answers_once = True

    @property
    def is_fresh(self) -> bool:
        """Return True if the program that is asked next has answered one call at most."""
        return self._process is None or self._process.answered <= 1

    def finish(self) -> None:
        """Lets the program end by itself, so that all that it prints is known."""
        process = self._process
        if process is None:
            return
        assert process.running.stdin is not None
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            process.running.stdin.close()
            process.running.wait(_WAIT_FOR_END_SECONDS)
        self.end()

    def _start(self) -> _Process:
        mark = secrets.token_hex(8)
        try:
            running = subprocess.Popen(
                self.words,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env={**os.environ, **self.environment, _MARK: mark},
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            raise UserError(f"--client: cannot start {self.words[0]} ({reason}): check the command") from None
        process = self._process = _Process(running, mark, (Printed(), Printed()))
        for work in (process.read_answers, process.read_errors):
            thread = threading.Thread(target=work, daemon=True)
            thread.start()
            process.threads.append(thread)
        return process

    def _answers_of(self, process: _Process, calls: Sequence[Asked]) -> list[AdapterReply]:
        """Ask for the calls. Where one is not answered, none after it is."""
        assert process.running.stdin is not None
        while not process.replies.empty():
            if process.replies.get() is None:
                return [self._broke(process)] * len(calls)
        line = line_of(calls)
        process.asked_bytes = len(line)
        try:
            process.running.stdin.write(line)
            process.running.stdin.flush()
        except OSError:
            return [self._broke(process)] * len(calls)
        replies: list[AdapterReply] = []
        ends_at = time.monotonic() + self.timeout_seconds
        while len(replies) < len(calls):
            try:
                reply = process.replies.get(timeout=max(0.0, ends_at - time.monotonic()))
            except queue.Empty:
                self.end()
                return replies + [AdapterReply(TimedOut(self.timeout_seconds))] * (len(calls) - len(replies))
            if reply is None:
                return replies + [self._broke(process)] * (len(calls) - len(replies))
            process.answered += 1
            self.name = self.name or printable(reply.client, _LONGEST_NAME)
            self.is_concurrent |= reply.is_concurrent
            replies.append(reply)
        if self._answers_once:
            self.finish()
        return replies

    def _broke(self, process: _Process) -> AdapterReply:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.running.wait(_WAIT_FOR_END_SECONDS)
        self.end()
        lines = [line.strip() for printed in process.printed for line in printed.last.splitlines() if line.strip()]
        # The last line of a program that dies in node is node's version.
        errors = [line for line in lines if _NAMES_AN_ERROR.match(line)] or lines
        told = f": {printable(errors[-1], 200)}" if errors else ""
        ended = f"the program ended (status {process.running.returncode}) before it answered{told}"
        return AdapterReply(ProtocolError(ended))

    def end(self) -> None:
        """Ends the program with all that it started, and waits until what it printed is read."""
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            # Its own session, so this reaches what a wrapper has started.
            os.killpg(process.running.pid, signal.SIGKILL)
        process.running.wait()
        _end_descendants(process.mark)
        for thread in process.threads:
            thread.join(_WAIT_FOR_END_SECONDS)
        for printed in process.printed:
            self.leaks.update(printed.leaks)
            lines = [line.strip() for line in printed.first.splitlines() if line.strip()]
            self.first_line = self.first_line or printable(lines[0] if lines else "", _LONGEST_NAME)


def _end_descendants(mark: str) -> None:
    """End every process that inherited the mark of a program, in whatever session it is. Needs /proc."""
    wanted = f"{_MARK}={mark}".encode()
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if wanted in (folder / "environ").read_bytes():
                os.kill(int(folder.name), signal.SIGKILL)
