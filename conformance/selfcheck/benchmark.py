"""What judging costs and what it catches: `python -m conformance.selfcheck.benchmark`, about a quarter of an hour.

Cost: the processor time of the embedded run in two modes against two floors measured in the same run: the same requests
sent by bare httpx through the same in-process portal, judged by nobody (calls), and Hypothesis drawing from the same
strategies with nothing done (draws). Kills: the lying portals of the selfcheck, judged in three ways and by
schemathesis, a general API fuzzer, with the OpenAPI description of this project. Ratios within one run are what counts;
the machines are noisy. Schemathesis gets an environment of its own, because its plugin changes what Hypothesis draws.
"""

import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Final

import httpx
from hypothesis import HealthCheck, Phase, Verbosity, given, settings
from hypothesis.strategies import SearchStrategy

from conformance.check import check_portal
from conformance.contract.clauses import Edition, default_edition, edition_names, load_edition
from conformance.engine.plan import plan_of
from conformance.engine.preflight import preflight, preflight_requests
from conformance.engine.session import PortalSession
from conformance.engine.workload import Exhaustive, Explore, Mode, Planned
from conformance.portals.in_process import mock_transport, portal_answering
from conformance.portals.php_forms import PortalRequest
from conformance.portals.reference import Answering, PortalResponse, ReferencePortal
from conformance.reporting.verdict import Verdict
from conformance.selfcheck.fuzzer import fuzz, fuzzer_program, unfit_checks
from conformance.selfcheck.mutants import MUTANTS
from conformance.selfcheck.referee import varied_portal
from conformance.settings import DRAWS
from conformance.suite import portal_checks
from conformance.target.target import embedded_target

ROUNDS: Final = 5
FEW_DRAWS: Final = 20
_MEMORY: Final = (
    "import resource; from conformance.contract.clauses import load_edition; "
    "from conformance.engine.workload import Exhaustive; from conformance.selfcheck.benchmark import judge_reference; "
    "judge_reference(load_edition('{edition}'), Exhaustive()); "
    "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)"
)


@dataclass(frozen=True, slots=True)
class Kills:
    """How many of so many portals were caught, and the requests that the portals counted, the median of all."""

    killed: int
    portals: int
    requests: int

    def __str__(self) -> str:
        return f"{self.killed} of {self.portals}, {self.requests:,} requests"


def main() -> None:
    """Prints one table: a row for each figure, a column for each edition."""
    columns = {name: dict(_costs(load_edition(name))) for name in edition_names()}
    # The newer edition names its statuses, without which the fuzzer could tell even less.
    newest = default_edition()
    columns[newest] |= _kills(newest)
    print("| figure | " + " | ".join(columns) + " |")
    print("|---|" + "---:|" * len(columns))
    for figure in columns[newest]:
        print(f"| {figure} | " + " | ".join(column.get(figure, "") for column in columns.values()) + " |")


def _costs(edition: Edition) -> list[tuple[str, str]]:
    strategies = _strategies(edition)
    explored, swept = (_requests_of_a_run(edition, mode) for mode in (Explore(DRAWS), Exhaustive()))
    explore, calls, draws, exhaustive, all_calls = _least(
        lambda: judge_reference(edition, Explore(DRAWS)),
        lambda: _send(explored, edition),
        lambda: _draw(strategies),
        lambda: judge_reference(edition, Exhaustive()),
        lambda: _send(swept, edition),
    )
    memory = subprocess.run(
        [sys.executable, "-c", _MEMORY.format(edition=edition.name)], capture_output=True, text=True, check=True
    )
    return [
        ("explore: requests, draws", f"{len(explored):,}, {len(strategies) * DRAWS:,}"),
        ("explore, calls, draws: processor seconds", f"{explore:.2f}, {calls:.2f}, {draws:.2f}"),
        ("explore / (calls + draws)", f"{explore / (calls + draws):.2f}"),
        ("exhaustive: requests", f"{len(swept):,}"),
        ("exhaustive, calls: processor seconds", f"{exhaustive:.2f}, {all_calls:.2f}"),
        ("exhaustive / calls", f"{exhaustive / all_calls:.2f}"),
        ("exhaustive: peak memory of the process", f"{memory.stdout.strip()} MB"),
    ]


