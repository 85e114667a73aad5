"""The pytest plugin: options, the fixture `judge`, and what is said at the end of a run."""

from collections.abc import Generator
from typing import Any, Final, NoReturn

import click
import pytest
from pytest_recording import network

from conformance.console import Console
from conformance.courts import Court, court_of
from conformance.engine.results import ClauseResult, result_from
from conformance.engine.runner import HISTORY, trial_order
from conformance.errors import UserError
from conformance.reporting.files import annotations, write_files
from conformance.reporting.report import report_of, write_report
from conformance.reporting.terminal import summary, violation_block
from conformance.reporting.verdict import RunVerdict, Selection, Status, decide, decide_clause
from conformance.run import DEFAULT_CAP, SEED_INPUT, Run, run_of
from conformance.suite import Judge

CANNOT_RUN: Final = 2
RUN: Final = pytest.StashKey[Run]()
TRIED: Final = pytest.StashKey[dict[str, Any]]()
REPORT: Final = pytest.StashKey[dict[str, Any]]()
NOT_RECORDED: Final = pytest.StashKey[str]()
DECIDED: Final = pytest.StashKey[RunVerdict]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("vote-conformance", "conformance of imopenlines.session.head.vote")
    group.addoption("--target", default="mock", help="`mock` (the embedded portal) or a target file")
    group.addoption("--edition", help="2024-10, 2026-03, or auto: ask the portal")
    group.addoption("--level", default="implied", help="documented: judge only that; implied: judge both (default)")
    group.addoption("--deviations", help="file of the target's known deviations")
    group.addoption("--plan", action="store_true", help="send the plan and nothing else (default on a live target)")
    group.addoption("--exhaustive", action="store_true", help="send every combination of classes in every encoding")
    group.addoption("--budget", help="the plan with so many requests at most")
    group.addoption("--no-votes", action="store_true", help="the plan without calls that could write on some portal")
    group.addoption("--client", help="judge a client library: a program, or module:function of Python")
    group.addoption("--https", action="store_true", help="give the client library a URL with https")
    group.addoption("--cap", help=f"seconds that a call of the client library may take (default: {DEFAULT_CAP:g})")
    group.addoption("--yes", action="store_true", help="send votes to a live target without asking")
    group.addoption("--seed", help="the seed of the drawn calls")
    group.addoption("--report-dir", help="where report.json is written (default: reports/<target>)")
    group.addoption(
        "--allow-incomplete", action="store_true", help="exit 0 although documented clauses were not exercised"
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "clause(id): the clause of the contract that the test judges")
    try:
        run = config.stash[RUN] = run_of(config)
    except UserError as problem:
        raise pytest.UsageError(str(problem)) from None
    config.pluginmanager.register(_Collector(run))


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Every worker of pytest-xdist draws from the seed that the report shows."""
    node.workerinput[SEED_INPUT] = node.config.stash[RUN].seed


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Puts the clauses into the order of trial and leaves out those that the run is not about."""
    run = config.stash[RUN]
    clauses = run.clauses
    order = trial_order(run.edition) if run.client is None else clauses
    place = {name: at for at, name in enumerate(order)}
    judged = {item: mark.args[0] for item in items if (mark := item.get_closest_marker("clause"))}
    for item, name in judged.items():
        item.extra_keyword_matches.add(name)  # so that -k takes the ids of clauses

    def is_selected(item: pytest.Item) -> bool:
        name = judged.get(item)
        if name is None:
            return True
        if name not in clauses or name in run.target.not_offered:
            return False
        return run.level == "implied" or clauses[name].level != "implied"

    items[:] = sorted(
        (item for item in items if is_selected(item)),
        key=lambda item: place[judged[item]] if item in judged else -1,
    )


def pytest_collection_finish(session: pytest.Session) -> None:
    marks = (item.get_closest_marker("clause") for item in session.items)
    session.config.stash[RUN].collected.update(mark.args[0] for mark in marks if mark)


@pytest.fixture(scope="session")
def court(request: pytest.FixtureRequest) -> Generator[Court, None, None]:
    """What tries the clauses that the run is about."""
    run = request.config.stash[RUN]
    marks = (item.get_closest_marker("clause") for item in request.session.items)
    opened = court_of(run, [mark.args for mark in marks if mark], Console(request.config))
    try:
        court = opened.__enter__()
    except UserError as problem:
        _stop(problem, run)
    yield court
    opened.__exit__(None, None, None)


