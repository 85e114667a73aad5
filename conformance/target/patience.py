"""What is asked once more: a request in whose place something else than the portal answered, and a lost read-back."""

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
    NoResponse,
    NotRecorded,
    OuterTransport,
    content_type_of,
)

PAUSE_SECONDS: Final = 0.5


class PatientTransport(OuterTransport):
    """Asks once more, and notes it. A vote is never sent again after a broken connection.

    repeated: counts, by reason, what was asked once more.
    pause: seconds between the two.
    """

    def __init__(
        self, inner: httpx.BaseTransport, repeated: Counter[str], pause: float, clock: Clock = REAL_CLOCK
    ) -> None:
        super().__init__(inner)
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
        found = _stand_in(request, answer)
        if not found:
            return answer
        if not _is_read(request) and not request.extensions.get(REPEATABLE):
            raise NoResponse(found)
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
