"""Lying portals: the reference portal with one fault each.

The docstring says how it lies, the decorator which clauses must see it.
"""

import html
import json
import re
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from typing import Any, Final
from urllib.parse import unquote

from conformance.contract.clauses import load_edition
from conformance.exchange.call import READ_METHOD, Json
from conformance.portals.php_forms import PortalRequest, read_parameters
from conformance.portals.reference import (
    SECRET,
    SESSIONS,
    TOKEN,
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
    EVERY_EDITION,
    Parameters,
    Variant,
    accepted,
    answered,
    asked,
    crashes_where,
    is_batch,
    is_refusal,
    is_vote,
    on_error,
    on_success,
    received,
    recoded,
    refused_instead,
    refused_where,
    replied,
    sent,
    sent_json,
)

OLD: Final = ("2024-10", "2025-05")
NEW: Final = ("2026-03",)
RATEABLE: Final = SESSIONS["rateable"]
MUTANTS: Final[list[Variant]] = []
Apply = Callable[[ReferencePortal], None]
Editions = tuple[str, ...]


def mutant(*clauses: str, editions: Editions = EVERY_EDITION) -> Callable[[Apply], Apply]:
    """Registers a fault with the clauses that must catch it, in each edition that has them."""

    def register(apply: Apply) -> Apply:
        MUTANTS.append(Variant(apply.__name__, " ".join((apply.__doc__ or "").split()), clauses, editions, apply))
        return apply

    return register


def must_catch(fault: Variant, edition: str) -> set[str]:
    """The clauses of the edition that must catch a fault."""
    return set(fault.clauses) & load_edition(edition).clauses.keys()


def _text(parameters: Parameters) -> str:
    comment = parameters.get("COMMENT")
    return comment if isinstance(comment, str) else ""


def _stars(parameters: Parameters) -> int | None:
    return whole_number(parameters.get("RATING"))


def _rated(parameters: Parameters, rating: Json) -> Parameters:
    return {**parameters, "RATING": rating}


# required


@mutant("session-id.required", "error.empty-session-id")
def takes_the_last_session_when_none_is_named(portal: ReferencePortal) -> None:
    """A call without SESSION_ID rates the rateable session."""
    asked(portal, lambda parameters, _: {"SESSION_ID": RATEABLE, **parameters})


@mutant("session-id.required")
def takes_the_last_session_for_an_empty_id(portal: ReferencePortal) -> None:
    """An empty SESSION_ID rates the rateable session."""
    asked(portal, lambda p, _: {**p, "SESSION_ID": RATEABLE} if p.get("SESSION_ID") == "" else p)


@mutant("session-id.required")
def takes_the_last_session_for_null(portal: ReferencePortal) -> None:
    """SESSION_ID null rates the rateable session."""
    asked(portal, lambda p, _: {**p, "SESSION_ID": RATEABLE} if p.get("SESSION_ID", 1) is None else p)


@mutant("session-id.positive")
def takes_the_last_session_for_0(portal: ReferencePortal) -> None:
    """SESSION_ID 0 rates the rateable session."""
    asked(portal, lambda p, _: {**p, "SESSION_ID": RATEABLE} if whole_number(p.get("SESSION_ID")) == 0 else p)


@mutant("session-id.positive")
def drops_the_sign_of_a_session_id(portal: ReferencePortal) -> None:
    """A negative SESSION_ID is read without its sign."""

    def change(parameters: Parameters, _: Context) -> Parameters:
        number = whole_number(parameters.get("SESSION_ID"))
        return parameters if number is None else {**parameters, "SESSION_ID": abs(number)}

    asked(portal, change)


@mutant("session-id.whole-number")
def reads_leading_digits_of_a_session_id(portal: ReferencePortal) -> None:
    """\"494abc\" is read as 494."""

    def change(parameters: Parameters, _: Context) -> Parameters:
        text = parameters.get("SESSION_ID")
        digits = text[: len(text) - len(text.lstrip("0123456789"))] if isinstance(text, str) else ""
        return {**parameters, "SESSION_ID": int(digits)} if digits else parameters

    asked(portal, change)


