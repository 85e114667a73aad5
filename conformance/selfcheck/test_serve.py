"""The mock portal over HTTP and HTTPS: what it prints, answers, logs, and what it bears."""

import http.client
import json
import os
import signal
import socket
import ssl
import struct
import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from conformance.contract.clauses import load_edition
from conformance.exchange.call import METHOD
from conformance.fixture import ServedPortal
from conformance.portals import server
from conformance.portals.reference import SECRET
from conformance.portals.scripts import documented_refusals

pytest_plugins = ["conformance.fixture"]
VOTE = {"SESSION_ID": 494, "RATING": 5}
_JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True)
class Served:
    """A `serve` that runs: what it printed, read as a target file, and that text as a file."""

    target: dict[str, Any]
    file: Path
    ca_file: Path | None

    @property
    def base(self) -> str:
        parts = urlsplit(self.target["url"])
        return f"{parts.scheme}://{parts.netloc}"


@contextmanager
def _served(folder: Path, *arguments: str, stop_by: signal.Signals = signal.SIGINT) -> Iterator[Served]:
    line = [sys.executable, "-u", "-m", "conformance", "serve", "--port", "0", *arguments]
    with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        end = "NODE_EXTRA_CA_CERTS" if "--https" in arguments else "two-limits"
        lines = [process.stdout.readline()]
        while lines[-1] and end not in lines[-1]:
            lines.append(process.stdout.readline())
        file = folder / "served.toml"
        file.write_text("".join(lines), "utf-8")
        marked = [line for line in lines if "authority of the certificate" in line]
        ca_file = Path(marked[0].partition(": ")[2].strip()) if marked else None
        try:
            yield Served(tomllib.loads("".join(lines)), file, ca_file)
        finally:
            process.send_signal(stop_by)
            status, errors = process.wait(timeout=30), process.stderr.read()
        assert (status, errors) == (0, "")


@pytest.mark.parametrize(("edition", "https"), [("2024-10", False), ("2026-03", True)])
def test_the_suite_finds_over_the_network_what_it_finds_in_process(tmp_path: Path, edition: str, https: bool) -> None:
    def clauses(*arguments: str, **environment: str) -> list[tuple[str, str]]:
        line = [sys.executable, "-m", "conformance", "run", "--plan", "--report-dir", str(tmp_path), *arguments]
        done = subprocess.run(line, env={**os.environ, **environment}, capture_output=True, text=True, check=False)
        report = json.loads((tmp_path / "report.json").read_text("utf-8"))
        assert (done.returncode, report["verdict"]) == (0, "conformant"), done.stdout
        return [(clause["id"], clause["status"]) for clause in report["clauses"]]

    with _served(tmp_path, "--edition", edition, *(["--https"] if https else [])) as served:
        trusted = {"SSL_CERT_FILE": str(served.ca_file)} if https else {}
        over_network = clauses("--target", str(served.file), **trusted)
    assert over_network == clauses("--edition", edition)


@pytest.mark.parametrize("stop_by", [signal.SIGINT, signal.SIGTERM])
def test_it_stops_cleanly_and_leaves_nothing(tmp_path: Path, stop_by: signal.Signals) -> None:
    with _served(tmp_path, "--https", stop_by=stop_by) as served:
        assert served.ca_file is not None
        assert served.ca_file.exists()
    assert not served.ca_file.parent.exists()


def test_of_too_many_half_open_connections_the_oldest_is_closed(
    bitrix24_portal: ServedPortal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "_MOST_WAITING", 5)
    address = urlsplit(bitrix24_portal.url)
    with ExitStack() as open_ones:
        waiting = []
        for _ in range(7):
            connection = open_ones.enter_context(socket.create_connection((address.hostname, address.port), 30))
            connection.sendall(b"\x16\x03\x01")
            waiting.append(connection)
        for connection in waiting[:2]:
            with suppress(ConnectionResetError):
                assert connection.recv(1) == b""
        assert httpx.post(f"{bitrix24_portal.url}{METHOD}", json=VOTE).json()["result"] is True


def test_the_same_port_speaks_http_and_https(bitrix24_portal: ServedPortal) -> None:
    trusted = ssl.create_default_context(cafile=str(bitrix24_portal.ca_file))
    https = bitrix24_portal.https_url
    for url in (bitrix24_portal.url, https, https.replace("127.0.0.1", "localhost")):
        answered = httpx.post(f"{url}{METHOD}", json=VOTE, verify=trusted)
        assert answered.json()["result"] is True
    assert bitrix24_portal.votes[bitrix24_portal.session].rating == 5


