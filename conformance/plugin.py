"""The pytest plugin: the options of a run, the fixture that judges a clause, and what is shown at the end."""

import warnings
from collections.abc import Generator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final, get_args

import click
import pytest
from pytest_recording import network

from conformance.check import judge_clauses
from conformance.console import Console
from conformance.contract.clauses import CHAPTERS, CLIENT, Level
from conformance.engine.checks import Check
from conformance.engine.runner import clause_order
from conformance.errors import CANNOT_RUN, UserError
from conformance.options import Options, add_options, options_of
from conformance.planned import Listener
from conformance.reporting.deviations_file import change_deviations
from conformance.reporting.files import annotations, write_files
from conformance.reporting.report import report_of, write_report
from conformance.reporting.terminal import clause_table, conclusion, violation_block, what_to_export, what_was_sent
from conformance.reporting.verdict import ClauseVerdict, RunVerdict, Selection, Status, decide
from conformance.run import Run
from conformance.settings import settings_of
from conformance.suite import ConcludeClause


@dataclass(slots=True)
class State:
    """What the plugin knows of the run.

    shows_all: True if the table shows every clause.
    verdicts: the verdict on each clause, from when all requests were sent; concluded: those whose test has ended.
    verdict: that of the run, once it was decided; report: the same as the content of report.json.
    changed: lines about what was done to the deviation file.
    not_recorded: why the recording could not be written.
    cannot_run: True if the run was given up, and the reason was said.
    """

    run: Run
    shows_all: bool
    verdicts: dict[str, ClauseVerdict] = field(default_factory=dict)
    concluded: dict[str, ClauseVerdict] = field(default_factory=dict)
    verdict: RunVerdict | None = None
    report: dict[str, Any] | None = None
    changed: list[str] = field(default_factory=list)
    not_recorded: str = ""
    cannot_run: bool = False


_STATE: Final = pytest.StashKey[State]()


def pytest_addoption(parser: pytest.Parser) -> None:
    add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "clause(check): the clause of the contract that the test judges")
    for name in (*get_args(Level), *CHAPTERS, CLIENT):
        config.addinivalue_line("markers", f"{name}: tests of the clauses of this level or chapter")
    try:
        options = options_of(config)
        _check_options(config, options)
        run = Run(settings_of(options))
    except UserError as error:
        raise pytest.UsageError(str(error)) from None
    config.stash[_STATE] = State(run, shows_all=config.option.verbose > 0)
    if is_quiet(config):
        # pytest lists the ids of tests at -1, and shows only failures at -2. One -v is for our table.
        config.option.verbose = -1 if config.option.collectonly else max(config.option.verbose, 1) - 3


def is_quiet(config: pytest.Config) -> bool:
    """Return True in a run of the command: then the suite says what pytest would say otherwise."""
    return config.inipath is not None and config.inipath.name == "suite.ini"