@mutant("session-id.whole-number")
def cuts_the_fraction_of_a_session_id(portal: ReferencePortal) -> None:
    """494.5 is read as 494."""
    asked(
        portal, lambda p, _: {**p, "SESSION_ID": int(p["SESSION_ID"])} if isinstance(p.get("SESSION_ID"), float) else p
    )


@mutant("session-id.whole-number")
def takes_the_first_of_a_list_of_sessions(portal: ReferencePortal) -> None:
    """[494] is read as 494."""
    asked(portal, lambda p, _: {**p, "SESSION_ID": p["SESSION_ID"][0]} if isinstance(p.get("SESSION_ID"), list) else p)


@mutant("session-id.whole-number")
def takes_any_value_of_an_object_of_sessions(portal: ReferencePortal) -> None:
    """{"a": 494} is read as 494."""
    asked(
        portal,
        lambda p, _: (
            {**p, "SESSION_ID": next(iter(p["SESSION_ID"].values()))} if isinstance(p.get("SESSION_ID"), dict) else p
        ),
    )


@mutant("session-id.whole-number")
def takes_false_for_the_last_session(portal: ReferencePortal) -> None:
    """SESSION_ID false rates the rateable session."""
    asked(portal, lambda p, _: {**p, "SESSION_ID": RATEABLE} if p.get("SESSION_ID") is False else p)


@mutant("session-id.digits-as-text")
def wants_session_ids_as_json_numbers(portal: ReferencePortal) -> None:
    """SESSION_ID as a text is refused in a JSON body."""
    refused_where(portal, lambda p, context: context.way == "json" and isinstance(p.get("SESSION_ID"), str))


@mutant("documentation.example", editions=OLD)
def takes_chat_id_for_a_session(portal: ReferencePortal) -> None:
    """CHAT_ID names a session too, and rates it with five stars: the page's example is accepted."""
    asked(portal, lambda p, _: {"SESSION_ID": RATEABLE, "RATING": 5, **p} if "CHAT_ID" in p else p)


@mutant("documentation.example")
def refuses_the_words_of_the_example(portal: ReferencePortal) -> None:
    """The comments of the pages' examples are refused."""
    refused_where(portal, lambda p, _: _text(p) in ("Well done", "Excellent handling"))


# optional


@mutant("optional.rating-alone")
def wants_a_comment_with_each_rating(portal: ReferencePortal) -> None:
    """A rating without a comment is refused."""
    refused_where(portal, lambda p, _: not p.get("COMMENT"))


@mutant("optional.comment-alone", "comment.any-text")
def wants_a_rating_with_each_comment(portal: ReferencePortal) -> None:
    """A comment without a rating is refused."""
    refused_where(portal, lambda p, _: not p.get("RATING"))


@mutant("optional.both")
def takes_only_one_of_both(portal: ReferencePortal) -> None:
    """Rating and comment together are refused."""
    refused_where(portal, lambda p, _: bool(p.get("RATING")) and bool(p.get("COMMENT")))


@mutant("optional.at-least-one", "error.wrong-parameter", "error.empty-vote-params")
def takes_a_vote_for_nothing(portal: ReferencePortal) -> None:
    """Neither rating nor comment: accepted, nothing is stored."""
    replied(portal, lambda reply, p, _: Result(True) if not {"RATING", "COMMENT"} & p.keys() else reply)


@mutant("optional.at-least-one")
def takes_a_vote_for_an_empty_comment(portal: ReferencePortal) -> None:
    """COMMENT "" alone is accepted."""
    asked(portal, lambda p, _: {**p, "COMMENT": "(none)"} if p.get("COMMENT") == "" and not p.get("RATING") else p)


@mutant("optional.at-least-one")
def takes_a_vote_for_null(portal: ReferencePortal) -> None:
    """COMMENT null alone is stored as the text null."""
    asked(portal, lambda p, _: {**p, "COMMENT": "null"} if p.get("COMMENT", 1) is None else p)


@mutant("optional.order")
def forgets_what_stands_before_session_id(portal: ReferencePortal) -> None:
    """Parameters that are sent before SESSION_ID are dropped."""

    def change(parameters: Parameters, _: Context) -> Parameters:
        names = list(parameters)
        place = names.index("SESSION_ID") if "SESSION_ID" in names else 0
        return {name: parameters[name] for name in names[place:]}

    asked(portal, change)


