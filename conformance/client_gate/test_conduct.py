"""Chapter "client", how the library goes about it: it keeps the secret; how much it sends is recorded."""

from conformance.client_gate.cases import VOTE
from conformance.contract.edition import Edition
from conformance.judging.rounds import Case, Round
from conformance.portals.script import BROKEN, TRUE, limits, refused
from conformance.suite import Rounds, Sent, clause

_TELLING = ("INVALID_CREDENTIALS", "ERROR_METHOD_NOT_FOUND", "ACCESS_DENIED", "INTERNAL_SERVER_ERROR")


def _answers(edition: Edition) -> tuple[Case, ...]:
    errors = [refused(code, edition.system_codes[code], edition) for code in _TELLING]
    return tuple(Case(VOTE, script) for script in (TRUE, *errors, *BROKEN, limits(edition)[0]))


@clause("client.secret-kept", Rounds(_answers, to_the_end=True))
def test_the_secret_shows_nowhere(done: Round) -> None:
    done.must_keep_the_secret()


@clause("client.requests-sent", Sent())
def test_how_many_requests_a_call_causes(sent: object) -> None:
    """Recorded by the gate, never judged."""
