"""The command from the outside: exit statuses, the report, one clear line for bad input, and no secret anywhere."""

import json
from collections.abc import Callable
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from conformance import __version__
from conformance.console import Pace
from conformance.contract.clauses import load_edition
from conformance.portals import reference
from conformance.portals.php_forms import PortalRequest, parse_query, read_parameters
from conformance.portals.reference import Answering, PortalResponse, ReferencePortal
from conformance.portals.server import serving
from conformance.selfcheck.mutants import MUTANTS
from conformance.selfcheck.outside import SECRET, TOKEN, command, faulty, keyed, run, target_file
from conformance.target.target import NO_LIMIT

NOWHERE = "http://127.0.0.1:9"


def _told(honest: Answering) -> Answering:
    """The portal with the secrets of these tests, which it shows in every description."""
    inner = keyed(honest)

    def answer(request: PortalRequest) -> PortalResponse:
        outgoing = inner(request)
        told = f"called as {'.' * 60}{request.path} with {TOKEN}: refused".encode()
        return replace(outgoing, body=outgoing.body.replace(b"Refused", told))

    return answer


def _portal(*faults: str) -> Answering:
    return _told(faulty("2024-10", *faults).answer)


def _files(folder: Path) -> str:
    return "".join(path.read_text("utf-8", "replace") for path in folder.rglob("*") if path.is_file())


def _schema() -> dict[str, Any]:
    schema: dict[str, Any] = json.loads((files("conformance") / "schemas" / "report.schema.json").read_text("utf-8"))
    return schema


@pytest.mark.quick
def test_the_time_before_the_first_answer_is_no_part_of_the_rate() -> None:
    pace = Pace(NO_LIMIT)
    assert pace.line(1, 101, now=500.0) == "1 of 101 requests"
    assert pace.line(21, 101, now=510.0) == "21 of 101 requests, 2 a second, about 40 s left"


@pytest.mark.parametrize(("edition", "mode"), [("2024-10", ["--plan"]), ("2026-03", [])])
def test_the_embedded_portal_is_conformant(tmp_path: Path, edition: str, mode: list[str]) -> None:
    ran = run(tmp_path, "--edition", edition, *mode)
    assert ran.status == 0, ran.output
    assert f"verdict: conformant   mock, edition {edition}" in ran.output
    jsonschema.validate(ran.report, _schema())
    assert {clause["status"] for clause in ran.report["clauses"]} == {"passed", "observed"}
    assert ran.report["edition"] == edition
    assert ran.report["seed"] == 1


def test_a_faulty_portal_is_shown_with_its_clause_and_how_to_repeat_it(tmp_path: Path) -> None:
    with serving(_portal("accepts_6")) as base:
        ran = run(tmp_path, target_file(tmp_path, base), "--", "-k", "rating.rejects-outside")
    assert ran.status == 1
    assert ran.clauses("failed") == {"rating.rejects-outside"}
    jsonschema.validate(ran.report, _schema())
    block = ran.output[ran.output.index("rating.rejects-outside   documented") :]
    for line in (
        "  sent      SESSION_ID=494 RATING=6   POST, JSON",
        "  permitted refused: ACCESS_DENIED, CHAT_ID, CHAT_TYPE or WRONG_PARAMETER",
        '  answered  accepted: 200 {"result": true,',
        "  repeat    curl -X POST -H 'Accept: application/json'"
        f" -H 'User-Agent: vote-conformance/{__version__}' -H 'Content-Type: application/json'"
        ' --data-binary \'{"SESSION_ID": 494, "RATING": 6}\''
        ' "${B24_WEBHOOK_URL%/}/imopenlines.session.head.vote"',
    ):
        assert line in block


def test_the_code_of_another_edition_is_pointed_out(tmp_path: Path) -> None:
    with serving(_told(ReferencePortal(load_edition("2026-03")).answer)) as base:
        ran = run(tmp_path, target_file(tmp_path, base), "--", "-k", "test_errors")
    assert "EMPTY_VOTE_PARAMS is a code of edition 2026-03: did you mean --edition 2026-03?" in ran.output