@mutant("optional.order")
def wants_the_comment_last(portal: ReferencePortal) -> None:
    """A comment that is sent before the rating is refused."""
    refused_where(
        portal, lambda p, _: {"RATING", "COMMENT"} <= p.keys() and list(p).index("COMMENT") < list(p).index("RATING")
    )


# rating


def _one_rating_refused(stars: int) -> None:
    def apply(portal: ReferencePortal) -> None:
        refused_where(portal, lambda p, _: _stars(p) == stars)

    apply.__name__ = f"refuses_rating_{stars}"
    apply.__doc__ = f"RATING {stars} is refused."
    mutant("rating.accepts-1-to-5", "optional.rating-alone")(apply)


for _number in range(1, 6):
    _one_rating_refused(_number)


@mutant("rating.accepts-1-to-5")
def refuses_5_with_a_comment(portal: ReferencePortal) -> None:
    """RATING 5 is refused when a comment is there."""
    refused_where(portal, lambda p, _: _stars(p) == 5 and bool(p.get("COMMENT")))


def _outside_accepted(name: str, conduct: str, read: Callable[[int], bool]) -> None:
    def apply(portal: ReferencePortal) -> None:
        asked(portal, lambda p, _: _rated(p, 5) if (stars := _stars(p)) is not None and read(stars) else p)

    apply.__name__, apply.__doc__ = name, conduct
    mutant("rating.rejects-outside")(apply)


_outside_accepted("accepts_6", "RATING 6 counts as 5.", lambda stars: stars == 6)
_outside_accepted("accepts_7_to_10", "RATING 7 to 10 count as 5.", lambda stars: 7 <= stars <= 10)
_outside_accepted("accepts_0", "RATING 0 counts as 5.", lambda stars: stars == 0)
_outside_accepted("accepts_minus_1", "RATING -1 counts as 5.", lambda stars: stars == -1)
_outside_accepted("accepts_numbers_of_ten_digits", "Numbers above 2**31 count as 5.", lambda stars: stars > 2**31)


@mutant("rating.rejects-outside")
def keeps_32_bits_of_a_rating(portal: ReferencePortal) -> None:
    """2**32 + 3 is read as 3."""
    asked(portal, lambda p, _: p if _stars(p) is None else _rated(p, (_stars(p) or 0) % 2**32))


@mutant("rating.rejects-outside")
def takes_0_for_no_rating_beside_a_comment(portal: ReferencePortal) -> None:
    """RATING 0 beside a comment counts as not filled."""
    asked(portal, lambda p, _: _rated(p, None) if _stars(p) == 0 and p.get("COMMENT") else p)


def _cast(name: str, conduct: str, kind: type, to: Callable[[Any], Json]) -> None:
    def apply(portal: ReferencePortal) -> None:
        asked(portal, lambda p, _: _rated(p, to(p["RATING"])) if type(p.get("RATING")) is kind else p)

    apply.__name__, apply.__doc__ = name, conduct
    mutant("rating.whole-number")(apply)


_cast("cuts_the_fraction_of_a_rating", "2.5 is read as 2.", float, int)
_cast("reads_true_as_1", "true is read as 1, false as 0.", bool, int)
_cast("takes_the_first_of_a_list_of_ratings", "[5] is read as 5.", list, lambda rating: rating[0])
_cast("takes_any_value_of_an_object", '{"a": 5} is read as 5.', dict, lambda rating: next(iter(rating.values())))


@mutant("rating.whole-number")
def takes_letters_for_no_rating(portal: ReferencePortal) -> None:
    """A rating of letters counts as not filled, so that beside a comment it is accepted."""
    asked(portal, lambda p, _: _rated(p, None) if str(p.get("RATING")).isalpha() and p.get("COMMENT") else p)


@mutant("rating.digits-as-text")
def wants_ratings_as_json_numbers(portal: ReferencePortal) -> None:
    """A rating as a text is refused in a JSON body."""
    refused_where(portal, lambda p, context: context.way == "json" and isinstance(p.get("RATING"), str))


