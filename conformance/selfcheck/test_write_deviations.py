"""--write-deviations and --update-deviations: what a run writes, what it then excuses, and what it does not."""

from datetime import date
from pathlib import Path

import pytest

from conformance.engine.deviations import header_lines, load_deviations
from conformance.engine.narrowing import Classes, narrow
from conformance.portals.server import serving
from conformance.reporting.deviations_file import without_entries
from conformance.selfcheck.outside import Ran, faulty, keyed, run, target_file

TODAY = date(2026, 11, 22)
GATE = """
import httpx

def vote(asked):
    params = {name: "None" if value is None else value for name, value in asked["params"].items()}
    answer = httpx.post(asked["url"] + asked["method"], json=params)
    document = answer.json()
    if "error" in document:
        return {"error": {"code": document["error"]}} if answer.status_code < 401 else {"exception": "failed"}
    return {"value": document["result"]}
"""
FEW = ("-k", "omitted or error-code or client.true")


def _call(answer: str, rating: str = "5", comment: str = "plain") -> Classes:
    return ("session", "rateable"), ("rating", rating), ("comment", comment), ("answer", answer)


def _sets(**names: str) -> dict[str, frozenset[str]]:
    return {name: frozenset(text.split()) for name, text in names.items()}


@pytest.mark.quick
@pytest.mark.parametrize(
    ("deviated", "held", "found"),
    [
        ([_call("html-200"), _call("cut")], [_call("true")], [_sets(answer="cut html-200")]),
        # Nothing held: a condition is about the answers that were seen, not about the votes that all calls have.
        ([_call("html-200"), _call("cut")], [], [_sets(answer="cut html-200")]),
        (
            [_call("true", "null"), _call("true", "null", "absent"), _call("true", "5", "null")],
            [_call("true", "5"), _call("true", "3", "absent")],
            [_sets(rating="null"), _sets(comment="null")],
        ),
        # A rating that no call has beside this one is not taken for the cause.
        (
            [_call("true", "3", "emoji"), _call("true", "1", "emoji")],
            [_call("true", "5"), _call("true", "3")],
            [_sets(comment="emoji")],
        ),
        # One of two values is not enough to tell them from what held.
        (
            [_call("true", "zero", "plain"), _call("true", "zero", "emoji"), _call("true", "above", "plain")],
            [_call("true", "zero", "absent"), _call("true", "5", "plain"), _call("true", "5", "emoji")],
            [_sets(rating="above"), _sets(rating="zero", comment="emoji plain")],
        ),
        ([_call("true", "3"), _call("true", "3", "emoji")], [_call("true", "5", "emoji")], [_sets(rating="3")]),
        # The classes do not say why one held and the other did not.
        ([_call("cut", "3")], [_call("cut", "3"), _call("true", "3")], [_sets(answer="cut")]),
        ([], [_call("true")], []),
    ],
)
def test_a_condition_names_what_tells_the_violations_from_the_rest(
    deviated: list[Classes], held: list[Classes], found: list[dict[str, frozenset[str]]]
) -> None:
    assert narrow(deviated, held) == found


FILE = """\
# The portal of the third floor.

# seen on Monday
[[deviation]]
clause = "rating.whole-number"
reason = "first"
source = "seen"
[deviation.where]
rating = ["list"]

# seen on Tuesday,
# twice
[[deviation]]
clause = "rating.whole-number"
reason = "second"
source = "seen"

[[deviation]]  # no comment above
clause = "rating.whole-number"
reason = "third"
source = "seen"
"""


@pytest.mark.quick
def test_an_entry_is_taken_out_with_its_own_comment_and_the_others_stay_as_they_are() -> None:
    first, second, third = header_lines(FILE)
    parts = FILE.split("\n\n")
    assert without_entries(FILE, {second}) == "\n\n".join((parts[0], parts[1], parts[3]))
    assert without_entries(FILE, {first, third}) == "\n\n".join((parts[0], parts[2])) + "\n\n"
    assert without_entries(FILE, ()) == FILE


@pytest.mark.quick
def test_a_comment_that_begins_the_file_stays() -> None:
    text = FILE.partition("\n\n")[2]
    assert without_entries("# Of the third floor.\n" + text.partition("\n")[2], {2}).startswith("# Of the third floor.")


def _fill_in(path: Path) -> None:
    path.write_text(path.read_text("utf-8").replace("TODO:", "We know:"), "utf-8")


def _gate(folder: Path, *options: str) -> Ran:
    return run(folder, "--client", "gate:vote", *FEW, *options)


