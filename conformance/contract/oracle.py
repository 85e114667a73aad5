"""The oracle: the outcomes that the documentation permits for a combination of equivalence classes.

The tables below name the clause that each faulty class breaks. The documentation fixes no order between the checks of a
portal, so a call with several faults may be refused with a code of any broken clause.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from conformance.contract.classes import (
    NOT_FILLED,
    NOT_WHOLE_RATINGS,
    NOT_WHOLE_SESSIONS,
    OUTSIDE,
    OVERFLOW,
    STARS,
    TEXTS,
    UNJUDGED_COMMENTS,
)
from conformance.contract.clauses import Edition

_SESSION_FAULTS: Final[Mapping[str, tuple[str, ...]]] = {
    **dict.fromkeys(NOT_FILLED, ("session-id.required",)),
    **dict.fromkeys(("zero", "negative"), ("session-id.positive",)),
    **dict.fromkeys(NOT_WHOLE_SESSIONS, ("session-id.whole-number",)),
    "forbidden": ("error.access-denied",),
    "not_open_line": ("error.chat-type",),
    **dict.fromkeys(("unknown", OVERFLOW), ("error.chat-id", "error.unknown-session")),
}
_RATING_FAULTS: Final[Mapping[str, str]] = {
    **dict.fromkeys(OUTSIDE, "rating.rejects-outside"),
    **dict.fromkeys(NOT_WHOLE_RATINGS, "rating.whole-number"),
    "digits-outside": "rating.digits-as-text",
}
_NEITHER: Final = ("error.wrong-parameter", "error.empty-vote-params")
_RATING_PROMISES: Final[Mapping[str, str]] = {
    **dict.fromkeys(STARS, "rating.accepts-1-to-5"),
    "digits": "rating.digits-as-text",
}
_FILLED_PROMISES: Final[Mapping[tuple[bool, bool], str]] = {
    (True, False): "optional.rating-alone",
    (False, True): "optional.comment-alone",
    (True, True): "optional.both",
}
_COMMENT_PROMISES: Final[Mapping[str, str]] = {
    **dict.fromkeys(TEXTS, "comment.any-text"),
    "lines": "comment.lines",
    "zero-text": "comment.zero-text",
}


@dataclass(frozen=True, slots=True)
class PermittedOutcomes:
    """The outcomes that the documentation permits for one call.

    may_be_accepted: True if the call may be accepted.
    codes: the codes with which the call may be refused; empty if the call must not be refused.
    rejecting_clauses: the clauses that the call breaks, for which it must be refused.
    accepting_clauses: if the call must be accepted, the clauses that promise this for its values.
    """

    may_be_accepted: bool
    codes: frozenset[str]
    rejecting_clauses: tuple[str, ...] = ()
    accepting_clauses: tuple[str, ...] = ()

    @property
    def demands_acceptance(self) -> bool:
        """Return True if the call must not be refused."""
        return self.may_be_accepted and not self.codes

    @property
    def demands_refusal(self) -> bool:
        """Return True if the call must not be accepted."""
        return not self.may_be_accepted

    def __str__(self) -> str:
        if not self.codes:
            return "accepted"
        refused = "refused: " + _join_with_or(sorted(self.codes))
        return f"accepted, or {refused}" if self.may_be_accepted else refused


def permitted(edition: Edition, session: str, rating: str, comment: str) -> PermittedOutcomes:
    """Return the outcomes that the edition permits for a call with values of these classes."""
    rejecting: list[str] = []
    open_codes: set[str] = set()
    if session in judged_sessions(edition):
        rejecting += _first_in_edition(edition, _SESSION_FAULTS.get(session, ()))
    if session == OVERFLOW or session not in judged_sessions(edition):
        # To a portal with numbers of 32 bits such an id is no number, and to any other one it is unknown.
        open_codes |= edition.method_codes
    if rating in _RATING_FAULTS:
        rejecting.append(_RATING_FAULTS[rating])
    if rating in NOT_FILLED and comment in NOT_FILLED:
        given = (rating, comment) != ("absent", "absent")
        rejecting += ["optional.at-least-one"] if given else _first_in_edition(edition, _NEITHER)
    elif rating in ("empty", "null") or not _is_judged_comment(edition, comment):
        # The pages are silent on an empty RATING beside a comment, and on such comments: both answers are permitted.
        open_codes |= edition.method_codes
    codes = open_codes.union(*(edition.clauses[clause].codes for clause in rejecting))
    accepting: list[str] = []
    if not rejecting and not codes:
        accepting += ["session-id.digits-as-text"] if session == "digits" else []
        # PHP takes "0" for an empty text. The comment "0" has a clause of its own, so that a portal that refuses this
        # comment is accused of one fault only.
        if comment != "zero-text":
            accepting.append(_FILLED_PROMISES[rating not in NOT_FILLED, comment not in NOT_FILLED])
        accepting += [clause for clause in (_RATING_PROMISES.get(rating), _COMMENT_PROMISES.get(comment)) if clause]
    return PermittedOutcomes(not rejecting, frozenset(codes), tuple(rejecting), tuple(accepting))


def judged_sessions(edition: Edition) -> frozenset[str]:
    """Return the classes of SESSION_ID that the edition judges.

    A call with a session of another class may be accepted or refused.
    """
    judged = {name for name, clauses in _SESSION_FAULTS.items() if _first_in_edition(edition, clauses)}
    return frozenset({"rateable", "digits", *judged})


def _is_judged_comment(edition: Edition, comment: str) -> bool:
    """Return True unless the documentation is silent on comments of this class."""
    promise = _COMMENT_PROMISES.get(comment)
    return comment not in UNJUDGED_COMMENTS and (not promise or edition.clauses[promise].level != "observed")


def _first_in_edition(edition: Edition, clauses: tuple[str, ...]) -> list[str]:
    """Return the first of these clauses that the edition has, as a list of at most one."""
    return [clause for clause in clauses if clause in edition.clauses][:1]


def _join_with_or(words: list[str]) -> str:
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " or " + words[-1]
