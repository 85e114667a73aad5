"""Chapter "transport": the same call has the same outcome however it travels."""

from collections.abc import Callable, Sequence

from conformance.contract.classes import RATINGS, STARS, TEXTS
from conformance.contract.clauses import status_words
from conformance.engine.evidence import Comparison, Exchange, Observation
from conformance.engine.observed_cases import by_bearer, extra_parameters, in_query_of_post, lower_case
from conformance.engine.session import PortalSession
from conformance.exchange.call import DOCUMENTED_ENCODINGS, NEARLY_RIGHT, Batch, Call, Caller, Delivery, Encoding
from conformance.exchange.response import WELL_FORMED_CODE, LimitReached, Malformed, Refused, outcome_of
from conformance.suite import Given, Values, assume, calls, clause, comparisons, observations, require, value_of

VOTES: Values = {
    "session": (
        *("rateable", "forbidden", "not_open_line", "unknown"),
        *("absent", "empty", "zero", "negative", "text", "fraction"),
    ),
    "rating": ("5", "1", "2", "3", "4", "absent", "empty", "zero", "above", "negative", "fraction", "text"),
    "comment": ("plain", "absent", "empty", *TEXTS[1:], "zero-text"),
}
FEW_VOTES: Values = {
    "session": ("rateable", "forbidden", "unknown", "absent"),
    "rating": ("5", "1", "2", "3", "4", "absent", "above"),
    "comment": ("plain", "absent", "special", "unicode", "emoji"),
}
OTHER_ENCODINGS = tuple(Delivery(encoding) for encoding in DOCUMENTED_ENCODINGS if encoding is not Encoding.JSON)
SUFFIXED = tuple(Delivery(encoding, ".json") for encoding in (Encoding.JSON, Encoding.FORM, Encoding.QUERY_GET))
XML = tuple(Delivery(encoding, ".xml") for encoding in (Encoding.JSON, Encoding.QUERY_GET))
WITH_TOKEN = (
    *(
        Delivery(encoding, caller=caller)
        for encoding in (Encoding.JSON, Encoding.FORM)
        for caller in (Caller.TOKEN_BODY, Caller.TOKEN_QUERY)
    ),
    Delivery(Encoding.QUERY_GET, caller=Caller.TOKEN_QUERY),
)
BATCHES = (
    Delivery(batch=Batch.MAP),
    Delivery(batch=Batch.LIST),
    Delivery(Encoding.FORM, batch=Batch.MAP),
    Delivery(Encoding.QUERY_GET, batch=Batch.LIST),
)
ALONE = (Encoding.JSON, Encoding.FORM, Encoding.QUERY_GET)


@clause("transport.encodings", comparison=comparisons(**VOTES, deliveries=OTHER_ENCODINGS, about="encoding"))
def test_all_encodings_have_the_same_outcome(comparison: Comparison) -> None:
    comparison.must_agree()


@clause("transport.query-of-post", observation=observations(lambda session: in_query_of_post(session.sessions)))
def test_the_query_of_a_post_is_observed(observation: Observation) -> None:
    """No page names the query of a POST."""


@clause(
    "transport.suffix",
    comparison=comparisons(**FEW_VOTES, deliveries=SUFFIXED, about="suffix"),
)
def test_the_suffix_json_changes_nothing(comparison: Comparison) -> None:
    comparison.must_agree()


@clause(
    "transport.xml",
    comparison=comparisons(**FEW_VOTES, deliveries=XML, about="suffix"),
)
def test_the_suffix_xml_answers_xml_with_the_same_outcome(comparison: Comparison) -> None:
    comparison.must_agree()


@clause("transport.batch", comparison=comparisons(**VOTES, deliveries=BATCHES, about="batch"))
def test_an_item_of_a_batch_has_the_same_outcome(comparison: Comparison) -> None:
    comparison.must_agree()
    answer = comparison.variant.response
    require(answer.status == 200, "HTTP status 200 outside")
    neighbours = ("before", "after") if comparison.variant.call.delivery.batch is Batch.MAP else (0,)
    require(
        all(_is_refused(answer.document["result"].get("result_error"), key) for key in neighbours),
        "the items before and after, which have no parameters, under result_error",
    )


