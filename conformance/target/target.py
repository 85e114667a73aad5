"""Targets: the embedded portal, or a portal somewhere else that a target file describes."""

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Final

import httpx
from msgspec import UNSET, Meta, UnsetType, to_builtins

from conformance.contract.clauses import Edition, default_edition, edition_names, load_edition
from conformance.errors import UserError
from conformance.exchange.call import NEARLY_RIGHT, TOKEN_CALLERS, Caller
from conformance.exchange.reproduce import WRONG_SECRET
from conformance.loading import DEVIATIONS, file_or_shipped, load, unknown
from conformance.options import AUTO
from conformance.portals import BITRIX24, reference
from conformance.target.environment import LAST_PORT, is_this_machine
from conformance.target.redact import Redactor
from conformance.target.secrets import SHORTEST_SECRET, Secret, SecretUrl

_OFFERABLE_CHAPTERS: Final = ("transport", "access", "effects")
_WEBHOOK: Final = (r".*/rest/[^/]+/[^/]+", "https://PORTAL/rest/USER/${SECRET}/")
_REST: Final = (r".*/rest", "https://PORTAL/rest/")
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

    kind: "embedded", "url" or "recorded".
    edition: the empty text if the file names no edition.
    live: True if each call counts. Then calls must not name sessions that are not configured.
    callers: the base URL of each caller that there is.
    sessions: the ids by state.
    private: values that no file may hold.
    portal: the kind of portal, in its owner's words.
    ca_file: an authority to trust, in PEM.
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
    ca_file: Path | None = None

    @property
    def reads_back(self) -> bool:
        """Return True if the target offers any clause that needs a read-back."""
        return not self.not_offered >= {"effect.saved", "effect.unchanged-on-refusal", "effect.revote"}

    @property
    def redactor(self) -> Redactor:
        """Return what takes the target's secrets out of texts."""
        return Redactor.of(self.callers.values(), (self.token, *self.private), hosts=self.kind == "url")


_SessionId = Annotated[int, Meta(ge=1, description="A session id, without quotes.")]


@dataclass(frozen=True, slots=True)
class SessionsEntry:
    """The ids of sessions by state. The caller may rate the session `rateable`."""

    rateable: _SessionId
    forbidden: _SessionId | UnsetType = UNSET
    not_open_line: _SessionId | UnsetType = UNSET
    unknown: _SessionId | UnsetType = UNSET
    open: _SessionId | UnsetType = UNSET


@dataclass(frozen=True, slots=True)
class _CallersEntry:
    """Further callers; webhooks, and a REST address with an OAuth access token."""

    unscoped_url: str = ""
    second_url: str = ""
    token_url: str = ""
    token: str = ""


@dataclass(frozen=True, slots=True)
class _LimitEntry:
    """How many requests the portal's bucket holds, and how many of them drain in a second."""

    burst: Annotated[int, Meta(ge=1)] | UnsetType = UNSET
    per_second: Annotated[float, Meta(gt=0, le=1000)] | UnsetType = UNSET


@dataclass(frozen=True, slots=True)
class TargetFile:
    """The form of a target file."""

    name: Annotated[str, Meta(description="It names the folder of the report.")]
    url: Annotated[str, Meta(description="https://PORTAL/rest/USER/${SECRET}/, the secret as a variable.")]
    sessions: SessionsEntry
    edition: Annotated[str, Meta(description="The edition of the documentation to judge by.")] = ""
    live: Annotated[bool, Meta(description="True if each call counts; always so unless the portal is local.")] = False
    deviations: Annotated[str, Meta(description="A deviation file, its path beginning at this file.")] = ""
    not_offered: Annotated[tuple[str, ...], Meta(description="Clauses that the portal does not offer.")] = ()
    callers: _CallersEntry = _CallersEntry()
    private: tuple[
        Annotated[str, Meta(min_length=SHORTEST_SECRET, description="A value that no file may hold.")], ...
    ] = ()
    limit: _LimitEntry = _LimitEntry()
    portal: Annotated[str, Meta(description="The kind of portal, in your words.")] = ""
    ca_file: Annotated[str, Meta(description="An authority to trust, in PEM, its path beginning at this file.")] = ""


def load_target(name: str) -> Target:
    """Return the target of that name: "mock", "bitrix24", or the path of a target file. Raise UserError."""
    if name == "mock":
        return embedded_target()
    if name == BITRIX24:
        return replace(embedded_target(), name=BITRIX24, edition=edition_names()[-1])
    if not os.path.exists(name):
        raise UserError(
            f"--target {name}: cannot read this file (no such file): give `mock`, `{BITRIX24}` or a target file"
        )
    return _target(load(Path(name), TargetFile), Path(name))


def edition_of(target: Target, given: str | None) -> Edition:
    """Return the edition that a target is judged by: the given one, else its own. Raises UserError."""
    name = target.edition if given is None else given
    if name == AUTO:
        raise UserError(f"{target.name}: edition auto: nothing is sent, so no portal is asked: give --edition")
    if not name:
        raise UserError(f"{target.name}: no edition: put it into the target file or give --edition")
    return load_edition(name)


