"""Compare a state of the documentation with an edition: section by section, and the tables row by row."""

import difflib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import PurePosixPath
from typing import Final

from conformance.contract.clauses import Edition, Section
from conformance.documentation.checkout import State
from conformance.documentation.page import PageSection, codes_of, parameters_of, read_page
from conformance.errors import UserError
from conformance.exchange.call import METHOD

_METHOD_SECTION: Final = "method"
"""The section at the top of the method's page. Every edition has it."""
_MOST_PAGES: Final = 40
"""A heading that stands on more pages says nothing about where a section went."""

Pages = Callable[[str], tuple[PageSection, ...] | None]
"""The sections of the page at a path; None if there is no such page."""


class SectionState(StrEnum):
    """What became of a section."""

    UNCHANGED = "unchanged"
    CHANGED = "changed"
    MOVED = "moved"
    VANISHED = "vanished"
    LATER = "not written yet"


@dataclass(frozen=True, slots=True)
class SectionResult:
    """A section of an edition in a state of the documentation.

    note: where it is now, or what is in its place; empty if there is nothing to say.
    differs: True if the edition and the documentation do not agree on it.
    clauses: the ids of the clauses that rest on it.
    """

    section: Section
    state: SectionState
    note: str
    differs: bool
    clauses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """An edition beside a state of the documentation.

    sections: one result for each section of the edition.
    rows: one line for each difference of the parameter table and of the tables of codes.
    """

    edition: str
    state: str
    sections: tuple[SectionResult, ...]
    rows: tuple[str, ...]

    @property
    def has_changed(self) -> bool:
        """Return True if the edition does not say any more what the documentation says."""
        return bool(self.rows) or any(result.differs for result in self.sections)


def compare(edition: Edition, state: State) -> Comparison:
    """Compare an edition with a state. Raise UserError if the state is not one of this documentation."""

    @cache
    def page(path: str) -> tuple[PageSection, ...] | None:
        text = state.read(path)
        return None if text is None else read_page(text)

    if not any(page(section.path) for section in edition.sections.values()):
        raise UserError(
            f"{state.name}: no checkout of the documentation: no page of edition {edition.name} with a heading"
        )
    results = []
    for section in edition.sections.values():
        found, note = _find(section, edition, state, page)
        # A section that is cited from a later commit than the rest of the edition may be missing here.
        is_expected = found is SectionState.LATER and section.commit != edition.sections[_METHOD_SECTION].commit
        clauses = tuple(name for name, clause in edition.all_clauses.items() if section in clause.sources)
        differs = found is not SectionState.UNCHANGED and not is_expected
        results.append(SectionResult(section, found, note, differs, clauses))
    rows = (*_method_rows(edition, state, page), *_system_rows(edition, page))
    return Comparison(edition.name, state.name, tuple(results), rows)


def hash_of(section: Section, state: State) -> str | None:
    """Return the hash of a section in a state; None if it is not there."""
    found = [entry for entry in read_page(state.read(section.path) or "") if entry.heading == section.heading]
    return found[0].hash if found else None


def _find(section: Section, edition: Edition, state: State, page: Pages) -> tuple[SectionState, str]:
    """Return what became of a section, and a note."""
    there = page(section.path)
    named = [entry for entry in there or () if entry.heading == section.heading]
    if any(entry.hash == section.hash for entry in named):
        return SectionState.UNCHANGED, ""
    if named:
        return SectionState.CHANGED, ""
    if renamed := [entry for entry in there or () if entry.text and entry.hash == section.hash]:
        return SectionState.MOVED, f"the heading is now {renamed[0].heading!r}"
    if moved := _find_elsewhere(section, state, page):
        return SectionState.MOVED, moved
    if state.is_before(section.commit):
        return SectionState.LATER, _in_its_place(section, edition, there)
    return SectionState.VANISHED, _in_its_place(section, edition, there)


def _in_its_place(section: Section, edition: Edition, there: tuple[PageSection, ...] | None) -> str:
    """Return in words that the page is missing, or the heading that is most like the missing one."""
    if there is None:
        return "there is no such page"
    own = {entry.heading for entry in edition.sections.values() if entry.path == section.path}
    close = difflib.get_close_matches(
        section.heading, [entry.heading for entry in there if entry.heading not in own], 1
    )
    return f"the page has the heading {close[0]!r}" if close else "the page has no such heading"


def _find_elsewhere(section: Section, state: State, page: Pages) -> str:
    """Return the page on which a section stands now, in words; the empty text if it is on no other page."""
    file = PurePosixPath(section.path).name
    holding = state.pages_with(section.heading)
    same_file = [path for path in holding if PurePosixPath(path).name == file]
    others = holding if len(holding) <= _MOST_PAGES else same_file
    entries = [(path, entry) for path in others for entry in page(path) or () if entry.heading == section.heading]
    for path, entry in entries:
        if entry.text and entry.hash == section.hash:
            return f"it is on {path}"
    return next((f"it is on {path}, and changed" for path, _ in entries if path in same_file), "")


def _method_rows(edition: Edition, state: State, page: Pages) -> Iterator[str]:
    """Yield the differences of the tables on the method's page. Raise UserError if it is the page of something else."""
    path = edition.sections[_METHOD_SECTION].path
    if page(path) is None:
        name = PurePosixPath(path).name
        path = next((other for other in state.pages_with(METHOD) if PurePosixPath(other).name == name), path)
    sections = page(path)
    if sections is None:
        return
    if not any(METHOD in entry.heading or METHOD in entry.text for entry in sections):
        raise UserError(f"{path}: not the page of {METHOD}: no heading and no text names the method")
    parameters = parameters_of(sections)
    if parameters is None:
        yield "the page of the method has no table of parameters"
    else:
        yield from _new_and_gone("parameter", edition.parameters, parameters)
        for name, row in edition.parameters.items():
            now = parameters.get(name, row)
            if now.type != row.type:
                yield f"parameter {name}: the type is {now.type}, in the edition {row.type}"
            if now.required != row.required:
                yield f"parameter {name}: {'is now' if now.required else 'is no longer'} marked as required"
    codes = codes_of(sections)
    if codes is None:
        yield "the page of the method has no table of codes"
        return
    yield from _new_and_gone("code", dict.fromkeys(sorted(edition.method_codes)), codes)
    for code, statuses in codes.items():
        if not statuses <= edition.method_statuses:
            yield f"code {code}: the status is {_shown(statuses)}, which the edition does not have"


def _system_rows(edition: Edition, page: Pages) -> Iterator[str]:
    """Yield the differences of the system error table, in each section that has a table of codes."""
    for section in {entry.section.id: entry.section for entry in edition.system_table.values()}.values():
        codes = codes_of(entry for entry in page(section.path) or () if entry.heading == section.heading)
        if codes is None:
            continue
        known = {code: entry.status for code, entry in edition.system_table.items() if entry.section == section}
        yield from _new_and_gone("system code", known, codes)
        for code, statuses in codes.items():
            if code in known and statuses and statuses != {known[code]}:
                yield f"system code {code}: the status is {_shown(statuses)}, in the edition {known[code]}"


def _new_and_gone(kind: str, before: Mapping[str, object], now: Mapping[str, object]) -> Iterator[str]:
    yield from (f"{kind} {name} is new" for name in now if name not in before)
    yield from (f"{kind} {name} is gone" for name in before if name not in now)


def _shown(statuses: frozenset[int]) -> str:
    return " or ".join(map(str, sorted(statuses)))
