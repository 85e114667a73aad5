"""A few cells of the matrix of bad weather; the whole one is a command, see weather.py."""

from pathlib import Path

import pytest

from conformance.selfcheck.weather import broken_promises
from conformance.selfcheck.weather_cell import Came, Cell, run_cell

SEED = 1


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> Came:
    return run_cell(Cell(), tmp_path_factory.mktemp("weather") / "calm", SEED, {})


@pytest.mark.parametrize(
    ("cell", "verdict"),
    [
        (Cell("502 page", "reads", "from the middle"), "incomplete"),
        (Cell("502 page", "put-back", "once"), "conformant"),
        (Cell("503 page", "put-back", "for ever", ("--record-mode=rewrite",)), "conformant"),
        (Cell("reset", "votes", "once", ("--record-mode=rewrite",)), "incomplete"),
        (Cell("403 page", "refusals", "for ever"), "not-conformant"),
        (Cell("cut body", "votes", "one in five"), "incomplete"),
    ],
    ids=str,
)
def test_every_promise_is_kept(cell: Cell, verdict: str, calm: Came, tmp_path: Path) -> None:
    came = run_cell(cell, tmp_path / "cell", SEED, calm.counts)
    assert came.blown
    assert came.report["verdict"] == verdict
    assert list(broken_promises(cell, came, calm)) == []
