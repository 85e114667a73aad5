"""Chapter "access": who may rate which session."""

from conformance.contract.classes import STARS
from conformance.engine.evidence import Exchange, Observation
from conformance.engine.observed_cases import open_dialog
from conformance.exchange.call import Caller, Delivery
from conformance.suite import calls, clause, observations


@clause(
    "access.any-user",
    exchange=calls(
        rating=STARS, comment=("absent", "plain"), deliveries=(Delivery(caller=Caller.SECOND),), about=["caller"]
    ),
)
def test_a_second_caller_without_special_rights_is_accepted(exchange: Exchange) -> None:
    exchange.must_be_accepted()


@clause("access.open-dialog", observation=observations(lambda session: open_dialog(session.sessions)))
def test_an_unfinished_dialog_is_observed(observation: Observation) -> None:
    """The session in the state `open`."""
