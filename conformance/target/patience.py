"""What is asked once more: a request in whose place something else than the portal answered, and a lost read-back.

A front is a proxy or firewall. It may have passed a vote on before it answered in the portal's place: sent again, it is
a second vote. So the votes that are sent again have a bound, and the number of votes that a user agrees to holds in bad
weather too.
"""

import math
from collections import Counter
from typing import Final

import httpx

from conformance.exchange.call import PLAIN_JSON, READ_METHOD, Delivery
from conformance.exchange.response import read_response
from conformance.exchange.stand_in import STAND_IN_STATUSES, stand_in
from conformance.target.clock import REAL_CLOCK, Clock
from conformance.target.transports import (
    REPEATABLE,
    UNRECORDED,
    VOTES,
    NoResponse,
    NotRecorded,
    OuterTransport,
    content_type_of,
)

PAUSE_SECONDS: Final = 0.5
SPARE_VOTES: Final = 1
"""How many votes a live run may send again. Each vote that the portal has refused is one more."""
_REFUSALS: Final = range(400, 500)


class PatientTransport(OuterTransport):
    """Asks once more, and notes it. A vote is never sent again after a broken connection.

    repeated: counts, by reason, what was asked once more.
    pause: seconds between the two.
    spare: how many votes may be sent again, see SPARE_VOTES.
    """

    def __init__(
        self,
        inner: httpx.BaseTransport,
        repeated: Counter[str],
        pause: float,
        clock: Clock = REAL_CLOCK,
        spare: float = math.inf,
    ) -> None:
        super().__init__(inner)
        self._spare = spare
        self._sleep = clock.sleep
        self._pause = pause
        self._repeated = repeated

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Return the answer, the second one where there were two. Raise NoResponse."""
        if request.extensions.get(UNRECORDED):
            return self.inner.handle_request(request)
        try:
            answer = self.inner.handle_request(request)
        except NotRecorded:
            raise
        except NoResponse as failure:
            if not _is_read(request):
                raise
            return self._again(request, str(failure))
        votes = request.extensions.get(VOTES, 0)
        found = _stand_in(request, answer)
        if not found:
            # A refused vote has cost less than the user agreed to.
            if votes == 1 and answer.status_code in _REFUSALS:
                self._spare += 1
            return answer
        if votes > self._spare or not (_is_read(request) or request.extensions.get(REPEATABLE)):
            raise NoResponse(found)
        self._spare -= votes
        return self._again(request, found)

    def _again(self, request: httpx.Request, reason: str) -> httpx.Response:
        self._repeated[reason] += 1
        self._sleep(self._pause)
        return self.inner.handle_request(request)


def _is_read(request: httpx.Request) -> bool:
    return READ_METHOD in request.url.path


def _stand_in(request: httpx.Request, answer: httpx.Response) -> str:
    if answer.status_code not in STAND_IN_STATUSES:
        return ""
    delivery = Delivery(suffix=".xml") if request.url.path.lower().endswith(".xml") else PLAIN_JSON
    return stand_in(read_response(answer.status_code, content_type_of(answer), answer.content, delivery))
