"""Labelled calls for which the documentation demands nothing. Every run records what they do, and judges nothing."""

from collections.abc import Mapping

from conformance.contract.classes import COMMENTS, RATINGS, STATES, EquivalenceClass
from conformance.engine.cases import value_of
from conformance.exchange.call import ABSENT, NOTHING, Call, Caller, ClassifiedValue, Delivery, Encoding

Sessions = Mapping[str, EquivalenceClass]


def comments_alone(sessions: Sessions, *names: str) -> dict[str, Call]:
    """Return each boundary value of these classes of COMMENT as the only optional parameter."""
    return {
        f"COMMENT {name} {number}": Call(value_of(sessions, "rateable"), NOTHING, ClassifiedValue(name, value))
        for name in names
        for number, value in enumerate(COMMENTS[name].boundaries, 1)
    }


def several_wrong(sessions: Sessions) -> dict[str, Call]:
    """Return calls with two faults: which code wins?"""
    absent, above, rateable = (
        ClassifiedValue("absent", ABSENT),
        value_of(RATINGS, "above"),
        value_of(sessions, "rateable"),
    )
    cases = {
        "no SESSION_ID, neither optional": Call(absent),
        "no SESSION_ID, RATING 6": Call(absent, above),
        "SESSION_ID 0, neither optional": Call(value_of(sessions, "zero")),
        "SESSION_ID text, RATING 6": Call(value_of(sessions, "text"), above),
        "RATING 6, no COMMENT": Call(rateable, above),
        "RATING 6, COMMENT filled": Call(rateable, above, value_of(COMMENTS, "plain")),
    }
    for state in STATES:
        if state in sessions:
            session = value_of(sessions, state)
            cases[f"{state} session, neither optional"] = Call(session)
            cases[f"{state} session, RATING 6"] = Call(session, above)
    return cases


def extra_parameters(sessions: Sessions) -> dict[str, Call]:
    """Return calls with a name that the pages do not know."""
    rateable, extra = value_of(sessions, "rateable"), (("UNKNOWN_PARAMETER", "x"),)
    return {
        "one unknown parameter": Call(rateable, value_of(RATINGS, "5"), value_of(COMMENTS, "plain"), extra=extra),
        "only an unknown parameter": Call(rateable, extra=extra),
    }


def lower_case(sessions: Sessions) -> dict[str, Call]:
    """Return a call with session_id instead of SESSION_ID."""
    call = Call(value_of(sessions, "rateable"), value_of(RATINGS, "5"), session_name="session_id")
    return {"session_id in lower case": call}


def in_query_of_post(sessions: Sessions) -> dict[str, Call]:
    """Return a call in the query of a POST. No portal can take it for a vote; its code shows if it was read."""
    return {"neither optional, in the query of a POST": _neither(sessions, Delivery(Encoding.QUERY_POST))}


def by_bearer(sessions: Sessions) -> dict[str, Call]:
    """Return a call with an access token in a Bearer header. Its code shows if the token was read."""
    return {"neither optional, by Bearer token": _neither(sessions, Delivery(caller=Caller.TOKEN_BEARER))}


def _neither(sessions: Sessions, delivery: Delivery) -> Call:
    return Call(value_of(sessions, "rateable"), delivery=delivery)


def open_dialog(sessions: Sessions) -> dict[str, Call]:
    """Return a vote on a session whose dialog is not finished, where one is configured."""
    if "open" not in sessions:
        return {}
    return {"RATING 5 on a dialog that is not finished": Call(value_of(sessions, "open"), value_of(RATINGS, "5"))}


def one_field(sessions: Sessions) -> dict[str, Call]:
    """Return a rating alone and a comment alone: what becomes of the other field?"""
    rateable = value_of(sessions, "rateable")
    return {
        "RATING alone": Call(rateable, value_of(RATINGS, "4")),
        "COMMENT alone": Call(rateable, NOTHING, value_of(COMMENTS, "emoji")),
    }
