"""What a program under the gate may do without hurting the run: hang, flood, answer unasked, leave children behind."""

import os
import resource
import select
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from conformance.check import Report, check_client
from conformance.clients.process import CommandClient, Printed
from conformance.clients.protocol import AdapterReply, Asked, Returned, TimedOut
from conformance.contract.clauses import edition_names, load_edition
from conformance.engine.deviations import Deviation
from conformance.errors import UserError
from conformance.options import JOBS
from conformance.portals.scripts import documented_refusals
from conformance.reporting.verdict import Status, Verdict
from conformance.selfcheck.client_mutants import command_of

EDITION = load_edition(edition_names()[-1])
ASKED = Asked("http://127.0.0.1:9/rest/1/x/", "", "m", {})


def _gate(
    name: str,
    *clauses: str,
    timeout: float = 3.0,
    max_seconds: float = 300.0,
    deviations: tuple[Deviation, ...] = (),
) -> Report:
    return check_client(
        command_of(name),
        EDITION,
        draws=1,
        timeout_seconds=timeout,
        max_seconds=max_seconds,
        deviations=deviations,
        only=clauses,
    )


def _program(folder: Path, text: str, timeout: float = 5.0) -> CommandClient:
    file = folder / "program.py"
    file.write_text(text, "utf-8")
    return CommandClient([sys.executable, str(file)], {}, timeout)


def test_one_hang_does_not_hide_the_other_answers() -> None:
    report = _gate("hangs_on_expired_token", "client.error-code", timeout=4)
    [entry] = report.verdict.with_status(Status.INCOMPLETE)
    assert "answered expired_token-401" in entry.note
    assert entry.exchanges >= len(documented_refusals(EDITION)) - 1


BEHIND_THE_LIMIT = ("client.error-code", "client.error-in-200", "client.rate-limit", "client.recovers")


def _hang(hangs: bool) -> Deviation:
    limits = frozenset({"QUERY_LIMIT_EXCEEDED-200", "QUERY_LIMIT_EXCEEDED-503"})
    return Deviation("client.rate-limit", "retries without end", "seen", {"answer": limits}, False, hangs=hangs)


def test_what_cannot_be_judged_because_of_a_known_hang_is_shown_and_does_not_make_a_gate_incomplete() -> None:
    report = _gate("retries_for_ever", *BEHIND_THE_LIMIT, timeout=8, deviations=(_hang(True),))
    assert report.verdict.verdict is Verdict.WITH_DEVIATIONS
    notes = {entry.clause.id: entry.note for entry in report.verdict.with_status(Status.KNOWN_DEVIATION)}
    assert notes["client.rate-limit"] == "retries without end"
    for clause in ("client.error-code", "client.error-in-200", "client.recovers"):
        assert notes[clause] == "1 of its calls not judged: known hang, retries without end"


@pytest.mark.parametrize(
    ("name", "hangs"), [("retries_for_ever", False), ("retries_for_ever_and_hangs_on_expired_token", True)]
)
def test_a_hang_that_no_entry_lists_as_one_stays_incomplete(name: str, hangs: bool) -> None:
    report = _gate(name, *BEHIND_THE_LIMIT, timeout=8, deviations=(_hang(hangs),))
    assert report.verdict.verdict is Verdict.INCOMPLETE
    lost = {entry.clause.id for entry in report.verdict.with_status(Status.INCOMPLETE)}
    assert lost == {"client.error-code", "client.error-in-200", "client.recovers"}


def test_a_known_hang_is_strict() -> None:
    report = _gate("posts_json", *BEHIND_THE_LIMIT, deviations=(_hang(True),))
    assert report.verdict.verdict is Verdict.DEVIATIONS_OUTDATED
    report = _gate("forgets_the_answer_of_a_retry", "client.rate-limit", deviations=(_hang(True),))
    assert report.verdict.verdict is Verdict.NOT_CONFORMANT


def test_of_a_library_that_hangs_each_time_three_answers_are_tried() -> None:
    report = _gate("hangs_on_errors", "client.error-code")
    assert report.verdict.verdict is Verdict.INCOMPLETE
    assert report.facts.requests < 3 + 3 * JOBS


def test_what_the_time_of_the_gate_leaves_is_incomplete() -> None:
    report = _gate("posts_json", "client.error-code", "client.true", max_seconds=0.0)
    assert report.verdict.verdict is Verdict.INCOMPLETE
    for entry in report.verdict.clauses:
        if entry.clause.id in ("client.error-code", "client.true"):
            assert entry.status is Status.INCOMPLETE
            assert (
                entry.note == f"{entry.lost} of {entry.lost} calls were not answered: "
                "not sent: the time of the gate was over (--max-time)"
            )


def test_one_lost_call_of_many_alike_is_shown_and_no_more_makes_a_gate_incomplete() -> None:
    clause = "client.parameters-intact"
    [entry] = [one for one in _gate("hangs_on_one_text", clause).verdict.clauses if one.clause.id == clause]
    assert (entry.status, entry.lost) == (Status.PASSED, 1)
    assert entry.note.startswith(f"1 of {entry.exchanges + 1} calls were not answered: nothing within 3 s")
    report = _gate("hangs_on_four", clause)
    assert report.verdict.verdict is Verdict.INCOMPLETE


def test_a_flood_is_bounded_in_memory(tmp_path: Path) -> None:
    client = _program(tmp_path, "input()\nwhile True:\n    print('{\"value\": true}x' * 100_000)\n", timeout=2)
    assert isinstance(client.ask(ASKED)[0].back, TimedOut)
    assert len(client.first_line) < 1_000
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < 700_000


