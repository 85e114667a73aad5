"""The command vote-conformance: a thin face of pytest, and what can be said without a portal."""

import json
import os
import shutil
import sys
from importlib.resources import files
from pathlib import Path

import click
import pytest

from conformance import __version__
from conformance.contract.clauses import Edition, edition_names, load_edition
from conformance.contract.openapi import openapi_of
from conformance.engine.plan import plan_of
from conformance.errors import UserError
from conformance.exchange.call import METHOD
from conformance.portals.served import PORTALS
from conformance.portals.served import serve as serve_portal
from conformance.portals.server import SERVED_PORT
from conformance.reporting.diff import GRADES, diff_document, diff_markdown, diff_text, has_got_worse
from conformance.reporting.html import html_of
from conformance.reporting.markdown import markdown_of
from conformance.reporting.plan_list import plan_list
from conformance.reporting.read import read_report
from conformance.reporting.report import write_whole
from conformance.reporting.sides import compare_sides, side_of
from conformance.reporting.terminal import clause_list, clause_text
from conformance.run import DEFAULT_CAP, budget_of, edition_of
from conformance.target.target import DEFAULT_EDITION, load_target

_VALUED = ("record_mode", "client", "cap", "target", "edition", "level", "deviations", "budget", "seed", "report_dir")
_FLAGS = ("https", "yes", "plan", "exhaustive", "no_votes", "allow_incomplete")


@click.group()
@click.version_option(__version__)
def main() -> None:
    """Judges implementations of the Bitrix24 REST method imopenlines.session.head.vote by its documentation."""


@main.command()
@click.option("--target", metavar="T", help="`mock` (embedded, the default), a target file, or a record's folder.")
@click.option("--edition", metavar="E", help="Edition of the documentation: 2024-10, 2026-03, or auto.")
@click.option("--level", metavar="L", help="documented: judge only that. implied: judge both (the default).")
@click.option("--deviations", metavar="FILE", help="Known deviations of the target.")
@click.option("--plan", is_flag=True, help="Send the plan and nothing else. The default on a live target.")
@click.option("--budget", metavar="N", help="The plan with so many requests at most.")
@click.option("--no-votes", is_flag=True, help="The plan without calls that could write on some portal.")
@click.option("--exhaustive", is_flag=True, help="Send every combination of classes in every encoding.")
@click.option("--record-mode", metavar="MODE", help="rewrite: keep every exchange under cassettes/<target>.")
@click.option("--yes", is_flag=True, help="Send votes to a live target without asking.")
@click.option("--client", metavar="CMD", help="Judge a client library: a program, or module:function of Python.")
@click.option("--https", is_flag=True, help="Give the client library a URL with https.")
@click.option("--cap", metavar="S", help=f"Seconds that a call of the client may take. Default: {DEFAULT_CAP:g}.")
@click.option("--seed", metavar="N", help="Seed of the drawn calls, as an earlier run printed it.")
@click.option("--report-dir", metavar="DIR", help="Where report.json is written. Default: reports/<target>.")
@click.option("--allow-incomplete", is_flag=True, help="Exit 0 although documented clauses were not exercised.")
@click.argument("pytest_arguments", nargs=-1, type=click.UNPROCESSED)
def run(pytest_arguments: tuple[str, ...], **given: str | bool | None) -> None:
    """Run the suite against a target, or with --client against a client library. What follows `--` goes to pytest."""
    options = [f"--{name.replace('_', '-')}={given[name]}" for name in _VALUED if given[name] is not None]
    options += [f"--{name.replace('_', '-')}" for name in _FLAGS if given[name]]
    # The project that is gated may have options of its own for its own tests.
    os.environ.pop("PYTEST_ADDOPTS", None)
    package = files("conformance")
    client = "test_client.py"
    names = [entry.name for entry in package.iterdir() if entry.name.startswith("test_")]
    tests = sorted(str(package / name) for name in names if (name == client) == (given["client"] is not None))
    own = ["-c", str(package / "suite.ini"), "--rootdir", str(package), "-p", "conformance.plugin"]
    sys.exit(pytest.main([*own, *options, *pytest_arguments, *tests]))


@main.command()
@click.option("--target", metavar="T", default="mock", help="`mock` (the default) or a target file.")
@click.option("--edition", metavar="E", help="Edition of the documentation. Default: the target's.")
@click.option("--budget", metavar="N", help="The most requests.")
@click.option("--no-votes", is_flag=True, help="Only calls that could write on no portal.")
def plan(target: str, edition: str | None, budget: str | None, no_votes: bool) -> None:
    """Show what a run with --plan sends: each call, what it is for, requests, votes, seconds. Sends nothing."""
    try:
        asked = load_target(target)
        judged_by = edition_of(asked, edition)
        click.echo(plan_list(plan_of(asked, judged_by, budget_of(budget), not no_votes), asked.name, judged_by))
    except UserError as problem:
        raise click.UsageError(str(problem)) from None