def test_a_live_target_gets_the_plan_and_no_other_session(tmp_path: Path) -> None:
    named: set[str] = set()
    requests = 0
    honest = _portal()

    def answer(request: PortalRequest) -> PortalResponse:
        nonlocal requests
        requests += 1
        parameters = read_parameters(request)
        commands = parameters.get("cmd", {})
        items = commands.values() if isinstance(commands, dict) else commands
        for vote in (parameters, *(parse_query(item.partition("?")[2]) for item in items)):
            named.add(json.dumps(vote.get("SESSION_ID")))
        return honest(request)

    with serving(answer) as base:
        ran = run(tmp_path, target_file(tmp_path, base, live=True, more="limit = { burst = 100 }"), "--yes")
    assert ran.status == 0, ran.output
    assert ran.report["mode"] == "planned"
    # The found vote of each of four sessions is read twice; at the end those that got votes are read again.
    found_votes_read, votes_put_back_verified = 2 * 4, 3
    assert ran.report["requests"] + found_votes_read + votes_put_back_verified == requests
    assert ran.report["requests"] <= 90
    assert ran.report["writes"] <= 25
    own = {"494", '"494"', "494.5", "-494", '"494abc"', '"abc"', "[494]", '{"ID": 494}'}
    others = {"7001", "8001", "999999937", "495"}
    as_text = {f'"{number}"' for number in ("7001", "8001", "999999937", "495", "-494", "494.5", "0")}
    assert own | others <= named <= own | others | as_text | {"0", '""', "null", "false"}


def test_what_was_left_out_or_not_offered_is_never_called_passed(tmp_path: Path) -> None:
    ran = run(tmp_path, "--level", "documented", "--", "-k", "rating")
    assert ran.status == 0
    assert {"rating.accepts-1-to-5", "rating.rejects-outside"} <= ran.clauses("passed")
    assert "success.true" in ran.clauses("not-selected")
    assert "rating.whole-number" in ran.clauses("not-selected")
    with serving(_portal()) as base:
        target = target_file(tmp_path, base, more='not_offered = ["transport.scope"]')
        text = (tmp_path / "target.toml").read_text("utf-8").replace("forbidden = 7001\n", "")
        (tmp_path / "target.toml").write_text(text, "utf-8")
        ran = run(tmp_path, target, "--", "-k", "transport.scope or error.access-denied or rating")
        assert (ran.status, ran.report["verdict"]) == (1, "incomplete")
        assert ran.clauses("not-exercised") == {"error.access-denied"}
        assert ran.clauses("not-offered") == {"transport.scope"}
        assert run(tmp_path, target, "--allow-incomplete", "--", "-k", "access-denied or rating").status == 0


def test_the_run_that_stops_at_the_first_failure_still_reports(tmp_path: Path) -> None:
    with serving(_portal("accepts_0")) as base:
        ran = run(tmp_path, target_file(tmp_path, base), "--", "-x", "-k", "rating")
    assert ran.status == 1
    assert ran.clauses("failed") == {"rating.rejects-outside"}
    assert "rating.digits-as-text" in ran.clauses("not-selected")


BAD_INPUT: list[tuple[Callable[[Path], list[str]], str]] = [
    (lambda _: ["run", "--target", "none.toml"], "--target none.toml: cannot read this file"),
    (lambda _: ["run", "--deviations", "none.toml"], "none.toml: cannot read it (No such file"),
    (lambda _: ["explain", "rating.holes"], "unknown clause 'rating.holes'"),
    (lambda folder: ["run", target_file(folder, NOWHERE)], "/rest/***/***/: cannot connect: check the url"),
]


@pytest.mark.parametrize(("arguments", "told"), BAD_INPUT, ids=[told for _, told in BAD_INPUT])
def test_bad_input_ends_in_one_clear_line(tmp_path: Path, arguments: Callable[[Path], list[str]], told: str) -> None:
    ran = command(tmp_path, *arguments(tmp_path))
    assert ran.status == 2
    assert told in ran.output
    assert "Traceback" not in ran.output
    assert SECRET not in ran.output


