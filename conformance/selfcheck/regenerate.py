"""Make again whatever a command makes: `python -m conformance.selfcheck.regenerate`, about half an hour.

It writes the schemas for editors, the shipped recordings and the kill table, and prints the table of the benchmark for
the README. What is written is looked at with `git diff` before it is committed.
"""

from conformance.selfcheck import benchmark, kill_table, schemas, shipped


def main() -> None:
    """Make all of it, the quickest first."""
    for module in (schemas, shipped, kill_table, benchmark):
        print(f"# {module.__name__}")
        module.main()


if __name__ == "__main__":
    main()
