"""What a test of a client library is given: exchanges through the library, from its caller to the portal and back."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from hypothesis.strategies import SearchStrategy

from conformance.clients.exchange import ClientCase, ClientExchange
from conformance.contract.clauses import Edition
from conformance.engine.cases import Cases
from conformance.engine.checks import Given
from conformance.engine.evidence import Observation


@dataclass(slots=True)
class ClientLog:
    """What came of the cases of a run.

    exchanges: by the clause that they were made for.
    requests: by the name of the scripted answer, what requests its calls caused, in words.
    every_round: the exchanges of all clauses.
    """

    exchanges: dict[str, list[ClientExchange]] = field(default_factory=dict)
    requests: dict[str, set[str]] = field(default_factory=dict)
    every_round: list[ClientExchange] = field(default_factory=list)


def client_calls(
    cases: Callable[[Edition], tuple[ClientCase, ...]],
    strategy: Callable[[Edition], SearchStrategy[ClientCase]] | None = None,
    also: Callable[[ClientExchange], bool] | None = None,
) -> Given:
    """Give the test the exchanges of these cases.

    strategy: proposes further ones.
    also: True for an exchange of another clause that the test judges too.
    """

    def cases_of(edition: Edition) -> Cases:
        return Cases(cases(edition), None if strategy is None else strategy(edition))

    def evidence(_edition: Edition, log: ClientLog, clause: str) -> Iterator[ClientExchange]:
        own = log.exchanges.get(clause, [])
        yield from own
        if also is not None:
            cases_sent = {exchange.case for exchange in own}
            yield from (one for one in log.every_round if also(one) and one.case not in cases_sent)

    return Given(cases_of, evidence, reads_every_round=also is not None)


def every_round(
    cases: Callable[[Edition], tuple[ClientCase, ...]],
    where: Callable[[ClientExchange], bool] = lambda _exchange: True,
) -> Given:
    """Give the test the exchanges of all clauses where the condition holds, and those of these cases."""

    def evidence(_edition: Edition, log: ClientLog, _clause: str) -> Iterator[ClientExchange]:
        return filter(where, log.every_round)

    return Given(lambda edition: Cases(cases(edition)), evidence, reads_every_round=True)


def requests_sent() -> Given:
    """Record how many requests the calls of all other tests caused. Nothing is sent for it."""

    def evidence(_edition: Edition, log: ClientLog, _clause: str) -> Iterator[Observation]:
        for name, seen in log.requests.items():
            yield Observation(name, " or ".join(sorted(seen)))

    return Given(lambda _edition: Cases(()), evidence, reads_every_round=True)
