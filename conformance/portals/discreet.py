"""What a run keeps to itself: five fields of a read-back pass; the vote that was found is put back and not shown."""

import json
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final

from conformance.exchange.answer import WELL_FORMED_CODE, parse_json
from conformance.exchange.call import NOTHING, READ_METHOD, Call, Caller, Json, Pick, Read
from conformance.exchange.encode import HttpRequest, encode, encode_read
from conformance.exchange.stored import KEPT_FIELDS, comment_reads_back, rating_reads_back
from conformance.portals.wire import NoAnswer, RawAnswer, Spelling, Wire

FOUND_COMMENT: Final = "(the comment found before the run)"
_LONGEST_CODE: Final = 64


@dataclass(frozen=True, slots=True)
class Vote:
    """A stored vote. rating 0 and the empty comment where there is none."""

    rating: int = field(repr=False)
    comment: str = field(repr=False)


class DiscreetWire:
    """A wire that knows the vote of the rateable session before the run.

    own_comments: the comments that the run itself may send; a found one that is among them is no secret.
    """

    def __init__(self, wire: Wire, session: int, own_comments: frozenset[str]) -> None:
        self.found: Vote | None = None
        self._wire = wire
        self._session = session
        self._own_comments = own_comments

    def send(self, spell: Spelling, caller: Caller) -> RawAnswer:
        raw = self._wire.send(spell, caller)
        if spell("").path != READ_METHOD:
            return raw
        kept = _kept(parse_json(raw.body))
        result = kept.get("result")
        if result is not None and str(result["sessionId"]) == str(self._session):
            vote = _vote_of(result)
            self.found = self.found or vote
            if vote.comment and vote.comment == self.found.comment and vote.comment not in self._own_comments:
                result["sessionCommentHead"] = FOUND_COMMENT
        return RawAnswer(raw.status, raw.content_type, json.dumps(kept).encode())

    def put_back(self) -> str:
        """Puts the found vote back in one call and reads it. Says what could not be; the empty text: all is well."""
        found = self.found
        if found is None:
            return ""
        try:
            if self._is_there(found):
                return ""
            if found == Vote(0, ""):
                return f"session {self._session} had no vote before the run: the last test vote stays there"
            for call in _calls_for(self._session, found):
                self._wire.send(partial(_spelt, call), Caller.MAIN)
                if self._is_there(found):
                    return ""
        except NoAnswer as failure:
            return f"session {self._session}: its vote of before the run could not be put back ({failure})"
        return f"session {self._session}: its vote of before the run could not be put back: it reads back otherwise"

    def close(self) -> None:
        self._wire.close()

    def _is_there(self, found: Vote) -> bool:
        raw = self._wire.send(lambda _: encode_read(Read(self._session)), Caller.MAIN)
        result = _kept(parse_json(raw.body)).get("result")
        if result is None:
            return False
        now = _vote_of(result)
        return rating_reads_back(found.rating, now.rating) and comment_reads_back(found.comment, now.comment)


def _spelt(call: Call, _token: str) -> HttpRequest:
    return encode(call)


def _calls_for(session: int, vote: Vote) -> tuple[Call, ...]:
    """The calls of which one may store a vote: an empty field some portals want to be told, others refuse to be."""
    rating, comment = Pick("found", vote.rating), Pick("found", vote.comment)
    whole = Call(Pick("rateable", session), rating, comment)
    if vote.rating and vote.comment:
        return (whole,)
    without = replace(whole, rating=NOTHING) if vote.comment else replace(whole, comment=NOTHING)
    return without, whole


def _kept(document: Json) -> dict[str, Any]:
    """The allowed fields of an answer to a read-back: messages, people and links are dropped here."""
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
