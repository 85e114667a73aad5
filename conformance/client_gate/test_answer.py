"""Chapter "client", what comes back: success as true, every error as an error, and always in bounded time."""

from conformance.client_gate.cases import (
    VOTE,
    drawn_descriptions,
    refusals,
    refusals_in_200,
    successes,
    with_answers,
)
from conformance.contract.edition import Edition
from conformance.judging.rounds import Case, Round
from conformance.portals.script import BROKEN, RESULTS, limits
from conformance.suite import Rounds, clause


def _limits(edition: Edition) -> tuple[Case, ...]:
    return tuple(Case(VOTE, script) for script in limits(edition))


@clause("client.true", Rounds(successes))
def test_true_comes_back_as_true(done: Round) -> None:
    done.must_be_true()


@clause("client.false-is-not-true", Rounds(with_answers(*RESULTS)))
def test_another_result_never_comes_back_as_true(done: Round) -> None:
    done.must_not_be_true()


@clause("client.error-code", Rounds(refusals, drawn_descriptions))
def test_each_code_comes_back_as_an_error_with_that_code(done: Round) -> None:
    done.must_be_the_error(done.case.script.code)


@clause("client.error-in-200", Rounds(refusals_in_200))
def test_an_error_with_status_200_is_an_error(done: Round) -> None:
    done.must_be_an_error()


@clause("client.broken-answer", Rounds(with_answers(*BROKEN)))
def test_a_broken_answer_ends_in_an_error(done: Round) -> None:
    done.must_end_in_an_error()


@clause("client.rate-limit", Rounds(_limits))
def test_the_rate_limit_ends_in_bounded_time(done: Round) -> None:
    if done.case.script.relaxes:
        done.must_end()
    else:
        done.must_end_in_an_error()
