"""Methods that libraries call beside the vote: is the webhook alive, whose is it, what may it do."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Final

from conformance.exchange.call import METHOD, READ_METHOD, Json

_SCOPES: Final = ("imopenlines", "user")
_PERSON: Final[Mapping[str, Json]] = {"ID": "1", "NAME": "Ann", "LAST_NAME": "Example"}


def _profile() -> Json:
    return {**_PERSON, "ADMIN": False, "PERSONAL_GENDER": "F", "TIME_ZONE": "", "TIME_ZONE_OFFSET": 0}


def _user() -> Json:
    return {**_PERSON, "ACTIVE": True, "EMAIL": "ann@example.com", "USER_TYPE": "employee"}


def _app_info() -> Json:
    return {"SCOPE": list(_SCOPES), "LICENSE": "en_basic"}


def _methods() -> Json:
    return ["batch", *OTHER_METHODS, METHOD, READ_METHOD]


OTHER_METHODS: Final[Mapping[str, Callable[[], Json]]] = {
    "profile": _profile,
    "user.current": _user,
    "app.info": _app_info,
    "scope": lambda: list(_SCOPES),
    "methods": _methods,
    "server.time": lambda: datetime.now(UTC).isoformat(timespec="seconds"),
}
"""The result of each method, for every caller with valid credentials."""
