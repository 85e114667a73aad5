"""What keeps a run from starting or going on: one line that says what is wrong, where, and what to do."""

from typing import Final

CANNOT_RUN: Final = 2
"""The exit status of every command that could not do its work."""


class UserError(Exception):
    """A fault of the set-up (file, option, target), never of the portal's conduct. Its text is shown as it is."""
