"""The curl line of a failure, run in a real shell: it sends what the suite sent, and holds no secret."""

import os
import shutil
import subprocess
from dataclasses import replace
from typing import Any

import pytest

from conformance.contract.classes import COMMENTS, RATINGS, session_classes
from conformance.contract.clauses import load_edition
from conformance.engine.cases import sendable
from conformance.exchange.call import (
    ABSENT,
    NEARLY_RIGHT,
    NOTHING,
    TOKEN_CALLERS,
    Batch,
    Call,
    Caller,
    ClassifiedValue,
    Delivery,
    Encoding,
)
from conformance.exchange.reproduce import WRONG_SECRET, curl
from conformance.portals import reference
from conformance.portals.in_process import portal_answering
from conformance.portals.php_forms import PortalRequest, read_parameters
from conformance.portals.reference import PortalResponse
from conformance.portals.server import serving
from conformance.target.target import embedded_target

pytestmark = pytest.mark.quick

SESSIONS = session_classes({"rateable": 494}, live=False)
PLAIN = Call(ClassifiedValue("rateable", 494), ClassifiedValue("5", 5), ClassifiedValue("plain", "Well done"))
WAYS = [
    *(Delivery(encoding, suffix) for encoding in Encoding for suffix in ("", ".json", ".xml")),
    *(Delivery(encoding, caller=caller) for encoding in Encoding
      for caller in (*TOKEN_CALLERS, Caller.SECOND, Caller.UNSCOPED, Caller.WRONG_SECRET, *NEARLY_RIGHT)),
    *(Delivery(encoding, batch=batch) for encoding in (Encoding.JSON, Encoding.FORM, Encoding.QUERY_GET)
      for batch in (Batch.MAP, Batch.LIST)),
]  # fmt: skip


def _calls() -> list[Call]:
    calls = [PLAIN.via(way) for way in WAYS]
    for way in (Delivery(encoding) for encoding in Encoding):
        calls += [
            replace(PLAIN, session=ClassifiedValue(name, entry.core_values[0]), delivery=way)
            for name, entry in SESSIONS.items()
        ]
        calls += [
            replace(PLAIN, rating=ClassifiedValue(name, entry.core_values[0]), delivery=way)
            for name, entry in RATINGS.items()
        ]
        calls += [
            replace(PLAIN, comment=ClassifiedValue(name, value), delivery=way)
            for name, entry in COMMENTS.items()
            for value in entry.core_values
            if "\0" not in str(value)
        ]
    nothing = Call(ClassifiedValue("absent", ABSENT), NOTHING, NOTHING)
    calls += [nothing.via(Delivery(encoding)) for encoding in Encoding]
    return [call for call in dict.fromkeys(calls) if sendable(call)]


def _seen(request: PortalRequest) -> dict[str, Any]:
    return {
        "method": request.method,
        "path": request.path,
        "parameters": read_parameters(request),
        "media type": request.media_type,
        **{name: request.headers.get(name) for name in ("accept", "user-agent", "authorization")},
    }


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed: its lines are not run")
def test_the_curl_line_sends_what_the_suite_sent() -> None:
    """For every class in every encoding, every caller and batch, in one shell script."""
    seen: list[dict[str, Any]] = []
    honest = reference.ReferencePortal(load_edition("2024-10")).answer

    def answer(request: PortalRequest) -> PortalResponse:
        seen.append(_seen(request))
        return honest(request)

    calls = _calls()
    portal = portal_answering(embedded_target(), answer)
    for call in calls:
        portal.send(call)
    sent, seen[:] = list(seen), []
    with serving(answer) as base:
        variables = {
            "B24_WEBHOOK_URL": f"{base}/rest/1/{reference.SECRET}/",
            "B24_SECOND_URL": f"{base}/rest/2/{reference.SECOND_SECRET}",
            "B24_UNSCOPED_URL": f"{base}/rest/3/{reference.UNSCOPED_SECRET}/",
            "B24_PORTAL_URL": base,
            "B24_TOKEN_URL": f"{base}/rest/",
            "B24_TOKEN": reference.TOKEN,
        }
        script = "\n".join(f"{curl(call)} -s -o /dev/null" for call in calls)
        environment = {**os.environ, **variables}
        done = subprocess.run(["/bin/sh"], input=script, text=True, env=environment, check=False, timeout=300)
    assert done.returncode == 0
    for call, first, again in zip(calls, sent, seen, strict=True):
        assert again == first, curl(call)


def test_no_curl_line_holds_a_secret() -> None:
    lines = "\n".join(curl(call) for call in _calls())
    for secret in (reference.SECRET, reference.SECOND_SECRET, reference.UNSCOPED_SECRET, reference.TOKEN):
        assert secret not in lines
    assert WRONG_SECRET in lines
