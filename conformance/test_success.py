"""Chapter "success": what an accepted call is answered with."""

from datetime import datetime
from typing import Any

from conformance.contract.classes import STARS
from conformance.engine.evidence import Exchange
from conformance.exchange.call import DOCUMENTED_ENCODINGS, Batch, Caller, Delivery
from conformance.exchange.response import AnotherResult, Malformed, Refused
from conformance.suite import Optionals, assume, calls, clause, require

GOOD: Optionals = {"rating": (*STARS, "absent"), "comment": ("plain", "absent", "special", "emoji")}
ALONE = (*(Delivery(encoding) for encoding in DOCUMENTED_ENCODINGS), Delivery(suffix=".json"))
ANY_WAY = (*ALONE, Delivery(batch=Batch.MAP), Delivery(caller=Caller.TOKEN_BODY))
NUMBERS = ("start", "finish", "duration", "processing", "operating", "operating_reset_at")
_ROUNDING_SECONDS = 0.01
DATES = ("date_start", "date_finish")


@clause("success.true", exchange=calls(**GOOD, deliveries=ANY_WAY, judges_every_shape=True, leaves=(Refused,)))
def test_the_result_is_true(exchange: Exchange) -> None:
    assume(
        (exchange.permitted.demands_acceptance and isinstance(exchange.outcome, AnotherResult))
        or exchange.response.accepted
    )
    require(exchange.response.accepted, "result is JSON true")


@clause("success.status", exchange=calls(**GOOD, deliveries=ALONE, judges_every_shape=True, leaves=(Refused,)))
def test_the_status_is_200(exchange: Exchange) -> None:
    assume(exchange.response.accepted)
    require(exchange.response.status == 200, "HTTP status 200")


@clause("success.envelope", exchange=calls(**GOOD, deliveries=ALONE, judges_every_shape=True, leaves=(Refused,)))
def test_the_answer_is_an_object_with_result_and_time(exchange: Exchange) -> None:
    document = exchange.response.document
    assume(exchange.permitted.demands_acceptance)
    assume(exchange.response.accepted or (isinstance(exchange.outcome, Malformed) and exchange.response.status < 500))
    require(isinstance(document, dict) and "result" in document, "a JSON object with result")
    require("error" not in document, "an object without error")
    require(isinstance(document.get("time"), dict), "an object with the object time")
    if exchange.judges_implied:
        kind = exchange.response.content_type.partition(";")[0].strip().lower()
        require(kind == "application/json", "Content-Type application/json")


@clause("success.time", exchange=calls(**GOOD, deliveries=ALONE, judges_every_shape=True, leaves=(Refused,)))
def test_every_field_of_time_has_its_type(exchange: Exchange) -> None:
    document = exchange.response.document
    assume(exchange.response.accepted and isinstance(document, dict) and isinstance(document.get("time"), dict))
    time = document["time"]
    for name in NUMBERS:
        require(name not in time or _is_number(time[name]), f"time.{name} is a number")
    for name in DATES:
        require(name not in time or _is_moment(time[name]), f"time.{name} is an ISO 8601 date with time and offset")
    if "start" in time and "finish" in time:
        require(time["finish"] >= time["start"], "time.finish is not before time.start")
        difference = time["finish"] - time["start"]
        is_near = "duration" not in time or abs(time["duration"] - difference) <= _ROUNDING_SECONDS
        require(is_near, "time.duration is time.finish - time.start within 0.01 s")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_moment(value: Any) -> bool:
    if not isinstance(value, str) or "T" not in value:
        return False
    try:
        return datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False
