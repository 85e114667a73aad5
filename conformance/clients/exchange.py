"""What a test of a client library is handed: a round from its caller to the portal and back, with its demands."""

import json
import math
import shlex
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from types import UnionType
from typing import Final

from conformance.clients.protocol import (
    ApiError,
    Asked,
    ClientOutcome,
    NotSent,
    OtherError,
    ProtocolError,
    Returned,
    TimedOut,
    line_of,
)
from conformance.contract.classes import DENIED_STATES, FILLED, READ_BACK_SESSIONS, STARS
from conformance.engine.deviations import HANG
from conformance.exchange.call import METHOD, Call, Json
from conformance.exchange.read_back import comment_reads_back
from conformance.exchange.reproduce import describe
from conformance.exchange.violation import ClauseViolated, NotApplicable, Violation, assume, printable, require
from conformance.portals import SERVED_PORT
from conformance.portals.mock import Arrival, Item
from conformance.portals.scripts import (
    ELSEWHERE,
    LIMIT,
    NEVER,
    REFUSED_CONNECTION,
    SAME_IN_XML,
    SECOND_ATTEMPTS,
    TRUE,
    Script,
)

_ABSENT: Final = "absent"
_PAUSES: Final = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0)
_PARAMETERS: Final = ("SESSION_ID", "RATING", "COMMENT")
_LONGEST_SHOWN: Final = 200
_MOST_SHOWN: Final = 3
_LONGEST_REQUEST_SECONDS: Final = 60.0
"""The pages give a request so long, so a library may wait for an answer as long."""
SECRET_KEPT: Final = "client.secret-kept"


@dataclass(frozen=True, slots=True)
class ClientCase:
    """What a caller asks of the library, and what the portal answers.

    before: what is asked first, of the same program.
    other_webhook: True if that has another webhook; otherwise it has the same.
    beside: what is asked at the same time, of the same program with the same webhook.
    """

    call: Call
    script: Script
    before: tuple["ClientCase", ...] = ()
    beside: Call | None = None
    other_webhook: bool = False

    @property
    def special_answers(self) -> tuple[str, ...]:
        """Return the names of the answers that are no plain success."""
        return tuple(case.script.name for case in (*self.before, self) if case.script is not TRUE)

    @property
    def classes(self) -> dict[str, str]:
        """Return the classes of the three parameters, and the name of the answer: the last that is no plain success."""
        return {**self.call.classes, "answer": (TRUE.name, *self.special_answers)[-1]}

    @property
    def kinds(self) -> frozenset[Hashable]:
        """Return the features of the round. A clause has not passed if no round with one of them could be judged."""
        answers = tuple(case.script.name for case in (*self.before, self))
        return frozenset((*self.call.classes.items(), answers))


