"""Compare two runs: clauses, observations and, for records, the answers themselves.

Times, texts of descriptions and drawn values are never compared.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any, Final

from conformance.errors import UserError
from conformance.exchange.call import Json
from conformance.exchange.response import NO_JSON, Response
from conformance.exchange.violation import printable
from conformance.reporting.markdown import code
from conformance.reporting.read import EXERCISED, FAILING, Report, name_of, time_of

GRADES: Final = ("note", "warning", "failure")
"""From what is only shown to what makes the comparison fail."""
NEVER: Final = "never"
_NEVER_COMPARED: Final = ("time", "error_description", "result_time")
_LONGEST: Final = 120
_LONGEST_LINE: Final = 500
_MOST_PLACES: Final = 20
KINDS: Final[dict[str, str]] = {
    "introduced": "fails now",
    "lost": "no longer exercised",
    "answer": "answered otherwise",
    "observation": "observed otherwise",
    "status": "judged otherwise",
    "still": "still fails",
    "resolved": "fails no longer",
    "added": "not a clause before",
    "vanished": "not a clause any more",
}
"""The kinds of changes in the order in which they are shown."""


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that is not as it was.

    where: a clause, a label of it, or a request.
    before, after: the status or the answer on each side.
    """

    kind: str
    grade: str
    where: str
    before: str
    after: str


def compare(before: Report, after: Report, forced: bool) -> tuple[Change, ...]:
    """Return what changed from one report to another. Raise UserError if they cannot be compared.

    forced: True to compare runs of different editions, kinds or levels too.
    """
    if not forced:
        _must_be_comparable(before, after)
    old, new = ({clause["id"]: clause for clause in report["clauses"]} for report in (before, after))
    changes = [change for name in {**old, **new} for change in _of_clause(name, old.get(name), new.get(name))]
    return in_order(changes)


def in_order(changes: list[Change]) -> tuple[Change, ...]:
    """Return the changes by kind, in each kind as they were found."""
    return tuple(sorted(changes, key=lambda change: list(KINDS).index(change.kind)))


def has_got_worse(changes: tuple[Change, ...], fail_on: str) -> bool:
    """Return True if there is a change of this grade or a graver one.

    `never` is about the exit status alone: then a failure is worse.
    """
    lowest = GRADES.index("failure" if fail_on == NEVER else fail_on)
    return any(GRADES.index(change.grade) >= lowest for change in changes)


def _must_be_comparable(before: Report, after: Report) -> None:
    for what, of in _COMPARABLE.items():
        one, other = of(before), of(after)
        if one != other:
            raise UserError(f"not comparable: {what} {one} and {other}: --force compares them all the same")


_COMPARABLE: Final[dict[str, Callable[[Report], str]]] = {
    "editions": lambda report: str(report["edition"]),
    "runs of kinds": lambda report: "client" if report["client"] else "portal",
    "runs of levels": lambda report: str(report["level"]),
}


def _of_clause(name: str, before: dict[str, Any] | None, after: dict[str, Any] | None) -> Iterator[Change]:
    if before is None or after is None:
        known = before or after or {}
        failing = after is not None and after["status"] in FAILING
        kind = "introduced" if failing else "vanished" if after is None else "added"
        grade = "failure" if failing else "note"
        said = ("-", known["status"]) if before is None else (known["status"], "-")
        yield Change(kind, grade, name, *said)
        return
    old, new = before["status"], after["status"]
    failed, fails = old in FAILING, new in FAILING
    if failed and fails:
        yield Change("still", "note", name, old, new)
    elif fails:
        yield Change("introduced", "failure", name, old, new)
    elif failed:
        yield Change("resolved", "note", name, old, new)
    elif old in EXERCISED and new == "not-exercised":
        yield Change("lost", "failure", name, old, new)
    elif old != new:
        yield Change("status", "warning" if new == "known-deviation" else "note", name, old, new)
    if old in EXERCISED and new in EXERCISED:
        for label in {**before["observed"], **after["observed"]}:
            seen, sees = before["observed"].get(label, "-"), after["observed"].get(label, "-")
            if seen != sees:
                yield Change("observation", "warning", f"{name}: {label}", seen, sees)


