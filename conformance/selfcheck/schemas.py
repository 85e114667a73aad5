"""Write the JSON Schemas of target, deviation and report files, which editors read: `python -m` this module."""

import json
import re
from pathlib import Path
from typing import Any, Final

import msgspec

import conformance
from conformance.engine.deviations import DeviationsFile
from conformance.reporting.read import ReportFile
from conformance.target.target import TargetFile

FOLDER: Final = Path(conformance.__file__).parent / "schemas"
FORMS: Final = {
    "target": ("Target file of vote-conformance", TargetFile),
    "deviations": ("Deviation file of vote-conformance", DeviationsFile),
    "report": ("Report of a vote-conformance run", ReportFile),
}


def schema_path(name: str) -> Path:
    """Return the path of the schema of that name."""
    return FOLDER / f"{name}.schema.json"


def schema_text(name: str) -> str:
    """Return the schema of that name as its file holds it."""
    title, form = FORMS[name]
    (top,), parts = msgspec.json.schema_components([form], ref_template="#/$defs/{name}")
    schema = parts.pop(top["$ref"].rpartition("/")[2])
    document = {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": title, "$defs": parts}
    # What is an entry to Python is the thing itself to an editor.
    return re.sub(r'([/"])_?(\w+)Entry"', r'\1\2"', json.dumps(_closed(document), indent=2)) + "\n"


def _closed(schema: Any) -> Any:
    """Return the schema with the keys of each table made the only ones."""
    if isinstance(schema, list | tuple):
        return [_closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    more = {"additionalProperties": False} if "properties" in schema else {}
    return {key: _closed(part) for key, part in schema.items()} | more


def main() -> None:
    """Write the schemas."""
    FOLDER.mkdir(exist_ok=True)
    for name in FORMS:
        schema_path(name).write_text(schema_text(name), "utf-8")


if __name__ == "__main__":
    main()
