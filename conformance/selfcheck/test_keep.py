"""Of a live portal's answer nothing is kept but what a clause needs."""

import json
import re
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from conformance.exchange.call import Call, Caller, ClassifiedValue, Delivery, ReadBack
from conformance.exchange.encode import encode, encode_read
from conformance.exchange.response import read_response
from conformance.portals.php_forms import PortalRequest
from conformance.portals.reference import PortalResponse
from conformance.portals.server import serving
from conformance.selfcheck.outside import faulty, run
from conformance.selfcheck.recordings import live_target, talkative
from conformance.target.keep import KeepingTransport
from conformance.target.redact import Redactor
from conformance.target.restore import FOUND_COMMENT
from conformance.target.secrets import SecretUrl
from conformance.target.transports import placeholder_request

FREE: Final = "Иван said: call +7 555 0100"
VOTE: Final = Call(ClassifiedValue("rateable", 494), ClassifiedValue("5", 5))
TIME: Final = {"start": 1.5, "finish": 2, "date_start": "2026-03-16T20:24:38+01:00", "x": "soon", FREE: FREE}


def kept(body: bytes, *, call: Call | ReadBack = VOTE, label: str = "application/json") -> httpx.Response:
    """Return what is kept of an answer to a call."""
    network = httpx.MockTransport(lambda _: httpx.Response(200, headers={"Content-Type": label}, content=body))
    request = encode_read(call) if isinstance(call, ReadBack) else encode(call)
    transport = KeepingTransport(network, ["Excellent handling", "x" * 10_001])
    return transport.handle_request(placeholder_request(request, Caller.MAIN))


def _json(document: Any, **given: Any) -> Any:
    return json.loads(kept(json.dumps(document).encode(), **given).content)


ANSWERS: Final[list[tuple[Any, Any]]] = [
    ({"result": True, "time": {"start": 1}}, {"result": True, "time": {"start": 1}}),
    ({"result": FREE}, {"result": "text, 27 characters"}),
    ({"result": [FREE]}, {"result": ["list, 1 entries"]}),
    ({"result": {FREE: FREE}}, {"result": {"object": "1 keys"}}),
    (
        {"error": "NO_AUTH_FOUND", "error_description": FREE, FREE: FREE, "argument": 7},
        {
            "error": "NO_AUTH_FOUND",
            "error_description": "text, 27 characters",
            "key, 27 characters": "text, 27 characters",
            "argument": 7,
        },
    ),
    ({"error": FREE, "error_description": ""}, {"error": "text, 27 characters", "error_description": ""}),
    ({"error": {"code": FREE}}, {"error": {"object": "1 keys"}}),
    (
        {"result": True, "time": TIME},
        {
            "result": True,
            "time": {
                "start": 1.5,
                "finish": 2,
                "date_start": "2026-03-16T20:24:38+01:00",
                "x": "text, 4 characters",
                "key, 27 characters": "text, 27 characters",
            },
        },
    ),
    (
        {"result": {"result": [], "result_error": {"vote1": {"error": "NO", "error_description": FREE}}}},
        {
            "result": {
                "result": [],
                "result_error": {"vote1": {"error": "NO", "error_description": "text, 27 characters"}},
            }
        },
    ),
    ([FREE], ["list, 1 entries"]),
    (FREE, "text, 27 characters"),
]


@pytest.mark.quick
@pytest.mark.parametrize(("answer", "expected"), ANSWERS)
def test_free_text_is_replaced_by_what_it_is(answer: Any, expected: Any) -> None:
    assert _json(answer) == expected


@pytest.mark.quick
@pytest.mark.parametrize("answer", [answer for answer, _ in ANSWERS])
def test_an_answer_is_judged_as_before(answer: Any) -> None:
    body = json.dumps(answer).encode()
    before, after = (read_response(200, "", text, VOTE.delivery) for text in (body, kept(body).content))
    assert type(after.outcome) is type(before.outcome)
    assert after.has_well_formed_code == before.has_well_formed_code