def test_the_log_shows_what_was_read_of_each_request(bitrix24_portal: ServedPortal) -> None:
    base = bitrix24_portal.url
    httpx.post(f"{base}{METHOD}.json", data={"SESSION_ID": "494", "COMMENT": "a & b"})
    httpx.post(f"{base}batch", json={"cmd": {"a": f"{METHOD}?SESSION_ID=494&COMMENT=c%26d&"}})
    httpx.get(f"{base.replace('/rest/', '/any/prefix/rest/')}batch", params={"cmd[0]": f"{METHOD}?SESSION_ID=494"})
    votes = [(item.method, dict(item.parameters)) for arrival in bitrix24_portal.log for item in arrival.votes]
    assert votes == [
        (METHOD, {"SESSION_ID": "494", "COMMENT": "a & b"}),
        (METHOD, {"SESSION_ID": "494", "COMMENT": "c&d"}),
        (METHOD, {"SESSION_ID": "494"}),
    ]


def test_the_served_log_can_be_read_over_http(tmp_path: Path) -> None:
    with _served(tmp_path) as served:
        httpx.post(f"{served.target['url']}{METHOD}", json=VOTE)
        log = httpx.get(f"{served.base}/log").json()
    assert [call for entry in log for call in entry["calls"]] == [{"method": METHOD, "params": VOTE}]


def test_each_code_can_be_asked_for_at_its_status(bitrix24_portal: ServedPortal) -> None:
    for code, status in documented_refusals(load_edition("2026-03")):
        for name, expected in ((f"{code}-{status}", status), (f"{code}-200", 200)):
            answered = httpx.post(f"{bitrix24_portal.url.replace(SECRET, name)}{METHOD}", json=VOTE)
            assert (answered.status_code, answered.json()["error"]) == (expected, code)


def test_a_script_answers_in_turn(bitrix24_portal: ServedPortal) -> None:
    limited = bitrix24_portal.url.replace(SECRET, "two-limits")
    statuses = [httpx.post(f"{limited}{METHOD}", json=VOTE).status_code for _ in range(4)]
    assert statuses == [503, 503, 200, 503]
    bitrix24_portal.answer_next("ACCESS_DENIED")
    bitrix24_portal.answer_next("html-502")
    bitrix24_portal.answer_next("two-limits")
    bitrix24_portal.answer_next("OVERLOAD_LIMIT-418")
    statuses = [httpx.post(f"{bitrix24_portal.url}{METHOD}", json=VOTE).status_code for _ in range(7)]
    assert statuses == [400, 502, 503, 503, 200, 418, 200]


def test_an_answer_can_break(bitrix24_portal: ServedPortal) -> None:
    def answered(name: str) -> httpx.Response:
        return httpx.post(f"{bitrix24_portal.url.replace(SECRET, name)}{METHOD}", json=VOTE)

    with pytest.raises(httpx.RemoteProtocolError):
        answered("dropped")
    with pytest.raises(json.JSONDecodeError):
        answered("cut-json").json()
    assert answered("empty").content == b""
    assert answered("html-200").headers["content-type"].startswith("text/html")
    assert "result" not in answered("no-result").json()


def _flood(base: str) -> Iterator[bytes]:
    """Requests that are wrong in every way; each is the bytes of one connection."""
    path = f"/rest/1/{SECRET}/{METHOD}"
    head = f"POST {path} HTTP/1.1\r\nHost: {urlsplit(base).netloc}\r\n".encode()

    def post(kind: str, body: bytes, length: int | None = None) -> bytes:
        size = len(body) if length is None else length
        return head + f"Content-Type: {kind}\r\nContent-Length: {size}\r\n\r\n".encode() + body

    yield post("multipart/form-data", b"--x\r\n\r\n")
    yield post("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: nonsense\r\n\r\n5\r\n--x")
    yield post("multipart/form-data; boundary=x", b"\0" * 1000)
    yield post("application/json", b'{"SESSION_ID": 494, "RATING": ')
    yield post("application/json", b"[" * 100_000)
    yield post("application/json", b'{"SESSION_ID": ' + b"9" * 10_000 + b"}")
    yield post("application/json", b'{"cmd": "no list"}')
    yield post("application/json", b'{"a": "\xff\xfe\0"}')
    yield post("application/x-www-form-urlencoded", b"a" + b"[a]" * 100_000 + b"=1")
    yield post("application/x-www-form-urlencoded", b"&".join(b"a[]=1" for _ in range(50_000)))
    yield post("application/json", b"{}", length=100_000)
    yield post("application/json", b'{"SESSION_ID": 494}', length=3)
    yield post("application/json", b"{}", length=-1)
    yield head + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n"
    yield head + b"X: \0\r\n\r\n"
    yield b"\0" * 1000
    yield b"\x16\x03\x01" + b"\0" * 1000
    yield b"GET " + path.encode() + b"?" + b"%00" * 10_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n"
    yield b""


