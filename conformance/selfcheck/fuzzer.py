"""The benchmark's peer: schemathesis, a general API fuzzer, run against a portal with the OpenAPI description."""

import json
import re
import subprocess
import tempfile
from pathlib import Path
from typing import Any, Final

from conformance import __version__
from conformance.contract.clauses import Edition, load_edition
from conformance.contract.openapi import openapi_of
from conformance.exchange.call import METHOD
from conformance.portals.php_forms import PortalRequest
from conformance.portals.reference import SECRET, SESSIONS, PortalResponse, ReferencePortal
from conformance.portals.server import serving

REQUIREMENT: Final = "schemathesis>=4,<5"
EXAMPLES: Final = 25
"""For each of four operations, besides its boundary values: several times the requests of a whole plan."""
_CHECKS: Final = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "positive_data_acceptance",
    "unsupported_method",
    "allow_header_conformance",
    "ignored_auth",
)


def fuzzer_program(environment: Path) -> Path:
    """Installs schemathesis into a virtual environment; the path of its command."""
    pip = [str(environment / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, REQUIREMENT], check=True, stderr=subprocess.DEVNULL)
    return environment / "bin" / "schemathesis"


def unfit_checks(program: Path, edition: str) -> tuple[str, ...]:
    """The checks by which the fuzzer accuses the correct reference portal: a user would turn them off."""
    portal = ReferencePortal(load_edition(edition))
    return tuple(check for check in _CHECKS if _run(program, portal, ["--checks", check])[0])


def fuzz(program: Path, portal: ReferencePortal, left_out: tuple[str, ...]) -> tuple[bool, int]:
    """Whether the fuzzer finds fault with a portal, and how many requests the portal counted."""
    return _run(program, portal, ["--exclude-checks", ",".join(left_out)] if left_out else [])


def _run(program: Path, portal: ReferencePortal, options: list[str]) -> tuple[bool, int]:
    requests = 0

    def answer(request: PortalRequest) -> PortalResponse:
        nonlocal requests
        requests += 1
        return portal.answer(request)

    with serving(answer) as base, tempfile.TemporaryDirectory() as folder:
        description = Path(folder) / "openapi.json"
        description.write_text(json.dumps(_for_one_session(portal.edition)), "utf-8")
        line = [str(program), "run", str(description), "--url", f"{base}/rest/1/{SECRET}", "--seed", "1"]
        line += ["--max-examples", str(EXAMPLES), "--continue-on-failure", *options]
        done = subprocess.run(line, capture_output=True, text=True, cwd=folder, check=False, timeout=600)
    if done.returncode not in (0, 1):
        raise RuntimeError(f"schemathesis could not run: {re.sub(r'/rest/[^ ]*', '/rest/...', done.stdout[-500:])}")
    return done.returncode == 1, requests


def _for_one_session(edition: Edition) -> dict[str, Any]:
    """The description with the one session that may be rated, and RATING required in a query.

    A schema cannot say that a session must exist, nor that one of two query parameters must be there: without this the
    fuzzer's good data would be refused by every correct portal.
    """
    document = openapi_of(edition, METHOD, __version__)
    session = {"enum": [SESSIONS["rateable"], str(SESSIONS["rateable"])]}
    document["components"]["schemas"]["Vote"]["properties"]["SESSION_ID"] = session
    for operations in document["paths"].values():
        for parameter in operations["get"]["parameters"]:
            parameter["required"] = parameter["name"] != "COMMENT"
            if parameter["name"] == "SESSION_ID":
                parameter["schema"] = session
    return document
