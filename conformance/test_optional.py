"""Chapter "optional": RATING and COMMENT may each be left out, but not both."""

from itertools import permutations

from conformance.contract.classes import NOT_FILLED, STARS
from conformance.engine.evidence import Comparison, Exchange
from conformance.exchange.call import Delivery, Encoding
from conformance.suite import calls, clause, comparisons

ORDERS = tuple(
    Delivery(encoding, order=(first, second, third))
    for encoding in (Encoding.JSON, Encoding.FORM, Encoding.QUERY_GET)
    for first, second, third in permutations((0, 1, 2))
    if (first, second, third) != (0, 1, 2)
)


@clause("optional.rating-alone", exchange=calls(rating=STARS, comment=NOT_FILLED, about=["rating alone", "rating"]))
def test_a_rating_alone_is_accepted(exchange: Exchange) -> None:
    exchange.must_be_accepted()


@clause("optional.comment-alone", exchange=calls(comment=("plain",), about=["comment alone"]))
def test_a_comment_alone_is_accepted(exchange: Exchange) -> None:
    exchange.must_be_accepted()


@clause("optional.both", exchange=calls(rating=STARS, comment=("plain",), about=["both filled"]))
def test_rating_and_comment_together_are_accepted(exchange: Exchange) -> None:
    exchange.must_be_accepted()


@clause("optional.at-least-one", exchange=calls(rating=NOT_FILLED, comment=NOT_FILLED))
def test_neither_rating_nor_comment_is_refused(exchange: Exchange) -> None:
    exchange.must_not_be_accepted()


@clause(
    "optional.order",
    comparison=comparisons(
        session=("rateable", "forbidden", "unknown"),
        rating=(*STARS, "absent", "above"),
        comment=("plain", "absent"),
        deliveries=ORDERS,
        about="order",
    ),
)
def test_the_order_of_parameters_changes_nothing(comparison: Comparison) -> None:
    comparison.must_agree()
