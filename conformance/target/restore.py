"""What a run keeps to itself: five fields of a read-back pass; the vote that was found is put back and not shown."""

import json
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, Final

import httpx

from conformance.exchange.call import NOTHING, READ_METHOD, Call, Caller, ClassifiedValue, Json, ReadBack
from conformance.exchange.encode import encode, encode_read
from conformance.exchange.read_back import KEPT_FIELDS, comment_reads_back, rating_reads_back
from conformance.exchange.response import NO_JSON, WELL_FORMED_CODE, parse_json
from conformance.target.redact import pattern_of
from conformance.target.transports import (
    NoResponse,
    OuterTransport,
    answer_of,
    content_type_of,
    placeholder_request,
)

FOUND_COMMENT: Final = "(the comment found before the run)"
_LONGEST_CODE: Final = 64
_SHORTEST_QUOTED: Final = 8
"""A shorter comment is a word that an answer may hold without quoting anybody."""


@dataclass(frozen=True, slots=True)
class Vote:
    """A stored vote. rating 0 and the empty comment where there is none."""

    rating: int = field(repr=False)
    comment: str = field(repr=False)


class RestoringTransport(OuterTransport):
    """Knows the votes of before the run, shows none of their comments, and puts the votes back.

    sessions: those that may get a vote.
    own_comments: the comments that the run itself may send. A found one that is among them is no secret.
    """

    def __init__(self, inner: httpx.BaseTransport, sessions: Iterable[int], own_comments: frozenset[str]) -> None:
        super().__init__(inner)
        self.found: dict[int, Vote] = {}
        self._sessions = {str(session): session for session in sessions}
        self._own_comments = own_comments
        self._hidden: set[str] = set()
        self._quoted = pattern_of(())

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = self.inner.handle_request(request)
        if not request.url.path.endswith(f"/{READ_METHOD}"):
            return answer_of(answer.status_code, content_type_of(answer), self._without_found(answer.content))
        kept = _kept(parse_json(answer.content))
        self._note(kept)
        result = kept.get("result")
        if result is not None and result["sessionCommentHead"] in self._hidden:
            result["sessionCommentHead"] = FOUND_COMMENT
        return answer_of(answer.status_code, content_type_of(answer), json.dumps(kept).encode())

    def look(self) -> None:
        """Read the votes of the sessions that were not read yet. One that cannot be read stays unknown."""
        for session in self._sessions.values():
            if session not in self.found:
                with suppress(NoResponse):
                    self._note(self._read(session))

    def put_back(self) -> list[str]:
        """Put the found votes back, and read them to be sure. Return a line for each that could not be."""
        return [failed for session, vote in self.found.items() if (failed := self._put_back(session, vote))]

    def _put_back(self, session: int, found: Vote) -> str:
        try:
            if self._is_there(session, found):
                return ""
            if found == Vote(0, ""):
                return f"session {session} had no vote before the run: the last test vote stays there"
            for call in _calls_for(session, found):
                self.inner.handle_request(placeholder_request(encode(call), Caller.MAIN))
                if self._is_there(session, found):
                    return ""
        except NoResponse as failure:
            return f"session {session}: its vote of before the run could not be put back ({failure})"
        return f"session {session}: its vote of before the run could not be put back: it reads back otherwise"

    def _note(self, kept: dict[str, Any]) -> None:
        """Keep the vote of a session that is read for the first time."""
        result = kept.get("result")
        session = None if result is None else self._sessions.get(str(result["sessionId"]))
        if session is None or session in self.found:
            return
        self.found[session] = _vote_of(kept["result"])
        self._hidden = {vote.comment for vote in self.found.values()} - self._own_comments - {""}
        self._quoted = pattern_of(comment for comment in self._hidden if len(comment) >= _SHORTEST_QUOTED)

    def _without_found(self, body: bytes) -> bytes:
        """Hide found comments in the answer to a vote: a portal may quote them. Codes and keys stay as they are."""
        found = self._quoted
        if not self._hidden:
            return body
        document = parse_json(body)
        if document is NO_JSON:
            return found.sub(FOUND_COMMENT, body.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")
        hidden = _with_texts(document, lambda text: found.sub(FOUND_COMMENT, text))
        return body if hidden == document else json.dumps(hidden).encode()

    def _read(self, session: int) -> dict[str, Any]:
        request = placeholder_request(encode_read(ReadBack(session)), Caller.MAIN)
        return _kept(parse_json(self.inner.handle_request(request).content))

    def _is_there(self, session: int, found: Vote) -> bool:
        result = self._read(session).get("result")
        if result is None:
            return False
        now = _vote_of(result)
        return rating_reads_back(found.rating, now.rating) and comment_reads_back(found.comment, now.comment)


def _with_texts(value: Json, change: Callable[[str], str]) -> Json:
    if isinstance(value, dict):
        return {key: entry if key == "error" else _with_texts(entry, change) for key, entry in value.items()}
    if isinstance(value, list):
        return [_with_texts(entry, change) for entry in value]
    return change(value) if isinstance(value, str) else value


def _calls_for(session: int, vote: Vote) -> tuple[Call, ...]:
    """Return the calls to try in order. Some portals need an empty field to be sent, others refuse it."""
    rating, comment = ClassifiedValue("found", vote.rating), ClassifiedValue("found", vote.comment)
    whole = Call(ClassifiedValue("rateable", session), rating, comment)
    if vote.rating and vote.comment:
        return (whole,)
    without = replace(whole, rating=NOTHING) if vote.comment else replace(whole, comment=NOTHING)
    return without, whole


def _kept(document: Json) -> dict[str, Any]:
    """Return the allowed fields of an answer to a read-back: messages, people and links are dropped here."""
    if not isinstance(document, dict):
        return {}
    code, result = document.get("error"), document.get("result")
    if isinstance(code, str) and len(code) <= _LONGEST_CODE and WELL_FORMED_CODE.fullmatch(code):
        return {"error": code}
    if not isinstance(result, dict) or "sessionId" not in result:
        return {}
    return {"result": {name: result.get(name) for name in KEPT_FIELDS}}


def _vote_of(result: dict[str, Any]) -> Vote:
    rating, comment = result["sessionVoteHead"], result["sessionCommentHead"]
    return Vote(rating if isinstance(rating, int) else 0, comment if isinstance(comment, str) else "")
