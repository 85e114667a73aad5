"""Chapter "client": what a library sends to a portal, and what it hands back of each answer."""

from conformance.clients.cases import (
    VOTE,
    drawn_descriptions,
    drawn_values,
    omissions,
    refusals,
    refusals_in_200,
    successes,
    values,
    with_answers,
)
from conformance.clients.exchange import Case, ClientExchange
from conformance.contract.clauses import Edition
from conformance.portals.scripts import BROKEN, RESULTS, TRUE, limits, refused
from conformance.suite import Rounds, Sent, clause


@clause("client.method", Rounds(successes))
def test_a_call_reaches_the_method(done: ClientExchange) -> None:
    done.must_reach_the_method()


@clause("client.parameters-intact", Rounds(values, drawn_values))
def test_what_the_caller_passed_is_what_the_portal_reads(done: ClientExchange) -> None:
    done.must_arrive_intact()


@clause("client.omitted-stays-omitted", Rounds(omissions))
def test_what_was_left_out_arrives_as_nothing(done: ClientExchange) -> None:
    done.must_leave_out_what_was_left_out()


def _limits(edition: Edition) -> tuple[Case, ...]:
    return tuple(Case(VOTE, script) for script in limits(edition))


@clause("client.true", Rounds(successes))
def test_true_comes_back_as_true(done: ClientExchange) -> None:
    done.must_be_true()


@clause("client.false-is-not-true", Rounds(with_answers(*RESULTS)))
def test_another_result_never_comes_back_as_true(done: ClientExchange) -> None:
    done.must_not_be_true()


@clause("client.error-code", Rounds(refusals, drawn_descriptions))
def test_each_code_comes_back_as_an_error_with_that_code(done: ClientExchange) -> None:
    done.must_be_the_error(done.case.script.code)


@clause("client.error-in-200", Rounds(refusals_in_200))
def test_an_error_with_status_200_is_an_error(done: ClientExchange) -> None:
    done.must_be_an_error()


@clause("client.broken-answer", Rounds(with_answers(*BROKEN)))
def test_a_broken_answer_ends_in_an_error(done: ClientExchange) -> None:
    done.must_end_in_an_error()


@clause("client.rate-limit", Rounds(_limits))
def test_the_rate_limit_ends_in_bounded_time(done: ClientExchange) -> None:
    if done.case.script.relaxes:
        done.must_end()
    else:
        done.must_end_in_an_error()


_TELLING = ("INVALID_CREDENTIALS", "ERROR_METHOD_NOT_FOUND", "ACCESS_DENIED", "INTERNAL_SERVER_ERROR")


def _answers(edition: Edition) -> tuple[Case, ...]:
    errors = [refused(code, edition.system_codes[code], edition) for code in _TELLING]
    return tuple(Case(VOTE, script) for script in (TRUE, *errors, *BROKEN, limits(edition)[0]))


@clause("client.secret-kept", Rounds(_answers, to_the_end=True))
def test_the_secret_shows_nowhere(done: ClientExchange) -> None:
    done.must_keep_the_secret()


@clause("client.requests-sent", Sent())
def test_how_many_requests_a_call_causes(sent: object) -> None:
    """Recorded by the gate, never judged."""
