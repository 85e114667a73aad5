"""What is written of a run, and the comparison of two: golden files, hostile texts, files that are none."""

import base64
import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from conformance.check import check_portal
from conformance.contract.clauses import edition_names, load_edition
from conformance.engine.exhaustive import Coverage
from conformance.engine.workload import Explore
from conformance.errors import UserError
from conformance.exchange.call import Json
from conformance.loading import shipped_recordings
from conformance.options import Options
from conformance.portals.bitrix24 import bitrix24_portal
from conformance.portals.in_process import portal_answering
from conformance.portals.reference import SECRET, SESSIONS, Context, ReferencePortal, Refusal, Reply, Vote
from conformance.portals.server import serving
from conformance.reporting.ctrf import ctrf_of
from conformance.reporting.diff import Change, compare, diff_document, diff_markdown, diff_text, has_got_worse
from conformance.reporting.diff_html import diff_html
from conformance.reporting.files import write_files
from conformance.reporting.github import annotations_of, badge_of
from conformance.reporting.history import history_html
from conformance.reporting.html import html_of
from conformance.reporting.markdown import markdown_of
from conformance.reporting.read import Report, read_report
from conformance.reporting.report import RunFacts, report_of, write_report
from conformance.reporting.sarif import sarif_of
from conformance.reporting.sides import compare_sides, side_of
from conformance.selfcheck.chosen import OLDEST_AND_NEWEST
from conformance.settings import settings_of
from conformance.target.target import embedded_target

GOLDEN = Path(__file__).parent / "golden"
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)> \u202eevil \x1b[31mred | `code` "
LONG = HOSTILE + "x" * 2**20


def golden_report(schema: int) -> Report:
    return read_report(GOLDEN / f"report-{schema}.json")


def _is_golden(name: str, text: str) -> None:
    """Compares with the file of that name; with UPDATE_GOLDEN set, writes it."""
    if os.environ.get("UPDATE_GOLDEN"):
        (GOLDEN / name).write_text(text, "utf-8")
    assert text == (GOLDEN / name).read_text("utf-8")


@cache
def _reference(edition: str, seed: int = 1) -> Report:
    """Judge the reference portal, once for all tests."""
    return _judged(ReferencePortal(load_edition(edition)), seed)


def _judged(portal: ReferencePortal, seed: int = 1, name: str = "portal") -> Report:
    """Judge a portal with few draws and return the report."""
    target = replace(embedded_target(), name=name)
    verdict = check_portal(portal_answering(target, portal.answer), portal.edition, Explore(5), seed=seed).verdict
    return report_of(verdict, _facts(portal, name, seed))


def _facts(portal: ReferencePortal, name: str, seed: int) -> RunFacts:
    return RunFacts(
        edition=portal.edition.name,
        target=replace(embedded_target(), name=name),
        client="",
        edition_evidence=(),
        mode="explore",
        coverage=Coverage(0, 0, (), ()),
        level="implied",
        seed=seed,
        started=datetime(2026, 11, 25, tzinfo=UTC),
        duration_seconds=1.0,
        requests=1,
        writes=1,
        recorded=None,
    )


WRITERS: dict[str, Callable[[Report], str]] = {
    "report.html": lambda report: html_of([report]),
    "reports.html": lambda report: html_of([report, golden_report(1)]),
    "report.sarif": lambda report: json.dumps(sarif_of(report), indent=1),
    "ctrf.json": lambda report: json.dumps(ctrf_of(report), indent=1),
    "report.md": lambda report: markdown_of([report]),
    "annotations.txt": annotations_of,
    "badge.json": lambda report: json.dumps(badge_of(report), indent=1),
}


@pytest.mark.parametrize("name", WRITERS)
def test_a_writer_writes_what_it_wrote(name: str) -> None:
    _is_golden(name, WRITERS[name](golden_report(4)))


@pytest.mark.parametrize("schema", [1, 2, 3, 4])
def test_a_report_of_each_released_form_is_read(schema: int) -> None:
    report = golden_report(schema)
    assert report["verdict"] == "not-conformant"
    assert "rating.rejects-outside" in markdown_of([report])


def test_a_comparison_is_written_as_it_was() -> None:
    before, after = golden_report(2), golden_report(4)
    after = {**after, "clauses": [_with_status(clause) for clause in after["clauses"]]}
    changes = compare(before, after, forced=False)
    _is_golden("diff.txt", diff_text(before, after, changes))
    _is_golden("diff.md", diff_markdown(before, after, changes))
    _is_golden("diff.html", diff_html(before, after, changes, "failure"))
    _is_golden("diff.json", json.dumps(diff_document(changes, "failure"), indent=1))


def test_a_history_is_written_as_it_was_whatever_the_order_of_the_reports() -> None:
    runs = [golden_report(schema) for schema in (1, 2, 3, 4)]
    runs = [{**run, "started": f"2026-0{place + 6}-01T10:00:00+02:00"} for place, run in enumerate(runs)]
    runs[3] = {**runs[3], "clauses": [_with_status(clause) for clause in runs[3]["clauses"]]}
    _is_golden("history.html", history_html([runs[place] for place in (2, 0, 3, 1)]))


@pytest.mark.quick
def test_a_history_marks_what_changed_from_one_run_to_the_next() -> None:
    report = golden_report(4)
    later = {**report, "started": "2027-01-01T00:00:00+00:00", "clauses": [_with_status(c) for c in report["clauses"]]}
    page = history_html([later, report])
    changed = page.partition("Clauses that changed")[2].partition("Clauses that did not change")[0]
    assert changed.count('class="mark">changed') == page.count('class="mark">changed') == 3
    assert all(clause in changed for clause in ("success.true", "rating.whole-number", "transport.oauth"))


@pytest.mark.quick
@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"target": {"name": "b"}}, "--history: give runs of one portal, not of b and portal"),
        ({"client": "x 1"}, "--history: give runs of one portal, not of a client library and portal"),
        ({"started": "yesterday"}, "--history: started 'yesterday' is no time"),
    ],
)
def test_runs_that_make_no_history_end_in_one_line(other: Report, said: str) -> None:
    report = golden_report(4)
    with pytest.raises(UserError, match=re.escape(said)):
        history_html([report, {**report, **other}])


