"""Answers that no portal should give: none stops a run, and the clause that each one violates is the one that fails.

Each odd value is put into each place of the answers. By default a small sample is judged in the two quick modes.
ANSWERS=N in the environment judges so many in every mode, chosen by ANSWERS_SEED.
"""

import json
import os
import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import pytest

from conformance.check import check_portal
from conformance.contract.clauses import load_edition
from conformance.engine.plan import plan_of
from conformance.engine.workload import Exhaustive, Explore, Mode, Planned
from conformance.errors import UserError
from conformance.exchange.response import DEEPEST, NO_JSON, parse_json
from conformance.portals.in_process import portal_answering
from conformance.portals.php_forms import PortalRequest
from conformance.portals.reference import Answering, PortalResponse, ReferencePortal
from conformance.reporting.verdict import Status
from conformance.selfcheck.live_run import LiveRun
from conformance.target.target import embedded_target

SAMPLE: Final = int(os.environ.get("ANSWERS", "4"))
EDITION: Final = load_edition("2026-03")


def _nested(depth: int) -> bytes:
    return b"[" * depth + b"]" * depth


NO_TEXT: Final = (
    *(b"null", b"[]", b"{}", b'{"error": []}', b"7", b"-0", b"1e999", b"9" * 400, b"9" * 5_000, b"0." + b"7" * 5_000),
    *(
        _nested(DEEPEST),
        _nested(DEEPEST + 1),
        _nested(500),
        _nested(5_000),
        b'{"a":' * 500 + b"1" + b"}" * 500,
        b"false",
    ),
)
TEXTS: Final = (b'""', b'"true"', b'"\\ud800"', b'"' + b"x" * 70_000 + b'"', b'"' + b"[" * 500 + b'"')
NO_JSON_AT_ALL: Final = (b"NaN", b"-Infinity", b"\xff\xfe", b'"\xff"', b"", b"[" * 5_000, b'"' * 3, b"'a'", b'"\\')
PLACES: Final = (
    *("", "error", "error_description", "result", "time", "time.start", "time.finish", "time.date_start", "new"),
    *("result.result", "result.result_error", "result.result.vote1", "result.result_error.vote1"),
    *("result.result_error.vote1.error", "result.sessionId", "result.sessionVoteHead", "result.sessionCommentHead"),
    "result.canVoteHead",
)
MODES: Final[dict[str, Mode]] = {
    "plan": Planned(plan_of(embedded_target(), EDITION)),
    "explore": Explore(1),
}
if "ANSWERS" in os.environ:
    MODES["exhaustive"] = Exhaustive()


def put(body: bytes, place: str, value: bytes) -> bytes:
    """Return a JSON body with a value at a place; the same body where it has no such place."""
    if not place:
        return value
    *outer, last = place.split(".")
    try:
        document = inner = json.loads(body)
    except ValueError:
        return body
    for key in outer:
        inner = inner.get(key) if isinstance(inner, dict) else None
    if not isinstance(inner, dict) or (last not in inner and last != "new"):
        return body
    inner[last] = "@@"
    return json.dumps(document).encode().replace(b'"@@"', value)


def odd_portal(place: str, value: bytes, *, where: Callable[[PortalRequest], bool] = lambda _: True) -> Answering:
    """Return a correct portal with an odd value in its answers."""
    honest = ReferencePortal(EDITION).answer

    def answer(request: PortalRequest) -> PortalResponse:
        outgoing = honest(request)
        return replace(outgoing, body=put(outgoing.body, place, value)) if where(request) else outgoing

    return answer


def found_in(answer: Answering, mode: Mode) -> tuple[set[str], set[str], Any]:
    """Return the clauses that failed, those that could not be judged, and the report."""
    report = check_portal(portal_answering(embedded_target(), answer), EDITION, mode)
    failed, errors = (
        {entry.clause.id for entry in report.verdict.with_status(status)} for status in (Status.FAILED, Status.ERROR)
    )
    return failed, errors, report.document()


ODD: Final = [(place, value) for place in PLACES for value in (*NO_TEXT, *TEXTS, *NO_JSON_AT_ALL)]


@pytest.mark.parametrize("mode", MODES)
def test_no_answer_stops_a_run(mode: str) -> None:
    drawn = random.Random(os.environ.get("ANSWERS_SEED", mode))  # noqa: S311 - a sample
    for place, value in drawn.sample(ODD, min(SAMPLE, len(ODD))):
        try:
            _, errors, report = found_in(odd_portal(place, value), MODES[mode])
        except UserError as error:
            assert len(str(error)) < 500, (place, value[:40])  # noqa: PT017
            continue
        assert errors == set(), (place, value[:40])
        assert len(json.dumps(report)) < 500_000, (place, value[:40])


EXACT: Final = {
    "error": (NO_TEXT, {"error.envelope"}),
    "error_description": (NO_TEXT, {"error.envelope"}),
    "time": (tuple(value for value in NO_TEXT if not value.startswith(b"{")), {"success.envelope"}),
    "time.start": (tuple(value for value in NO_TEXT if value[:1] in b"[{nf"), {"success.time"}),
    "new": ((*NO_TEXT, *TEXTS), set[str]()),
}


@pytest.mark.quick
@pytest.mark.parametrize("place", EXACT)
def test_an_odd_value_is_blamed_on_the_clause_about_its_place(place: str) -> None:
    values, expected = EXACT[place]
    for value in random.Random(place).sample(values, min(3, len(values))):  # noqa: S311 - a sample
        failed, _, _ = found_in(odd_portal(place, value), MODES["plan"])
        assert failed == expected, value[:40]


@pytest.mark.quick
def test_a_live_portal_whose_error_is_no_text_is_judged() -> None:
    odd = odd_portal("error", b'{"code": "NO"}')
    verdicts = LiveRun(lambda request, _response, _number: odd(request)).judge().verdicts
    assert not [verdict for verdict in verdicts.values() if verdict.status is Status.ERROR]
    assert verdicts["error.envelope"].status is Status.FAILED


@pytest.mark.quick
def test_what_is_too_deep_is_read_as_null_and_the_rest_as_it_is() -> None:
    inner: Any = parse_json(b'{"result": true, "x": ' + _nested(DEEPEST + 5) + b', "y": "]"}')
    assert (inner["result"], inner["y"]) == (True, "]")
    depth = 0
    inner = inner["x"]
    while inner:
        depth, inner = depth + 1, inner[0]
    assert (depth, inner) == (DEEPEST - 1, None)


@pytest.mark.quick
@pytest.mark.parametrize(
    "body", [b'"' + b'\\"' * 500_000, b"[" * 500_000, b'[{"a":"' * 100_000, b"[" + b"[]," * 1_000_000 + b"[]]"]
)
def test_a_hostile_body_is_no_json_at_once(body: bytes) -> None:
    assert parse_json(body) is NO_JSON
