"""`python -m conformance` is the command vote-conformance."""

from conformance.cli import main

main(prog_name="vote-conformance")
