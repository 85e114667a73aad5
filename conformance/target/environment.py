"""The way from this machine to a portal, as the environment describes it: proxies, and authorities to trust.

Everything is read and checked at once, so that a wrong value ends a run before its first request. Proxies have
passwords: no message shows the value of a variable that names one.
"""

import ipaddress
import os
import re
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final
from urllib.request import getproxies

import certifi
import httpx

from conformance.errors import UserError
from conformance.loading import quoted, read_bytes

LAST_PORT: Final = 65_535
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_LARGEST_FILE: Final = 16 * 2**20
# Of OpenSSL: X509_V_ERR_CERT_HAS_EXPIRED, X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH.
_EXPIRED: Final = 10
_OTHER_HOST: Final = (62, 64)
_CERTIFICATE: Final = re.compile(rb"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)
_PROXY_SCHEMES: Final = ("http", "https", "socks5", "socks5h")
# A proxy for http alone is checked and never used: plain http is for this machine only.
_PROXY_KINDS: Final = ("http", "https", "all")
_FOR_HTTPS: Final = ("https", "all")
_ENTRY: Final = re.compile(
    r"(?:\w+://)?(?:\[(?P<bracketed>[^\[\]]+)]|(?P<plain>[^\[\]:]+|[^\[\]]*:[^\[\]]*:[^\[\]]*))(?::(?P<port>\d{1,5}))?",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy, and the variable that names it."""

    url: httpx.URL
    variable: str


@dataclass(frozen=True, slots=True)
class Environment:
    """How requests leave this machine.

    proxy: the proxy for https, None if there is none.
    exceptions: each returns True for a host and a port that are reached without the proxy.
    trust: the authorities by which certificates are checked.
    """

    proxy: Proxy | None
    exceptions: tuple[Callable[[str, int], bool], ...]
    trust: ssl.SSLContext

    def proxy_of(self, url: httpx.URL) -> Proxy | None:
        """Return the proxy for a request, None if it is sent directly."""
        host, port = url.raw_host.decode("ascii"), url.port or (443 if url.scheme == "https" else 80)
        if url.scheme != "https" or is_this_machine(host) or any(holds(host, port) for holds in self.exceptions):
            return None
        return self.proxy


def is_this_machine(host: str) -> bool:
    """Return True if a host is this machine by its name or address: the one definition for http, `live` and proxies."""
    address = _address(host)
    if address is not None:
        return address.is_loopback
    name = host.rstrip(".").lower()
    return name == "localhost" or name.endswith(".localhost")


def read_environment(ca_file: Path | None = None) -> Environment:
    """Return what the environment says. Raise UserError for a value that cannot be used.

    ca_file: an authority to trust besides those of the environment, in PEM.
    """
    values = getproxies()
    proxies = {kind: _proxy(kind, values[kind]) for kind in _PROXY_KINDS if values.get(kind)}
    return Environment(
        proxy=next((proxies[kind] for kind in _FOR_HTTPS if kind in proxies), None),
        exceptions=tuple(_exception(entry) for entry in re.split(r"[,\s]+", values.get("no", "")) if entry),
        trust=_trust(ca_file),
    )


def certificate_fault(error: BaseException | None) -> str:
    """Return what is wrong with a portal's certificate and what to do; the empty text for another error."""
    while error is not None and not isinstance(error, ssl.SSLCertVerificationError):
        error = error.__cause__ or error.__context__
    if error is None:
        return ""
    # The text that names a wrong host holds the host.
    if error.verify_code in _OTHER_HOST:
        return "the portal's certificate is for another host: use the host that the certificate names"
    if error.verify_code == _EXPIRED:
        return "the portal's certificate has expired: renew it on the portal"
    return (
        f"the portal's certificate is not trusted ({error.verify_message}): name the file of its authority as "
        "`ca_file` in the target file, or in SSL_CERT_FILE"
    )


def _address(host: str) -> _Address | None:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, ipaddress.IPv6Address) else address


def _variable(kind: str) -> str:
    """Return the name of a variable as it is spelled in the environment. Names in lower case win, as in urllib."""
    names = [name for name in os.environ if name.lower() == f"{kind}_proxy" and os.environ[name]]
    return max(names, default=f"{kind.upper()}_PROXY")


def _proxy(kind: str, value: str) -> Proxy:
    variable = _variable(kind)
    try:
        url = httpx.URL(value if "://" in value else f"http://{value}")
        usable = url.scheme in _PROXY_SCHEMES and bool(url.host) and 0 < (url.port or 1) <= LAST_PORT
    except (httpx.InvalidURL, ValueError):
        usable = False
    if not usable or url.path not in ("", "/") or url.query or url.fragment:
        schemes = f"{', '.join(_PROXY_SCHEMES[:-1])} or {_PROXY_SCHEMES[-1]}"
        raise UserError(f"{variable}: not the URL of a proxy: write it as http://HOST:PORT ({schemes}), or unset it")
    return Proxy(url, variable)


def _exception(entry: str) -> Callable[[str, int], bool]:
    """Return what an entry of NO_PROXY matches."""
    parts = _ENTRY.fullmatch(entry)
    named = (parts["bracketed"] or parts["plain"]) if parts else ""
    port = int(parts["port"] or 0) if parts else 0
    network = _network(named)
    matches = _of_network(network) if network is not None else _of_name(named)
    if matches is None or port > LAST_PORT:
        raise UserError(
            f"{_variable('no')}: {quoted(entry)} is no name, address or network: write it as example.com, 10.0.0.1, "
            "10.0.0.0/8 or fd00::/8, with commas between"
        )
    return lambda host, at: port in (0, at) and matches(host)


def _network(text: str) -> _Network | None:
    try:
        return ipaddress.ip_network(re.sub(r"%[^/]*", "", text), strict=False)
    except ValueError:
        return None


def _of_network(network: _Network) -> Callable[[str], bool]:
    return lambda host: (address := _address(host)) is not None and address in network


def _of_name(text: str) -> Callable[[str], bool] | None:
    """Return what a name matches: itself and the names below it; None if the text is no name."""
    if not re.fullmatch(r"[\w.*-]+", text):
        return None
    name = _ascii(text.removeprefix("*").strip(".").lower())
    if not name:
        return (lambda _host: True) if "*" in text else None
    if "*" in name:
        return lambda host: fnmatchcase(host.rstrip(".").lower(), name)
    return lambda host: f".{host.rstrip('.').lower()}".endswith(f".{name}")


def _ascii(name: str) -> str:
    """Return a name as it stands in a URL that is sent."""
    try:
        return name if name.isascii() else httpx.URL(scheme="https", host=name).raw_host.decode("ascii")
    except httpx.InvalidURL:
        return name


def _trust(ca_file: Path | None) -> ssl.SSLContext:
    # Not ssl.create_default_context: it writes the keys of connections where SSLKEYLOGFILE says, and it passes over a
    # file of SSL_CERT_FILE that does not exist.
    trust = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    file, folders = os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")
    if file:
        _load(trust, Path(file), "SSL_CERT_FILE: ")
    if folders:
        for folder in folders.split(os.pathsep):
            if not os.path.isdir(folder):
                raise UserError(f"SSL_CERT_DIR: {quoted(folder)} is no folder: correct the variable or unset it")
        trust.load_verify_locations(capath=folders)
    if not file and not folders:
        trust.load_verify_locations(cafile=certifi.where())
    if ca_file is not None:
        _load(trust, ca_file, "")
    return trust


def _load(trust: ssl.SSLContext, path: Path, named_by: str) -> None:
    """Trust the authorities of a file in PEM."""
    try:
        data = read_bytes(path, _LARGEST_FILE)
    except UserError as error:
        raise UserError(f"{named_by}{error}") from None
    certificates = _CERTIFICATE.findall(data)
    try:
        if not certificates:
            raise ValueError("there is no certificate in it")
        trust.load_verify_locations(cadata=b"\n".join(certificates).decode("ascii"))
    except (ssl.SSLError, ValueError):
        advice = "give the authority's certificates as text that begins with -----BEGIN CERTIFICATE-----"
        raise UserError(f"{named_by}{path}: no certificate can be read from it: {advice}") from None
