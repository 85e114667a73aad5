"""Model portals and their servers. This package knows calls and answers, never clauses."""

from typing import Final

BITRIX24: Final = "bitrix24"
"""The portal that behaves as the real one does by its public source."""
PORTALS: Final = ("reference", BITRIX24)
"""The portals that `vote-conformance serve` can play."""
SERVED_PORT: Final = 8024
"""The default port of `vote-conformance serve`."""
