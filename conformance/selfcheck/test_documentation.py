"""`documentation`: an edition beside pages that these tests write themselves, in a folder and in git."""

import json
import re
import subprocess
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from conformance import cli
from conformance.contract.clauses import Edition, Section, edition_names, load_edition
from conformance.documentation.checkout import Folder, open_checkout
from conformance.documentation.comparison import Comparison, SectionState, compare, hash_of
from conformance.documentation.page import read_page
from conformance.reporting.clause_table import clause_table, missing_sections
from conformance.reporting.documentation import comparison_markdown, comparison_text
from conformance.selfcheck.hashes import with_hash

PATH = "folder/vote.md"
PAGE = """
# Vote with imopenlines.session.head.vote {#vote}

Somebody gives *stars*.

## Parameters of the call

{% include [a note](../_includes/required.md) %}

#|
|| **Name**
`type` | **Description** ||
|| **SESSION_ID***
[`integer`](types.md) | which one, `a || b` ||
|| **RATING**
[`integer`](types.md) | stars ||
|| **COMMENT**
[`string`](types.md) | words ||
|#

## Codes of errors

```bash
# not a heading
curl -X POST
```

#|
|| **Status** | **Code** | **Description** ||
|| `400` | `EMPTY_SESSION_ID` | no session ||
|| `400` | `EMPTY_VOTE_PARAMS` | nothing given ||
|| `400` | `ACCESS_DENIED` | not yours ||
|#

## Last part

The end.
"""
COMMON = "common.md"
COMMON_PAGE = """
# Common

#|
|| **Status** | **Code** ||
|| `401` | `NO_AUTH_FOUND`
Who are you ||
|#
"""
HEADINGS = {
    "method": "Vote with imopenlines.session.head.vote",
    "method-parameters": "Parameters of the call",
    "error-codes": "Codes of errors",
    "last": "Last part",
}


def _section(name: str, path: str, heading: str, text: str, commit: str = "abc") -> Section:
    found = next(entry for entry in read_page(text) if entry.heading == heading)
    return Section(name, path, heading, commit, f"https://example.org/{name}", found.hash)


def _edition(commit: str = "abc") -> Edition:
    """The newest edition with the pages of these tests in place of its own."""
    newest = load_edition(edition_names()[-1])
    sections = {name: _section(name, PATH, heading, PAGE, commit) for name, heading in HEADINGS.items()}
    common = _section("common", COMMON, "Common", COMMON_PAGE, commit)
    clauses = {
        "group.codes": replace(newest.clauses["success.true"], sources=(sections["error-codes"], common)),
        "group.last": replace(newest.clauses["success.true"], sources=(sections["last"],)),
    }
    table = {"NO_AUTH_FOUND": replace(newest.system_table["NO_AUTH_FOUND"], section=common)}
    sections["common"] = common
    return replace(newest, clauses=clauses, client_clauses={}, sections=sections, system_table=table)


def _write(folder: Path, page: str = PAGE, common: str = COMMON_PAGE) -> Path:
    for path, text in ((PATH, page), (COMMON, common)):
        (folder / path).parent.mkdir(exist_ok=True, parents=True)
        (folder / path).write_text(text, "utf-8")
    return folder


def _found(comparison: Comparison) -> dict[str, SectionState]:
    """The sections that are not as they were."""
    return {
        result.section.id: result.state for result in comparison.sections if result.state is not SectionState.UNCHANGED
    }


@pytest.mark.quick
@pytest.mark.parametrize("name", edition_names())
def test_every_section_of_an_edition_has_a_hash(name: str) -> None:
    without = [section.id for section in load_edition(name).sections.values() if len(section.hash) != 16]
    assert without == [], "python -m conformance.selfcheck.hashes writes them"


@pytest.mark.quick
@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("", ""),
        ("*stars*", "**stars**"),
        ("Somebody gives", "Somebody\n  gives"),
        ("\n", "\r\n"),
        (" {#vote}", ""),
        ("(types.md)", "(../other/types.md)"),
        ("../_includes/required.md", "required.md"),
        ("The end.", "The end.\n<!-- a remark -->\n\n{% cut %}\n"),
    ],
)
def test_white_space_and_mark_up_change_nothing(tmp_path: Path, old: str, new: str) -> None:
    comparison = compare(_edition(), Folder(_write(tmp_path, PAGE.replace(old, new))))
    assert (_found(comparison), comparison.rows, comparison.has_changed) == ({}, (), False)


