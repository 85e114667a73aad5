"""The plan: the fewest requests that send every named value at least once, for portals where each call counts.

It is made from the equivalence classes and the edition alone, so that it is known, printed and recorded before the
first call, and no answer changes it. A call that must be refused has one fault. A vote that must be accepted may be
unusual in several places where each of these also stands in another vote: then the log shows the one at fault.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from conformance.contract.classes import (
    BAD_SESSIONS,
    COMMENTS,
    DENIED_STATES,
    NOT_FILLED,
    NOT_WHOLE_RATINGS,
    OTHER_TYPES,
    OUTSIDE,
    RATINGS,
    session_classes,
)
from conformance.contract.clauses import Edition
from conformance.contract.oracle import allowed, judged_sessions
from conformance.engine.cases import sendable, value_of
from conformance.engine.observed_cases import (
    by_bearer,
    comments_alone,
    extra_parameters,
    in_query_of_post,
    lower_case,
    open_dialog,
    several_wrong,
)
from conformance.engine.preflight import preflight_requests
from conformance.engine.session import Step
from conformance.engine.vote_rank import rank_of
from conformance.engine.workload import Workload
from conformance.errors import UserError
from conformance.exchange.call import (
    ABSENT,
    NEARLY_RIGHT,
    NO_RIGHTS,
    NOTHING,
    REST_CALLERS,
    Batch,
    BatchRequest,
    Call,
    Caller,
    ClassifiedValue,
    Delivery,
    Encoding,
    ReadBack,
    calls_of,
)
from conformance.exchange.encode import as_text
from conformance.options import MOST_VOTES
from conformance.target.target import Target

MAP: Final = Delivery(batch=Batch.MAP)
FORM_MAP: Final = Delivery(Encoding.FORM, batch=Batch.MAP)
LIST: Final = Delivery(batch=Batch.LIST)
XML: Final = Delivery(suffix=".xml")
SHORT: Final = Delivery(suffix=".json")
ASCII: Final = Delivery(Encoding.JSON_ASCII)
_BACKWARDS: Final = (2, 1, 0)
_NO_SESSION: Final = ClassifiedValue("absent", ABSENT)
_UNUSABLE: Final = ("absent", "empty", "null", "zero")
_LETTERS: Final = "abc"
_MORE: Final = 3


def plan_of(target: Target, edition: Edition, budget: int | None = None, votes: int = MOST_VOTES) -> Workload:
    """Return the plan for a target. Raise UserError if the budget is too small for anything.

    budget: the most requests.
    votes: the most votes that a portal gets if it takes everything, with those that put found votes back.
    """
    preflight = preflight_requests(target)
    whole = list(_Steps(target, edition).all())
    steps = _with_votes(whole, target, edition, votes)
    room = len(steps) if budget is None else budget - len(preflight)
    if room < 1:
        raise UserError(f"--budget {budget}: the preflight alone takes {len(preflight)} requests: give more")
    chosen = set(sorted(range(len(steps)), key=lambda place: steps[place].priority)[:room])
    kept = tuple(step for place, step in enumerate(steps) if place in chosen)
    purposes = {step.purpose for step in kept}
    limits = [f"--votes {votes}" if votes else "--no-votes"] if steps != whole else []
    limits += [f"--budget {budget}"] if len(kept) < len(steps) else []
    return Workload(
        preflight, kept, tuple(step for step in whole if step.purpose not in purposes), " and ".join(limits)
    )


@dataclass(frozen=True, slots=True)
class Votes:
    """How many votes a plan sends.

    must: those that must be accepted.
    most: those that some portal may take for votes, and those that put found votes back.
    """

    must: int
    most: int

    def __str__(self) -> str:
        return f"{self.must} must be accepted; at most {self.most} on a portal that takes everything"


def votes_of(plan: Workload, target: Target, edition: Edition) -> Votes:
    """Return how many votes a plan sends."""
    must = sum(
        allowed(edition, call.session.cls, call.rating.cls, call.comment.cls).must_be_accepted
        and call.is_documented
        and call.delivery.caller not in NO_RIGHTS
        for call in plan.calls
    )
    sessions = [session for call in plan.calls if (session := session_of(call, target)) is not None]
    return Votes(must, len(sessions) + len(_put_back(sessions, target)))


def _put_back(sessions: Iterable[int], target: Target) -> set[int]:
    """Return the sessions that may get one vote more at the end. The preflight shows that nobody reads the unknown."""
    return set(sessions) - {target.sessions.get("unknown")}


def _with_votes(steps: list[Step], target: Target, edition: Edition, votes: int) -> list[Step]:
    """Return the steps with those of the calls that may write that show most, and with all that cannot."""
    times: Counter[Call] = Counter()
    ranked = []
    for place, step in enumerate(steps):
        for item, call in enumerate(calls_of(step.request)):
            if (session := session_of(call, target)) is None:
                continue
            permitted = allowed(edition, call.session.cls, call.rating.cls, call.comment.cls)
            times[call] += 1
            ranked.append((rank_of(call, permitted, times[call]), place, item, session))
    ranked.sort()
    kept: dict[tuple[int, int], int] = {}
    for _rank, place, item, session in ranked:
        sessions = [*kept.values(), session]
        if len(sessions) + len(_put_back(sessions, target)) <= votes:
            kept[place, item] = session
    dropped = {(place, item) for _rank, place, item, _session in ranked} - kept.keys()
    return _with_calls(steps, lambda place, item: (place, item) not in dropped)


def cannot_write(call: Call) -> bool:
    """Return True if no portal, a casting one included, can take the call for a vote on some session."""
    unusable = call.session.cls in _UNUSABLE or call.session.value is False or call.session.value == _LETTERS
    neither = call.rating.cls in NOT_FILLED and call.comment.cls in NOT_FILLED
    return neither or (unusable and call.is_documented)


def session_of(call: Call, target: Target) -> int | None:
    """Return the session that a portal may vote on if it takes the call for a vote, or None if no portal can."""
    if cannot_write(call):
        return None
    return target.sessions.get(call.session.cls, target.sessions["rateable"])


def without_votes_on(plan: Workload, target: Target, reasons: Mapping[int, str]) -> Workload:
    """Return the plan without the votes on some sessions.

    reasons: why a session gets no vote, by its id.
    """
    sessions = {call: session for call in plan.calls if (session := session_of(call, target)) in reasons}
    withheld = tuple((call, reasons[session]) for call, session in sessions.items() if session is not None)
    steps = plan.steps
    kept = _with_calls(steps, lambda place, item: calls_of(steps[place].request)[item] not in sessions)
    return replace(plan, steps=tuple(kept), withheld=withheld)


def _with_calls(steps: Sequence[Step], is_kept: Callable[[int, int], bool]) -> list[Step]:
    """Return the steps with some calls only, and without read-backs that follow no call.

    is_kept: takes the place of a step and that of a call in its request.
    """
    kept: list[Step] = []
    for place, step in enumerate(steps):
        if isinstance(step.request, ReadBack):
            if not kept or not isinstance(kept[-1].request, ReadBack):
                kept.append(step)
            continue
        calls = tuple(call for item, call in enumerate(calls_of(step.request)) if is_kept(place, item))
        if calls:
            together = isinstance(step.request, BatchRequest)
            kept.append(replace(step, request=BatchRequest(calls) if together else step.request))
    return kept


class _Steps:
    """Makes the steps for one target and edition."""

    def __init__(self, target: Target, edition: Edition) -> None:
        self.target, self.edition = target, edition
        self.sessions = session_classes(target.sessions, target.live)
        self.own = value_of(self.sessions, "rateable")
        self.look = [request for request in preflight_requests(target) if isinstance(request, ReadBack)][-1:]

    def all(self) -> Iterator[Step]:
        """Yield votes, what the pages leave open, what must be refused, and the first vote once more."""
        control = self.example()
        yield from self.voted("the example of the page", 1, control)
        yield Step("the same vote at once again: is it still accepted", 1, control)
        yield from self.votes()
        yield from self.votes_by_other_ways()
        yield from self.voted("in a batch: each bad value as a text", 1, BatchRequest(self.bad_items()))
        yield from self.silent()
        yield from self.voted("in a batch: what the pages leave open", 1, BatchRequest(self.open_items()), 3)
        yield from self.bad_sessions()
        yield from self.denied()
        # A bad rating is the last before the vote that is sent again: what sticks would show.
        yield from self.bad_ratings()
        yield from (Step("is the vote as before the refusals", 1, look) for look in self.look)
        yield from self.voted("the first vote again: is it still accepted", 1, control, 5)

    def example(self) -> Call:
        values = self.edition.example_accepted
        return Call(
            self.own,
            ClassifiedValue(str(values["RATING"]), values["RATING"]),
            ClassifiedValue("plain", values["COMMENT"]),
        )

    def votes(self) -> Iterator[Step]:
        """Yield votes in JSON that must be accepted."""
        own, digits = self.own, value_of(self.sessions, "digits")
        by_token = replace(self.example(), rating=value_of(RATINGS, "2"))
        yield from self.by_caller("a vote by token in a body", 1, by_token, Delivery(caller=Caller.TOKEN_BODY), 3)
        yield from self.voted("RATING alone, answered in XML", 1, Call(own, value_of(RATINGS, "4"), delivery=XML), 4)
        special = Call(digits, value_of(RATINGS, "3"), value_of(COMMENTS, "special"))
        yield from self.voted("SESSION_ID as text", 1, special)
        # The same comment is in the batch whose cmd is a list: where one of both is refused, the other shows the cause.
        rated_by_text = Call(own, ClassifiedValue("digits", "1"), value_of(COMMENTS, "unicode"), SHORT)
        yield from self.voted("RATING as text", 2, rated_by_text, 4)
        for purpose, priority, name, delivery, look in (
            ("COMMENT of emoji", 4, "emoji", ASCII, 5),
            ("COMMENT of 1,000 characters", 1, "long", SHORT, 1),
            ('COMMENT "0"', 1, "zero-text", ASCII, 4),
        ):
            yield from self.voted(purpose, priority, Call(own, NOTHING, value_of(COMMENTS, name), delivery), look)

    def votes_by_other_ways(self) -> Iterator[Step]:
        """Yield votes that must be accepted in other encodings and orders, and from other callers."""
        if "access.any-user" in self.edition.clauses:
            vote = Call(self.own, value_of(RATINGS, "5"))
            yield from self.by_caller("a vote of a second caller", 2, vote, Delivery(caller=Caller.SECOND))
        vote = Call(self.own, value_of(RATINGS, "2"), value_of(COMMENTS, "empty"))
        by_token = Delivery(Encoding.FORM, caller=Caller.TOKEN_QUERY)
        yield from self.by_caller("a vote by token in a query, COMMENT empty", 2, vote, by_token, None)
        lines = self.edition.clauses["comment.lines"]
        judged_text = ("2", 1, "special") if lines.level == "observed" else ("2", 0, "lines")
        for stars, place, name, delivery, look_priority in (
            ("3", 0, "special", Delivery(Encoding.FORM, order=_BACKWARDS), 1),
            (*judged_text, Delivery(Encoding.MULTIPART), 1),
            ("4", 0, "special", Delivery(Encoding.QUERY_GET, order=_BACKWARDS), 1),
        ):
            backwards = ", parameters in another order" if delivery.order == _BACKWARDS else ""
            call = Call(self.own, value_of(RATINGS, stars), value_of(COMMENTS, name, place), delivery)
            yield from self.voted(f"a vote by {delivery}{backwards}", 1, call, look_priority)

    def bad_ratings(self) -> Iterator[Step]:
        """Yield a good session with ratings that must be refused."""
        for name, rating, comment in (("RATING", "null", "absent"), ("COMMENT", "absent", "null")):
            empty = Call(self.own, value_of(RATINGS, rating), value_of(COMMENTS, comment))
            yield from self.refused(f"{name} null and nothing else", 1, empty)
        six = self.bad_rating(value_of(RATINGS, "above"), with_comment=True)
        for encoding in (Encoding.FORM, Encoding.MULTIPART, Encoding.QUERY_GET):
            yield from self.refused(f"RATING 6 by {encoding}", 3, six.via(Delivery(encoding)))
        yield from self.refused(
            "RATING 6 as text", 3, Call(self.own, ClassifiedValue("digits-outside", "6"), delivery=SHORT)
        )
        for name in (*NOT_WHOLE_RATINGS, *OUTSIDE):
            # A batch carries the others, as the texts that they are in most ways.
            for place, value in enumerate(RATINGS[name].core_values[: 1 if name == "above" else None]):
                with_comment = name in ("above", "zero", "text", "object") or place == 1
                priority = 3 if name == "text" or value is False else 1
                yield from self.refused(
                    f"RATING: {name} {as_text(value)}",
                    priority,
                    self.bad_rating(ClassifiedValue(name, value), with_comment),
                )

    def bad_sessions(self) -> Iterator[Step]:
        """Yield sessions that do not exist, or that the caller may not rate."""
        if self.edition.example_refused:
            extra = tuple(self.edition.example_refused.items())
            yield Step("the example that has no SESSION_ID", 1, Call(_NO_SESSION, extra=extra))
        for name in BAD_SESSIONS:
            for value in self.sessions[name].core_values[: 1 if name == "negative" else None]:
                # These two travel in the batch as they do in JSON: as texts.
                if name != "empty" and value != _LETTERS:
                    priority = 3 if name in ("absent", "zero", "text") else 1
                    pick = ClassifiedValue(name, value)
                    shown = name if pick.absent else f"{name} {as_text(value)}"
                    yield from self.refused(f"SESSION_ID: {shown}", priority, self.bad_session(pick))
        for state in DENIED_STATES:
            yield from self.refused(f"SESSION_ID: {state}", 1, *self.state(state))

    def denied(self) -> Iterator[Step]:
        """Yield refused votes in other deliveries, and votes of callers without rights.

        A refusal with the right code shows that the portal understood the delivery.
        """
        for shown, priority, delivery in (
            ("in multipart", 4, Delivery(Encoding.MULTIPART)),
            ("answered in XML", 3, Delivery(Encoding.QUERY_GET, ".xml")),
        ):
            if delivery.caller in self.target.callers:
                calls = [call.via(delivery) for call in self.state("forbidden")]
                yield from self.refused(f"a forbidden session {shown}", priority, *calls)
        six = self.bad_rating(value_of(RATINGS, "above"), with_comment=True)
        by_token = Delivery(Encoding.QUERY_GET, caller=Caller.TOKEN_QUERY)
        yield from self.by_caller("RATING 6 by token in a query", 1, six, by_token)
        vote = Call(self.own, value_of(RATINGS, "5"))
        for caller in (caller for caller in NO_RIGHTS if caller not in NEARLY_RIGHT):
            is_webhook = caller not in REST_CALLERS
            if not is_webhook:
                yield from self.by_caller(f"a vote by {caller}", 1, vote, Delivery(caller=caller), None)
                continue
            yield from self.by_caller(f"a vote by {caller}", 3, vote, Delivery(caller=caller), 3)
            by_get, in_batch = Delivery(Encoding.QUERY_GET, caller=caller), replace(MAP, caller=caller)
            yield from self.by_caller(f"a vote by {caller} by GET", 1, vote, by_get, None)
            yield from self.by_caller(f"a vote by {caller} in a batch", 3, vote, in_batch)

    def silent(self) -> Iterator[Step]:
        """Yield what the pages leave open, where a batch cannot carry it without doubt."""
        beside = Call(self.own, value_of(RATINGS, "empty"), ClassifiedValue("plain", "beside an empty rating"))
        yield from self.voted("RATING empty beside a comment", 4, beside)
        for name in ("control", "oversize", *OTHER_TYPES):
            cases = list(comments_alone(self.sessions, name).values())[: len(COMMENTS[name].core_values)]
            for place, call in enumerate(cases):
                crashes = name in ("list", "object") or (name == "control" and place == 0)
                look_priority = 5 if name == "oversize" else None
                yield from self.voted(f"COMMENT: {name}", 2 if crashes else 5, call, look_priority)
        if self.edition.clauses["comment.lines"].level == "observed":
            # The pages promise no acceptance, but what was accepted must read back as it was sent.
            for label, call in [*comments_alone(self.sessions, "lines").items()][:1]:
                yield from self.voted(label, 5, call, 5)
        for labelled in (in_query_of_post, by_bearer, open_dialog):
            for label, call in labelled(self.sessions).items():
                if call.delivery.caller in self.target.callers:
                    yield Step(label, 5, call)

    def bad_items(self) -> tuple[Call, ...]:
        """Return every bad value that is a text, and a vote at the end, as the items of one batch."""
        calls: list[Call] = []
        for name in (*OUTSIDE, "fraction", "text"):
            picks = [ClassifiedValue(name, value) for value in RATINGS[name].core_values]
            calls += [self.bad_rating(pick, with_comment) for pick in picks for with_comment in (False, True)]
            # A few more cost no request.
            calls += [
                self.bad_rating(ClassifiedValue(name, value), False) for value in RATINGS[name].extra_boundaries[:_MORE]
            ]
        for name in BAD_SESSIONS:
            calls += [self.bad_session(ClassifiedValue(name, value)) for value in self.sessions[name].core_values]
        plain = value_of(COMMENTS, "plain")
        for state in DENIED_STATES:
            for call in self.state(state):
                calls += [call, replace(call, comment=plain), replace(call, rating=NOTHING, comment=plain)]
        calls.append(Call(self.own))
        calls += [Call(self.own, rating, comment) for rating, comment in _EMPTY_ONES]
        calls.append(Call(self.own, value_of(RATINGS, "2"), value_of(COMMENTS, "special", 1)))
        return _items(calls, FORM_MAP)

    def open_items(self) -> tuple[Call, ...]:
        """Return what the pages leave open, as far as a batch can carry it, and a vote at the end."""
        silent: list[Callable[..., dict[str, Call]]] = [several_wrong, extra_parameters, lower_case]
        calls = [call for cases in silent for call in cases(self.sessions).values()]
        calls += comments_alone(self.sessions, "blank").values()
        calls.append(Call(self.own, NOTHING, value_of(COMMENTS, "unicode")))
        return _items(calls, LIST)

    def bad_rating(self, rating: ClassifiedValue, with_comment: bool) -> Call:
        beside = ClassifiedValue("plain", f"beside {as_text(rating.value)}") if with_comment else NOTHING
        return Call(self.own, rating, beside)

    def bad_session(self, session: ClassifiedValue) -> Call:
        shown = "none" if session.absent else as_text(session.value)
        return Call(session, value_of(RATINGS, "5"), ClassifiedValue("plain", f"for session {shown}"))

    def state(self, state: str) -> list[Call]:
        """Return a vote on the session in this state; nothing if there is none or the edition demands nothing of it."""
        if state not in self.sessions or state not in judged_sessions(self.edition):
            return []
        return [Call(value_of(self.sessions, state), value_of(RATINGS, "5"))]

    def by_caller(
        self, purpose: str, priority: int, call: Call, delivery: Delivery, look: int | None = None
    ) -> Iterator[Step]:
        """Yield the call from another caller, where that is configured."""
        if delivery.caller in self.target.callers:
            yield from self.voted(purpose, priority, call.via(delivery), look)

    def voted(self, purpose: str, priority: int, request: Call | BatchRequest, look: int | None = 0) -> Iterator[Step]:
        """Yield a vote and its read-back.

        look: the priority of the read-back; 0 for that of the vote, None for no read-back.
        """
        yield Step(purpose, priority, request)
        if look is not None:
            yield from (Step(f"{purpose}: read back", look or priority, read) for read in self.look)

    def refused(self, purpose: str, priority: int, *calls: Call) -> Iterator[Step]:
        return (Step(purpose, priority, call) for call in calls)


_EMPTY_ONES: Final = tuple(
    (value_of(RATINGS, rating), value_of(COMMENTS, comment))
    for rating, comment in (("empty", "absent"), ("absent", "empty"), ("empty", "empty"))
)


def _items(calls: list[Call], delivery: Delivery) -> tuple[Call, ...]:
    return tuple(call for call in dict.fromkeys(call.via(delivery) for call in calls) if sendable(call))
