"""The rate of a live run: no more requests than the portal's bucket holds; a limit that is reached is waited out."""

import re
import time
from collections.abc import Callable
from typing import Final

import httpx
import pyrate_limiter
import tenacity

from conformance.exchange.response import LIMIT_CODES, parse_json
from conformance.target.clock import REAL_CLOCK, Clock
from conformance.target.target import Limit
from conformance.target.transports import OuterTransport, seconds_to_wait

OPERATION_TIME_LIMIT: Final = "OPERATION_TIME_LIMIT"
_SLACK_MS: Final = 500
"""What requests may catch up with each other on their way."""
_XML_CODE: Final = re.compile(rb"<error>([A-Z_]+)</error>")
_LONGEST_WAIT_SECONDS: Final = 10.0
_PATIENCE_SECONDS: Final = 120.0
_OPERATING_PATIENCE_SECONDS: Final = 660.0
"""The operating time is counted in ten buckets of a minute."""
ALL_WAITING_SECONDS: Final = 900.0
"""How long a run waits in all where a portal asks for it. After that an answer of a limit is taken as it is."""


class RateLimitTransport(OuterTransport):
    """Keeps requests within a limit, and sends a request again where the portal answers that a limit is reached.

    say: called with a line for each wait for such an answer.
    """

    def __init__(
        self, inner: httpx.BaseTransport, limit: Limit, say: Callable[[str], None], clock: Clock = REAL_CLOCK
    ) -> None:
        super().__init__(inner)
        self._sleep = clock.sleep
        self._limit = limit
        self._say = say
        self._waited = 0.0
        # So many in the time in which the full bucket drains: never more than it holds.
        window = pyrate_limiter.Rate(limit.burst, round(1000 * limit.burst / limit.per_second) + _SLACK_MS)
        self._limiter = pyrate_limiter.Limiter(window)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_result(_asks_to_wait),
            wait=self._wait,
            stop=self._is_over,
            sleep=self._sleep,
            before_sleep=self._report,
            retry_error_callback=lambda state: state.outcome.result() if state.outcome else None,
        )
        answer: httpx.Response = retrying(self._send, request)
        return answer

    def _send(self, request: httpx.Request) -> httpx.Response:
        self._limiter.try_acquire("portal")
        return self.inner.handle_request(request)

    def _wait(self, state: tenacity.RetryCallState) -> float:
        longer_and_longer = tenacity.wait_exponential(1 / self._limit.per_second, max=_LONGEST_WAIT_SECONDS)(state)
        return max(longer_and_longer, 0.0 if state.outcome is None else _asked_seconds(state.outcome.result()))

    def _is_over(self, state: tenacity.RetryCallState) -> bool:
        if state.outcome is None:
            return False
        answer = state.outcome.result()
        asked = _asked_seconds(answer)
        operating = limit_of(answer) == OPERATION_TIME_LIMIT
        patience = _OPERATING_PATIENCE_SECONDS if operating else _PATIENCE_SECONDS
        is_too_long = max(state.seconds_since_start or 0.0, state.idle_for) + asked > patience
        return is_too_long or self._waited + asked > ALL_WAITING_SECONDS

    def _report(self, state: tenacity.RetryCallState) -> None:
        if state.outcome is not None and state.next_action is not None:
            self._waited += state.next_action.sleep
            answer = state.outcome.result()
            what = limit_of(answer) or f"HTTP {answer.status_code}"
            self._say(f"the portal answers {what}: waiting {state.next_action.sleep:.1f} s")


def limit_of(answer: httpx.Response) -> str:
    """Return the code of an answer that says that a limit is reached; the empty text for another answer."""
    body = answer.content
    document = parse_json(body)
    code = document.get("error") if isinstance(document, dict) else None
    if code is None and (found := _XML_CODE.search(body)):
        code = found[1].decode()
    return code if isinstance(code, str) and code in LIMIT_CODES else ""


def _asks_to_wait(answer: httpx.Response) -> bool:
    """Return True if a limit is reached, or if a front says when to ask again."""
    return bool(limit_of(answer)) or (answer.status_code in (429, 503) and seconds_to_wait(answer) > 0)


def _asked_seconds(answer: httpx.Response) -> float:
    """Return how long the answer asks to wait: by Retry-After, or until the operating time is reset."""
    document = parse_json(answer.content)
    times = document.get("time") if isinstance(document, dict) else None
    reset = times.get("operating_reset_at") if isinstance(times, dict) else None
    if isinstance(reset, bool) or not isinstance(reset, int | float):
        return seconds_to_wait(answer)
    # The clock of the portal may differ from that of this machine.
    now = times.get("finish", time.time()) if isinstance(times, dict) else time.time()
    return max(seconds_to_wait(answer), reset - now if isinstance(now, int | float) else 0.0)
