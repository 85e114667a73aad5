"""A plan: what is sent, what it costs, what it leaves out.

Whom the whole plan catches: test_blame.py. That no plan accuses a correct portal: test_conforming_variants.py.
"""

import json
import subprocess
import sys
from collections import Counter
from dataclasses import replace

import pytest

from conformance.check import check_portal
from conformance.contract.classes import COMMENTS, RATINGS, session_classes
from conformance.contract.clauses import edition_names, load_edition
from conformance.engine.plan import Votes, plan_of, votes_of
from conformance.engine.session import cannot_write
from conformance.engine.workload import Planned, Workload
from conformance.errors import UserError
from conformance.exchange.call import Absent, Call, ClassifiedValue
from conformance.options import MOST_VOTES
from conformance.portals.in_process import portal_answering
from conformance.portals.php_forms import PortalRequest
from conformance.portals.reference import SESSIONS, PortalResponse, ReferencePortal
from conformance.reporting.verdict import RunVerdict, Status, Verdict
from conformance.selfcheck.chosen import alternating
from conformance.selfcheck.mutants import MUTANTS
from conformance.selfcheck.mutation import asked
from conformance.selfcheck.referee import EVERY_VOTE, SHORT_PLAN, varied_portal
from conformance.target.target import Target, embedded_target

LIVE = replace(embedded_target(), live=True)


def _judged(portal: ReferencePortal, budget: int) -> RunVerdict:
    return _judged_by(portal, plan_of(LIVE, portal.edition, budget))


def _judged_by(portal: ReferencePortal, workload: Workload) -> RunVerdict:
    plan = Planned(workload)
    return check_portal(portal_answering(LIVE, portal.answer), portal.edition, plan).verdict


@pytest.mark.parametrize("target", [embedded_target(), LIVE], ids=["loopback", "live"])
@pytest.mark.parametrize("name", edition_names())
def test_a_correct_portal_is_conformant_within_90_requests_and_25_votes(name: str, target: Target) -> None:
    portal = ReferencePortal(load_edition(name))
    requests: Counter[str] = Counter()

    def answer(request: PortalRequest) -> PortalResponse:
        requests[request.method] += 1
        return portal.answer(request)

    saved = 0
    save = portal.save

    def counted_save(session: int, rating: int | None, comment: str | None) -> None:
        nonlocal saved
        saved += 1
        save(session, rating, comment)

    portal.save = counted_save
    plan = plan_of(target, portal.edition)
    verdict = check_portal(portal_answering(target, answer), portal.edition, Planned(plan)).verdict
    assert verdict.verdict is Verdict.CONFORMANT
    assert {entry.status for entry in verdict.clauses} == {Status.PASSED, Status.OBSERVED}
    assert requests.total() == plan.requests <= 90
    assert saved <= 25


@pytest.mark.parametrize("name", edition_names())
def test_every_named_value_is_sent(name: str) -> None:
    target = embedded_target()
    calls = plan_of(target, load_edition(name), votes=EVERY_VOTE).calls
    # Ids that overflow are for explore mode.
    judged = session_classes(target.sessions, live=True).values()

    def sent(values: list[object]) -> set[str]:
        return {json.dumps(None if isinstance(value, Absent) else str(value)) for value in values}

    for table, values in (
        (judged, [call.session.value for call in calls]),
        (RATINGS.values(), [call.rating.value for call in calls]),
        (COMMENTS.values(), [call.comment.value for call in calls]),
    ):
        missing = {
            (entry.name, str(value))
            for entry in table
            for value in entry.core_values
            if not sent([value]) <= sent(values) and not (name == "2026-03" and entry.name == "not_open_line")
        }
        assert missing == set()


def test_a_plan_of_50_catches_nearly_every_mutant() -> None:
    judged = alternating(MUTANTS)
    verdicts = [_judged(varied_portal(mutant.name, edition), SHORT_PLAN).verdict for mutant, edition in judged]
    caught = [verdict for verdict in verdicts if verdict is Verdict.NOT_CONFORMANT]
    assert len(caught) >= 0.95 * len(judged)


@pytest.mark.parametrize(("votes", "share"), [(MOST_VOTES, 0.95), (25, 0.90)])
def test_few_votes_catch_nearly_every_mutant(votes: int, share: float) -> None:
    judged = alternating(MUTANTS)
    plans = {name: plan_of(LIVE, load_edition(name), votes=votes) for name in edition_names()}
    assert all(plan.requests <= 90 for plan in plans.values())
    verdicts = [_judged_by(varied_portal(mutant.name, edition), plans[edition]).verdict for mutant, edition in judged]
    assert verdicts.count(Verdict.NOT_CONFORMANT) >= share * len(judged)


@pytest.mark.quick
@pytest.mark.parametrize("name", edition_names())
@pytest.mark.parametrize("votes", [0, 1, 2, 7, 25, MOST_VOTES])
def test_a_plan_holds_at_most_the_votes_that_are_allowed(name: str, votes: int) -> None:
    edition = load_edition(name)
    plan = plan_of(LIVE, edition, votes=votes)
    counted = votes_of(plan, LIVE, edition)
    assert counted.must <= counted.most <= votes
    assert sum(not cannot_write(call) for call in plan.calls) <= counted.most
    assert plan.limit == (f"--votes {votes}" if votes else "--no-votes")


