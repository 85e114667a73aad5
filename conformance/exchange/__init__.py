"""Calls, their encoding as HTTP requests, and the reading of answers. Pure functions and frozen values, no I/O."""
