"""One live run by plan in bad weather: the whole command, against a portal on the loopback address.

The run is made in a forked process, so that the command is imported once for a thousand runs. The portal's clock and
that of the suite pass at once while the suite waits.
"""

import json
import os
import random
import re
import resource
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from copy import deepcopy
from dataclasses import asdict, dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

import httpx

from conformance import cli, plugin
from conformance.check import judge_clauses
from conformance.portals.php_forms import PortalRequest
from conformance.portals.reference import PortalResponse, Vote
from conformance.portals.server import nobody_listens
from conformance.selfcheck.live_run import VirtualTime, is_read
from conformance.selfcheck.outside import SECRET, TOKEN, faulty, keyed, target_file
from conformance.selfcheck.weather_kinds import FOUND, HOST, KINDS, SLOW_SECONDS, USER, Kind, Storm
from conformance.target import bodies, transports
from conformance.target.client import Surroundings
from conformance.target.restore import RestoringTransport

VOTES: Final = {494: Vote(2, FOUND), 495: Vote(1, "left waiting for an hour by Ivan")}
AIMS: Final = ("reads", "votes", "refusals", "put-back")
WHENS: Final = ("once", "one in five", "for ever", "from the middle")
_LONGEST_REAL_SECONDS: Final = 120.0


@dataclass(frozen=True)
class Cell:
    """A run: the kind of weather, the requests that it is about, and when it blows. No kind is calm weather."""

    kind: str = ""
    aim: str = ""
    when: str = ""
    options: tuple[str, ...] = ()


@dataclass
class Came:
    """What came of a run.

    status: the exit status; None if it did not end.
    output: what it printed.
    files: the content of each file that it wrote.
    votes: the stored votes after it.
    blown: how many requests met the weather.
    counts: how many requests of each aim there were.
    delivered: how often each request before the putting back got the portal's own answer.
    seconds: how long it took by its own clock. real_seconds: by that of this machine.
    megabytes: the most memory that it held.
    twice: requests that reached the portal without the suite's transports.
    """

    status: int | None = None
    output: str = ""
    files: dict[str, str] = field(default_factory=dict)
    votes: dict[int, tuple[int, str | None]] = field(default_factory=dict)
    blown: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    delivered: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    real_seconds: float = 0.0
    megabytes: float = 0.0
    twice: int = 0

    @property
    def report(self) -> dict[str, Any]:
        """Return report.json; nothing if there is none."""
        found: dict[str, Any] = json.loads(self.files.get("report/report.json", "{}"))
        return found


class Sky(httpx.BaseTransport):
    """Decides what becomes of each request, and sends it to the server of the weather.

    calm: how many requests of each aim a run in calm weather sends.
    """

    def __init__(self, cell: Cell, seed: int, calm: dict[str, int], clock: VirtualTime) -> None:
        self.kind: Kind | None = KINDS.get(cell.kind)
        self.cell, self.clock = cell, clock
        self.portal = faulty("2026-03")
        self.portal.votes = deepcopy(VOTES)
        self.honest = keyed(self.portal.answer)
        self.counts: Counter[str] = Counter()
        self.delivered: Counter[str] = Counter()
        self.blown = self.arrived = self.sent = 0
        self.is_putting_back = False
        self.next: tuple[PortalResponse, PortalResponse, bool] | None = None
        self._earlier: dict[str, PortalResponse] = {}
        self._over_at = 0.0
        most = max(1, calm.get(cell.aim, 1))
        self._chosen = random.Random(f"{seed} {cell.kind}").randint(1, most)  # noqa: S311 - a sample
        self._middle = most // 2
        self._network = transports.NetworkTransport()
        self.port = self.closed_port = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        query = request.url.query.decode("ascii")
        asked = PortalRequest(request.method, request.url.path, query, headers, request.read())
        before = deepcopy(self.portal.votes)
        answer = self.honest(asked)
        aim = self._aim(asked, answer)
        self.counts[aim] += 1
        blows = self._blows(aim)
        self.blown += blows
        name = asked.path.rpartition("/")[2]
        earlier = self._earlier.get(name, answer)
        if blows and self.kind is not None and not self.kind.carries_out:
            self.portal.votes = before
        else:
            self._earlier[name] = answer
        if not blows and not self.is_putting_back:
            self.delivered[_shown(asked)] += 1
        refused = blows and self.kind is not None and self.kind.blow is None
        self.next = (answer, earlier, blows)
        self.sent += not refused
        url = request.url.copy_with(host="127.0.0.1", port=self.closed_port if refused else self.port)
        return self._network.handle_request(
            httpx.Request(request.method, url, headers=request.headers, content=asked.body)
        )

    def _aim(self, asked: PortalRequest, answer: PortalResponse) -> str:
        if self.is_putting_back:
            return "put-back"
        if is_read(asked):
            return "reads"
        is_vote = re.search(rb'"result": ?true|<result>1|: ?true', answer.body)
        return "votes" if is_vote else "refusals"

    def _blows(self, aim: str) -> bool:
        if self.kind is None:
            return False
        if self.kind.lasts and self.blown:
            return self.clock.seconds < self._over_at or self._begins_again(aim)
        return self._begins(aim)

    def _begins_again(self, aim: str) -> bool:
        return self.cell.when not in ("once", "one in five") and self.cell.when == "for ever" and self._begins(aim)

    def _begins(self, aim: str) -> bool:
        number = self.counts[aim]
        begins = aim == self.cell.aim and {
            "once": number == self._chosen,
            "one in five": number % 5 == self._chosen % 5,
            "for ever": True,
            "from the middle": number > self._middle,
        }.get(self.cell.when, False)
        if begins and self.kind is not None:
            self._over_at = self.clock.seconds + self.kind.lasts
        return begins


