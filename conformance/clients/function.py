"""Lets a Python function speak the client protocol: `python -P conformance/clients/function.py module:function`.

The function, which may be async, takes what was asked as a dict and returns the answer as a dict; an exception that
leaves it is an answer too. It runs in a process of its own, so that it can be ended when it passes its cap.

It is run as a file and imports nothing of the suite: a project under test may have a package `conformance` of its own.
"""

import asyncio
import importlib
import inspect
import json
import sys
from collections.abc import Awaitable, Callable
from typing import Any


def main() -> None:
    """Answers each line of the input by the function that the only argument names."""
    answers = sys.stdout
    # What the library prints must not stand between the answers.
    sys.stdout = sys.stderr
    sys.path.insert(0, "")
    module, _, name = sys.argv[1].partition(":")
    function: Callable[[dict[str, Any]], Any] = getattr(importlib.import_module(module), name)
    # One loop for all calls, as in an application: a client of an asynchronous library belongs to one loop.
    with asyncio.Runner() as runner:
        for line in sys.stdin:
            try:
                answer = function(json.loads(line))
                if inspect.isawaitable(answer):
                    answer = runner.run(_awaited(answer))
            except Exception as error:  # noqa: BLE001  whatever the library raises is what its caller gets
                answer = {"exception": f"{type(error).__name__}: {error}"}
            if not isinstance(answer, dict):
                sys.exit(f"{sys.argv[1]} returned {type(answer).__name__} in place of a dict")
            print(json.dumps(answer), file=answers, flush=True)


async def _awaited(answer: Awaitable[Any]) -> Any:
    return await answer


if __name__ == "__main__":
    main()