def _check_options(config: pytest.Config, options: Options) -> None:
    """Raise UserError for the options of pytest and pytest-recording that a run cannot follow."""
    if config.getoption("block_network", default=False) and (options.client or options.target_is_file):
        raise UserError("--block-network: this run calls over the network: leave it out, or judge `mock` or a record")
    for name, is_given in (
        ("--setup-plan", config.option.setupplan),
        ("--setup-only", config.option.setuponly),
        ("--trace", config.getoption("trace", default=False)),
    ):
        if is_given:
            raise UserError(f"{name}: nothing would be judged by it: leave it out")
    for name in ("--allowed-hosts", "--disable-recording"):
        if config.getoption(name, default=None):
            raise UserError(f"{name}: the target file says which portal is called, and nothing else is: leave it out")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put the clauses into order and leave out those that the run is not about."""
    settings = config.stash[_STATE].run.settings
    clauses = settings.clauses
    order = clause_order(settings.edition) if settings.client is None else list(clauses)
    place = {name: at for at, name in enumerate(order)}
    judged = {item: check.clause for item in items if (check := _check_of(item))}
    for item, name in judged.items():
        if name in clauses:
            item.add_marker(clauses[name].level)
            item.add_marker(clauses[name].chapter)

    def is_selected(item: pytest.Item) -> bool:
        name = judged.get(item)
        if name is None:
            return True
        if name not in clauses or name in settings.target.not_offered:
            return False
        return settings.level == "implied" or clauses[name].level != "implied"

    if left_out := [item for item in items if not is_selected(item)]:
        config.hook.pytest_deselected(items=left_out)
    items[:] = sorted(filter(is_selected, items), key=lambda item: place[judged[item]] if item in judged else -1)


def pytest_sessionstart(session: pytest.Session) -> None:
    """Block the network while a recording is judged."""
    if session.config.stash[_STATE].run.settings.record is not None:
        network.block()


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool | None:
    """Send what the run needs, once for all clauses, before the first test. Return True if nothing can be judged."""
    config = session.config
    checks = _checks_of(session)
    if not checks or config.option.collectonly or hasattr(config, "workerinput"):
        return None
    state, console = config.stash[_STATE], Console(config)
    try:
        listener = Listener(console.say, console.ask, console.progress(state.run.settings.limit))
        state.verdicts = judge_clauses(state.run, checks, listener)
    except UserError as error:
        _say_cannot_run(session, str(error))
        return True
    except KeyboardInterrupt:
        _say_cannot_run(session, "stopped by Ctrl-C")
        return True
    console.end_progress()
    return None


@pytest.fixture
def conclude_clause(request: pytest.FixtureRequest) -> ConcludeClause:
    """Return the function that ends a test with the verdict on its clause, which is decided already.

    A clause enters the report when its test ends, so that -x leaves the later ones out.
    """
    state = request.config.stash[_STATE]
    if hasattr(request.config, "workerinput"):
        pytest.fail("-n: a run is one list of requests, which one process sends: leave -n out", pytrace=False)

    def conclude(check: Check) -> None:
        # JUnit shows these with the test.
        clause = state.run.settings.clauses[check.clause]
        request.node.user_properties += [("clause", clause.id), ("level", clause.level)]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", pytest.PytestExperimentalApiWarning)
            request.getfixturevalue("record_xml_attribute")("classname", clause.chapter)
        state.concluded[check.clause] = state.verdicts[check.clause]
        _conclude(state, state.verdicts[check.clause])

    return conclude


@pytest.hookimpl(wrapper=True)
def pytest_report_teststatus(config: pytest.Config) -> Generator[None, tuple[Any, ...], tuple[Any, ...]]:
    """Show no dot for each test: all requests are sent before the first of them."""
    category, letter, word = yield
    return (category, "", "") if is_quiet(config) and config.option.verbose < 0 else (category, letter, word)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Take secrets out of everything that pytest would print."""
    report = yield
    redactor = item.config.stash[_STATE].run.settings.target.redactor
    report.sections = [(title, redactor.text(text)) for title, text in report.sections]
    text = report.longreprtext
    if redactor.text(text) != text:
        report.longrepr = redactor.text(text)
    return report


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Put the found votes back if an interrupt came in between, and set the exit status."""
    state = session.config.stash[_STATE]
    state.run.put_back()
    _finish(session, state)
    if state.run.not_put_back:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def _finish(session: pytest.Session, state: State) -> None:
    """Decide the verdict, write the report, and set the exit status unless the run could not go on."""
    run, settings = state.run, state.run.settings
    if settings.record is not None:
        network.unblock()
    if state.cannot_run:
        session.exitstatus = CANNOT_RUN
        return
    collected = frozenset(check.clause for check in _checks_of(session))
    if not state.concluded:
        # Tests that failed before anything was judged are no verdict.
        if collected and session.exitstatus == pytest.ExitCode.TESTS_FAILED:
            session.exitstatus = CANNOT_RUN
        return
    selection = Selection(
        collected,
        settings.target.not_offered,
        bool(session.shouldfail),
        settings.allow_incomplete,
        run.unrecorded,
    )
    verdict = decide(settings.clauses, state.concluded, selection)
    try:
        report = report_of(verdict, run.facts())
        write_report(report, settings.report_folder)
        write_files(report, settings.report_folder)
        if settings.write_deviations or settings.update_deviations:
            state.changed = change_deviations(
                verdict,
                settings.deviations,
                settings.deviation_file,
                settings.write_deviations,
                settings.update_deviations,
            )
    except UserError as error:
        _say_cannot_run(session, str(error))
        session.exitstatus = CANNOT_RUN
        return
    state.verdict, state.report = verdict, report
    if is_quiet(session.config) and session.shouldfail:
        session.shouldfail = ""  # pytest would say after the summary why it stopped
    if session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        session.exitstatus = verdict.exit_status
    if run.write_record is not None:
        try:
            run.write_record({name: entry.exchanges for name, entry in state.concluded.items()})
        except UserError as error:
            state.not_recorded = settings.target.redactor.text(str(error))
            session.exitstatus = CANNOT_RUN


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    state = config.stash[_STATE]
    if state.verdict is None or state.report is None:
        return
    settings, facts = state.run.settings, state.run.facts()
    write = terminalreporter.write_line
    if lines := annotations(state.report):
        write(lines)
    terminalreporter.section("conformance")
    if table := clause_table(state.verdict, terminalreporter.hasmarkup, whole=state.shows_all):
        write(table)
        write("")
    write(what_was_sent(facts, whole=state.shows_all))
    if state.not_recorded:
        write(f"not recorded: {state.not_recorded}", red=True)
    elif state.run.write_record is not None:
        write(f"record: {settings.records_to}")
    for line in state.changed:
        write(line)
    write(f"report: {settings.report_folder / 'report.html'}, and report.json beside it")
    write("")
    write(conclusion(state.verdict, facts, terminalreporter.hasmarkup))


def pytest_unconfigure(config: pytest.Config) -> None:
    """Say in the last line of the run what could not be put back, however the run ended."""
    if _STATE not in config.stash:
        return
    run = config.stash[_STATE].run
    for title, lines in (("LEFT BEHIND", run.left_behind), ("NOT PUT BACK", run.not_put_back)):
        if lines:
            _say_last(f"{title}: {'; '.join(lines)}")


def _say_last(line: str) -> None:
    """Print a line. Where standard output cannot take it, standard error may."""
    try:
        click.echo(line)
    except OSError:
        with suppress(OSError):
            click.echo(line, err=True)


def _check_of(item: pytest.Item) -> Check | None:
    mark = item.get_closest_marker("clause")
    check: Check | None = mark.args[0] if mark else None
    return check


def _checks_of(session: pytest.Session) -> list[Check]:
    return [check for item in session.items if (check := _check_of(item))]


def _conclude(state: State, entry: ClauseVerdict) -> None:
    """Show the verdict on a clause as pytest shows the outcome of a test."""
    clause, settings = entry.clause, state.run.settings
    if entry.status is Status.FAILED:
        block = violation_block(entry.violations, clause, settings.edition)
        others = [one for one in state.concluded.values() if one.status is Status.FAILED and one is not entry]
        if missing := what_to_export(entry.violations[0], settings.target, [one.violations[0] for one in others]):
            block += f"\n  {missing}"
        pytest.fail(block, pytrace=False)
    if entry.status in (Status.DEVIATION_GONE, Status.ERROR, Status.INCOMPLETE):
        pytest.fail(f"{clause.id}: {entry.note}", pytrace=False)
    if entry.status is Status.KNOWN_DEVIATION:
        pytest.xfail(entry.note)
    if entry.status is Status.NOT_EXERCISED:
        pytest.skip(f"{clause.id} is not exercised: {entry.note}")


def _say_cannot_run(session: pytest.Session, reason: str) -> None:
    state = session.config.stash[_STATE]
    text = state.run.settings.target.redactor.text(f"cannot run: {reason}")
    Console(session.config).say(text, red=True)
    state.cannot_run = True
