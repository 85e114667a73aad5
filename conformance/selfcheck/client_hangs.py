"""Client libraries that hang or end, for the tests of what a program may do to the gate."""

import json
import sys
from threading import Event

from conformance.selfcheck.client_mutants_answer import retries_for_ever
from conformance.selfcheck.client_parts import Answer, Asked, honest


def never_returns(_asked: Asked) -> Answer:
    """For the test of the cap."""
    while True:
        Event().wait()


def ends_the_program(_asked: Asked) -> Answer:
    """For the test of a broken adapter."""
    sys.exit("the adapter is broken")


def one_line(asked: Asked) -> Answer:
    """For the test of a program that answers once and ends."""
    answer = honest(asked)
    print(json.dumps(answer), file=sys.__stdout__, flush=True)
    sys.exit(0)


def hangs_on_expired_token(asked: Asked) -> Answer:
    """For the test of one hang."""
    answer = honest(asked)
    return never_returns(asked) if answer.get("error", {}).get("code") == "expired_token" else answer


def retries_for_ever_and_hangs_on_expired_token(asked: Asked) -> Answer:
    """For the test of a hang that is not known beside one that is."""
    answer = retries_for_ever(asked)
    return never_returns(asked) if answer.get("error", {}).get("code") == "expired_token" else answer


def hangs_on_errors(asked: Asked) -> Answer:
    """For the test of a library that hangs on every error."""
    answer = honest(asked)
    return never_returns(asked) if "error" in answer else answer


def hangs_on_one_text(asked: Asked) -> Answer:
    """For the test of a call that is lost."""
    answer = honest(asked)
    return never_returns(asked) if asked["params"].get("COMMENT") == "{}" else answer


def hangs_on_four(asked: Asked) -> Answer:
    """For the test of a kind of value of which all calls are lost."""
    answer = honest(asked)
    return never_returns(asked) if asked["params"].get("RATING") == 4 else answer