@mutant("rating.digits-as-text")
def checks_the_range_of_json_numbers_only(portal: ReferencePortal) -> None:
    """\"6\" counts as 5."""
    asked(portal, lambda p, _: _rated(p, "5") if p.get("RATING") == "6" else p)


# comment


def _text_refused(
    name: str,
    conduct: str,
    where: Callable[[str], bool],
    clause: str = "comment.any-text",
    editions: Editions = EVERY_EDITION,
) -> None:
    def apply(portal: ReferencePortal) -> None:
        refused_where(portal, lambda p, _: where(_text(p)))

    apply.__name__, apply.__doc__ = name, conduct
    mutant(clause, editions=editions)(apply)


_text_refused(
    "refuses_emoji", "Characters beyond the first plane are refused.", lambda text: any(ord(c) > 0xFFFF for c in text)
)
_text_refused("refuses_quotes", "Quotes are refused.", lambda text: "'" in text or '"' in text)
_text_refused("refuses_markup", "HTML is refused.", lambda text: "<" in text)
_text_refused("refuses_lines", "Line breaks are refused.", lambda text: "\n" in text, "comment.lines", OLD)
_text_refused("refuses_256", "Texts above 255 characters are refused.", lambda text: len(text) > 255)
_text_refused("refuses_1000", "Texts of 1,000 characters are refused.", lambda text: len(text) == 1000)
_text_refused(
    "refuses_hebrew",
    "Right-to-left letters are refused.",
    lambda text: any(unicodedata.bidirectional(c) == "R" for c in text),
)
_text_refused("refuses_marks", "Combining marks are refused.", lambda text: any(unicodedata.combining(c) for c in text))
_text_refused("refuses_the_word_null", "The word NULL is refused.", lambda text: text == "NULL")
_text_refused("refuses_percent", "A percent sign is refused.", lambda text: "%" in text)


@mutant("comment.any-text")
def refuses_an_ampersand_beside_3_stars(portal: ReferencePortal) -> None:
    """An ampersand is refused where RATING is 3."""
    refused_where(portal, lambda p, _: "&" in _text(p) and _stars(p) == 3)


@mutant("comment.zero-text")
def takes_0_for_an_empty_comment(portal: ReferencePortal) -> None:
    """The text 0 counts as not filled."""
    asked(portal, lambda p, _: {**p, "COMMENT": ""} if p.get("COMMENT") == "0" else p)


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
            Result(False) if is_refusal(reply) and p.get("RATING") and _stars(p) not in range(1, 6) else reply
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
    crashes_where(portal, lambda p, _: any(ord(sign) > 0xFFFF for sign in _text(p)))


@mutant("error.never-5xx")
def crashes_on_nul(portal: ReferencePortal) -> None:
    """NUL in a comment gives an error page."""
    crashes_where(portal, lambda p, _: "\x00" in _text(p))


@mutant("error.never-5xx")
def crashes_on_0_beside_a_comment(portal: ReferencePortal) -> None:
    """RATING 0 beside a comment gives an error page."""
    crashes_where(portal, lambda p, _: _stars(p) == 0 and bool(p.get("COMMENT")))


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


# transport


def _encoding_ignored(name: str, conduct: str, kind: str) -> None:
    def apply(portal: ReferencePortal) -> None:
        received(portal, lambda request: replace(request, body=b"") if kind in request.media_type else request)

    apply.__name__, apply.__doc__ = name, conduct
    mutant("transport.encodings")(apply)


_encoding_ignored("ignores_forms", "A form body is not read.", "urlencoded")
_encoding_ignored("ignores_multipart", "A multipart body is not read.", "multipart")


@mutant("transport.encodings")
def ignores_the_query_of_a_get(portal: ReferencePortal) -> None:
    """The query of a GET is not read."""
    received(portal, lambda request: replace(request, query="") if request.method == "GET" else request)


@mutant("transport.encodings", "effect.saved")
def decodes_forms_twice(portal: ReferencePortal) -> None:
    """A form body is percent-decoded twice."""

    def change(parameters: Parameters, context: Context) -> Parameters:
        return (
            {**parameters, "COMMENT": unquote(_text(parameters))}
            if context.way == "form" and _text(parameters)
            else parameters
        )

    asked(portal, change)


