"""What a read-back says of a vote. Five fields of its answer are kept; messages, people and links are dropped."""

from dataclasses import dataclass
from typing import Final

from conformance.exchange.call import Json
from conformance.exchange.response import LIMIT_CODES

KEPT_FIELDS: Final = ("sessionId", "sessionVoteHead", "sessionCommentHead", "canVoteHead", "chatId")


@dataclass(frozen=True, slots=True)
class StoredVote:
    """The kept fields. rating: as answered; comment: a text, empty where there is none."""

    session: Json
    rating: Json
    comment: Json
    may_rate: Json

    def same_vote(self, other: "StoredVote") -> bool:
        return (self.rating or 0, self.comment or "") == (other.rating or 0, other.comment or "")

    def __str__(self) -> str:
        return f"rating {self.rating!r}, comment {self.comment!r}"


@dataclass(frozen=True, slots=True)
class NotRead:
    """There was no read-back. code: with which it was refused, empty where it is not offered."""

    code: str = ""


NOT_READ: Final = NotRead()
# White space, and what some languages count as such when they trim.
_OUTER: Final = "".join(filter(str.isspace, map(chr, range(0x3001)))) + "\ufeff\u200b\u180e"
PARAMETER_MISSED: Final = "MISSING_REQUIRED_PARAM"
_REFUSALS: Final = (PARAMETER_MISSED, "INVALID_SESSION_ID", "ACCESS_DENIED")


def read_vote(document: Json) -> StoredVote | NotRead:
    """The stored vote in the answer to a read-back."""
    if not isinstance(document, dict):
        return NOT_READ
    if document.get("error") in [*_REFUSALS, *LIMIT_CODES]:
        return NotRead(document["error"])
    result = document.get("result")
    if not isinstance(result, dict) or "sessionId" not in result:
        return NOT_READ
    kept = {name: result.get(name) for name in KEPT_FIELDS}
    return StoredVote(kept["sessionId"], kept["sessionVoteHead"], kept["sessionCommentHead"], kept["canVoteHead"])


def rating_reads_back(sent: int, stored: Json) -> bool:
    """Whether a rating reads back as the number that was sent."""
    return isinstance(stored, int | float) and not isinstance(stored, bool) and stored == sent


def comment_reads_back(sent: str, stored: Json) -> bool:
    """Whether a comment reads back as sent, outer white space trimmed and CRLF counted as LF."""
    return isinstance(stored, str) and _canonical(stored) == _canonical(sent)


def _canonical(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").strip(_OUTER)
