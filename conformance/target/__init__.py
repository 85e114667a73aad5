"""A portal to be judged: where it is, who calls it, and what carries the requests. Knows no clauses."""
