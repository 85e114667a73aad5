"""Correct portals in other styles: they differ from the reference wherever the contract leaves it open."""

import json
import random
import re
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from typing import Any, Final

from conformance.exchange.call import READ_METHOD, Json
from conformance.portals.php_forms import PortalRequest, read_parameters
from conformance.portals.reference import (
    BATCH_LIMIT,
    SESSIONS,
    UNSCOPED_SECRET,
    Context,
    PortalResponse,
    ReferencePortal,
    Refusal,
    Reply,
    is_filled,
    render,
    whole_number,
)
from conformance.selfcheck.mutation import (
    EVERY_EDITION,
    Parameters,
    Variant,
    answered,
    asked,
    is_batch,
    is_refusal,
    on_error,
    on_success,
    received,
    refused_where,
    replied,
    sent,
    sent_json,
)

CONFORMING_VARIANTS: Final[list[Variant]] = []


def conforming_variant(
    apply: Callable[[ReferencePortal], None], editions: tuple[str, ...] = EVERY_EDITION
) -> Callable[[ReferencePortal], None]:
    """Registers a correct portal."""
    CONFORMING_VARIANTS.append(Variant(apply.__name__, " ".join((apply.__doc__ or "").split()), (), editions, apply))
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
        time = {**document["time"], "start": 1.25, "finish": 1.25, "duration": 0, "processing": 0.125, "extra": "x"}
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


@conforming_variant
def refuses_in_the_old_way(portal: ReferencePortal) -> None:
    """Refusals have the lowest status permitted, extra keys and no words; a wrong secret is NO_AUTH_FOUND."""
    statuses = portal.edition.method_statuses
    replied(portal, lambda reply, *_: replace(reply, status=min(statuses)) if is_refusal(reply) else reply)
    status = portal.edition.system_codes["NO_AUTH_FOUND"]

    def change(outgoing: PortalResponse, _: PortalRequest) -> PortalResponse:
        if b"INVALID_CREDENTIALS" not in outgoing.body:
            return outgoing
        return replace(outgoing, status=status, body=outgoing.body.replace(b"INVALID_CREDENTIALS", b"NO_AUTH_FOUND"))

    answered(portal, change)
    extra: dict[str, Json] = {"error_description": "", "error_information": {"trace": []}, "time": [], "argument": None}
    sent_json(portal, on_error(lambda document: {**document, **extra}))


@conforming_variant
def writes_json_otherwise(portal: ReferencePortal) -> None:
    """Keys stand in another order, all times are whole numbers, dates are in UTC, text is UTF-8, no blanks."""

    def whole(document: dict[str, Any]) -> Any:
        time = {name: int(value) if isinstance(value, float) else value for name, value in document["time"].items()}
        time |= {"date_start": "2026-01-01T10:00:00Z", "date_finish": "20260101T100000Z"}
        return {"time": dict(reversed(time.items())), **document}

    def change(outgoing: PortalResponse, _: PortalRequest) -> PortalResponse:
        if "json" not in outgoing.content_type:
            return outgoing
        document = json.loads(outgoing.body)
        if "error" in document:
            document = {"error_description": "Отказано: «нет» 😀", "error": document["error"]}
        text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
        return PortalResponse(outgoing.status, "application/json", text.encode())

    answered(portal, change)
    sent_json(portal, on_success(whole))


@conforming_variant
def trims_comments_and_refuses_null(portal: ReferencePortal) -> None:
    """Comments are kept trimmed, with LF for CRLF; null for one parameter is refused where the other is filled."""
    honest, save = portal.vote, portal.save

    def vote(parameters: Parameters, context: Context) -> Reply:
        if parameters.get("RATING", 1) is None and is_filled(parameters.get("COMMENT")):
            return portal.refusal("EMPTY_VOTE_PARAMS", "WRONG_PARAMETER")
        return honest(parameters, context)

    def trimmed(comment: str | None) -> str | None:
        return None if comment is None else comment.replace("\r\n", "\n").strip()

    portal.vote = vote
    portal.save = lambda session, rating, comment: save(session, rating, trimmed(comment))


