"""A live run ends in a stated time, whatever a portal asks for, and the found votes are put back all the same."""

import json

import pytest

from conformance.errors import UserError
from conformance.portals.php_forms import PortalRequest
from conformance.portals.reference import PortalResponse
from conformance.selfcheck.live_run import LiveRun
from conformance.target.rate_limit import ALL_WAITING_SECONDS
from conformance.target.time_limit import RUN_SECONDS

pytestmark = pytest.mark.quick

_LIMIT = {"error": "OPERATION_TIME_LIMIT", "time": {"finish": 1000.0, "operating_reset_at": 1060}}
_ASKS_TO_WAIT = PortalResponse(429, "application/json", json.dumps(_LIMIT).encode())


def test_all_waiting_together_has_an_end() -> None:
    """Every second answer asks for a minute; each alone is within the patience for one answer."""
    live = LiveRun(lambda _request, response, number: _ASKS_TO_WAIT if number % 2 else response).judge()
    assert ALL_WAITING_SECONDS / 2 < live.time.seconds < ALL_WAITING_SECONDS + RUN_SECONDS
    assert live.is_back
    assert any(verdict.lost for verdict in live.verdicts.values())


def test_a_portal_that_answers_slowly_cannot_hold_a_run_and_gets_its_votes_back() -> None:
    def slow(_request: PortalRequest, response: PortalResponse, _number: int) -> PortalResponse:
        live.time.sleep(55)
        return response

    live = LiveRun(slow)
    with pytest.raises(UserError, match="the run ends after 30 minutes"):
        live.judge()
    assert live.time.seconds < RUN_SECONDS * 1.5
    assert live.is_back
