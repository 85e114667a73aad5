"""The reference portal: a pure model of the method in both editions. It keeps votes; it does no I/O.

Three layers, each a function that can be wrapped: `answer` (HTTP in, HTTP out), `vote` (parameters in, reply out) and
`save` (what is stored). The selfcheck's lying portals wrap one of them.
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
_TAG: Final = re.compile(r"[A-Za-z_][\w.-]*")
_NOT_IN_XML: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_STATE_OF: Final = {number: state for state, number in SESSIONS.items() if state != "unknown"}


class User(Enum):
    """Who is calling, once the secret or token is known."""

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
    """A reply that carries an error. status: that outside a batch. description: empty for the usual one."""

    code: str
    status: int
    description: str = ""

    @property
    def document(self) -> dict[str, Json]:
        usual = f"Refused: {self.code.lower().replace('_', ' ')}"
        return {"error": self.code, "error_description": self.description or usual}


Reply = Result | Refusal


@dataclass(frozen=True, slots=True)
class PortalResponse:
    """An HTTP response. after_seconds: how long the caller waits for it. location: empty for no such header."""

    status: int
    content_type: str
    body: bytes
    after_seconds: float = 0.0
    location: str = ""


@dataclass(slots=True)
class Vote:
    """The stored vote of a session. rating 0 and comment None where there is none."""

    rating: int = 0
    comment: str | None = None


@dataclass(frozen=True, slots=True)
class Context:
    """What a vote knows of its call besides the parameters. way: how these came, as "json", "batch" and so on."""

    user: User
    way: str


Answering = Callable[[PortalRequest], PortalResponse]
Voting = Callable[[dict[str, Json], Context], Reply]
Saving = Callable[[int, int | None, str | None], None]


@dataclass(slots=True)
class ReferencePortal:
    """The model. `answer` is its face; the layers may be replaced before it is used."""

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
        reply = self._dispatch(name, parameters, user, _way_of(request))
        return render(reply, xml)

    def _user_of(self, parts: list[str], parameters: dict[str, Json], authorization: str) -> User | None:
        if len(parts) == 3:  # user id, secret, method
            return _USERS.get(parts[1])
        scheme, _, bearer = authorization.partition(" ")
        token = (
            (bearer if scheme.lower() == "bearer" else "") or parameters.get("auth") or parameters.get("access_token")
        )
        return User.SUPERVISOR if token == TOKEN else None

    def _dispatch(self, name: str, parameters: dict[str, Json], user: User | None, way: str) -> Reply:
        methods: dict[str, Callable[[dict[str, Json], Context], Reply]] = {
            METHOD: self.vote,
            READ_METHOD: self._read,
            "batch": self._batch,
        }
        if name.lower() not in methods:
            return self._system("ERROR_METHOD_NOT_FOUND")
        if user is None:
            return self._system("INVALID_CREDENTIALS")
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
        """Why a user may not rate a session; None where he may."""
        state = _STATE_OF.get(session, "unknown")
        if state in ("rateable", "open"):
            may_rate = user is User.SUPERVISOR or self.edition.name == "2024-10"
            return None if may_rate else self.refusal("ACCESS_DENIED", "ACCESS_DENIED")
        first = {"unknown": "CHAT_ID", "not_open_line": "CHAT_TYPE", "forbidden": "ACCESS_DENIED"}[state]
        return self.refusal("ACCESS_DENIED", first)

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

    def refusal(self, code_2026: str, code_2024: str) -> Refusal:
        """A refusal by the method, with the code that its edition has for the case."""
        return Refusal(code_2024 if self.edition.name == "2024-10" else code_2026, 400)

    def _system(self, code: str) -> Refusal:
        return Refusal(code, self.edition.system_codes[code])


def whole_number(value: Json) -> int | None:
    """The whole number that a value states: a JSON integer, or a text of ASCII digits."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and re.fullmatch(r"-?(0|[1-9][0-9]{0,99})", value):
        return int(value)
    return None


def is_filled(value: Json) -> bool:
    """Whether an optional parameter is given and not blank."""
    return value is not None and (not isinstance(value, str) or value.strip() != "")


def render(reply: Reply, xml: bool = False) -> PortalResponse:
    """The HTTP response that carries a reply."""
    if isinstance(reply, Result):
        status, document = 200, {"result": reply.value, "time": time_field()}
    else:
        status, document = reply.status, reply.document
    return rendered(document, status, xml)


def rendered(document: dict[str, Json], status: int, xml: bool) -> PortalResponse:
    """The HTTP response that carries a document."""
    if xml:
        text = f'<?xml version="1.0" encoding="UTF-8"?>\n<response>{_xml(document)}</response>'
        return PortalResponse(status, "text/xml; charset=utf-8", text.encode("utf-8", "replace"))
    return PortalResponse(status, "application/json; charset=utf-8", json.dumps(document).encode())


def time_field() -> dict[str, Any]:
    """The object `time` of a successful answer."""
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
    """A mapping as PHP's JSON shows it: empty is [], keys 0..n-1 are a list."""
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
    if value is None or isinstance(value, bool):
        return "1" if value else ""
    return escape(_NOT_IN_XML.sub("", str(value)))