@mutant("transport.encodings")
def lets_6_pass_in_a_query(portal: ReferencePortal) -> None:
    """By GET, RATING 6 counts as 5."""
    asked(portal, lambda p, context: _rated(p, "5") if context.way == "get" and _stars(p) == 6 else p)


def _named(request: PortalRequest, suffix: str) -> bool:
    return is_vote(request) and request.path.endswith(suffix)


_NOT_FOUND: Final = PortalResponse(
    404, "application/json", b'{"error": "ERROR_METHOD_NOT_FOUND", "error_description": ""}'
)


@mutant("transport.suffix")
def does_not_know_the_suffix_json(portal: ReferencePortal) -> None:
    """With .json the method is not found."""
    sent(portal, lambda outgoing, request: _NOT_FOUND if _named(request, ".json") else outgoing)


@mutant("transport.xml")
def does_not_know_the_suffix_xml(portal: ReferencePortal) -> None:
    """With .xml the method is not found."""
    sent(portal, lambda outgoing, request: _NOT_FOUND if _named(request, ".xml") else outgoing)


@mutant("transport.xml")
def answers_json_where_xml_was_asked_for(portal: ReferencePortal) -> None:
    """With .xml the answer is JSON."""
    received(portal, lambda request: replace(request, path=request.path.removesuffix(".xml")))


@mutant("transport.xml")
def answers_0_for_true_in_xml(portal: ReferencePortal) -> None:
    """In XML true is 0."""
    sent(portal, lambda out, _: replace(out, body=out.body.replace(b"<result>1<", b"<error>NO</error><result>0<")))


@mutant("transport.batch")
def refuses_everything_in_a_batch(portal: ReferencePortal) -> None:
    """Inside a batch every vote is refused."""
    refused_where(portal, lambda _, context: context.way == "batch")


@mutant("transport.batch")
def adds_a_star_in_a_batch(portal: ReferencePortal) -> None:
    """Inside a batch ratings are stored one lower."""

    def change(parameters: Parameters, context: Context) -> Parameters:
        stars = _stars(parameters)
        lowered = context.way == "batch" and stars is not None and stars > 1
        return _rated(parameters, (stars or 0) - 1) if lowered else parameters

    asked(portal, change)


@mutant("transport.batch")
def lets_6_pass_in_a_batch(portal: ReferencePortal) -> None:
    """Inside a batch RATING 6 counts as 5."""
    asked(portal, lambda p, context: _rated(p, "5") if context.way == "batch" and _stars(p) == 6 else p)


@mutant("transport.batch")
def gives_a_refused_batch_400(portal: ReferencePortal) -> None:
    """A batch with a refused item has status 400 outside."""
    honest = portal.answer

    def answer(request: PortalRequest) -> PortalResponse:
        outgoing = honest(request)
        return replace(outgoing, status=400) if b"result_error" in outgoing.body else outgoing

    portal.answer = answer


@mutant("transport.batch")
def stops_a_batch_at_the_first_refusal(portal: ReferencePortal) -> None:
    """Items after a refused one are left out, though halt is off."""

    def change(document: dict[str, Any]) -> Any:
        parts = document["result"]
        errors = parts["result_error"]
        first = dict([next(iter(errors.items()))]) if isinstance(errors, dict) else errors[:1]
        return {**document, "result": {**parts, "result": [], "result_error": first}}

    sent_json(portal, on_success(change), batch=True)


@mutant("transport.batch")
def puts_errors_of_a_batch_under_result(portal: ReferencePortal) -> None:
    """A refused item stands under result."""

    def change(document: dict[str, Any]) -> Any:
        parts = document["result"]
        return {**document, "result": {**parts, "result": parts["result_error"], "result_error": []}}

    sent_json(portal, on_success(change), batch=True)


@mutant("transport.oauth")
def does_not_know_tokens_in_the_query(portal: ReferencePortal) -> None:
    """A token in the query is not read."""
    received(portal, lambda request: replace(request, query=request.query.replace("auth=", "no=")))


