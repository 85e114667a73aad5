"""Chapter "client": what a library sends to a portal, and what it hands back of each answer."""

from conformance.clients.cases import (
    calls_after_others,
    drawn_descriptions,
    drawn_values,
    leaky,
    limited,
    omissions,
    redirected,
    refusals,
    refusals_in_200,
    successes,
    values,
    with_answers,
)
from conformance.clients.exchange import ClientExchange, shows_what_was_before
from conformance.engine.evidence import Observation
from conformance.portals.scripts import BROKEN, OTHER_FORMS, REFUSED_CONNECTION, RESULTS, UNKNOWN_AUTHORITY
from conformance.suite import clause, client_calls, every_round, requests_sent


@clause("client.method", exchange=every_round(successes))
def test_a_call_reaches_the_method(exchange: ClientExchange) -> None:
    exchange.must_reach_the_method()


@clause("client.parameters-intact", exchange=client_calls(values, drawn_values))
def test_what_the_caller_passed_is_what_the_portal_reads(exchange: ClientExchange) -> None:
    exchange.must_arrive_intact()


@clause("client.omitted-stays-omitted", exchange=client_calls(omissions))
def test_what_was_left_out_arrives_as_nothing(exchange: ClientExchange) -> None:
    exchange.must_leave_out_what_was_left_out()


@clause("client.true", exchange=every_round(successes, lambda exchange: exchange.should_succeed))
def test_true_comes_back_as_true(exchange: ClientExchange) -> None:
    exchange.must_be_true()


@clause("client.false-is-not-true", exchange=client_calls(with_answers(*RESULTS)))
def test_another_result_never_comes_back_as_true(exchange: ClientExchange) -> None:
    exchange.must_not_be_true()


@clause("client.error-code", exchange=client_calls(refusals, drawn_descriptions))
def test_each_code_comes_back_as_an_error_with_that_code(exchange: ClientExchange) -> None:
    exchange.must_be_the_error()


@clause("client.error-in-200", exchange=client_calls(refusals_in_200))
def test_an_error_with_status_200_is_an_error(exchange: ClientExchange) -> None:
    exchange.must_be_an_error()


@clause("client.broken-answer", exchange=client_calls(with_answers(*BROKEN, REFUSED_CONNECTION, *OTHER_FORMS)))
def test_a_broken_answer_ends_in_an_error(exchange: ClientExchange) -> None:
    if exchange.case.script in OTHER_FORMS:
        exchange.must_be_a_success()
    else:
        exchange.must_end_in_an_error()


@clause("client.rate-limit", exchange=client_calls(limited))
def test_the_rate_limit_ends_in_bounded_time(exchange: ClientExchange) -> None:
    if exchange.case.script.relaxes:
        exchange.must_end()
    else:
        exchange.must_end_in_an_error()


@clause("client.redirect", exchange=client_calls(redirected))
def test_a_call_to_a_portal_that_moved_is_not_lost(exchange: ClientExchange) -> None:
    exchange.must_follow_or_fail()


@clause("client.recovers", exchange=client_calls(calls_after_others, also=shows_what_was_before))
def test_a_call_does_not_depend_on_the_calls_before_it(exchange: ClientExchange) -> None:
    if exchange.case.beside:
        exchange.must_not_be_mixed(exchange.case.beside)
    else:
        exchange.must_leave_the_callers_parameters()
        exchange.must_succeed_after_others()
        exchange.must_carry_the_same_parameters()


@clause("client.tls", exchange=client_calls(with_answers(UNKNOWN_AUTHORITY)))
def test_nothing_is_sent_to_a_server_that_nobody_trusts(exchange: ClientExchange) -> None:
    exchange.must_not_be_sent()


@clause("client.secret-kept", exchange=every_round(leaky))
def test_the_secret_shows_nowhere(exchange: ClientExchange) -> None:
    exchange.must_keep_the_secret()


@clause("client.requests-sent", observation=requests_sent())
def test_how_many_requests_a_call_causes(observation: Observation) -> None:
    """Recorded, never judged."""
