"""The stored vote in the answer to a read-back.

Such an answer holds personal data: messages, people, links. Only KEPT_FIELDS are kept.
"""

from dataclasses import dataclass
from typing import Final

from conformance.exchange.call import Json
from conformance.exchange.response import LIMIT_CODES
from conformance.exchange.violation import printable

KEPT_FIELDS: Final = ("sessionId", "sessionVoteHead", "sessionCommentHead", "canVoteHead")
_LONGEST_SHOWN: Final = 1_200
"""The longest comment of the suite, and its escapes."""


@dataclass(frozen=True, slots=True)
class StoredVote:
    """The vote of a session as a portal reports it. Each field holds the JSON value of the answer, unchecked.

    session: the field sessionId.
    rating: the field sessionVoteHead; portals write 0 or null if no rating is stored.
    comment: the field sessionCommentHead; portals write an empty text or null if no comment is stored.
    may_rate: the field canVoteHead.
    """

    session: Json
    rating: Json
    comment: Json
    may_rate: Json

    def same_vote(self, other: "StoredVote") -> bool:
        """Return True if rating and comment are equal; all spellings of a missing value count as equal."""
        return (self.rating or 0, self.comment or "") == (other.rating or 0, other.comment or "")

    def __str__(self) -> str:
        return f"rating {_shown(self.rating)}, comment {_shown(self.comment)}"


@dataclass(frozen=True, slots=True)
class NotRead:
    """There is no stored vote to compare with.

    code: the error code with which the portal refused; empty if the answer is neither a vote nor a known refusal.
    reason: why a read-back that was sent shows no vote; empty if none was sent.
    """

    code: str = ""
    reason: str = ""


NOT_READ: Final = NotRead()
# All white space of Unicode, and three characters that some languages trim as well: U+FEFF, U+200B, U+180E.
_TRIMMED: Final = "".join(filter(str.isspace, map(chr, range(0x3001)))) + "\ufeff\u200b\u180e"
PARAMETER_MISSED: Final = "MISSING_REQUIRED_PARAM"
_REFUSALS: Final = (PARAMETER_MISSED, "INVALID_SESSION_ID", "ACCESS_DENIED")


def read_vote(document: Json) -> StoredVote | NotRead:
    """Return the stored vote in the answer to a read-back."""
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
    """Return True if a rating reads back as the number that was sent."""
    return isinstance(stored, int | float) and not isinstance(stored, bool) and stored == sent


def comment_reads_back(sent: str, stored: Json) -> bool:
    """Return True if a comment reads back as sent. Outer white space and the kind of line ends do not count."""
    return isinstance(stored, str) and _normalize(stored) == _normalize(sent)


def _shown(value: Json) -> str:
    return printable(repr(value), _LONGEST_SHOWN)


def _normalize(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").strip(_TRIMMED)
