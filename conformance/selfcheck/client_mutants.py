"""The client libraries of the selfcheck: those that lie, by what they lie about, and correct ones of other styles."""

from typing import Final

from conformance.selfcheck import (
    client_hangs,
    client_mutants_answer,
    client_mutants_calls,
    client_mutants_request,
    client_mutants_secret,
    conforming_clients,
)
from conformance.selfcheck.client_parts import clients_of

CLIENT_MUTANTS: Final = (
    *clients_of(client_mutants_request),
    *clients_of(client_mutants_answer),
    *clients_of(client_mutants_calls),
    *clients_of(client_mutants_secret),
)
CONFORMING_CLIENTS: Final = clients_of(conforming_clients)
_MODULES: Final = (
    client_hangs,
    client_mutants_answer,
    client_mutants_calls,
    client_mutants_request,
    client_mutants_secret,
    conforming_clients,
)


def command_of(name: str) -> str:
    """Return what --client takes for the client of that name."""
    [module] = [module for module in _MODULES if getattr(vars(module).get(name), "__module__", "") == module.__name__]
    return f"{module.__name__}:{name}"
