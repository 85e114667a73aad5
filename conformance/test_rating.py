"""Chapter "rating": a whole number of stars from 1 to 5."""

from collections.abc import Callable

from conformance.contract.classes import COMMENTS, NOT_WHOLE_RATINGS, OUTSIDE, STARS, WORDS_FOR_NOTHING
from conformance.engine.evidence import Exchange
from conformance.engine.session import PortalSession
from conformance.exchange.call import Call, ClassifiedValue
from conformance.suite import calls, clause, value_of

NO_COMMENT_OR_PLAIN = ("absent", "plain")


def _beside_a_comment(name: str, *texts: str) -> Callable[[PortalSession], list[Call]]:
    """Return what makes calls with these ratings beside a comment.

    A portal that takes such a text for no rating accepts the comment.
    """
    plain = value_of(COMMENTS, "plain")
    return lambda session: [Call(session.rateable, ClassifiedValue(name, text), plain) for text in texts]


@clause("rating.accepts-1-to-5", exchange=calls(rating=STARS, comment=NO_COMMENT_OR_PLAIN, about=["rating"]))
def test_each_rating_from_1_to_5_is_accepted(exchange: Exchange) -> None:
    exchange.must_be_accepted()


@clause("rating.rejects-outside", exchange=calls(rating=OUTSIDE, comment=NO_COMMENT_OR_PLAIN))
def test_a_rating_outside_1_to_5_is_refused(exchange: Exchange) -> None:
    exchange.must_be_refused()


@clause(
    "rating.whole-number",
    exchange=calls(
        rating=NOT_WHOLE_RATINGS, comment=NO_COMMENT_OR_PLAIN, also=_beside_a_comment("text", *WORDS_FOR_NOTHING)
    ),
)
def test_a_rating_that_is_no_whole_number_is_not_accepted(exchange: Exchange) -> None:
    # The pages give a type and no code, so whatever refuses it is right.
    exchange.must_not_be_accepted()


@clause(
    "rating.digits-as-text",
    exchange=calls(
        rating=("digits", "digits-outside"),
        comment=NO_COMMENT_OR_PLAIN,
        about=["rating as text"],
        also=_beside_a_comment("digits-outside", "-0"),
    ),
)
def test_a_rating_as_a_text_of_digits_means_that_number(exchange: Exchange) -> None:
    exchange.must_be_permitted()
