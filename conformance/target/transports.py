"""How requests reach a portal: httpx transports, each wrapped around the next.

The suite above them calls a portal that does not exist, with placeholders in place of secrets. The lowest transports
put the real values in and take them out of every answer, so that nothing above can show them.
"""

import logging
import math
import re
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from functools import cache, lru_cache
from pathlib import Path
from typing import Final
from urllib.parse import quote

import httpx

from conformance.contract.clauses import edition_names, load_edition
from conformance.exchange.call import METHOD, READ_METHOD, REST_CALLERS, Caller
from conformance.exchange.encode import HttpRequest
from conformance.exchange.read_back import KEPT_FIELDS
from conformance.exchange.reproduce import WRONG_SECRET
from conformance.target import bodies
from conformance.target.bodies import BrokenBody, read_body
from conformance.target.environment import Proxy, certificate_fault, read_environment
from conformance.target.redact import Redactor
from conformance.target.slow_heads import HeadDeadline
from conformance.target.target import Target

TIMEOUT_SECONDS: Final = 60.0
CONNECT_SECONDS: Final = 10.0
_IDLE_SECONDS: Final = 1.0

_REST: Final = "https://portal.invalid/rest/"
PLACEHOLDER_BASES: Final[Mapping[Caller, str]] = {
    Caller.MAIN: f"{_REST}1/recorded-webhook/",
    Caller.WRONG_SECRET: f"{_REST}1/{WRONG_SECRET}/",
    Caller.OTHER_CASE: f"{_REST}1/other-case/",
    Caller.CUT_SECRET: f"{_REST}1/cut/",
    Caller.LONGER_SECRET: f"{_REST}1/longer/",
    Caller.EMPTY_SECRET: f"{_REST}1/empty/",
    Caller.SECOND: f"{_REST}2/recorded-second/",
    Caller.UNSCOPED: f"{_REST}3/recorded-unscoped/",
    **dict.fromkeys(REST_CALLERS, _REST),
}
"""Where each caller's requests go above the stack, and in cassettes."""
PLACEHOLDER_TOKEN: Final = "recorded-token"
REPEATABLE: Final = "repeatable"
"""The extension of a request that may be sent twice: a refusal, or a vote whose effect can be read back."""
VOTES: Final = "votes"
"""The extension that says for how many votes a portal may take a request."""
UNRECORDED: Final = "unrecorded"
"""The extension of a request that only asks if the portal is there. No plan and no recording holds it."""
_BASE: Final = re.compile(rf"{re.escape(_REST)}(?:[0-9]+/[^/]+/)?")
_KEPT_HEADERS: Final = frozenset({"content-type", "content-length", "retry-after"})
_ANSWER_WORDS: Final = (
    *("result", "error", "error_description", "result_error", "result_total", "result_next", "result_time", "time"),
    *("start", "finish", "duration", "processing", "date_start", "date_finish", "operating", "operating_reset_at"),
    *KEPT_FIELDS,
    *(METHOD, READ_METHOD),
)


class NoResponse(Exception):
    """A request that was not answered: no connection, a dropped one, or the time was over. Holds no URL."""


class NotRecorded(NoResponse):
    """A request that is not on the record."""


class OuterTransport(httpx.BaseTransport):
    """A transport around another one."""

    def __init__(self, inner: httpx.BaseTransport) -> None:
        self.inner = inner

    def close(self) -> None:
        self.inner.close()


