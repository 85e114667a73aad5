"""b24api 0.4.1 by the client protocol, without its further attempts, which take 75 seconds."""

import json
import os
import re
import sys
import traceback
from importlib.metadata import version

from b24api import Bitrix24
from b24api.error import ApiResponseError

NAME = f"b24api {version('b24api')}"
os.environ["BITRIX24_API_RETRY_ATTEMPTS"] = "1"


def vote(asked):
    os.environ["BITRIX24_API_WEBHOOK_URL"] = asked["url"]
    return Bitrix24().call({"method": asked["method"], "parameters": asked["params"]})


for line in sys.stdin:
    asked = json.loads(line)
    try:
        answer = {"value": vote(asked)}
    except ApiResponseError as error:
        traceback.print_exc()  # as an application logs it
        # The code is a part of the text only.
        answer = {"error": {"code": re.search(r"\[(.*?)\]", str(error))[1], "description": str(error)}}
    except Exception as error:
        traceback.print_exc()
        answer = {"exception": f"{type(error).__name__}: {error}"}
    print(json.dumps({**answer, "params": asked["params"], "client": NAME}), flush=True)