@conforming_variant
def answers_batches_with_maps(portal: ReferencePortal) -> None:
    """Batches are answered with maps, empty ones too; a batch is refused as a whole where it is too long or not in the
    caller's scope.
    """

    def mapped(part: Json) -> Json:
        return {str(place): entry for place, entry in enumerate(part)} if isinstance(part, list) else part

    def change(outgoing: PortalResponse, request: PortalRequest) -> PortalResponse:
        document = json.loads(outgoing.body) if is_batch(request) else {}
        if not isinstance(document.get("result"), dict):
            return outgoing
        parts = {name: mapped(document["result"][name]) for name in ("result_error", "result")}
        return replace(outgoing, body=json.dumps({**document, "result": parts}).encode())

    answered(portal, change)
    honest = portal.answer

    def answer(request: PortalRequest) -> PortalResponse:
        if is_batch(request):
            commands = read_parameters(request).get("cmd")
            code = "ERROR_BATCH_LENGTH_EXCEEDED" if commands is not None and len(commands) > BATCH_LIMIT else ""
            code = "insufficient_scope" if f"/{UNSCOPED_SECRET}/" in request.path else code
            if code:
                return render(Refusal(code, portal.edition.system_codes[code]))
        return honest(request)

    portal.answer = answer


@conforming_variant
def writes_xml_otherwise(portal: ReferencePortal) -> None:
    """XML has another media type, no declaration, the word true, line breaks and a comment."""

    def change(outgoing: PortalResponse, _: PortalRequest) -> PortalResponse:
        if "xml" not in outgoing.content_type:
            return outgoing
        text = outgoing.body.decode().partition("?>")[2].replace("<result>1<", "<result>\n true\n <")
        text = "<!-- an answer -->" + text.strip().replace("><", ">\n <")
        return PortalResponse(outgoing.status, "application/xml", text.encode())

    sent(portal, change)


@conforming_variant
def reads_back_otherwise(portal: ReferencePortal) -> None:
    """A read-back has the rating with a fraction of zero, null or nothing for what is not there, and further keys."""
    honest = portal.answer

    def answer(request: PortalRequest) -> PortalResponse:
        outgoing = honest(request)
        document = json.loads(outgoing.body) if READ_METHOD in request.path else {}
        if not isinstance(document.get("result"), dict):
            return outgoing
        kept = document["result"]
        kept["sessionVoteHead"] = float(kept["sessionVoteHead"]) or None
        kept = {name: value for name, value in kept.items() if value is not None or name == "sessionVoteHead"}
        kept.pop("canVoteHead")
        return replace(outgoing, body=json.dumps({**document, "result": {"message": [], **kept}}).encode())

    portal.answer = answer


@conforming_variant
def accepts_what_is_in_doubt(portal: ReferencePortal) -> None:
    """Names in any case, blank, long and control comments and comments of other types are accepted; a comment is
    replaced by a rating alone; the long ones are cut.
    """

    def change(parameters: Parameters, _: Context) -> Parameters:
        read = {name.upper(): value for name, value in parameters.items()}
        comment = read.get("COMMENT")
        if comment is not None and not isinstance(comment, str):
            comment = json.dumps(comment)
        if comment and not comment.strip():
            comment = "(blank)"
        if comment and comment != "0":
            comment = "".join(sign for sign in comment if sign in "\t\n\r" or unicodedata.category(sign) != "Cc")
            comment = comment if len(comment) <= 10_000 else comment[:10_000] + "..."
        return {**read, "COMMENT": comment} if "COMMENT" in read else read

    asked(portal, change)
    save = portal.save
    portal.save = lambda session, rating, comment: save(session, rating, comment or "")


@conforming_variant
def knows_documented_deliveries_only(portal: ReferencePortal) -> None:
    """The query of a POST and the Bearer header are not read."""

    def change(request: PortalRequest) -> PortalRequest:
        headers = {name: value for name, value in request.headers.items() if name != "authorization"}
        # A token may stand in the query: only what is asked of the method is not looked for there.
        query = "&".join(
            part for part in request.query.split("&") if request.method == "GET" or part.startswith("auth=")
        )
        return replace(request, headers=headers, query=query)

    received(portal, change)


def refuses_lines(portal: ReferencePortal) -> None:
    """A comment with a tab or a line end is refused: the page types it as a text of one line."""
    refused_where(portal, lambda parameters, _: bool(re.search(r"[\t\r\n]", str(parameters.get("COMMENT", "")))))


refuses_lines.__name__ = "refuses_comments_of_several_lines"
conforming_variant(refuses_lines, ("2026-03",))


@conforming_variant
def has_one_code_for_wrong_credentials(portal: ReferencePortal) -> None:
    """A wrong secret, a wrong token and none are all refused with NO_AUTH_FOUND and its status in the table."""
    status = portal.edition.system_codes["NO_AUTH_FOUND"]

    def change(outgoing: PortalResponse, request: PortalRequest) -> PortalResponse:
        if b"INVALID_CREDENTIALS" not in outgoing.body:
            return outgoing
        body = outgoing.body.replace(b"INVALID_CREDENTIALS", b"NO_AUTH_FOUND")
        return replace(outgoing, body=body, status=outgoing.status if is_batch(request) else status)

    answered(portal, change)
