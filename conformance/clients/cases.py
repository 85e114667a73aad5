"""The cases of the gate: what is asked of a library, and what the portal answers."""

from collections.abc import Callable
from typing import Final

from hypothesis import strategies as st

from conformance.clients.exchange import ClientCase
from conformance.contract.classes import ALL_TEXTS, COMMENTS, OUTSIDE, RATINGS, STARS, EquivalenceClass
from conformance.contract.clauses import Edition
from conformance.exchange.call import ABSENT, NOTHING, Call, ClassifiedValue
from conformance.portals.reference import SESSIONS
from conformance.portals.scripts import (
    AS_DESERVED,
    BROKEN,
    DROPPED,
    LIMIT,
    METHOD_STATUS,
    OTHER_FORMS,
    REDIRECTS,
    SECOND_ATTEMPTS,
    TRUE,
    Script,
    documented_refusals,
    limits,
    refused,
    refused_after_limit,
)

SESSION: Final = ClassifiedValue("rateable", 494)
STARS_5: Final = ClassifiedValue("5", 5)
PRAISE: Final = ClassifiedValue("plain", "Good")
"""Without a blank: a library that cannot send blanks has one defect, not one in each round."""
NULL: Final = ClassifiedValue("null", None)
VOTE: Final = Call(SESSION, STARS_5, PRAISE)
_ALONE: Final = (Call(SESSION, STARS_5), Call(SESSION, comment=PRAISE))
_TELLING: Final = (
    Call(SESSION, STARS_5, ClassifiedValue("special", 'a&b=c 1+1 100%25 é "q"')),
    Call(SESSION, NULL, PRAISE),
    Call(SESSION, STARS_5, NULL),
    Call(SESSION, STARS_5),
)
"""Votes that a second attempt is likely to carry otherwise."""
_LOGGED_CODES: Final = ("INVALID_CREDENTIALS", "ERROR_METHOD_NOT_FOUND", "ACCESS_DENIED", "INTERNAL_SERVER_ERROR")
_FAULTS: Final = (429, *range(500, 600))
"""The statuses for which libraries wait and try again."""
_MANY_ERRORS: Final = 5
"""After so many errors in a row the usual circuit breakers open."""
_REPEATED: Final = ("INVALID_CREDENTIALS", "INTERNAL_SERVER_ERROR", LIMIT, "html-502", "dropped")
"""The codes and answers that such breakers count: refusals, faults of the server, limits, pages, lost connections."""
_AT_ONCE: Final = (("One", "Two"), ("Three", "Four"), ("Five", "Six"))
"""The comments of calls that are made at once. Several pairs: a race is not lost each time."""
EMPTY: Final = ClassifiedValue("empty", "")

# Texts that a library may take for something else: an escape, a file to upload, a template, a value of its language.
_TRAPS: Final = (
    "a&RATING=1",
    "a&SESSION_ID=1&COMMENT=b",
    "=",
    "&",
    "a;b",
    "a=b&c",
    "100%",
    "%26",
    "%2526",
    "%00",
    "1+1 = 2",
    "a#b",
    "a?b",
    "a/b\\c",
    '"',
    "'",
    "\\n",
    "@/etc/hostname",
    "[]",
    "{}",
    "$result[0]",
    "${HOME}",
    "{0}",
    "%s",
    "<b>&amp;</b>",
    "007",
    "1e5",
    "0",
    "false",
    "$$",
    "100%%",
    "''",
    '""',
    "&nbsp;&copy;",
    "a\u2009b\u3000c",
    "12345678901234567890",
    "4.50",
    "wait ... :) :smile:",
    "first\n\n\n    second",
)

# Longer than a portal must accept: a library may refuse them, but not cut them.
_LONG: Final = ("long " * 300 + "end", "x" * 9_990 + "the end", "ж" * 9_990 + "the end")
_SESSIONS: Final = (1, 65_537, 2**24 + 1, 2**31 - 1, 2**32 + 5)
_LARGEST_EVERYWHERE: Final = 2**53 - 1
"""Above it a language whose numbers are floating point keeps another number, before its library sees it."""


