"""The environment of a run: proxies, authorities to trust, and the encoding of the output."""

import json
import os
import re
import ssl
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

import httpx
import pytest
import trustme

from conformance.errors import UserError
from conformance.exchange.call import Call, Caller, ClassifiedValue
from conformance.portals.certificate import throw_away_certificate
from conformance.portals.php_forms import PortalRequest
from conformance.portals.reference import PortalResponse
from conformance.portals.server import serving
from conformance.selfcheck.outside import TARGET, command, environment, faulty, keyed, target_file
from conformance.target.client import network_portal
from conformance.target.environment import is_this_machine, read_environment
from conformance.target.secrets import SecretUrl
from conformance.target.target import Target, embedded_target, load_target
from conformance.target.transports import NoResponse

VOTE = Call(ClassifiedValue("rateable", 494), ClassifiedValue("5", 5))
TRUE = b'{"result": true}'


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in tuple(os.environ):
        if name.lower().endswith("_proxy") or name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
            monkeypatch.delenv(name)


@pytest.fixture
def authority(tmp_path: Path) -> Path:
    """Write a file with an authority that signed no portal's certificate; return its path."""
    path = tmp_path / "authority.pem"
    trustme.CA().cert_pem.write_to_path(str(path))
    return path


def _target(base: str, ca_file: Path | None = None) -> Target:
    url = SecretUrl(f"{base}/rest/1/secret/")
    return replace(embedded_target(), kind="url", callers=dict.fromkeys(Caller, url), ca_file=ca_file)


def _is_accepted(target: Target) -> bool:
    portal = network_portal(target)
    try:
        return portal.send(VOTE).accepted
    finally:
        portal.close()