class NetworkTransport(httpx.BaseTransport):
    """Sends requests over the network, by the proxies and the authorities of the environment.

    ca_file: an authority to trust besides, in PEM.
    Raise UserError if the environment has a wrong value.
    """

    def __init__(self, ca_file: Path | None = None) -> None:
        # They write URLs. The children of httpcore's logger have no level of their own.
        for name in ("httpx", "httpcore", "vcr"):
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)
        self._deadline = HeadDeadline()
        self._environment = read_environment(ca_file)
        # Not clients: a client reads where a redirect leads to, and fails where that is no URL.
        self._transports = {proxy: self._transport(proxy) for proxy in {None, self._environment.proxy}}

    def _transport(self, proxy: Proxy | None) -> httpx.HTTPTransport:
        trust = self._environment.trust
        by = None
        if proxy is not None:
            by = httpx.Proxy(proxy.url, ssl_context=trust if proxy.url.scheme == "https" else None)
        # A portal may close a connection that stands idle, and then it is not known whether the next request arrived.
        limits = httpx.Limits(keepalive_expiry=_IDLE_SECONDS)
        return httpx.HTTPTransport(verify=trust, trust_env=False, proxy=by, limits=limits)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Return the answer. Raises NoResponse where it is known why there is none."""
        proxy = self._environment.proxy_of(request.url)
        request.extensions["timeout"] = httpx.Timeout(TIMEOUT_SECONDS, connect=CONNECT_SECONDS).as_dict()
        try:
            with self._deadline.of(request):
                response = self._transports[proxy].handle_request(request)
                response.request = request
                return response
        except (httpx.RemoteProtocolError, httpx.ReadError):
            if self._deadline.is_over:
                raise NoResponse(f"the answer took longer than {bodies.LONGEST_SECONDS:.0f} s") from None
            raise
        except (httpx.ConnectError, httpx.ProxyError) as error:
            if fault := certificate_fault(error):
                raise NoResponse(fault) from None
            if proxy is not None:
                raise NoResponse(f"no connection through the proxy of {proxy.variable}") from None
            raise
        except httpx.HTTPError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a library raises, its text may hold the secret
            raise NoResponse(f"the connection failed ({type(error).__name__})") from None

    def close(self) -> None:
        for transport in self._transports.values():
            transport.close()


class CredentialsTransport(OuterTransport):
    """Puts the addresses and the token of a target into requests, and reads answers in bounded size and time."""

    def __init__(self, inner: httpx.BaseTransport, target: Target) -> None:
        super().__init__(inner)
        self._bases = {PLACEHOLDER_BASES[caller]: url.value for caller, url in target.callers.items()}
        self._token = target.token.value

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Return the answer: its status, content type and decoded body. Raises NoResponse."""
        # The text of httpx's exceptions may hold the URL and so the secret: none of it is kept.
        try:
            return self._send(self._with_credentials(request))
        except httpx.TimeoutException:
            raise NoResponse(f"no answer within {TIMEOUT_SECONDS:.0f} s") from None
        except httpx.ConnectError:
            raise NoResponse("cannot connect") from None
        except (httpx.RemoteProtocolError, httpx.ReadError):
            raise NoResponse("the connection was dropped, or the answer broke off") from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise NoResponse(f"the connection failed ({type(error).__name__})") from None

    def _with_credentials(self, request: httpx.Request) -> httpx.Request:
        url = str(request.url)
        placeholder = _BASE.match(url)
        if placeholder is None:
            raise ValueError("a request to a portal that is not the placeholder")
        base = placeholder[0]
        real, rest = self._bases[base], url[len(base) :]
        if base == _REST:
            return self._with_token(request, real + rest)
        address = _parsed(real + rest)
        headers = [(name, address.netloc if name == b"Host" else value) for name, value in request.headers.raw]
        # With the stream nothing is encoded a second time.
        return httpx.Request(request.method, address, headers=headers, stream=request.stream)

    def _with_token(self, request: httpx.Request, url: str) -> httpx.Request:
        placeholder, token = PLACEHOLDER_TOKEN.encode(), self._token.encode()
        percent_encoded = quote(self._token, safe="")
        kept = ((name, value) for name, value in request.headers.raw if name not in (b"Host", b"Content-Length"))
        return httpx.Request(
            request.method,
            url.replace(PLACEHOLDER_TOKEN, percent_encoded),
            headers=[(name, value.replace(placeholder, token)) for name, value in kept],
            content=request.content.replace(placeholder, percent_encoded.encode() if _is_form(request) else token),
        )

    def _send(self, request: httpx.Request) -> httpx.Response:
        response = self.inner.handle_request(request)
        # A portal of this process answers with the whole body and no more than is kept.
        if response.is_closed and response.headers.keys() <= _KEPT_HEADERS:
            return response
        try:
            body = response.content if response.is_closed else read_body(response)
        except BrokenBody as broken:
            raise NoResponse(str(broken)) from None
        finally:
            response.close()
        return answer_of(response.status_code, content_type_of(response), body, seconds_to_wait(response))


class RedactingTransport(OuterTransport):
    """Takes the values of a redactor out of every answer."""

    def __init__(self, inner: httpx.BaseTransport, redactor: Redactor) -> None:
        super().__init__(inner)
        # A secret that is a word of every answer cannot be taken out without changing what is judged.
        self._redactor = redactor.without(_public_words())

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        # A value that the suite sends itself is no secret from it, and must read back as it was sent.
        self._redactor = self._redactor.without(f"{request.url.query.decode()} {request.content.decode()}")
        response = self.inner.handle_request(request)
        body, kind = response.content, content_type_of(response)
        redacted = self._redactor.body(body)
        shown = self._redactor.body(kind.encode()).decode()
        if redacted == body and shown == kind:
            return response
        return answer_of(response.status_code, shown, redacted)


def placeholder_request(request: HttpRequest, caller: Caller) -> httpx.Request:
    """Return a request as the transports take it: to the placeholder of its caller."""
    url = PLACEHOLDER_BASES[caller] + request.path + (f"?{request.query}" if request.query else "")
    headers = _headers(tuple(request.headers.items()))
    return httpx.Request(request.method, _parsed(url), headers=headers, content=request.body)


# Parsing is the dearest step of a request, and most requests of a run have the same few URLs and headers.
@lru_cache(maxsize=256)
def _parsed(url: str) -> httpx.URL:
    return httpx.URL(url)


@lru_cache(maxsize=256)
def _headers(pairs: tuple[tuple[str, str], ...]) -> httpx.Headers:
    return httpx.Headers(pairs)


def answer_of(status: int, content_type: str, body: bytes, wait_seconds: float = 0.0) -> httpx.Response:
    """Return a whole answer. Its other headers are dropped: they may hold the portal's address.

    wait_seconds: after so many seconds the portal wants to be asked again.
    """
    headers = [(b"Content-Type", content_type.encode("utf-8", "surrogateescape"))] if content_type else []
    if wait_seconds > 0:
        headers.append((b"Retry-After", str(math.ceil(wait_seconds)).encode()))
    return httpx.Response(status, headers=headers, content=body)


def seconds_to_wait(response: httpx.Response) -> float:
    """Return what Retry-After asks for, in seconds from now: it holds a number or a date."""
    given = response.headers.get("retry-after", "").strip()
    try:
        seconds = float(given) if given[:1].isdigit() else parsedate_to_datetime(given).timestamp() - time.time()
    except (ValueError, TypeError, OverflowError):
        return 0.0
    return seconds if math.isfinite(seconds) else 0.0


def content_type_of(response: httpx.Response) -> str:
    """Return the content type of an answer; the empty text where it has none."""
    kind: str = response.headers.get("content-type", "")
    return kind


def _is_form(request: httpx.Request) -> bool:
    return bool(request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"))


@cache
def _public_words() -> str:
    editions = [load_edition(name) for name in edition_names()]
    codes = {code for edition in editions for code in (*edition.method_codes, *edition.system_codes)}
    return " ".join((*_ANSWER_WORDS, *sorted(codes)))
