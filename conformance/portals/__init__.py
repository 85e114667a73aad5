"""What answers calls: the reference portal in process, and any URL. Knows calls and answers, never clauses."""