@pytest.mark.quick
@pytest.mark.parametrize(
    ("host", "is_here"),
    [
        ("localhost", True),
        ("LOCALHOST.", True),
        ("bitrix.localhost", True),
        ("127.0.0.1", True),
        ("127.255.0.9", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("localhost.example.com", False),
        ("notlocalhost", False),
        ("127.0.0.1.example.com", False),
        ("128.0.0.1", False),
        ("::ffff:10.0.0.1", False),
        ("10.0.0.1", False),
    ],
)
def test_one_definition_of_this_machine_decides(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, host: str, is_here: bool
) -> None:
    monkeypatch.setenv("ALL_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.example:3128")
    assert is_this_machine(host) is is_here
    named = f"[{host}]" if ":" in host else host
    assert (read_environment().proxy_of(httpx.URL(f"https://{named}/")) is None) is is_here
    target_file(tmp_path, f"https://{named}")
    monkeypatch.setenv("B24_SECRET", "secret")
    monkeypatch.setenv("B24_TOKEN", "token")
    path = tmp_path / "target.toml"
    assert load_target(str(path)).live is not is_here
    path.write_text(path.read_text("utf-8").replace("https:", "http:"), "utf-8")
    if is_here:
        assert not load_target(str(path)).live
    else:
        with pytest.raises(UserError, match="plain http would show the secret"):
            load_target(str(path))


NO_PROXY = [
    ("*", "any.example", True),
    ("example.com", "example.com", True),
    ("example.com", "b24.EXAMPLE.com", True),
    ("example.com", "badexample.com", False),
    (".example.com", "b24.example.com", True),
    ("*.example.com", "b24.example.com", True),
    ("example.com.", "example.com", True),
    ("other, example.com", "example.com", True),
    ("other example.com", "example.com", True),
    ("example.com:8443", "example.com:8443", True),
    ("example.com:8443", "example.com", False),
    ("example.com:443", "example.com", True),
    ("10.1.2.3", "10.1.2.3", True),
    ("10.0.0.0/8", "10.1.2.3", True),
    ("10.1.2.3/8", "10.1.2.3", True),
    ("10.0.0.0/8", "11.1.2.3", False),
    ("10.0.0.0/8:8443", "10.1.2.3", False),
    ("192.168.*", "192.168.7.7", True),
    ("fd07:b51a:cc66:f0::/64", "[fd07:b51a:cc66:f0::9]", True),
    ("[fd07:b51a:cc66:f0::/64]", "[fd07:b51a:cc66:f0::9]", True),
    ("fd07:b51a:cc66:f0::/64", "[fd08::9]", False),
    ("fd07::9", "[fd07:0::9]", True),
    ("[fd07::9]", "[fd07::9]", True),
    ("[fd07::9]:8443", "[fd07::9]:8443", True),
    ("[fd07::9]:8443", "[fd07::9]", False),
    ("10.0.0.0/8", "[::ffff:10.1.2.3]", True),
    ("портал.рф", "xn--80awhdgm.xn--p1ai", True),
    ("localhost,127.0.0.1,127.0.0.0/8,::1,[::1]", "example.com", False),
]


@pytest.mark.quick
@pytest.mark.parametrize("name", ["NO_PROXY", "no_proxy"])
@pytest.mark.parametrize(("value", "host", "is_direct"), NO_PROXY)
def test_no_proxy_in_every_form(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, host: str, is_direct: bool
) -> None:
    monkeypatch.setenv("https_proxy", "proxy.example:3128")
    monkeypatch.setenv(name, value)
    proxy = read_environment().proxy_of(httpx.URL(f"https://{host}/rest/"))
    assert (proxy is None) is is_direct


@pytest.mark.quick
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HTTP_PROXY", "http://user:hidden@"),
        ("https_proxy", "http://user:hidden@proxy:99999"),
        ("HTTPS_PROXY", "http://user:hidden@proxy:port"),
        ("HTTPS_PROXY", "proxy:3128\r"),
        ("HTTPS_PROXY", "ftp://user:hidden@proxy"),
        ("HTTPS_PROXY", "http://proxy/hidden"),
        ("ALL_PROXY", "socks4://user:hidden@proxy:1080"),
        ("all_proxy", "socks5://[::1"),
        ("ALL_PROXY", "://"),
        ("NO_PROXY", "10.0.0.0/99"),
        ("NO_PROXY", "fd07::/129"),
        ("NO_PROXY", "[::1"),
        ("no_proxy", "example.com:99999"),
        ("NO_PROXY", "example.com/path"),
        ("NO_PROXY", "."),
        ("SSL_CERT_FILE", "/nowhere/authority.pem"),
        ("SSL_CERT_FILE", os.devnull),
        ("SSL_CERT_FILE", os.curdir),
        ("SSL_CERT_FILE", __file__),
        ("SSL_CERT_DIR", "/nowhere"),
        ("SSL_CERT_DIR", f"{os.curdir}{os.pathsep}/nowhere"),
        ("SSL_CERT_DIR", __file__),
    ],
)
def test_a_wrong_value_is_named_in_one_line(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(UserError) as caught:
        read_environment()
    assert str(caught.value).startswith(f"{name}: ")
    assert len(str(caught.value).splitlines()) == 1
    assert "hidden" not in str(caught.value)


def test_a_wrong_value_ends_a_run_before_its_first_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    arrived: list[PortalRequest] = []

    def answer(request: PortalRequest) -> PortalResponse:
        arrived.append(request)
        return PortalResponse(200, "application/json", TRUE)

    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none.pem"))
    with serving(answer) as base:
        ran = command(tmp_path, "run", target_file(tmp_path, base), "-k", "success.true")
    assert ran.status == 2
    assert [line for line in ran.output.splitlines() if "SSL_CERT_FILE" in line and "cannot read it" in line]
    assert "Traceback" not in ran.output
    assert arrived == []


@pytest.fixture
def proxy() -> Iterator[tuple[str, list[str]]]:
    """Yield the URL of a proxy, and the lines that reached it."""
    seen: list[str] = []

    def answer(request: PortalRequest) -> PortalResponse:
        seen.append(f"{request.method} {request.path}")
        return PortalResponse(502, "text/html", b"")

    with serving(answer) as base:
        yield base, seen


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.0.0.2", "bitrix.localhost"])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_nothing_for_this_machine_reaches_a_proxy(
    monkeypatch: pytest.MonkeyPatch, proxy: tuple[str, list[str]], host: str, scheme: str
) -> None:
    url, seen = proxy
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, url)
    with serving(lambda _: PortalResponse(200, "application/json", TRUE)) as base:
        portal = network_portal(_target(f"{scheme}://{host}:{base.rpartition(':')[2]}"))
        # Only the server's own address is listened on.
        try:
            assert portal.send(VOTE).accepted
        except NoResponse:
            assert (scheme, host) not in (("http", "localhost"), ("http", "127.0.0.1"))
        portal.close()
    assert seen == []