@pytest.fixture
def judge(request: pytest.FixtureRequest, court: Court) -> Judge:
    """Tries the clause of a test; the test fails where the clause does not hold."""
    run = request.config.stash[RUN]

    def on_trial(name: str) -> None:
        # JUnit shows these with the test.
        request.node.user_properties += [("clause", name), ("level", run.clauses[name].level)]
        try:
            court.hold(name)
        except UserError as problem:
            _stop(problem, run)
        except Exception as error:
            court.tallies[name].errors.append(f"the suite itself failed: {type(error).__name__}")
            raise
        finally:
            found = court.tallies[name].document(run.target.redactor.text)
            tally = result_from(found)
            court.history += tally.history
            request.node.stash[TRIED] = {"tally": found, **court.sent()}
        _conclude(run, tally, court)

    return on_trial


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Carries the tally to the controller, and takes secrets out of everything that pytest would print."""
    report = yield
    redactor = item.config.stash[RUN].target.redactor
    if report.when == "call" and TRIED in item.stash:
        report.vote_conformance = item.stash[TRIED]  # type: ignore[attr-defined]
    report.sections = [(title, redactor.text(text)) for title, text in report.sections]
    text = report.longreprtext
    if redactor.text(text) != text:
        report.longrepr = redactor.text(text)
    return report


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Decides the verdict, writes the report, and sets the exit status unless the run could not go on."""
    run = session.config.stash[RUN]
    if run.record is not None:
        network.unblock()
    if hasattr(session.config, "workerinput") or not run.tallies:
        return
    selection = Selection(
        frozenset(run.collected), run.target.not_offered, bool(session.shouldfail), run.allow_incomplete, run.unrecorded
    )
    decided = session.config.stash[DECIDED] = decide(run.clauses, run.tallies, run.deviations, selection)
    try:
        report = session.config.stash[REPORT] = report_of(decided, run.facts())
        write_report(report, run.report_folder)
        write_files(report, run.report_folder)
    except UserError as problem:
        _stop(problem, run)
    if session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        session.exitstatus = decided.exit_status
    if run.write_record is not None:
        try:
            run.write_record({name: tally.exchanges for name, tally in run.tallies.items()})
        except UserError as problem:
            session.config.stash[NOT_RECORDED] = run.target.redactor.text(str(problem))
            session.exitstatus = CANNOT_RUN


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    if DECIDED not in config.stash:
        return
    run = config.stash[RUN]
    terminalreporter.section("conformance")
    terminalreporter.write_line(summary(config.stash[DECIDED], run.facts(), terminalreporter.hasmarkup))
    terminalreporter.write_line(f"report: {run.report_folder / 'report.json'}, and report.html beside it")
    if REPORT in config.stash and (told := annotations(config.stash[REPORT])):
        terminalreporter.write_line(told)
    if NOT_RECORDED in config.stash:
        terminalreporter.write_line(f"not recorded: {config.stash[NOT_RECORDED]}", red=True)
    elif run.write_record is not None:
        terminalreporter.write_line(f"record: {run.records_to}")


def pytest_unconfigure(config: pytest.Config) -> None:
    """What could not be put back is the last line of the run, however that ended."""
    if RUN in config.stash and config.stash[RUN].not_put_back:
        click.echo(f"NOT PUT BACK: {config.stash[RUN].not_put_back}")


def pytest_sessionstart(session: pytest.Session) -> None:
    """A record is judged without network, whatever else the run does."""
    if session.config.stash[RUN].record is not None:
        network.block()


class _Collector:
    """Gathers the tallies where the verdict is decided: in the controller, or in the only process there is."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        tried = getattr(report, "vote_conformance", None)
        if tried is None:
            return
        self._run.requests += tried["requests"]
        self._run.writes += tried["writes"]
        self._run.combinations |= set(map(tuple, tried["combinations"]))
        tally = result_from(tried["tally"])
        self._run.tallies[tally.clause] = tally
        self._run.collected.add(tally.clause)


def _conclude(run: Run, tally: ClauseResult, court: Court) -> None:
    """The outcome of the test as pytest shows it, from the verdict on its clause."""
    clause = run.clauses[tally.clause]
    told = tuple(court.history) if clause.id == HISTORY else ()
    entry = decide_clause(clause, tally, run.deviations, told)
    if entry.status is Status.FAILED:
        pytest.fail(violation_block(entry.violations, clause, run.edition), pytrace=False)
    if entry.status in (Status.DEVIATION_GONE, Status.ERROR):
        pytest.fail(f"{clause.id}: {entry.note}", pytrace=False)
    if entry.status is Status.KNOWN_DEVIATION:
        pytest.xfail(entry.note)
    if entry.status is Status.NOT_EXERCISED:
        pytest.skip(f"{clause.id} is not exercised: {entry.note}")


def _stop(problem: UserError, run: Run) -> NoReturn:
    pytest.exit(run.target.redactor.text(f"cannot run: {problem}"), returncode=CANNOT_RUN)
