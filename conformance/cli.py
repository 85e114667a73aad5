"""The command vote-conformance: a thin face of pytest, and what can be shown without a portal."""

import difflib
import os
import re
import shlex
import shutil
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import click

from conformance import __version__
from conformance.arguments import (
    CommandGroup,
    Forwarded,
    OneOf,
    complete_clause,
    complete_library,
    complete_value,
    options_of_a_run,
)
from conformance.contract.clauses import Edition, default_edition, load_edition
from conformance.errors import CANNOT_RUN, UserError
from conformance.options import AUTO, EDITIONS, checked
from conformance.portals import PORTALS, SERVED_PORT

_HELP: Final = ("-h", "--help")
_CACHE: Final = ".pytest_cache/vote-conformance"
"""Where --lf finds the last failures, apart from those of the project in whose folder the command runs."""
_TEST: Final = re.compile(r"test_\w+\.py(::|$)")
"""A file or test of the suite, as reports name it."""


def _grades() -> Sequence[str]:
    from conformance.reporting.diff import GRADES, NEVER

    return (*GRADES, NEVER)


_EDITION: Final = OneOf(lambda: EDITIONS)
_OUTPUT: Final = click.option(
    "--output", metavar="FILE", type=click.Path(path_type=Path), help="Default: standard output."
)


@click.group(cls=CommandGroup, context_settings={"help_option_names": list(_HELP)})
@click.version_option(__version__)
def main() -> None:
    """Judges implementations of the Bitrix24 REST method imopenlines.session.head.vote by its documentation."""


@main.command(
    cls=Forwarded,
    add_help_option=False,
    context_settings={"ignore_unknown_options": True},
    options_metavar="[OPTIONS] [OPTIONS OF PYTEST]",
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="", shell_complete=complete_value)
@click.pass_context
def run(context: click.Context, arguments: tuple[str, ...]) -> int:
    """Run the suite against a portal, or with --client against a client library.

    Exit status: 0 conformant, 1 not, 2 could not run.
    """
    # A declared option would take the `h` out of `-khistory`, which is for pytest.
    if any(help_option in arguments for help_option in _HELP):
        click.echo(context.get_help())
        return 0
    return _run_tests(arguments)


def _run_tests(arguments: Sequence[str]) -> int:
    """Run the tests of the suite with options of a run and of pytest; return the exit status. Raise UserError."""
    import pytest

    from conformance.console import OneLineErrors

    # The project that is gated may have options and plugins of its own for its own tests.
    os.environ.pop("PYTEST_ADDOPTS", None)
    package = Path(str(files("conformance")))
    own = ["-c", str(package / "suite.ini"), "--rootdir", str(package), "-o", f"cache_dir={Path(_CACHE).absolute()}"]
    plugins = ["--disable-plugin-autoload", "-p", "pytest_recording.plugin", "-p", "conformance.plugin"]
    given = [str(package / word) if _TEST.match(word) else word for word in arguments]
    tests = [] if given != list(arguments) else sorted(map(str, package.glob("test_*.py")))
    status = pytest.main([*own, *plugins, *tests, *given], plugins=[OneLineErrors()])
    if status == pytest.ExitCode.NO_TESTS_COLLECTED:
        raise UserError("no clause is left to judge: see -k, -m, --level, and not_offered of the target file")
    return int(status) if status in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED) else CANNOT_RUN


@main.command(
    cls=Forwarded,
    add_help_option=False,
    context_settings={"ignore_unknown_options": True},
    options_metavar="[OPTIONS OF run]",
)
@click.argument("library", required=False, metavar="NAME[==VERSION]", shell_complete=complete_library)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="")
@click.pass_context
def gate(context: click.Context, library: str | None, arguments: tuple[str, ...]) -> int:
    """Judge a published client library that has an adapter here; without a name, list them.

    The library is installed into an environment of its own in your cache. Another version than the listed one is
    judged with the same file of known deviations, so the run shows what it changed.
    """
    from conformance.clients.libraries import ADAPTERS, libraries, library_of, program_of

    if library is None:
        click.echo("\n".join(f"{one.name}=={one.version}  {one.registry}, {one.sends}" for one in libraries().values()))
        return 0
    if any(help_option in (library, *arguments) for help_option in _HELP):
        click.echo(context.get_help())
        return 0
    chosen, version = library_of(library)
    own = ["--client", shlex.join(program_of(chosen, version)), "--deviations", str(ADAPTERS / chosen.deviations)]
    own += ["--report-dir", f"reports/{chosen.name.replace('/', '-').lstrip('@')}", *["--https"] * chosen.https]
    return _run_tests([*own, *arguments])


