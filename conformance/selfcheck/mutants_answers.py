"""Lying portals, the reference portal with one fault each: what a success and a refusal look like."""

import json
from dataclasses import replace

from conformance.contract.clauses import load_edition
from conformance.exchange.call import Json
from conformance.portals.reference import SESSIONS, PortalResponse, ReferencePortal, Result, whole_number
from conformance.selfcheck.mutation import (
    EVERY_EDITION,
    NEW,
    OLD,
    RATEABLE,
    accepted,
    asked,
    crashes_where,
    is_refusal,
    mutant,
    on_error,
    on_success,
    recoded,
    replied,
    sent,
    sent_json,
    stars_of,
    text_of,
)

# success


def _another_result(name: str, value: Json) -> None:
    def apply(portal: ReferencePortal) -> None:
        replied(portal, lambda reply, *_: Result(value) if accepted(reply) else reply)

    apply.__name__, apply.__doc__ = name, f"Success answers result {json.dumps(value)}."
    mutant("success.true")(apply)


_another_result("answers_1", 1)
_another_result("answers_the_text_true", "true")
_another_result("answers_the_letter_y", "Y")
_another_result("answers_an_object", {"success": True})
_another_result("answers_a_list", [True])
_another_result("answers_false", False)
_another_result("answers_null", None)


@mutant("success.status")
def answers_201(portal: ReferencePortal) -> None:
    """Success has status 201."""
    sent(
        portal,
        lambda outgoing, _: (
            replace(outgoing, status=201) if outgoing.status == 200 and b'"result"' in outgoing.body else outgoing
        ),
    )


@mutant("success.envelope")
def answers_the_bare_true(portal: ReferencePortal) -> None:
    """Success is the bare true, as the page of 2024-10 prints it."""
    sent_json(portal, on_success(lambda _: True))


@mutant("success.envelope")
def leaves_time_out(portal: ReferencePortal) -> None:
    """Success has no time."""
    sent_json(portal, on_success(lambda document: {"result": document["result"]}))


@mutant("success.envelope")
def sends_time_as_a_list(portal: ReferencePortal) -> None:
    """time is a list."""
    sent_json(portal, on_success(lambda document: {**document, "time": []}))


@mutant("success.envelope")
def sends_an_empty_error_beside_the_result(portal: ReferencePortal) -> None:
    """Success has an error of null."""
    sent_json(portal, on_success(lambda document: {**document, "error": None}))


@mutant("success.envelope")
def sends_json_as_html(portal: ReferencePortal) -> None:
    """JSON is labelled text/html."""
    sent(
        portal,
        lambda outgoing, _: (
            replace(outgoing, content_type="text/html") if "json" in outgoing.content_type else outgoing
        ),
    )


@mutant("success.envelope")
def answers_nothing_in_particular(portal: ReferencePortal) -> None:
    """Success is an empty object."""
    sent_json(portal, on_success(lambda _: {}))


def _time_field(name: str, field: str, value: Json) -> None:
    def apply(portal: ReferencePortal) -> None:
        sent_json(portal, on_success(lambda document: {**document, "time": {**document["time"], field: value}}))

    apply.__name__, apply.__doc__ = name, f"time.{field} is {json.dumps(value)}."
    mutant("success.time")(apply)


_time_field("sends_start_as_text", "start", "1700000000.5")
_time_field("sends_finish_before_start", "finish", 1)
_time_field("sends_duration_as_null", "duration", None)
_time_field("sends_a_duration_of_its_own", "duration", 1234.5)
_time_field("sends_processing_as_true", "processing", True)
_time_field("sends_operating_as_text", "operating", "0")
_time_field("sends_reset_as_text", "operating_reset_at", "soon")
_time_field("sends_a_date_without_offset", "date_start", "2026-01-01T10:00:00")
_time_field("sends_a_date_in_words", "date_finish", "1 January 2026")
# errors


@mutant("error.access-denied", "error.unknown-session", editions=NEW)
def codes_denial_otherwise(portal: ReferencePortal) -> None:
    """Denial carries EMPTY_VOTE_PARAMS."""
    recoded(portal, {"ACCESS_DENIED": "EMPTY_VOTE_PARAMS"})


