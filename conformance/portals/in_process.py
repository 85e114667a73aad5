"""The reference portal inside this process: respx hands requests to the portal, without a socket."""

import httpx
import respx

from conformance.contract.clauses import Edition
from conformance.portals.php_forms import PortalRequest
from conformance.portals.reference import Answering, ReferencePortal
from conformance.target.client import Portal
from conformance.target.target import Target
from conformance.target.transports import HttpWire


def in_process_portal(target: Target, edition: Edition) -> Portal:
    """Return a new reference portal of that edition behind an HTTP client."""
    return portal_answering(target, ReferencePortal(edition).answer)


def portal_answering(target: Target, answer: Answering) -> Portal:
    """Return a portal that answers by that function."""
    return Portal(target, HttpWire(target, client_of(answer)))


def client_of(answer: Answering) -> httpx.Client:
    """Return an HTTP client whose every request is answered by that function."""
    router = respx.Router(assert_all_called=False)
    route = router.route()

    def respond(request: httpx.Request) -> httpx.Response:
        # respx keeps every call. Without the clearing, the memory of a long run would grow with each call.
        router.calls.clear()
        route.calls.clear()
        headers = {name.lower(): value for name, value in request.headers.items()}
        query = request.url.query.decode("ascii")
        outgoing = answer(PortalRequest(request.method, request.url.path, query, headers, request.read()))
        return httpx.Response(outgoing.status, headers={"Content-Type": outgoing.content_type}, content=outgoing.body)

    route.mock(side_effect=respond)
    return httpx.Client(transport=httpx.MockTransport(router.handler))
