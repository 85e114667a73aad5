"""Records that were altered: a request that is not as it was is not exercised, an answer fails its clause.

Every other leaf of a request is altered; with WHOLE=1 in the environment every one.
"""

import copy
import json
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from conformance.check import check_recording
from conformance.contract.classes import STARS, TEXTS
from conformance.contract.clauses import Edition, load_edition
from conformance.contract.oracle import permitted
from conformance.engine.plan_file import plan_from
from conformance.exchange.call import NO_RIGHTS, READ_METHOD, Batch, Call, ReadBack, Request
from conformance.reporting.verdict import Status, Verdict
from conformance.selfcheck.chosen import WHOLE
from conformance.target.recording import load_recording


def _altered(value: Any, turn: int) -> Any:
    """Another value for a leaf; the turn chooses among some that compare as equal, as false, or look the same."""
    others: list[Any] = [True, 1, "", None, str(value)]
    if isinstance(value, str):
        others = [f"{value}x", None, value.swapcase(), 5]
    different = [other for other in others if type(other) is not type(value) or other != value]
    return different[turn % len(different)]


def _leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if isinstance(value, dict | list):
        entries = value.items() if isinstance(value, dict) else enumerate(value)
        for key, entry in entries:
            yield from _leaves(entry, (*path, key))
    else:
        yield path


def _with(document: Any, path: tuple[Any, ...], value: Any) -> Any:
    changed = copy.deepcopy(document)
    inner = changed
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return changed


PARTS = 4


@pytest.mark.parametrize("part", range(PARTS))
def test_an_altered_request_is_not_exercised(recorded: Path, part: int) -> None:
    """The leaves of every recorded request, the values of a JSON body among them."""
    record = load_recording(recorded / "cassettes" / "staging")
    edition = load_edition(record.target.edition)
    cassette = json.loads(record.cassette)
    unseen = []
    for number in range(part, len(cassette["interactions"]), PARTS):
        place = ("interactions", number, "request")
        request = _at(cassette, place)
        for changed in islice(_altered_requests(request, number), 0, None, 1 if WHOLE else 2):
            text = json.dumps(_with(cassette, place, changed))
            verdict = check_recording(replace(record, cassette=text), edition=edition).verdict
            assert verdict.verdict is Verdict.INCOMPLETE
            if not verdict.with_status(Status.NOT_EXERCISED):
                unseen.append(request)
    # Before anything is judged it is looked whether a session is unknown: without that look the run is incomplete.
    assert [
        request for request in unseen if READ_METHOD not in request["uri"] or "999999937" not in request["body"]
    ] == []


def _altered_requests(request: dict[str, Any], turn: int) -> Iterator[dict[str, Any]]:
    """The request with each leaf altered, a body of JSON leaf by leaf and once without each of its keys."""
    for path in _leaves(request):
        if path != ("body",):
            yield _with(request, path, f"{_at(request, path)}x")
    body = request["body"]
    if body is None:
        yield {**request, "body": "{}"}
        return
    try:
        document = json.loads(body)
    except ValueError:
        place = turn % len(body)
        yield {**request, "body": body[:place] + body[place + 1 :]}
        return
    for step, path in enumerate(_leaves(document)):
        yield {**request, "body": json.dumps(_with(document, path, _altered(_at(document, path), turn + step)))}
    for key in document:
        yield {**request, "body": json.dumps({name: value for name, value in document.items() if name != key})}


def _at(document: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        document = document[key]
    return document


@pytest.mark.parametrize("part", range(PARTS))
def test_an_altered_answer_fails_its_clause(recorded: Path, part: int) -> None:
    """Every leaf of every recorded answer that some clause speaks of, altered to a value that this clause forbids."""
    record = load_recording(recorded / "cassettes" / "staging")
    edition = load_edition(record.target.edition)
    cassette = json.loads(record.cassette)
    plan = plan_from(record.plan)
    requests = [*plan.preflight, *(step.request for step in plan.steps)]
    unseen = []
    for number in range(part, len(requests), PARTS):
        place = ("interactions", number, "response")
        for what, changed in _altered_answers(requests[number], requests[number - 1], _at(cassette, place), edition):
            text = json.dumps(_with(cassette, place, changed))
            if (
                check_recording(replace(record, cassette=text), edition=edition).verdict.verdict
                is not Verdict.NOT_CONFORMANT
            ):
                unseen.append((number, what))
    assert unseen == []


def _altered_answers(
    request: Request, before: Request, response: dict[str, Any], edition: Edition
) -> Iterator[tuple[str, dict[str, Any]]]:
    """What a clause speaks of: no result where the pages are silent, of a batch its status and form."""

    def with_body(document: Any) -> dict[str, Any]:
        text = document if isinstance(document, str) else json.dumps(document)
        return {**response, "body": {"string": text}}

    if isinstance(request, ReadBack):
        document = json.loads(response["body"]["string"])
        if isinstance(before, Call) and before.rating.cls in STARS and before.comment.cls in (*TEXTS, "absent"):
            yield "stored rating", with_body(_with(document, ("result", "sessionVoteHead"), 77))
        return
    call = request if isinstance(request, Call) else request.calls[0]
    if not call.is_documented:
        return
    text = response["body"]["string"]
    alone, trusted = call.delivery.batch is Batch.NO, call.delivery.caller not in NO_RIGHTS
    if (alone or trusted) and call.delivery.suffix != ".xml":  # the status is judged of JSON only
        yield "status", _with(response, ("status", "code"), 599)
    yield "cut", with_body(text[:-5])
    if call.delivery.suffix == ".xml" or not alone:
        return
    document, promised = json.loads(text), permitted(edition, call.session.cls, call.rating.cls, call.comment.cls)
    if promised.demands_acceptance and trusted:
        yield "result", with_body(_with(document, ("result",), "yes"))
    for field in document.get("time", {}):
        yield field, with_body(_with(document, ("time", field), "soon"))
    if "error" in document:
        yield "error", with_body(_with(document, ("error",), "NO_SUCH_CODE"))
        if trusted:
            yield "error_description", with_body(_with(document, ("error_description",), 5))