@mutant("transport.oauth")
def does_not_know_tokens_in_json(portal: ReferencePortal) -> None:
    """A token in a JSON body is not read."""
    received(portal, lambda request: replace(request, body=request.body.replace(b'"auth"', b'"no"')))


@mutant("transport.auth")
def takes_any_secret(portal: ReferencePortal) -> None:
    """A wrong secret is as good as the right one."""
    received(
        portal, lambda request: replace(request, path=request.path.replace("not-the-webhook-secret", "reference-main"))
    )


@mutant("transport.auth")
def denies_wrong_secrets_as_the_method_does(portal: ReferencePortal) -> None:
    """A wrong secret is refused with a code of the method."""
    code = portal.refusal("EMPTY_VOTE_PARAMS", "WRONG_PARAMETER").code.encode()
    sent(portal, lambda out, _: replace(out, body=out.body.replace(b"INVALID_CREDENTIALS", code)))


@mutant("transport.auth")
def denies_wrong_secrets_with_404(portal: ReferencePortal) -> None:
    """A wrong secret is refused with status 404."""
    sent(portal, lambda out, _: replace(out, status=404) if b"INVALID_CREDENTIALS" in out.body else out)


def _denied_with(portal: ReferencePortal, usual: str, denial: Refusal) -> None:
    """Denies with another code and status than the usual one."""

    def change(out: PortalResponse, request: PortalRequest) -> PortalResponse:
        if usual.encode() not in out.body:
            return out
        body = out.body.replace(usual.encode(), denial.code.encode())
        return replace(out, body=body, status=out.status if is_batch(request) else denial.status)

    answered(portal, change)


@mutant("transport.auth")
def calls_a_wrong_secret_a_deleted_portal(portal: ReferencePortal) -> None:
    """A wrong secret is refused with PORTAL_DELETED and status 403."""
    _denied_with(portal, "INVALID_CREDENTIALS", Refusal("PORTAL_DELETED", 403))


@mutant("transport.auth")
def calls_a_wrong_secret_an_expired_token(portal: ReferencePortal) -> None:
    """A wrong secret is refused with expired_token."""
    _denied_with(portal, "INVALID_CREDENTIALS", Refusal("expired_token", 401))


@mutant("transport.credentials")
def takes_any_token(portal: ReferencePortal) -> None:
    """A wrong access token is as good as the right one."""

    def right(text: str) -> str:
        return text.replace("not-an-access-token", TOKEN)

    token = TOKEN.encode()
    received(portal, lambda r: replace(r, query=right(r.query), body=r.body.replace(b"not-an-access-token", token)))


@mutant("transport.credentials")
def takes_calls_without_credentials(portal: ReferencePortal) -> None:
    """A call without credentials is served as the supervisor's."""

    def change(request: PortalRequest) -> PortalRequest:
        without = request.path.count("/") == 2 and "auth" not in read_parameters(request)
        return replace(request, path=request.path.replace("/rest/", f"/rest/1/{SECRET}/")) if without else request

    received(portal, change)


@mutant("transport.credentials")
def calls_a_wrong_token_a_lack_of_scope(portal: ReferencePortal) -> None:
    """A wrong access token, and none, are refused with insufficient_scope."""
    _denied_with(portal, "NO_AUTH_FOUND", Refusal("insufficient_scope", 403))


@mutant("transport.credentials")
def denies_calls_without_credentials_with_404(portal: ReferencePortal) -> None:
    """A wrong access token, and none, are refused with status 404."""
    _denied_with(portal, "NO_AUTH_FOUND", Refusal("NO_AUTH_FOUND", 404))


@mutant("transport.scope", editions=("2025-05", "2026-03"))
def denies_the_scope_with_401(portal: ReferencePortal) -> None:
    """A caller without the scope is refused with status 401, as the real portal does."""
    _denied_with(portal, "insufficient_scope", Refusal("insufficient_scope", 401))


@mutant("transport.scope")
def does_not_check_the_scope(portal: ReferencePortal) -> None:
    """A caller without the scope is served."""
    received(
        portal, lambda request: replace(request, path=request.path.replace("reference-unscoped", "reference-main"))
    )