def _least(*works: Callable[[], object]) -> list[float]:
    """The least processor seconds of each, in turn: what disturbs a measurement only ever adds to it."""

    def timed(work: Callable[[], object]) -> float:
        start = time.process_time()
        work()
        return time.process_time() - start

    rounds = [[timed(work) for work in works] for _ in range(ROUNDS)]
    return [min(column) for column in zip(*rounds, strict=True)]


def judge_reference(edition: Edition, mode: Mode) -> None:
    """A run of the suite on the reference portal, as the embedded run has it."""
    check_portal(portal_answering(embedded_target(), ReferencePortal(edition).answer), edition, mode)


def _requests_of_a_run(edition: Edition, mode: Mode) -> list[PortalRequest]:
    seen: list[PortalRequest] = []
    check_portal(
        portal_answering(embedded_target(), counted(ReferencePortal(edition).answer, seen.append)), edition, mode
    )
    return seen


def counted(honest: Answering, count: Callable[[PortalRequest], object]) -> Answering:
    """The portal, with each request shown to `count` first."""

    def answer(request: PortalRequest) -> PortalResponse:
        count(request)
        return honest(request)

    return answer


def _send(requests: Iterable[PortalRequest], edition: Edition) -> None:
    client = httpx.Client(transport=mock_transport(ReferencePortal(edition).answer))
    for request in requests:
        url = f"http://127.0.0.1{request.path}" + (f"?{request.query}" if request.query else "")
        client.send(httpx.Request(request.method, url, headers=dict(request.headers), content=request.body)).read()


def _strategies(edition: Edition) -> list[SearchStrategy[object]]:
    session = PortalSession(edition, portal_answering(embedded_target(), ReferencePortal(edition).answer), True)
    preflight(session, preflight_requests(session.portal.target))
    checks = (check for check in portal_checks() if check.clause in edition.clauses)
    strategies = (check.given.cases(session).strategy for check in checks)
    return [strategy for strategy in strategies if strategy is not None]


def _draw(strategies: list[SearchStrategy[object]]) -> None:
    for strategy in strategies:

        @settings(
            max_examples=DRAWS,
            database=None,
            deadline=None,
            verbosity=Verbosity.quiet,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(strategy)
        def nothing(_case: object) -> None:
            pass

        nothing()


MODES: Final[dict[str, Callable[[Edition], Mode]]] = {
    "explore": lambda _: Explore(FEW_DRAWS),
    "plan": lambda edition: Planned(plan_of(embedded_target(), edition)),
    "plan of 50": lambda edition: Planned(plan_of(embedded_target(), edition, budget=50)),
}


def _judged(mode: str, edition: str, fault: str) -> tuple[bool, int]:
    """Whether a mode finds fault with a portal, and how many requests the portal counted."""
    portal = varied_portal(fault, edition)
    seen: list[None] = []
    judged_by = portal_answering(embedded_target(), counted(portal.answer, lambda _: seen.append(None)))
    verdict = check_portal(judged_by, portal.edition, MODES[mode](portal.edition)).verdict
    return verdict.verdict is Verdict.NOT_CONFORMANT, len(seen)


def _kills(edition: str) -> dict[str, str]:
    names = [fault.name for fault in MUTANTS if edition in fault.editions]
    figures = {}
    with ProcessPoolExecutor() as workers:
        for mode in MODES:
            told = workers.map(partial(_judged, mode, edition), names)
            figures[f"killed, requests: {mode}"] = str(_counted(told))
        with tempfile.TemporaryDirectory() as folder:
            venv.create(folder, with_pip=True)
            program = fuzzer_program(Path(folder))
            left_out = unfit_checks(program, edition)
            told = workers.map(partial(_fuzzed, program, edition, left_out), names)
            figures["killed, requests: schemathesis"] = str(_counted(told))
    figures["its checks left out, for they accuse a correct portal"] = ", ".join(left_out) or "none"
    return figures


def _fuzzed(program: Path, edition: str, left_out: tuple[str, ...], fault: str) -> tuple[bool, int]:
    return fuzz(program, varied_portal(fault, edition), left_out)


def _counted(told: Iterable[tuple[bool, int]]) -> Kills:
    results = list(told)
    return Kills(sum(killed for killed, _ in results), len(results), int(median(used for _, used in results)))


if __name__ == "__main__":
    main()
