"""Targets: the embedded portal, or what a target file says of a portal somewhere else."""

import ipaddress
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from conformance.contract.classes import STATES
from conformance.contract.clauses import check_keys, edition_names, load_edition
from conformance.errors import UserError
from conformance.exchange.call import TOKEN_CALLERS, Caller
from conformance.exchange.reproduce import WRONG_SECRET
from conformance.portals import reference
from conformance.target.redact import Redactor
from conformance.target.secrets import SHORTEST_SECRET, Secret, SecretUrl

DEFAULT_EDITION: Final = "2024-10"
_OFFERABLE_CHAPTERS: Final = ("transport", "access", "effects")
_CLAUSES_OF_STATE: Final = {
    "forbidden": ("error.access-denied",),
    "not_open_line": ("error.chat-type",),
    "unknown": ("error.chat-id", "error.unknown-session"),
    "open": ("access.open-dialog",),
}


@dataclass(frozen=True, slots=True)
class Limit:
    """The portal's bucket: how many requests it holds, and how many of them drain in a second."""

    burst: int
    per_second: float


NO_LIMIT: Final = Limit(burst=1000, per_second=1000.0)
DOCUMENTED_LIMIT: Final = Limit(burst=50, per_second=2.0)


@dataclass(frozen=True, slots=True)
class Target:
    """A portal to be judged.

    kind: "embedded", "url" or "recorded". edition: empty where the file names none. live: calls must not name sessions
    that were not configured, and each counts. callers: the base URL of each caller that there is. sessions: the ids by
    state.
    private: values that no file may hold. portal: what kind of portal it is, in its owner's words.
    """

    name: str
    kind: str
    edition: str
    live: bool
    callers: Mapping[Caller, SecretUrl]
    token: Secret
    sessions: Mapping[str, int]
    not_offered: frozenset[str]
    deviations: Path | None
    private: tuple[Secret, ...] = ()
    limit: Limit = DOCUMENTED_LIMIT
    portal: str = ""

    @property
    def redactor(self) -> Redactor:
        """Return what takes the target's secrets out of texts."""
        return Redactor.of(self.callers.values(), (self.token, *self.private), hosts=self.kind == "url")


