"""The published kill table speaks of today's faults, and every one of them is caught by each clause that it names."""

from pathlib import Path

import pytest

import conformance
from conformance.contract.clauses import edition_names, load_edition
from conformance.selfcheck.client_mutants import CLIENT_MUTANTS, CONFORMING_CLIENTS
from conformance.selfcheck.conforming_variants import CONFORMING_VARIANTS
from conformance.selfcheck.mutants import MUTANTS, must_catch

pytestmark = pytest.mark.quick

TABLE = Path(conformance.__file__).parent.parent / "reports" / "kill-table.md"


def _rows(heading: str) -> dict[str, list[str]]:
    """The rows of one table of the file by their first cell."""
    section = TABLE.read_text("utf-8").split(f"{heading}\n", 1)[1].split("\n#", 1)[0]
    lines = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("| ")]
    return {cells[0]: cells for cells in lines[1:]}


@pytest.mark.parametrize("name", edition_names())
def test_every_fault_stands_there_and_is_caught_by_every_clause_it_names(name: str) -> None:
    rows = _rows(f"## Edition {name}")
    assert list(rows) == [variant.name for variant in (*MUTANTS, *CONFORMING_VARIANTS) if name in variant.editions]
    for fault in MUTANTS:
        if name in fault.editions:
            named = sorted(must_catch(fault, name))
            assert rows[fault.name][2] == ", ".join(f"**{clause}**" for clause in named)
            assert rows[fault.name][1] == fault.conduct.replace("|", "/")


@pytest.mark.parametrize("name", edition_names())
def test_no_correct_portal_stands_there_as_caught(name: str) -> None:
    rows = _rows(f"## Edition {name}")
    for variant in (variant for variant in CONFORMING_VARIANTS if name in variant.editions):
        assert rows[variant.name][2:] == ["nobody: it is correct", "", "-", "-"]


@pytest.mark.parametrize("name", edition_names())
def test_every_judged_clause_catches_something(name: str) -> None:
    rows = _rows(f"### Clauses of edition {name}")
    judged = [clause.id for clause in load_edition(name).clauses.values() if clause.level != "observed"]
    assert list(rows) == judged
    assert all(int(rows[clause][1]) > 0 for clause in judged)


def test_every_client_stands_there_and_is_caught_by_the_clauses_it_names_and_no_others() -> None:
    rows = _rows("## Client libraries")
    assert list(rows) == [client.name for client in (*CLIENT_MUTANTS, *CONFORMING_CLIENTS)]
    for client in (*CLIENT_MUTANTS, *CONFORMING_CLIENTS):
        caught = rows[client.name][2].replace("*", "").split(", ")
        assert set(caught) == set(client.clauses or ["nobody: it is correct"])
        assert rows[client.name][1] == client.conduct.replace("|", "/")
