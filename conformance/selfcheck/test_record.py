"""Portals on record: the live verdict without network, nothing altered goes unseen, nothing private is there."""

import copy
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import conformance
from conformance.contract.edition import Edition, edition_names, load_edition
from conformance.contract.oracle import permitted
from conformance.contract.partition import STARS, TEXTS
from conformance.exchange.call import READ_METHOD, Batch, Call, Read, Request
from conformance.judging.plan_file import plan_from
from conformance.judging.world import UNTRUSTED
from conformance.portals import reference
from conformance.portals.bitrix24 import bitrix24_portal
from conformance.portals.incoming import Incoming
from conformance.portals.record import load_record
from conformance.portals.reference import Answering, Outgoing, ReferencePortal, Vote
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
    schema = json.loads((files("conformance.reporting") / "report.schema.json").read_text("utf-8"))
    jsonschema.validate(replayed.report, schema)
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


@pytest.mark.parametrize("part", range(PARTS))
def test_an_altered_answer_fails_its_clause(recorded: Path, part: int) -> None:
    """Every leaf of every recorded answer that some clause speaks of, altered to a value that this clause forbids."""
    record = load_record(recorded / "cassettes" / "staging")
    edition = load_edition(record.target.edition)
    cassette = json.loads(record.cassette)
    plan = plan_from(record.plan)
    requests = [*plan.preflight, *(step.request for step in plan.steps)]
    unseen = []
    for number in range(part, len(requests), PARTS):
        place = ("interactions", number, "response")
        for what, changed in _altered_answers(requests[number], requests[number - 1], _at(cassette, place), edition):
            text = json.dumps(_with(cassette, place, changed))
            if judge_record(replace(record, cassette=text), edition).verdict is not Verdict.NOT_CONFORMANT:
                unseen.append((number, what))
    assert unseen == []


def _altered_answers(
    request: Request, before: Request, response: dict[str, Any], edition: Edition
) -> Iterator[tuple[str, dict[str, Any]]]:
    """What a clause speaks of: no result where the pages are silent, of a batch its status and form."""

    def with_body(document: Any) -> dict[str, Any]:
        text = document if isinstance(document, str) else json.dumps(document)
        return {**response, "body": {"string": text}}

    if isinstance(request, Read):
        document = json.loads(response["body"]["string"])
        if isinstance(before, Call) and before.rating.of in STARS and before.comment.of in (*TEXTS, "absent"):
            yield "stored rating", with_body(_with(document, ("result", "sessionVoteHead"), 77))
        return
    call = request if isinstance(request, Call) else request.calls[0]
    text = response["body"]["string"]
    alone, trusted = call.way.batch is Batch.NO, call.way.caller not in UNTRUSTED
    if alone or trusted:
        yield "status", _with(response, ("status", "code"), 599)
    yield "cut", with_body(text[:-5])
    if call.way.suffix == ".xml" or not alone:
        return
    document, promised = json.loads(text), permitted(edition, call.session.of, call.rating.of, call.comment.of)
    if promised.must_be_accepted and trusted:
        yield "result", with_body(_with(document, ("result",), "yes"))
    for field in document.get("time", {}):
        yield field, with_body(_with(document, ("time", field), "soon"))
    if "error" in document:
        yield "error", with_body(_with(document, ("error",), "NO_SUCH_CODE"))
        if trusted:
            yield "error_description", with_body(_with(document, ("error_description",), 5))


def test_nothing_private_is_in_a_file_or_in_what_is_printed(tmp_path: Path) -> None:
    portal = _reference("2024-10", "accepts_6")
    portal.votes[494] = Vote(3, FOUND)
    arguments = ("--", "-l", "--log-level=DEBUG", "--tb=long", "-vv", "-rA")
    live = _record(tmp_path, _talkative(portal), "2024-10", *arguments)
    replayed = _replay(tmp_path, *arguments)
    assert (live.status, replayed.status) == (1, 1)
    (tmp_path / "target.toml").unlink()
    written = {path: path.read_text("utf-8") for path in tmp_path.rglob("*") if path.is_file()}
    assert len(written) >= 4
    private = [SECRET, TOKEN, "127.0.0.1", PRIVATE, FOUND, *_texts(STUFFED)]
    for text in (live.output, replayed.output, *written.values()):
        assert [value for value in private if value in text] == []
    assert not [path for path, text in written.items() if "1417" in text and "cassettes" in path.parts]


