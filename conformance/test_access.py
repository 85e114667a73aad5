"""Chapter "access": who may rate which session."""

from conformance.contract.partition import RATINGS, STARS
from conformance.exchange.call import Call, Caller, Way
from conformance.judging.records import Exchange, Observation
from conformance.judging.world import World
from conformance.suite import Votes, boundary, calls, clause, observations


@clause(
    "access.any-user",
    calls(Votes(rating=STARS, comment=("absent", "plain"), ways=(Way(caller=Caller.SECOND),)), about=["caller"]),
)
def test_a_second_caller_without_special_rights_is_accepted(exchange: Exchange) -> None:
    exchange.must_be_accepted()


def _open_dialog(world: World) -> dict[str, Call]:
    if "open" not in world.sessions:
        return {}
    return {"RATING 5 on a dialog that is not finished": Call(boundary(world.sessions, "open"), boundary(RATINGS, "5"))}


@clause("access.open-dialog", observations(_open_dialog))
def test_an_unfinished_dialog_is_observed(observation: Observation) -> None:
    """The session in the state `open`."""