def _is_refused(errors: object, key: str | int) -> bool:
    if isinstance(errors, list):
        entry = errors[key] if isinstance(key, int) and key < len(errors) else None
    else:
        entry = errors.get(str(key)) if isinstance(errors, dict) else None
    return isinstance(entry, dict) and isinstance(entry.get("error"), str)


@clause(
    "transport.oauth",
    comparison=comparisons(**FEW_VOTES, deliveries=WITH_TOKEN, about="caller"),
)
def test_an_access_token_has_the_same_outcome(comparison: Comparison) -> None:
    comparison.must_agree()


@clause("transport.bearer", observation=observations(lambda session: by_bearer(session.sessions)))
def test_a_bearer_header_is_observed(observation: Observation) -> None:
    """A Bearer header stands only in examples of other methods."""


def _nearly_right(session: PortalSession) -> list[Call]:
    callers = [caller for caller in NEARLY_RIGHT if caller in session.portal.target.callers]
    deliveries = (Delivery(encoding, caller=caller) for caller in callers for encoding in ALONE)
    return [Call(session.rateable, value_of(RATINGS, "5"), delivery=delivery) for delivery in deliveries]


def _by(*callers: Caller, also: Callable[[PortalSession], Sequence[Call]] = lambda _: ()) -> Given:
    """Give good votes of callers whose every call must be denied, in a few deliveries."""
    alone = (Delivery(encoding, caller=caller) for caller in callers for encoding in ALONE)
    deliveries = (*alone, *(Delivery(caller=caller, batch=Batch.MAP) for caller in callers))
    return calls(rating=STARS, comment=("absent", "plain"), deliveries=deliveries, about=["caller"], also=also)


@clause("transport.auth", exchange=_by(Caller.WRONG_SECRET, also=_nearly_right))
def test_a_wrong_secret_is_denied(exchange: Exchange) -> None:
    if exchange.call.delivery.caller is Caller.EMPTY_SECRET:
        # Without a secret the address may be no webhook's at all.
        exchange.must_not_be_accepted()
        return
    _must_be_denied(exchange, "transport.auth")


@clause("transport.credentials", exchange=_by(Caller.NO_CREDENTIALS, Caller.WRONG_TOKEN))
def test_a_wrong_token_and_no_credentials_are_denied(exchange: Exchange) -> None:
    _must_be_denied(exchange, "transport.credentials")


@clause("transport.scope", exchange=_by(Caller.UNSCOPED))
def test_a_caller_without_the_scope_is_refused_with_insufficient_scope(exchange: Exchange) -> None:
    _must_be_denied(exchange, "transport.scope")


def _must_be_denied(exchange: Exchange, clause_id: str) -> None:
    """Refused with a code of the clause, the batch as a whole or the item in it; with a status of the clause outside.

    The statuses are judged too unless they are only implied and the run judges what is documented alone.
    """
    demand = exchange.edition.clauses[clause_id]
    document, answer = exchange.response.document, exchange.response
    whole = outcome_of(document) if exchange.call.delivery.batch is not Batch.NO else exchange.outcome
    denied = whole if isinstance(whole, Refused) else exchange.outcome
    # What is no answer of the format, or no code, is left to error.never-5xx, error.envelope and transport.batch.
    assume(not isinstance(denied, LimitReached | Malformed))
    code = denied.code if isinstance(denied, Refused) else ""
    assume(not isinstance(denied, Refused) or WELL_FORMED_CODE.fullmatch(code) is not None)
    require(code in demand.codes, f"refused with {' or '.join(sorted(demand.codes))}")
    if denied is whole and (exchange.judges_implied or "status" not in demand.implied):
        require(answer.status in demand.statuses, f"HTTP status {status_words(demand.statuses)}")


@clause("transport.unknown-parameter", observation=observations(lambda session: extra_parameters(session.sessions)))
def test_an_extra_parameter_is_observed(observation: Observation) -> None:
    """A name that the pages do not know."""


@clause("transport.name-case", observation=observations(lambda session: lower_case(session.sessions)))
def test_a_name_in_lower_case_is_observed(observation: Observation) -> None:
    """session_id instead of SESSION_ID."""