def load_target(name: str) -> Target:
    """The target of that name: "mock", or the path of a target file. Raises Problem."""
    if name == "mock":
        return embedded_target()
    path = Path(name)
    try:
        data = tomllib.loads(path.read_text("utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise UserError(f"{name}: not valid TOML: {error}") from None
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise UserError(f"--target {name}: cannot read this file ({reason}): give `mock` or a target file") from None
    return _parse(data, path)


def embedded_target() -> Target:
    """The reference portal inside this process."""
    host = "http://127.0.0.1/rest/"
    main = SecretUrl(f"{host}1/{reference.SECRET}/")
    return Target(
        name="mock",
        kind="embedded",
        edition=DEFAULT_EDITION,
        live=False,
        callers=_callers(main, f"{host}2/{reference.SECOND_SECRET}/", f"{host}3/{reference.UNSCOPED_SECRET}/", host),
        token=Secret(reference.TOKEN),
        sessions=reference.SESSIONS,
        not_offered=frozenset(),
        deviations=None,
    )


def _callers(main: SecretUrl, second: str, unscoped: str, token: str) -> dict[Caller, SecretUrl]:
    callers = {Caller.MAIN: main, Caller.WRONG_SECRET: main.with_secret(WRONG_SECRET)}
    if second:
        callers[Caller.SECOND] = SecretUrl(second)
    if unscoped:
        callers[Caller.UNSCOPED] = SecretUrl(unscoped)
    if token:
        callers.update(dict.fromkeys(TOKEN_CALLERS, SecretUrl(token)))
    return callers


def _parse(data: dict[str, Any], path: Path) -> Target:
    file = str(path)
    kinds = {
        "name": str,
        "edition": str,
        "url": str,
        "live": bool,
        "deviations": str,
        "not_offered": list,
        "sessions": dict,
        "callers": dict,
        "private": list,
        "limit": dict,
        "portal": str,
    }
    check_keys(data, {}, kinds, file)
    for key in ("name", "url", "sessions"):
        if key not in data:
            raise UserError(f"{file}: key {key!r} is missing")
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", data["name"]):
        raise UserError(f"{file}: name: use letters, digits, dot, dash and underscore: it names the report's folder")
    edition = data.get("edition", "")
    if edition and edition not in edition_names():
        raise UserError(f"{file}: edition: unknown edition {edition!r}: choose one of {', '.join(edition_names())}")
    callers = data.get("callers", {})
    check_keys(
        callers, {}, dict.fromkeys(("unscoped_url", "second_url", "token_url", "token"), str), f"{file}: callers"
    )
    if ("token_url" in callers) != ("token" in callers):
        raise UserError(f"{file}: callers: token_url and token go together: give both or none")
    main = SecretUrl(_url(data["url"], f"{file}: url"))
    others = [
        _url(callers[key], f"{file}: callers.{key}") if key in callers else ""
        for key in ("second_url", "unscoped_url", "token_url")
    ]
    sessions = check_sessions(data["sessions"], f"{file}: sessions")
    live = data.get("live", False) or not _is_loopback(main.value)
    return Target(
        name=data["name"],
        kind="url",
        edition=edition,
        live=live,
        callers=_callers(main, *others),
        token=Secret(_expand(callers.get("token", ""), f"{file}: callers.token")),
        sessions=sessions,
        not_offered=check_not_offered(data.get("not_offered", []), sessions, f"{file}: not_offered"),
        deviations=path.parent / data["deviations"] if "deviations" in data else None,
        private=_private(data.get("private", []), f"{file}: private"),
        limit=_limit(data.get("limit", {}), live, f"{file}: limit"),
        portal=data.get("portal", ""),
    )


def _private(values: list[Any], where: str) -> tuple[Secret, ...]:
    for value in values:
        if not isinstance(value, str) or len(value) < SHORTEST_SECRET:
            raise UserError(f"{where}: each value is a text of {SHORTEST_SECRET} characters at least")
    return tuple(Secret(_expand(value, where)) for value in values)


def _limit(table: dict[str, Any], live: bool, where: str) -> Limit:
    check_keys(table, {}, {"burst": int, "per_second": (int, float)}, where)
    usual = DOCUMENTED_LIMIT if live else NO_LIMIT
    limit = Limit(table.get("burst", usual.burst), table.get("per_second", usual.per_second))
    if limit.burst < 1 or not 0 < limit.per_second <= 1000:
        raise UserError(f"{where}: burst is a whole number above 0, per_second a number above 0")
    return limit


def check_sessions(table: dict[str, Any], where: str) -> dict[str, int]:
    """The session ids by state. Raises Problem."""
    for state, number in table.items():
        if state not in STATES:
            raise UserError(f"{where}: unknown state {state!r}: the states are {', '.join(STATES)}")
        if not isinstance(number, int) or isinstance(number, bool) or number <= 0:
            raise UserError(f"{where}.{state}: a session id is a whole number above 0, written without quotes")
    if "rateable" not in table:
        raise UserError(f"{where}: give at least rateable, the id of a session that this caller may rate")
    if len(set(table.values())) < len(table):
        raise UserError(f"{where}: the same id stands for two states: each state needs a session of its own")
    return table


def check_not_offered(names: list[Any], sessions: dict[str, int], where: str) -> frozenset[str]:
    """The clauses that a target need not be asked about. Raises Problem."""
    known = {clause.id: clause for name in edition_names() for clause in load_edition(name).clauses.values()}
    without_session = {
        clause for state, clauses in _CLAUSES_OF_STATE.items() if state not in sessions for clause in clauses
    }
    for name in names:
        if not isinstance(name, str) or name not in known:
            raise UserError(f"{where}: unknown clause {name!r}: `vote-conformance explain` lists them")
        if known[name].chapter not in _OFFERABLE_CHAPTERS and name not in without_session:
            raise UserError(
                f"{where}: {name} is part of the method: only clauses of {', '.join(_OFFERABLE_CHAPTERS)} "
                "and of a session state that is not configured can be left out"
            )
    return frozenset(names)


def _url(text: str, where: str) -> str:
    text = _expand(text, where)
    try:
        parts = urlsplit(text)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        usable = False
    form = r".*/rest" if where.endswith("token_url") else r".*/rest/[^/]+/[^/]+"
    if not usable or parts.query or parts.fragment or not re.fullmatch(form, parts.path.rstrip("/")):
        shape = "https://PORTAL/rest/" + ("" if where.endswith("token_url") else "USER/${SECRET}/")
        raise UserError(f"{where}: not a base URL: write it as {shape}")
    if parts.scheme == "http" and not _is_loopback(text):
        raise UserError(f"{where}: plain http would show the secret on the way to {parts.hostname}: use https")
    return text.rstrip("/") + "/"


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _expand(text: str, where: str) -> str:
    def value_of(match: re.Match[str]) -> str:
        value = os.environ.get(match[1])
        if not value:
            raise UserError(f"{where}: the environment variable {match[1]} is not set: export it before the run")
        return value

    return re.sub(r"\$\{(\w+)\}", value_of, text)