def _with_status(clause: dict[str, Any]) -> dict[str, Any]:
    changed = {"success.true": "failed", "rating.whole-number": "passed", "transport.oauth": "not-exercised"}
    return {**clause, "status": changed.get(clause["id"], clause["status"])}


def _places(changes: tuple[Change, ...], *kinds: str) -> set[str]:
    return {change.where for change in changes if change.kind in kinds}


def test_two_runs_of_one_portal_with_other_seeds_differ_in_nothing() -> None:
    one, other = (_reference("2024-10", seed) for seed in (1, 2))
    assert compare(one, other, forced=False) == ()


def test_portals_of_the_two_editions_differ_in_the_clauses_of_one_edition_only() -> None:
    old, new = (_reference(name) for name in OLDEST_AND_NEWEST)
    with pytest.raises(UserError, match="not comparable: editions 2024-10 and 2026-03: --force"):
        compare(old, new, forced=False)
    changes = compare(old, new, forced=True)
    ids = [load_edition(name).clauses.keys() for name in OLDEST_AND_NEWEST]
    assert _places(changes, "added", "vanished") == ids[0] ^ ids[1]
    assert _places(changes, "introduced", "resolved", "lost", "still") == set()
    levels = [{name: clause.level for name, clause in load_edition(each).clauses.items()} for each in OLDEST_AND_NEWEST]
    # What one edition demands and the other is silent on is observed there.
    assert _places(changes, "status") == {
        name for name in ids[0] & ids[1] if (levels[0][name] == "observed") != (levels[1][name] == "observed")
    }
    old_seen, new_seen = ({entry["id"]: entry["observed"] for entry in side["clauses"]} for side in (old, new))
    differing = {
        f"{name}: {label}"
        for name in old_seen.keys() & new_seen.keys()
        for label in old_seen[name] | new_seen[name]
        if old_seen[name].get(label) != new_seen[name].get(label)
    }
    assert _places(changes, "observation") == differing


def test_a_portal_whose_silent_points_moved_shows_exactly_these() -> None:
    moved = ReferencePortal(load_edition("2026-03"))
    honest_vote = moved.vote

    def vote(parameters: dict[str, Json], context: Context) -> Reply:
        blank = isinstance(parameters.get("COMMENT"), str) and parameters["COMMENT"] in (" ", "\u200b")
        if blank and parameters.get("RATING") is None:
            return Refusal("ACCESS_DENIED", 400)
        return honest_vote(parameters, context)

    def save(session: int, rating: int | None, comment: str | None) -> None:
        kept = moved.votes.setdefault(session, Vote())
        kept.rating, kept.comment = rating or kept.rating, comment

    moved.vote, moved.save = vote, save
    before, after = _reference("2026-03"), _judged(moved)
    changes = compare(before, after, forced=False)
    assert {change.kind for change in changes} == {"observation"}
    assert {place.partition(":")[0] for place in _places(changes, "observation")} >= {
        "comment.blank",
        "effect.other-field",
    }
    assert "effect.other-field: RATING alone" in _places(changes, "observation")
    assert not has_got_worse(changes, "failure")
    assert has_got_worse(changes, "warning")


