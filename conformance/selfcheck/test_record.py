"""Portals on record: the live verdict without network, nothing altered goes unseen, nothing private is there."""

import copy
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from conformance.contract.edition import load_edition
from conformance.exchange.call import READ_METHOD
from conformance.portals import reference
from conformance.portals.bitrix24 import bitrix24_portal
from conformance.portals.incoming import Incoming
from conformance.portals.record import load_record
from conformance.portals.reference import Answering, Outgoing, ReferencePortal
from conformance.portals.server import serving
from conformance.reporting.verdict import Status, Verdict
from conformance.selfcheck.faults import FAULTS
from conformance.selfcheck.tribunal import judge_record

SECRET = "s3cret-webhook-value"
TOKEN = "s3cret-token-value"
PRIVATE = "Maria Petrovna"
STUFFED = {
    "message": {"1": {"text": "a message of a client"}},
    "users": {"7": {"name": "Ivan Ivanov", "phone": "+7 555 0100"}},
    "files": {"3": {"link": "https://portal.example/signed?token=abc"}},
}
FOUND = "the operator was rude to Maria Petrovna on Monday"


class Ran:
    """A finished command: its status, all that it printed, and its report."""

    def __init__(self, done: subprocess.CompletedProcess[str], folder: Path) -> None:
        self.status = done.returncode
        self.output = done.stdout + done.stderr
        path = folder / "report" / "report.json"
        self.report: dict[str, Any] = json.loads(path.read_text("utf-8")) if path.exists() else {}

    @property
    def found(self) -> list[tuple[str, str, int, Any, list[Any]]]:
        """What is said of each clause, the ways to repeat a violation left out."""
        return [
            (entry["id"], entry["status"], entry["exchanges"], entry["observed"], entry["violations"])
            for entry in self.report["clauses"]
        ]

    def statuses(self) -> dict[str, str]:
        return {entry["id"]: entry["status"] for entry in self.report["clauses"]}


def _command(folder: Path, *arguments: str) -> Ran:
    (folder / "report" / "report.json").unlink(missing_ok=True)
    line = [sys.executable, "-m", "conformance", "run", "--report-dir", "report", "--seed", "1", *arguments]
    environment = {**os.environ, "B24_SECRET": SECRET, "B24_TOKEN": TOKEN}
    done = subprocess.run(line, capture_output=True, text=True, cwd=folder, env=environment, check=False, timeout=300)
    return Ran(done, folder)


def _target(folder: Path, base: str, edition: str, limit: str = "burst = 1000") -> str:
    (folder / "target.toml").write_text(
        f"""
name = "staging"
edition = "{edition}"
portal = "a portal of the tests"
url = "{base}/rest/1417/${{B24_SECRET}}/"
live = true
private = ["{PRIVATE}"]
[limit]
{limit}
[sessions]
rateable = 494
forbidden = 7001
not_open_line = 8001
unknown = 999999937
open = 495
[callers]
second_url = "{base}/rest/2/{reference.SECOND_SECRET}/"
unscoped_url = "{base}/rest/3/{reference.UNSCOPED_SECRET}/"
token_url = "{base}/rest/"
token = "${{B24_TOKEN}}"
""",
        "utf-8",
    )
    return "--target=target.toml"


def _talkative(portal: ReferencePortal) -> Answering:
    """The portal with the secrets of these tests, shown wherever it can; with each read-back come people and links."""
    honest = portal.answer

    def answer(request: Incoming) -> Outgoing:
        inside = request
        for ours, theirs in ((SECRET, reference.SECRET), (TOKEN, reference.TOKEN)):
            inside = Incoming(
                inside.method,
                inside.path.replace(ours, theirs),
                inside.query.replace(ours, theirs),
                {name: value.replace(ours, theirs) for name, value in inside.headers.items()},
                inside.body.replace(ours.encode(), theirs.encode()),
            )
        outgoing = honest(inside)
        host = request.headers.get("host", "")
        told = f"{PRIVATE} called http://{host}{request.path} as user 1417 with {TOKEN}: refused"
        body = outgoing.body.replace(b"Refused", json.dumps(told)[1:-1].encode())
        stuffed = {
            "message": {"1": {"text": "a message of a client"}},
            "users": {"7": {"name": PRIVATE, "phone": "555"}},
        }
        body = body.replace(
            b'"chatId"', json.dumps(stuffed)[1:-1].encode() + b', "files": "https://x/signed", "chatId"'
        )
        return replace(outgoing, body=body)

    return answer


def _reference(edition: str, *faults: str) -> ReferencePortal:
    portal = ReferencePortal(load_edition(edition))
    for fault in FAULTS:
        if fault.name in faults:
            fault.apply(portal)
    return portal


def _record(folder: Path, answer: Answering, edition: str, *arguments: str) -> Ran:
    with serving(answer) as base:
        return _command(folder, _target(folder, base, edition), "--record-mode=rewrite", "--yes", *arguments)


def _replay(folder: Path, *arguments: str) -> Ran:
    return _command(folder, "--target=cassettes/staging", *arguments)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a record of the reference portal."""
    folder = tmp_path_factory.mktemp("recorded")
    assert _record(folder, _talkative(_reference("2026-03")), "2026-03").status == 0
    return folder


PORTALS: dict[str, tuple[str, Callable[[], ReferencePortal]]] = {
    "reference 2024-10": ("2024-10", lambda: _reference("2024-10")),
    "reference 2026-03": ("2026-03", lambda: _reference("2026-03")),
    "as the real one": ("2026-03", bitrix24_portal),
    "with faults": ("2024-10", lambda: _reference("2024-10", "accepts_6", "refuses_emoji", "takes_any_secret")),
}


@pytest.mark.parametrize("name", PORTALS)
def test_the_replay_finds_what_the_live_run_found(tmp_path: Path, name: str) -> None:
    edition, portal = PORTALS[name]
    live = _record(tmp_path, _talkative(portal()), edition)
    replayed = _replay(tmp_path)
    assert (replayed.status, replayed.report["verdict"]) == (live.status, live.report["verdict"])
    assert [entry[:4] for entry in replayed.found] == [entry[:4] for entry in live.found]
    for count in ("requests", "writes", "coverage", "mode", "edition"):
        assert replayed.report[count] == live.report[count]


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
    """Every leaf of every recorded request, the values of a JSON body among them."""
    record = load_record(recorded / "cassettes" / "staging")
    edition = load_edition(record.target.edition)
    cassette = json.loads(record.cassette)
    unseen = []
    for number in range(part, len(cassette["interactions"]), PARTS):
        place = ("interactions", number, "request")
        request = _at(cassette, place)
        for changed in _altered_requests(request, number):
            text = json.dumps(_with(cassette, place, changed))
            verdict = judge_record(replace(record, cassette=text), edition)
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