@mutant("error.access-denied", editions=OLD)
def codes_denial_as_an_unknown_chat(portal: ReferencePortal) -> None:
    """A forbidden session is refused with CHAT_ID."""
    recoded(portal, {"ACCESS_DENIED": "CHAT_ID"})


@mutant("error.access-denied")
def lets_anybody_rate_anything(portal: ReferencePortal) -> None:
    """A forbidden session is rated."""
    asked(
        portal,
        lambda p, _: {**p, "SESSION_ID": RATEABLE} if whole_number(p.get("SESSION_ID")) == SESSIONS["forbidden"] else p,
    )


@mutant("error.chat-type", editions=OLD)
def codes_the_chat_type_as_denial(portal: ReferencePortal) -> None:
    """A chat that is no open line is refused with ACCESS_DENIED."""
    recoded(portal, {"CHAT_TYPE": "ACCESS_DENIED"})


@mutant("error.chat-id", editions=OLD)
def codes_an_unknown_chat_as_denial(portal: ReferencePortal) -> None:
    """An unknown session is refused with ACCESS_DENIED."""
    recoded(portal, {"CHAT_ID": "ACCESS_DENIED"})


@mutant("error.chat-id", "error.unknown-session")
def makes_up_sessions(portal: ReferencePortal) -> None:
    """An unknown session is accepted."""
    replied(
        portal,
        lambda reply, p, _: (
            Result(True)
            if whole_number(p.get("SESSION_ID")) == SESSIONS["unknown"] and whole_number(p.get("RATING"))
            else reply
        ),
    )


@mutant("error.wrong-parameter", editions=OLD)
def codes_a_missing_optional_as_an_unknown_chat(portal: ReferencePortal) -> None:
    """Neither optional is refused with CHAT_ID."""
    recoded(portal, {"WRONG_PARAMETER": "CHAT_ID"})


@mutant("error.empty-session-id", "session-id.required", editions=NEW)
def codes_a_missing_session_as_denial(portal: ReferencePortal) -> None:
    """No SESSION_ID is refused with ACCESS_DENIED."""
    recoded(portal, {"EMPTY_SESSION_ID": "ACCESS_DENIED"}, lambda p: "SESSION_ID" not in p)


@mutant("session-id.positive", editions=NEW)
def codes_0_as_denial(portal: ReferencePortal) -> None:
    """SESSION_ID 0 is refused with ACCESS_DENIED."""
    recoded(portal, {"EMPTY_SESSION_ID": "ACCESS_DENIED"}, lambda p: p.get("SESSION_ID") in (0, "0"))


@mutant("error.empty-vote-params", editions=NEW)
def codes_a_missing_optional_as_denial(portal: ReferencePortal) -> None:
    """Neither optional is refused with ACCESS_DENIED."""
    recoded(portal, {"EMPTY_VOTE_PARAMS": "ACCESS_DENIED"})


@mutant("error.documented-code")
def makes_up_a_code_for_bad_ratings(portal: ReferencePortal) -> None:
    """A bad rating is refused with INVALID_RATING."""
    codes = {"WRONG_PARAMETER": "INVALID_RATING", "EMPTY_VOTE_PARAMS": "INVALID_RATING"}
    recoded(portal, codes, lambda p: bool(p.get("RATING")))


@mutant("error.documented-code", "error.access-denied")
def writes_codes_in_lower_case(portal: ReferencePortal) -> None:
    """Codes are in lower case."""
    codes = [code for name in EVERY_EDITION for code in load_edition(name).method_codes]
    recoded(portal, {code: code.lower() for code in codes})


@mutant("error.envelope")
def leaves_the_description_out(portal: ReferencePortal) -> None:
    """A refusal has no error_description."""
    sent_json(portal, on_error(lambda document: {"error": document["error"]}))


@mutant("error.envelope")
def sends_the_description_as_a_list(portal: ReferencePortal) -> None:
    """error_description is a list."""
    sent_json(portal, on_error(lambda document: {**document, "error_description": ["refused"]}))