def embedded_target() -> Target:
    """Return the reference portal inside this process."""
    host = "http://127.0.0.1/rest/"
    main = SecretUrl(f"{host}1/{reference.SECRET}/")
    return Target(
        name="mock",
        kind="embedded",
        edition=default_edition(),
        live=False,
        callers=_callers(main, f"{host}2/{reference.SECOND_SECRET}/", f"{host}3/{reference.UNSCOPED_SECRET}/", host)
        | _nearly_right(main),
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
    rest = SecretUrl(token) if token else main.without_secret()
    callers |= dict.fromkeys((Caller.WRONG_TOKEN, Caller.NO_CREDENTIALS), rest)
    if token:
        callers |= dict.fromkeys(TOKEN_CALLERS, rest)
    return callers


def _nearly_right(main: SecretUrl) -> dict[Caller, SecretUrl]:
    """Return the callers whose secret is made from the right one, as far as it differs from it."""
    secret = main.secret
    secrets = (secret.swapcase(), secret[:-1], f"{secret}x")
    if not secret[1:] or "%" in secret:
        return {}
    made = {caller: other for caller, other in zip(NEARLY_RIGHT, secrets, strict=False) if other != secret}
    return {caller: main.with_secret(other) for caller, other in (made | {Caller.EMPTY_SECRET: ""}).items()}


def _target(form: TargetFile, path: Path) -> Target:
    check_name(form.name, path)
    if form.edition and form.edition not in (*edition_names(), AUTO):
        advice = f"choose one of {', '.join(edition_names())}"
        raise UserError(f"{path}: edition: {unknown('edition', form.edition, edition_names(), advice)}")
    if bool(form.callers.token_url) != bool(form.callers.token):
        raise UserError(f"{path}: callers: token_url and token go together: give both or neither")
    main = SecretUrl(_url(form.url, f"{path}: url", _WEBHOOK))
    callers = (
        ("second_url", form.callers.second_url, _WEBHOOK),
        ("unscoped_url", form.callers.unscoped_url, _WEBHOOK),
        ("token_url", form.callers.token_url, _REST),
    )
    others = [_url(url, f"{path}: callers.{key}", shape) if url else "" for key, url, shape in callers]
    sessions = checked_sessions(form.sessions, path)
    live = form.live or not is_this_machine(httpx.URL(main.value).host)
    nearly_right = {} if live else _nearly_right(main)
    return Target(
        name=form.name,
        kind="url",
        edition=form.edition,
        live=live,
        callers=_callers(main, *others) | nearly_right,
        token=Secret(_expand(form.callers.token, f"{path}: callers.token")),
        sessions=sessions,
        not_offered=checked_not_offered(form.not_offered, sessions, path),
        deviations=file_or_shipped(path.parent, form.deviations, DEVIATIONS) if form.deviations else None,
        private=tuple(Secret(_expand(value, f"{path}: private")) for value in form.private),
        limit=replace(DOCUMENTED_LIMIT if live else NO_LIMIT, **to_builtins(form.limit)),
        portal=form.portal,
        ca_file=path.parent / form.ca_file if form.ca_file else None,
    )


def check_name(name: str, path: Path) -> None:
    """Raise UserError unless a target's name can name a folder."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name):
        raise UserError(f"{path}: name: use letters, digits, dot, dash and underscore: it names the report's folder")


def checked_sessions(form: SessionsEntry, path: Path) -> dict[str, int]:
    """Return the session ids by state. Raise UserError."""
    sessions: dict[str, int] = to_builtins(form)
    if len(set(sessions.values())) < len(sessions):
        raise UserError(f"{path}: sessions: the same id stands for two states: each state needs a session of its own")
    return sessions


def checked_not_offered(names: Iterable[str], sessions: Mapping[str, int], path: Path) -> frozenset[str]:
    """Return the clauses that a target need not be asked about. Raise UserError."""
    known = {clause.id: clause for name in edition_names() for clause in load_edition(name).clauses.values()}
    without_session = {
        clause for state, clauses in _CLAUSES_OF_STATE.items() if state not in sessions for clause in clauses
    }
    for name in names:
        if name not in known:
            advice = "`vote-conformance explain` lists them"
            raise UserError(f"{path}: not_offered: {unknown('clause', name, known, advice)}")
        if known[name].chapter not in _OFFERABLE_CHAPTERS and name not in without_session:
            raise UserError(
                f"{path}: not_offered: {name} is part of the method: only clauses of {', '.join(_OFFERABLE_CHAPTERS)} "
                "and of a session state that is not configured can be left out"
            )
    return frozenset(names)


def _url(text: str, where: str, shape: tuple[str, str]) -> str:
    text = _expand(text, where)
    try:
        url = httpx.URL(text)
        path = url.raw_path.decode("ascii").rstrip("/")
        usable = url.scheme in ("http", "https") and bool(url.host) and 0 < (url.port or 1) <= LAST_PORT
    except (httpx.InvalidURL, ValueError):
        usable, path = False, ""
    if not usable or "?" in text or "#" in text or not re.fullmatch(shape[0], path):
        raise UserError(f"{where}: not a base URL: write it as {shape[1]}")
    if url.scheme == "http" and not is_this_machine(url.host):
        raise UserError(f"{where}: plain http would show the secret on the way to the portal: use https")
    return text.rstrip("/") + "/"


def _expand(text: str, where: str) -> str:
    def value_of(match: re.Match[str]) -> str:
        value = os.environ.get(match[1])
        if not value:
            raise UserError(f"{where}: the environment variable {match[1]} is not set: export it before the run")
        return value

    return re.sub(r"\$\{(\w+)\}", value_of, text)
