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
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any


def main() -> None:
    """Answers each line of the input by the function that the only argument names."""
    answers = sys.stdout
    # What the library prints must not stand between the answers.
    sys.stdout = sys.stderr
    sys.path.insert(0, "")
    module, _, name = sys.argv[1].partition(":")
    function: Function = getattr(importlib.import_module(module), name)
    # One loop for all calls, as in an application: a client of an asynchronous library belongs to one loop.
    with asyncio.Runner() as runner:
        for line in sys.stdin:
            asked = json.loads(line)
            if isinstance(asked, list):
                # Calls that are made at once: each in a thread, or as a task.
                with ThreadPoolExecutor(len(asked)) as pool:
                    made = list(pool.map(partial(_made, function), asked))
            else:
                made = [_made(function, asked)]
            if any(map(inspect.isawaitable, made)):
                made = runner.run(_all_awaited(made))
            for answer in made:
                if not isinstance(answer, dict):
                    sys.exit(f"{sys.argv[1]} returned {type(answer).__name__} in place of a dict")
                print(json.dumps(answer), file=answers, flush=True)


Function = Callable[[dict[str, Any]], Any]


def _made(function: Function, asked: dict[str, Any]) -> Any:
    try:
        return function(asked)
    except Exception as error:  # noqa: BLE001  whatever the library raises is what its caller gets
        return _failed(error)


async def _all_awaited(answers: list[Any]) -> list[Any]:
    return await asyncio.gather(*map(_awaited, answers))


async def _awaited(answer: Any) -> Any:
    try:
        return await answer if inspect.isawaitable(answer) else answer
    except Exception as error:  # noqa: BLE001  as above
        return _failed(error)


def _failed(error: Exception) -> dict[str, str]:
    return {"exception": f"{type(error).__name__}: {error}"}


if __name__ == "__main__":
    main()
