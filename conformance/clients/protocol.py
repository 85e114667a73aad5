"""The client protocol: one JSON line asks a program for a call, one JSON line says what its library handed back.

Asked:   {"url": webhook, "ca_file": path, "method": name, "params": {...}}
Answer:  {"value": ...} or {"error": {"code": text, "description": text, "status": number}} or {"exception": text}
An answer may name the library and its version: {"client": "name 1.2.3", ...}, hold what the caller's own parameters are
after the call: {"params": {...}, ...}, and tell that calls may be made at once: {"concurrent": true, ...}.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from conformance.exchange.call import Json

KINDS: Final = frozenset({"value", "error", "exception"})
_BESIDE: Final = frozenset({"client", "params", "concurrent"})
"""What may stand beside them in an answer."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A call that the library is asked for. url: the webhook, with a slash at its end."""

    url: str
    ca_file: str
    method: str
    params: Mapping[str, Json]

    @property
    def line(self) -> bytes:
        """In ASCII, so that no program needs to know the encoding of its input."""
        asked = {"url": self.url, "ca_file": self.ca_file, "method": self.method, "params": dict(self.params)}
        return json.dumps(asked).encode() + b"\n"


def line_of(calls: Sequence[Asked]) -> bytes:
    """Return the line that asks for a call, or for several at once: these stand in a list."""
    if len(calls) == 1:
        return calls[0].line
    return b"[" + b", ".join(asked.line.rstrip() for asked in calls) + b"]\n"


@dataclass(frozen=True, slots=True)
class Returned:
    """The library handed back a value: to its caller a success."""

    value: Json

    def __str__(self) -> str:
        return f"the value {json.dumps(self.value, ensure_ascii=False)}"


@dataclass(frozen=True, slots=True)
class ApiError:
    """The library reported an error with a code of the portal. status: 0 where it does not tell."""

    code: str
    description: str
    status: int

    def __str__(self) -> str:
        return f"an error with the code {json.dumps(self.code, ensure_ascii=False)}"


@dataclass(frozen=True, slots=True)
class OtherError:
    """The library failed in another way."""

    text: str

    def __str__(self) -> str:
        return f"an exception without a code: {self.text}"


@dataclass(frozen=True, slots=True)
class TimedOut:
    """The library did not come back within the cap; its process was ended."""

    seconds: float

    def __str__(self) -> str:
        return f"nothing within {self.seconds:g} s"


@dataclass(frozen=True, slots=True)
class ProtocolError:
    """The program does not speak the protocol, or ended without an answer: a fault of the set-up."""

    reason: str

    def __str__(self) -> str:
        return f"no answer: {self.reason}"


@dataclass(frozen=True, slots=True)
class NotSent:
    """The call was not asked for. behind: the name of the answer to the call before it that did not come back."""

    reason: str
    behind: str = ""

    def __str__(self) -> str:
        return f"not sent: {self.reason}"


ClientOutcome = Returned | ApiError | OtherError | TimedOut | ProtocolError | NotSent


@dataclass(frozen=True, slots=True)
class AdapterReply:
    """A line that is an answer, or what stands in its place.

    client: the library and its version, where the program tells.
    params: what the caller's own parameters are after the call; None where the program does not tell.
    is_concurrent: True if the program says that calls may be made at once.
    """

    back: ClientOutcome
    client: str = ""
    params: Json = None
    is_concurrent: bool = False


def read_reply(line: str) -> AdapterReply | None:
    """What a line says; None where it is no answer but something that was printed."""
    try:
        document = json.loads(line.removeprefix("\ufeff"))
    except (ValueError, RecursionError):
        return None
    is_answer = isinstance(document, dict) and (document.keys() & KINDS or document.keys() <= _BESIDE)
    if not is_answer:
        return None
    client = document.get("client")
    named = client if isinstance(client, str) else ""
    return AdapterReply(_back_of(document), named, document.get("params"), document.get("concurrent") is True)


def _back_of(document: dict[str, Any]) -> ClientOutcome:
    # Many languages write the fields that are not set as null.
    given = [kind for kind in KINDS if document.get(kind) is not None]
    if len(given) > 1:
        return ProtocolError(f"an answer has one of value, error and exception, not {' and '.join(given)}")
    if given == ["exception"]:
        return OtherError(str(document["exception"]))
    if given != ["error"]:
        # JavaScript leaves {"value": undefined} out of its JSON.
        return Returned(document.get("value"))
    error = document["error"] if isinstance(document["error"], dict) else {"code": document["error"]}
    code, status = error.get("code"), error.get("status")
    return ApiError(
        code if isinstance(code, str) else "" if code is None else json.dumps(code),
        str(error.get("description") or ""),
        status if isinstance(status, int) else 0,
    )
