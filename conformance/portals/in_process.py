"""The portals inside this process: respx in front of them, no socket."""

import httpx
import respx

from conformance.contract.clauses import Edition
from conformance.portals import BITRIX24
from conformance.portals.bitrix24 import bitrix24_portal
from conformance.portals.php_forms import PortalRequest
from conformance.portals.reference import Answering, ReferencePortal
from conformance.target.client import Portal, portal_behind
from conformance.target.target import Target


def in_process_portal(target: Target, edition: Edition) -> Portal:
    """Return a fresh portal for an embedded target: `bitrix24`, or the reference portal of that edition."""
    portal = bitrix24_portal() if target.name == BITRIX24 else ReferencePortal(edition)
    return portal_answering(target, portal.answer)


def portal_answering(target: Target, answer: Answering) -> Portal:
    """Return any function from request to response as a portal."""
    return portal_behind(mock_transport(answer), target)


def mock_transport(answer: Answering) -> httpx.MockTransport:
    """Return a transport whose every request is answered by that function."""
    router = respx.Router(assert_all_called=False)
    route = router.route()

    def respond(request: httpx.Request) -> httpx.Response:
        # respx keeps every call it sees; a long run must not grow with them.
        router.calls.clear()
        route.calls.clear()
        headers = {name.lower(): value for name, value in request.headers.items()}
        query = request.url.query.decode("ascii")
        outgoing = answer(PortalRequest(request.method, request.url.path, query, headers, request.read()))
        return httpx.Response(outgoing.status, headers={"Content-Type": outgoing.content_type}, content=outgoing.body)

    route.mock(side_effect=respond)
    return httpx.MockTransport(router.handler)
