"""Lying portals whose fault looks like another: each is blamed on its own clause alone, see test_blame.py."""

import json
import re
from collections.abc import Callable
from dataclasses import replace

from conformance.exchange.call import READ_METHOD, Json
from conformance.portals.php_forms import PortalRequest, read_parameters
from conformance.portals.reference import (
    SESSIONS,
    Context,
    PortalResponse,
    ReferencePortal,
    Refusal,
    Reply,
    Result,
    User,
    Vote,
    is_filled,
    php_array,
    render,
    whole_number,
)
from conformance.selfcheck.mutation import (
    OLD,
    RATEABLE,
    Parameters,
    answered,
    asked,
    crashes_where,
    is_batch,
    is_named,
    is_refusal,
    mutant,
    received,
    refused_instead,
    replied,
    sent,
    stars_of,
    text_of,
)


@mutant("optional.at-least-one")
def takes_an_empty_rating_as_given(portal: ReferencePortal) -> None:
    """RATING "" counts as given: without a comment it is accepted, and nothing is stored."""
    honest = portal.vote

    def vote(parameters: Parameters, context: Context) -> Reply:
        nothing_else = parameters.get("RATING") == "" and not is_filled(parameters.get("COMMENT"))
        own = whole_number(parameters.get("SESSION_ID")) == RATEABLE and not portal.denial(RATEABLE, context.user)
        return Result(True) if nothing_else and own else honest(parameters, context)

    portal.vote = vote


@mutant("effect.history-free")
def refuses_the_same_call_twice_in_a_row(portal: ReferencePortal) -> None:
    """A vote is refused when the call right before it had the same values."""
    last: list[str] = []

    def is_repeated(parameters: Parameters, _: Context) -> bool:
        values = sorted(f"{name}={value}" for name, value in parameters.items())
        repeated = values == last
        last[:] = values
        return repeated

    refused_instead(portal, is_repeated)


@mutant("effect.history-free")
def refuses_a_vote_that_stands_there_already(portal: ReferencePortal) -> None:
    """A vote is refused when the session already has its rating and its comment."""

    def is_stored(parameters: Parameters, _: Context) -> bool:
        kept = portal.votes.get(whole_number(parameters.get("SESSION_ID")) or 0, Vote())
        rating, comment = parameters.get("RATING"), parameters.get("COMMENT")
        same_rating = not is_filled(rating) or whole_number(rating) == kept.rating
        return same_rating and (not is_filled(comment) or comment == kept.comment)

    refused_instead(portal, is_stored)


@mutant("rating.digits-as-text")
def refuses_ratings_as_text(portal: ReferencePortal) -> None:
    """A rating as a text is refused in every encoding."""
    refused_instead(portal, lambda p, _: isinstance(p.get("RATING"), str) and p["RATING"] != "")


@mutant("session-id.digits-as-text")
def refuses_session_ids_as_text(portal: ReferencePortal) -> None:
    """SESSION_ID as a text is refused in every encoding."""
    refused_instead(portal, lambda p, _: isinstance(p.get("SESSION_ID"), str))


@mutant("effect.saved")
def answers_the_first_read_back_for_ever(portal: ReferencePortal) -> None:
    """A read-back answers what it answered the first time."""
    honest = portal.answer
    first: dict[tuple[str, str, bytes], PortalResponse] = {}

    def answer(request: PortalRequest) -> PortalResponse:
        outgoing = honest(request)
        if READ_METHOD not in request.path:
            return outgoing
        return first.setdefault((request.path, request.query, request.body), outgoing)

    portal.answer = answer


@mutant("effect.saved")
def reads_back_the_vote_before_the_last(portal: ReferencePortal) -> None:
    """A read-back shows the vote as it was before the last one."""
    honest_save, honest_answer = portal.save, portal.answer
    earlier: dict[int, Vote] = {}

    def save(session: int, rating: int | None, comment: str | None) -> None:
        earlier[session] = replace(portal.votes.get(session, Vote()))
        honest_save(session, rating, comment)

    def answer(request: PortalRequest) -> PortalResponse:
        if READ_METHOD not in request.path:
            return honest_answer(request)
        present = dict(portal.votes)
        portal.votes.update(earlier)
        outgoing = honest_answer(request)
        portal.votes.update(present)
        return outgoing

    portal.save, portal.answer = save, answer


@mutant("transport.batch")
def runs_the_first_item_of_a_batch_only(portal: ReferencePortal) -> None:
    """The first item of a batch is carried out and answered, the others are left out."""
    honest_vote = portal.vote
    done: list[bool] = []

    def vote(parameters: Parameters, context: Context) -> Reply:
        if context.way == "batch" and done:
            return Refusal("LEFT_OUT", 400)
        done.append(True)
        return honest_vote(parameters, context)

    def change(outgoing: PortalResponse, request: PortalRequest) -> PortalResponse:
        done.clear()
        document = json.loads(outgoing.body) if is_batch(request) else {}
        if not isinstance(document.get("result"), dict):
            return outgoing
        commands = read_parameters(request)["cmd"]
        first = next(iter(commands)) if isinstance(commands, dict) else "0"
        parts = {name: _only(first, part) for name, part in document["result"].items()}
        return replace(outgoing, body=json.dumps({**document, "result": parts}).encode())

    portal.vote = vote
    answered(portal, change)


