"""The steps of a plan: the fewest requests that send every named value once, for portals where each call counts.

It is made from the equivalence classes and the edition alone, so that it is known, printed and recorded before the
first call, and no answer changes it. A call that must be refused has one fault. A vote that must be accepted may be
unusual in several places where each of these also stands in another vote: then the log shows the one at fault.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

from conformance.contract.classes import (
    BAD_SESSIONS,
    COMMENTS,
    DENIED_STATES,
    LETTERS,
    NOT_WHOLE_RATINGS,
    OTHER_TYPES,
    OUTSIDE,
    RATINGS,
    session_classes,
)
from conformance.contract.clauses import Edition
from conformance.contract.oracle import judged_sessions
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
from conformance.engine.workload import control_vote
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
)
from conformance.exchange.encode import as_text
from conformance.target.target import Target

MAP: Final = Delivery(batch=Batch.MAP)
FORM_MAP: Final = Delivery(Encoding.FORM, batch=Batch.MAP)
LIST: Final = Delivery(batch=Batch.LIST)
XML: Final = Delivery(suffix=".xml")
SHORT: Final = Delivery(suffix=".json")
ASCII: Final = Delivery(Encoding.JSON_ASCII)
_BACKWARDS: Final = (2, 1, 0)
_NO_SESSION: Final = ClassifiedValue("absent", ABSENT)
_MORE: Final = 3
AS_THE_VOTE: Final = 0
"""The read-back of a vote has the priority of the vote."""


def plan_steps(target: Target, edition: Edition) -> list[Step]:
    """Return all steps of the plan for a target."""
    return list(_PlanSteps(target, edition).all())


class _PlanSteps:
    """Makes the steps for one target and edition."""

    def __init__(self, target: Target, edition: Edition) -> None:
        self.target, self.edition = target, edition
        self.sessions = session_classes(target.sessions, target.live)
        self.rateable = value_of(self.sessions, "rateable")
        self.control = control_vote(edition, self.rateable)
        self.read_backs = [request for request in preflight_requests(target) if isinstance(request, ReadBack)][-1:]

    def all(self) -> Iterator[Step]:
        """Yield votes, what the pages leave open, what must be refused, and the first vote once more."""
        control = self.control
        yield from self.voted("the example of the page", 1, control)
        yield Step("the same vote at once again: is it still accepted", 1, control)
        yield Step("neither optional, after a vote: is it refused as in the preflight", 1, Call(self.rateable))
        yield from self.votes()
        yield from self.votes_by_other_ways()
        yield from self.voted("in a batch: each bad value as a text", 1, BatchRequest(self.bad_items()))
        yield from self.silent()
        yield from self.voted("in a batch: what the pages leave open", 1, BatchRequest(self.open_items()), 3)
        yield from self.bad_sessions()
        yield from self.denied()
        # A bad rating is the last before the vote that is sent again: what sticks would show.
        yield from self.bad_ratings()
        yield from (Step("is the vote as before the refusals", 1, read_back) for read_back in self.read_backs)
        yield from self.voted("the first vote again: is it still accepted", 1, control, 5)

    def votes(self) -> Iterator[Step]:
        """Yield votes in JSON that must be accepted."""
        rateable, digits = self.rateable, value_of(self.sessions, "digits")
        # The comment is that of the vote with .json: where one of both is refused, the other shows the cause.
        by_token = Call(rateable, value_of(RATINGS, "2"), value_of(COMMENTS, "long"))
        yield from self.by_caller("a vote by token in a body", 1, by_token, Delivery(caller=Caller.TOKEN_BODY), 5)
        yield from self.voted(
            "RATING alone, answered in XML", 1, Call(rateable, value_of(RATINGS, "4"), delivery=XML), 4
        )
        special = Call(digits, value_of(RATINGS, "3"), value_of(COMMENTS, "special"))
        yield from self.voted("SESSION_ID as text", 1, special, 4)
        rated_by_text = replace(self.control, rating=ClassifiedValue("digits", "1"))
        yield from self.voted("RATING as text", 2, rated_by_text, 4)
        # In a plan of few votes this one stands for both. Beside them it leaves no doubt which part is at fault.
        all_as_text = Call(digits, ClassifiedValue("digits", "1"), value_of(COMMENTS, "long"), SHORT)
        yield from self.voted("both numbers as texts, COMMENT of 1,000 characters", 1, all_as_text)
        for purpose, priority, name, read in (("COMMENT of emoji", 4, "emoji", 5), ('COMMENT "0"', 1, "zero-text", 4)):
            yield from self.voted(purpose, priority, Call(rateable, NOTHING, value_of(COMMENTS, name), ASCII), read)

    def votes_by_other_ways(self) -> Iterator[Step]:
        """Yield votes that must be accepted in other encodings and orders, and from other callers."""
        if "access.any-user" in self.edition.clauses:
            vote = Call(self.rateable, value_of(RATINGS, "5"))
            yield from self.by_caller("a vote of a second caller", 2, vote, Delivery(caller=Caller.SECOND))
        vote = Call(self.rateable, value_of(RATINGS, "2"), value_of(COMMENTS, "empty"))
        by_token = Delivery(Encoding.FORM, caller=Caller.TOKEN_QUERY)
        yield from self.by_caller("a vote by token in a query, COMMENT empty", 2, vote, by_token, None)
        lines = self.edition.clauses["comment.lines"]
        judged_text = ("2", 1, "special") if lines.level == "observed" else ("2", 0, "lines")
        for stars, place, name, delivery, read_priority in (
            ("3", 0, "special", Delivery(Encoding.FORM, order=_BACKWARDS), 1),
            (*judged_text, Delivery(Encoding.MULTIPART), 1),
            ("4", 0, "special", Delivery(Encoding.QUERY_GET, order=_BACKWARDS), 1),
        ):
            backwards = ", parameters in another order" if delivery.order == _BACKWARDS else ""
            call = Call(self.rateable, value_of(RATINGS, stars), value_of(COMMENTS, name, place), delivery)
            yield from self.voted(f"a vote by {delivery}{backwards}", 1, call, read_priority)

    def bad_ratings(self) -> Iterator[Step]:
        """Yield a good session with ratings that must be refused."""
        for name, rating, comment in (("RATING", "null", "absent"), ("COMMENT", "absent", "null")):
            empty = Call(self.rateable, value_of(RATINGS, rating), value_of(COMMENTS, comment))
            yield from self.refused(f"{name} null and nothing else", 1, empty)
        six = self.bad_rating(value_of(RATINGS, "above"), with_comment=True)
        for encoding in (Encoding.FORM, Encoding.MULTIPART, Encoding.QUERY_GET):
            yield from self.refused(f"RATING 6 by {encoding}", 3, six.via(Delivery(encoding)))
        yield from self.refused(
            "RATING 6 as text", 3, Call(self.rateable, ClassifiedValue("digits-outside", "6"), delivery=SHORT)
        )
        for name in (*NOT_WHOLE_RATINGS, *OUTSIDE):
            # A batch carries the others, as the texts that they are in most ways.
            for place, value in enumerate(RATINGS[name].core_values[: 1 if name == "above" else None]):
                with_comment = name in ("zero", "text", "object") or place == 1
                priority = 3 if name == "text" or value is False else 0 if name == "above" else 1
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
                if name != "empty" and value != LETTERS:
                    priority = 3 if name in ("absent", "zero", "text") else 1
                    pick = ClassifiedValue(name, value)
                    shown = name if pick.absent else f"{name} {as_text(value)}"
                    yield from self.refused(f"SESSION_ID: {shown}", priority, self.bad_session(pick))
        for state in DENIED_STATES:
            yield from self.refused(f"SESSION_ID: {state}", 1, *self.vote_on(state))

    def denied(self) -> Iterator[Step]:
        """Yield refused votes in other deliveries, and votes of callers without rights.

        A refusal with the right code shows that the portal understood the delivery.
        """
        for shown, priority, delivery in (
            ("in multipart", 4, Delivery(Encoding.MULTIPART)),
            ("answered in XML", 3, Delivery(Encoding.QUERY_GET, ".xml")),
        ):
            calls = [call.via(delivery) for call in self.vote_on("forbidden")]
            yield from self.refused(f"a forbidden session {shown}", priority, *calls)
        for shown, priority, delivery in (
            ("in a form", 2, Delivery(Encoding.FORM)),
            ("in multipart", 2, Delivery(Encoding.MULTIPART)),
            ("with .json", 2, SHORT),
            ("answered in XML", 2, XML),
            ("by GET, answered in XML", 2, Delivery(Encoding.QUERY_GET, ".xml")),
            ("by token in a query", 1, Delivery(Encoding.QUERY_GET, caller=Caller.TOKEN_QUERY)),
            ("by token in a body", 1, Delivery(caller=Caller.TOKEN_BODY)),
        ):
            # No portal can take these for a vote, so they cost none.
            yield from self.by_caller(f"neither optional {shown}", priority, Call(self.rateable), delivery)
        vote = Call(self.rateable, value_of(RATINGS, "5"))
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
        beside = Call(self.rateable, value_of(RATINGS, "empty"), ClassifiedValue("plain", "beside an empty rating"))
        yield from self.voted("RATING empty beside a comment", 4, beside)
        for name in ("control", "oversize", *OTHER_TYPES):
            cases = list(comments_alone(self.sessions, name).values())[: len(COMMENTS[name].core_values)]
            for place, call in enumerate(cases):
                crashes = name in ("list", "object") or (name == "control" and place == 0)
                read_priority = 5 if name == "oversize" else None
                yield from self.voted(f"COMMENT: {name}", 2 if crashes else 5, call, read_priority)
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
            for call in self.vote_on(state):
                calls += [call, replace(call, comment=plain), replace(call, rating=NOTHING, comment=plain)]
        calls.append(Call(self.rateable))
        calls += [Call(self.rateable, rating, comment) for rating, comment in _EMPTY_ONES]
        calls.append(Call(self.rateable, value_of(RATINGS, "2"), value_of(COMMENTS, "special", 1)))
        return _items(calls, FORM_MAP)

    def open_items(self) -> tuple[Call, ...]:
        """Return what the pages leave open, as far as a batch can carry it, and a vote at the end."""
        silent: list[Callable[..., dict[str, Call]]] = [several_wrong, extra_parameters, lower_case]
        calls = [call for cases in silent for call in cases(self.sessions).values()]
        calls += comments_alone(self.sessions, "blank").values()
        calls.append(Call(self.rateable, NOTHING, value_of(COMMENTS, "unicode")))
        return _items(calls, LIST)

    def bad_rating(self, rating: ClassifiedValue, with_comment: bool) -> Call:
        beside = ClassifiedValue("plain", f"beside {as_text(rating.value)}") if with_comment else NOTHING
        return Call(self.rateable, rating, beside)

    def bad_session(self, session: ClassifiedValue) -> Call:
        shown = "none" if session.absent else as_text(session.value)
        return Call(session, value_of(RATINGS, "5"), ClassifiedValue("plain", f"for session {shown}"))

    def vote_on(self, state: str) -> list[Call]:
        """Return a vote on the session in this state; none if there is no such session or nothing is demanded of it."""
        if state not in self.sessions or state not in judged_sessions(self.edition):
            return []
        return [Call(value_of(self.sessions, state), value_of(RATINGS, "5"))]

    def by_caller(
        self, purpose: str, priority: int, call: Call, delivery: Delivery, read_priority: int | None = None
    ) -> Iterator[Step]:
        """Yield the call from another caller, where that is configured."""
        if delivery.caller in self.target.callers:
            yield from self.voted(purpose, priority, call.via(delivery), read_priority)

    def voted(
        self, purpose: str, priority: int, request: Call | BatchRequest, read_priority: int | None = AS_THE_VOTE
    ) -> Iterator[Step]:
        """Yield a vote and its read-back.

        read_priority: the priority of the read-back; None for no read-back.
        """
        yield Step(purpose, priority, request)
        if read_priority is not None:
            later = priority if read_priority == AS_THE_VOTE else read_priority
            yield from (Step(f"{purpose}: read back", later, read) for read in self.read_backs)

    def refused(self, purpose: str, priority: int, *calls: Call) -> Iterator[Step]:
        return (Step(purpose, priority, call) for call in calls)


_EMPTY_ONES: Final = tuple(
    (value_of(RATINGS, rating), value_of(COMMENTS, comment))
    for rating, comment in (("empty", "absent"), ("absent", "empty"), ("empty", "empty"))
)


def _items(calls: list[Call], delivery: Delivery) -> tuple[Call, ...]:
    return tuple(call for call in dict.fromkeys(call.via(delivery) for call in calls) if sendable(call))
