"""Lying portals, the reference portal with one fault each: the parameters, and which values are taken."""

import unicodedata
from collections.abc import Callable
from typing import Any

from conformance.exchange.call import Json
from conformance.portals.reference import Context, ReferencePortal, Result, whole_number
from conformance.selfcheck.mutation import (
    EVERY_EDITION,
    OLD,
    RATEABLE,
    Editions,
    Parameters,
    asked,
    mutant,
    rated,
    refused_where,
    replied,
    stars_of,
    text_of,
)

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
    refused_where(portal, lambda p, _: text_of(p) in ("Well done", "Excellent handling"))


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
        refused_where(portal, lambda p, _: stars_of(p) == stars)

    apply.__name__ = f"refuses_rating_{stars}"
    apply.__doc__ = f"RATING {stars} is refused."
    mutant("rating.accepts-1-to-5", "optional.rating-alone")(apply)


for _number in range(1, 6):
    _one_rating_refused(_number)


@mutant("rating.accepts-1-to-5")
def refuses_5_with_a_comment(portal: ReferencePortal) -> None:
    """RATING 5 is refused when a comment is there."""
    refused_where(portal, lambda p, _: stars_of(p) == 5 and bool(p.get("COMMENT")))


def _outside_accepted(name: str, conduct: str, read: Callable[[int], bool]) -> None:
    def apply(portal: ReferencePortal) -> None:
        asked(portal, lambda p, _: rated(p, 5) if (stars := stars_of(p)) is not None and read(stars) else p)

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
    asked(portal, lambda p, _: p if stars_of(p) is None else rated(p, (stars_of(p) or 0) % 2**32))


@mutant("rating.rejects-outside")
def takes_0_for_no_rating_beside_a_comment(portal: ReferencePortal) -> None:
    """RATING 0 beside a comment counts as not filled."""
    asked(portal, lambda p, _: rated(p, None) if stars_of(p) == 0 and p.get("COMMENT") else p)


def _cast(name: str, conduct: str, kind: type, to: Callable[[Any], Json]) -> None:
    def apply(portal: ReferencePortal) -> None:
        asked(portal, lambda p, _: rated(p, to(p["RATING"])) if type(p.get("RATING")) is kind else p)

    apply.__name__, apply.__doc__ = name, conduct
    mutant("rating.whole-number")(apply)


_cast("cuts_the_fraction_of_a_rating", "2.5 is read as 2.", float, int)
_cast("reads_true_as_1", "true is read as 1, false as 0.", bool, int)
_cast("takes_the_first_of_a_list_of_ratings", "[5] is read as 5.", list, lambda rating: rating[0])
_cast("takes_any_value_of_an_object", '{"a": 5} is read as 5.', dict, lambda rating: next(iter(rating.values())))


@mutant("rating.whole-number")
def takes_letters_for_no_rating(portal: ReferencePortal) -> None:
    """A rating of letters counts as not filled, so that beside a comment it is accepted."""
    asked(portal, lambda p, _: rated(p, None) if str(p.get("RATING")).isalpha() and p.get("COMMENT") else p)


@mutant("rating.digits-as-text")
def wants_ratings_as_json_numbers(portal: ReferencePortal) -> None:
    """A rating as a text is refused in a JSON body."""
    refused_where(portal, lambda p, context: context.way == "json" and isinstance(p.get("RATING"), str))


@mutant("rating.digits-as-text")
def checks_the_range_of_json_numbers_only(portal: ReferencePortal) -> None:
    """\"6\" counts as 5."""
    asked(portal, lambda p, _: rated(p, "5") if p.get("RATING") == "6" else p)


# comment


def _text_refused(
    name: str,
    conduct: str,
    where: Callable[[str], bool],
    clause: str = "comment.any-text",
    editions: Editions = EVERY_EDITION,
) -> None:
    def apply(portal: ReferencePortal) -> None:
        refused_where(portal, lambda p, _: where(text_of(p)))

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
    refused_where(portal, lambda p, _: "&" in text_of(p) and stars_of(p) == 3)


@mutant("comment.zero-text")
def takes_0_for_an_empty_comment(portal: ReferencePortal) -> None:
    """The text 0 counts as not filled."""
    asked(portal, lambda p, _: {**p, "COMMENT": ""} if p.get("COMMENT") == "0" else p)
