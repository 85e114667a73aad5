"""A portal behind a real HTTP server on this machine."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from socket import socket
from typing import Final

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from conformance.portals.incoming import Incoming
from conformance.portals.reference import Answering

HOST: Final = "127.0.0.1"


def app_of(answer: Answering) -> Starlette:
    """An application that answers every path and method by that function."""

    async def respond(request: Request) -> Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        incoming = Incoming(request.method, request.url.path, request.url.query, headers, await request.body())
        outgoing = await run_in_threadpool(answer, incoming)
        return Response(outgoing.body, outgoing.status, {"Content-Type": outgoing.content_type})

    return Starlette(routes=[Route("/{path:path}", respond, methods=["GET", "POST", "PUT", "DELETE"])])


@contextmanager
def serving(answer: Answering) -> Iterator[str]:
    """Serves on a free port of the loopback address while the block runs; gives the base URL without a slash."""
    started = threading.Event()

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket] | None = None) -> None:
            await super().startup(sockets)
            started.set()

    config = uvicorn.Config(app_of(answer), host=HOST, port=0, log_level="critical", lifespan="off")
    server = Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    started.wait(timeout=30)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://{HOST}:{port}"
    finally:
        server.should_exit = True
        thread.join(timeout=30)