def test_a_comparison_says_what_got_worse_and_what_got_better() -> None:
    fine, faulty = _reference("2026-03"), _judged(bitrix24_portal())
    worse, better = compare(fine, faulty, forced=False), compare(faulty, fine, forced=False)
    failed = {clause["id"] for clause in faulty["clauses"] if clause["status"] == "failed"}
    assert _places(worse, "introduced") == failed == _places(better, "resolved")
    assert has_got_worse(worse, "failure")
    assert not has_got_worse(better, "failure")
    assert _places(compare(faulty, faulty, forced=False), "still") == failed


def _hostile(report: Report) -> Report:
    clauses = [
        {
            **clause,
            "note": HOSTILE,
            "violations": [
                {**entry, "answered": HOSTILE + "x" * 2**20, "notes": [HOSTILE]} for entry in clause["violations"]
            ],
            "observed": {HOSTILE: HOSTILE},
        }
        for clause in report["clauses"]
    ]
    return {**report, "clauses": clauses, "client": HOSTILE}


class _Elements(HTMLParser):
    """The elements and attributes of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: set[str] = set()
        self.ids: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}
        self.ids += [value for name, value in attrs if name == "id" and value]


def test_hostile_texts_show_as_texts_everywhere() -> None:
    report = _hostile(golden_report(4))
    page = html_of([report])
    elements = _Elements(page)
    assert elements.tags.count("script") == 1
    assert "img" not in elements.tags
    assert not {name for name in elements.attributes if name == "style" or name.startswith("on")}
    texts = [page, markdown_of([report]), annotations_of(report), diff_markdown(report, report, ())]
    changes = compare(golden_report(4), _hostile(golden_report(4)), forced=True)
    texts += [diff_text(report, report, changes), diff_markdown(report, report, changes)]
    texts += [
        diff_html(report, report, changes, "failure"),
        history_html([report, golden_report(4) | {"client": "x"}]),
    ]
    for text in texts:
        assert not set(text) & {"\u202e", "\x1b"}
        assert len(text) < 200_000
    assert "(1,048," in page
    outside = "".join(markdown_of([report]).split("`` ")[0::2])
    assert "<script>" not in outside.partition("``")[0]


@pytest.mark.quick
@pytest.mark.parametrize("tag", ["style", "script"])
def test_the_policy_of_a_page_lets_its_own_style_and_script_run_and_no_other(tag: str) -> None:
    page = html_of([golden_report(4)])
    text = page.partition(f"<{tag}>")[2].partition(f"</{tag}>")[0]
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    assert "default-src 'none'; style-src 'sha256-" in page
    assert f"{tag}-src 'sha256-{digest}';" in page


@pytest.mark.quick
def test_each_clause_stands_on_the_page_once() -> None:
    report = golden_report(4)
    clauses = [clause["id"] for clause in report["clauses"]]
    for reports in ([report], [report, golden_report(2)]):
        ids = [name for name in _Elements(html_of(reports)).ids if "." in name]
        assert sorted(ids) == sorted({*clauses})


@pytest.mark.quick
def test_a_second_run_keeps_the_report_of_the_first_and_says_first_what_changed(tmp_path: Path) -> None:
    before = golden_report(4)
    after = {**before, "clauses": [_with_status(clause) for clause in before["clauses"]]}
    for report in (before, after):
        write_report(report, tmp_path)
        write_files(report, tmp_path)
    assert read_report(tmp_path / "previous.json") == before
    summary = (tmp_path / "report.md").read_text("utf-8")
    _is_golden("since.md", summary.partition("**rating")[0])
    assert summary.startswith("### Since the run of")
    assert "- fails now: `success.true`\n" in summary


@pytest.mark.quick
def test_a_replay_does_not_write_where_the_live_run_does() -> None:
    folder = shipped_recordings() / "reference-2026-03"
    assert settings_of(Options(target=str(folder))).report_folder.name == "reference-2026-03-replay"


@pytest.mark.quick
def test_runs_of_two_portals_say_nothing_of_each_other(tmp_path: Path) -> None:
    report = golden_report(4)
    other = {**report, "target": {**report["target"], "name": "another"}}
    for each in (report, other):
        write_report(each, tmp_path)
        write_files(each, tmp_path)
    assert "Since" not in (tmp_path / "report.md").read_text("utf-8")


@pytest.mark.quick
def test_the_page_of_a_replay_says_so() -> None:
    report = golden_report(4)
    replay = {**report, "target": {**report["target"], "kind": "recorded"}, "recorded": "2026-10-02T10:00:00+00:00"}
    assert "A replay" not in html_of([report])
    assert "The answers were recorded on 2026-10-02 10:00 UTC" in html_of([replay])


@pytest.mark.quick
def test_the_page_says_what_was_asked_once_more() -> None:
    note = "asked once more, 2 times: the connection was closed"
    assert note in html_of([{**golden_report(4), "notes": [note]}])
    assert note not in html_of([golden_report(4)])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"schema_version": 4, "verdict": "conf', "not valid JSON"),
        ("[" * 100_000, "nested too deeply"),
        ('{"schema_version": 99}', "written by a newer version (schema 99): update vote-conformance"),
        ('{"schema_version": 4}', "report.json: key 'verdict' is missing"),
        ('{"tests": 3}', "no report of vote-conformance: give the report.json of a run"),
        ("[]", "no report of vote-conformance: give the report.json of a run"),
        ("\x00\x01", "not valid JSON"),
    ],
)
def test_a_file_that_is_no_report_ends_in_one_clear_line(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "report.json").write_text(text, "utf-8")
    for arguments in (["report", "report.json"], ["diff", "report.json", str(GOLDEN / "report-3.json")]):
        line = [sys.executable, "-m", "conformance", *arguments]
        done = subprocess.run(line, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 2
        assert told in done.stderr
        assert "Traceback" not in done.stderr


def test_a_run_writes_all_its_files_and_speaks_to_github(tmp_path: Path) -> None:
    with serving(bitrix24_portal().answer) as base:
        sessions = "\n".join(f"{state} = {number}" for state, number in SESSIONS.items())
        text = f'name = "staging"\nurl = "{base}/rest/1/{SECRET}/"\n[sessions]\n{sessions}\n'
        (tmp_path / "target.toml").write_text(text, "utf-8")
        line = [sys.executable, "-m", "conformance", "run", "--target", "target.toml", "--edition", "auto"]
        line += ["--report-dir", "r", "--", "-k", "rating", "--junitxml", "junit.xml"]
        environment = {**os.environ, "GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md")}
        done = subprocess.run(line, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert {path.name for path in (tmp_path / "r").iterdir()} == {
        "report.json",
        "report.html",
        "report.sarif",
        "ctrf.json",
        "report.md",
        "badge.json",
    }
    report = read_report(tmp_path / "r" / "report.json")
    assert report["edition"] == "2026-03"
    assert any("EMPTY_VOTE_PARAMS" in line for line in report["edition_evidence"])
    assert "::error file=target.toml,title=rating.rejects-outside::" in done.stdout
    assert "rating.rejects-outside" in (tmp_path / "summary.md").read_text("utf-8")
    cases = [*ElementTree.parse(tmp_path / "junit.xml").getroot().iter("testcase")]  # noqa: S314  pytest wrote it just now
    assert {case.get("classname") for case in cases} == {"rating", "optional"}
    places = [
        one["locations"]
        for one in json.loads((tmp_path / "r" / "report.sarif").read_text("utf-8"))["runs"][0]["results"]
    ]
    assert {place["physicalLocation"]["artifactLocation"]["uri"] for (place,) in places} == {"target.toml"}
    properties = [{entry.get("name"): entry.get("value") for entry in case.iter("property")} for case in cases]
    assert {"clause": "rating.rejects-outside", "level": "documented"} in properties


@pytest.mark.parametrize("edition", edition_names())
def test_the_edition_is_told_by_the_codes(tmp_path: Path, edition: str) -> None:
    with serving(ReferencePortal(load_edition(edition)).answer) as base:
        text = f'name = "staging"\nurl = "{base}/rest/1/{SECRET}/"\n[sessions]\nrateable = 494\nunknown = 999999937\n'
        (tmp_path / "target.toml").write_text(text, "utf-8")
        line = [
            sys.executable,
            "-m",
            "conformance",
            "run",
            "--target",
            "target.toml",
            "--edition",
            "auto",
            "--report-dir",
            "r",
        ]
        done = subprocess.run(
            [*line, "--", "-k", "success.true"], cwd=tmp_path, capture_output=True, text=True, check=False
        )
    assert f"edition {edition}" in done.stdout
    assert read_report(tmp_path / "r" / "report.json")["edition"] == edition


def test_records_are_compared_answer_by_answer(tmp_path: Path) -> None:
    shipped = shipped_recordings()
    same = side_of(shipped / "reference-2026-03")
    assert compare_sides(same, same, forced=False) == ()
    changed = tmp_path / "reference-2026-03"
    changed.mkdir()
    for path in (shipped / "reference-2026-03").iterdir():
        text = path.read_text("utf-8").replace('\\"result\\": true', '\\"extra\\": 5, \\"result\\": true')
        text = text.replace('\\"extra\\": 5, \\"result\\": true', '\\"extra\\": 5, \\"result\\": \\"true\\"', 1)
        (changed / path.name).write_text(text.replace('\\"chatId\\": 1494', '\\"chatId\\": \\"1494\\"'), "utf-8")
    changes = compare_sides(same, side_of(changed), forced=False)
    graded = {(change.grade, change.where.partition(",")[0]) for change in changes if change.kind == "answer"}
    assert graded == {("note", "extra"), ("warning", "result/chatId"), ("failure", "result"), ("failure", "outcome")}
