"""bitrix24-rest 2.0.3 by the client protocol."""

import asyncio
import json
import sys
import traceback
from importlib.metadata import version

from bitrix24 import Bitrix24, BitrixError

NAME = f"bitrix24-rest {version('bitrix24-rest')}"


async def called(asked):
    return await Bitrix24(asked["url"]).callMethod(asked["method"], asked["params"])


def vote(asked):
    return asyncio.run(called(asked))


for line in sys.stdin:
    asked = json.loads(line)
    try:
        answer = {"value": vote(asked)}
    except BitrixError as error:
        traceback.print_exc()  # as an application logs it
        answer = {"error": {"code": error.code, "description": error.message}}
    except Exception as error:
        traceback.print_exc()
        answer = {"exception": f"{type(error).__name__}: {error}"}
    print(json.dumps({**answer, "params": asked["params"], "client": NAME}), flush=True)
