"""A call of the method: parameters with their equivalence classes, and how the call is delivered."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final

METHOD: Final = "imopenlines.session.head.vote"
READ_METHOD: Final = "imopenlines.session.history.get"

Json = Any
"""A JSON value: None, bool, int, float, str, or a list or dict of JSON values."""


class Absent:
    """The value of a parameter that is not sent."""

    def __repr__(self) -> str:
        return "absent"


ABSENT: Final = Absent()


class Encoding(StrEnum):
    """How parameters are written into a request. JSON has two spellings: UTF-8, and ASCII with escapes."""

    JSON = "POST, JSON"
    JSON_ASCII = "POST, JSON in ASCII"
    FORM = "POST, form"
    MULTIPART = "POST, multipart"
    QUERY_POST = "POST, query"
    QUERY_GET = "GET, query"


JSON_ENCODINGS: Final = (Encoding.JSON, Encoding.JSON_ASCII)
DOCUMENTED_ENCODINGS: Final = tuple(encoding for encoding in Encoding if encoding is not Encoding.QUERY_POST)
"""No page names the query of a POST, so a call in it is observed only."""


class Caller(StrEnum):
    """The account that calls. The three token callers differ in the place of the access token."""

    MAIN = "webhook"
    SECOND = "second caller"
    UNSCOPED = "caller without scope"
    WRONG_SECRET = "wrong secret"
    OTHER_CASE = "the secret in the other case"
    CUT_SECRET = "the secret without its last character"
    LONGER_SECRET = "the secret with a letter more"
    EMPTY_SECRET = "an empty secret"
    TOKEN_QUERY = "token in query"
    TOKEN_BODY = "token in body"
    TOKEN_BEARER = "Bearer token"
    WRONG_TOKEN = "wrong token"
    NO_CREDENTIALS = "no credentials"


NEARLY_RIGHT: Final = (Caller.OTHER_CASE, Caller.CUT_SECRET, Caller.LONGER_SECRET, Caller.EMPTY_SECRET)
"""The callers whose secret is made from the right one. No live portal and no plan has them: they could leak it."""
NO_RIGHTS: Final = (Caller.WRONG_SECRET, Caller.UNSCOPED, Caller.WRONG_TOKEN, Caller.NO_CREDENTIALS, *NEARLY_RIGHT)
"""The callers without rights: a portal must deny each of their calls."""
TOKEN_CALLERS: Final = (Caller.TOKEN_BODY, Caller.TOKEN_QUERY, Caller.TOKEN_BEARER)
REST_CALLERS: Final = (*TOKEN_CALLERS, Caller.WRONG_TOKEN, Caller.NO_CREDENTIALS)
"""The callers whose address holds no user and no secret."""


class Batch(StrEnum):
    """If a call is an item of a batch, and how the batch writes its items.

    The other items of such a batch are calls that every portal must refuse.
    """

    NO = "alone"
    MAP = "in a batch, cmd as map"
    LIST = "in a batch, cmd as list"


@dataclass(frozen=True, slots=True)
class Delivery:
    """How a call is delivered.

    encoding: how the parameters are written.
    suffix: the end of the method's name in the URL: empty, ".json" or ".xml".
    caller: the account that calls.
    batch: alone, or how the batch writes its items.
    order: the order of the parameters: 0 is SESSION_ID, 1 is RATING, 2 is COMMENT.
    """

    encoding: Encoding = Encoding.JSON
    suffix: str = ""
    caller: Caller = Caller.MAIN
    batch: Batch = Batch.NO
    order: tuple[int, int, int] = (0, 1, 2)

    def __str__(self) -> str:
        notes = [self.encoding.value]
        if self.suffix:
            notes.append(self.suffix)
        if self.caller is not Caller.MAIN:
            notes.append(self.caller.value)
        if self.batch is not Batch.NO:
            notes.append(self.batch.value)
        return ", ".join(notes)


PLAIN_JSON: Final = Delivery()


@dataclass(frozen=True, slots=True)
class ClassifiedValue:
    """A value of one parameter.

    cls: the name of the equivalence class from which the value was taken.
    value: the JSON value; ABSENT if the parameter is not sent.
    """

    cls: str
    value: Json

    def __hash__(self) -> int:
        # Python gives a list or a dict no hash, so such values hash by their class alone.
        return hash((self.cls, None if isinstance(self.value, list | dict) else self.value))

    @property
    def absent(self) -> bool:
        """Return True if the parameter is not sent."""
        return isinstance(self.value, Absent)


NOTHING: Final = ClassifiedValue("absent", ABSENT)


@dataclass(frozen=True, slots=True)
class Call:
    """A call of the method, good or bad, to be sent.

    session: the value of SESSION_ID.
    rating: the value of RATING.
    comment: the value of COMMENT.
    delivery: how the call is delivered.
    extra: names and values of further parameters, sent after the three.
    session_name: the name under which the session is sent; another name than SESSION_ID is wrong on purpose.
    """

    session: ClassifiedValue
    rating: ClassifiedValue = NOTHING
    comment: ClassifiedValue = NOTHING
    delivery: Delivery = PLAIN_JSON
    extra: tuple[tuple[str, Json], ...] = ()
    session_name: str = "SESSION_ID"

    @property
    def parameters(self) -> tuple[tuple[str, Json], ...]:
        """Return names and values in the order of sending, without absent parameters."""
        three = ((self.session_name, self.session), ("RATING", self.rating), ("COMMENT", self.comment))
        sent = tuple((three[i][0], three[i][1].value) for i in self.delivery.order if not three[i][1].absent)
        return sent + self.extra

    @property
    def is_documented(self) -> bool:
        """Return True if the call has the documented parameters, no others, and a documented delivery."""
        delivery = self.delivery
        is_delivered = delivery.encoding is not Encoding.QUERY_POST and delivery.caller is not Caller.TOKEN_BEARER
        return is_delivered and not self.extra and self.session_name == "SESSION_ID"

    @property
    def classes(self) -> dict[str, str]:
        """Return the equivalence class of each parameter by its short name."""
        return {"session": self.session.cls, "rating": self.rating.cls, "comment": self.comment.cls}

    def via(self, delivery: Delivery) -> "Call":
        """Return the same call with another delivery."""
        return replace(self, delivery=delivery)


@dataclass(frozen=True, slots=True)
class BatchRequest:
    """Votes that are sent as the items of one batch.

    calls: the votes in order, all with the same delivery.
    """

    calls: tuple[Call, ...]


@dataclass(frozen=True, slots=True)
class ReadBack:
    """A request for the stored vote of one session.

    session: the session id.
    """

    session: int


Request = Call | BatchRequest | ReadBack


def calls_of(request: Request) -> tuple[Call, ...]:
    """Return the votes that a request carries; a read-back carries no vote."""
    if isinstance(request, ReadBack):
        return ()
    return request.calls if isinstance(request, BatchRequest) else (request,)