@dataclass(frozen=True, slots=True)
class ClientExchange:
    """One call through the library.

    arrivals: what reached the portal.
    outcome: what the library handed back.
    leaks: the places where the secret of the webhook showed; empty where it did not.
    command: the words of the program under test.
    edition: the name of the edition.
    secret: that of the webhook, for this call alone; empty where it was not sent.
    earlier: what reached the portal of the equal calls before it.
    changed: what the caller's own parameters are after a call, where the library changed them; otherwise None.
    needed_a_fresh_program: True if the program that was asked first sent nothing, and a new one sent the call.
    """

    case: ClientCase
    arrivals: tuple[Arrival, ...]
    outcome: ClientOutcome
    leaks: str
    command: tuple[str, ...]
    edition: str
    secret: str = ""
    earlier: tuple[Arrival, ...] = ()
    changed: Json = None
    needed_a_fresh_program: bool = False

    @property
    def exchange(self) -> "ClientExchange":
        return self

    @property
    def classes(self) -> dict[str, str]:
        return {**self.case.classes, **dict([HANG] if isinstance(self.outcome, TimedOut) else ())}

    @property
    def hung_at(self) -> str:
        """Return the name of the answer from which the library did not come back, or the empty text.

        A success has no name here: if a library hangs on one, the values are the reason, or the calls before it.
        """
        match self.outcome:
            case TimedOut() if self.case.script is not TRUE:
                return self.case.script.name
            case NotSent(behind=name):
                return name
        return ""

    @property
    def oddness(self) -> tuple[()]:
        return ()

    @property
    def came_back(self) -> bool:
        """Return True if the library handed back something in time."""
        return not isinstance(self.outcome, TimedOut | ProtocolError | NotSent)

    @property
    def was_lost(self) -> bool:
        """Return True if no request arrived although the library has no reason to refuse the values."""
        return self.came_back and not self.arrivals and self.should_be_sent

    @property
    def should_be_judged(self) -> bool:
        """Return True if the round is lost where its clause finds nothing to judge."""
        return not self.may_still_wait and not self.is_in_doubt and (not self.came_back or self.should_be_sent)

    @property
    def is_in_doubt(self) -> bool:
        """Return True if a correct library gets this answer too: 1 in XML, or what a portal makes of 494.0."""
        is_in_xml = any(arrival.request.path.lower().endswith(".xml") for arrival in self.arrivals)
        if self.case.beside is None:
            return self.case.script.name in SAME_IN_XML and is_in_xml
        return any(isinstance(value, float) for vote in self.votes for value in vote.parameters.values())

    @property
    def may_still_wait(self) -> bool:
        """Return True if the answer never came, here or before, and the library had not the time of a request."""
        match self.outcome:
            case TimedOut(seconds):
                return self.case.script is NEVER and seconds <= _LONGEST_REQUEST_SECONDS
            case NotSent(behind=name):
                return name == NEVER.name
        return False

    @property
    def should_succeed(self) -> bool:
        """Return True if the portal accepts the call, and no call before it is a reason for another outcome."""
        return self.case.script is TRUE and not self.case.before and not self.may_refuse

    @property
    def should_be_sent(self) -> bool:
        """Return True if the values are promised, and the portal can be reached."""
        return not self.may_refuse and self.case.script not in ELSEWHERE

    @property
    def may_refuse(self) -> bool:
        """Return True if the documentation does not promise that a portal accepts the values."""
        rating, comment = self.case.call.rating.cls, self.case.call.comment.cls
        if self.case.call.session.cls not in (*READ_BACK_SESSIONS, *DENIED_STATES):
            return True
        promised_rating = rating in (*STARS, _ABSENT)
        promised_comment = comment in (*FILLED, _ABSENT) and comment != "long"
        return not promised_rating or not promised_comment or rating == comment == _ABSENT

    @property
    def votes(self) -> tuple[Item, ...]:
        """The calls of the method that arrived, an item of a batch among them."""
        return tuple(vote for arrival in self.arrivals for vote in arrival.votes)

    @property
    def attempts(self) -> str:
        """Return how many requests the call caused, the pauses between them, and if a vote was sent again at risk."""
        if self.may_still_wait:
            return f"{self.outcome}: not judged, for a request may take {_LONGEST_REQUEST_SECONDS:g} s (--timeout)"
        times = [arrival.at for arrival in self.arrivals if arrival.votes]
        if len(times) < 2:
            return f"{len(self.arrivals)} request{'s' if len(self.arrivals) > 1 else ''}"
        pauses = [_rounded(later - earlier) for earlier, later in pairwise(times)]
        shown = ", ".join(dict.fromkeys(pauses))
        risk = self.resent_at_risk
        why = f"; sent again although it {risk}" if risk else ""
        return f"{len(self.arrivals)} requests, pauses {shown}{why}"

    @property
    def resent_at_risk(self) -> str:
        """Return why a vote that was sent again should not have been, or the empty text."""
        votes = sum(1 for arrival in self.arrivals if arrival.votes)
        codes = [self.case.script.code_of(attempt) for attempt in range(1, votes)]
        if votes > 1 and self.case.script is TRUE:
            return "was accepted"
        if votes > 1 and self.case.script.may_be_carried_out:
            return "may have been carried out"
        return "was refused" if any(code not in ("", LIMIT) for code in codes) else ""

    def must_reach_the_method(self) -> None:
        """What arrived is this method, directly or as an item of a batch; a success was not made up."""
        assume(bool(self.arrivals) or (isinstance(self.outcome, Returned) and self.should_be_sent))
        require(bool(self.votes), f"{METHOD}, directly or as an item of a batch")

    def must_arrive_intact(self) -> None:
        """Each filled parameter arrives with its value. A library may refuse a rating that no portal may accept."""
        if not self.votes:
            self._must_not_be_refused()
        died = isinstance(self.outcome, ProtocolError) and not self.may_refuse
        require(not died, "the program outlives the call: its values are those that a portal must accept")
        asked = dict(self.case.call.parameters)
        for vote in self.votes:
            for name in _PARAMETERS:
                if _is_filled(asked.get(name)):
                    arrived = vote.parameters.get(name)
                    require(_is_same(name, asked[name], arrived), f"{name} arrives as it was passed")
        # A library that hangs on a value has not shown that it can send it.
        assume(self.came_back or self.may_refuse)

    def _must_not_be_refused(self) -> None:
        if isinstance(self.outcome, ProtocolError) and not self.may_refuse:
            return
        assume(self.was_lost and isinstance(self.outcome, ApiError | OtherError))
        raise ClauseViolated("the call is sent: its values are those that the documentation promises to accept")

    def must_leave_out_what_was_left_out(self) -> None:
        """A parameter that the caller left out or passed as null arrives absent, null or empty."""
        assume(bool(self.votes))
        asked = dict(self.case.call.parameters)
        for vote in self.votes:
            for name in _PARAMETERS:
                if asked.get(name) in (None, ""):
                    require(not _is_filled(vote.parameters.get(name)), f"{name} arrives absent, null or empty")

    def must_be_true(self) -> None:
        """The success reaches the caller as the value true."""
        self._skip_unless_back()
        require(isinstance(self.outcome, Returned) and self.outcome.value is True, "the value true")

    def must_not_be_true(self) -> None:
        """Whatever reaches the caller, it is not the value true."""
        self._skip_unless_back()
        assume(not self.is_in_doubt)
        require(not (isinstance(self.outcome, Returned) and self.outcome.value is True), "anything but the value true")

    def must_be_the_error(self) -> None:
        """The caller gets an error with exactly the code of the last answer."""
        self._skip_unless_back()
        code = self.case.script.code_of(sum(1 for arrival in self.arrivals if arrival.votes))
        require(
            isinstance(self.outcome, ApiError) and self.outcome.code == code,
            f"an error with the code {json.dumps(code)}",
        )

    def must_be_an_error(self) -> None:
        """The caller gets an error, with a code or without."""
        self._skip_unless_back()
        require(isinstance(self.outcome, ApiError | OtherError), "an error")

    def must_be_a_success(self) -> None:
        """The caller gets no error, however the answer travelled."""
        self._skip_unless_back()
        require(isinstance(self.outcome, Returned), "a success")

    def must_leave_the_callers_parameters(self) -> None:
        """The library does not change the dictionary or list that its caller passed."""
        require(self.changed is None, "the caller's own parameters are after the call what they were before it")

    def must_succeed_after_others(self) -> None:
        """The call succeeds, whatever was asked and answered before it."""
        require(not self.needed_a_fresh_program, "the call is sent, whatever was asked and answered before it")
        if not self.case.before:
            return
        assume(not isinstance(self.outcome, ProtocolError | NotSent))
        assume(any(arrival.votes for arrival in self.earlier))
        require(bool(self.votes), "the call arrives, whatever was asked and answered before it")
        require(isinstance(self.outcome, Returned), "a success, whatever was asked and answered before it")

    def must_carry_the_same_parameters(self) -> None:
        """Each attempt of the call, and each equal call before it, carries the same parameters."""
        votes = (*(vote for arrival in self.earlier for vote in arrival.votes), *self.votes)
        assume(bool(votes))
        # Libraries add parameters of their own, as an id of the request.
        asked = [{name: vote.parameters.get(name) for name in _PARAMETERS} for vote in votes]
        require(all(one == asked[0] for one in asked), "each attempt carries the same parameters")
        is_accepted = self.case.script in SECOND_ATTEMPTS and len(self.votes) > 1
        if is_accepted and isinstance(self.outcome, Returned):
            require(self.outcome.value is True, "the value true, which the last attempt was answered")

    def must_not_be_mixed(self, beside: Call) -> None:
        """Each of two calls that are made at once arrives as it was passed, and gets its own outcome."""
        assume(self.came_back and bool(self.votes))
        asked = [dict(call.parameters) for call in (self.case.call, beside)]
        which = {
            next((place for place, own in enumerate(asked) if _is_all_the_same(own, vote.parameters)), None)
            for vote in self.votes
        }
        is_equal = asked[0] == asked[1]
        arrived = len(self.votes) > 1 if is_equal else which == {0, 1}
        require(arrived, "each of two calls that are made at once arrives as it was passed")
        assume(not self.is_in_doubt)
        wanted: type | UnionType = ApiError | OtherError if self.case.call.session.cls in DENIED_STATES else Returned
        require(isinstance(self.outcome, wanted), "the outcome of this call, not that of the call beside it")

    def must_not_be_sent(self) -> None:
        """Nothing reaches a server whose certificate nobody trusts."""
        assume(not isinstance(self.outcome, ProtocolError | NotSent))
        require(not self.arrivals, "nothing is sent")
        require(isinstance(self.outcome, ApiError | OtherError), "an error, in bounded time")

    def must_end_in_an_error(self) -> None:
        """The caller gets an error, within the cap."""
        assume(bool(self.votes) or self.case.script is REFUSED_CONNECTION)
        assume(not self.may_still_wait)
        assume(not isinstance(self.outcome, ProtocolError | NotSent))
        require(isinstance(self.outcome, ApiError | OtherError), "an error, in bounded time")

    def must_end(self) -> None:
        """The caller gets the success or an error, within the cap."""
        assume(bool(self.votes) and not isinstance(self.outcome, ProtocolError))
        succeeded = isinstance(self.outcome, Returned) and self.outcome.value is True
        require(
            succeeded or isinstance(self.outcome, ApiError | OtherError), "the value true, or an error, in bounded time"
        )

    def must_follow_or_fail(self) -> None:
        """The call arrives at the new address with its parameters and succeeds, or the caller gets an error."""
        assume(bool(self.arrivals) and not isinstance(self.outcome, ProtocolError))
        if isinstance(self.outcome, ApiError | OtherError):
            return
        # What the first request lacked is a matter of other clauses.
        sent = [vote.parameters for vote in self.votes]
        is_whole = len(sent) > 1 and _is_all_the_same(sent[0], sent[-1])
        succeeded = isinstance(self.outcome, Returned) and self.outcome.value is True
        require(is_whole and succeeded, "the call at the new address with its parameters, and its outcome; or an error")

    def must_keep_the_secret(self) -> None:
        """The secret is in nothing that the library hands back or prints."""
        assume(not isinstance(self.outcome, ProtocolError | NotSent))
        require(not self.leaks, "the secret of the webhook does not show")

    def _skip_unless_back(self) -> None:
        if not self.votes or isinstance(self.outcome, TimedOut | ProtocolError):
            raise NotApplicable

    def violation(self, clause: str, expected: str) -> Violation:
        """Return this exchange as a violation of a clause."""
        shown = tuple(dict.fromkeys(map(_shown, self.arrivals)))
        notes = [f"{len(self.arrivals)} requests arrived"] if len(self.arrivals) > 1 else []
        unknown = dict.fromkeys(name for arrival in self.arrivals for name in arrival.unknown_methods)
        if unknown:
            names = printable(", ".join(unknown), _LONGEST_SHOWN)
            notes.append(f"the portal of the gate does not know {names}, and answered ERROR_METHOD_NOT_FOUND")
        if self.case.other_webhook:
            notes.append("the call before it had another webhook")
        if self.needed_a_fresh_program:
            notes.append("only a fresh program sent it: the one that had made other calls sent nothing")
        if self.changed is not None:
            notes.append(f"the caller's own parameters are then {_short(self.changed)}")
        if isinstance(self.outcome, TimedOut):
            notes.append("--timeout SECONDS gives each call more time")
        notes.append(
            f"repeat it beside `vote-conformance serve --edition {self.edition}`, with --https where it insists"
        )
        came_back = self.leaks if clause == SECRET_KEPT else printable(str(self.outcome), _LONGEST_SHOWN)
        facts = (
            *(("before", f"{describe(one.call)}, answered {one.script.name}") for one in self.case.before[-1:]),
            *((("beside", describe(self.case.beside)),) if self.case.beside is not None else ()),
            ("asked", describe(self.case.call)),
            ("arrived", "; then ".join(shown[:_MOST_SHOWN]) or "nothing"),
            ("answered", self.case.script.name),
            ("came back", came_back),
            ("permitted", expected),
            ("repeat", _repeat(self.case, self.command)),
        )
        # Where the secret showed, it does not matter if the library came back.
        classes = self.case.classes if clause == SECRET_KEPT else self.classes
        return Violation(clause, facts, classes, tuple(notes))


