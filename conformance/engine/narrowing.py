"""Narrows a known deviation: finds the classes that tell the calls that deviated from those that held."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Final

from conformance.contract.classes import STARS

Classes = tuple[tuple[str, str], ...]
"""The class of each parameter of a call, in the order of the parameters."""
Where = dict[str, frozenset[str]]

_PARAMETERS: Final = ("answer", "rating", "comment", "session")
"""The order in which parameters are tried: of a client library most violations are about the answer."""
_ORDINARY: Final = frozenset({"true", *STARS, "plain", "absent", "rateable"})
"""Classes that nearly every call has. They are the cause of a violation only if nothing else can be."""


def narrow(deviated: Collection[Classes], held: Collection[Classes]) -> list[Where]:
    """Return conditions that cover each call that deviated. They name as few parameters as they can.

    No condition covers a call that held, unless a call of the same classes deviated: then classes do not tell why.
    """
    calls, held_calls = list(map(dict, dict.fromkeys(deviated))), list(map(dict, {*held} - {*deviated}))
    names = [name for name in _PARAMETERS if calls and name in calls[0]]
    chosen: list[tuple[tuple[str, ...], set[tuple[str, ...]]]] = []
    left = calls
    for is_telling in (True, False):
        for size in range(1, len(names) + 1):
            chosen += _of_size(size, names, left, held_calls, is_telling)
            left = [call for call in calls if not any(_values(call, some) in values for some, values in chosen)]
    for one in reversed(chosen):
        others = [other for other in chosen if other is not one]
        if all(any(_values(call, some) in values for some, values in others) for call in calls):
            chosen = others
    return [where for some, values in chosen for where in _boxes(some, values)]


def _of_size(
    size: int, names: Sequence[str], left: list[dict[str, str]], held: list[dict[str, str]], is_telling: bool
) -> Iterator[tuple[tuple[str, ...], set[tuple[str, ...]]]]:
    """Yield so many parameters each time, with the values of them that no call has that held.

    is_telling: True for values that are not all ordinary.
    """
    while left:
        found = []
        for some in combinations(names, size):
            values = {_values(call, some) for call in left} - {_values(call, some) for call in held}
            if is_telling:
                values = {value for value in values if not _ORDINARY.issuperset(value)}
            covered = sum(_values(call, some) in values for call in left)
            # Of those that cover everything, the narrowest is the one with the most values.
            found.append((covered == len(left), len(values) if covered == len(left) else covered, some, values))
        *_, some, values = max(found, key=lambda one: one[:2])
        if not values:
            return
        yield some, values
        left = [call for call in left if _values(call, some) not in values]


def _values(call: Mapping[str, str], names: Sequence[str]) -> tuple[str, ...]:
    return tuple(call[name] for name in names)


def _boxes(names: Sequence[str], values: Collection[tuple[str, ...]]) -> list[Where]:
    """Return conditions for exactly these values: those that differ in one parameter become one."""
    boxes = [{name: frozenset({value}) for name, value in zip(names, one, strict=True)} for one in sorted(values)]
    for name in names:
        merged: dict[tuple[frozenset[str], ...], frozenset[str]] = {}
        for box in boxes:
            key = tuple(box[other] for other in names if other != name)
            merged[key] = merged.get(key, frozenset()) | box[name]
        boxes = [
            dict(zip([other for other in names if other != name], key, strict=True)) | {name: united}
            for key, united in merged.items()
        ]
    return boxes
