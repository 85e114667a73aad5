"""Loads the suite's plugin, so that `pytest --target ...` works in a checkout."""

pytest_plugins = ["conformance.plugin"]