@main.command()
@click.argument("library", metavar="NAME[==VERSION]", shell_complete=complete_library)
def adapter(library: str) -> None:
    """Run the adapter of a published library: it answers each line of its input, as the client protocol says."""
    from conformance.clients.libraries import library_of, program_of

    words = program_of(*library_of(library))
    os.execv(words[0], words)  # noqa: S606


@main.command("client-check")
@click.argument("command", metavar="CMD")
@options_of_a_run("--edition", "--https", "--timeout")
def client_check(command: str, **given: Any) -> int:
    """Send three calls through an adapter and show each line in both directions, before the gate.

    CMD is what --client takes. Exit status: 0 if each call was answered once, 2 if not.
    """
    from conformance.clients.dry_run import dry_run

    options = checked({**given, "client": command})
    edition = load_edition(options.edition or default_edition())
    return 0 if dry_run(command, edition, options.timeout, options.https, click.echo) else CANNOT_RUN


@main.command()
@click.argument("names", nargs=-1, metavar="[NAME]...", shell_complete=complete_library)
@click.option("--edition", "names_of_editions", type=_EDITION, multiple=True, help="Default: every edition.")
@click.option("--newest", is_flag=True, help="Judge the newest version in the registry where it is not the listed one.")
@click.option("--render", is_flag=True, help="Judge nothing: write the pages from the reports that are there.")
@click.option("--report-dir", metavar="DIR", type=click.Path(path_type=Path), default="reports", show_default=True)
def matrix(
    names: tuple[str, ...], names_of_editions: tuple[str, ...], newest: bool, render: bool, report_dir: Path
) -> None:
    """Judge the published libraries, all or the named, and write clients.md and clients.html about all of them."""
    from conformance.clients.libraries import libraries, library_of
    from conformance.clients.matrix import gate_all, rows_of
    from conformance.reporting.clients_page import clients_html, clients_markdown
    from conformance.reporting.report import write_whole

    chosen = [library_of(name)[0] for name in names or libraries()]
    if not render:
        gate_all(chosen, names_of_editions or EDITIONS, report_dir / "clients", newest, click.echo)
    rows = list(rows_of(list(libraries().values()), EDITIONS, report_dir / "clients"))
    for name, text in (
        ("clients.md", clients_markdown(rows, EDITIONS)),
        ("clients.html", clients_html(rows, EDITIONS)),
    ):
        click.echo(write_whole(report_dir / name, text))


@main.command()
@options_of_a_run("--target", "--edition", "--budget", "--votes", "--no-votes", "--exhaustive", "--seed")
@click.option("--explore", is_flag=True, help="List what explore mode sends: the default of a run on this machine.")
def plan(explore: bool, **given: Any) -> None:
    """Show what a run sends: each request, what it is for, requests, votes, seconds. Sends nothing.

    Without --explore or --exhaustive it shows the plan, which is the default of a live run.
    """
    options = checked(given)
    if options.edition == AUTO:
        raise UserError(f"--edition auto: nothing is sent, so no portal is asked: give {' or '.join(EDITIONS)}")
    if explore and (options.exhaustive or options.is_limited):
        raise UserError("--explore: it does not go with --exhaustive, --budget, --votes or --no-votes: choose one mode")
    from conformance.engine.plan import plan_of
    from conformance.reporting.plan_list import plan_list
    from conformance.target.target import edition_of, load_target

    target = load_target(options.target)
    edition = edition_of(target, options.edition)
    workload = planned = plan_of(target, edition, options.budget, options.most_votes)
    if explore or options.exhaustive:
        from conformance.check import workload_of
        from conformance.engine.workload import Exhaustive, Explore
        from conformance.settings import DRAWS

        mode = Exhaustive() if options.exhaustive else Explore(DRAWS)
        workload = workload_of(target, edition, mode, options.seed)
    click.echo(plan_list(workload, target, edition))
    if workload is planned and not target.live:
        click.echo(f"a run on {target.name} explores, unless --plan is given: `plan --explore` lists what it sends")


