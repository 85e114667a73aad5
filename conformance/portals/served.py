"""`vote-conformance serve`: the mock portal on a port of this machine."""

import contextlib
import json
import signal
import sys
from collections.abc import Callable
from importlib.resources import files
from types import FrameType
from typing import NoReturn

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from conformance.contract.clauses import Edition, default_edition, load_edition
from conformance.errors import UserError
from conformance.portals import PORTALS, bitrix24, reference
from conformance.portals.certificate import Certificate, throw_away_certificate
from conformance.portals.mock import MockPortal
from conformance.portals.reference import SESSIONS, ReferencePortal
from conformance.portals.scripts import documented_refusals, scripts_of
from conformance.portals.server import Server, listen


def serve(*, host: str, port: int, edition: str | None, portal: str, https: bool, tell: Callable[[str], None]) -> None:
    """Serve a portal until SIGINT, SIGTERM or SIGHUP.

    host: the address to listen on.
    port: the port; 0 takes a free port.
    edition: None for the default edition of the portal.
    portal: a name in PORTALS.
    https: True to speak HTTPS too on the same port.
    tell: prints the text for the user when the server has started.

    Raise UserError if the server cannot start with these values.
    """
    mock = MockPortal(_portal(portal, edition))
    with contextlib.ExitStack() as stack:
        listening = stack.enter_context(listen(host, port))
        certificate = stack.enter_context(throw_away_certificate(host)) if https else None
        name = f"[{host}]" if ":" in host else host
        base = f"{'https' if https else 'http'}://{name}:{listening.getsockname()[1]}"
        told = _told(base, mock.edition, portal, certificate)
        log = Route("/log", _log_of(mock))
        server = Server(
            mock.answer, listening, lambda: tell(told), certificate.context if certificate else None, (log,)
        )
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, _stop)
        # uvicorn handles SIGINT itself, shuts down, and raises the signal again when all is closed.
        with contextlib.suppress(KeyboardInterrupt):
            server.run()


def _portal(name: str, edition: str | None) -> ReferencePortal:
    if name not in PORTALS:
        raise UserError(f"--as {name}: choose {' or '.join(PORTALS)}")
    if name == "reference":
        return ReferencePortal(load_edition(edition or default_edition()))
    if edition not in (None, default_edition()):
        raise UserError(f"--as bitrix24: it follows {default_edition()} at every date: leave --edition out")
    return bitrix24.bitrix24_portal()


def _log_of(mock: MockPortal) -> Callable[[Request], Response]:
    def log(_request: Request) -> Response:
        # In ASCII, because a request may hold half a character, and UTF-8 cannot write one.
        text = json.dumps([arrival.document() for arrival in tuple(mock.log)])
        return Response(text, media_type="application/json")

    return log


def _stop(_signal: int, _frame: FrameType | None) -> NoReturn:
    sys.exit(0)


def _told(base: str, edition: Edition, portal: str, certificate: Certificate | None) -> str:
    """Return the text for the user, in the form of a target file."""
    real = portal == "bitrix24"
    kind = f"as the real portal does ({bitrix24.LABEL})" if real else "the reference portal"
    codes = tuple(code for code, _ in documented_refusals(edition))
    others = [name for name in scripts_of(edition.name) if not name.startswith(codes)]
    lines = [
        f"# {kind}, edition {edition.name}; stop it with Ctrl-C. This text is a target file.",
        f'name = "serve-{portal}"',
        f'edition = "{edition.name}"',
        f'url = "{base}/rest/1/{reference.SECRET}/"',
    ]
    if certificate is not None:
        lines.append(f"ca_file = {json.dumps(str(certificate.ca_file))}")
    if real:
        lines.append(f'deviations = "{files("conformance") / "deviations" / "bitrix24-portal.toml"}"')
    lines += ["[sessions]", *(f"{state} = {number}" for state, number in SESSIONS.items())]
    lines += [
        "[callers]",
        f'second_url = "{base}/rest/2/{reference.SECOND_SECRET}/"',
        f'unscoped_url = "{base}/rest/3/{reference.UNSCOPED_SECRET}/"',
        f'token_url = "{base}/rest/"',
        f'token = "{reference.TOKEN}"',
        f"# what arrived: {base}/log",
        f"# scripted answers: {base}/rest/1/NAME/ where NAME is CODE, CODE-STATUS, CODE-200 or one of",
        f"#   {', '.join(others)}",
    ]
    if certificate is not None:
        lines.append(f"# authority of the certificate: {certificate.ca_file}")
        lines += [f"#   export {name}={value}" for name, value in certificate.environment.items()]
    return "\n".join(lines)
