"""The reference portal: a model of the method in every edition. The model keeps votes and does no I/O.

The portal has three layers: `answer` (HTTP request to HTTP response), `vote` (parameters to reply) and `save` (store a
vote). Each layer is a function that can be replaced. The mutants of the selfcheck wrap one of them.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from typing import Any, Final
from urllib.parse import unquote
from xml.sax.saxutils import escape

from conformance.contract.clauses import Edition
from conformance.exchange.call import METHOD, READ_METHOD, Json
from conformance.portals.other_methods import OTHER_METHODS
from conformance.portals.php_forms import PortalRequest, parse_query, read_parameters, split_name

SESSIONS: Final[Mapping[str, int]] = {
    "rateable": 494,
    "forbidden": 7001,
    "not_open_line": 8001,
    "unknown": 999999937,
    "open": 495,
}
SECRET: Final = "reference-main"
SECOND_SECRET: Final = "reference-second"
UNSCOPED_SECRET: Final = "reference-unscoped"
TOKEN: Final = "reference-token"
BATCH_LIMIT: Final = 50
CONTROL_PARAMETERS: Final = ("auth", "access_token", "start", "state")
_WEBHOOK_PARTS: Final = 3
"""User id, secret and method: the URL of a webhook. The URL of a token caller has the method only."""
_TAG: Final = re.compile(r"[A-Za-z_][\w.-]*")
_NOT_IN_XML: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_STATE_OF: Final = {number: state for state, number in SESSIONS.items() if state != "unknown"}


class User(Enum):
    """The account of a caller, by the rights that it has."""

    SUPERVISOR = "supervisor"
    OTHER = "other"
    UNSCOPED = "unscoped"


_USERS: Final = {SECRET: User.SUPERVISOR, SECOND_SECRET: User.OTHER, UNSCOPED_SECRET: User.UNSCOPED}


@dataclass(frozen=True, slots=True)
class Result:
    """A reply that carries a result."""

    value: Json


@dataclass(frozen=True, slots=True)
class Refusal:
    """A reply that carries an error.

    code: the value of `error`.
    status: the HTTP status outside of a batch.
    description: the value of `error_description`; empty for the usual text.
    """

    code: str
    status: int
    description: str = ""

    @property
    def document(self) -> dict[str, Json]:
        """Return the error as a JSON object."""
        usual = f"Refused: {self.code.lower().replace('_', ' ')}"
        return {"error": self.code, "error_description": self.description or usual}


Reply = Result | Refusal


FORMS: Final = ("gzip", "chunked", "http-1.0", "connection-close")
"""Other forms of the same answer, beside a body of a known length by HTTP/1.1."""


@dataclass(frozen=True, slots=True)
class PortalResponse:
    """An HTTP response.

    status: the HTTP status.
    content_type: the header Content-Type.
    body: the bytes of the body.
    after_seconds: the seconds before the response is sent.
    location: the path in the header Location, which names the address that was called; empty for no such header.
    form: how the body travels; see FORMS.
    """

    status: int
    content_type: str
    body: bytes
    after_seconds: float = 0.0
    location: str = ""
    form: str = ""


@dataclass(slots=True)
class Vote:
    """The stored vote of a session.

    rating: 1 to 5; 0 if no rating is stored.
    comment: None if no comment is stored.
    """

    rating: int = 0
    comment: str | None = None


@dataclass(frozen=True, slots=True)
class Context:
    """The circumstances of a call.

    user: the account that calls.
    way: the encoding of the parameters: "json", "form", "multipart", "query", "get", or "batch" for an item.
    """

    user: User
    way: str


Answering = Callable[[PortalRequest], PortalResponse]
Voting = Callable[[dict[str, Json], Context], Reply]
Saving = Callable[[int, int | None, str | None], None]


@dataclass(slots=True)
class ReferencePortal:
    """The model of a portal. The three layers may be replaced before the first request.

    edition: the edition that the portal follows.
    votes: the stored votes by session id.
    answer: HTTP request to HTTP response.
    vote: parameters of a vote to a reply.
    save: store a vote; None leaves a field as it is.
    """

    edition: Edition
    votes: dict[int, Vote] = field(default_factory=dict)
    answer: Answering = field(init=False)
    vote: Voting = field(init=False)
    save: Saving = field(init=False)

    def __post_init__(self) -> None:
        self.answer = self._answer
        self.vote = self._vote
        self.save = self._save

    def _answer(self, request: PortalRequest) -> PortalResponse:
        before, _, rest = request.path.rpartition("/rest/")
        parts = rest.split("/") if before or request.path.startswith("/rest/") else []
        name, xml = split_name(unquote(parts[-1]) if parts else "")
        parameters = read_parameters(request)
        user = self._user_of(parts, parameters, request.headers.get("authorization", ""))
        reply = self._dispatch(name, parameters, user, _way_of(request), len(parts) == _WEBHOOK_PARTS)
        return render(reply, xml)

    def _user_of(self, parts: list[str], parameters: dict[str, Json], authorization: str) -> User | None:
        if len(parts) == _WEBHOOK_PARTS:
            return _USERS.get(parts[1])
        scheme, _, bearer = authorization.partition(" ")
        token = (
            (bearer if scheme.lower() == "bearer" else "") or parameters.get("auth") or parameters.get("access_token")
        )
        return User.SUPERVISOR if token == TOKEN else None

    def _dispatch(
        self, name: str, parameters: dict[str, Json], user: User | None, way: str, is_webhook: bool = True
    ) -> Reply:
        methods: dict[str, Callable[[dict[str, Json], Context], Reply]] = {
            METHOD: self.vote,
            READ_METHOD: self._read,
            "batch": self._batch,
        }
        if name.lower() not in methods.keys() | OTHER_METHODS.keys():
            return Refusal("ERROR_METHOD_NOT_FOUND", 404)
        if user is None:
            # A wrong token and no credentials are no authorization data; a wrong secret is measured to be another code.
            return self._system("INVALID_CREDENTIALS" if is_webhook else "NO_AUTH_FOUND")
        if name.lower() in OTHER_METHODS:
            return Result(OTHER_METHODS[name.lower()]())
        if user is User.UNSCOPED and name.lower() != "batch":
            return self._system("insufficient_scope")
        own = {key: value for key, value in parameters.items() if key not in CONTROL_PARAMETERS}
        return methods[name.lower()](own, Context(user, way))

    def _vote(self, parameters: dict[str, Json], context: Context) -> Reply:
        session = whole_number(parameters.get("SESSION_ID"))
        rating, comment = parameters.get("RATING"), parameters.get("COMMENT")
        if session is None or session <= 0:
            return self.refusal("EMPTY_SESSION_ID", "CHAT_ID")
        stars = whole_number(rating) if is_filled(rating) else None
        if not is_filled(rating) and not is_filled(comment):
            return self.refusal("EMPTY_VOTE_PARAMS", "WRONG_PARAMETER")
        if (is_filled(rating) and stars not in range(1, 6)) or not (comment is None or isinstance(comment, str)):
            return self.refusal("EMPTY_VOTE_PARAMS", "WRONG_PARAMETER")
        denial = self.denial(session, context.user)
        if denial is not None:
            return denial
        self.save(session, stars, comment if is_filled(comment) else None)
        return Result(True)

    def denial(self, session: int, user: User) -> Refusal | None:
        """Return the refusal for a user who may not rate a session, or None if the user may."""
        state = _STATE_OF.get(session, "unknown")
        if state in ("rateable", "open"):
            may_rate = user is User.SUPERVISOR or "access.any-user" in self.edition.clauses
            return None if may_rate else self.refusal("ACCESS_DENIED")
        own = {"unknown": "CHAT_ID", "not_open_line": "CHAT_TYPE", "forbidden": "ACCESS_DENIED"}[state]
        return self.refusal(own, "ACCESS_DENIED")

    def _save(self, session: int, rating: int | None, comment: str | None) -> None:
        kept = self.votes.setdefault(session, Vote())
        if rating is not None:
            kept.rating = rating
        if comment is not None:
            kept.comment = comment

    def _read(self, parameters: dict[str, Json], context: Context) -> Reply:
        session = whole_number(parameters.get("SESSION_ID"))
        if parameters.get("SESSION_ID") is None:
            return Refusal("MISSING_REQUIRED_PARAM", 400)
        if session is None or session <= 0 or session not in _STATE_OF:
            return Refusal("INVALID_SESSION_ID", 400)
        if _STATE_OF[session] == "forbidden":
            return Refusal("ACCESS_DENIED", 400)
        kept = self.votes.get(session, Vote())
        return Result(
            {
                "sessionId": session,
                "chatId": session + 1000,
                "canVoteHead": "Y" if context.user is User.SUPERVISOR else "N",
                "sessionVoteHead": kept.rating,
                "sessionCommentHead": kept.comment,
            }
        )

    def _batch(self, parameters: dict[str, Json], context: Context) -> Reply:
        commands = parameters.get("cmd")
        halt = parameters.get("halt") not in (None, False, 0, "", "0")
        items: list[tuple[object, Json]] = list(enumerate(commands) if isinstance(commands, list) else ())
        if isinstance(commands, dict):
            items = list(commands.items())
        results: dict[str, Json] = {}
        errors: dict[str, Json] = {}
        times: dict[str, Json] = {}
        for place, (key, command) in enumerate(items):
            reply = self._batch_item(place, str(command), context)
            if isinstance(reply, Result):
                results[str(key)] = reply.value
                times[str(key)] = time_field()
            else:
                errors[str(key)] = reply.document
                if halt:
                    break
        parts = {"result": results, "result_error": errors, "result_total": {}, "result_next": {}, "result_time": times}
        return Result({name: php_array(part) for name, part in parts.items()})

    def _batch_item(self, place: int, command: str, context: Context) -> Reply:
        name, _, query = command.partition("?")
        if place >= BATCH_LIMIT:
            return self._system("ERROR_BATCH_LENGTH_EXCEEDED")
        if name.lower() == "batch":
            return self._system("ERROR_BATCH_METHOD_NOT_ALLOWED")
        return self._dispatch(name, parse_query(query), context.user, "batch")

    def refusal(self, *codes: str) -> Refusal:
        """Return a refusal by the method, with the first of these codes that the portal's edition has."""
        return Refusal(next(code for code in codes if code in self.edition.method_codes), 400)

    def _system(self, code: str) -> Refusal:
        return Refusal(code, self.edition.system_codes[code])