def _only(key: str, part: Json) -> Json:
    """Return one entry of an array of PHP."""
    entries = part if isinstance(part, dict) else {str(place): entry for place, entry in enumerate(part)}
    return php_array({name: entry for name, entry in entries.items() if name == key})


def _damaged(name: str, conduct: str, damage: Callable[[bytes], bytes]) -> None:
    def apply(portal: ReferencePortal) -> None:
        answered(portal, lambda out, _: replace(out, body=damage(out.body)) if "json" in out.content_type else out)

    apply.__name__, apply.__doc__ = name, conduct
    mutant("error.never-5xx", "success.envelope", "error.envelope")(apply)


def _latin_1(body: bytes) -> bytes:
    document = json.loads(body)
    name = "error_description" if "error" in document else "message"
    return json.dumps({**document, name: "Réponse"}, ensure_ascii=False).encode("latin-1", "replace")


_damaged(
    "puts_a_byte_order_mark_before_everything",
    "The JSON of each vote and batch begins with a byte order mark.",
    lambda body: b"\xef\xbb\xbf" + body,
)
_damaged("writes_json_in_latin_1", "The JSON of each vote and batch is encoded in Latin-1.", _latin_1)
_damaged(
    "writes_a_comment_after_the_json",
    "A comment of HTML follows the JSON of each vote and batch.",
    lambda body: body + b"\n<!-- 12 ms -->",
)


@mutant("success.envelope")
def answers_the_bare_true_everywhere(portal: ReferencePortal) -> None:
    """Success is the bare true, in JSON and in XML."""

    def change(outgoing: PortalResponse, _: PortalRequest) -> PortalResponse:
        if "xml" in outgoing.content_type:
            accepted_in_xml = b"<result>1</result>" in outgoing.body
            return replace(outgoing, body=b"<response>1</response>") if accepted_in_xml else outgoing
        return replace(outgoing, body=b"true") if b'"result": true' in outgoing.body else outgoing

    sent(portal, change)


@mutant("transport.encodings")
def refuses_ratings_in_forms(portal: ReferencePortal) -> None:
    """A rating is refused in a form body."""
    refused_instead(portal, lambda p, context: context.way == "form" and is_filled(p.get("RATING")))


@mutant("transport.encodings")
def refuses_get(portal: ReferencePortal) -> None:
    """A vote by GET is refused."""
    refused_instead(portal, lambda _, context: context.way == "get")


@mutant("transport.encodings")
def cuts_fields_of_multipart(portal: ReferencePortal) -> None:
    """A comment in a multipart body is cut to ten characters."""
    asked(
        portal, lambda p, context: {**p, "COMMENT": text_of(p)[:10]} if context.way == "multipart" and text_of(p) else p
    )


@mutant("transport.encodings")
def keeps_the_plus_signs_of_a_query(portal: ReferencePortal) -> None:
    """A plus sign in the query of a GET stays a plus sign, though it stands for a blank."""
    asked(
        portal,
        lambda p, context: {**p, "COMMENT": text_of(p).replace(" ", "+")} if context.way == "get" and text_of(p) else p,
    )


@mutant("transport.encodings")
def ignores_json_with_a_charset(portal: ReferencePortal) -> None:
    """A JSON body is not read when its Content-Type names a charset."""

    def change(request: PortalRequest) -> PortalRequest:
        named = "charset" in request.headers.get("content-type", "")
        return replace(request, body=b"") if named and "json" in request.media_type else request

    received(portal, change)


@mutant("comment.any-text")
def refuses_emoji_beside_2_stars(portal: ReferencePortal) -> None:
    """A character beyond the first plane in one line of text is refused where RATING is 2."""
    refused_instead(
        portal,
        lambda p, _: (
            stars_of(p) == 2 and any(ord(c) > 0xFFFF for c in text_of(p)) and not set(text_of(p)) & set("\t\n\r")
        ),
    )


@mutant("access.any-user", editions=OLD)
def refuses_the_second_caller(portal: ReferencePortal) -> None:
    """A second caller is refused, and his vote is not stored."""
    refused_instead(portal, lambda _, context: context.user is User.OTHER, "ACCESS_DENIED")


@mutant("transport.oauth")
def does_not_know_tokens_in_bodies(portal: ReferencePortal) -> None:
    """A token in a body is not read."""
    received(
        portal,
        lambda request: replace(request, body=request.body.replace(b'"auth"', b'"no"').replace(b"auth=", b"no=")),
    )


@mutant("effect.history-free")
def locks_a_session_for_good_after_a_bad_rating(portal: ReferencePortal) -> None:
    """After a bad rating every vote on the session is refused."""
    locked: list[bool] = []

    def is_locked(parameters: Parameters, _: Context) -> bool:
        own = whole_number(parameters.get("SESSION_ID")) == RATEABLE
        if own and is_filled(parameters.get("RATING")) and stars_of(parameters) not in range(1, 6):
            locked.append(True)
        return own and bool(locked)

    refused_instead(portal, is_locked, "ACCESS_DENIED")