@pytest.mark.quick
@pytest.mark.parametrize("name", edition_names())
@pytest.mark.parametrize(("budget", "votes"), [(None, MOST_VOTES), (None, 25), (None, 3), (SHORT_PLAN, 25), (5, 3)])
def test_every_plan_with_votes_sends_rating_6_alone_and_shows_it_first(
    name: str, budget: int | None, votes: int
) -> None:
    portal = ReferencePortal(load_edition(name))
    asked(portal, lambda p, _: {**p, "RATING": 5} if isinstance(p.get("RATING"), int) else p)
    plan = plan_of(LIVE, portal.edition, budget, votes)
    rateable = ClassifiedValue("rateable", SESSIONS["rateable"])
    assert Call(rateable, ClassifiedValue("above", 6)) in plan.calls
    outside = next(one for one in _judged_by(portal, plan).clauses if one.clause.id == "rating.rejects-outside")
    assert outside.violations[0].fact("sent") == "SESSION_ID=494 RATING=6"
    assert outside.violations[0].fact("way") == "POST, JSON"


@pytest.mark.quick
@pytest.mark.parametrize(
    ("mutant", "name", "accused"),
    [
        # Votes in forms alone hold a quote, and as many of them hold nothing else that could be at fault.
        ("refuses_quotes", "2026-03", "comment.any-text"),
        ("codes_denial_otherwise_in_a_batch", "2026-03", "error.access-denied"),
    ],
)
def test_a_wrong_answer_of_unclear_cause_accuses_somebody(mutant: str, name: str, accused: str) -> None:
    portal = varied_portal(mutant, name)
    verdict = _judged_by(portal, plan_of(LIVE, portal.edition, votes=25))
    assert accused in {entry.clause.id for entry in verdict.with_status(Status.FAILED)}


def test_no_two_steps_are_for_the_same_thing() -> None:
    """Else a step that is left out would not be listed where its twin is kept."""
    purposes = [step.purpose for step in plan_of(embedded_target(), load_edition("2024-10")).steps]
    assert len(purposes) == len(set(purposes))


def test_a_budget_names_what_it_leaves_unexercised() -> None:
    edition = load_edition("2024-10")
    plan = plan_of(LIVE, edition, budget=30)
    assert plan.requests == 30
    assert plan.left_out
    verdict = _judged(ReferencePortal(edition), budget=30)
    unexercised = verdict.with_status(Status.NOT_EXERCISED)
    assert unexercised
    assert {entry.note for entry in unexercised} == {"no call for it is left by --votes 45 and --budget 30"}
    with pytest.raises(UserError, match="--budget 4: the preflight alone takes 4 requests"):
        plan_of(LIVE, edition, budget=4)


@pytest.mark.parametrize("name", edition_names())
def test_without_votes_nothing_is_sent_that_a_casting_portal_could_take_for_one(name: str) -> None:
    plan = plan_of(embedded_target(), load_edition(name), votes=0)
    assert votes_of(plan, embedded_target(), load_edition(name)) == Votes(0, 0)
    portal = ReferencePortal(load_edition(name))
    honest = portal.vote

    def cast(parameters: dict[str, object], context: object) -> object:
        # As PHP casts: leading digits, the truth, the first of a list.
        session = parameters.get("SESSION_ID")
        text = str(session[0] if isinstance(session, list) else session).lstrip("-")
        digits = text[: len(text) - len(text.lstrip("0123456789"))]
        number = int(digits) if digits else int(session is True)
        filled = [parameters.get(field) not in (None, "") for field in ("RATING", "COMMENT")]
        assert not (number > 0 and any(filled)), parameters
        return honest(parameters, context)  # type: ignore[arg-type]

    portal.vote = cast  # type: ignore[assignment]
    verdict = check_portal(portal_answering(embedded_target(), portal.answer), portal.edition, Planned(plan)).verdict
    assert verdict.with_status(Status.FAILED) == []
    assert portal.votes == {}


def test_a_call_with_a_usable_session_and_a_filled_field_may_write() -> None:
    own = session_classes(SESSIONS, live=False)
    for state in ("rateable", "digits", "fraction", "list", "object", "negative", "unknown", "forbidden"):
        call = plan_of(LIVE, load_edition("2024-10")).calls[0]
        rated = Call(
            replace(call.session, cls=state, value=own[state].core_values[0]), replace(call.rating, cls="5", value=5)
        )
        assert not cannot_write(rated)


def test_the_command_prints_each_call_and_what_the_plan_costs() -> None:
    line = [sys.executable, "-m", "conformance", "plan", "--budget", "20"]
    done = subprocess.run(line, capture_output=True, text=True, check=True)
    assert "plan for mock, edition 2026-03" in done.stdout
    assert (
        'the example of the page\n       SESSION_ID=494 RATING=5 COMMENT="Excellent handling"   POST, JSON'
        in done.stdout
    )
    assert "20 requests, about 10 s at 2 a second" in done.stdout
    assert "left out by --votes 45 and --budget 20:" in done.stdout
