"""What answers calls: the reference portal in process, and any URL. Knows calls and answers, never clauses."""

from typing import Final

PORTALS: Final = ("reference", "bitrix24")
"""The portals that `vote-conformance serve` can play."""
SERVED_PORT: Final = 8024
"""The port of `vote-conformance serve` where no other is given."""
