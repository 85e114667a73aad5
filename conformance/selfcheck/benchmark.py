"""What judging costs: `python -m conformance.selfcheck.benchmark`.

The cost of the embedded run in explore mode against two floors measured in the same run: the same requests sent by bare
httpx through the same in-process portal, judged by nobody (calls), and Hypothesis drawing from the same strategies with
nothing done (draws). Ratios within one run are what counts; the machines are noisy.
"""

import time
from collections.abc import Callable

import httpx
from hypothesis import HealthCheck, Phase, Verbosity, given, settings
from hypothesis.strategies import SearchStrategy

from conformance.contract.edition import Edition, edition_names, load_edition
from conformance.judging.feeds import Feed
from conformance.judging.trial import Body
from conformance.judging.world import World
from conformance.plugin import DRAWS
from conformance.portals.in_process import client_of, portal_answering
from conformance.portals.incoming import Incoming
from conformance.portals.reference import Outgoing, ReferencePortal
from conformance.portals.target import embedded_target
from conformance.selfcheck.tribunal import judge_portal, suite_tests

ROUNDS = 5


def main() -> None:
    """Prints one line for each edition."""
    print("edition   requests  draws  explore s  calls s  draws s  explore / (calls + draws)")
    for name in edition_names():
        edition = load_edition(name)
        requests = _requests_of_a_run(edition)
        strategies = _strategies(edition)
        rounds = [
            (_timed(_explore, edition), _timed(_send, requests, edition), _timed(_draw, strategies))
            for _ in range(ROUNDS)
        ]
        # What disturbs a measurement only ever adds to it, so the least of each is the best estimate.
        explore, calls, draws = (min(column) for column in zip(*rounds, strict=True))
        ratio = explore / (calls + draws)
        sizes = f"{len(requests):8}  {len(strategies) * DRAWS:5}"
        print(f"{name}   {sizes}  {explore:9.2f}  {calls:7.2f}  {draws:7.2f}  {ratio:.2f}")


def _timed(work: Callable[..., object], *arguments: object) -> float:
    """The processor seconds of the work, which is all in this process."""
    start = time.process_time()
    work(*arguments)
    return time.process_time() - start


def _explore(edition: Edition) -> None:
    judge_portal(portal_answering(embedded_target(), ReferencePortal(edition).answer), edition, DRAWS)


def _requests_of_a_run(edition: Edition) -> list[Incoming]:
    honest = ReferencePortal(edition).answer
    seen: list[Incoming] = []

    def answer(request: Incoming) -> Outgoing:
        seen.append(request)
        return honest(request)

    judge_portal(portal_answering(embedded_target(), answer), edition, DRAWS)
    return seen


def _send(requests: list[Incoming], edition: Edition) -> None:
    client = client_of(ReferencePortal(edition).answer)
    for request in requests:
        url = f"http://127.0.0.1{request.path}" + (f"?{request.query}" if request.query else "")
        client.send(httpx.Request(request.method, url, headers=dict(request.headers), content=request.body)).read()


def _strategies(edition: Edition) -> list[SearchStrategy[object]]:
    world = World(edition, portal_answering(embedded_target(), ReferencePortal(edition).answer), True, DRAWS)
    world.preflight()
    found: list[SearchStrategy[object]] = []

    def keep(_name: str, feed: Feed, _body: Body) -> None:
        drawn = feed.space(world).drawn
        if drawn is not None:
            found.append(drawn)

    for name, test in suite_tests():
        if name in edition.clauses:
            test(keep)
    return found


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


if __name__ == "__main__":
    main()
