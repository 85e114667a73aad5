"""What keeps a run from starting or going on: one line that says what is wrong, where, and what to do."""


class UserError(Exception):
    """A fault of the set-up (file, option, target), never of the portal's conduct. Its text is shown as it is."""
