"""Chapter "success": what an accepted call is answered with."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from conformance.contract.classes import STARS
from conformance.engine.evidence import Exchange
from conformance.exchange.call import Batch, Caller, Encoding, Way
from conformance.exchange.response import AnotherResult, Malformed, Refused
from conformance.suite import Votes, calls, clause, must, only_if

GOOD = Votes(
    session=("rateable",),
    rating=(*STARS, "absent"),
    comment=("plain", "absent", "special", "emoji"),
)
ALONE = (*(Way(encoding) for encoding in Encoding), Way(suffix=".json"))
ANY_WAY = (*ALONE, Way(batch=Batch.MAP), Way(caller=Caller.TOKEN_BODY))
NUMBERS = ("start", "finish", "duration", "processing", "operating", "operating_reset_at")
DATES = ("date_start", "date_finish")


@clause("success.true", calls(replace(GOOD, ways=ANY_WAY), judges_shapes=True, leaves=(Refused,)))
def test_the_result_is_true(exchange: Exchange) -> None:
    only_if(
        (exchange.permitted.must_be_accepted and isinstance(exchange.outcome, AnotherResult))
        or exchange.answer.accepted
    )
    must(exchange.answer.accepted, "result is JSON true")


@clause("success.status", calls(replace(GOOD, ways=ALONE), judges_shapes=True, leaves=(Refused,)))
def test_the_status_is_200(exchange: Exchange) -> None:
    only_if(exchange.answer.accepted)
    must(exchange.answer.status == 200, "HTTP status 200")


@clause("success.envelope", calls(replace(GOOD, ways=ALONE), judges_shapes=True, leaves=(Refused,)))
def test_the_answer_is_an_object_with_result_and_time(exchange: Exchange) -> None:
    document = exchange.answer.document
    only_if(exchange.permitted.must_be_accepted)
    only_if(exchange.answer.accepted or (isinstance(exchange.outcome, Malformed) and exchange.answer.status < 500))
    must(isinstance(document, dict) and "result" in document, "a JSON object with result")
    must("error" not in document, "an object without error")
    must(isinstance(document.get("time"), dict), "an object with the object time")
    if exchange.judges_implied:
        kind = exchange.answer.content_type.partition(";")[0].strip().lower()
        must(kind == "application/json", "Content-Type application/json")


@clause("success.time", calls(replace(GOOD, ways=ALONE), judges_shapes=True, leaves=(Refused,)))
def test_every_field_of_time_has_its_type(exchange: Exchange) -> None:
    document = exchange.answer.document
    only_if(exchange.answer.accepted and isinstance(document, dict) and isinstance(document.get("time"), dict))
    time = document["time"]
    for name in NUMBERS:
        must(name not in time or _is_number(time[name]), f"time.{name} is a number")
    for name in DATES:
        must(name not in time or _is_moment(time[name]), f"time.{name} is an ISO 8601 date with time and offset")
    if "start" in time and "finish" in time:
        must(time["finish"] >= time["start"], "time.finish is not before time.start")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_moment(value: Any) -> bool:
    if not isinstance(value, str) or "T" not in value:
        return False
    try:
        return datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False
