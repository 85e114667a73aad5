"""The matrix of bad weather: `python -m conformance.selfcheck.weather` runs it and prints it.

Each cell is a live run by plan in one kind of weather, which meets reads, votes, refusals, or the putting back of the
votes, once, at one in five, for ever, or from the middle on. In every cell the promises of `broken_promises` must hold.
"""

import argparse
import json
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from conformance.portals import reference
from conformance.selfcheck.outside import SECRET, TOKEN
from conformance.selfcheck.weather_cell import AIMS, VOTES, WHENS, Came, Cell, run_cell
from conformance.selfcheck.weather_kinds import FOUND, HOST, KINDS, USER

LONGEST_SECONDS: Final = 1_800.0
MOST_MEGABYTES: Final = 300.0
_PRIVATE: Final = (
    *(SECRET, TOKEN, reference.SECOND_SECRET, reference.UNSCOPED_SECRET, HOST, str(USER), FOUND),
    *("Ivan", "Иван", "Петров", "555 0100", "/home/bitrix"),
)
_FAULTS: Final = ("Traceback", "INTERNALERROR", "the suite itself failed", "internal error")
_LETTERS: Final = {
    "conformant": "=",
    "conformant-with-deviations": "=",
    "incomplete": "i",
    "not-conformant": "x",
    "deviations-outdated": "x",
}
_LEGEND: Final = """= conformant, and what was asked again is noted; i incomplete; x not conformant;
2 cannot run, with the cause; n after one of these: a vote is named as not put back;
. no request met the weather; ! a promise is broken"""


def broken_promises(cell: Cell, came: Came, calm: Came) -> Iterator[str]:
    """Yield each promise that a run in bad weather did not keep.

    came: what came of the cell.
    calm: what came of the same run in calm weather.
    """
    if came.status is None:
        yield "it did not end"
        return
    last = "\n".join(came.output.strip().splitlines()[-3:])
    for session, vote in VOTES.items():
        is_back = came.votes.get(session) == (vote.rating, vote.comment)
        is_named = re.search(rf"NOT PUT BACK: .*session {session} (had rating {vote.rating}|got a vote)", last)
        if not is_back and not is_named:
            yield f"the vote of session {session} is neither back nor named"
        if is_named and came.status == 0:
            yield f"a vote is named as lost, and the exit status is {came.status}"
    for name, text in {"the output": came.output, **came.files}.items():
        for private in _PRIVATE:
            if private in text or json.dumps(private)[1:-1] in text:
                yield f"{private!r} stands in {name}"
    yield from (f"{fault!r} stands in the output" for fault in _FAULTS if fault in came.output)
    if came.seconds > LONGEST_SECONDS:
        yield f"it took {came.seconds:.0f} s"
    if came.megabytes > MOST_MEGABYTES:
        yield f"it took {came.megabytes:.0f} MB"
    if came.twice > 0:
        yield f"{came.twice} requests were sent again in silence"
    if came.status == 2 and "cannot run: " not in came.output:
        yield "the exit status is 2, and no line says why"
    # Whatever comes while votes are put back, a read-back shows if they are back.
    if cell.aim != "put-back" and not (cell.kind and KINDS[cell.kind].may_look_right):
        yield from _silence(came, calm)


def _silence(came: Came, calm: Came) -> Iterator[str]:
    if not came.blown:
        return
    missing = Counter(calm.delivered) - Counter(came.delivered)
    clauses = came.report.get("clauses", ())
    written_down = _observations(came) - _observations(calm)
    if written_down and missing.total() <= len(written_down):
        # Where the pages are silent, what came is written down as it is.
        return
    if came.status == 0 and missing and not any(clause.get("lost") for clause in clauses):
        yield f"{missing.total()} calls got no answer of the portal, and the run says nothing of it"
    told = any(word in came.output for word in ("asked once more", "waiting", "cannot", "not answered", "NOT PUT BACK"))
    if came.status == 0 and not told:
        yield f"{came.blown} requests met the weather, and the output says nothing of it"


def _observations(came: Came) -> set[tuple[str, str]]:
    return {item for clause in came.report.get("clauses", ()) for item in clause["observed"].items()}


def letter_of(came: Came) -> str:
    """Return how a run ended, as a letter of the matrix."""
    ended = "2" if came.status == 2 else _LETTERS.get(came.report.get("verdict", ""), "?")
    return ended + ("n" if "NOT PUT BACK" in came.output else "")


def all_cells() -> list[Cell]:
    """Return every cell; each second one records, each third one writes a log of everything."""
    cells: list[Cell] = []
    for number, (kind, aim, when) in enumerate((kind, aim, when) for kind in KINDS for aim in AIMS for when in WHENS):
        options: tuple[str, ...] = ("--record-mode=rewrite",) if number % 2 else ()
        options += ("--log-file=report/log.txt", "--log-file-level=DEBUG") if number % 3 == 0 else ()
        cells.append(Cell(kind, aim, when, options))
    return cells


def main() -> None:
    """Run the cells, print the matrix, then every broken promise."""
    parser = argparse.ArgumentParser(description="Run the matrix of bad weather")
    parser.add_argument("--kind", action="append", choices=KINDS, help="only this kind")
    parser.add_argument("--aim", action="append", choices=AIMS, help="only these requests")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="a folder for what each run writes")
    given = parser.parse_args()
    kinds, aims = given.kind or list(KINDS), given.aim or list(AIMS)
    cells = [cell for cell in all_cells() if cell.kind in kinds and cell.aim in aims]
    count = 0
    longest = largest = 0.0
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch) if given.keep is None else given.keep
        place.mkdir(parents=True, exist_ok=True)
        calm = run_cell(Cell(), place / "calm", given.seed, {})
        print(f"calm: {calm.report['verdict']}, {calm.counts}", flush=True)
        print(f"{'':30} " + " ".join(f"{aim:15}" for aim in aims))
        for kind in kinds:
            row = [cell for cell in cells if cell.kind == kind]
            ran = [run_cell(cell, place / f"{kind} {cell.aim} {cell.when}", given.seed, calm.counts) for cell in row]
            broken = [list(broken_promises(cell, came, calm)) for cell, came in zip(row, ran, strict=True)]
            letters = [
                ("!" if bad else "") + (letter_of(came) if came.blown else ".")
                for came, bad in zip(ran, broken, strict=True)
            ]
            print(f"{kind:30} " + " ".join(f"{letter:3}" for letter in letters), flush=True)
            for cell, bad in zip(row, broken, strict=True):
                print("".join(f"  {cell.aim}, {cell.when}: {one}\n" for one in bad), end="", flush=True)
            count += sum(map(len, broken))
            longest = max(longest, *(came.seconds for came in ran))
            largest = max(largest, *(came.megabytes for came in ran))
    print(_LEGEND)
    print(f"{len(cells)} cells, {count} broken promises, longest {longest:.0f} s, largest {largest:.0f} MB")
    sys.exit(bool(count))


if __name__ == "__main__":
    main()
