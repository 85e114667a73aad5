"""A portal that behaves as the real one by its public source (snapshots of 2023-10 to 2026-05): read, not measured.

The portal follows the newest edition, besides the deviations in `conformance/deviations/bitrix24-portal.toml`. If the
documentation is silent, the portal follows its public source.
"""

import math
import re
from dataclasses import replace
from typing import Any, Final

from conformance.contract.clauses import default_edition, load_edition
from conformance.exchange.call import Json
from conformance.portals.php_forms import PortalRequest
from conformance.portals.reference import Context, PortalResponse, ReferencePortal, Refusal, Reply, Result, Vote

LABEL: Final = "read in source, not measured"
_LARGEST: Final = 2**63 - 1
_LONGEST_COMMENT: Final = 10_000
_BLANKS: Final = " \t\n\r\0\x0b"
"""The characters that PHP's trim removes."""
_ERROR_PAGE: Final = PortalResponse(500, "text/html; charset=utf-8", b"<html><body>Internal Server Error</body></html>")


class _Crash(Exception):
    """PHP stops with an error that no code catches."""


def bitrix24_portal() -> ReferencePortal:
    """Return the reference portal of the newest edition with the method of the real portal."""
    portal = ReferencePortal(load_edition(default_edition()))
    honest = portal.answer

    def answer(request: PortalRequest) -> PortalResponse:
        try:
            answered = honest(request)
        except _Crash:
            return _ERROR_PAGE
        # The source says 401 where the table of system errors says 403.
        is_scope = answered.status == 403 and b'"insufficient_scope"' in answered.body
        return replace(answered, status=401) if is_scope else answered

    def vote(parameters: dict[str, Json], context: Context) -> Reply:
        return _vote(portal, parameters, context)

    portal.answer = answer
    portal.vote = vote
    return portal


def _vote(portal: ReferencePortal, parameters: dict[str, Json], context: Context) -> Reply:
    session, rating = parameters.get("SESSION_ID"), parameters.get("RATING")
    if isinstance(session, dict) and "ID" in session:
        session = session["ID"]
    if _is_empty(session):
        return portal.refusal("EMPTY_SESSION_ID")
    if isinstance(session, list | dict):
        return Refusal("ERROR_ARGUMENT", 400)
    comment = parameters.get("COMMENT")
    # PHP's trim fails on a list or an object. The source trims the comment only if the rating is empty.
    if isinstance(rating, list | dict):
        raise _Crash
    unrated = _is_empty(_text_of(rating))
    if unrated and isinstance(comment, list | dict):
        raise _Crash
    text = _text_of(comment)
    if unrated and _is_empty(text):
        return portal.refusal("EMPTY_VOTE_PARAMS")
    denial = portal.denial(_whole(session), context.user)
    if denial is not None:
        return denial
    _save(portal, _whole(session), rating, "" if _is_empty(text) else text)
    return Result(True)


def _save(portal: ReferencePortal, session: int, rating: Json, comment: str) -> None:
    if rating is False or rating == "":
        # The source checks for null only, so an empty rating is saved in place of the comment and changes nothing.
        return
    kept = portal.votes.setdefault(session, Vote())
    if len(comment) > _LONGEST_COMMENT:
        comment = comment[:_LONGEST_COMMENT] + "..."
    kept.comment = comment
    if rating is not None:
        stars = _whole(rating)
        kept.rating = stars if stars <= 5 else 0


def _is_empty(value: Json) -> bool:
    """Return True if PHP's empty() is true for the value."""
    return value in (None, False, 0, "", "0", [], {})


def _text_of(value: Json) -> str:
    if value is None or isinstance(value, list | dict):
        return ""
    if isinstance(value, bool):
        return "1" if value else ""
    return str(value).strip(_BLANKS)


def _whole(value: Any) -> int:
    """Return a value as PHP casts it to a whole number of 64 bits.

    A text gives its leading digits, or 0 without leading digits. A fraction is cut.
    """
    if isinstance(value, str):
        digits = re.match(r"\s*([+-]?[0-9]{1,18})", value)
        return int(digits[1]) if digits else 0
    if isinstance(value, float) and not math.isfinite(value):
        return 0
    return max(-_LARGEST - 1, min(_LARGEST, int(value)))