def _texts(document: Any) -> list[str]:
    return [str(_at(document, path)) for path in _leaves(document)]


def test_a_record_that_would_hold_a_secret_is_not_written(tmp_path: Path) -> None:
    with serving(_talkative(_reference("2026-03"))) as base:
        target = _target(tmp_path, base, "2026-03")
        text = (tmp_path / "target.toml").read_text("utf-8").replace(PRIVATE, "Excellent handling")
        (tmp_path / "target.toml").write_text(text, "utf-8")
        ran = _command(tmp_path, target, "--record-mode=rewrite", "--yes")
    assert ran.status == 2
    assert "it would hold a secret, the host or a private value: nothing was recorded" in ran.output
    assert not (tmp_path / "cassettes" / "staging").exists()


@pytest.mark.parametrize(("rating", "comment"), [(3, FOUND), (0, FOUND), (4, None)])
def test_the_vote_that_was_found_is_put_back(tmp_path: Path, rating: int, comment: str | None) -> None:
    portal = bitrix24_portal()
    portal.votes[494] = Vote(rating, comment)
    ran = _record(tmp_path, _talkative(portal), "2026-03")
    assert portal.votes[494] == Vote(rating, comment or "")
    assert "NOT PUT BACK" not in ran.output


def test_what_could_not_be_put_back_is_the_last_line(tmp_path: Path) -> None:
    portal = _reference("2026-03", "refuses_hebrew")
    portal.votes[494] = Vote(3, "שלום")
    ran = _record(tmp_path, _talkative(portal), "2026-03")
    assert ran.output.strip().splitlines()[-1].startswith("NOT PUT BACK: session 494: its vote of before the run could")
    fresh = _record(tmp_path, _talkative(_reference("2026-03")), "2026-03")
    assert fresh.output.strip().splitlines()[-1].endswith("had no vote before the run: the last test vote stays there")


def test_the_vote_is_put_back_when_the_run_is_interrupted(tmp_path: Path) -> None:
    portal = _reference("2026-03")
    portal.votes[494] = Vote(2, FOUND)
    honest = _talkative(portal)
    votes = 0
    running: list[subprocess.Popen[str]] = []

    def answer(request: Incoming) -> Outgoing:
        nonlocal votes
        outgoing = honest(request)
        votes += b'"result": true' in outgoing.body
        if votes == 3:
            running[0].send_signal(signal.SIGINT)
            votes += 1
        return outgoing

    with serving(answer) as base:
        line = [sys.executable, "-m", "conformance", "run", _target(tmp_path, base, "2026-03"), "--yes"]
        environment = {**os.environ, "B24_SECRET": SECRET, "B24_TOKEN": TOKEN}
        with subprocess.Popen(line, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True) as process:
            running.append(process)
            output, _ = process.communicate(timeout=120)
    assert process.returncode != 0
    assert portal.votes[494] == Vote(2, FOUND)
    assert "NOT PUT BACK" not in output


def test_a_recording_that_is_killed_leaves_the_one_of_before(recorded: Path, tmp_path: Path) -> None:
    shutil.copytree(recorded / "cassettes", tmp_path / "cassettes")
    before = {path: path.read_bytes() for path in (tmp_path / "cassettes").rglob("*") if path.is_file()}
    honest = _talkative(_reference("2026-03"))
    running: list[subprocess.Popen[str]] = []
    requests = 0

    def answer(request: Incoming) -> Outgoing:
        nonlocal requests
        requests += 1
        if requests == 60:
            running[0].kill()
        return honest(request)

    with serving(answer) as base:
        arguments = [_target(tmp_path, base, "2026-03"), "--record-mode=rewrite", "--yes"]
        environment = {**os.environ, "B24_SECRET": SECRET, "B24_TOKEN": TOKEN}
        line = [sys.executable, "-m", "conformance", "run", *arguments]
        with subprocess.Popen(line, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True) as process:
            running.append(process)
            process.communicate(timeout=120)
    assert requests >= 60
    assert {path: path.read_bytes() for path in (tmp_path / "cassettes").rglob("*") if path.is_file()} == before
    assert _replay(tmp_path).status == 0


