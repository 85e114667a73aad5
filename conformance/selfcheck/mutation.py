"""Ways to make the reference portal behave otherwise: each wraps one of its three layers."""

import json
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any, Final, TypeGuard

from conformance.contract.clauses import edition_names
from conformance.exchange.call import METHOD, Json
from conformance.portals.php_forms import PortalRequest
from conformance.portals.reference import (
    SESSIONS,
    Context,
    PortalResponse,
    ReferencePortal,
    Refusal,
    Reply,
    Result,
    whole_number,
)

EVERY_EDITION: Final = tuple(edition_names())
OLD: Final = ("2024-10", "2025-05")
NEW: Final = ("2026-03",)
RATEABLE: Final = SESSIONS["rateable"]
Parameters = dict[str, Json]
Apply = Callable[[ReferencePortal], None]
Editions = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Variant:
    """A portal made from the reference portal. clauses: those that must catch it, none for a correct one."""

    name: str
    conduct: str
    clauses: tuple[str, ...]
    editions: tuple[str, ...]
    apply: Callable[[ReferencePortal], None]


_REGISTERED: Final[defaultdict[str, list[Variant]]] = defaultdict(list)
"""The faults by the name of their module."""


def mutant(*clauses: str, editions: Editions = EVERY_EDITION) -> Callable[[Apply], Apply]:
    """Registers a fault with the clauses that must catch it, in each edition that has them."""

    def register(apply: Apply) -> Apply:
        conduct = " ".join((apply.__doc__ or "").split())
        _REGISTERED[apply.__module__].append(Variant(apply.__name__, conduct, clauses, editions, apply))
        return apply

    return register


def mutants_of(module: ModuleType) -> tuple[Variant, ...]:
    """Return the faults of a module, in the order in which they stand there."""
    return tuple(_REGISTERED[module.__name__])


def text_of(parameters: Parameters) -> str:
    """Return the comment of a call, or the empty text."""
    comment = parameters.get("COMMENT")
    return comment if isinstance(comment, str) else ""


def stars_of(parameters: Parameters) -> int | None:
    """Return the rating of a call as a whole number."""
    return whole_number(parameters.get("RATING"))


def rated(parameters: Parameters, rating: Json) -> Parameters:
    """Return the parameters with another rating."""
    return {**parameters, "RATING": rating}


def asked(portal: ReferencePortal, change: Callable[[Parameters, Context], Parameters]) -> None:
    """Changes what the method reads of a call."""
    honest = portal.vote
    portal.vote = lambda parameters, context: honest(change(parameters, context), context)


def replied(portal: ReferencePortal, change: Callable[[Reply, Parameters, Context], Reply]) -> None:
    """Changes what the method replies."""
    honest = portal.vote
    portal.vote = lambda parameters, context: change(honest(parameters, context), parameters, context)


def refused_where(portal: ReferencePortal, where: Callable[[Parameters, Context], bool]) -> None:
    """Refuses calls that are fine."""
    code = portal.refusal("EMPTY_VOTE_PARAMS", "WRONG_PARAMETER")
    honest = portal.vote
    portal.vote = lambda parameters, context: code if where(parameters, context) else honest(parameters, context)


def refused_instead(portal: ReferencePortal, where: Callable[[Parameters, Context], bool], code: str = "") -> None:
    """Refuse calls that the reference portal accepts, and store nothing of them.

    where: is asked for every vote, before it is stored. code: empty for that of a missing parameter.
    """
    refusal = Refusal(code, 400) if code else portal.refusal("EMPTY_VOTE_PARAMS", "WRONG_PARAMETER")
    honest = portal.vote

    def vote(parameters: Parameters, context: Context) -> Reply:
        concerned = where(parameters, context)
        before = {session: replace(kept) for session, kept in portal.votes.items()}
        reply = honest(parameters, context)
        if not concerned or not accepted(reply):
            return reply
        portal.votes.clear()
        portal.votes.update(before)
        return refusal

    portal.vote = vote


def answered(portal: ReferencePortal, change: Callable[[PortalResponse, PortalRequest], PortalResponse]) -> None:
    """Change the response to every vote and every batch; read-backs are left alone."""
    honest = portal.answer

    def answer(request: PortalRequest) -> PortalResponse:
        outgoing = honest(request)
        return change(outgoing, request) if is_vote(request) or is_batch(request) else outgoing

    portal.answer = answer


def crashes_where(portal: ReferencePortal, where: Callable[[Parameters, Context], bool]) -> None:
    """Answers some calls with an error page."""
    honest_vote, honest_answer = portal.vote, portal.answer

    def vote(parameters: Parameters, context: Context) -> Reply:
        return Refusal("CRASH", 500) if where(parameters, context) else honest_vote(parameters, context)

    def answer(request: PortalRequest) -> PortalResponse:
        outgoing = honest_answer(request)
        page = PortalResponse(500, "text/html", b"<html><h1>Internal Server Error</h1></html>")
        return page if b"CRASH" in outgoing.body else outgoing

    portal.vote, portal.answer = vote, answer


def recoded(
    portal: ReferencePortal, codes: dict[str, str], where: Callable[[Parameters], bool] = lambda _: True
) -> None:
    """Refuses with other codes."""

    def change(reply: Reply, parameters: Parameters, _: Context) -> Reply:
        return (
            replace(reply, code=codes.get(reply.code, reply.code)) if is_refusal(reply) and where(parameters) else reply
        )

    replied(portal, change)


def received(portal: ReferencePortal, change: Callable[[PortalRequest], PortalRequest]) -> None:
    """Changes the request before it is read; read-backs are left alone."""
    honest = portal.answer
    portal.answer = lambda request: honest(change(request) if is_vote(request) or is_batch(request) else request)


def sent(portal: ReferencePortal, change: Callable[[PortalResponse, PortalRequest], PortalResponse]) -> None:
    """Changes the response to a vote that came alone."""
    honest = portal.answer
    portal.answer = lambda request: change(honest(request), request) if is_vote(request) else honest(request)


def sent_json(portal: ReferencePortal, change: Callable[[dict[str, Any]], Any], *, batch: bool = False) -> None:
    """Changes the JSON document that answers a vote that came alone, or a batch."""
    honest = portal.answer

    def answer(request: PortalRequest) -> PortalResponse:
        outgoing = honest(request)
        concerned = is_batch(request) if batch else is_vote(request)
        if not concerned or "json" not in outgoing.content_type:
            return outgoing
        return replace(outgoing, body=json.dumps(change(json.loads(outgoing.body))).encode())

    portal.answer = answer


def on_success(change: Callable[[dict[str, Any]], Any]) -> Callable[[dict[str, Any]], Any]:
    """The change where the document is a success."""
    return lambda document: change(document) if "result" in document else document


def on_error(change: Callable[[dict[str, Any]], Any]) -> Callable[[dict[str, Any]], Any]:
    """The change where the document is a refusal."""
    return lambda document: change(document) if "error" in document else document


def is_vote(request: PortalRequest) -> bool:
    return METHOD in request.path.lower()


def is_named(request: PortalRequest, suffix: str) -> bool:
    """Return True for a vote whose address ends so."""
    return is_vote(request) and request.path.endswith(suffix)


def is_batch(request: PortalRequest) -> bool:
    return "batch" in request.path.rpartition("/")[2]


def is_refusal(reply: Reply) -> TypeGuard[Refusal]:
    return isinstance(reply, Refusal)


def accepted(reply: Reply) -> TypeGuard[Result]:
    return isinstance(reply, Result)
