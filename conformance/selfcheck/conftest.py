"""What several tests share."""

from pathlib import Path

import pytest

from conformance.selfcheck.outside import faulty
from conformance.selfcheck.recordings import record, talkative


@pytest.fixture(scope="session")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a record of the reference portal of 2026-03."""
    folder = tmp_path_factory.mktemp("recorded")
    assert record(folder, talkative(faulty("2026-03")), "2026-03").status == 0
    return folder
