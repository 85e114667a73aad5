"""The options of a run, and the command line: one line for each error, one status for each kind of error."""

import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from conformance.contract.clauses import edition_names
from conformance.errors import UserError
from conformance.options import GROUPS, OPTIONS, Options, checked
from conformance.portals.php_forms import PortalRequest
from conformance.portals.reference import PortalResponse
from conformance.portals.server import serving
from conformance.selfcheck.outside import command, environment, faulty, keyed, target_file

GOLDEN = Path(__file__).with_name("golden") / "report-3.json"
FEW = ("--report-dir", "report", "-k", "rating.rejects-outside")
SLOW = {"pytest", "hypothesis", "httpx", "vcr", "jsonschema", "jinja2", "uvicorn", "starlette", "trustme", "respx"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Yield a folder with reports that got worse, a file that is none, and the target file of a faulty portal."""
    folder = tmp_path_factory.mktemp("options")
    report = json.loads(GOLDEN.read_text("utf-8"))
    (folder / "before.json").write_text(json.dumps(report), "utf-8")
    next(clause for clause in report["clauses"] if clause["status"] == "passed")["status"] = "failed"
    (folder / "after.json").write_text(json.dumps(report), "utf-8")
    (folder / "cut.json").write_text("{", "utf-8")
    with serving(keyed(faulty("2024-10", "accepts_6").answer)) as base:
        target_file(folder, base)
        automatic = (folder / "target.toml").read_text("utf-8").replace('"2024-10"', '"auto"')
        (folder / "auto.toml").write_text(automatic, "utf-8")
        yield folder


STATUSES: list[tuple[list[str], int, str]] = [
    (["--version"], 0, "version"),
    (["-h"], 0, "Commands:"),
    (["run", "-h"], 0, "--level documented|implied"),
    (["run", *FEW], 0, "verdict: conformant"),
    (["run", "--", *FEW], 0, "verdict: conformant"),
    (
        ["run", "-m", "rating", "--plan", "--report-dir", "report", "--block-network"],
        0,
        "4 passed, ",
    ),
    (
        ["run", "--collect-only", "-k", "rating.rejects"],
        0,
        "test_rating.py::test_a_rating_outside_1_to_5_is_refused[rat",
    ),
    (["run", "--plan", "test_rating.py", "-k", "rejects", "--report-dir", "report"], 0, "1 passed, "),
    (["run", "--target", "target.toml", *FEW], 1, "verdict: not-conformant"),
    (["run", "--target", "auto.toml", *FEW], 1, "verdict: not-conformant   staging, edition 2024-10"),
    (["plan", "--budget", "20", "--edition", "2026-03"], 0, "left out by --votes 45 and --budget 20"),
    (["report", "before.json", "--markdown"], 0, "### not-conformant"),
    (["diff", "before.json", "before.json"], 0, ""),
    (["diff", "before.json", "after.json"], 1, "fails now"),
    (["diff", "before.json", "after.json", "--json"], 1, "failure"),
    (["diff", "before.json", "after.json", "--fail-on", "never"], 0, "fails now"),
    (["diff", "before.json", "after.json", "--fail-on", "never", "--json"], 0, '"worse": true'),
    (["diff", "before.json", "after.json", "--fail-on", "never", "--html"], 0, "It got worse"),
    (["export", "openapi"], 0, "openapi"),
    (["explain"], 0, "rating.rejects-outside"),
    (["explain", "rating.rejects-outside"], 0, "edition 2026-03"),
]


@pytest.mark.parametrize(("arguments", "status", "shown"), STATUSES, ids=[" ".join(row[0]) for row in STATUSES])
def test_a_command_that_did_its_work_says_so_by_its_status(
    folder: Path, arguments: list[str], status: int, shown: str
) -> None:
    ran = command(folder, *arguments)
    assert ran.status == status, ran.output
    assert shown in ran.output


EDITIONS = "choose 2024-10, 2025-05 or 2026-03"
ERRORS: list[tuple[list[str], str]] = [
    (["--nonsense"], "No such option '--nonsense'."),
    (["judge"], "No such command 'judge'."),
    (["run", "--nonsense"], "unrecognized arguments: --nonsense: `vote-conformance run -h` lists the options"),
    (["run", "--target"], "argument --target: expected one argument: `vote-conformance run -h` lists the options"),
    (["run", "nowhere.py"], "file or directory not found: nowhere.py"),
    (["run", "-k", "nothing_of_that_name"], "no clause is left to judge: see -k, -m, --level"),
    (["run", "--level", "foo"], "--level foo: choose documented or implied"),
    (["run", "--edition=foo"], "--edition foo: choose 2024-10, 2025-05, 2026-03 or auto"),
    (["run", "--edition", "auto"], "--edition auto: only a portal with a url is asked"),
    (["run", "--record-mode=once"], "--record-mode once: choose none or rewrite"),
    (["run", "--block-network", "--target", "target.toml"], "--block-network: this run calls over the network"),
    (["run", "--allowed-hosts=x"], "--allowed-hosts: the target file says which portal is called"),
    (["run", "--target", "record:x"], "--target record:x: choose record:documentation-2026-03, "),
    (["run", "--seed", "x"], "--seed x: give a whole number"),
    (["run", "--target", "none.toml"], "--target none.toml: cannot read this file"),
    (["run", "--deviations", "none.toml"], "none.toml: cannot read it (No such file or directory)"),
    (["run", "--cap", "3"], "--timeout, --https, --jobs and --max-time go with --client: leave them out"),
    (["run", "--report-dir", "cut.json", "-k", "rating"], "--report-dir cut.json: cannot write the report"),
    (["plan", "--edition", "foo"], "--edition foo: choose 2024-10, 2025-05, 2026-03 or auto"),
    (["plan", "--edition", "auto"], "--edition auto: nothing is sent, so no portal is asked"),
    (["plan", "--budget", "some"], "--budget some: give a whole number"),
    (["plan", "--budget", "1"], "--budget 1: the preflight alone takes"),
    (["plan", "--target", "none.toml"], "--target none.toml: cannot read this file"),
    (["serve", "--edition", "foo"], f"--edition foo: {EDITIONS}"),
    (["serve", "--as", "foo"], "--as foo: choose reference or bitrix24"),
    (["serve", "--port", "foo"], "Invalid value for '--port': 'foo' is not a valid integer."),
    (["serve", "--host", "nowhere.invalid"], "cannot listen on 'nowhere.invalid'"),
    (["report"], "Missing argument 'FILES...'."),
    (["report", "cut.json"], "cut.json: not valid JSON"),
    (["report", "none.json"], "none.json: cannot read it (No such file or directory)"),
    (["report", "before.json", "--output", "cut.json/x"], "--output cut.json/x: cannot write it"),
    (
        ["diff", "before.json", "after.json", "--fail-on", "foo"],
        "--fail-on foo: choose note, warning, failure or never",
    ),
    (["diff", "before.json", "cut.json"], "cut.json: not valid JSON"),
    (["export", "openapi", "--edition", "foo"], f"--edition foo: {EDITIONS}"),
    (["explain", "--edition", "foo"], f"--edition foo: {EDITIONS}"),
    (["explain", "no.clause"], "unknown clause 'no.clause'"),
    (["explain", "rating"], "unknown clause 'rating': did you mean optional.rating-alone, rating.accepts-1-to-5, "),
    (["explain", "rating.rejects-outsid"], "did you mean rating.rejects-outside?"),
    (["plan", "--target", "auto.toml"], "staging: edition auto: nothing is sent, so no portal is asked"),
]


@pytest.mark.parametrize(("arguments", "said"), ERRORS, ids=[" ".join(row[0]) for row in ERRORS])
def test_a_command_that_cannot_run_says_why_in_one_line(folder: Path, arguments: list[str], said: str) -> None:
    ran = command(folder, *arguments)
    assert ran.status == 2, ran.output
    assert said in ran.output
    assert not re.search("(?i)usage:|Traceback", ran.output)
    assert len(re.findall(r"(?im)^error: |cannot run: ", ran.output)) == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no file that is always full")
@pytest.mark.parametrize("arguments", ["explain", "export openapi", "plan", "report before.json"])
def test_output_that_cannot_be_written_is_no_verdict(folder: Path, arguments: str) -> None:
    line = [sys.executable, "-m", "conformance", *arguments.split()]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(line, stdout=full, stderr=subprocess.PIPE, text=True, cwd=folder, check=False)
    assert (done.returncode, done.stderr) == (2, "Error: standard output: No space left on device\n")


def test_an_interrupted_run_is_no_verdict(tmp_path: Path) -> None:
    honest, arrived = keyed(faulty("2024-10").answer), Event()

    def answer(request: PortalRequest) -> PortalResponse:
        arrived.set()
        return honest(request)

    with serving(answer) as base:
        line = [sys.executable, "-m", "conformance", "run", target_file(tmp_path, base), "--exhaustive"]
        with subprocess.Popen(line, stdout=subprocess.DEVNULL, cwd=tmp_path, env=environment()) as running:
            assert arrived.wait(timeout=60)
            running.send_signal(signal.SIGINT)
            assert running.wait(timeout=60) == 2


@pytest.mark.parametrize(
    ("arguments", "permitted"),
    [
        ("--version", set[str]()),
        ("run -h", set[str]()),
        ("explain rating.rejects-outside", set[str]()),
        ("export openapi", set[str]()),
        ("diff before.json before.json", {"jsonschema"}),
        ("report before.json", {"jsonschema", "jinja2"}),
        ("plan", {"hypothesis", "httpx"}),
        ("serve --host nowhere.invalid", {"starlette", "uvicorn", "trustme"}),
    ],
)
def test_a_command_imports_only_what_it_needs(folder: Path, arguments: str, permitted: set[str]) -> None:
    line = [sys.executable, "-X", "importtime", "-m", "conformance", *arguments.split()]
    done = subprocess.run(line, capture_output=True, text=True, cwd=folder, check=False)
    imported = {row.rpartition("|")[2].strip() for row in done.stderr.splitlines() if row.startswith("import time:")}
    assert "conformance.cli" in imported
    assert imported & SLOW <= permitted


def test_values_are_checked_and_typed() -> None:
    given = {"target": "x.toml", "budget": "50", "deviations": "d.toml", "report_dir": "r", "seed": "7", "plan": True}
    options = checked({**given, "edition": None, "yes": False})
    assert (options.target, options.budget, options.seed, options.plan) == ("x.toml", 50, 7, True)
    assert (options.deviations, options.report_dir) == (Path("d.toml"), Path("r"))
    assert (options.edition, options.level, options.record_mode, options.yes) == (None, "implied", "none", False)
    assert options.planned
    assert not checked({}).planned
    assert checked({"client": "gate:vote", "timeout": "1.5", "https": True}).timeout == 1.5


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"budget": "9" * 5000}, "give a whole number"),
        ({"budget": "-1"}, "--budget -1: give a whole number"),
        ({"client": "x:y", "timeout": "0"}, "--timeout 0: give seconds, a number above 0"),
        ({"client": "x:y", "timeout": "nan"}, "--timeout nan: give seconds"),
        ({"https": True}, "--timeout, --https, --jobs and --max-time go with --client"),
        ({"client": "x:y", "plan": True}, "--plan: it is about portals"),
        ({"client": "x:y", "budget": "50"}, "--budget: it is about portals"),
        ({"client": "x:y", "target": "x.toml"}, "--target: a client library is judged on the portal of the suite"),
        ({"client": "x:y", "record_mode": "rewrite"}, "--record-mode: only a portal with a url is recorded"),
        ({"exhaustive": True, "record_mode": "rewrite"}, "--record-mode: a plan is recorded"),
        ({"exhaustive": True, "no_votes": True}, "--exhaustive: it does not go with --plan"),
    ],
)
def test_values_that_do_not_fit_are_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match=re.escape(said)):
        checked(given)


def test_the_table_and_the_values_name_the_same_options() -> None:
    assert {option.field for option in OPTIONS} == set(Options.__dataclass_fields__) - {"workers"}
    assert [option for options in GROUPS.values() for option in options] == list(OPTIONS)
    edition = next(option for option in OPTIONS if option.name == "--edition")
    assert edition.choices == (*edition_names(), "auto")


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("explain rating.re", {"rating.rejects-outside"}),
        ("explain client.omi", {"client.omitted-stays-omitted"}),
        ("explain --edition 2026", {"2026-03"}),
        ("diff --fail-on w", {"warning"}),
        ("run --re", {"--report-dir", "--record-mode"}),
        ("run --level doc", {"documented"}),
        ("run -x --edition a", {"auto"}),
    ],
)
def test_the_shell_completes_options_choices_and_clauses(folder: Path, typed: str, offered: set[str]) -> None:
    words = f"vote-conformance {typed}"
    shell = {
        "_VOTE_CONFORMANCE_COMPLETE": "bash_complete",
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(words.split()) - 1),
    }
    line = [sys.executable, "-m", "conformance"]
    done = subprocess.run(line, capture_output=True, text=True, cwd=folder, env={**environment(), **shell}, check=False)
    assert {row.partition(",")[2] for row in done.stdout.splitlines()} == offered
