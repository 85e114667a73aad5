"""Answers that are not the portal's: a redirect, a page of a front, a denial of every call; what to do about each."""

import re
from itertools import islice
from typing import Final

from conformance.exchange.response import NO_JSON, Accepted, Refused, Response, parse_json

REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_FRONT_STATUSES: Final = frozenset(range(401, 600)) - {409, 413, 414, 415, 422, 500}
"""What proxies, firewalls and providers answer. Left out is what a portal may answer with a page of its own."""
STAND_IN_STATUSES: Final = REDIRECTS | _FRONT_STATUSES
"""Only an answer with one of these may be another's than the portal's."""
_GATEWAY_STATUSES: Final = (429, 502, 503, 504)
"""With these, frameworks in front of a portal write JSON of their own, whose `error` is no code."""
_MOST_TRIED: Final = 5
"""So many places of an answer may be the beginning of its JSON. Each is read to the end of the answer."""
_DENIALS: Final = (401, 403)
_MEDIA_TYPE: Final = re.compile(r"[\w.+-]{1,40}/[\w.+-]{1,60}", re.ASCII)
_NOTED: Final = re.compile(r"\((.+) before JSON\)")
_BLOCKED: Final = "a firewall or the provider keeps this machine out: ask who runs it"
_DOWN: Final = "the portal is down or being serviced: try again later"
_ADVICE: Final = {
    "OVERLOAD_LIMIT": "the provider has blocked the REST API of this portal because of overload: ask its support",
    "ACCESS_DENIED": "REST is not open to this portal, as when its plan or trial has ended; the session ids are right",
    "ERROR_METHOD_NOT_FOUND": "check the webhook's address and scope, and that open channels are installed",
    "PORTAL_DELETED": "the portal does not exist any more: give the url of another one",
    "INVALID_REQUEST": "give the url with https",
}
_UNAUTHORIZED: Final = "the caller cannot be authorized: check the webhook's secret, scope and address, and its user"


def stand_in(response: Response) -> str:
    """Return what answered in the portal's place, in words; the empty text for an answer of the portal."""
    if response.refused and response.status in _GATEWAY_STATUSES and not response.has_well_formed_code:
        return f"an error of a front (HTTP {response.status}, JSON)"
    if isinstance(response.outcome, Accepted | Refused) or _is_envelope(response.document):
        return ""
    if response.status in REDIRECTS:
        return f"a redirect (HTTP {response.status})"
    if response.status in _FRONT_STATUSES:
        return f"a page in the portal's place (HTTP {response.status}, {media_type(response.content_type)})"
    return ""


def _is_envelope(document: object) -> bool:
    return isinstance(document, dict) and ("result" in document or "error" in document)


def is_denial(response: Response, system_codes: frozenset[str]) -> bool:
    """Return True if a portal may answer so to every call, whatever its values are.

    system_codes: the codes that only the common pages name.
    """
    return response.refused and (response.code in system_codes or response.status in _DENIALS)


def advice_of(response: Response) -> str:
    """Return what to do where every call is answered like this."""
    if response.refused:
        return _ADVICE.get(response.code, _UNAUTHORIZED)
    if response.status in REDIRECTS:
        return "the portal was renamed or moved: give its new address as url"
    return _BLOCKED if response.status in (401, 403, 407, 429, 511) else _DOWN


def media_type(content_type: str) -> str:
    """Return the media type of a label; other text of a portal is not shown."""
    found = _MEDIA_TYPE.match(content_type)
    return found[0] if found else "no media type"


def before_json(text: str) -> str:
    """Return what stands before the JSON of an answer, in words; the empty text where no JSON follows."""
    if noted := _NOTED.fullmatch(text):
        return noted[1]
    for place in (found.start() for found in islice(re.finditer(r'\{"(?:result|error)"', text), _MOST_TRIED)):
        if parse_json(text[place:].encode("utf-8", "surrogatepass")) is not NO_JSON:
            first = text[:place].strip()
            if first == "\ufeff":
                return "a byte order mark"
            kind = "HTML" if first.startswith("<") else "a text"
            kind = kind if parse_json(first.encode("utf-8", "surrogatepass")) is NO_JSON else "another JSON document"
            return f"{kind} of {len(first):,} characters" if kind != "another JSON document" else kind
    return ""
