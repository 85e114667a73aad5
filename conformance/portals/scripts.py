"""Scripted answers of the mock portal. A script has a name that can stand in a webhook URL."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Final
from urllib.parse import quote

from conformance.contract.clauses import Edition, load_edition
from conformance.portals.php_forms import PortalRequest, split_name
from conformance.portals.reference import (
    FORMS,
    SECRET,
    PortalResponse,
    ReferencePortal,
    Refusal,
    Reply,
    Result,
    render,
    rendered,
)

LIMIT: Final = "QUERY_LIMIT_EXCEEDED"
METHOD_STATUS: Final = 400
"""The status with which the method refuses, in the template of the pages of every edition."""
SLOW_SECONDS: Final = 5.0
_LONGER_THAN_ANY_RUN: Final = 86_400.0
_IN_AN_ITEM: Final = (
    "insufficient_scope",
    "ERROR_METHOD_NOT_FOUND",
    "ERROR_BATCH_LENGTH_EXCEEDED",
    "ERROR_BATCH_METHOD_NOT_ALLOWED",
)
"""The system codes that refuse one item of a batch. The other system codes refuse the whole request."""
_CODE_AND_STATUS: Final = re.compile(r"([A-Za-z_]+)-([2-5][0-9][0-9])")
_PAGE: Final = b"<!DOCTYPE html><html><head><title>Error</title></head><body><h1>Error</h1></body></html>"
_NOT_TRUE: Final = {
    "one": 1,
    "one-as-text": "1",
    "two": 2,
    "yes": "Y",
    "true-as-text": "true",
    "true-in-a-list": [True],
    "object": {"done": True},
    "true-in-a-result": {"result": True},
    "no-fields": {},
}
SAME_IN_XML: Final = ("one", "one-as-text")
"""The results that XML writes as it writes true."""
_HTML: Final = "text/html; charset=utf-8"
_JSON: Final = "application/json; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Dropped:
    """The connection is closed without an answer."""


@dataclass(frozen=True, slots=True)
class Replied:
    """The method gives this reply, alone or as an item of a batch."""

    reply: Reply


@dataclass(frozen=True, slots=True)
class RefusedWhole:
    """The request as a whole is refused, even if the request is a batch."""

    refusal: Refusal


@dataclass(frozen=True, slots=True)
class WithoutResult:
    """A successful answer without `result`; in a batch, without the results of the items."""


@dataclass(frozen=True, slots=True)
class Cut:
    """The first half of a successful answer."""


@dataclass(frozen=True, slots=True)
class Slow:
    """A successful answer after some seconds."""

    seconds: float = SLOW_SECONDS


@dataclass(frozen=True, slots=True)
class Never:
    """An answer that never comes, while the connection stays open."""


@dataclass(frozen=True, slots=True)
class SentAs:
    """A successful answer that travels in another form."""

    form: str


@dataclass(frozen=True, slots=True)
class Redirect:
    """A redirect to the same URL. A client must send the same request again, with its body, or report an error."""

    status: int


@dataclass(frozen=True, slots=True)
class AsDeserved:
    """The portal reads the request and answers as it deserves, after some seconds."""

    seconds: float = 0.0


ScriptStep = (
    Redirect
    | AsDeserved
    | SentAs
    | Replied
    | RefusedWhole
    | WithoutResult
    | Cut
    | Slow
    | Never
    | PortalResponse
    | Dropped
)
"""One answer of a script. A PortalResponse is sent as it is, whatever the request."""


@dataclass(frozen=True, slots=True)
class Script:
    """The answers to the requests of one secret, in order. After the last step the first step follows again."""

    name: str
    steps: tuple[ScriptStep, ...]

    def __hash__(self) -> int:
        """Return a hash although a result may be a list."""
        return hash(self.name)

    @property
    def code(self) -> str:
        """Return the code of a script that refuses, or the empty text."""
        return self.code_of(1)

    def code_of(self, attempt: int) -> str:
        """Return the code that the request of that number is refused with, or the empty text."""
        match self.steps[(attempt - 1) % len(self.steps)]:
            case RefusedWhole(refusal) | Replied(Refusal() as refusal):
                return refusal.code
        return ""

    @property
    def may_be_carried_out(self) -> bool:
        """Return True if the first answer leaves open whether a vote was stored."""
        first = self.steps[0]
        broken = isinstance(first, PortalResponse) and (first.status >= 500 or first.status < 300)
        return broken or isinstance(first, Dropped | Cut | Never)

    @property
    def relaxes(self) -> bool:
        """Return True if the last answer differs from the first."""
        return self.steps[-1] != self.steps[0]


TRUE: Final = Script("true", (Replied(Result(True)),))


def refused(code: str, status: int, edition: Edition, description: str = "") -> Script:
    """Return a script that refuses with that code and status."""
    refusal = Refusal(code, status, description)
    whole = code not in edition.method_codes | set(_IN_AN_ITEM) or (code, status) == ("ACCESS_DENIED", 403)
    return Script(f"{code}-{status}", (RefusedWhole(refusal) if whole else Replied(refusal),))


def documented_refusals(edition: Edition) -> tuple[tuple[str, int], ...]:
    """Return each method code and each system code of an edition with its HTTP status."""
    return (*((code, METHOD_STATUS) for code in sorted(edition.method_codes)), *edition.system_codes.items())


def script_named(name: str, edition: Edition) -> Script | None:
    """Return the script of that name, or None.

    Besides the scripts of `scripts_of`, every CODE-STATUS is a name, for a code of the edition and any status.
    """
    script = scripts_of(edition.name).get(name)
    matched = _CODE_AND_STATUS.fullmatch(name)
    if script is not None or matched is None or not edition.documents(matched[1]):
        return script
    return refused(matched[1], int(matched[2]), edition)


@cache
def scripts_of(edition_name: str) -> Mapping[str, Script]:
    """Return the scripts of an edition by name."""
    edition = load_edition(edition_name)
    named = [
        TRUE,
        *REDIRECTS,
        *RESULTS,
        *BROKEN,
        Script("slow", (Slow(),)),
        *OTHER_FORMS,
        *SECOND_ATTEMPTS,
        *limits(edition),
        refused_after_limit(edition),
        AS_DESERVED,
    ]
    refusals = documented_refusals(edition)
    scripts = [refused(code, status, edition) for code, status in refusals]
    by_code = [replace(script, name=code) for script, (code, _) in zip(scripts, refusals, strict=True)]
    in_200 = [refused(code, 200, edition) for code, _ in refusals]
    # A code may be a method code and a system code. Then the code alone names the method's refusal, so the first wins.
    table: dict[str, Script] = {}
    for script in (*named, *by_code, *scripts, *in_200):
        table.setdefault(script.name, script)
    return table


REDIRECTS: Final = tuple(Script(f"redirect-{status}", (Redirect(status), AsDeserved())) for status in (302, 307, 308))
OTHER_FORMS: Final = (*(Script(form, (SentAs(form),)) for form in FORMS), Script("after-1-second", (Slow(1.0),)))
"""Successes that a client must know as such."""
SECOND_ATTEMPTS: Final = (
    Script("one-dropped", (Dropped(), Replied(Result(True)))),
    Script("one-502", (PortalResponse(502, _HTML, _PAGE), Replied(Result(True)))),
)
AS_DESERVED: Final = Script("as-deserved", (AsDeserved(0.2),))
"""The portal's own answer, so late that calls that are made at once overlap."""
REFUSED_CONNECTION: Final = Script("refused-connection", (Dropped(),))
UNKNOWN_AUTHORITY: Final = Script("unknown-authority", (Replied(Result(True)),))
ELSEWHERE: Final = (REFUSED_CONNECTION, UNKNOWN_AUTHORITY)
"""They name another address: a port where nobody listens, and a server with a certificate that nobody trusts."""
RESULTS: Final = (
    Script("false", (Replied(Result(False)),)),
    Script("null", (Replied(Result(None)),)),
    *(Script(name, (Replied(Result(value)),)) for name, value in _NOT_TRUE.items()),
    Script("no-result", (WithoutResult(),)),
    Script("empty-object", (PortalResponse(200, _JSON, b"{}"),)),
    Script("empty-list", (PortalResponse(200, _JSON, b"[]"),)),
)
DROPPED: Final = Script("dropped", (Dropped(),))
NEVER: Final = Script("never", (Never(),))
BROKEN: Final = (
    Script("html-500", (PortalResponse(500, _HTML, _PAGE),)),
    Script("html-502", (PortalResponse(502, _HTML, _PAGE),)),
    Script("html-200", (PortalResponse(200, _HTML, _PAGE),)),
    Script("html-403", (PortalResponse(403, _HTML, _PAGE),)),
    Script("cut-json", (Cut(),)),
    Script("empty", (PortalResponse(200, _JSON, b""),)),
    Script("no-content", (PortalResponse(204, _JSON, b""),)),
    Script("created", (PortalResponse(201, _JSON, b""),)),
    DROPPED,
    NEVER,
)


