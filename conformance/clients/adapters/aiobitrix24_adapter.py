"""aiobitrix24 0.4.4 by the client protocol. It hands back a response of httpx; its pause before a call is set to 0."""

import asyncio
import json
import sys
import traceback
from importlib.metadata import version

from aiobitrix24 import bx24

NAME = f"aiobitrix24 {version('aiobitrix24')}"
bx24.timeout(0)


async def vote(asked):
    bx24.url(asked["url"])
    response = await bx24.request(asked["method"], asked["params"])
    answer = response.json()
    return {"value": answer.get("result", answer)}


for line in sys.stdin:
    asked = json.loads(line)
    try:
        answer = asyncio.run(vote(asked))
    except Exception as error:
        traceback.print_exc()  # as an application logs it
        answer = {"exception": f"{type(error).__name__}: {error}"}
    print(json.dumps({**answer, "params": asked["params"], "client": NAME}), flush=True)
