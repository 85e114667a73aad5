"""The fixture and the scrubbing of cassettes, as another project uses them."""

import importlib.util
import subprocess
import sys
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import pytest
from vcr.request import Request

from conformance.fixture import vcr_config_for

WEBHOOK: Final = "https://portal.example.com/rest/4711/s3cret+webhook/"
PERSON: Final = "Maria Petrovna"
TYPED: Final = """
from conformance.fixture import ServedPortal, vcr_config_for


def test_a_vote_is_stored(bitrix24_portal: ServedPortal) -> None:
    bitrix24_portal.answer_next("two-limits")
    stars: int | None = bitrix24_portal.votes[bitrix24_portal.session].rating
    sent = [vote.parameters for arrival in bitrix24_portal.log for vote in arrival.votes]
    assert (stars, sent) == (5, []) and vcr_config_for(bitrix24_portal.url)
"""

OWN_TEST: Final = """
from conformance.fixture import ServedPortal
from conformance.helpers import STARS


def test_nothing_is_stored(bitrix24_portal: ServedPortal) -> None:
    assert STARS == 5 and bitrix24_portal.votes == {}
"""


@pytest.mark.quick
@pytest.mark.parametrize(
    "body", [f"by {PERSON} at portal.example.com", f'{{"user": 4711, "by": "{PERSON}"}}', b"", None]
)
def test_no_secret_is_recorded_in_any_spelling(body: Any) -> None:
    config = vcr_config_for(WEBHOOK, PERSON)
    uri = WEBHOOK.replace("s3cret+webhook", quote("s3cret+webhook", safe="")) + "imopenlines.session.head.vote"
    request = config["before_record_request"](Request("POST", uri, body, {"Host": "portal.example.com", "X": PERSON}))
    answer = {"status": {"code": 200}, "headers": {"Via": ["portal.example.com"]}, "body": {"string": body}}
    recorded = f"{request.uri} {request.body} {dict(request.headers)} {config['before_record_response'](answer)}"
    for secret in ("s3cret", "portal.example.com", "4711/", PERSON):
        assert secret not in recorded
    assert request.uri.endswith("/imopenlines.session.head.vote")


@pytest.mark.skipif(importlib.util.find_spec("mypy") is None, reason="mypy is not installed")
def test_the_fixture_is_typed(tmp_path: Path) -> None:
    (tmp_path / "test_typed.py").write_text(TYPED, "utf-8")
    line = [sys.executable, "-m", "mypy", "--strict", f"--cache-dir={tmp_path}", "test_typed.py"]
    done = subprocess.run(line, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_a_project_may_have_a_package_of_the_same_name(tmp_path: Path) -> None:
    own = tmp_path / "conformance"
    own.mkdir()
    for name in ("__init__", "fixture", "errors"):
        (own / f"{name}.py").write_text("", "utf-8")
    (own / "helpers.py").write_text("STARS = 5\n", "utf-8")
    (own / "test_own.py").write_text(OWN_TEST, "utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\n", "utf-8")
    line = [sys.executable, "-P", "-m", "pytest", "-q", "-p", "no:cacheprovider", "conformance"]
    done = subprocess.run(line, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.quick
def test_pytest_of_another_project_starts_as_fast_as_before() -> None:
    code = "import sys, conformance.fixture; print({'httpx', 'starlette', 'msgspec', 'hypothesis'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout == "set()\n", done.stderr
