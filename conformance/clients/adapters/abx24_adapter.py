"""abx24 1.1.2 by the client protocol."""

import asyncio
import json
import sys
import traceback
from importlib.metadata import version

from abx24 import Bitrix24, BitrixError

NAME = f"abx24 {version('abx24')}"


async def vote(asked):
    return await Bitrix24(asked["url"]).call_method(asked["method"], **asked["params"])


for line in sys.stdin:
    try:
        answer = {"value": asyncio.run(vote(json.loads(line)))}
    except BitrixError as error:
        traceback.print_exc()  # as an application logs it
        answer = {"error": {"code": error.code, "description": str(error)}}
    except Exception as error:
        traceback.print_exc()
        answer = {"exception": f"{type(error).__name__}: {error}"}
    print(json.dumps({**answer, "client": NAME}), flush=True)