def test_a_portal_that_is_none_is_told_from_a_faulty_one(tmp_path: Path) -> None:
    with serving(lambda _: PortalResponse(200, "text/html", b"<html>Welcome</html>")) as base:
        ran = run(tmp_path, target_file(tmp_path, base))
    assert ran.status == 2
    assert "the answers are not JSON but text/html (HTTP 200)" in ran.output
    with serving(ReferencePortal(load_edition("2024-10")).answer) as base:
        ran = run(tmp_path, target_file(tmp_path, base))
    assert ran.status == 2
    assert (
        "INVALID_CREDENTIALS (HTTP 200) to every call: the caller cannot be authorized: check the webhook's secret"
        in ran.output
    )
    assert ran.report == {}


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("rateable = 494", "rateable = 500", "sessions.rateable: the portal refuses to read session 500"),
        ("unknown = 999999937", "unknown = 495", "sessions.unknown: the portal knows session 495"),
        ("rest/1/", "rest/2/", "sessions.rateable: the caller may not rate session 494 (canVoteHead is 'N')"),
    ],
)
def test_a_wrong_session_is_told_from_a_violation(tmp_path: Path, old: str, new: str, told: str) -> None:
    def answer(request: PortalRequest) -> PortalResponse:
        user = reference.SECOND_SECRET if "/rest/2/" in request.path else reference.SECRET
        return honest(replace(request, path=request.path.replace(SECRET, user)))

    honest = ReferencePortal(load_edition("2024-10")).answer
    with serving(answer) as base:
        target = target_file(tmp_path, base)
        text = (tmp_path / "target.toml").read_text("utf-8").replace("open = 495\n", "").replace(old, new)
        (tmp_path / "target.toml").write_text(text, "utf-8")
        ran = run(tmp_path, target)
    assert ran.status == 2
    assert told in ran.output
    assert ran.report == {}


@pytest.mark.parametrize("faults", [(), ("accepts_6", "refuses_everything", "takes_any_secret")])
def test_no_secret_shows_in_any_output_or_file(tmp_path: Path, faults: tuple[str, ...]) -> None:
    """The plan sends each encoding, caller and kind of batch."""
    with serving(_portal(*faults)) as base:
        target = target_file(tmp_path, base)
        ran = run(tmp_path, target, "--plan", "--", "-l", "--log-level=DEBUG", "--tb=long", "-vv", "-rA")
    assert ran.status == (1 if faults else 0)
    for secret in (SECRET, TOKEN):
        assert secret not in ran.output
        assert secret not in _files(tmp_path)


def test_a_secret_that_is_a_word_of_the_report_hides_nothing(tmp_path: Path) -> None:
    honest = ReferencePortal(load_edition("2024-10"))
    next(fault for fault in MUTANTS if fault.name == "accepts_6").apply(honest)

    def answer(request: PortalRequest) -> PortalResponse:
        return honest.answer(
            replace(request, path=request.path.replace("/rest/1/rating/", f"/rest/1/{reference.SECRET}/"))
        )

    with serving(answer) as base:
        target = target_file(tmp_path, base)
        text = (tmp_path / "target.toml").read_text("utf-8").replace("${B24_SECRET}", "rating")
        (tmp_path / "target.toml").write_text(text, "utf-8")
        ran = run(tmp_path, target, "--", "-k", "rating.rejects-outside")
    assert ran.status == 1
    assert ran.clauses("failed") == {"rating.rejects-outside"}


def test_explain_says_what_each_edition_says(tmp_path: Path) -> None:
    ran = command(tmp_path, "explain", "error.chat-type")
    assert ran.status == 0
    assert "edition 2024-10: documented" in ran.output
    assert "codes: CHAT_TYPE" in ran.output
    assert "edition 2026-03: not a clause of it" in ran.output
    assert "imopenlines-session-head-vote.md, Possible Error Codes (58d6007a)" in ran.output
    everything = command(tmp_path, "explain", "--edition", "2026-03").output
    assert all(clause in everything for clause in load_edition("2026-03").clauses)
