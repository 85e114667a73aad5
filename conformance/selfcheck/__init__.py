"""Tests of the suite itself: does it accuse who lies, and nobody else."""
