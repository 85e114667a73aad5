"""Model portals and their servers. This package knows calls and answers, never clauses."""

from typing import Final

PORTALS: Final = ("reference", "bitrix24")
"""The portals that `vote-conformance serve` can play."""
SERVED_PORT: Final = 8024
"""The default port of `vote-conformance serve`."""
