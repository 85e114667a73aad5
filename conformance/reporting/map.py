"""The map of a report as paths of an SVG: a field for each SESSION_ID and RATING, in it a square for each COMMENT."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

from conformance.engine.outcome_map import CELLS
from conformance.reporting.read import Report

_ACROSS: Final = 6
"""Squares in one line of a field."""
_LEFT, _TOP, _GAP = 26, 24, 1
_NAMES: Final = {letter: "unsent" if letter == "." else letter for letter in CELLS if letter != " "}
_WRONG: Final = "ARo"


@dataclass(frozen=True, slots=True)
class Label:
    """The name of a class, and its place on the axis."""

    text: str
    at: float


@dataclass(frozen=True, slots=True)
class DrawnMap:
    """The map of one encoding as it is drawn.

    paths: by the class of the style, the squares of one outcome.
    words: the same map in one sentence.
    wrong: each pair of SESSION_ID and RATING with an answer that is not as permitted, with the classes of COMMENT.
    """

    title: str
    left: int
    top: int
    width: int
    height: int
    rows: tuple[Label, ...]
    columns: tuple[Label, ...]
    paths: Mapping[str, str]
    words: str
    wrong: tuple[str, ...]


def legend(report: Report) -> list[tuple[str, str]]:
    """Return the outcomes that the maps of a report show, each with the class of the style."""
    met = {
        letter for entry in report["coverage"]["maps"] for lines in entry["cells"] for line in lines for letter in line
    }
    return [(f"cell-{name}", CELLS[letter]) for letter, name in _NAMES.items() if letter in met]


def drawn(report: Report) -> list[DrawnMap]:
    """Return the maps of a report as they are drawn."""
    return [_drawn(entry) for entry in report["coverage"]["maps"]]


def _drawn(entry: Mapping[str, Any]) -> DrawnMap:
    wide, high = _ACROSS + _GAP, -(-len(entry["comments"]) // _ACROSS) + _GAP
    paths: dict[str, list[str]] = {}
    numbers: dict[str, int] = {}
    for row, lines in enumerate(entry["cells"]):
        for column in range(len(entry["ratings"])):
            letters = [line[column] for line in lines]
            for letter in letters:
                numbers[letter] = numbers.get(letter, 0) + 1
            for x, y, length, letter in _runs(letters):
                left, top = _LEFT + column * wide + x, _TOP + row * high + y
                paths.setdefault(letter, []).append(f"M{left} {top}h{length}v1h-{length}")
    shown = [f"{number} {CELLS[letter]}" for letter in CELLS if letter in _NAMES and (number := numbers.get(letter, 0))]
    return DrawnMap(
        title=entry["encoding"],
        left=_LEFT,
        top=_TOP,
        width=_LEFT + wide * len(entry["ratings"]) + 14,
        height=_TOP + high * len(entry["sessions"]),
        rows=tuple(Label(name, _TOP + at * high + 2.7) for at, name in enumerate(entry["sessions"])),
        columns=tuple(Label(name, _LEFT + at * wide + 4) for at, name in enumerate(entry["ratings"])),
        paths={f"cell-{name}": "".join(paths[letter]) for letter, name in _NAMES.items() if letter in paths},
        words="; ".join(shown),
        wrong=tuple(_wrong(entry)),
    )


def _runs(letters: list[str]) -> Iterator[tuple[int, int, int, str]]:
    """Yield the place, length and letter of neighbours that are alike, line by line."""
    for start in range(0, len(letters), _ACROSS):
        x = 0
        for letter, run in groupby(letters[start : start + _ACROSS]):
            length = len(list(run))
            if letter != " ":
                yield x, start // _ACROSS, length, letter
            x += length


def _wrong(entry: Mapping[str, Any]) -> Iterator[str]:
    for session, lines in zip(entry["sessions"], entry["cells"], strict=True):
        for column, rating in enumerate(entry["ratings"]):
            for letter in _WRONG:
                comments = [name for name, line in zip(entry["comments"], lines, strict=True) if line[column] == letter]
                if comments:
                    yield f"SESSION_ID {session}, RATING {rating}, COMMENT {', '.join(comments)}: {CELLS[letter]}"
