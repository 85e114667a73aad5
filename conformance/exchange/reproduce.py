"""A call as a person reads it, and as a curl line that repeats it in any POSIX shell without holding a secret."""

import json
import shlex
from typing import Final

from conformance.exchange.call import Batch, Call, Caller, Encoding, Json
from conformance.exchange.encode import BOUNDARY, HttpRequest, as_text, encode

_TOKEN_MARK: Final = "B24TOKENMARK"
_BASES: Final = {
    Caller.MAIN: "${B24_WEBHOOK_URL%/}",
    Caller.SECOND: "${B24_SECOND_URL%/}",
    Caller.UNSCOPED: "${B24_UNSCOPED_URL%/}",
    Caller.TOKEN_BODY: "${B24_TOKEN_URL%/}",
    Caller.TOKEN_QUERY: "${B24_TOKEN_URL%/}",
    Caller.TOKEN_BEARER: "${B24_TOKEN_URL%/}",
}
WRONG_SECRET: Final = "not-the-webhook-secret"
"""A constant, so that nothing of the right secret shows in it."""
_LONGEST_SHOWN: Final = 80


def describe(call: Call) -> str:
    """Names and values of the parameters, texts quoted, long ones cut."""
    return " ".join(f"{name}={_short(value)}" for name, value in call.parameters) or "no parameters"


def curl(call: Call) -> str:
    """A line that sends the call again. B24_WEBHOOK_URL (and what else the caller needs) must be set in the shell."""
    request = encode(call, _TOKEN_MARK)
    words = [f"curl -X {request.method}"]
    for name, value in request.headers.items():
        if not value.startswith("multipart/"):
            words.append(f"-H {_quote(f'{name}: {value}')}")
    if call.delivery.encoding is Encoding.MULTIPART and call.delivery.batch is Batch.NO and call.parameters:
        words += [f"--form-string {_quote(f'{name}={as_text(value)}')}" for name, value in call.parameters]
        if call.delivery.caller is Caller.TOKEN_BODY:
            words.append('--form-string auth="$B24_TOKEN"')
    elif request.body is not None:
        words += _body(request)
    words.append(_url(request, call.delivery.caller))
    return " ".join(words)


def _body(request: HttpRequest) -> list[str]:
    text = (request.body or b"").decode()
    kind = request.headers["Content-Type"]
    if kind == "application/json" and not text.isprintable():
        text = json.dumps(json.loads(text))
    if kind.startswith("multipart/"):
        return [
            f"-H {_quote(f'Content-Type: multipart/form-data; boundary={BOUNDARY}')}",
            f"--data-binary {_quote(text)}",
        ]
    return [f"--data-binary {_quote(text)}"]


def _url(request: HttpRequest, caller: Caller) -> str:
    query = f"?{request.query}".replace(_TOKEN_MARK, "$B24_TOKEN") if request.query else ""
    base = f"${{B24_PORTAL_URL%/}}/rest/1/{WRONG_SECRET}" if caller is Caller.WRONG_SECRET else _BASES[caller]
    return f'"{base}/{request.path}{query}"'


def _quote(text: str) -> str:
    return shlex.quote(text).replace(_TOKEN_MARK, "'\"$B24_TOKEN\"'")


def _short(value: Json) -> str:
    text = json.dumps(value, ensure_ascii=not isinstance(value, str) or not value.isprintable())
    if len(text) <= _LONGEST_SHOWN:
        return text
    return f"{text[:_LONGEST_SHOWN]}… ({len(value):,} characters)"