def with_answers(*scripts: Script) -> Callable[[Edition], tuple[ClientCase, ...]]:
    """Return a function that gives a vote with each of these answers."""
    return lambda _edition: tuple(ClientCase(VOTE, script) for script in scripts)


def successes(_edition: Edition) -> tuple[ClientCase, ...]:
    """Votes that succeed: both parameters, and each alone."""
    return tuple(ClientCase(call, TRUE) for call in (VOTE, *_ALONE))


def values(_edition: Edition) -> tuple[ClientCase, ...]:
    """Every boundary value of a rating and of a comment, beside a plain one of the other."""
    ratings = [ClassifiedValue(name, value) for name in (*STARS, *OUTSIDE) for value in RATINGS[name].boundaries]
    ratings = [pick for pick in ratings if abs(pick.value) <= _LARGEST_EVERYWHERE]
    comments = [ClassifiedValue(name, value) for name in ALL_TEXTS for value in COMMENTS[name].boundaries]
    comments += [ClassifiedValue(_class_of_trap(text), text) for text in _TRAPS]
    comments += [ClassifiedValue("oversize", text) for text in _LONG]
    sessions = [ClassifiedValue("rateable", number) for number in _SESSIONS]
    calls = [Call(SESSION, rating, PRAISE) for rating in ratings]
    calls += [Call(SESSION, STARS_5, text) for text in comments]
    calls += [Call(session, STARS_5, PRAISE) for session in sessions]
    return tuple(ClientCase(call, TRUE) for call in calls)


def _class_of_trap(text: str) -> str:
    if text == "0":
        return "zero-text"
    return "lines" if "\n" in text else "special"


def drawn_values(_edition: Edition) -> st.SearchStrategy[ClientCase]:
    """Texts of any kind, of the classes that a portal must accept, beside any rating that it must accept."""
    texts = st.one_of(*(_drawn(COMMENTS[name]) for name in ALL_TEXTS))
    ratings = st.one_of(*(_drawn(RATINGS[name]) for name in STARS))
    return st.builds(lambda rating, text: ClientCase(Call(SESSION, rating, text), TRUE), ratings, texts)


def _drawn(of: EquivalenceClass) -> st.SearchStrategy[ClassifiedValue]:
    values = st.sampled_from(of.boundaries) if of.strategy is None else of.strategy
    return values.map(lambda value: ClassifiedValue(of.name, value))


def omissions(edition: Edition) -> tuple[ClientCase, ...]:
    """Votes in which one parameter, or both, are left out, or passed as null or as the empty text."""
    ratings, comments = (NOTHING, NULL, EMPTY, STARS_5), (NOTHING, NULL, EMPTY, PRAISE)
    calls = [Call(SESSION, rating, comment) for rating in ratings for comment in comments]
    calls.append(Call(NULL, STARS_5, PRAISE))
    cases = [ClientCase(call, TRUE) for call in calls if any(value in _values(call) for value in (ABSENT, None, ""))]
    # What an earlier call passed must not stand in a later one, whatever that call was answered.
    earlier = (TRUE, refused("ACCESS_DENIED", METHOD_STATUS, edition), DROPPED)
    return (*cases, *(ClientCase(call, TRUE, (ClientCase(VOTE, script),)) for script in earlier for call in _ALONE))


def _values(call: Call) -> tuple[object, ...]:
    return call.session.value, call.rating.value, call.comment.value


def refusals(edition: Edition) -> tuple[ClientCase, ...]:
    """Each method code and each system code at its documented status; one also with texts that may confuse."""
    codes = documented_refusals(edition)
    told = [str(value) for name in ALL_TEXTS for value in COMMENTS[name].core_values]
    scripts = [*(refused(code, status, edition) for code, status in codes), refused_after_limit(edition)]
    return tuple(
        ClientCase(VOTE, script) for script in (*scripts, *(refused(*codes[0], edition, text) for text in told))
    )