def test_a_recording_that_was_killed_between_its_last_steps_is_mended(recorded: Path, tmp_path: Path) -> None:
    shutil.copytree(recorded / "cassettes" / "staging", tmp_path / "cassettes" / ".staging.old")
    assert _replay(tmp_path).status == 0


def _deep(depth: int) -> str:
    return "[" * depth + "]" * depth


def _doubled(text: str) -> str:
    cassette = json.loads(text)
    return json.dumps({**cassette, "interactions": cassette["interactions"] * 2})


HOSTILE: list[tuple[str, Callable[[str], str], str]] = [
    ("cassette.json", lambda _: "x" * 9_000_000, "cassette.json: larger than 8 MiB"),
    ("cassette.json", lambda _: _deep(200_000), "cassette.json: not JSON, or cut"),
    ("cassette.json", lambda _: f'{{"version": 1, "interactions": [{_deep(500)}]}}', "cassette.json: not a record"),
    ("cassette.json", lambda text: text[: len(text) // 2], "cassette.json: not JSON, or cut"),
    ("cassette.json", lambda text: text.replace('"version": 1', '"version": 2'), "cassette.json: not a record of this"),
    (
        "cassette.json",
        lambda _: "!!python/object/apply:os.system ['touch executed']",
        "cassette.json: not JSON, or cut",
    ),
    ("cassette.json", lambda _: '{"version": 1, "interactions": []}', "cassette.json: not a record of this suite"),
    ("cassette.json", _doubled, "cassette.json: more exchanges than the plan sends"),
    ("cassette.json", lambda _: "\ud800", "cassette.json: not UTF-8 text"),
    ("plan.json", lambda _: '{"version": 1}', "plan.json: not a plan of this suite, version 1"),
    ("plan.json", lambda _: _deep(200_000), "plan.json: not JSON, or cut"),
    ("target.toml", lambda _: "name = ", "target.toml: not valid TOML"),
    ("target.toml", lambda text: text.replace("suite_version", "suite"), "target.toml: unknown key 'suite'"),
    ("target.toml", lambda text: text.replace('"2026-03"', '"2031-01"'), "target.toml: edition: unknown edition"),
]


@pytest.mark.parametrize(("file", "change", "told"), HOSTILE, ids=[told for _, _, told in HOSTILE])
def test_a_hostile_record_ends_in_one_clear_line(
    recorded: Path, tmp_path: Path, file: str, change: Callable[[str], str], told: str
) -> None:
    folder = tmp_path / "cassettes" / "staging"
    shutil.copytree(recorded / "cassettes" / "staging", folder)
    text = change((folder / file).read_text("utf-8"))
    (folder / file).write_bytes(text.encode("utf-8", "surrogatepass"))
    ran = _replay(tmp_path)
    assert ran.status >= 2
    assert told in ran.output
    assert "Traceback" not in ran.output
    assert not (tmp_path / "executed").exists()


def test_a_folder_that_is_no_record_ends_in_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "cassettes" / "staging").mkdir(parents=True)
    ran = _replay(tmp_path)
    assert ran.status >= 2
    assert "target.toml: cannot read it (No such file or directory)" in ran.output


def _bucket(answer: Answering, *, holds: int, per_second: float, over: list[float]) -> Answering:
    """A portal behind a leaky bucket; what came above it is noted."""
    level, last = 0.0, time.monotonic()

    def limited(request: Incoming) -> Outgoing:
        nonlocal level, last
        now = time.monotonic()
        level, last = max(0.0, level - (now - last) * per_second), now
        if level + 1 > holds:
            over.append(now)
            return LIMITED
        level += 1
        return answer(request)

    return limited


LIMITED = Outgoing(503, "application/json", b'{"error": "QUERY_LIMIT_EXCEEDED", "error_description": "Too many"}')


def test_no_call_is_above_the_limit_of_the_target(tmp_path: Path) -> None:
    over: list[float] = []
    honest = _talkative(_reference("2026-03"))
    with serving(_bucket(honest, holds=50, per_second=20, over=over)) as base:
        ran = _command(tmp_path, _target(tmp_path, base, "2026-03", "burst = 50\nper_second = 20"), "--yes")
    assert (ran.status, ran.report["verdict"]) == (0, "conformant"), ran.output
    assert over == []


def test_a_limit_that_is_answered_all_the_same_is_waited_out(tmp_path: Path) -> None:
    honest = _talkative(_reference("2026-03"))
    requests = 0

    def answer(request: Incoming) -> Outgoing:
        nonlocal requests
        requests += 1
        return LIMITED if requests % 5 == 0 else honest(request)

    with serving(answer) as base:
        limit = "burst = 1000\nper_second = 1000"
        ran = _command(tmp_path, _target(tmp_path, base, "2026-03", limit), "--yes", "--record-mode=rewrite")
    assert (ran.status, ran.report["verdict"]) == (0, "conformant"), ran.output
    assert set(ran.statuses().values()) == {"passed", "observed"}
    assert "the portal answers QUERY_LIMIT_EXCEEDED: waiting" in ran.output
    assert _replay(tmp_path).found == ran.found


def test_nobody_votes_on_a_live_portal_without_being_asked(tmp_path: Path) -> None:
    portal = _reference("2026-03")
    portal.votes[494] = Vote(3, FOUND)
    with serving(_talkative(portal)) as base:
        target = _target(tmp_path, base, "2026-03")
        ran = _command(tmp_path, target)
        unvoted = _command(tmp_path, target, "--no-votes", "--allow-incomplete")
    assert ran.status == 2
    assert "16 votes, up to 15 more, on session 494 of staging; each may notify the dialog's operator" in ran.output
    assert "the vote that is there now is put back at the end. Nobody is there to be asked: give --yes" in ran.output
    assert portal.votes[494] == Vote(3, FOUND)
    assert unvoted.status == 0, unvoted.output


def test_a_clause_that_the_recorded_plan_does_not_feed_is_not_exercised(recorded: Path, tmp_path: Path) -> None:
    folder = tmp_path / "cassettes" / "staging"
    shutil.copytree(recorded / "cassettes" / "staging", folder)
    plan = json.loads((folder / "plan.json").read_text("utf-8"))
    plan["steps"] = [step for step in plan["steps"] if "zero-text" not in json.dumps(step)]
    (folder / "plan.json").write_text(json.dumps(plan), "utf-8")
    cassette = json.loads((folder / "cassette.json").read_text("utf-8"))
    kept = [entry for entry in cassette["interactions"] if '"COMMENT": "0"' not in str(entry["request"]["body"])]
    (folder / "cassette.json").write_text(json.dumps({**cassette, "interactions": kept}), "utf-8")
    assert _replay(tmp_path).statuses()["comment.zero-text"] == "not-exercised"


SHIPPED = Path(conformance.__file__).parent.parent / "cassettes"


@pytest.mark.parametrize("edition", edition_names())
def test_the_shipped_record_of_the_reference_portal_is_conformant(tmp_path: Path, edition: str) -> None:
    ran = _command(tmp_path, "--target", str(SHIPPED / f"reference-{edition}"))
    assert (ran.status, ran.report["verdict"], ran.report["edition"]) == (0, "conformant", edition)
    assert set(ran.statuses().values()) == {"passed", "observed"}


def test_the_page_satisfies_its_own_contract(tmp_path: Path) -> None:
    ran = _command(tmp_path, "--target", str(SHIPPED / "documentation-2026-03"), "--allow-incomplete")
    assert ran.status == 0
    assert set(ran.statuses().values()) == {"passed", "observed", "not-exercised"}
    passed = {name for name, status in ran.statuses().items() if status == "passed"}
    assert {"documentation.example", "success.time", "error.empty-vote-params", "error.status"} <= passed
