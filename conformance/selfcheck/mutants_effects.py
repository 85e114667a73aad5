"""Lying portals, the reference portal with one fault each: access, what is stored, whole portals that are wrong."""

import html
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from itertools import count

from conformance.portals.reference import Context, ReferencePortal, Refusal, Reply, Result, User, Vote, whole_number
from conformance.selfcheck.mutation import (
    OLD,
    RATEABLE,
    Parameters,
    accepted,
    is_refusal,
    mutant,
    refused_where,
    replied,
    stars_of,
    text_of,
)

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
        if is_refusal(reply) and whole_number(parameters.get("SESSION_ID")) == RATEABLE and text_of(parameters):
            portal.save(RATEABLE, None, text_of(parameters))
        return reply

    replied(portal, change)


@mutant("effect.unchanged-on-refusal")
def stores_bad_ratings_though_it_refuses(portal: ReferencePortal) -> None:
    """A rating above 5 is refused and stored."""

    def change(reply: Reply, parameters: Parameters, _: Context) -> Reply:
        stars = stars_of(parameters)
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
        if is_refusal(reply) and stars_of(parameters) not in (None, *range(1, 6)):
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