def refusals_in_200(edition: Edition) -> tuple[ClientCase, ...]:
    """Each code in an error object with HTTP 200."""
    codes = dict.fromkeys(code for code, _ in documented_refusals(edition))
    return tuple(ClientCase(VOTE, refused(code, 200, edition)) for code in codes)


def drawn_descriptions(edition: Edition) -> st.SearchStrategy[ClientCase]:
    """A refusal whose description is a text of any kind, at a status for which no library waits and tries again."""
    codes = [(code, status) for code, status in documented_refusals(edition) if status not in _FAULTS]
    text = st.one_of(*(_drawn(COMMENTS[name]) for name in ALL_TEXTS)).map(lambda pick: str(pick.value))
    return st.builds(
        lambda code, told: ClientCase(VOTE, refused(code[0], code[1], edition, told)), st.sampled_from(codes), text
    )


def calls_after_others(edition: Edition) -> tuple[ClientCase, ...]:
    """Return calls that others could disturb: after equal ones, errors and five errors, tried again, two at once."""
    codes = [
        (code, status) for code, status in documented_refusals(edition) if code in _REPEATED or status not in _FAULTS
    ]
    errors = [*(refused(code, status, edition) for code, status in codes), *BROKEN]
    before = [(TRUE,), *((one,) * (_MANY_ERRORS if {one.name, one.code} & {*_REPEATED} else 1) for one in errors)]
    turns = [ClientCase(VOTE, TRUE, tuple(ClientCase(VOTE, script) for script in scripts)) for scripts in before]
    # The line that repeats it names a webhook by its answer, so the two answers differ.
    moved = ClientCase(VOTE, TRUE, (ClientCase(VOTE, OTHER_FORMS[0]),), other_webhook=True)
    scripts = (*limits(edition), *SECOND_ATTEMPTS)
    attempts = [ClientCase(call, script) for script in scripts for call in (VOTE, *_TELLING)]
    return (*turns, moved, *attempts, *at_once())


def redirected(_edition: Edition) -> tuple[ClientCase, ...]:
    """Return votes with each redirect."""
    return tuple(ClientCase(call, script) for script in REDIRECTS for call in (VOTE, *_TELLING))


def at_once() -> tuple[ClientCase, ...]:
    """Return two calls that are made at once, each from the view of both: one is refused, equal, or alike."""
    denied, star = ClassifiedValue("forbidden", SESSIONS["forbidden"]), ClassifiedValue("1", 1)
    pairs = [
        (Call(SESSION, STARS_5, ClassifiedValue("plain", own)), Call(denied, star, ClassifiedValue("plain", other)))
        for own, other in _AT_ONCE
    ]
    same = Call(SESSION, STARS_5, ClassifiedValue("plain", "Seven"))
    pairs += [(same, same), (same, Call(SESSION, star, ClassifiedValue("plain", "Eight")))]
    views = dict.fromkeys(view for one, other in pairs for view in ((one, other), (other, one)))
    return tuple(ClientCase(call, AS_DESERVED, beside=beside) for call, beside in views)


def limited(edition: Edition) -> tuple[ClientCase, ...]:
    """Return a vote with each answer of the rate limit."""
    return tuple(ClientCase(VOTE, script) for script in limits(edition))


def leaky(edition: Edition) -> tuple[ClientCase, ...]:
    """Return votes with answers after which libraries like to print the URL."""
    statuses = edition.system_codes
    errors = [refused(code, statuses[code], edition) for code in _LOGGED_CODES if code in statuses]
    scripts = (TRUE, *errors, *BROKEN, limits(edition)[0])
    return tuple(ClientCase(VOTE, script) for script in scripts)