def shows_what_was_before(exchange: ClientExchange) -> bool:
    """Return True if a round of another clause shows that calls disturb each other, or what their caller passed."""
    return exchange.changed is not None or exchange.needed_a_fresh_program


def _rounded(seconds: float) -> str:
    """Return a pause as two runs of the same library show it alike."""
    nearest = min(_PAUSES, key=lambda pause: abs(math.log(pause / max(seconds, 0.001))))
    return f"below {_PAUSES[0]:g} s" if nearest == _PAUSES[0] else f"about {nearest:g} s"


def _is_filled(value: Json) -> bool:
    return value not in (None, "", [])


def _is_same(name: str, asked: Json, arrived: Json) -> bool:
    """Whether an arrived value means what was passed: 5 and "5" are the same, in a comment too."""
    if isinstance(arrived, bool) or not isinstance(arrived, str | int | float):
        return False
    if name == "COMMENT":
        return comment_reads_back(str(asked), str(arrived))
    return str(arrived) == str(asked) or arrived == asked


def _is_all_the_same(asked: Mapping[str, Json], arrived: Mapping[str, Json]) -> bool:
    """Whether each filled value arrived, and nothing for each other one."""
    return all(
        _is_same(name, asked[name], arrived.get(name))
        if _is_filled(asked.get(name))
        else not _is_filled(arrived.get(name))
        for name in _PARAMETERS
    )