def limits(edition: Edition) -> tuple[Script, ...]:
    """Return the scripts of the rate limit: for ever, and for two requests, at the status of the edition and at 200."""
    own, in_200 = (RefusedWhole(Refusal(LIMIT, status)) for status in (edition.system_codes[LIMIT], 200))
    relaxed = Replied(Result(True))
    return (
        Script(f"{LIMIT}-{own.refusal.status}", (own,)),
        Script(f"{LIMIT}-200", (in_200,)),
        Script("two-limits", (own, own, relaxed)),
        Script("two-limits-200", (in_200, in_200, relaxed)),
    )


def refused_after_limit(edition: Edition) -> Script:
    """Return the script of one rate limit, then another refusal."""
    limit, refusal = limits(edition)[0], refused("ACCESS_DENIED", METHOD_STATUS, edition)
    return Script("limit-then-ACCESS_DENIED", (*limit.steps, *refusal.steps))


def play(step: ScriptStep, request: PortalRequest, edition: Edition) -> PortalResponse | Dropped:
    """Return the answer of one step to a request."""
    match step:
        case Dropped() | PortalResponse():
            return step
        case Redirect(status):
            query = f"?{request.query}" if request.query else ""
            answered = PortalResponse(status, "text/plain", b"", location=quote(request.path) + query)
        case AsDeserved(seconds):
            answered = replace(_at_webhook(ReferencePortal(edition), request), after_seconds=seconds)
        case RefusedWhole(refusal):
            answered = render(refusal, request.path.lower().endswith(".xml"))
        case Replied(reply):
            answered = _replied(reply, request, edition)
        case WithoutResult():
            answered = _without_result(request, edition)
        case Never():
            answered = PortalResponse(200, _JSON, b"", after_seconds=_LONGER_THAN_ANY_RUN)
        case Cut():
            success = _replied(Result(True), request, edition)
            answered = replace(success, body=success.body[: len(success.body) // 2])
        case SentAs(form):
            answered = replace(_replied(Result(True), request, edition), form=form)
        case Slow(seconds):
            answered = replace(_replied(Result(True), request, edition), after_seconds=seconds)
    return answered


def _replied(reply: Reply, request: PortalRequest, edition: Edition) -> PortalResponse:
    portal = ReferencePortal(edition)
    portal.vote = lambda _parameters, _context: reply
    return _at_webhook(portal, request)


def _at_webhook(portal: ReferencePortal, request: PortalRequest) -> PortalResponse:
    name = request.path.rpartition("/")[2]
    return portal.answer(replace(request, path=f"/rest/1/{SECRET}/{name}"))


def _without_result(request: PortalRequest, edition: Edition) -> PortalResponse:
    """Return a successful answer without its result; in a batch, without the result of each item."""
    xml = split_name(request.path)[1]
    answered = _replied(Result(True), replace(request, path=split_name(request.path)[0]), edition)
    document: dict[str, Any] = json.loads(answered.body)
    if isinstance(document.get("result"), dict):
        document["result"] |= {"result": [], "result_time": []}
    else:
        document.pop("result", None)
    return rendered(document, 200, xml)
