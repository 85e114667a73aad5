"""The oracle against rows of the contract, and the classes against its limits."""

import re

import pytest

from conformance.contract.classes import COMMENTS, RATINGS, TEXTS, is_judged_text, session_classes
from conformance.contract.clauses import edition_names, load_edition
from conformance.contract.oracle import permitted
from conformance.exchange.call import Absent

pytestmark = pytest.mark.quick

ANY_OLD = "refused: ACCESS_DENIED, CHAT_ID, CHAT_TYPE or WRONG_PARAMETER"
ANY_NEW = "refused: ACCESS_DENIED, EMPTY_SESSION_ID or EMPTY_VOTE_PARAMS"


@pytest.mark.parametrize(
    ("session", "rating", "comment", "old", "new"),
    [
        ("rateable", "3", "absent", "accepted", "accepted"),
        ("rateable", "absent", "emoji", "accepted", "accepted"),
        ("rateable", "absent", "zero-text", "accepted", "accepted"),
        ("digits", "digits", "plain", "accepted", "accepted"),
        ("rateable", "5", "empty", "accepted", "accepted"),
        ("rateable", "empty", "plain", f"accepted, or {ANY_OLD}", f"accepted, or {ANY_NEW}"),
        ("rateable", "absent", "blank", f"accepted, or {ANY_OLD}", f"accepted, or {ANY_NEW}"),
        ("open", "5", "absent", f"accepted, or {ANY_OLD}", f"accepted, or {ANY_NEW}"),
        ("rateable", "above", "plain", ANY_OLD, ANY_NEW),
        ("rateable", "boolean", "plain", ANY_OLD, ANY_NEW),
        ("rateable", "digits-outside", "absent", ANY_OLD, ANY_NEW),
        ("absent", "5", "absent", ANY_OLD, "refused: EMPTY_SESSION_ID"),
        ("negative", "5", "absent", ANY_OLD, "refused: EMPTY_SESSION_ID"),
        ("text", "5", "absent", ANY_OLD, ANY_NEW),
        ("rateable", "absent", "absent", "refused: WRONG_PARAMETER", "refused: EMPTY_VOTE_PARAMS"),
        ("rateable", "absent", "empty", "refused: WRONG_PARAMETER", ANY_NEW),
        ("forbidden", "5", "absent", "refused: ACCESS_DENIED", "refused: ACCESS_DENIED"),
        ("unknown", "5", "absent", "refused: CHAT_ID", "refused: ACCESS_DENIED"),
        ("not_open_line", "5", "absent", "refused: CHAT_TYPE", f"accepted, or {ANY_NEW}"),
        ("forbidden", "absent", "absent", "refused: ACCESS_DENIED or WRONG_PARAMETER",
         "refused: ACCESS_DENIED or EMPTY_VOTE_PARAMS"),
        ("absent", "absent", "absent", ANY_OLD, "refused: EMPTY_SESSION_ID or EMPTY_VOTE_PARAMS"),
    ],
)  # fmt: skip
def test_the_permitted_outcomes(session: str, rating: str, comment: str, old: str, new: str) -> None:
    assert str(permitted(load_edition("2024-10"), session, rating, comment)) == old
    assert str(permitted(load_edition("2026-03"), session, rating, comment)) == new


@pytest.mark.parametrize("name", edition_names())
def test_a_refusal_always_names_the_clauses_that_the_call_breaks(name: str) -> None:
    edition = load_edition(name)
    sessions = session_classes({"rateable": 1, "forbidden": 2, "unknown": 3}, live=False)
    for session in sessions:
        for rating in RATINGS:
            for comment in COMMENTS:
                outcome = permitted(edition, session, rating, comment)
                assert outcome.demands_refusal == bool(outcome.rejecting_clauses)
                assert set(outcome.rejecting_clauses) <= edition.clauses.keys()


def test_every_judged_text_is_one_of_which_the_contract_speaks() -> None:
    for name in TEXTS:
        for text in COMMENTS[name].boundaries:
            assert is_judged_text(text), (name, text)


@pytest.mark.parametrize("text", ["", " \t", "\u200b", "\u0301", "a\x00b", "x" * 1001, "0", "\ufdd0a", "a\x85"])
def test_texts_in_doubt_are_not_judged(text: str) -> None:
    assert not is_judged_text(text)


def _read_leniently(value: object) -> set[int]:
    """Every session id that some lenient language reads in a value."""
    if isinstance(value, Absent) or value is None:
        return set()
    if isinstance(value, list):
        return {number for entry in value for number in _read_leniently(entry)}
    if isinstance(value, dict):
        return {number for entry in value.values() for number in _read_leniently(entry)}
    if isinstance(value, str):
        return {abs(int(digits)) for digits in re.findall(r"\d+", value.partition(".")[0])}
    return {abs(int(value))}  # type: ignore[call-overload]


def test_on_a_live_target_no_value_names_a_session_that_was_not_configured() -> None:
    sessions = {"rateable": 494, "forbidden": 7001, "unknown": 999999937}
    for entry in session_classes(sessions, live=True).values():
        assert entry.strategy is None, entry.name
        for value in entry.boundaries:
            assert _read_leniently(value) <= {0, *sessions.values()}, (entry.name, value)
            assert value is not True