@main.command()
@click.option("--port", metavar="P", type=int, default=SERVED_PORT, show_default=True, help="0 takes a free one.")
@click.option("--host", metavar="H", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--edition", type=_EDITION, help=f"Edition of the documentation. Default: {default_edition()}.")
@click.option("--as", "portal", type=OneOf(lambda: PORTALS), default=PORTALS[0], show_default=True)
@click.option("--https", is_flag=True, help="Speak HTTPS too on the same port, with a throw-away authority.")
def serve(port: int, host: str, edition: str | None, portal: str, https: bool) -> None:
    """Serve a mock portal to try a client library on, until Ctrl-C."""
    from conformance.portals.served import serve as serve_portal

    serve_portal(host=host, port=port, edition=edition, portal=portal, https=https, tell=click.echo)


@main.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--html", "form", flag_value="html", default="html", help="One page, a column for each report (default).")
@click.option("--markdown", "form", flag_value="markdown", help="Short, for a comment on a pull request.")
@click.option("--history", "form", flag_value="history", help="One page, a column for each run in the order of time.")
@_OUTPUT
def report(files: tuple[Path, ...], form: str, output: Path | None) -> None:
    """Render reports of earlier runs, also of several machines, side by side."""
    from conformance.reporting.history import history_html
    from conformance.reporting.html import html_of
    from conformance.reporting.markdown import markdown_of
    from conformance.reporting.read import read_report

    writers = {"html": html_of, "markdown": markdown_of, "history": history_html}
    _give(writers[form]([read_report(file) for file in files]), output, is_page=form != "markdown")


def _give(text: str, output: Path | None, *, is_page: bool) -> None:
    """Write a text to a file, or to standard output. Raise UserError where the file cannot be written."""
    from conformance.reporting.report import write_whole

    if output is None:
        # A page says itself that it is in UTF-8.
        click.echo(text.encode("utf-8", "backslashreplace") if is_page else text)
        return
    try:
        write_whole(output, text if text.endswith("\n") else f"{text}\n")
    except OSError as error:
        raise UserError(f"--output {output}: cannot write it ({error.strerror})") from None


@main.command()
@click.argument("before", type=click.Path(path_type=Path))
@click.argument("after", type=click.Path(path_type=Path))
@click.option("--html", "form", flag_value="html", help="A page, before and after side by side.")
@click.option("--markdown", "form", flag_value="markdown", help="A table for a comment on a pull request.")
@click.option("--json", "form", flag_value="json", help="A JSON object.")
@_OUTPUT
@click.option("--fail-on", type=OneOf(_grades), default="failure", show_default=True, help="Exit 1 from this grade on.")
@click.option("--force", is_flag=True, help="Compare runs of different editions, kinds or levels too.")
def diff(before: Path, after: Path, *, form: str | None, output: Path | None, fail_on: str, force: bool) -> int:
    """Compare two runs, each a report.json or a record's folder. Exit 1 when something got worse."""
    from conformance.reporting.diff import NEVER, diff_document, diff_markdown, diff_text, has_got_worse
    from conformance.reporting.sides import compare_sides, side_of

    old, new = (side_of(path) for path in (before, after))
    changes = compare_sides(old, new, force)
    if form == "json":
        text = _json(diff_document(changes, fail_on))
    elif form == "html":
        from conformance.reporting.diff_html import diff_html

        text = diff_html(old.report, new.report, changes, fail_on)
    else:
        text = (diff_markdown if form == "markdown" else diff_text)(old.report, new.report, changes)
    _give(text, output, is_page=form == "html")
    return int(fail_on != NEVER and has_got_worse(changes, fail_on))


@main.command()
@click.argument("checkout", type=click.Path(path_type=Path))
@click.option("--edition", type=_EDITION, help="Default: the newest.")
@click.option("--commit", metavar="REV", help="Read this revision with git. Default: the files as they are.")
@click.option("--markdown", "form", flag_value="markdown", help="Tables for an issue.")
@click.option("--json", "form", flag_value="json", help="A JSON object.")
@click.option(
    "--clauses", "form", flag_value="clauses", help="A table of all clauses: level and sources, read at their commits."
)
def documentation(checkout: Path, edition: str | None, commit: str | None, form: str | None) -> int:
    """Compare a checkout of bitrix24/b24restdocs with an edition. Exit 1 when they differ.

    It names the sections that changed, moved or vanished, the clauses that rest on them, and changed rows of tables.
    """
    if form == "clauses":
        return _clause_table(checkout, edition, commit)
    from conformance.documentation.checkout import open_checkout
    from conformance.documentation.comparison import compare
    from conformance.reporting.documentation import comparison_document, comparison_markdown, comparison_text

    comparison = compare(load_edition(edition or EDITIONS[-1]), open_checkout(checkout, commit))
    if form == "json":
        click.echo(_json(comparison_document(comparison)))
    else:
        click.echo((comparison_markdown if form == "markdown" else comparison_text)(comparison))
    return int(comparison.has_changed)


def _clause_table(checkout: Path, edition: str | None, commit: str | None) -> int:
    from conformance.reporting.clause_table import clause_table, missing_sections

    if commit is not None:
        raise UserError("--clauses: it reads each section at its own commit: leave out --commit")
    editions = [load_edition(name) for name in ([edition] if edition else EDITIONS)]
    missing = missing_sections(editions, checkout)
    click.echo(clause_table(editions, missing))
    return int(bool(missing))


@main.group()
def export() -> None:
    """Write the contract in the form of another tool."""


@export.command()
@click.option("--edition", type=_EDITION, default=default_edition(), show_default=True)
def openapi(edition: str) -> None:
    """Write an OpenAPI 3.1 description of the method as JSON."""
    from conformance.contract.openapi import openapi_of
    from conformance.exchange.call import METHOD

    click.echo(_json(openapi_of(load_edition(edition), METHOD, __version__)))


def _json(document: Any) -> str:
    import json

    # In ASCII it is JSON whatever the encoding of the output is.
    return json.dumps(document, indent=2)


@main.command()
@click.argument("clause", required=False, shell_complete=complete_clause)
@click.option(
    "--edition",
    type=_EDITION,
    help=f"Edition of the documentation. Default: {default_edition()} for the list, all for a clause.",
)
def explain(clause: str | None, edition: str | None) -> None:
    """Explain a clause; without one, list all by chapter with their levels."""
    if clause is not None:
        click.echo(_explain(clause, [load_edition(name) for name in ([edition] if edition else EDITIONS)]))
        return
    from conformance.reporting.clause_list import clause_list

    width = shutil.get_terminal_size((120, 24)).columns
    click.echo(clause_list(load_edition(edition or default_edition()), width))


def _explain(clause: str, editions: list[Edition]) -> str:
    from conformance.reporting.clause_list import clause_text

    known = [edition for edition in editions if clause in edition.all_clauses]
    if not known:
        ids = dict.fromkeys(one for edition in editions for one in edition.all_clauses)
        meant = [one for one in ids if clause in one] or difflib.get_close_matches(clause, ids)
        advice = f"did you mean {', '.join(meant)}?" if meant else "`vote-conformance explain` lists them"
        raise UserError(f"unknown clause {clause!r}: {advice}")
    texts = [clause_text(edition.all_clauses[clause], edition) for edition in known]
    texts += [f"edition {edition.name}: not a clause of it" for edition in editions if edition not in known]
    return "\n\n".join([clause, *texts])
