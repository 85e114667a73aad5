"""What a round of the gate may not depend on: earlier rounds, event loops, names of packages, other methods."""

import re
from pathlib import Path

import httpx
import pytest

from conformance.check import check_client
from conformance.contract.clauses import edition_names, load_edition
from conformance.errors import UserError
from conformance.fixture import ServedPortal
from conformance.portals.other_methods import OTHER_METHODS
from conformance.portals.reference import SECRET
from conformance.reporting.verdict import Status, Verdict

pytest_plugins = ["conformance.fixture"]
EDITION = load_edition(edition_names()[-1])
LIBRARY = """
import httpx, json, sys, time
client = httpx.Client(timeout=10)
def call(url, method, params):
    try:
        answered = client.post(url + method, json=params)
        document = json.loads(answered.content)
    except (httpx.HTTPError, ValueError):
        raise RuntimeError("no JSON came back") from None
    if "error" in document:
        return {"error": {"code": document["error"], "status": answered.status_code}}
    return {"value": document["result"]}
def vote(asked):
    return call(asked["url"], asked["method"], asked["params"])
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a project that is gated, with a correct library in it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "library.py").write_text(LIBRARY, "utf-8")
    return tmp_path


def _failed(function: str) -> set[str]:
    verdict = check_client(function, EDITION, draws=3, timeout_seconds=5).verdict
    return {entry.clause.id for entry in verdict.with_status(Status.FAILED)}


def test_the_secret_is_looked_for_in_every_round(project: Path) -> None:
    (project / "leak.py").write_text(
        "import sys, library\n"
        "def vote(asked):\n"
        "    answer = library.vote(asked)\n"
        "    if answer.get('error', {}).get('code') == 'expired_token':\n"
        "        print('token of', asked['url'], 'expired', file=sys.stderr)\n"
        "    return answer\n",
        "utf-8",
    )
    assert _failed("leak:vote") == {"client.secret-kept"}


def test_a_library_that_stops_sending_is_asked_again_in_a_fresh_program(project: Path) -> None:
    (project / "breaker.py").write_text(
        "import library\n"
        "failures = 0\n"
        "def vote(asked):\n"
        "    global failures\n"
        "    if failures >= 3:\n"
        "        raise RuntimeError('open')\n"
        "    try:\n"
        "        answer = library.vote(asked)\n"
        "    except RuntimeError:\n"
        "        failures += 1\n"
        "        raise\n"
        "    error = answer.get('error', {})\n"
        "    failures = failures + 1 if error.get('status', 0) >= 429 else 0\n"
        "    return {'exception': 'access'} if error.get('code') == 'user_access_error' else answer\n",
        "utf-8",
    )
    assert _failed("breaker:vote") == {"client.error-code", "client.recovers"}


def test_a_library_that_stops_sending_for_good_is_not_conformant(project: Path) -> None:
    (project / "blocked.py").write_text(
        "import library, os, pathlib\n"
        "def vote(asked):\n"
        "    blocked = pathlib.Path('blocked')\n"
        "    if blocked.exists():\n"
        "        raise RuntimeError('blocked')\n"
        "    answer = library.vote(asked)\n"
        "    if answer.get('error', {}).get('code') == 'PORTAL_DELETED':\n"
        "        blocked.touch()\n"
        "    return answer\n",
        "utf-8",
    )
    some = {"client.error-code", "client.secret-kept"}
    verdict = check_client("blocked:vote", EDITION, draws=3, timeout_seconds=5, only=some).verdict
    assert verdict.verdict is Verdict.INCOMPLETE
    assert "0 requests arrived" in next(entry.note for entry in verdict.with_status(Status.INCOMPLETE))


def test_a_success_that_was_made_up_is_no_call(project: Path) -> None:
    (project / "cache.py").write_text(
        "import library\n"
        "known = {}\n"
        "def vote(asked):\n"
        "    key = repr(asked['params'])\n"
        "    if key not in known:\n"
        "        answer = library.vote(asked)\n"
        "        if 'value' not in answer:\n"
        "            return answer\n"
        "        known[key] = answer\n"
        "    return known[key]\n",
        "utf-8",
    )
    assert "client.method" in _failed("cache:vote")


def test_an_asynchronous_function_has_one_event_loop(project: Path) -> None:
    (project / "aio.py").write_text(
        LIBRARY.replace("httpx.Client", "httpx.AsyncClient")
        .replace("def ", "async def ")
        .replace("client.post", "await client.post")
        .replace("return call", "return await call"),
        "utf-8",
    )
    assert check_client("aio:vote", EDITION, draws=3, timeout_seconds=5).verdict.verdict is Verdict.CONFORMANT


@pytest.mark.parametrize("most", [1, 2])
def test_two_calls_at_once_are_two_tasks_of_one_loop(project: Path, most: int) -> None:
    (project / "aio.py").write_text(
        LIBRARY.replace("httpx.Client", "httpx.AsyncClient")
        .replace("def call", "async def call")
        .replace("client.post", "await client.post")
        .replace("return call", "return await call")
        .replace("def vote", "async def one")
        + "under_way = []\n"
        "async def vote(asked):\n"
        "    under_way.append(asked)\n"
        "    try:\n"
        f"        if len(under_way) > {most}:\n"
        "            raise RuntimeError('one call after the other')\n"
        "        return {**await one(asked), 'concurrent': True}\n"
        "    finally:\n"
        "        under_way.remove(asked)\n",
        "utf-8",
    )
    verdict = check_client("aio:vote", EDITION, draws=3, timeout_seconds=5, only={"client.recovers"}).verdict
    assert verdict.verdict is (Verdict.CONFORMANT if most == 2 else Verdict.NOT_CONFORMANT)


def test_two_calls_at_once_are_shown_and_repeated_as_such(project: Path) -> None:
    (project / "one.py").write_text(
        "import library, threading\n"
        "lock = threading.Lock()\n"
        "def vote(asked):\n"
        "    if not lock.acquire(blocking=False):\n"
        "        raise RuntimeError('one call after the other')\n"
        "    with lock_released():\n"
        "        return {**library.vote(asked), 'concurrent': True}\n"
        "class lock_released:\n"
        "    def __enter__(self): pass\n"
        "    def __exit__(self, *_): lock.release()\n",
        "utf-8",
    )
    verdict = check_client("one:vote", EDITION, draws=3, timeout_seconds=5, only={"client.recovers"}).verdict
    [violation, *_] = next(entry for entry in verdict.with_status(Status.FAILED)).violations
    facts = dict(violation.facts)
    assert {facts["beside"][:15], facts["asked"][:15]} == {"SESSION_ID=494 ", "SESSION_ID=7001"}
    assert '/rest/1/as-deserved/", "ca_file"' in facts["repeat"]
    assert facts["repeat"].startswith("printf '%s\\n' '[{")


ASKS_ANOTHER = """
import library, urllib.request
urls = {urls}
def vote(asked):
    for url in urls:
        try:
            urllib.request.urlopen(url, timeout=5)
        except OSError as error:
            assert "403" in str(error)
    return library.vote(asked)
