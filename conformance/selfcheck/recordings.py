"""Recording a portal that shows all that it should not, for the tests of records."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Final

from conformance.portals.php_forms import PortalRequest
from conformance.portals.reference import Answering, PortalResponse, ReferencePortal
from conformance.portals.server import serving
from conformance.selfcheck.outside import TOKEN, Ran, keyed, run, target_file

USER: Final = 1417
PRIVATE: Final = "Maria Petrovna"
FOUND: Final = "the operator was rude to Maria Petrovna on Monday"
STUFFED: Final = {
    "message": {"1": {"text": "a message of a client"}},
    "users": {"7": {"name": "Ivan Ivanov", "phone": "+7 555 0100"}},
    "files": {"3": {"link": "https://portal.example/signed?token=abc"}},
}


def talkative(portal: ReferencePortal) -> Answering:
    """The portal with the secrets of these tests, shown wherever it can; with each read-back come people and links."""
    honest = keyed(portal.answer)

    def answer(request: PortalRequest) -> PortalResponse:
        outgoing = honest(request)
        host = request.headers.get("host", "")
        told = f"{PRIVATE} called http://{host}{request.path} as user {USER} with {TOKEN}, after {FOUND!r}: refused"
        body = outgoing.body.replace(b"Refused", json.dumps(told)[1:-1].encode())
        return replace(outgoing, body=body.replace(b'"chatId"', json.dumps(STUFFED)[1:-1].encode() + b', "chatId"'))

    return answer


def live_target(folder: Path, base: str, edition: str, limit: str = "burst = 1000") -> str:
    """The target file of a live portal of the tests."""
    more = f'portal = "a portal of the tests"\nprivate = ["{PRIVATE}"]\n[limit]\n{limit}'
    return target_file(folder, base, edition, live=True, user=USER, more=more)


def record(folder: Path, answer: Answering, edition: str, *arguments: str) -> Ran:
    """Records a portal to cassettes/staging."""
    with serving(answer) as base:
        return run(folder, live_target(folder, base, edition), "--record-mode=rewrite", "--yes", *arguments)


def replay(folder: Path, *arguments: str) -> Ran:
    """Judges what is on record there."""
    return run(folder, "--target=cassettes/staging", *arguments)
