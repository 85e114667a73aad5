"""Three calls through an adapter, with each line in both directions: for its author, before the gate."""

import json
import os
import subprocess
from collections.abc import Callable
from typing import Final

from conformance.clients.cases import NULL, SESSION, STARS_5, VOTE
from conformance.clients.elsewhere import other_hosts_refused
from conformance.clients.process import new_secret, words_of
from conformance.clients.protocol import Asked, read_reply
from conformance.contract.clauses import Edition
from conformance.errors import UserError
from conformance.exchange.call import METHOD, Call, ClassifiedValue
from conformance.exchange.reproduce import describe
from conformance.exchange.violation import printable
from conformance.portals.certificate import throw_away_certificate
from conformance.portals.mock import MockPortal
from conformance.portals.reference import ReferencePortal
from conformance.portals.scripts import TRUE, script_named
from conformance.portals.server import serving

_LONGEST: Final = 1_000
_MOST_LINES: Final = 20
_REFUSED: Final = "ACCESS_DENIED"


def dry_run(command: str, edition: Edition, timeout_seconds: float, https: bool, say: Callable[[str], None]) -> bool:
    """Ask a program for three calls, a process for each, and say each line. Return True if each was answered once.

    Raise UserError if the program cannot be started.
    """
    words = words_of(command)
    refused = script_named(_REFUSED, edition) or TRUE
    calls = (
        (VOTE, TRUE),
        (Call(SESSION, STARS_5), refused),
        (Call(SESSION, NULL, ClassifiedValue("special", "1+1 & ñ")), TRUE),
    )
    mock = MockPortal(ReferencePortal(edition))
    answered = True
    with (
        throw_away_certificate() as certificate,
        serving(mock.answer, certificate.context) as base,
        other_hosts_refused() as other_hosts,
    ):
        url = base.replace("http:", "https:", 1) if https else base
        environment = {**certificate.environment, **other_hosts.environment, "PYTHONUNBUFFERED": "1"}
        for call, script in calls:
            secret = new_secret()
            mock.begin_round(secret, script)
            asked = Asked(f"{url}/rest/1/{secret}/", str(certificate.ca_file), METHOD, dict(call.parameters))
            say(f"{describe(call)}, answered {script.name}")
            say(f"  to the program  {asked.line.decode().rstrip()}")
            answered &= _ask(words, environment, asked, timeout_seconds, say)
            for arrival in mock.end_round(secret):
                for item in arrival.items:
                    named = item.parameters.items()
                    shown = " ".join(f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in named)
                    say(f"  arrived         {printable(f'{item.method}: {shown}   {arrival.way}', _LONGEST)}")
        if other_hosts.told:
            say(f"refused, because no call leaves this machine: {other_hosts.told}")
    return answered


def _ask(
    words: list[str], environment: dict[str, str], asked: Asked, timeout_seconds: float, say: Callable[[str], None]
) -> bool:
    try:
        done = subprocess.run(
            words,
            input=asked.line,
            capture_output=True,
            timeout=timeout_seconds,
            env={**os.environ, **environment},
            check=False,
        )
    except subprocess.TimeoutExpired:
        say(f"  no answer       it did not end within {timeout_seconds:g} s of the end of its input")
        return False
    except OSError as error:
        raise UserError(f"cannot start {words[0]} ({error.strerror}): check the command") from None
    answers = 0
    for line in done.stdout.decode("utf-8", "replace").splitlines()[:_MOST_LINES]:
        reply = read_reply(line)
        answers += reply is not None
        label = "printed" if reply is None else "answer"
        say(f"  {label:15} {printable(line, _LONGEST)}")
        if reply is not None:
            say(f"  understood as   {printable(str(reply.back), _LONGEST)}")
    for line in done.stderr.decode("utf-8", "replace").splitlines()[-_MOST_LINES:]:
        say(f"  printed         {printable(line, _LONGEST)}")
    if answers != 1:
        say(f"  wrong           {answers} answers to one call; the program ended with status {done.returncode}")
    return answers == 1