@main.command()
@click.option("--port", metavar="P", type=int, default=SERVED_PORT, show_default=True, help="0 takes a free one.")
@click.option("--host", metavar="H", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--edition", metavar="E", help=f"Edition of the documentation. Default: {DEFAULT_EDITION}.")
@click.option("--as", "portal", metavar="PORTAL", default=PORTALS[0], help=f"{' or '.join(PORTALS)}.")
@click.option("--https", is_flag=True, help="Speak HTTPS too on the same port, with a throw-away authority.")
def serve(port: int, host: str, edition: str | None, portal: str, https: bool) -> None:
    """Serve a mock portal to try a client library on, until Ctrl-C."""
    try:
        serve_portal(host=host, port=port, edition=edition, portal=portal, https=https, tell=click.echo)
    except UserError as problem:
        raise click.UsageError(str(problem)) from None


@main.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--html", "form", flag_value="html", default="html", help="One page, a column for each report (default).")
@click.option("--markdown", "form", flag_value="markdown", help="Short, for a comment on a pull request.")
@click.option("--output", metavar="FILE", type=click.Path(path_type=Path), help="Default: standard output.")
def report(files: tuple[Path, ...], form: str, output: Path | None) -> None:
    """Render reports of earlier runs, also of several machines, side by side."""
    try:
        reports = [read_report(file) for file in files]
        text = html_of(reports) if form == "html" else markdown_of(reports)
        if output is None:
            click.echo(text)
        else:
            write_whole(output, text)
    except UserError as problem:
        raise click.UsageError(str(problem)) from None
    except OSError as error:
        raise click.UsageError(f"--output {output}: cannot write it ({error.strerror})") from None


@main.command()
@click.argument("before", type=click.Path(path_type=Path))
@click.argument("after", type=click.Path(path_type=Path))
@click.option("--markdown", "form", flag_value="markdown", help="A table for a comment on a pull request.")
@click.option("--json", "form", flag_value="json", help="A JSON object.")
@click.option("--fail-on", metavar="GRADE", default="failure", show_default=True, help=f"{', '.join(GRADES)} or never.")
@click.option("--force", is_flag=True, help="Compare runs of different editions, kinds or levels too.")
def diff(before: Path, after: Path, form: str | None, fail_on: str, force: bool) -> None:
    """Compare two runs, each a report.json or a record's folder. Exit 1 when something got worse."""
    try:
        if fail_on not in (*GRADES, "never"):
            raise UserError(f"--fail-on {fail_on}: choose {', '.join(GRADES)} or never")
        old, new = (side_of(path) for path in (before, after))
        changes = compare_sides(old, new, force)
    except UserError as problem:
        raise click.UsageError(str(problem)) from None
    if form == "json":
        click.echo(json.dumps(diff_document(changes, fail_on), indent=2, ensure_ascii=False))
    else:
        click.echo((diff_markdown if form == "markdown" else diff_text)(old.report, new.report, changes))
    sys.exit(fail_on != "never" and has_got_worse(changes, fail_on))


@main.group()
def export() -> None:
    """Write the contract in the form of another tool."""


@export.command()
@click.option("--edition", metavar="E", default=DEFAULT_EDITION, help=f"Default: {DEFAULT_EDITION}.")
def openapi(edition: str) -> None:
    """Write an OpenAPI 3.1 description of the method as JSON."""
    try:
        click.echo(json.dumps(openapi_of(load_edition(edition), METHOD, __version__), indent=2, ensure_ascii=False))
    except UserError as problem:
        raise click.UsageError(str(problem)) from None


@main.command()
@click.argument("clause", required=False)
@click.option(
    "--edition",
    metavar="E",
    help=f"Edition of the documentation. Default: {DEFAULT_EDITION} for the list, all for a clause.",
)
def explain(clause: str | None, edition: str | None) -> None:
    """Explain a clause; without one, list all by chapter with their levels."""
    try:
        if clause is None:
            shown = load_edition(edition or DEFAULT_EDITION)
            click.echo(clause_list(shown, shutil.get_terminal_size((120, 24)).columns))
            return
        asked = [load_edition(name) for name in ([edition] if edition else edition_names())]
        click.echo(_explain(clause, asked))
    except UserError as problem:
        raise click.UsageError(str(problem)) from None


def _explain(clause: str, editions: list[Edition]) -> str:
    known = [edition for edition in editions if clause in edition.all_clauses]
    if not known:
        raise UserError(f"unknown clause {clause!r}: `vote-conformance explain` lists them")
    texts = [clause_text(edition.all_clauses[clause], edition) for edition in known]
    texts += [f"edition {edition.name}: not a clause of it" for edition in editions if edition not in known]
    return "\n\n".join([clause, *texts])