CHANGED = SectionState.CHANGED
CHANGES = [
    ("The end.", "The  end, or not.", {"last": CHANGED}, ()),
    ("curl -X POST", "curl -X GET", {"error-codes": CHANGED}, ()),
    ("required.md", "optional.md", {"method-parameters": CHANGED}, ()),
    ("`EMPTY_SESSION_ID`", "`NO_SESSION`", {"error-codes": CHANGED},
     ("code NO_SESSION is new", "code EMPTY_SESSION_ID is gone")),
    ("`400` | `ACCESS_DENIED`", "`403` | `ACCESS_DENIED`", {"error-codes": CHANGED},
     ("code ACCESS_DENIED: the status is 403, which the edition does not have",)),
    ("**RATING**\n[`integer`]", "**RATING**\n[`double`]", {"method-parameters": CHANGED},
     ("parameter RATING: the type is double, in the edition integer",)),
    ("**RATING**", "**RATING***", {"method-parameters": CHANGED}, ("parameter RATING: is now marked as required",)),
    ("**RATING**", "**RATING** \\*", {"method-parameters": CHANGED}, ("parameter RATING: is now marked as required",)),
    ("**SESSION_ID***", "**SESSION_ID**", {"method-parameters": CHANGED},
     ("parameter SESSION_ID: is no longer marked as required",)),
    ("**COMMENT**", "**TEXT**", {"method-parameters": CHANGED},
     ("parameter TEXT is new", "parameter COMMENT is gone")),
    ("## Last part", "## Last", {"last": SectionState.MOVED}, ()),
    ("## Last part\n\nThe end.", "## Last parts\n\nMore.", {"last": SectionState.VANISHED}, ()),
    ("## Last part\n\nThe end.\n", "", {"last": SectionState.VANISHED}, ()),
    ("#|", "", {},
     ("the page of the method has no table of parameters", "the page of the method has no table of codes")),
]  # fmt: skip


@pytest.mark.quick
@pytest.mark.parametrize(("old", "new", "sections", "rows"), CHANGES)
def test_a_change_is_named(
    tmp_path: Path, old: str, new: str, sections: dict[str, SectionState], rows: tuple[str, ...]
) -> None:
    comparison = compare(_edition(), Folder(_write(tmp_path, PAGE.replace(old, new))))
    assert (_found(comparison), comparison.rows) == (sections, rows)
    assert comparison.has_changed


@pytest.mark.quick
def test_the_system_table_is_compared_row_by_row(tmp_path: Path) -> None:
    common = COMMON_PAGE.replace("`401`", "`403`").replace("|#", "|| `503` | `BUSY` ||\n|#")
    comparison = compare(_edition(), Folder(_write(tmp_path, common=common)))
    assert _found(comparison) == {"common": CHANGED}
    assert comparison.rows == (
        "system code BUSY is new",
        "system code NO_AUTH_FOUND: the status is 403, in the edition 401",
    )
    [result] = [result for result in comparison.sections if result.section.id == "common"]
    assert result.clauses == ("group.codes",)


@pytest.mark.quick
def test_a_renamed_heading_and_a_moved_page_are_found(tmp_path: Path) -> None:
    _write(tmp_path, PAGE.replace("## Last part", "## Final part"))
    comparison = compare(_edition(), Folder(tmp_path))
    [result] = [result for result in comparison.sections if result.section.id == "last"]
    assert result.note == "the heading is now 'Final part'"
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / PATH).write_text(PAGE.replace("The end.", "Not the end."), "utf-8")
    (tmp_path / PATH).rename(tmp_path / "elsewhere" / "vote.md")
    notes = {result.section.id: result.note for result in compare(_edition(), Folder(tmp_path)).sections}
    assert notes["error-codes"] == "it is on elsewhere/vote.md"
    assert notes["last"] == "it is on elsewhere/vote.md, and changed"
    assert compare(_edition(), Folder(tmp_path)).rows == ()


@pytest.mark.quick
def test_words_of_a_page_stay_words_in_an_issue_and_on_a_terminal(tmp_path: Path) -> None:
    page = PAGE.replace("**COMMENT**\n[`string`]", "**COMMENT**\n[`@somebody \x1b[2J`]")
    comparison = compare(_edition(), Folder(_write(tmp_path, page)))
    assert "\x1b" not in comparison_text(comparison) + comparison_markdown(comparison)
    assert "- `parameter COMMENT: the type is @somebody " in comparison_markdown(comparison)


