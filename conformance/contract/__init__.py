"""What the documentation demands: editions, equivalence classes, oracle. Imports nothing of the suite, does no I/O
but reading the edition files."""
