"""A portal behind a real server: one port that speaks HTTP and, with a certificate, HTTPS."""

import asyncio
import gzip
import logging
import os
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, Final
from weakref import WeakValueDictionary

import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from conformance.errors import UserError
from conformance.portals.php_forms import PortalRequest
from conformance.portals.reference import PortalResponse
from conformance.portals.scripts import Dropped

HOST: Final = "127.0.0.1"
LARGEST_BODY: Final = 2 * 2**20
"""A larger body is answered with 413."""
_LONGEST_DRAIN: Final = 64 * 2**20
"""In bytes. So much of a larger body is read and dropped: many clients read the answer only after sending all."""
# Every TLS connection begins with this byte, and no HTTP request does.
_TLS_HANDSHAKE: Final = b"\x16"
_PATIENCE_SECONDS: Final = 60
_MOST_WAITING: Final = 500
"""So many connections may wait that sent nothing yet, or half of a TLS handshake. The oldest makes room for the new."""

Serving = Callable[[PortalRequest], PortalResponse | Dropped]
TakeOver = Callable[[Request, bytes], None]


class TooLarge(Exception):
    """The body of a request is larger than LARGEST_BODY."""


def app_of(answer: Serving, take_over: TakeOver, routes: tuple[BaseRoute, ...] = ()) -> Starlette:
    """Return an application that answers by that function each request outside of the other routes.

    take_over: writes these bytes to the connection of a request, and closes it.
    """

    async def respond(request: Request) -> Response:
        try:
            body = await _body_of(request)
        except TooLarge:
            return Response("The body is too large\n", 413, media_type="text/plain")
        except ClientDisconnect:
            return Response(status_code=400)
        headers = {name.lower(): value for name, value in request.headers.items()}
        # A slash after the method belongs to the address: the official PHP SDK writes one.
        path = request.url.path.removesuffix("/")
        answered = answer(PortalRequest(request.method, path, request.url.query, headers, body))
        if isinstance(answered, Dropped) or answered.form == "http-1.0":
            take_over(request, b"" if isinstance(answered, Dropped) else _of_1990(answered))
            while (await request.receive())["type"] != "http.disconnect":
                pass
            return Response()
        if answered.after_seconds:
            await asyncio.sleep(answered.after_seconds)
        origin = f"{request.url.scheme}://{request.url.netloc}"
        return _response(answered, origin, headers.get("accept-encoding", ""))

    return Starlette(routes=[*routes, Route("/{path:path}", respond, methods=["GET", "POST", "PUT", "DELETE"])])


def _response(answered: PortalResponse, origin: str, accepted: str) -> Response:
    headers = {"Content-Type": answered.content_type}
    body = answered.body
    if answered.location:
        headers["Location"] = origin + answered.location
    if answered.form == "gzip" and "gzip" in accepted:
        headers["Content-Encoding"] = "gzip"
        body = gzip.compress(body)
    if answered.form == "connection-close":
        headers["Connection"] = "close"
    if answered.form == "chunked":
        half = len(body) // 2
        return StreamingResponse(iter((body[:half], body[half:])), answered.status, headers)
    return Response(body, answered.status, headers)


def _of_1990(answered: PortalResponse) -> bytes:
    """Return an answer by HTTP/1.0 without a length: the end of the connection is its end."""
    return f"HTTP/1.0 {answered.status} OK\r\nContent-Type: {answered.content_type}\r\n\r\n".encode() + answered.body


async def _body_of(request: Request) -> bytes:
    body = bytearray()
    received = 0
    async for chunk in request.stream():
        received += len(chunk)
        if received <= LARGEST_BODY:
            body += chunk
        elif received > _LONGEST_DRAIN:
            break
    if received > LARGEST_BODY:
        raise TooLarge
    return bytes(body)


