"""b24api 2.5.2 by the client protocol: `call`, with its own policy of further attempts."""

import asyncio
import json
import sys
import traceback
from importlib.metadata import version

from b24api import ApiResponseError, Bitrix24, Request

NAME = f"b24api {version('b24api')}"


async def vote(asked):
    async with Bitrix24.from_webhook(asked["url"]) as client:
        return await client.call(Request.bare(asked["method"], asked["params"]))


for line in sys.stdin:
    asked = json.loads(line)
    try:
        answer = {"value": asyncio.run(vote(asked))}
    except ApiResponseError as error:
        traceback.print_exc()  # as an application logs it
        answer = {"error": {"code": error.wire_code, "description": str(error)}}
    except Exception as error:
        traceback.print_exc()
        answer = {"exception": f"{type(error).__name__}: {error}"}
    print(json.dumps({**answer, "params": asked["params"], "client": NAME}), flush=True)