@mutant("effect.history-free")
def refuses_the_vote_after_a_bad_call(portal: ReferencePortal) -> None:
    """A vote is refused when the call right before it was a bad one."""
    bad = [False]
    honest = portal.vote

    def vote(parameters: Parameters, context: Context) -> Reply:
        reply = honest(parameters, context)
        bad[0] = is_refusal(reply)
        return reply

    portal.vote = vote
    refused_instead(portal, lambda *_: bad[0], "ACCESS_DENIED")


@mutant("transport.batch")
def refuses_the_items_of_a_list(portal: ReferencePortal) -> None:
    """Votes in a batch are refused when cmd is a list."""
    honest = portal.answer
    listed: list[bool] = []

    def answer(request: PortalRequest) -> PortalResponse:
        listed[:] = [True] if is_batch(request) and isinstance(read_parameters(request).get("cmd"), list) else []
        return honest(request)

    portal.answer = answer
    refused_instead(portal, lambda _, context: context.way == "batch" and bool(listed))


@mutant("transport.batch")
def codes_denial_otherwise_in_a_batch(portal: ReferencePortal) -> None:
    """Inside a batch a forbidden session is refused with another code."""
    other = portal.refusal("EMPTY_VOTE_PARAMS", "CHAT_ID")

    def change(reply: Reply, parameters: Parameters, context: Context) -> Reply:
        denied = is_refusal(reply) and reply.code == "ACCESS_DENIED" and context.way == "batch"
        return other if denied and whole_number(parameters.get("SESSION_ID")) == SESSIONS["forbidden"] else reply

    replied(portal, change)


@mutant("transport.batch")
def crashes_on_6_in_a_batch(portal: ReferencePortal) -> None:
    """A batch in which RATING is 6 gives an error page."""
    crashes_where(portal, lambda p, context: context.way == "batch" and stars_of(p) == 6)


@mutant("optional.order")
def wants_session_id_first(portal: ReferencePortal) -> None:
    """A vote is refused when another parameter stands before SESSION_ID."""
    refused_instead(portal, lambda p, _: next(iter(p), "SESSION_ID") != "SESSION_ID")


@mutant("transport.xml")
def leaves_the_code_out_of_xml(portal: ReferencePortal) -> None:
    """A refusal in XML has an empty error."""
    sent(
        portal,
        lambda out, _: (
            replace(out, body=re.sub(rb"<error>[^<]*</error>", b"<error></error>", out.body))
            if "xml" in out.content_type
            else out
        ),
    )


@mutant("transport.suffix")
def refuses_votes_with_the_suffix_json(portal: ReferencePortal) -> None:
    """A vote with .json is refused."""
    honest = portal.answer
    suffixed: list[bool] = []

    def answer(request: PortalRequest) -> PortalResponse:
        suffixed[:] = [True] if is_named(request, ".json") else []
        return honest(request)

    portal.answer = answer
    refused_instead(portal, lambda *_: bool(suffixed))


@mutant("transport.auth")
def takes_any_secret_by_get(portal: ReferencePortal) -> None:
    """By GET a wrong secret is as good as the right one."""

    def change(request: PortalRequest) -> PortalRequest:
        by_get = request.method == "GET"
        return replace(
            request, path=request.path.replace("not-the-webhook-secret", "reference-main" if by_get else "no")
        )

    received(portal, change)


@mutant("transport.scope")
def answers_false_without_the_scope(portal: ReferencePortal) -> None:
    """A caller without the scope is answered with result false."""

    def change(outgoing: PortalResponse, request: PortalRequest) -> PortalResponse:
        if b"insufficient_scope" not in outgoing.body:
            return outgoing
        if not is_batch(request):
            return render(Result(False))
        document = json.loads(outgoing.body)
        errors = document["result"]["result_error"]
        falses = dict.fromkeys(errors, False) if isinstance(errors, dict) else [False] * len(errors)
        parts = {**document["result"], "result": falses, "result_error": []}
        return replace(outgoing, body=json.dumps({**document, "result": parts}).encode())

    answered(portal, change)


@mutant("success.envelope")
def leaves_time_out_after_forms(portal: ReferencePortal) -> None:
    """Success of a form body has no time."""

    def change(outgoing: PortalResponse, request: PortalRequest) -> PortalResponse:
        document = json.loads(outgoing.body) if "json" in outgoing.content_type else {}
        if "urlencoded" not in request.media_type or "result" not in document:
            return outgoing
        return replace(outgoing, body=json.dumps({"result": document["result"]}).encode())

    sent(portal, change)


@mutant("error.never-5xx", "error.status")
def refuses_forms_with_500(portal: ReferencePortal) -> None:
    """Refusals of form bodies have status 500."""
    replied(
        portal,
        lambda reply, _, context: replace(reply, status=500) if is_refusal(reply) and context.way == "form" else reply,
    )
