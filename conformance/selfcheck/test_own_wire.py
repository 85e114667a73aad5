"""The own requests of the suite, recorded at a server: they keep the rules of the pages and of the client gate."""

import re
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from conformance import __version__
from conformance.clients.exchange import ClientCase, ClientExchange
from conformance.clients.protocol import Returned
from conformance.contract.clauses import load_edition
from conformance.exchange.call import ABSENT, Call, ClassifiedValue, Delivery, Encoding, Json
from conformance.portals.in_process import portal_answering
from conformance.portals.mock import Arrival
from conformance.portals.php_forms import PortalRequest
from conformance.portals.reference import PortalResponse, ReferencePortal
from conformance.portals.scripts import TRUE
from conformance.portals.server import serving
from conformance.selfcheck.outside import keyed, run, target_file
from conformance.target.target import embedded_target

DOCS = Path(str(files("conformance") / "docs"))
MEDIA_TYPES = ("application/json", "application/x-www-form-urlencoded", "multipart/form-data")
TEXT = 'a&b=c+d 100% #1 "quoted" é 🙂'
HEADERS = ("accept", "user-agent", "content-type")


def broken_rules(request: PortalRequest, agent: str = f"vote-conformance/{__version__}") -> list[str]:
    """Return the names of the headers that are missing or wrong."""
    kinds = "|".join(MEDIA_TYPES) if request.method == "POST" else ""
    rules = {
        "accept": "text/xml" if request.path.endswith(".xml") else "application/json",
        "user-agent": re.escape(agent),
        "content-type": f"({kinds})(;.*)?" if kinds else "",
    }
    return [name for name, rule in rules.items() if not re.fullmatch(rule, request.headers.get(name, ""))]


def _recorded(folder: Path, edition: str) -> list[PortalRequest]:
    requests: list[PortalRequest] = []
    honest = keyed(ReferencePortal(load_edition(edition)).answer)

    def answer(request: PortalRequest) -> PortalResponse:
        requests.append(request)
        return honest(request)

    with serving(answer) as base:
        ran = run(folder, target_file(folder, base, edition, live=True, more="[limit]\nburst = 1000"), "--yes")
    assert ran.status == 0, ran.output
    return requests


def test_every_request_of_a_live_run_has_the_headers_of_the_pages(tmp_path: Path) -> None:
    """A live run sends the most kinds: it looks, votes in every encoding, reads back, and puts votes back."""
    requests = _recorded(tmp_path, "2026-03")
    assert {request.media_type for request in requests} == {*MEDIA_TYPES, ""}
    assert any(request.path.endswith(".xml") for request in requests)
    for request in requests:
        assert broken_rules(request) == [], request.path
        for name in set(HEADERS) & request.headers.keys():
            headers = {key: value for key, value in request.headers.items() if key != name}
            assert broken_rules(replace(request, headers=headers)) == [name]


@pytest.mark.quick
@pytest.mark.parametrize("comment", [TEXT, ABSENT], ids=["text", "absent"])
@pytest.mark.parametrize("encoding", Encoding)
def test_the_suite_keeps_the_rules_of_client_libraries(encoding: Encoding, comment: Json) -> None:
    arrived: list[Arrival] = []
    honest = ReferencePortal(load_edition("2026-03")).answer

    def answer(request: PortalRequest) -> PortalResponse:
        arrived.append(Arrival(request, 200))
        return honest(request)

    given = ClassifiedValue("rateable", 494), ClassifiedValue("5", 5), ClassifiedValue("given", comment)
    call = Call(*given, Delivery(encoding))
    portal_answering(embedded_target(), answer).send(call)
    exchange = ClientExchange(ClientCase(call, TRUE), tuple(arrived), Returned(True), "", (), "2026-03")
    exchange.must_reach_the_method()
    exchange.must_arrive_intact()
    exchange.must_leave_out_what_was_left_out()


@pytest.mark.quick
@pytest.mark.parametrize(("page", "file"), [("client-libraries", "gate.py"), ("mock-portal", "test_votes.py")])
def test_the_examples_of_the_pages_keep_them_too(page: str, file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each call of the example goes through a transport that keeps the request."""
    text = (DOCS / f"{page}.md").read_text("utf-8")
    code = re.search(rf"^```python {re.escape(file)}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert code is not None
    sent: list[httpx.Request] = []

    def post(url: str, **given: Any) -> httpx.Response:
        sent.append(httpx.Client().build_request("POST", url, **given))
        return httpx.Response(200, json={"error": "QUERY_LIMIT_EXCEEDED"})

    monkeypatch.setattr(httpx, "post", post)
    example: dict[str, Any] = {}
    exec(code[1], example)  # noqa: S102 - our own page
    asked = {"url": "https://portal.invalid/rest/1/x/", "method": "imopenlines.session.head.vote", "params": {}}
    stored = SimpleNamespace(url=asked["url"], session=494, votes={494: SimpleNamespace(rating=5)}, answer_next=len)
    for name, function in example.items():
        if name == "vote":
            function(asked)
        elif name.startswith("test_"):
            function(stored)
    assert sent
    for request in sent:
        headers = {name.lower(): value for name, value in request.headers.items()}
        assert broken_rules(PortalRequest("POST", request.url.path, "", headers), "my-library/1.2.3") == []
