"""fast-bitrix24 1.8.14 by the client protocol: `call` sends a batch of one."""

import json
import sys
import traceback
from importlib.metadata import version

import fast_bitrix24.srh
from fast_bitrix24 import Bitrix
from fast_bitrix24.server_response import ErrorInServerResponseException

NAME = f"fast-bitrix24 {version('fast-bitrix24')}"
fast_bitrix24.srh.MAX_RETRIES = 0

for line in sys.stdin:
    asked = json.loads(line)
    try:
        answer = {"value": Bitrix(asked["url"], verbose=False).call(asked["method"], asked["params"])}
    except ErrorInServerResponseException as error:
        traceback.print_exc()  # as an application logs it
        [refusal] = error.args[0].values()
        answer = {"error": {"code": refusal["error"], "description": refusal["error_description"]}}
    except Exception as error:
        traceback.print_exc()
        answer = {"exception": f"{type(error).__name__}: {error}"}
    print(json.dumps({**answer, "client": NAME}), flush=True)