def _shown(arrival: Arrival) -> str:
    calls = []
    for item in arrival.items:
        method = "" if item.method == METHOD else f"{item.method}: "
        named = [(name, value) for name, value in item.parameters.items() if name in _PARAMETERS]
        text = " ".join(f"{name}={_short(value)}" for name, value in named)
        calls.append(method + (text or "none of the three parameters"))
    return f"{'; '.join(calls) or 'no call'}   {printable(arrival.way, _LONGEST_SHOWN)}"


def _short(value: Json) -> str:
    return printable(json.dumps(value, ensure_ascii=False), _LONGEST_SHOWN)


def _repeat(case: ClientCase, command: tuple[str, ...]) -> str:
    """A line that asks the program again, where `vote-conformance serve` runs."""
    if case.script in ELSEWHERE:
        return f"vote-conformance run --client {shlex.quote(shlex.join(command))} -- -k client"
    url = f"http://127.0.0.1:{SERVED_PORT}/rest/1/{{}}/"
    rounds = [
        [
            Asked(url.format(one.script.name), "", METHOD, dict(call.parameters))
            for call in (one.call, one.beside)
            if call
        ]
        for one in (*case.before, case)
    ]
    lines = [shlex.quote(line_of(calls).decode().rstrip()) for calls in rounds]
    return f"printf '%s\\n' {' '.join(lines)} | {shlex.join(command)}"
