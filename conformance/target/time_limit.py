"""The longest time of a live run: after it nothing more of a plan is sent, and the found votes are put back."""

from typing import Final

import httpx

from conformance.errors import UserError
from conformance.target.clock import REAL_CLOCK, Clock
from conformance.target.transports import OuterTransport

RUN_SECONDS: Final = 1800.0


class TimeLimitTransport(OuterTransport):
    """Sends a request only while the time of the run is not over. Raise UserError after it."""

    def __init__(self, inner: httpx.BaseTransport, clock: Clock = REAL_CLOCK) -> None:
        super().__init__(inner)
        self._now = clock.now
        self._ends_at = clock.now() + RUN_SECONDS

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if self._now() > self._ends_at:
            raise UserError(
                f"the run ends after {RUN_SECONDS / 60:.0f} minutes: the portal answers too slowly, or asks to wait "
                "too often; run again when it is less busy, or send less with --budget"
            )
        return self.inner.handle_request(request)
