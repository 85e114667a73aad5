"""The OpenAPI description: valid by the specification, and true to the edition."""

import json
import subprocess
import sys
from functools import cache
from typing import Any

import jsonschema
import pytest
from openapi_spec_validator import validate

from conformance.contract.clauses import edition_names, load_edition

pytestmark = pytest.mark.quick


@cache
def _exported(edition: str) -> dict[str, Any]:
    line = [sys.executable, "-m", "conformance", "export", "openapi", "--edition", edition]
    document: dict[str, Any] = json.loads(subprocess.run(line, capture_output=True, text=True, check=True).stdout)
    return document


@pytest.mark.parametrize("name", edition_names())
def test_the_description_is_valid_openapi(name: str) -> None:
    document = _exported(name)
    assert document["openapi"].startswith("3.1")
    validate(document)


@pytest.mark.parametrize(
    ("vote", "fine"),
    [
        ({"SESSION_ID": 494, "RATING": 5}, True),
        ({"SESSION_ID": "494", "COMMENT": "0"}, True),
        ({"SESSION_ID": 494, "RATING": "5", "COMMENT": ""}, True),
        ({"SESSION_ID": 494}, False),
        ({"RATING": 5}, False),
        ({"SESSION_ID": 0, "RATING": 5}, False),
        ({"SESSION_ID": 494, "RATING": 6}, False),
        ({"SESSION_ID": 494, "RATING": True}, False),
        ({"SESSION_ID": 494, "COMMENT": " "}, False),
    ],
)
def test_votes_are_valid_as_the_contract_says(vote: dict[str, Any], fine: bool) -> None:
    document = _exported("2026-03")
    schema = {"$ref": "#/components/schemas/Vote", "components": document["components"]}
    assert jsonschema.Draft202012Validator(schema).is_valid(vote) is fine


def test_codes_and_statuses_are_those_of_the_edition() -> None:
    old, new = (_exported(name)["paths"]["/imopenlines.session.head.vote"]["post"] for name in ("2024-10", "2026-03"))
    assert "EMPTY_VOTE_PARAMS" in new["responses"]["400"]["description"]
    assert "WRONG_PARAMETER" in old["responses"]["200"]["description"]
    assert all(f"`{clause}`" in new["description"] for clause in ("rating.rejects-outside", "error.unknown-session"))
    assert load_edition("2026-03").clauses["rating.rejects-outside"].statement in new["description"]
