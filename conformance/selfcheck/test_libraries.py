"""The published libraries that have an adapter here: the table, the command `gate`, what ends it before a call.

No package is installed by these tests: what they leave out is the gate of each library, which the weekly workflow runs.
"""

from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner

from conformance.cli import main
from conformance.clients.libraries import ADAPTERS, Library, libraries, library_of, program_of
from conformance.engine.deviations import load_deviations
from conformance.errors import UserError

pytestmark = pytest.mark.quick


@pytest.mark.parametrize("library", libraries().values(), ids=lambda library: library.name)
def test_each_library_has_an_adapter_of_one_screen_and_a_deviation_file_about_its_version(library: Library) -> None:
    adapter = (ADAPTERS / library.adapter).read_text("utf-8")
    assert len(adapter.splitlines()) <= 50
    assert library.version in adapter.splitlines()[0]
    load_deviations(ADAPTERS / library.deviations, date.today())
    assert library.version in (ADAPTERS / library.deviations).read_text("utf-8").splitlines()[0]


def test_a_name_may_carry_another_version() -> None:
    assert library_of("fast-bitrix24") == (libraries()["fast-bitrix24"], "1.8.14")
    assert library_of("@bitrix24/b24jssdk==9.9")[1] == "9.9"
    with pytest.raises(UserError, match=r"no adapter for it here: choose b24pysdk, .* `vote-conformance run --client"):
        library_of("nobody")


def test_an_installed_library_is_not_installed_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", "")
    folder = tmp_path / "vote-conformance" / "clients" / "abx24==1.1.2"
    folder.mkdir(parents=True)
    (folder / "installed").touch()
    python, adapter = program_of(*library_of("abx24"))
    assert Path(python) == folder / "bin" / "python"
    assert Path(adapter).name == "abx24_adapter.py"
    with pytest.raises(UserError, match="gate: npm is not on the path: install it"):
        program_of(*library_of("@bitrix24/b24jssdk"))


def test_gate_without_a_name_lists_the_libraries() -> None:
    shown = CliRunner().invoke(main, ["gate"])
    assert "b24pysdk==1.3.2  PyPI, POST, JSON" in shown.output
