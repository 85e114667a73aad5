"""bitrixUtils 0.1.8 by the client protocol: the function through which all its others call, without more attempts."""

import json
import sys
import traceback
from importlib.metadata import version

from bitrixUtils.core import _bitrix_request

NAME = f"bitrixUtils {version('bitrixUtils')}"


def vote(asked):
    answer = _bitrix_request(asked["method"], asked["params"], asked["url"], max_retries=1)
    # As its functions do: None, or no result in the answer, is a failure.
    if answer and "result" in answer:
        return {"value": answer["result"]}
    return {"exception": "no answer with a result"}


for line in sys.stdin:
    asked = json.loads(line)
    try:
        answer = vote(asked)
    except Exception as error:
        traceback.print_exc()  # as an application logs it
        answer = {"exception": f"{type(error).__name__}: {error}"}
    print(json.dumps({**answer, "params": asked["params"], "client": NAME}), flush=True)
