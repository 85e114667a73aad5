"""Chapter "client", what arrives: the method, the values, and nothing in place of what was left out."""

from conformance.client_gate.cases import drawn_values, omissions, successes, values
from conformance.judging.rounds import Round
from conformance.suite import Rounds, clause


@clause("client.method", Rounds(successes))
def test_a_call_reaches_the_method(done: Round) -> None:
    done.must_reach_the_method()


@clause("client.parameters-intact", Rounds(values, drawn_values))
def test_what_the_caller_passed_is_what_the_portal_reads(done: Round) -> None:
    done.must_arrive_intact()


@clause("client.omitted-stays-omitted", Rounds(omissions))
def test_what_was_left_out_arrives_as_nothing(done: Round) -> None:
    done.must_leave_out_what_was_left_out()
