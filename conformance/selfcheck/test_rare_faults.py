"""Faults that few values show: each portal here is right but for one value, and explore mode names the right clause."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from conformance.check import check_portal
from conformance.contract.clauses import edition_names, load_edition
from conformance.engine.plan import plan_of
from conformance.engine.workload import Explore, Planned
from conformance.exchange.call import NEARLY_RIGHT
from conformance.portals.in_process import portal_answering
from conformance.portals.php_forms import PortalRequest
from conformance.portals.reference import SECRET, SESSIONS, PortalResponse, ReferencePortal, whole_number
from conformance.reporting.verdict import Status, Verdict
from conformance.selfcheck.mutation import asked, crashes_where, is_batch, received, refused_where
from conformance.target.target import embedded_target

pytestmark = pytest.mark.quick

Apply = Callable[[ReferencePortal], None]
RATEABLE = SESSIONS["rateable"]
UNKNOWN = ("error.chat-id", "error.unknown-session")
WORDS = ("null", "None", "undefined")


def _takes_secret(is_taken: Callable[[str], bool]) -> Apply:
    def right(request: PortalRequest) -> PortalRequest:
        parts = request.path.split("/")
        is_webhook = len(parts) == 5 and is_taken(parts[3])
        return replace(request, path="/".join((*parts[:3], SECRET, parts[4]))) if is_webhook else request

    return lambda portal: received(portal, right)


def _reads_session(is_it: Callable[[object], bool]) -> Apply:
    return lambda portal: asked(portal, lambda p, _: {**p, "SESSION_ID": RATEABLE} if is_it(p.get("SESSION_ID")) else p)


def _reads_rating(is_it: Callable[[object], bool]) -> Apply:
    """Read a rating as none where a comment stands beside it."""
    return lambda portal: asked(
        portal, lambda p, _: {**p, "RATING": None} if is_it(p.get("RATING")) and p.get("COMMENT") else p
    )


def _keeps_bits(bits: int) -> Apply:
    return _reads_session(lambda value: (number := whole_number(value)) is not None and number % 2**bits == RATEABLE)


FAULTS: dict[str, tuple[Apply, tuple[str, ...]]] = {
    "the case of the secret": (_takes_secret(lambda given: given.lower() == SECRET.lower()), ("transport.auth",)),
    "a cut secret": (_takes_secret(lambda given: given != "" and SECRET.startswith(given)), ("transport.auth",)),
    "a longer secret": (_takes_secret(lambda given: given.startswith(SECRET)), ("transport.auth",)),
    "an empty secret": (_takes_secret(lambda given: given == ""), ("transport.auth",)),
    "32 bits of SESSION_ID": (_keeps_bits(32), UNKNOWN),
    "64 bits of SESSION_ID": (_keeps_bits(64), UNKNOWN),
    "the key ID of SESSION_ID": (
        _reads_session(lambda value: isinstance(value, dict) and value.get("ID") == RATEABLE),
        ("session-id.whole-number",),
    ),
    "words as SESSION_ID": (_reads_session(lambda value: value in WORDS), ("session-id.whole-number",)),
    "words as RATING": (_reads_rating(lambda value: value in WORDS), ("rating.whole-number",)),
    "-0 as RATING": (_reads_rating(lambda value: value == "-0"), ("rating.digits-as-text",)),
    "a crash beyond 64 bits": (
        lambda portal: crashes_where(portal, lambda p, _: (whole_number(p.get("RATING")) or 0) > 2**64),
        ("error.never-5xx",),
    ),
}


@pytest.mark.parametrize("edition", edition_names())
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_one_value_is_named_by_its_clause(fault: str, edition: str) -> None:
    apply, named = FAULTS[fault]
    portal = ReferencePortal(load_edition(edition))
    apply(portal)
    only = [clause for clause in named if clause in portal.edition.clauses]
    judged = portal_answering(embedded_target(), portal.answer)
    verdict = check_portal(judged, portal.edition, Explore(0), only=only).verdict
    assert [entry.clause.id for entry in verdict.with_status(Status.FAILED)] == only


def test_the_plan_for_a_live_portal_sends_an_object_with_the_key_id_and_no_secret_made_from_the_right_one() -> None:
    edition, live = load_edition("2026-03"), replace(embedded_target(), live=True)
    plan = plan_of(live, edition)
    assert {"ID": RATEABLE} in [call.session.value for call in plan.calls]
    assert not {call.delivery.caller for call in plan.calls} & set(NEARLY_RIGHT)
    portal = ReferencePortal(edition)
    FAULTS["the key ID of SESSION_ID"][0](portal)
    verdict = check_portal(portal_answering(live, portal.answer), edition, Planned(plan)).verdict
    assert verdict.verdict is Verdict.NOT_CONFORMANT


def _ignores_batches_in_forms(portal: ReferencePortal) -> None:
    received(portal, lambda r: replace(r, body=b"") if is_batch(r) and "urlencoded" in r.media_type else r)


def _refuses_percent_signs(sign: str) -> Apply:
    return lambda portal: refused_where(portal, lambda p, _: sign in str(p.get("COMMENT")))


@pytest.mark.parametrize("edition", edition_names())
@pytest.mark.parametrize(
    ("apply", "clause"),
    [
        (_ignores_batches_in_forms, "transport.batch"),
        (_refuses_percent_signs("%s"), "comment.any-text"),
        (_refuses_percent_signs("%d"), "comment.any-text"),
    ],
    ids=["batch in a form", "%s", "%d"],
)
def test_the_plan_for_a_live_portal_names_the_clause(apply: Apply, clause: str, edition: str) -> None:
    live = replace(embedded_target(), live=True)
    portal = ReferencePortal(load_edition(edition))
    apply(portal)
    plan = Planned(plan_of(live, portal.edition))
    verdict = check_portal(portal_answering(live, portal.answer), portal.edition, plan).verdict
    assert clause in {entry.clause.id for entry in verdict.with_status(Status.FAILED)}


def test_a_web_server_may_answer_an_address_without_a_secret() -> None:
    portal = ReferencePortal(load_edition("2026-03"))
    honest = portal.answer

    def answer(request: PortalRequest) -> PortalResponse:
        outgoing = honest(request)
        if "//" not in request.path:
            return outgoing
        return replace(outgoing, status=404, content_type="text/html", body=b"<h1>Not Found</h1>")

    verdict = check_portal(portal_answering(embedded_target(), answer), portal.edition, Explore(0)).verdict
    assert verdict.verdict is Verdict.CONFORMANT