def _shown(asked: PortalRequest) -> str:
    query = re.sub(r"&?bx24_request_id=[^&]*", "", asked.query)
    return repr((asked.method, asked.path, query, asked.body))


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, sky: Sky) -> None:
        self.sky = sky
        super().__init__(("127.0.0.1", 0), _Handler)

    def handle_error(self, *_: Any) -> None:
        """Say nothing: the client may be gone."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # The head and the body are written apart, and the second would wait for the first to be acknowledged.
    disable_nagle_algorithm = True
    server: _Server

    def _answer(self) -> None:
        sky = self.server.sky
        sky.arrived += 1
        self.rfile.read(int(self.headers.get("Content-Length", "0")))
        if sky.next is None:
            return
        answer, earlier, blows = sky.next
        storm = Storm(self, answer, earlier)
        with suppress(OSError):
            if blows and sky.kind is not None and sky.kind.blow is not None:
                sky.kind.blow(storm)
            else:
                storm.write(answer.status, answer.body, answer.content_type)

    do_GET = do_POST = _answer

    def log_message(self, *_: Any) -> None:
        """Write no log."""


@contextmanager
def _served(sky: Sky) -> Iterator[str]:
    server = _Server(sky)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    with nobody_listens() as closed:
        sky.port, sky.closed_port = server.server_address[1], closed
        yield f"http://{HOST}:{sky.port}"
    server.shutdown()


def run_here(cell: Cell, folder: Path, seed: int, calm: dict[str, int]) -> Came:
    """Run the command in this process, in that folder. For a forked process: it changes the suite's limits of time."""
    os.chdir(folder)
    os.environ |= {"B24_SECRET": SECRET, "B24_TOKEN": TOKEN}
    clock = VirtualTime()
    sky = Sky(cell, seed, calm, clock)
    transports.TIMEOUT_SECONDS = SLOW_SECONDS  # type: ignore[misc]
    bodies.LONGEST_SECONDS = 2 * SLOW_SECONDS  # type: ignore[misc]
    put_back = RestoringTransport.put_back

    def noted(self: RestoringTransport) -> Any:
        sky.is_putting_back = True
        return put_back(self)

    RestoringTransport.put_back = noted  # type: ignore[method-assign]
    surroundings = Surroundings(lambda _ca_file: sky, clock.clock)
    vars(plugin)["judge_clauses"] = partial(judge_clauses, surroundings=surroundings)
    came = Came()
    started = time.monotonic()
    with _served(sky) as base, (folder / "output.txt").open("w", encoding="utf-8") as output:
        for stream in (1, 2):
            os.dup2(output.fileno(), stream)
        # A pytest around this process has put objects of its own in their place.
        sys.stdout = sys.stderr = output
        target_file(folder, base, "2026-03", live=True, user=USER, more="[limit]\nburst = 1000")
        line = ["run", "--target=target.toml", "--report-dir=report", "--seed=1", "--yes", *cell.options]
        try:
            cli.main(line)
        except SystemExit as ended:
            came.status = ended.code if isinstance(ended.code, int) else -1
        sys.stdout.flush()
        sys.stderr.flush()
    came.real_seconds = time.monotonic() - started
    came.seconds = clock.seconds + came.real_seconds
    came.votes = {number: (vote.rating, vote.comment) for number, vote in sky.portal.votes.items()}
    came.blown, came.counts, came.delivered = sky.blown, dict(sky.counts), dict(sky.delivered)
    came.twice = sky.arrived - sky.sent
    came.megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return came


def _write(cell: Cell, folder: Path, seed: int, calm: dict[str, int]) -> None:
    came = run_here(cell, folder, seed, calm)
    (folder / "came.json").write_text(json.dumps(asdict(came)), "utf-8")
    os._exit(0)


def run_cell(cell: Cell, folder: Path, seed: int, calm: dict[str, int]) -> Came:
    """Run the command in a process of its own and return what came of it."""
    folder.mkdir()
    process = get_context("fork").Process(target=_write, args=(cell, folder, seed, calm))
    process.start()
    process.join(_LONGEST_REAL_SECONDS)
    if process.is_alive():
        process.kill()
        process.join()
    written = folder / "came.json"
    came = Came()
    if written.exists():
        came = Came(**json.loads(written.read_text("utf-8")))
        came.votes = {int(number): (vote[0], vote[1]) for number, vote in came.votes.items()}
    came.output = (folder / "output.txt").read_text("utf-8", "replace") if (folder / "output.txt").exists() else ""
    own = ("target.toml", "output.txt", "came.json")
    came.files = {
        str(path.relative_to(folder)): path.read_text("utf-8", "backslashreplace")
        for path in folder.rglob("*")
        if path.is_file() and str(path.relative_to(folder)) not in own
    }
    return came