def test_a_red_gate_becomes_green_and_red_again_when_a_defect_comes_or_goes(tmp_path: Path) -> None:
    (tmp_path / "gate.py").write_text(GATE, "utf-8")
    known = tmp_path / "known.toml"
    first = _gate(tmp_path, "--write-deviations", "known.toml")
    assert first.status == 1
    assert "new entries in known.toml: put a reason" in first.output
    violations = next(one["violations"] for one in first.report["clauses"] if one["id"] == "client.error-code")
    assert {one["classes"]["answer"] for one in violations} >= {"NO_AUTH_FOUND-401", "OVERLOAD_LIMIT-503"}

    before = known.read_text("utf-8")
    unfilled = _gate(tmp_path, "--deviations", "known.toml", "--write-deviations", "known.toml")
    assert unfilled.status == 1
    assert (
        "known.toml: an entry excuses nothing until TODO is replaced by a reason and a source: line" in unfilled.output
    )
    # Written once more, an entry that nobody filled in is not there twice.
    assert len(header_lines(known.read_text("utf-8"))) == len(header_lines(before))

    _fill_in(known)
    green = _gate(tmp_path, "--deviations", "known.toml", "--seed", "2")
    assert (green.status, green.clauses("failed")) == (0, set()), green.output

    mended = GATE.replace('"None" if value is None else value', "value")
    (tmp_path / "gate.py").write_text(mended, "utf-8")
    gone = _gate(tmp_path, "--deviations", "known.toml", "--update-deviations")
    assert gone.status == 1
    assert gone.clauses("deviation-gone") == {"client.omitted-stays-omitted"}
    assert {entry.clause for entry in load_deviations(known, TODAY)} == {"client.error-code"}

    worse = mended.replace('document["result"]', 'str(document["result"])')
    (tmp_path / "gate.py").write_text(worse, "utf-8")
    new = _gate(tmp_path, "--deviations", "known.toml")
    assert (new.clauses("failed"), new.clauses("known-deviation")) == ({"client.true"}, {"client.error-code"})


def test_the_same_holds_for_a_portal_and_what_was_written_before_stays(tmp_path: Path) -> None:
    known = tmp_path / "known.toml"
    known.write_text(FILE.partition("# seen on Tuesday")[0], "utf-8")
    few = ("-k", "rating.whole-number or rating.rejects-outside", "--deviations", "known.toml")
    with serving(
        keyed(
            faulty("2024-10", "takes_the_first_of_a_list_of_ratings", "takes_0_for_no_rating_beside_a_comment").answer
        )
    ) as base:
        target = target_file(tmp_path, base)
        assert run(tmp_path, target, *few, "--write-deviations", "known.toml").status == 1
        text = known.read_text("utf-8")
        assert text.startswith(FILE.partition("[[deviation]]")[0])
        assert 'where = { rating = ["zero"], comment = [' in text
        _fill_in(known)
        green = run(tmp_path, target, *few)
        assert (green.status, len(green.clauses("known-deviation"))) == (0, 2), green.output
    with serving(keyed(faulty("2024-10", "takes_the_first_of_a_list_of_ratings", "reads_true_as_1").answer)) as base:
        target = target_file(tmp_path, base)
        both = run(tmp_path, target, *few, "--write-deviations", "known.toml", "--update-deviations")
        assert (both.clauses("failed"), both.clauses("deviation-gone")) == (
            {"rating.whole-number"},
            {"rating.rejects-outside"},
        )
        assert "zero" not in known.read_text("utf-8")
        assert "# seen on Monday" in known.read_text("utf-8")
        _fill_in(known)
        assert run(tmp_path, target, *few).status == 0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--write-deviations", "there.toml"], "--write-deviations there.toml: it is there: give it with --deviations"),
        (["--update-deviations"], "--update-deviations: the run has no deviation file: give it with --deviations"),
    ],
)
def test_nothing_is_judged_where_nothing_could_be_written(tmp_path: Path, options: list[str], said: str) -> None:
    (tmp_path / "there.toml").write_text(FILE, "utf-8")
    ran = run(tmp_path, *options)
    assert (ran.status, ran.report) == (2, {})
    assert said in ran.output
    assert (tmp_path / "there.toml").read_text("utf-8") == FILE


def test_a_run_without_violations_writes_no_file(tmp_path: Path) -> None:
    ran = run(tmp_path, "-k", "rating.rejects-outside", "--write-deviations", "known.toml")
    assert ran.status == 0
    assert "--write-deviations known.toml: no clause fails: nothing was added" in ran.output
    assert not (tmp_path / "known.toml").exists()
