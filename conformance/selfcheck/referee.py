"""Compare what two versions of the suite say of the same portals and client libraries.

`python -m conformance.selfcheck.referee FILE` judges every mutant, every conforming variant and every client of the
selfcheck, in each edition and in each mode, and writes the failed clauses as JSON. `--compare BEFORE` then says what
was lost: a kill, a clause that a mutant names, or a conforming variant that is accused now.
"""

import argparse
import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

from conformance.check import check_client, check_portal
from conformance.contract.clauses import Edition, edition_names, load_edition
from conformance.engine.plan import plan_of
from conformance.engine.workload import Exhaustive, Explore, Mode, Planned
from conformance.portals.in_process import portal_answering
from conformance.portals.reference import ReferencePortal
from conformance.reporting.verdict import RunVerdict, Status
from conformance.selfcheck.client_mutants import CLIENT_MUTANTS, CONFORMING_CLIENTS
from conformance.selfcheck.conforming_variants import CONFORMING_VARIANTS
from conformance.selfcheck.mutants import MUTANTS, must_catch
from conformance.target.target import embedded_target

DRAWS: Final = 20
SHORT_PLAN: Final = 50
EVERY_VOTE: Final = 1000
"""More votes than any plan holds."""
CLIENT_DRAWS: Final = 10
CAP_SECONDS: Final = 3.0
CLIENTS: Final = "client"
MODES: Final[dict[str, Callable[[Edition], Mode]]] = {
    "explore": lambda _: Explore(DRAWS),
    "plan": lambda edition: Planned(plan_of(embedded_target(), edition, votes=EVERY_VOTE)),
    "plan of 50": lambda edition: Planned(plan_of(embedded_target(), edition, budget=SHORT_PLAN)),
    "exhaustive": lambda _: Exhaustive(),
}
Failed = dict[str, list[str]]
"""By the name of a portal or client, the clauses that it fails."""
Found = dict[str, dict[str, Failed]]
"""By edition and mode."""


def main() -> None:
    parser = argparse.ArgumentParser(description="Judge all portals and clients of the selfcheck, or compare two files")
    parser.add_argument("file", type=Path)
    parser.add_argument("--compare", type=Path, metavar="BEFORE")
    parser.add_argument("--modes", nargs="+", default=[*MODES, CLIENTS], choices=[*MODES, CLIENTS])
    parser.add_argument("--editions", nargs="+", default=edition_names())
    options = parser.parse_args()
    if options.compare is None:
        found = judged_by_all(options.editions, options.modes)
        options.file.write_text(json.dumps(found, indent=1) + "\n", "utf-8")
        return
    before, after = (json.loads(path.read_text("utf-8")) for path in (options.compare, options.file))
    print("\n".join(_compared(before, after)))


def judged_by_all(editions: Sequence[str], modes: Sequence[str]) -> Found:
    """Return what each portal and client fails in these editions and modes."""
    return {name: {mode: _judged(name, mode) for mode in modes} for name in editions}


def failed_clauses(name: str, edition: str, mode: Mode) -> tuple[str, ...]:
    """Return the clauses that a portal fails, in the order of the contract."""
    return tuple(entry.clause.id for entry in verdict_on(name, edition, mode).with_status(Status.FAILED))


def verdict_on(name: str, edition: str, mode: Mode) -> RunVerdict:
    """Return the verdict on the mutant or variant of that name."""
    portal = varied_portal(name, edition)
    return check_portal(portal_answering(embedded_target(), portal.answer), portal.edition, mode).verdict


def varied_portal(name: str, edition: str) -> ReferencePortal:
    """Return the reference portal of an edition as the mutant or variant of that name makes it."""
    portal = ReferencePortal(load_edition(edition))
    next(variant for variant in (*MUTANTS, *CONFORMING_VARIANTS) if variant.name == name).apply(portal)
    return portal


def _judged(edition: str, mode: str) -> Failed:
    if mode == CLIENTS:
        clients = (*CLIENT_MUTANTS, *CONFORMING_CLIENTS)
        with ThreadPoolExecutor(6) as workers:
            failed = workers.map(_client, [client.command for client in clients], [edition] * len(clients))
            return dict(zip([client.name for client in clients], failed, strict=True))
    names = [variant.name for variant in (*MUTANTS, *CONFORMING_VARIANTS) if edition in variant.editions]
    with ProcessPoolExecutor() as workers:
        failed = workers.map(_portal, names, [edition] * len(names), [mode] * len(names))
        return dict(zip(names, failed, strict=True))


def _portal(name: str, edition: str, mode: str) -> list[str]:
    return list(failed_clauses(name, edition, MODES[mode](load_edition(edition))))


def _client(command: str, edition: str) -> list[str]:
    verdict = check_client(
        command, load_edition(edition), draws=CLIENT_DRAWS, timeout_seconds=CAP_SECONDS, jobs=1
    ).verdict
    return [entry.clause.id for entry in verdict.with_status(Status.FAILED)]


def _named(edition: str) -> dict[str, set[str]]:
    portals = {variant.name: must_catch(variant, edition) for variant in (*MUTANTS, *CONFORMING_VARIANTS)}
    return portals | {client.name: set(client.clauses) for client in (*CLIENT_MUTANTS, *CONFORMING_CLIENTS)}


def _compared(before: Any, after: Any) -> Iterator[str]:
    """A table with a row for each edition and mode, then a line for each loss."""
    losses = []
    yield "| edition | mode | killed | named clauses caught | variants accused | failed too |"
    yield "|---|---|---:|---:|---:|---:|"
    for edition, modes in after.items():
        named = _named(edition)
        for mode, failed in modes.items():
            old = before[edition][mode]
            shared = {name: failed[name] for name in failed if name in old}
            counts = [_counts(named, of) for of in (old, shared)]
            cells = [f"{one} -> {other}" for one, other in zip(*counts, strict=True)]
            yield f"| {edition} | {mode} | {' | '.join(cells)} |"
            for name, clauses in shared.items():
                lost = sorted((named[name] & set(old[name])) - set(clauses))
                if lost or (old[name] and not clauses) or (not named[name] and clauses):
                    losses.append(f"{edition}, {mode}: {name}: before {old[name]}, now {clauses}")
    yield from losses


def _counts(named: dict[str, set[str]], failed: Failed) -> tuple[int, int, int, int]:
    """How many were killed, how many named clauses were caught, how many variants accused, how many failed too."""
    mutants = {name: set(clauses) for name, clauses in failed.items() if named[name]}
    killed = sum(bool(clauses) for clauses in mutants.values())
    caught = sum(len(clauses & named[name]) for name, clauses in mutants.items())
    too = sum(len(clauses - named[name]) for name, clauses in mutants.items())
    return killed, caught, sum(bool(clauses) for name, clauses in failed.items() if not named[name]), too


if __name__ == "__main__":
    main()
