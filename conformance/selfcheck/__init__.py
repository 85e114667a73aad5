"""Tests of the suite itself: is each mutant caught by its own clauses, and nobody else accused.

`pytest conformance/selfcheck -m quick` runs the everyday set. Tests that need node or curl are skipped without them,
and say so. WHOLE=1 and WHOLE_BLAME=1 in the environment judge every mutant in each edition that it is for.
"""
