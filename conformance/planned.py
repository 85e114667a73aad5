"""A run by plan over the network: the votes that it finds, the question before the first vote, putting back."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Final

from conformance import __version__
from conformance.contract.classes import DENIED_STATES
from conformance.engine.plan import Votes, session_of, votes_of, without_votes_on
from conformance.engine.plan_file import plan_document
from conformance.engine.runner import Watch
from conformance.engine.workload import Planned, Workload
from conformance.interrupts import ending_signals
from conformance.run import Run, do_nothing
from conformance.target.client import REAL_SURROUNDINGS, LivePortal, Portal, Surroundings, live_portal
from conformance.target.recording import Recording, write_recording
from conformance.target.restore import NO_VOTE, Failed, FoundVote
from conformance.target.target import Target

Ask = Callable[[str], None]
"""Asks a person whether to go on. Raises UserError where the answer is no."""


@dataclass(frozen=True, slots=True)
class Listener:
    """Who follows a run on a terminal.

    say: prints a line.
    ask: asks before the first vote on a live target.
    progress: called with the number of requests that were sent, and of all.
    """

    say: Callable[[str], None] = lambda _line: None
    ask: Ask = lambda _question: None
    progress: Callable[[int, int], None] = lambda _done, _all: None


SILENT: Final = Listener()


@contextmanager
def planned_portal(
    run: Run, mode: Planned, listener: Listener, surroundings: Surroundings = REAL_SURROUNDINGS
) -> Iterator[tuple[Portal, Watch]]:
    """Give a portal that is asked no faster than its limit allows. Restore the found votes at the end of the block."""
    asked = run.settings
    comments = frozenset(call.comment.value for call in mode.plan.calls if isinstance(call.comment.value, str))
    live = live_portal(asked.target, comments, listener.say, surroundings, listener.say if asked.shows_texts else None)
    found = _FoundVotes(run, live, listener, mode.plan)
    run.put_back = found.put_back
    with ending_signals() as interrupts:
        try:
            yield live.portal, Watch(found.before_first_step, listener.progress)
        finally:
            # The inner block runs also if the first signal comes at this very moment.
            try:
                interrupts.hold()
            finally:
                run.put_back()
    if asked.records_to is not None:
        run.write_record = _recorder(run, live.recording.text, found.sent)


@dataclass(slots=True)
class _FoundVotes:
    """The votes that a portal holds before a run votes on it.

    sent: what of the plan is sent.
    unread: why a vote could not be read, by session.
    """

    run: Run
    live: LivePortal
    listener: Listener
    sent: Workload
    unread: dict[int, Failed] = field(default_factory=dict)

    def before_first_step(self, plan: Workload) -> Workload:
        """Read the present votes and return what of the plan is sent. Raise UserError where the person says no."""
        asked, target = self.run.settings, self.run.settings.target
        self.sent = plan
        voted_on = dict.fromkeys(name for call in plan.calls if (name := session_of(call, target)) is not None)
        if not voted_on:
            return plan
        self.unread.update(self.live.restoring.read_found(voted_on))
        reasons = {} if asked.overwrite else _reasons_against_votes(self.unread, target)
        for reason in reasons.values():
            self.listener.say(reason)
        self.sent = without_votes_on(plan, target, reasons)
        votes = votes_of(self.sent, target, asked.edition)
        if target.live and not asked.may_write and votes.most:
            self.listener.ask(_question(target, votes, self.live.restoring.found))
        return self.sent

    def put_back(self) -> None:
        """Put the found votes back, once, and note what could not be put back."""
        run = self.run
        if run.voted_on:
            self._say("putting back the votes of before the run")
        done = self.live.restoring.put_back()
        run.notes = asked_again(self.live.portal)
        overwritten = tuple(
            f"session {session} got a vote, and what it had could not be read ({self.unread[session].reason})"
            for session in sorted(self.unread.keys() & run.voted_on)
        )
        is_agreed = run.settings.overwrite or not run.settings.target.live
        run.left_behind = done.stays + (overwritten if is_agreed else ())
        run.not_put_back = done.lost + (() if is_agreed else overwritten)
        run.put_back = do_nothing
        if run.voted_on and not (run.not_put_back or run.left_behind):
            self._say("put back")

    def _say(self, line: str) -> None:
        """Print a line if the terminal is still there: what comes after it matters more."""
        with suppress(Exception):
            self.listener.say(line)


def asked_again(portal: Portal) -> tuple[str, ...]:
    """Return a line for each reason for which requests were sent once more."""
    return tuple(f"asked once more, {count} times: {reason}" for reason, count in portal.repeated.items())


def _recorder(run: Run, cassette: str, sent: Workload) -> Callable[[Mapping[str, int]], None]:
    """Return the function that writes the recording. It is given how many exchanges each clause was judged by."""
    asked, folder = run.settings, run.settings.records_to
    assert folder is not None
    target = replace(asked.target, edition=asked.edition.name, deviations=asked.deviation_file)

    def write(judged: Mapping[str, int]) -> None:
        recording = Recording(target, cassette, plan_document(sent), judged, __version__, datetime.now(UTC))
        write_recording(folder, recording, target.redactor)

    return write


def _reasons_against_votes(unread: Mapping[int, Failed], target: Target) -> dict[int, str]:
    """Return why a session gets no vote, for each session of a live target whose vote would be lost."""
    return {
        session: f"no vote is sent on session {session}: its present vote cannot be read ({failed.reason}); "
        "--overwrite votes all the same"
        for session, failed in unread.items()
        # That the portal refuses to show a denied session is as it should be.
        if target.live and not (failed.lasting and session in _denied(target))
    }


def _denied(target: Target) -> set[int]:
    """Return the sessions that the caller has no access to."""
    return {target.sessions[state] for state in DENIED_STATES if state in target.sessions}


def _question(target: Target, votes: Votes, found: Mapping[int, FoundVote]) -> str:
    """Return what is asked before the first vote."""
    shown = {session: vote for session, vote in found.items() if session not in _denied(target)}
    sessions = " and ".join(map(str, shown)) or str(target.sessions["rateable"])
    fresh = " and ".join(str(session) for session, vote in shown.items() if vote == NO_VOTE)
    stays = f"; on {fresh} there is no vote yet: the last test vote will stay" if fresh else ""
    return (
        f"votes on session {sessions} of {target.name}: {votes}; each may notify the dialog's operator; "
        f"a vote that is there now is put back at the end{stays}"
    )