def test_an_answer_to_a_call_that_was_not_read_is_no_answer(tmp_path: Path) -> None:
    client = _program(
        tmp_path, "import time\nfor _ in range(9):\n    print('{\"value\": true}', flush=True)\ntime.sleep(9)\n", 1
    )
    assert isinstance(client.ask(ASKED)[0].back, TimedOut)


def test_answers_that_nobody_asked_for_are_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    all_read = threading.Event()
    add = Printed.add

    def notice(printed: Printed, text: str) -> None:
        add(printed, text)
        if "done" in text:
            all_read.set()

    monkeypatch.setattr(Printed, "add", notice)
    client = _program(
        tmp_path,
        "import json, sys\n"
        "for number, line in enumerate(sys.stdin):\n"
        "    print(json.dumps({'value': number}), flush=True)\n"
        "    for _ in range(20):\n"
        '        print(\'{"value": "again"}\', flush=True)\n'
        "    print('done', flush=True)\n",
    )
    assert client.ask(ASKED)[0].back == Returned(0)
    assert all_read.wait(30)
    assert client.ask(ASKED)[0].back == Returned(1)
    client.finish()


def test_descendants_are_ended_with_the_program(tmp_path: Path) -> None:
    client = _program(
        tmp_path,
        "import subprocess, sys\n"
        "input()\n"
        "child = subprocess.Popen(['sleep', '600'], start_new_session=True)\n"
        "print('{\"value\": %d}' % child.pid, flush=True)\n"
        "input()\n",
    )
    back = client.ask(ASKED)[0].back
    assert isinstance(back, Returned)
    assert isinstance(back.value, int)
    child = os.pidfd_open(back.value)
    client.finish()
    ended, _, _ = select.select([child], [], [], 10)
    os.close(child)
    assert ended


def test_what_a_program_says_of_itself_cannot_steer_a_terminal(tmp_path: Path) -> None:
    client = _program(tmp_path, 'input()\nprint(\'{"client": "\\\\u001b[2Jx", "value": true}\')\n')
    assert client.ask(ASKED)[0].back == Returned(True)
    client.finish()
    assert client.name == "\\x1b[2Jx"


def test_a_program_that_answers_once_costs_one_process_a_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    client = _program(tmp_path, "open('started', 'a').write('x')\ninput()\nprint('{\"value\": true}')\n")
    assert [client.ask(ASKED)[0].back for _ in range(5)] == [Returned(True)] * 5
    client.finish()
    assert os.path.getsize("started") <= 6


TWO_AT_ONCE = """
import json, sys
for line in sys.stdin:
    asked = json.loads(line)
    if isinstance(asked, list):
        print(json.dumps({"value": len(asked)}), flush=True)
        sys.exit("one of two")
    print('{"value": 1, "concurrent": true, "params": {"RATING": 5}}', flush=True)
"""


def test_two_calls_at_once_are_one_line_and_two_answers(tmp_path: Path) -> None:
    client = _program(tmp_path, TWO_AT_ONCE)
    assert not client.is_concurrent
    assert client.ask(ASKED) == [AdapterReply(Returned(1), "", {"RATING": 5}, is_concurrent=True)]
    assert client.is_concurrent
    first, second = client.ask(ASKED, ASKED)
    assert first.back == Returned(2)
    assert str(second.back) == "no answer: the program ended (status 1) before it answered: one of two"


def test_two_calls_at_once_have_one_cap(tmp_path: Path) -> None:
    client = _program(
        tmp_path, "input()\nprint('{\"value\": 1}', flush=True)\nimport time\ntime.sleep(60)\n", timeout=1
    )
    assert [reply.back for reply in client.ask(ASKED, ASKED)] == [Returned(1), TimedOut(1)]


def test_attempts_are_recorded_with_their_pauses_and_their_risk() -> None:
    report = _gate("tries_again", "client.broken-answer", "client.requests-sent", timeout=5)
    [entry] = report.verdict.with_status(Status.OBSERVED)
    assert entry.observed["html-502"] == "1 request"
    report = _gate("tries_again_after_a_lost_answer", "client.broken-answer", "client.requests-sent", timeout=5)
    [entry] = report.verdict.with_status(Status.OBSERVED)
    risk = "2 requests, pauses below 0.1 s; sent again although it may have been carried out"
    assert entry.observed["dropped"].replace("about 0.3 s", "below 0.1 s") == risk


def test_what_arrived_at_another_path_is_shown(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        "import json, urllib.request\n"
        "asked = json.loads(input())\n"
        "try:\n"
        "    urllib.request.urlopen(asked['url'].partition('/rest/')[0] + '/api/vote')\n"
        "except OSError:\n"
        '    print(\'{"exception": "404"}\')\n'
    )
    with pytest.raises(UserError, match=r"\(GET /api/vote did\)"):
        check_client(f"{sys.executable} {program}", EDITION)


def test_three_calls_are_shown_in_both_directions(tmp_path: Path) -> None:
    line = [sys.executable, "-m", "conformance", "client-check", command_of("posts_json")]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("  to the program  {") == 3
    assert '  answer          {"error": {"code": "ACCESS_DENIED"' in done.stdout
    assert "  arrived         imopenlines.session.head.vote: SESSION_ID=494" in done.stdout
    done = subprocess.run([*line[:-1], "echo hello"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "  printed         hello" in done.stdout
    assert "0 answers to one call" in done.stdout
