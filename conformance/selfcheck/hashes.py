"""Write the hashes of the sections into the edition files: `python -m conformance.selfcheck.hashes REPOSITORY`.

REPOSITORY is a clone of bitrix24/b24restdocs. Each section is read at its own commit. Run it in the project's root.
"""

import re
import sys
from pathlib import Path
from typing import Final

from conformance.contract.clauses import edition_names, parse_edition
from conformance.documentation.checkout import open_checkout
from conformance.documentation.comparison import hash_of
from conformance.errors import UserError

FOLDER: Final = Path("conformance/contract/editions")
_OTHER_TABLE: Final = re.compile(r"^\[(?!sections\.)", re.MULTILINE)
_HASH_LINE: Final = re.compile(r'^hash = ".*"\n', re.MULTILINE)


def with_hash(text: str, section: str, value: str) -> str:
    """Return the text of an edition file with the hash of one section. The section may be one of its base."""
    head, title, tail = text.partition(f"[sections.{section}]\n")
    if not title:
        other = _OTHER_TABLE.search(text)
        place = other.start() if other else len(text)
        return f'{text[:place]}[sections.{section}]\nhash = "{value}"\n\n{text[place:]}'
    body, gap, rest = tail.partition("\n[")
    body = _HASH_LINE.sub("", f"{body.rstrip()}\n")
    return f'{head}{title}{body}hash = "{value}"\n{gap}{rest}'


def main(repository: str) -> None:
    """Write all hashes, those of a base before those of the editions that start from it."""
    for name in edition_names():
        file = FOLDER / f"{name}.toml"
        for section in parse_edition(file.read_text("utf-8"), file.name).sections.values():
            value = hash_of(section, open_checkout(Path(repository), section.commit))
            if value is None:
                raise UserError(f"{name}: sections.{section.id}: {section} has no such heading")
            # Read again: a hash that the base has now need not be repeated.
            text = file.read_text("utf-8")
            if parse_edition(text, file.name).sections[section.id].hash != value:
                file.write_text(with_hash(text, section.id, value), "utf-8")
        print(f"{file}: {len(parse_edition(file.read_text('utf-8'), file.name).sections)} sections")


if __name__ == "__main__":
    main(sys.argv[1])