def _git(folder: Path, *arguments: str) -> str:
    line = ["git", "-c", "user.name=t", "-c", "user.email=t@example.org", "-C", str(folder), *arguments]
    return subprocess.run(line, capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture
def history(tmp_path: Path) -> tuple[Path, list[str]]:
    """A bare repository with three states: without the last part, with it, with another end."""
    work = tmp_path / "work"
    work.mkdir()
    _git(work, "init", "-q")
    commits = []
    for page in (PAGE.partition("## Last part")[0], PAGE, PAGE.replace("The end.", "No end.")):
        _write(work, page)
        _git(work, "add", ".")
        _git(work, "commit", "-qm", "a state")
        commits.append(_git(work, "rev-parse", "HEAD"))
    _git(tmp_path, "clone", "-q", "--bare", "work", "bare.git")
    return tmp_path / "bare.git", commits


def test_any_commit_of_a_bare_repository_is_compared(history: tuple[Path, list[str]]) -> None:
    bare, commits = history
    edition = _edition(commits[1])
    found = [_found(compare(edition, open_checkout(bare, commit))) for commit in (*commits, None)]
    assert found == [{"last": SectionState.LATER}, {}, {"last": CHANGED}, {"last": CHANGED}]
    assert open_checkout(bare, commits[0][:10]).pages_with("Last part") == []
    assert open_checkout(bare, "HEAD~1").pages_with("Last part") == [PATH]
    assert hash_of(edition.sections["last"], open_checkout(bare, commits[1])) == edition.sections["last"].hash
    # Only a section that the edition itself cites from a later state may be missing.
    assert compare(edition, open_checkout(bare, commits[0])).has_changed
    later = {**_edition(commits[0]).sections, "last": edition.sections["last"]}
    assert not compare(replace(edition, sections=later), open_checkout(bare, commits[0])).has_changed


def _command(*arguments: object) -> Result:
    return CliRunner().invoke(cli.main, ["documentation", *map(str, arguments)])


NEWEST = load_edition(edition_names()[-1])
METHOD_PATH = NEWEST.sections["method"].path


@pytest.mark.quick
@pytest.mark.parametrize(
    ("page", "arguments", "error"),
    [
        (None, (), "no checkout of the documentation"),
        (b"\xff\xfe", (), "not UTF-8 text"),
        (b"", (), "no checkout of the documentation"),
        (b"# Cooking\n\nSalt.\n", (), "not the page of imopenlines.session.head.vote"),
        (None, ("--commit", "main"), "git knows no repository there"),
        (None, ("--clauses", "--commit", "main"), "leave out --commit"),
        (None, ("--edition", "1999-01"), "--edition 1999-01: choose"),
    ],
)
def test_what_is_no_documentation_ends_in_one_line(
    tmp_path: Path, page: bytes | None, arguments: tuple[str, ...], error: str
) -> None:
    if page is not None:
        (tmp_path / METHOD_PATH).parent.mkdir(parents=True)
        (tmp_path / METHOD_PATH).write_bytes(page)
    done = _command(tmp_path, *arguments)
    assert done.exit_code == 2
    assert re.fullmatch(r"Error: .*\n", done.output)
    assert error in done.output


def test_a_missing_folder_and_revision_end_in_one_line(history: tuple[Path, list[str]]) -> None:
    bare, _ = history
    for arguments, error in (
        ((bare / "nowhere",), "no such folder"),
        ((bare, "--commit", "nonsense"), "has no such revision"),
        ((bare, "--commit", "--output=x"), "has no such revision"),
    ):
        done = _command(*arguments)
        assert (done.exit_code, error in done.output, done.output.count("\n")) == (2, True, 1)


@pytest.mark.quick
def test_the_command_shows_text_markdown_and_json(tmp_path: Path) -> None:
    text = f"# {NEWEST.sections['method'].heading}\n\nimopenlines.session.head.vote | a bar\n"
    (tmp_path / METHOD_PATH).parent.mkdir(parents=True)
    (tmp_path / METHOD_PATH).write_text(text, "utf-8")
    shown = _command(tmp_path)
    assert (shown.exit_code, "changed: " in shown.output) == (1, True)
    assert "clauses: transport.scope" in shown.output
    same = comparison_text(compare(_edition(), Folder(_write(tmp_path / "same"))))
    assert f"unchanged:\n  {PATH}: {', '.join(HEADINGS.values())}\n  {COMMON}: Common" in same
    markdown = _command(tmp_path, "--markdown")
    assert f"]({NEWEST.sections['method'].link}) | changed | " in markdown.output
    document = json.loads(_command(tmp_path, "--json").output)
    assert document["changed"] is True
    assert len(document["sections"]) == len(NEWEST.sections)


@pytest.mark.quick
def test_a_hash_is_written_into_an_edition_file() -> None:
    head = 'edition = "x"\nwithout = ["a"]\n\n'
    text = head + '[sections.one]\npath = "p"\nheading = "h"\n\n[sections.two]\npath = "p"\n\n[parameters]\n'
    once = with_hash(text, "one", "1" * 16)
    assert once == text.replace('heading = "h"\n', f'heading = "h"\nhash = "{"1" * 16}"\n')
    assert with_hash(once, "one", "2" * 16) == once.replace("1" * 16, "2" * 16)
    assert f'[sections.three]\nhash = "{"3" * 16}"\n' in with_hash(text, "three", "3" * 16)
    assert tomllib.loads(with_hash(text, "three", "3" * 16))["sections"]["three"] == {"hash": "3" * 16}


def test_the_table_of_clauses_says_which_sources_are_not_at_their_commits(history: tuple[Path, list[str]]) -> None:
    bare, commits = history
    good = _edition(commits[1])
    assert missing_sections([good], bare) == {}
    assert "5 of 5 sections" in clause_table([good], {})
    last = replace(good.sections["last"], heading="Never written")
    codes = replace(good.sections["error-codes"], hash="0" * 16)
    clause = replace(good.clauses["group.last"], sources=(last, codes))
    edition = replace(
        good, clauses={"group.last": clause}, sections={**good.sections, "last": last, "error-codes": codes}
    )
    missing = missing_sections([edition], bare)
    assert missing == {last: "no such heading", codes: "other content"}
    table = clause_table([edition, good], missing)
    assert f"| `group.last` | documented: [Never written][{edition.name} last] (no such heading), " in table
    assert f"[{edition.name} last]: https://example.org/last" in table
    assert f"- {PATH}, Never written ({commits[1][:8]}): no such heading" in table


WORKFLOW = Path(__file__).parents[2] / ".github" / "workflows" / "documentation.yml"
FAKES = {
    "vote-conformance": 'echo "$*" >> calls; echo "### what differs"; exit $STATUS',
    "gh": 'echo "gh $1 $2 $3" >> calls; [ "$2" = list ] && printf "%s" "$OPEN" || cat documentation.md > issue',
}


@pytest.mark.skipif(not WORKFLOW.exists(), reason="an installed package has no workflows")
@pytest.mark.parametrize(
    ("status", "open_issue", "last"),
    [(0, "", None), (1, "", "gh issue create --title"), (1, "7", "gh issue edit 7"), (2, "", None)],
)
def test_the_workflow_keeps_one_issue(tmp_path: Path, status: int, open_issue: str, last: str | None) -> None:
    [job] = yaml.safe_load(WORKFLOW.read_text("utf-8"))["jobs"].values()
    assert all(re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", step["uses"]) for step in job["steps"] if "uses" in step)
    for name, script in FAKES.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n", "utf-8")
        (tmp_path / name).chmod(0o755)
    files = {"GITHUB_STEP_SUMMARY": str(tmp_path / "summary"), "GITHUB_OUTPUT": str(tmp_path / "output")}
    variables = {"PATH": f"{tmp_path}:/usr/bin:/bin", "STATUS": str(status), "OPEN": open_issue, "TITLE": "x"}
    compared, issue = (step for step in job["steps"] if "name" in step)

    def run(step: dict[str, str]) -> int:
        line = ["/bin/bash", "-e", "-c", step["run"]]
        return subprocess.run(line, cwd=tmp_path, env={**files, **variables}, check=False).returncode

    assert run(compared) == (status == 2)
    assert (tmp_path / "output").read_text() == f"status={status}\n"
    if status == 1:
        assert issue["if"] == "steps.compare.outputs.status == '1'"
        assert run(issue) == 0
        assert (tmp_path / "calls").read_text().splitlines()[-1] == last
        assert (tmp_path / "issue").read_text() == "### what differs\n"