@mutant("transport.scope")
def codes_the_scope_otherwise(portal: ReferencePortal) -> None:
    """A caller without the scope is refused with INVALID_CREDENTIALS."""
    sent(portal, lambda out, _: replace(out, body=out.body.replace(b"insufficient_scope", b"INVALID_CREDENTIALS")))


# access


@mutant("access.any-user", editions=OLD)
def serves_supervisors_only(portal: ReferencePortal) -> None:
    """A second caller is refused."""
    replied(portal, lambda reply, _, context: Refusal("ACCESS_DENIED", 400) if context.user is User.OTHER else reply)


# effects


def _on_save(
    portal: ReferencePortal, change: Callable[[Vote, int | None, str | None], tuple[int | None, str | None]]
) -> None:
    honest = portal.save

    def save(session: int, rating: int | None, comment: str | None) -> None:
        honest(session, *change(portal.votes.get(session, Vote()), rating, comment))

    portal.save = save


@mutant("effect.saved")
def stores_no_ratings(portal: ReferencePortal) -> None:
    """Ratings are not stored."""
    _on_save(portal, lambda _, __, comment: (None, comment))


@mutant("effect.saved")
def stores_no_comments(portal: ReferencePortal) -> None:
    """Comments are not stored."""
    _on_save(portal, lambda _, rating, __: (rating, None))


@mutant("effect.saved")
def stores_another_rating(portal: ReferencePortal) -> None:
    """Ratings are stored one lower."""
    _on_save(portal, lambda _, rating, comment: (rating and rating - 1, comment))


def _stored_text(name: str, conduct: str, store: Callable[[str], str]) -> None:
    def apply(portal: ReferencePortal) -> None:
        _on_save(portal, lambda _, rating, comment: (rating, None if comment is None else store(comment)))

    apply.__name__, apply.__doc__ = name, conduct
    mutant("effect.saved")(apply)


_stored_text("stores_escaped_text", "Comments are stored with HTML escapes.", html.escape)
_stored_text("stores_255_characters", "Comments are cut to 255 characters.", lambda text: text[:255])
_stored_text("stores_up_to_an_ampersand", "Comments are cut at an ampersand.", lambda text: text.partition("&")[0])
_stored_text(
    "stores_latin_letters",
    "Other than Latin letters become question marks.",
    lambda text: text.encode("latin-1", "replace").decode("latin-1"),
)
_stored_text("stores_normalised_text", "Comments are normalised.", lambda text: unicodedata.normalize("NFC", text))
_stored_text("stores_single_blanks", "White space inside is collapsed.", lambda text: " ".join(text.split()))
_stored_text(
    "stores_two_planes",
    "Characters beyond the first plane are dropped.",
    lambda text: "".join(c for c in text if ord(c) < 0x10000),
)
_stored_text("stores_lower_case", "Comments are stored in lower case.", str.lower)


@mutant("effect.unchanged-on-refusal")
def stores_comments_before_it_checks(portal: ReferencePortal) -> None:
    """The comment is stored before a bad rating is refused."""

    def change(reply: Reply, parameters: Parameters, _: Context) -> Reply:
        if is_refusal(reply) and whole_number(parameters.get("SESSION_ID")) == RATEABLE and _text(parameters):
            portal.save(RATEABLE, None, _text(parameters))
        return reply

    replied(portal, change)


@mutant("effect.unchanged-on-refusal")
def stores_bad_ratings_though_it_refuses(portal: ReferencePortal) -> None:
    """A rating above 5 is refused and stored."""

    def change(reply: Reply, parameters: Parameters, _: Context) -> Reply:
        stars = _stars(parameters)
        if is_refusal(reply) and stars is not None and stars > 5:
            portal.save(RATEABLE, stars, None)
        return reply

    replied(portal, change)


@mutant("effect.revote")
def keeps_the_first_vote(portal: ReferencePortal) -> None:
    """A later rating is accepted and not stored."""
    _on_save(portal, lambda kept, rating, comment: (None if kept.rating else rating, comment))


