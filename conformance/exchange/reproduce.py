"""A call in words, and as a curl line for any POSIX shell. The line names variables in place of secrets."""

import json
import shlex
from typing import Final

from conformance.exchange.call import Batch, Call, Caller, Encoding, Json
from conformance.exchange.encode import BOUNDARY, HttpRequest, as_text, encode

# Stands in the encoded request where the line must name the shell variable of the token.
_TOKEN_MARK: Final = "B24TOKENMARK"
WRONG_SECRET: Final = "not-the-webhook-secret"
"""A constant: a secret made from the right one could leak parts of the right one."""
_WEBHOOK: Final = "${B24_WEBHOOK_URL%/}"
_PARENT: Final = f'$(printf %s "{_WEBHOOK}" | sed "s,/[^/]*$,,")'
_SECRET: Final = f'printf %s "{_WEBHOOK}" | sed "s,.*/,,"'
_BASES: Final = {
    Caller.MAIN: _WEBHOOK,
    Caller.OTHER_CASE: f"{_PARENT}/$({_SECRET} | tr a-zA-Z A-Za-z)",
    Caller.CUT_SECRET: f"{_PARENT}/$({_SECRET} | sed s/.$//)",
    Caller.LONGER_SECRET: f"{_WEBHOOK}x",
    Caller.EMPTY_SECRET: f"{_PARENT}/",
    Caller.SECOND: "${B24_SECOND_URL%/}",
    Caller.UNSCOPED: "${B24_UNSCOPED_URL%/}",
    Caller.TOKEN_BODY: "${B24_TOKEN_URL%/}",
    Caller.TOKEN_QUERY: "${B24_TOKEN_URL%/}",
    Caller.TOKEN_BEARER: "${B24_TOKEN_URL%/}",
    Caller.WRONG_SECRET: f"${{B24_PORTAL_URL%/}}/rest/1/{WRONG_SECRET}",
    Caller.WRONG_TOKEN: "${B24_PORTAL_URL%/}/rest",
    Caller.NO_CREDENTIALS: "${B24_PORTAL_URL%/}/rest",
}
_LONGEST_SHOWN: Final = 80


def describe(call: Call) -> str:
    """Return names and values of the parameters, with texts quoted and long texts cut."""
    return " ".join(f"{name}={_shorten(value)}" for name, value in call.parameters) or "no parameters"


def curl(call: Call) -> str:
    """Return a shell line that sends the call again.

    The shell must have B24_WEBHOOK_URL set, or the variables in _BASES and B24_TOKEN for another caller.
    """
    request = encode(call, _TOKEN_MARK)
    words = [f"curl -X {request.method}"]
    for name, value in request.headers.items():
        if not value.startswith("multipart/"):
            words.append(f"-H {_shell_quote(f'{name}: {value}')}")
    if call.delivery.encoding is Encoding.MULTIPART and call.delivery.batch is Batch.NO and call.parameters:
        words += [f"--form-string {_shell_quote(f'{name}={as_text(value)}')}" for name, value in call.parameters]
        if call.delivery.caller is Caller.TOKEN_BODY:
            words.append('--form-string auth="$B24_TOKEN"')
    elif request.body is not None:
        words += _body_options(request)
    words.append(_quoted_url(request, call.delivery.caller))
    return " ".join(words)


def _body_options(request: HttpRequest) -> list[str]:
    text = (request.body or b"").decode()
    media_type = request.headers["Content-Type"]
    # A character that a terminal does not show would be lost when the line is copied, so JSON escapes it.
    if media_type == "application/json" and not text.isprintable():
        text = json.dumps(json.loads(text))
    if media_type.startswith("multipart/"):
        return [
            f"-H {_shell_quote(f'Content-Type: multipart/form-data; boundary={BOUNDARY}')}",
            f"--data-binary {_shell_quote(text)}",
        ]
    return [f"--data-binary {_shell_quote(text)}"]


def _quoted_url(request: HttpRequest, caller: Caller) -> str:
    query = f"?{request.query}".replace(_TOKEN_MARK, "$B24_TOKEN") if request.query else ""
    return f'"{_BASES[caller]}/{request.path}{query}"'


def _shell_quote(text: str) -> str:
    # The single quotes end before the variable and begin after it: inside them the shell would not replace it.
    return shlex.quote(text).replace(_TOKEN_MARK, "'\"$B24_TOKEN\"'")


def _shorten(value: Json) -> str:
    text = json.dumps(value, ensure_ascii=not isinstance(value, str) or not value.isprintable())
    if len(text) <= _LONGEST_SHOWN:
        return text
    return f"{text[:_LONGEST_SHOWN]}… ({len(value):,} characters)"