@pytest.mark.quick
@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (f"<p>{FREE}</p>".encode(), b"(HTML, 34 characters)"),
        (b"\xff" + FREE.encode(), b"(no JSON, 28 characters)"),
        (b'\xef\xbb\xbf{"result":true}', b"(a byte order mark before JSON)"),
        (b"", b""),
    ],
)
def test_a_page_is_replaced_by_what_it_is(body: bytes, expected: bytes) -> None:
    answer = kept(body, label=f"text/html; charset=utf-8; x={FREE!a}")
    assert (answer.content, answer.headers["content-type"]) == (expected, "text/html; charset=utf-8")


@pytest.mark.quick
def test_of_xml_only_the_outcome_is_kept() -> None:
    call = VOTE.via(Delivery(suffix=".xml"))
    refusal = f"<response><error>NO</error><error_description>{FREE}</error_description></response>".encode()
    assert kept(refusal, call=call).content == b"<response><error>NO</error></response>"
    assert kept(b"<response><result>1</result></response>", call=call).content == (
        b"<response><result>1</result></response>"
    )


@pytest.mark.quick
@pytest.mark.parametrize(
    ("comment", "expected"),
    [
        ("Excellent handling", "Excellent handling"),
        ("x" * 10_000 + "...", "x" * 10_000 + "..."),
        (FOUND_COMMENT, FOUND_COMMENT),
        (None, None),
        (FREE, "text, 27 characters"),
    ],
)
def test_of_a_read_back_only_own_comments_are_kept(comment: Any, expected: Any) -> None:
    vote = {"sessionId": "494", "sessionVoteHead": 5, "sessionCommentHead": comment, "canVoteHead": "Y", "chatId": 77}
    answer = _json({"result": {**vote, "users": {"7": FREE}}}, call=ReadBack(494))
    assert answer == {
        "result": {"sessionId": "494", "sessionVoteHead": 5, "sessionCommentHead": expected, "canVoteHead": "Y"}
    }


@pytest.mark.quick
@pytest.mark.parametrize("typed", ["портал-клиента.рф", "xn----7sbkofbbj4akz5a4b.xn--p1ai"])
def test_a_host_is_taken_out_in_unicode_and_in_punycode(typed: str) -> None:
    url = SecretUrl(f"https://{typed}:8443/rest/1/secret-secret/")
    unicode, punycode = "портал-клиента.рф", "портал-клиента.рф".encode("idna").decode()
    typed_forms = {typed, typed.encode("idna").decode(), typed.encode("idna").decode().encode().decode("idna")}
    redactor = Redactor.of([url], [])
    for form in {*typed_forms, *((unicode, punycode) if typed == unicode else ())}:
        assert form not in redactor.text(f"see https://{form}/x and {form}:8443")


def _odd(request: PortalRequest, honest: PortalResponse) -> PortalResponse:
    if b"error_description" not in honest.body or "json" not in honest.content_type:
        return honest
    document = json.loads(honest.body)
    if "error" not in document:
        return honest
    code = "NO_SUCH_CODE" if document.get("error") == "EMPTY_VOTE_PARAMS" else document.get("error")
    return PortalResponse(
        honest.status, honest.content_type, json.dumps({"error": code, "error_description": FREE}).encode()
    )


def test_texts_of_a_live_portal_stand_in_no_file_and_are_shown_on_request(tmp_path: Path) -> None:
    honest = talkative(faulty("2026-03"))
    with serving(lambda request: _odd(request, honest(request))) as base:
        target = live_target(tmp_path, base, "2026-03")
        silent = run(tmp_path, target, "--yes", "--record-mode=rewrite")
        shown = run(tmp_path, target, "--yes", "--show-texts")
    (tmp_path / "target.toml").unlink()
    assert (silent.status, shown.status) == (1, 1), silent.output
    assert "text, 27 characters" in silent.output
    printed = FREE.encode("unicode_escape").decode()
    assert [text for text in (FREE, printed) if text in silent.output] == []
    assert FREE in shown.output or printed in shown.output
    for path in tmp_path.rglob("*"):
        if path.is_file():
            text = path.read_text("utf-8")
            assert [one for one in (FREE, json.dumps(FREE)[1:-1], "555 0100", "chatId") if one in text] == [], path
            # As a number of its own: seconds and digests have digits enough to hold it by chance.
            assert not re.search(r"(?<![\w.])1494(?![\w.])", text), path