@pytest.mark.parametrize("kind", ["http", "socks5"])
def test_a_proxy_that_cannot_be_used_is_named(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    with serving(lambda _: PortalResponse(200, "application/json", TRUE)) as base:
        port = base.rpartition(":")[2]
    monkeypatch.setenv("ALL_PROXY", f"{kind}://127.0.0.1:{port}")
    with pytest.raises(NoResponse, match="no connection through the proxy of ALL_PROXY"):
        _is_accepted(_target("https://portal.invalid"))


def test_the_authority_of_a_portal_is_trusted_by_the_target_file_or_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, authority: Path
) -> None:
    answer = keyed(faulty("2026-03").answer)
    with throw_away_certificate() as certificate, serving(answer, certificate.context) as base:
        https = base.replace("http:", "https:")
        monkeypatch.setenv("B24_SECRET", "s3cret-webhook-value")
        monkeypatch.setenv("B24_TOKEN", "s3cret-token-value")
        (tmp_path / "ca.pem").write_bytes("# Företag\n".encode("latin-1") + certificate.ca_file.read_bytes())
        target_file(tmp_path, https, "2026-03", more='ca_file = "ca.pem"')
        assert _is_accepted(load_target(str(tmp_path / "target.toml")))

        untrusted = replace(load_target(str(tmp_path / "target.toml")), ca_file=None)
        with pytest.raises(NoResponse, match=r"certificate is not trusted \(.*\): .* `ca_file` .* SSL_CERT_FILE"):
            _is_accepted(untrusted)
        with pytest.raises(NoResponse, match="certificate is not trusted"):
            _is_accepted(replace(untrusted, ca_file=authority))
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
        assert _is_accepted(untrusted)


def test_a_certificate_for_another_host_is_not_called_one_to_trust(tmp_path: Path) -> None:
    authority, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    authority.issue_cert("portal.example").configure_cert(context)
    with (
        serving(lambda _: PortalResponse(200, "application/json", TRUE), context) as base,
        pytest.raises(NoResponse, match="for another host") as caught,
    ):
        _is_accepted(_target(base.replace("http:", "https:"), tmp_path / "ca.pem"))
    assert "127.0.0.1" not in str(caught.value)


def test_a_certificate_that_is_not_trusted_ends_a_run_in_one_line(tmp_path: Path) -> None:
    answer = keyed(faulty("2026-03").answer)
    with throw_away_certificate() as certificate, serving(answer, certificate.context) as base:
        ran = command(tmp_path, "run", target_file(tmp_path, base.replace("http:", "https:")), "-k", "success.true")
    assert ran.status == 2
    assert len(re.findall("certificate is not trusted .* `ca_file`", ran.output)) == 1
    assert "Traceback" not in ran.output


COMMANDS: Final = """
import json, sys
from conformance.cli import main
for arguments in json.loads(sys.argv[1]):
    try:
        main(arguments)
    except SystemExit as end:
        sys.stdout.flush()
        sys.stdout.buffer.write(f"{chr(10)}== {end.code or 0}{chr(10)}".encode())
        sys.stdout.flush()
"""
"""A program that runs commands after each other: to start one takes a second."""


@pytest.mark.parametrize("encoding", ["cp1251", "C"])
def test_every_command_works_in_every_encoding(tmp_path: Path, encoding: str) -> None:
    environ = {**environment(), "PYTHONIOENCODING": encoding}
    if encoding == "C":
        del environ["PYTHONIOENCODING"]
        environ |= {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    report = str(tmp_path / "r" / "report.json")
    commands = [
        ["run", TARGET, "--report-dir=r", "-k", "rating.rejects-outside or any-text"],
        ["plan"],
        ["report", report],
        ["report", report, "--markdown"],
        ["diff", report, report, "--json"],
        ["export", "openapi"],
        ["explain"],
    ]
    with serving(keyed(faulty("2026-03", "accepts_6").answer)) as base:
        target_file(tmp_path, base, "2026-03")
        line = [sys.executable, "-c", COMMANDS, json.dumps(commands)]
        done = subprocess.run(line, capture_output=True, cwd=tmp_path, env=environ, check=False)
    assert done.stderr.count(b"Traceback") == 0, done.stderr
    run, plan, page, short, diff, openapi, explain, _ = re.split(rb"\n== [01]\n", done.stdout)
    assert b"rating.rejects-outside" in run
    assert b"verdict: not-conformant" in run
    assert b"requests" in plan
    assert "</html>" in page.decode("utf-8")
    assert b"not-conformant" in short
    assert json.loads(diff)["changes"]
    assert json.loads(openapi)["openapi"]
    assert b"rating.rejects-outside" in explain
