"""What `serve` bears: `python -m conformance.selfcheck.load`, about a minute.

The rate of votes against the rate of a bare route of the same framework, measured in turn within one run, and 200
connections at once for ten seconds. The servers and the sender are processes of their own.
"""

import asyncio
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from conformance.contract.clauses import default_edition, load_edition
from conformance.exchange.call import METHOD
from conformance.portals.mock import MockPortal
from conformance.portals.reference import SECRET, ReferencePortal
from conformance.portals.server import HOST, Server, listen

ROUNDS: Final = 5
ROUND_SECONDS: Final = 2.0
SENDERS: Final = 16
MANY: Final = 200
HOLD_SECONDS: Final = 10.0
_BODY: Final = b'{"SESSION_ID": 494, "RATING": 5, "COMMENT": "Well done"}'
_REQUEST: Final = (
    f"POST /rest/1/{SECRET}/{METHOD} HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: application/json\r\n"
    f"Content-Length: {len(_BODY)}\r\n\r\n"
).encode() + _BODY


@dataclass(slots=True)
class Load:
    """What came back: answers with status 200, and everything else."""

    answered: int = 0
    failed: int = 0


def main() -> None:
    """Serves as the parameter says, or measures and prints a table."""
    if len(sys.argv) > 1:
        _SERVERS[sys.argv[1]]()
        return
    rates: dict[str, list[float]] = {name: [] for name in _SERVERS}
    for _ in range(ROUNDS):
        for name in _SERVERS:
            with _running(name) as port:
                rates[name].append(asyncio.run(_load(port, SENDERS, ROUND_SECONDS)).answered / ROUND_SECONDS)
    bare, votes = max(rates["bare"]), max(rates["votes"])
    with _running("votes") as port:
        held = asyncio.run(_load(port, MANY, HOLD_SECONDS))
    print("| figure | |\n|---|---:|")
    print(f"| bare route, votes: answers a second | {bare:,.0f}, {votes:,.0f} |")
    print(f"| votes / bare route | {votes / bare:.2f} |")
    print(f"| {MANY} connections for {HOLD_SECONDS:.0f} s: answers, errors | {held.answered:,}, {held.failed} |")


def _serve_bare() -> None:
    async def answer(request: Request) -> JSONResponse:
        await request.body()
        return JSONResponse({"result": True})

    app = Starlette(routes=[Route("/{path:path}", answer, methods=["POST"])])
    # With the protocol named, asyncio sends answers at once, as our own server does.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.bind((HOST, 0))
    listening.listen()
    print(listening.getsockname()[1], flush=True)
    uvicorn.Server(uvicorn.Config(app, log_level="critical", lifespan="off")).run(sockets=[listening])


def _serve_votes() -> None:
    mock = MockPortal(ReferencePortal(load_edition(default_edition())))
    listening = listen(HOST, 0)
    port = listening.getsockname()[1]
    Server(mock.answer, listening, lambda: print(port, flush=True)).run()


_SERVERS: Final[dict[str, Callable[[], None]]] = {"bare": _serve_bare, "votes": _serve_votes}


@contextmanager
def _running(name: str) -> Iterator[int]:
    """A server in a process of its own, warm; gives its port."""
    line = [sys.executable, "-m", "conformance.selfcheck.load", name]
    with subprocess.Popen(line, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        asyncio.run(_load(port, 1, 0.2))
        yield port
        process.terminate()


async def _load(port: int, senders: int, seconds: float) -> Load:
    load = Load()
    end = time.monotonic() + seconds
    await asyncio.gather(*(_send(port, end, load) for _ in range(senders)))
    return load


async def _send(port: int, end: float, load: Load) -> None:
    try:
        reader, writer = await asyncio.open_connection(HOST, port)
        while time.monotonic() < end:
            writer.write(_REQUEST)
            head = await reader.readuntil(b"\r\n\r\n")
            [length] = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")]
            await reader.readexactly(int(length.partition(b":")[2]))
            if head.startswith(b"HTTP/1.1 200"):
                load.answered += 1
            else:
                load.failed += 1
        writer.close()
    except (OSError, EOFError):
        load.failed += 1


if __name__ == "__main__":
    main()