"""


def test_what_a_library_asks_of_other_hosts_is_refused_and_shown(project: Path) -> None:
    urls = ["https://oauth.bitrix.info/rest/", "http://user:word@example.com/a?b"]
    (project / "asks.py").write_text(ASKS_ANOTHER.format(urls=urls), "utf-8")
    report = check_client("asks:vote", EDITION, draws=3, timeout_seconds=5, only={"client.redirect"})
    assert report.verdict.verdict is Verdict.CONFORMANT
    [note] = report.facts.notes
    hosts = r"example\.com \(\d+\), oauth\.bitrix\.info:443 \(\d+\)"
    assert re.fullmatch(f"refused, because no call leaves this machine: {hosts}", note)


def test_a_call_to_another_host_explains_that_nothing_arrived(project: Path) -> None:
    (project / "other.py").write_text(
        "import urllib.request\ndef vote(asked): urllib.request.urlopen('http://example.com/vote')\n", "utf-8"
    )
    with pytest.raises(UserError, match=r"\(a request to example\.com, which was refused, did\)"):
        check_client("other:vote", EDITION)


def test_a_library_that_stays_with_its_first_webhook_is_caught(project: Path) -> None:
    (project / "sticky.py").write_text(
        "import library\n"
        "known = {}\n"
        "def vote(asked):\n"
        "    return library.vote({**asked, 'url': known.setdefault('url', asked['url'])})\n",
        "utf-8",
    )
    verdict = check_client("sticky:vote", EDITION, draws=3, timeout_seconds=5, only={"client.recovers"}).verdict
    [entry] = verdict.with_status(Status.FAILED)
    notes = {note for violation in entry.violations for note in violation.notes}
    assert "only a fresh program sent it: the one that had made other calls sent nothing" in notes


def test_what_the_caller_passed_is_shown_where_it_was_changed(project: Path) -> None:
    (project / "pops.py").write_text(
        "import library\n"
        "def vote(asked):\n"
        "    answer = library.vote(asked)\n"
        "    asked['params'].pop('RATING', None)\n"
        "    return {**answer, 'params': asked['params']}\n",
        "utf-8",
    )
    verdict = check_client("pops:vote", EDITION, draws=3, timeout_seconds=5, only={"client.recovers"}).verdict
    [entry] = verdict.with_status(Status.FAILED)
    shown = 'the caller\'s own parameters are then {"SESSION_ID": 494'
    assert any(note.startswith(shown) for note in entry.violations[0].notes)


def test_a_library_that_asks_for_something_else_first_is_not_accused(project: Path) -> None:
    (project / "asks.py").write_text(
        "import library\n"
        "def vote(asked):\n"
        "    assert library.call(asked['url'], 'profile', {})['value']['ID']\n"
        "    return library.vote(asked)\n",
        "utf-8",
    )
    assert check_client("asks:vote", EDITION, draws=3, timeout_seconds=5).verdict.verdict is Verdict.CONFORMANT


def test_a_method_that_the_portal_of_the_gate_does_not_know_is_named(project: Path) -> None:
    (project / "asks.py").write_text(
        "import library\n"
        "def vote(asked):\n"
        "    library.call(asked['url'], 'crm.lead.list', {})\n"
        "    return {**library.vote(asked), 'value': 1}\n",
        "utf-8",
    )
    some = {"client.parameters-intact", "client.true"}
    verdict = check_client("asks:vote", EDITION, draws=3, timeout_seconds=5, only=some).verdict
    [violation, *_] = next(entry for entry in verdict.with_status(Status.FAILED)).violations
    assert "crm.lead.list" in "".join(violation.notes)


def test_a_package_conformance_of_the_project_does_not_hide_the_suite(project: Path) -> None:
    (project / "conformance").mkdir()
    (project / "conformance" / "__init__.py").write_text("raise RuntimeError('imported')\n", "utf-8")
    assert check_client("library:vote", EDITION, draws=3, timeout_seconds=5).verdict.verdict is Verdict.CONFORMANT


@pytest.mark.quick
@pytest.mark.parametrize("method", OTHER_METHODS)
def test_what_libraries_ask_first_is_answered_whatever_the_script(bitrix24_portal: ServedPortal, method: str) -> None:
    for name in (SECRET, "ACCESS_DENIED"):
        answered = httpx.post(f"{bitrix24_portal.url.replace(SECRET, name)}{method}.json", json={})
        assert answered.status_code == 200
        assert answered.json()["result"]
