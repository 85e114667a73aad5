"""Makes the records that ship with the project: `python -m conformance.selfcheck.shipped`, in its root.

The reference portal is recorded over HTTP in both editions, by the command that users have. The record of the
documentation holds the two exchanges that the page of 2026-03 prints (commit 5988ed13): its numbers, names and codes.
The suffix `.json`, which is optional, is left out, and the description is in our own words.
"""

import json
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

from conformance import __version__
from conformance.contract.clauses import edition_names, load_edition
from conformance.engine.plan_file import plan_document
from conformance.engine.session import Step
from conformance.engine.workload import Workload
from conformance.exchange.call import NOTHING, Call, Caller, ClassifiedValue
from conformance.exchange.encode import HttpRequest, encode
from conformance.portals.reference import SECOND_SECRET, SECRET, SESSIONS, TOKEN, UNSCOPED_SECRET, ReferencePortal
from conformance.portals.server import serving
from conformance.target.cassette import RecordingWire
from conformance.target.recording import Recording, write_recording
from conformance.target.redact import RecordingRedactor
from conformance.target.secrets import Secret, SecretUrl
from conformance.target.target import Target
from conformance.target.transports import RawAnswer, Spelling

FOLDER: Final = Path("cassettes")
PUBLISHED_SESSION: Final = 1743
VOTE: Final = Call(
    ClassifiedValue("rateable", PUBLISHED_SESSION),
    ClassifiedValue("5", 5),
    ClassifiedValue("plain", "Excellent handling"),
)
NOTHING_GIVEN: Final = Call(ClassifiedValue("rateable", PUBLISHED_SESSION), NOTHING, NOTHING)
TIME: Final[dict[str, Any]] = {
    "start": 1773681878,
    "finish": 1773681878.850923,
    "duration": 0.8509230613708496,
    "processing": 0,
    "date_start": "2026-03-16T20:24:38+01:00",
    "date_finish": "2026-03-16T20:24:38+01:00",
    "operating_reset_at": 1773682478,
    "operating": 0,
}
REFUSAL: Final = {"error": "EMPTY_VOTE_PARAMS", "error_description": "RATING or COMMENT is needed"}
PUBLISHED: Final[tuple[tuple[Call, int, dict[str, Any]], ...]] = (
    (VOTE, 200, {"result": True, "time": TIME}),
    (NOTHING_GIVEN, 400, REFUSAL),
)


def main() -> None:
    """Writes the folders under `cassettes`."""
    for edition in edition_names():
        _record_reference(edition)
    _record_documentation()


def _record_reference(edition: str) -> None:
    with serving(ReferencePortal(load_edition(edition)).answer) as base, tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "target.toml"
        sessions = "\n".join(f"{state} = {number}" for state, number in SESSIONS.items())
        target.write_text(
            f'name = "reference-{edition}"\nedition = "{edition}"\nurl = "{base}/rest/1/{SECRET}/"\n'
            f'portal = "the reference portal of this suite, over HTTP"\n[sessions]\n{sessions}\n[callers]\n'
            f'second_url = "{base}/rest/2/{SECOND_SECRET}/"\nunscoped_url = "{base}/rest/3/{UNSCOPED_SECRET}/"\n'
            f'token_url = "{base}/rest/"\ntoken = "{TOKEN}"\n',
            "utf-8",
        )
        line = [sys.executable, "-m", "conformance", "run", "--target", str(target), "--record-mode", "rewrite"]
        subprocess.run([*line, "--report-dir", folder], check=True)


class _Page:
    """The page as a wire: it answers in the order in which it prints."""

    def __init__(self) -> None:
        self._answers = iter(PUBLISHED)

    def send(self, _spell: Spelling, _caller: Caller) -> RawAnswer:
        _, status, document = next(self._answers)
        return RawAnswer(status, "application/json", json.dumps(document).encode())

    def close(self) -> None:
        """Nothing is open."""


def _spelt(call: Call, _token: str) -> HttpRequest:
    return encode(call)


def _record_documentation() -> None:
    wire = RecordingWire(_Page(), RecordingRedactor(None, ()))
    steps = (Step("the page's example", 1, VOTE), Step("the page's example of an error", 1, NOTHING_GIVEN))
    for call, _, _ in PUBLISHED:
        wire.send(partial(_spelt, call), Caller.MAIN)
    target = Target(
        name="documentation-2026-03",
        kind="recorded",
        edition="2026-03",
        live=True,
        callers={Caller.MAIN: SecretUrl("https://portal.invalid/rest/1/page/")},
        token=Secret(""),
        sessions={"rateable": PUBLISHED_SESSION},
        not_offered=frozenset(),
        deviations=None,
        portal="the page of the method, edition 2026-03: what it prints",
    )
    plan = plan_document(Workload((), steps, (), ""))
    write_recording(
        FOLDER / target.name,
        Recording(target, wire.text, plan, {}, __version__, datetime.now(UTC)),
        RecordingRedactor(None, ()),
    )


if __name__ == "__main__":
    main()
