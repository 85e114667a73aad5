"""What is asked: one call of a method, its parameters with their equivalence classes, and the way it travels."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final

METHOD: Final = "imopenlines.session.head.vote"
READ_METHOD: Final = "imopenlines.session.history.get"

Json = Any
"""A JSON value: None, bool, int, float, str, list or dict of such."""


class Absent:
    """The value of a parameter that is not sent."""

    def __repr__(self) -> str:
        return "absent"


ABSENT: Final = Absent()


class Encoding(StrEnum):
    """The five ways in which parameters travel; JSON in its two spellings, UTF-8 and ASCII with escapes."""

    JSON = "POST, JSON"
    JSON_ASCII = "POST, JSON in ASCII"
    FORM = "POST, form"
    MULTIPART = "POST, multipart"
    QUERY_POST = "POST, query"
    QUERY_GET = "GET, query"


JSON_ENCODINGS: Final = (Encoding.JSON, Encoding.JSON_ASCII)


class Caller(StrEnum):
    """Who calls. The token callers differ in where the access token stands."""

    MAIN = "webhook"
    SECOND = "second caller"
    UNSCOPED = "caller without scope"
    WRONG_SECRET = "wrong secret"
    TOKEN_QUERY = "token in query"
    TOKEN_BODY = "token in body"
    TOKEN_BEARER = "Bearer token"


NO_RIGHTS: Final = (Caller.WRONG_SECRET, Caller.UNSCOPED)
"""The callers whose every call must be denied."""
TOKEN_CALLERS: Final = (Caller.TOKEN_BODY, Caller.TOKEN_QUERY, Caller.TOKEN_BEARER)


class Batch(StrEnum):
    """Whether the call travels alone or as an item of a batch, between items that must be refused."""

    NO = "alone"
    MAP = "in a batch, cmd as map"
    LIST = "in a batch, cmd as list"


@dataclass(frozen=True, slots=True)
class Delivery:
    """How a call travels. order: the parameters' positions, 0 SESSION_ID, 1 RATING, 2 COMMENT."""

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
    """A value of one parameter and the equivalence class that it was taken from."""

    cls: str
    value: Json

    def __hash__(self) -> int:
        # A list or an object has no hash: its class will do.
        return hash((self.cls, None if isinstance(self.value, list | dict) else self.value))

    @property
    def absent(self) -> bool:
        return isinstance(self.value, Absent)


NOTHING: Final = ClassifiedValue("absent", ABSENT)


@dataclass(frozen=True, slots=True)
class Call:
    """A vote to be sent. extra: further parameters, sent after the three."""

    session: ClassifiedValue
    rating: ClassifiedValue = NOTHING
    comment: ClassifiedValue = NOTHING
    delivery: Delivery = PLAIN_JSON
    extra: tuple[tuple[str, Json], ...] = ()
    session_name: str = "SESSION_ID"

    @property
    def parameters(self) -> tuple[tuple[str, Json], ...]:
        """Names and values in the order in which they are sent, absent ones left out."""
        three = ((self.session_name, self.session), ("RATING", self.rating), ("COMMENT", self.comment))
        sent = tuple((three[i][0], three[i][1].value) for i in self.delivery.order if not three[i][1].absent)
        return sent + self.extra

    @property
    def is_documented(self) -> bool:
        """Whether the call has the documented parameters and no others."""
        return not self.extra and self.session_name == "SESSION_ID"

    @property
    def classes(self) -> dict[str, str]:
        """The equivalence class of each parameter, by the parameter's short name."""
        return {"session": self.session.cls, "rating": self.rating.cls, "comment": self.comment.cls}

    def via(self, delivery: Delivery) -> "Call":
        """The same call on another way."""
        return replace(self, delivery=delivery)


@dataclass(frozen=True, slots=True)
class BatchRequest:
    """Votes that travel as the items of one batch: all in the same way."""

    calls: tuple[Call, ...]


@dataclass(frozen=True, slots=True)
class ReadBack:
    """A read-back of the vote of one session."""

    session: int


Request = Call | BatchRequest | ReadBack


def calls_of(request: Request) -> tuple[Call, ...]:
    """Return the votes that a request carries."""
    if isinstance(request, ReadBack):
        return ()
    return request.calls if isinstance(request, BatchRequest) else (request,)
