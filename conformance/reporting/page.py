"""A page that needs nothing else: no network, and only the one script whose hash its policy names."""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from conformance import __version__
from conformance.exchange.violation import printable, shown_facts
from conformance.reporting.read import shown_time, time_of

_LONGEST: Final = 500
_LONGEST_LINE: Final = 8_000
"""A line that repeats a call is of use as a whole only."""
GLYPHS: Final[Mapping[str, str]] = {
    "passed": "✓",
    "failed": "✗",
    "error": "!",
    "deviation-gone": "✗",
    "known-deviation": "≈",
    "incomplete": "!",
    "not-exercised": "–",
    "not-offered": "–",
    "not-selected": "·",
    "observed": "○",
}


@dataclass(frozen=True, slots=True)
class _Inline:
    """A style or a script inside of the page. hash: what the policy of the page names it by."""

    text: Markup
    hash: str


def page_of(template: str, **content: Any) -> str:
    """Return the page that a template makes of this content. Every text in the content shows as a text."""
    return _environment().get_template(f"{template}.html.jinja").render(**content)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("conformance.reporting"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["visible"] = lambda text: printable(str(text), _LONGEST)
    environment.filters["line"] = lambda text: printable(str(text), _LONGEST_LINE)
    environment.filters["time"] = shown_time
    environment.filters["time_of"] = time_of
    environment.globals |= {
        "shown_facts": shown_facts,
        "glyphs": GLYPHS,
        "version": __version__,
        "style": _inline("page.css"),
        "script": _inline("page.js"),
    }
    return environment


def _inline(name: str) -> _Inline:
    text = (files("conformance.reporting") / "templates" / name).read_text("utf-8")
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return _Inline(Markup(text), f"sha256-{digest}")  # noqa: S704
