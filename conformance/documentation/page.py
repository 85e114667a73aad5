"""Read a page of the documentation: its sections and its tables. The pages are Markdown with the marks of YFM.

YFM adds directives `{% ... %}`, attributes `{#anchor}` and `{.class}`, and tables between `#|` and `|#` with rows
`|| cell | cell ||`.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.token import Token

# A line of dashes below a text makes no heading: these pages have such lines in cells and in front matter.
_MARKDOWN: Final = MarkdownIt("commonmark").disable("lheading")
_INCLUDE: Final = re.compile(r"\{%\s*include\s+(?:notitle\s+)?\[[^\]]*\]\((?:[^)]*/)?([^)/]*)\)\s*%\}")
_DIRECTIVE: Final = re.compile(r"\{%.*?%\}", re.DOTALL)
_ATTRIBUTE: Final = re.compile(r"\{[#.][^{}]*\}")
_TAG: Final = re.compile(r"<!--.*?-->|<[^>]*>", re.DOTALL)
_TABLE: Final = re.compile(r"^#\|(.*?)^\|#", re.DOTALL | re.MULTILINE)
_TABLE_MARK: Final = re.compile(r"#\||\|#|\|")
_CODE_SPAN: Final = re.compile(r"`[^`\n]*`")
_PARAMETER: Final = re.compile(r"(?P<name>[^\s*]+)\s*(?P<mark>\**)\s*(?P<type>.*)")
_NUMBER: Final = re.compile(r"\b[1-5][0-9]{2}\b")
_HASH_DIGITS: Final = 16

Table = tuple[tuple[str, ...], ...]
"""Rows of cells, each the plain text of its cell. The first row holds the titles of the columns."""


@dataclass(frozen=True, slots=True)
class PageSection:
    """A part of a page, from its heading to the next heading of any level.

    heading: its plain text.
    text: the plain text of the content, with one blank between words.
    tables: the tables in YFM's format.
    """

    heading: str
    text: str
    tables: tuple[Table, ...]

    @property
    def hash(self) -> str:
        """Return the hash of the content. White space and mark-up do not change it."""
        return hashlib.sha256(self.text.encode()).hexdigest()[:_HASH_DIGITS]


@dataclass(frozen=True, slots=True)
class ParameterRow:
    """A row of a parameter table: the type as it is named, and True if the name is marked as required."""

    type: str
    required: bool


def read_page(text: str) -> tuple[PageSection, ...]:
    """Return the sections of a page in order. What stands above the first heading belongs to none."""
    text = _DIRECTIVE.sub("", _INCLUDE.sub(r"include \1", text))
    lines = text.splitlines(keepends=True)
    tokens = _MARKDOWN.parse(text)
    places = [place for place, token in enumerate(tokens) if token.type == "heading_open"]
    sections = []
    for place, end in pairwise([*places, len(tokens)]):
        first = (tokens[place].map or [0, 0])[1]
        last = (tokens[end].map or [0, 0])[0] if end < len(tokens) else len(lines)
        content = " ".join(_words(tokens[place + 3 : end]))
        tables = tuple(_tables("".join(lines[first:last])))
        sections.append(PageSection(_plain(tokens[place + 1]), content, tables))
    return tuple(sections)


def parameters_of(sections: Iterable[PageSection]) -> dict[str, ParameterRow] | None:
    """Return the first parameter table by name; None if there is no such table."""
    for table in _all_tables(sections):
        if table[0] and table[0][0].startswith("Name"):
            rows = [found for row in table[1:] if row and (found := _PARAMETER.fullmatch(row[0]))]
            return {row["name"]: ParameterRow(row["type"], bool(row["mark"])) for row in rows}
    return None


def codes_of(sections: Iterable[PageSection]) -> dict[str, frozenset[int]] | None:
    """Return the first table of error codes: the statuses by code, empty where the table has no column for them.

    Return None if there is no such table.
    """
    for table in _all_tables(sections):
        titles = [title.partition(" ")[0] for title in table[0]]
        if "Code" in titles:
            place, status = titles.index("Code"), titles.index("Status") if "Status" in titles else None
            rows = [row for row in table[1:] if len(row) > place and row[place]]
            return {
                row[place].split()[0]: frozenset()
                if status is None
                else frozenset(map(int, _NUMBER.findall(row[status])))
                for row in rows
            }
    return None


def _all_tables(sections: Iterable[PageSection]) -> Iterator[Table]:
    return (table for section in sections for table in section.tables if table)


def _words(tokens: Iterable[Token]) -> Iterator[str]:
    for token in tokens:
        if token.type == "inline":
            yield from _TABLE_MARK.sub(" ", _plain(token)).split()
        elif token.type == "html_block":
            yield from _TAG.sub(" ", token.content).split()
        elif token.type in ("fence", "code_block"):
            yield from token.content.split()


def _plain(inline: Token) -> str:
    """Return the text of an inline token without mark-up, with single blanks."""
    parts = []
    for child in inline.children or ():
        if child.type in ("softbreak", "hardbreak"):
            parts.append(" ")
        elif child.type == "code_inline":
            parts.append(child.content)
        elif child.type in ("text", "image"):
            parts.append(_ATTRIBUTE.sub("", child.content))
    return " ".join("".join(parts).split())


def _tables(text: str) -> Iterator[Table]:
    # A bar inside of code is no border of a cell.
    masked = _CODE_SPAN.sub(lambda code: code[0].replace("|", "\0"), text)
    for found in _TABLE.finditer(masked):
        rows = found[1].split("||")[1::2]
        yield tuple(
            tuple(_plain(_MARKDOWN.parseInline(cell.replace("\0", "|").strip())[0]) for cell in row.split("|"))
            for row in rows
        )
