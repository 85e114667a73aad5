"""Makes the records that ship with the project: `python -m conformance.selfcheck.shipped`.

The reference portal is recorded over HTTP in both editions, by the command that users have. The record of the
documentation holds the two exchanges that the page of 2026-03 prints (commit 5988ed13): its numbers, names and codes.
The suffix `.json`, which is optional, is left out, and the description is in our own words.
"""

import json
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import httpx

from conformance import __version__
from conformance.contract.clauses import edition_names, load_edition
from conformance.engine.plan_file import plan_document
from conformance.engine.session import Step
from conformance.engine.workload import Workload
from conformance.exchange.call import NOTHING, Call, Caller, ClassifiedValue
from conformance.loading import shipped_recordings
from conformance.portals.reference import SECOND_SECRET, SECRET, SESSIONS, TOKEN, UNSCOPED_SECRET, ReferencePortal
from conformance.portals.server import serving
from conformance.target.cassette import RecordingTransport
from conformance.target.client import Portal
from conformance.target.recording import Recording, write_recording
from conformance.target.redact import Redactor
from conformance.target.secrets import Secret, SecretUrl
from conformance.target.target import Target

FOLDER: Final = shipped_recordings()
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
    """Write the folders under `cassettes`."""
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
        subprocess.run([*line, "--report-dir", folder], check=True, cwd=FOLDER.parent)


def _record_documentation() -> None:
    answers = iter(PUBLISHED)

    def answer(_request: httpx.Request) -> httpx.Response:
        _, status, document = next(answers)
        body = json.dumps(document).encode()
        return httpx.Response(status, headers={"Content-Type": "application/json"}, content=body)

    recording = RecordingTransport(httpx.MockTransport(answer))
    steps = (Step("the page's example", 1, VOTE), Step("the page's example of an error", 1, NOTHING_GIVEN))
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
    portal = Portal(target, recording)
    for call, _, _ in PUBLISHED:
        portal.send(call)
    plan = plan_document(Workload((), steps, (), ""))
    record = Recording(target, recording.text, plan, {}, __version__, datetime.now(UTC))
    write_recording(FOLDER / target.name, record, Redactor())


if __name__ == "__main__":
    main()
