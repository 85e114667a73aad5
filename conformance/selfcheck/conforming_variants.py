"""Correct portals in other styles: they differ from the reference wherever the contract leaves it open."""

import random
import re
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from typing import Any, Final

from conformance.exchange.call import Json
from conformance.portals.reference import (
    SESSIONS,
    Context,
    PortalResponse,
    ReferencePortal,
    Refusal,
    Reply,
    whole_number,
)
from conformance.selfcheck.mutation import (
    BOTH,
    Parameters,
    Variant,
    asked,
    is_refusal,
    on_success,
    replied,
    sent,
    sent_json,
)

CONFORMING_VARIANTS: Final[list[Variant]] = []


def conforming_variant(apply: Callable[[ReferencePortal], None]) -> Callable[[ReferencePortal], None]:
    """Registers a correct portal."""
    CONFORMING_VARIANTS.append(Variant(apply.__name__, " ".join((apply.__doc__ or "").split()), (), BOTH, apply))
    return apply


@conforming_variant
def reads_numbers_leniently(portal: ReferencePortal) -> None:
    """ " 5", "+5", "05", "5.0", "5e0", 5.0 and digits of other scripts are numbers; texts are stored trimmed."""

    def number(value: Json) -> Json:
        if isinstance(value, float) and value.is_integer():
            return int(value)
        if isinstance(value, str) and re.fullmatch(r"\s*[+-]?\d+(\.0*)?(e0)?\s*", value):
            return int(float(unicodedata.normalize("NFKC", value)))
        return value

    def change(parameters: Parameters, _: Context) -> Parameters:
        read = {**parameters}
        for name in {"SESSION_ID", "RATING"} & read.keys():
            read[name] = number(read[name])
        if isinstance(read.get("COMMENT"), str):
            read["COMMENT"] = read["COMMENT"].replace("\r\n", "\n").strip("\ufeff \t\n\r\u00a0\u2003")
        return read

    asked(portal, change)


@conforming_variant
def reads_types_strictly(portal: ReferencePortal) -> None:
    """An empty RATING is a bad one, beside a comment too; COMMENT null is none; whole votes replace each other."""
    honest = portal.vote

    def vote(parameters: Parameters, context: Context) -> Reply:
        if parameters.get("RATING", 1) in ("", None) and parameters.get("COMMENT"):
            return portal.refusal("EMPTY_VOTE_PARAMS", "WRONG_PARAMETER")
        return honest(parameters, context)

    portal.vote = vote
    save = portal.save
    portal.save = lambda session, rating, comment: save(session, rating or 0, comment or "")


@conforming_variant
def checks_in_another_order(portal: ReferencePortal) -> None:
    """Access comes first, then the optional parameters; a bad rating has the code of a bad session."""
    honest = portal.vote

    def vote(parameters: Parameters, context: Context) -> Reply:
        session = whole_number(parameters.get("SESSION_ID"))
        known = {SESSIONS[state] for state in ("rateable", "open")}
        if session is not None and session > 0 and session not in known:
            return honest({"SESSION_ID": session, "RATING": 5}, context)
        reply = honest(parameters, context)
        if is_refusal(reply) and session in known and parameters.get("RATING"):
            return portal.refusal("EMPTY_SESSION_ID", "CHAT_ID")
        return reply

    portal.vote = vote


@conforming_variant
def chooses_among_the_permitted(portal: ReferencePortal) -> None:
    """Where several codes or statuses are permitted, each call takes another."""
    chance = random.Random(7)  # noqa: S311

    def change(reply: Reply, parameters: Parameters, _: Context) -> Reply:
        if not is_refusal(reply):
            return reply
        bad_rating = bool(parameters.get("RATING")) and whole_number(parameters.get("RATING")) not in range(1, 6)
        code = chance.choice(sorted(portal.edition.method_codes)) if bad_rating else reply.code
        return Refusal(code, chance.choice(sorted(portal.edition.method_statuses - {413, 414, 429})))

    replied(portal, change)


@conforming_variant
def adds_keys_and_fractions(portal: ReferencePortal) -> None:
    """Extra keys, fractional times with Z or an offset, an empty description, other spacing, upper-case media type."""
    calls = count()

    def change(document: dict[str, Any]) -> Any:
        time = {**document["time"], "start": 1.25, "finish": 1.25, "processing": 0.125, "extra": "x"}
        time["date_start"] = time["date_finish"] = (
            "2026-01-01T10:00:00.5Z" if next(calls) % 2 else "2026-01-01T10:00:00+03:00"
        )
        return {"extra": [], "time": time, "result": document["result"]}

    sent_json(portal, on_success(change))

    def respaced(outgoing: PortalResponse, _: object) -> PortalResponse:
        kind = outgoing.content_type.replace("application/json", "Application/JSON")
        return replace(outgoing, body=b"\n " + outgoing.body + b"\n", content_type=kind)

    sent(portal, lambda out, request: respaced(out, request) if "json" in out.content_type else out)


@conforming_variant
def sends_little(portal: ReferencePortal) -> None:
    """time is an empty object, and a comment that is not there reads back as an empty text."""
    sent_json(portal, on_success(lambda document: {"result": document["result"], "time": {}}))


@conforming_variant
def refuses_what_is_in_doubt(portal: ReferencePortal) -> None:
    """Blank, control and oversize comments and comments of other types are refused."""

    def change(parameters: Parameters, _: Context) -> Parameters:
        comment = parameters.get("COMMENT")
        in_doubt = comment is not None and (
            not isinstance(comment, str)
            or len(comment) > 1000
            or any(unicodedata.category(sign) == "Cc" and sign not in "\t\n\r" for sign in comment)
        )
        return {**parameters, "RATING": 99} if in_doubt else parameters

    asked(portal, change)