def test_a_caller_that_is_gone_at_once_leaves_no_trace(tmp_path: Path) -> None:
    with _served(tmp_path) as served:  # what it printed to stderr is looked at when it ends
        place = urlsplit(served.base)
        for _ in range(100):
            with socket.create_connection((place.hostname, place.port)) as connection:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                connection.sendall(b"P")
        odd = httpx.post(
            f"{served.target['url']}{METHOD}", content=b'{"SESSION_ID": 494, "COMMENT": "\\ud800x"}', headers=_JSON
        )
        assert odd.json()["result"] is True
        assert httpx.get(f"{served.base}/log").status_code == 200


def test_it_answers_correctly_after_a_flood_of_malformed_requests(bitrix24_portal: ServedPortal) -> None:
    place = urlsplit(bitrix24_portal.url)
    answers = []
    for _ in range(20):
        for request in _flood(bitrix24_portal.url):
            with socket.create_connection((place.hostname, place.port), timeout=10) as connection:
                connection.sendall(request)
                connection.shutdown(socket.SHUT_WR)
                try:
                    answers.append(connection.recv(100))
                except ConnectionResetError:
                    answers.append(b"")
    assert not [answer for answer in answers if answer.startswith(b"HTTP/1.1 5")]
    answered = httpx.post(f"{bitrix24_portal.url}{METHOD}", json=VOTE)
    assert answered.json()["result"] is True
    assert bitrix24_portal.votes[bitrix24_portal.session].rating == 5


@pytest.mark.parametrize(("size", "status"), [(2 * 2**20, 400), (2 * 2**20 + 1, 413), (10 * 2**20, 413)])
def test_a_body_above_the_limit_is_refused(bitrix24_portal: ServedPortal, size: int, status: int) -> None:
    answered = httpx.post(f"{bitrix24_portal.url}{METHOD}", content=b"x" * size, timeout=30)
    assert answered.status_code == status


def test_many_connections_are_held_at_once(bitrix24_portal: ServedPortal) -> None:
    place = urlsplit(bitrix24_portal.url)
    together = threading.Barrier(200, timeout=60)
    statuses: list[int] = []

    def call() -> None:
        connection = http.client.HTTPConnection(str(place.hostname), place.port, timeout=60)
        for _ in range(5):
            together.wait()  # every connection is open, and none goes on before all are answered
            connection.request("POST", f"{place.path}{METHOD}", json.dumps(VOTE), {"Content-Type": "application/json"})
            answer = connection.getresponse()
            answer.read()
            statuses.append(answer.status)
        connection.close()

    threads = [threading.Thread(target=call) for _ in range(200)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 1000


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--as", "another"], "--as another: choose reference or bitrix24"),
        (["--as", "bitrix24", "--edition", "2024-10"], "it follows 2026-03 at every date: leave --edition out"),
        (["--edition", "2025"], "--edition 2025: choose 2024-10, 2025-05 or 2026-03"),
        (["--port", "70000"], "cannot listen on '127.0.0.1', port 70000"),
        (["--host", "nowhere.invalid"], "cannot listen on 'nowhere.invalid'"),
        (["--host", "bad host", "--https"], "cannot listen on 'bad host'"),
        (["--host", ""], "cannot listen on ''"),
    ],
)
def test_what_cannot_be_served_is_said_in_one_line(arguments: list[str], told: str) -> None:
    line = [sys.executable, "-m", "conformance", "serve", *arguments]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert told in done.stderr
    assert "Traceback" not in done.stderr
