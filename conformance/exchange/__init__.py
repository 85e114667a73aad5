"""Calls, how they are encoded, and how answers are read. Pure functions and frozen values; no I/O."""