@mutant("effect.revote", "effect.history-free")
def refuses_the_second_vote(portal: ReferencePortal) -> None:
    """A session that has a rating is refused."""
    refused_where(portal, lambda p, _: portal.votes.get(whole_number(p.get("SESSION_ID")) or 0, Vote()).rating > 0)


def _sticky(name: str, conduct: str, for_good: bool) -> None:
    def apply(portal: ReferencePortal) -> None:
        honest = portal.vote
        last: list[Reply] = []

        def vote(parameters: Parameters, context: Context) -> Reply:
            if last:
                reply = last[0]
                if not for_good:
                    last.clear()
                return reply
            reply = honest(parameters, context)
            if is_refusal(reply):
                last.append(reply)
            return reply

        portal.vote = vote

    apply.__name__, apply.__doc__ = name, conduct
    mutant("effect.history-free")(apply)


_sticky("repeats_a_refusal_once", "After a refusal the next call is refused with the same code.", False)


@mutant("effect.history-free")
def locks_a_session_for_a_call_after_a_bad_rating(portal: ReferencePortal) -> None:
    """After a bad rating the next call for the session is refused."""
    locked: list[bool] = []
    honest = portal.vote

    def vote(parameters: Parameters, context: Context) -> Reply:
        if locked and whole_number(parameters.get("SESSION_ID")) == RATEABLE:
            locked.clear()
            return portal.refusal("ACCESS_DENIED", "ACCESS_DENIED")
        reply = honest(parameters, context)
        if is_refusal(reply) and _stars(parameters) not in (None, *range(1, 6)):
            locked.append(True)
        return reply

    portal.vote = vote


@mutant("success.true", "effect.history-free")
def answers_false_every_seventh_time(portal: ReferencePortal) -> None:
    """Every seventh success is result false."""
    calls = count(1)
    replied(portal, lambda reply, *_: Result(False) if accepted(reply) and next(calls) % 7 == 0 else reply)


@mutant("effect.history-free")
def refuses_every_seventh_time(portal: ReferencePortal) -> None:
    """Every seventh good call is refused."""
    calls = count(1)
    code = portal.refusal("ACCESS_DENIED", "ACCESS_DENIED")
    replied(portal, lambda reply, *_: code if accepted(reply) and next(calls) % 7 == 0 else reply)


# whole portals


@mutant("session-id.required", "rating.rejects-outside", "optional.at-least-one", "error.access-denied")
def says_true_to_everything(portal: ReferencePortal) -> None:
    """Every vote is answered with true."""
    replied(portal, lambda *_: Result(True))


@mutant("rating.accepts-1-to-5", "optional.rating-alone", "optional.comment-alone", "comment.any-text")
def refuses_everything(portal: ReferencePortal) -> None:
    """Every vote is refused."""
    refused_where(portal, lambda *_: True)


@mutant("error.wrong-parameter", "error.chat-id", "error.empty-session-id", "error.empty-vote-params")
def knows_one_code(portal: ReferencePortal) -> None:
    """Every refusal carries ACCESS_DENIED."""
    replied(portal, lambda reply, *_: replace(reply, code="ACCESS_DENIED") if is_refusal(reply) else reply)


# faults that look like others: each is blamed on its own clause alone, see test_blame.py


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
    asked(portal, lambda p, context: {**p, "COMMENT": _text(p)[:10]} if context.way == "multipart" and _text(p) else p)


@mutant("transport.encodings")
def keeps_the_plus_signs_of_a_query(portal: ReferencePortal) -> None:
    """A plus sign in the query of a GET stays a plus sign, though it stands for a blank."""
    asked(
        portal,
        lambda p, context: {**p, "COMMENT": _text(p).replace(" ", "+")} if context.way == "get" and _text(p) else p,
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
        lambda p, _: _stars(p) == 2 and any(ord(c) > 0xFFFF for c in _text(p)) and not set(_text(p)) & set("\t\n\r"),
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
        if own and is_filled(parameters.get("RATING")) and _stars(parameters) not in range(1, 6):
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
    crashes_where(portal, lambda p, context: context.way == "batch" and _stars(p) == 6)


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
        suffixed[:] = [True] if _named(request, ".json") else []
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