def compare_answers(before: Response, after: Response) -> Iterator[Change]:
    """Yield what changed in the answer to one request.

    A new field is a note, another value or code a warning, another type or outcome a failure.
    """
    if type(before.outcome) is not type(after.outcome):
        yield Change("answer", "failure", "outcome", str(before.outcome), str(after.outcome))
    if before.status != after.status:
        yield Change("answer", "warning", "status", str(before.status), str(after.status))
    old, new = (dict(_leaves({} if answer.item is NO_JSON else answer.item, ())) for answer in (before, after))
    for path in {**old, **new}:
        place = "/".join(path) or "the body"
        if path not in old:
            yield Change("answer", "note", place, "-", _shown(new[path]))
        elif path not in new:
            yield Change("answer", "warning", place, _shown(old[path]), "-")
        elif type(old[path]) is not type(new[path]):
            yield Change("answer", "failure", place, _shown(old[path]), _shown(new[path]))
        elif old[path] != new[path]:
            yield Change("answer", "warning", place, _shown(old[path]), _shown(new[path]))


def _leaves(value: Json, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Json]]:
    if isinstance(value, dict | list) and value:
        entries = value.items() if isinstance(value, dict) else enumerate(value)
        for key, entry in entries:
            if key not in _NEVER_COMPARED:
                yield from _leaves(entry, (*path, str(key)))
    else:
        yield path, value


def _shown(value: Json) -> str:
    return printable(json.dumps(value, ensure_ascii=False), _LONGEST)


def diff_text(before: Report, after: Report, changes: tuple[Change, ...]) -> str:
    """Return the comparison as a person reads it on a terminal."""
    sides = (printable(f"{name_of(side)}, {time_of(side)}", _LONGEST) for side in (before, after))
    lines = ["  ->  ".join(sides)]
    for kind, title in KINDS.items():
        found = [change for change in changes if change.kind == kind]
        if found:
            lines += ["", title]
            lines += [f"  {change.grade:8} {printable(_line(change), _LONGEST_LINE)}" for change in found]
    return "\n".join(lines if changes else [*lines, "", "nothing changed"])


def _line(change: Change) -> str:
    return f"{change.where}: {change.before}  ->  {change.after}"


def diff_markdown(before: Report, after: Report, changes: tuple[Change, ...]) -> str:
    """Return the comparison as a table for a comment on a pull request."""
    sides = (f"{code(name_of(side), _LONGEST)} {code(time_of(side), _LONGEST)}" for side in (before, after))
    lines = [f"### {' → '.join(sides)}", ""]
    if not changes:
        return "\n".join([*lines, "nothing changed"])
    lines += ["| | | before | after |", "|---|---|---|---|"]
    for change in changes:
        said = " | ".join(code(text, _LONGEST) for text in (change.where, change.before, change.after))
        lines.append(f"| {change.grade}: {KINDS[change.kind]} | {said} |")
    return "\n".join(lines)


def since_markdown(before: Report, after: Report) -> str:
    """Return what changed since the run before, in a few lines of Markdown; the empty text where they do not compare.

    A clause that one of them left out says nothing.
    """
    if before["target"]["name"] != after["target"]["name"] or any(
        of(before) != of(after) for of in _COMPARABLE.values()
    ):
        return ""
    changes = [
        one
        for one in compare(before, after, forced=True)
        if one.kind != "still" and "not-selected" not in (one.before, one.after)
    ]
    lines = [f"### Since the run of {code(time_of(before), _LONGEST)}", ""]
    for kind, title in KINDS.items():
        places = [code(change.where, _LONGEST) for change in changes if change.kind == kind]
        more = f" and {len(places) - _MOST_PLACES} more" if len(places) > _MOST_PLACES else ""
        lines += [f"- {title}: {', '.join(places[:_MOST_PLACES])}{more}"] if places else []
    return "\n".join(lines if changes else [*lines, "nothing changed"]) + "\n\n"


def diff_document(changes: tuple[Change, ...], fail_on: str) -> dict[str, Any]:
    """Return the comparison as a JSON object."""
    return {"worse": has_got_worse(changes, fail_on), "fail_on": fail_on, "changes": [asdict(one) for one in changes]}
