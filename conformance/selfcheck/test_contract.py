"""The contract as data: loaded, checked, and in step with the tests."""

import pytest

from conformance.contract.clauses import edition_names, load_edition, parse_edition
from conformance.errors import UserError
from conformance.suite import portal_checks

pytestmark = pytest.mark.quick

VALID = """
edition = "2030-01"
summary = "an edition"
commit = "abc"
[sections.method-parameters]
path = "folder/page.md"
heading = "Method Parameters"
[parameters]
RATING = { type = "integer", required = false }
[codes]
method = ["NO"]
method_status = [400]
[codes.system]
NO_AUTH_FOUND = { status = 401, section = "method-parameters" }
[example]
accepted = { RATING = 5 }
[[clause]]
id = "group.name"
chapter = "rating"
level = "documented"
statement = "something holds"
sources = ["method-parameters"]
codes = ["NO"]
"""


@pytest.mark.parametrize("name", edition_names())
def test_every_clause_of_an_edition_has_a_test(name: str) -> None:
    assert set(load_edition(name).clauses) <= {check.clause for check in portal_checks()}


def test_every_test_judges_a_clause_of_some_edition_and_no_clause_has_two() -> None:
    clauses = [check.clause for check in portal_checks()]
    assert len(clauses) == len(set(clauses))
    assert set(clauses) == {clause for name in edition_names() for clause in load_edition(name).clauses}


def test_the_editions_differ_as_the_documentation_does() -> None:
    old, new = (load_edition(name) for name in ("2024-10", "2026-03"))
    assert old.method_codes == {"ACCESS_DENIED", "CHAT_TYPE", "CHAT_ID", "WRONG_PARAMETER"}
    assert new.method_codes == {"EMPTY_SESSION_ID", "EMPTY_VOTE_PARAMS", "ACCESS_DENIED"}
    assert old.clauses.keys() - new.clauses.keys() == {
        "error.chat-type",
        "error.chat-id",
        "error.wrong-parameter",
        "access.any-user",
    }
    assert new.clauses.keys() - old.clauses.keys() == {
        "error.empty-session-id",
        "error.empty-vote-params",
        "error.unknown-session",
    }
    assert (old.clauses["success.status"].level, new.clauses["success.status"].level) == ("implied", "documented")


def test_a_valid_file_loads() -> None:
    clause = parse_edition(VALID, "file.toml").clauses["group.name"]
    assert clause.source == "folder/page.md, Method Parameters (abc)"
    page = "https://github.com/bitrix24/b24restdocs/blob/abc/folder/page.md"
    assert clause.sources[0].link == f"{page}#method-parameters"


def test_a_file_with_a_base_holds_its_differences_only() -> None:
    base = load_edition(edition_names()[0])
    text = f"""
        edition = "2030-01"
        summary = "another edition"
        commit = "abc"
        base = "{base.name}"
        without = ["comment.zero-text", "user_access_error"]
        [codes]
        method_status = [400]
        [[clause]]
        id = "success.status"
        level = "documented"
        """
    edition = parse_edition(text, "file.toml")
    assert base.clauses.keys() - edition.clauses.keys() == {"comment.zero-text"}
    assert base.system_table.keys() - edition.system_table.keys() == {"user_access_error"}
    assert edition.clauses["success.status"].level == "documented"
    assert edition.clauses["success.status"].statement == base.clauses["success.status"].statement
    assert (edition.method_codes, edition.method_statuses) == (base.method_codes, frozenset({400}))
    assert {section.commit for section in edition.sections.values()} >= {"abc"}
    with pytest.raises(UserError, match=r"file.toml: without: the base has no 'rating.none'"):
        parse_edition(text.replace("comment.zero-text", "rating.none"), "file.toml")
    with pytest.raises(UserError, match=r"file.toml: base: unknown edition 'x'"):
        parse_edition(text.replace(f'base = "{base.name}"', 'base = "x"'), "file.toml")


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("summary =", "summary = ''\nx =", "unknown key 'x'"),
        ("level =", "levels =", "clause 1: unknown key 'levels', did you mean 'level'?"),
        ('statement = "something holds"', "", "clause 1: key 'statement' is missing"),
        ('"documented"', '"certain"', "clause 1: level: 'certain' is none of documented, implied, observed"),
        ('codes = ["NO"]', 'codes = ["MAYBE"]', "clause 1 (group.name): codes: no edition page names 'MAYBE'"),
        ('sources = ["method-parameters"]', 'sources = ["x"]', "clause 1 (group.name): sources: 'x' is not under"),
        ('sources = ["method-parameters"]', "", "sources: name the sections that state the clause"),
        ('level = "documented"', 'level = "implied"', "reading: state the step from the sections"),
        ('section = "method-parameters"', 'section = "x"', "codes.system.NO_AUTH_FOUND.section: 'x' is not under"),
        ('chapter = "rating"', 'chapter = "stars"', "chapter: 'stars' is none of"),
        ("method_status = [400]", 'method_status = ["5xx"]', "codes.method_status 1: "),
        ('path = "folder/page.md"', "path = 5", "sections.method-parameters.path: this must be a text, not a whole"),
        ('id = "group.name"', 'id = "Group"', "id: write it as group.name in lower case"),
        ("[codes]", "[codes", "not valid TOML"),
    ],
)
def test_a_fault_in_an_edition_file_names_file_and_key(old: str, new: str, told: str) -> None:
    with pytest.raises(UserError) as caught:
        parse_edition(VALID.replace(old, new), "file.toml")
    assert str(caught.value).startswith("file.toml: ")
    assert told in str(caught.value)


def test_a_clause_that_is_there_twice_is_an_error() -> None:
    with pytest.raises(UserError, match=r"file.toml: clause 2 \(group.name\): id: it is there twice"):
        parse_edition(VALID + VALID[VALID.index("[[clause]]") :], "file.toml")
