"""fast-bitrix24 1.8.14 by the client protocol: `call` sends a batch of one; with the word raw, the call itself."""

import json
import sys
import traceback
from importlib.metadata import version

import fast_bitrix24.srh
from fast_bitrix24 import Bitrix
from fast_bitrix24.server_response import ErrorInServerResponseException

NAME = f"fast-bitrix24 {version('fast-bitrix24')}"
RAW = sys.argv[1:] == ["raw"]
fast_bitrix24.srh.MAX_RETRIES = 0


def vote(asked):
    portal = Bitrix(asked["url"], verbose=False)
    if RAW:
        answer = portal.call(asked["method"], asked["params"], raw=True)  # the answer as it came
        return answer.get("result", answer)
    return portal.call(asked["method"], asked["params"])


for line in sys.stdin:
    asked = json.loads(line)
    try:
        answer = {"value": vote(asked)}
    except ErrorInServerResponseException as error:
        traceback.print_exc()  # as an application logs it
        [refusal] = error.args[0].values()
        answer = {"error": {"code": refusal["error"], "description": refusal["error_description"]}}
    except Exception as error:
        traceback.print_exc()
        answer = {"exception": f"{type(error).__name__}: {error}"}
    print(json.dumps({**answer, "params": asked["params"], "client": NAME}), flush=True)