def whole_number(value: Json) -> int | None:
    """Return the whole number of a JSON integer or of a text of ASCII digits, or None for every other value."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and re.fullmatch(r"-?(0|[1-9][0-9]{0,99})", value):
        return int(value)
    return None


def is_filled(value: Json) -> bool:
    """Return True if an optional parameter is given and not blank."""
    return value is not None and (not isinstance(value, str) or value.strip() != "")


def render(reply: Reply, xml: bool = False) -> PortalResponse:
    """Return the HTTP response that carries a reply."""
    if isinstance(reply, Result):
        status, document = 200, {"result": reply.value, "time": time_field()}
    else:
        status, document = reply.status, reply.document
    return rendered(document, status, xml)


def rendered(document: dict[str, Json], status: int, xml: bool) -> PortalResponse:
    """Return the HTTP response that carries a document."""
    if xml:
        text = f'<?xml version="1.0" encoding="UTF-8"?>\n<response>{_xml(document)}</response>'
        return PortalResponse(status, "text/xml; charset=utf-8", text.encode("utf-8", "replace"))
    return PortalResponse(status, "application/json; charset=utf-8", json.dumps(document).encode())


def time_field() -> dict[str, Any]:
    """Return the object `time` of a successful answer."""
    now = datetime.now(UTC)
    stamp = now.isoformat(timespec="seconds")
    seconds = now.timestamp()
    return {
        "start": int(seconds),
        "finish": seconds,
        "duration": seconds - int(seconds),
        "processing": 0,
        "date_start": stamp,
        "date_finish": stamp,
        "operating_reset_at": int(seconds) + 600,
        "operating": 0,
    }


def php_array(mapping: dict[str, Json]) -> Json:
    """Return a mapping as PHP writes an array in JSON: an empty array is [], and keys 0 to n-1 make a list."""
    return list(mapping.values()) if list(mapping) == [str(i) for i in range(len(mapping))] else mapping


def _way_of(request: PortalRequest) -> str:
    if request.method != "POST":
        return "get"
    return {
        "application/json": "json",
        "application/x-www-form-urlencoded": "form",
        "multipart/form-data": "multipart",
    }.get(request.media_type, "query")


def _xml(value: Json) -> str:
    if isinstance(value, dict):
        named = ((key if _TAG.fullmatch(key) else "item", entry) for key, entry in value.items())
        return "".join(f"<{key}>{_xml(entry)}</{key}>" for key, entry in named)
    if isinstance(value, list):
        return "".join(f"<item>{_xml(entry)}</item>" for entry in value)
    # PHP casts true to the text 1, false and null to the empty text.
    if value is None or isinstance(value, bool):
        return "1" if value else ""
    return escape(_NOT_IN_XML.sub("", str(value)))