@mutant("error.envelope")
def sends_a_number_as_error(portal: ReferencePortal) -> None:
    """error is a number."""
    sent_json(portal, on_error(lambda document: {**document, "error": 400}))


@mutant("error.envelope")
def sends_a_sentence_as_error(portal: ReferencePortal) -> None:
    """error is a sentence."""
    sent_json(portal, on_error(lambda document: {**document, "error": "Not allowed!"}))


@mutant("error.envelope")
def sends_a_result_beside_the_error(portal: ReferencePortal) -> None:
    """A refusal has a result of null."""
    sent_json(portal, on_error(lambda document: {**document, "result": None}))


@mutant("error.envelope")
def refuses_with_false(portal: ReferencePortal) -> None:
    """A refusal is result false."""
    sent_json(portal, on_error(lambda _: {"result": False, "time": {}}))


@mutant("error.envelope")
def refuses_bad_ratings_with_false(portal: ReferencePortal) -> None:
    """A bad rating is answered with result false instead of an error."""
    replied(
        portal,
        lambda reply, p, _: (
            Result(False) if is_refusal(reply) and p.get("RATING") and stars_of(p) not in range(1, 6) else reply
        ),
    )


@mutant("error.status", editions=NEW)
def refuses_with_200(portal: ReferencePortal) -> None:
    """Refusals have status 200."""
    replied(portal, lambda reply, *_: replace(reply, status=200) if is_refusal(reply) else reply)


@mutant("error.status", editions=NEW)
def refuses_with_422(portal: ReferencePortal) -> None:
    """Refusals have status 422."""
    replied(portal, lambda reply, *_: replace(reply, status=422) if is_refusal(reply) else reply)


@mutant("error.status", "error.never-5xx")
def refuses_with_500(portal: ReferencePortal) -> None:
    """Refusals have status 500."""
    replied(portal, lambda reply, *_: replace(reply, status=500) if is_refusal(reply) else reply)


@mutant("error.status")
def refuses_with_302(portal: ReferencePortal) -> None:
    """Refusals have status 302."""
    replied(portal, lambda reply, *_: replace(reply, status=302) if is_refusal(reply) else reply)


@mutant("error.never-5xx")
def crashes_on_a_list(portal: ReferencePortal) -> None:
    """A list as RATING gives an error page."""
    crashes_where(portal, lambda p, _: isinstance(p.get("RATING"), list))


@mutant("error.never-5xx")
def crashes_on_an_object_as_comment(portal: ReferencePortal) -> None:
    """An object as COMMENT gives an error page."""
    crashes_where(portal, lambda p, _: isinstance(p.get("COMMENT"), dict))


@mutant("error.never-5xx")
def crashes_on_emoji(portal: ReferencePortal) -> None:
    """Characters beyond the first plane give an error page."""
    crashes_where(portal, lambda p, _: any(ord(sign) > 0xFFFF for sign in text_of(p)))


@mutant("error.never-5xx")
def crashes_on_nul(portal: ReferencePortal) -> None:
    """NUL in a comment gives an error page."""
    crashes_where(portal, lambda p, _: "\x00" in text_of(p))


@mutant("error.never-5xx")
def crashes_on_0_beside_a_comment(portal: ReferencePortal) -> None:
    """RATING 0 beside a comment gives an error page."""
    crashes_where(portal, lambda p, _: stars_of(p) == 0 and bool(p.get("COMMENT")))


@mutant("error.never-5xx")
def refuses_in_html(portal: ReferencePortal) -> None:
    """Refusals are a page with status 400."""
    sent(
        portal,
        lambda out, _: PortalResponse(out.status, "text/html", b"<p>refused</p>") if b'"error"' in out.body else out,
    )


@mutant("error.never-5xx")
def puts_a_byte_order_mark_first(portal: ReferencePortal) -> None:
    """The JSON of an answer begins with a byte order mark."""
    sent(portal, lambda out, _: replace(out, body=b"\xef\xbb\xbf" + out.body))
