"""What the client libraries of the selfcheck are made of: how one is described, and the honest parts of a call.

The docstring of a client says how it lies, the decorator which clauses must see it; a correct one names none.
"""

from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Final

import httpx

from conformance.exchange.call import METHOD, Json

Asked = dict[str, Any]
Answer = dict[str, Any]
Library = Callable[[Asked], Answer]
Params = dict[str, Json]
Read = Callable[[httpx.Response], Answer]
CODE: Final = "QUERY_LIMIT_EXCEEDED"
SHORT_SECONDS: Final = 2.0
"""A time-out that is shorter than that of the gate, and longer than the slow answer."""
_CLAUSES: Final = "clauses"


@dataclass(frozen=True, slots=True)
class Client:
    """A library for the gate. clauses: those that must catch it, none for a correct one."""

    module: str
    name: str
    conduct: str
    clauses: tuple[str, ...]

    @property
    def command(self) -> str:
        return f"{self.module}:{self.name}"


def mutant(*clauses: str) -> Callable[[Library], Library]:
    """Marks a lying library with the clauses that must catch it."""

    def mark(library: Library) -> Library:
        setattr(library, _CLAUSES, clauses)
        return library

    return mark


def correct(library: Library) -> Library:
    """Marks a library that nobody may accuse."""
    return mutant()(library)


def clients_of(module: ModuleType) -> tuple[Client, ...]:
    """Return the marked libraries of a module, in the order in which they stand there."""
    return tuple(
        Client(module.__name__, name, " ".join((library.__doc__ or "").split()), getattr(library, _CLAUSES))
        for name, library in vars(module).items()
        if hasattr(library, _CLAUSES) and library.__module__ == module.__name__
    )


def given(asked: Asked) -> Params:
    return {name: value for name, value in asked["params"].items() if value is not None}


def post(asked: Asked, *, method: str = METHOD, timeout: float = 10, **body: Any) -> httpx.Response:
    return httpx.post(asked["url"] + method, timeout=timeout, **body)


def read(response: httpx.Response) -> Answer:
    document = response.json()
    if "error" in document:
        told = {"code": document["error"], "description": document["error_description"]}
        return {"error": {**told, "status": response.status_code}}
    return {"value": document["result"]} if "result" in document else {"exception": "the answer has no result"}


def honest(asked: Asked, change: Callable[[Params], Params] = lambda params: params, read_by: Read = read) -> Answer:
    """Posts JSON, changed, and reads the answer."""
    try:
        return read_by(post(asked, json=change(given(asked))))
    except (httpx.HTTPError, ValueError) as error:
        return {"exception": type(error).__name__}


def texts(change: Callable[[str], str]) -> Callable[[Params], Params]:
    """Changes the comment."""
    return lambda params: {**params, "COMMENT": change(params["COMMENT"])} if "COMMENT" in params else params


def read_item(response: httpx.Response) -> Answer:
    """The only item of a batch as if it had been called alone."""
    document = response.json()
    if "error" in document:
        return read(response)
    refused = _first(document["result"]["result_error"])
    return {"error": {"code": refused["error"]}} if refused else {"value": _first(document["result"]["result"])}


def _first(part: Json) -> Json:
    entries = list(part.values()) if isinstance(part, dict) else part
    return entries[0] if entries else None