class Server(uvicorn.Server):
    """A server of HTTP and HTTPS on one port. The first byte of each connection decides between the two."""

    def __init__(
        self,
        answer: Serving,
        listening: socket.socket,
        on_start: Callable[[], None],
        tls: ssl.SSLContext | None = None,
        routes: tuple[BaseRoute, ...] = (),
    ) -> None:
        # The suite sends broken requests on purpose, so the warnings of this library are noise.
        logging.getLogger("python_multipart").setLevel(logging.CRITICAL)
        app = app_of(answer, self._take_over, routes)
        super().__init__(uvicorn.Config(app, log_level="critical", lifespan="off", timeout_graceful_shutdown=1))
        self._listening = listening
        self._tls = tls
        self._transports: WeakValueDictionary[tuple[str, int], asyncio.Transport] = WeakValueDictionary()
        self._accepting: asyncio.Task[None] | None = None
        self._welcoming: dict[asyncio.Task[None], None] = {}
        self._on_start = on_start

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=[])
        self._accepting = asyncio.create_task(self._accept())
        self._on_start()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for task in filter(None, (self._accepting, *self._welcoming)):
            task.cancel()
        self._listening.close()
        await super().shutdown()

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection, _ = await loop.sock_accept(self._listening)
            except OSError:
                # There are no file descriptors left. Soon other connections close and free some.
                await asyncio.sleep(0.05)
                continue
            if len(self._welcoming) >= _MOST_WAITING:
                oldest = next(iter(self._welcoming))
                del self._welcoming[oldest]
                oldest.cancel()
            task = asyncio.create_task(self._welcome(connection))
            self._welcoming[task] = None
            task.add_done_callback(partial(self._welcomed, connection))

    def _welcomed(self, connection: socket.socket, task: asyncio.Task[None]) -> None:
        self._welcoming.pop(task, None)
        # A task that was cancelled before it began has closed nothing.
        if task.cancelled():
            connection.close()

    async def _welcome(self, connection: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            async with asyncio.timeout(_PATIENCE_SECONDS):
                first = await _first_byte(connection)
            tls = self._tls if first == _TLS_HANDSHAKE else None
            transport, _ = await loop.connect_accepted_socket(self._protocol, connection, ssl=tls)
        except (OSError, TimeoutError):
            connection.close()
            return
        peer = transport.get_extra_info("peername")
        # A client that has closed the connection already has no address.
        if peer is not None:
            self._transports[peer[:2]] = transport

    def _protocol(self) -> Any:
        make: Any = self.config.http_protocol_class
        return make(config=self.config, server_state=self.server_state, app_state={})

    def _take_over(self, request: Request, answer: bytes) -> None:
        if request.client is not None:
            transport = self._transports.get((request.client.host, request.client.port))
            if transport is not None and answer:
                transport.write(answer)
                transport.close()
            elif transport is not None:
                transport.abort()


async def _first_byte(connection: socket.socket) -> bytes:
    """Return the first byte of a connection, and leave the byte there for the protocol."""
    loop = asyncio.get_running_loop()
    readable = asyncio.Event()
    loop.add_reader(connection, readable.set)
    try:
        await readable.wait()
    finally:
        loop.remove_reader(connection)
    return connection.recv(1, socket.MSG_PEEK)


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket. Port 0 takes a free port. Raise UserError if the address cannot be used."""
    if os.name == "nt":
        raise UserError("Windows cannot serve the mock portal, as serve, --client and the fixture do: use WSL")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        # An empty host would open the port on every address of the machine, so a wrong name takes its place.
        listening = socket.create_server((host or "nowhere", port), family=family, backlog=2048)
    except (OSError, OverflowError, UnicodeError) as error:
        told = error.strerror if isinstance(error, OSError) else None
        reason = told.partition(" (")[0] if told else "a port is a number up to 65535, a host a name or an address"
        raise UserError(f"cannot listen on {host!r}, port {port} ({reason}): see --host and --port") from None
    listening.setblocking(False)
    return listening


@contextmanager
def serving(answer: Serving, tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """Yield the base URL, without a slash at its end, of a server on a free port of the loopback address.

    tls: the settings for HTTPS on the same port; None for HTTP only.
    """
    listening = listen(HOST, 0)
    port = listening.getsockname()[1]
    started = threading.Event()
    server = Server(answer, listening, started.set, tls)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    started.wait(timeout=30)
    try:
        yield f"http://{HOST}:{port}"
    finally:
        server.should_exit = True
        thread.join(timeout=30)


@contextmanager
def nobody_listens() -> Iterator[int]:
    """Yield a port of the loopback address that refuses every connection."""
    with socket.socket() as held:
        held.bind((HOST, 0))
        yield held.getsockname()[1]
