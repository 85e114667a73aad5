"""PyBitrix 1.2.7 by the client protocol. It hands back the whole object of the answer."""

import json
import sys
import traceback
from importlib.metadata import version

from pybitrix import PyBitrix

NAME = f"PyBitrix {version('PyBitrix')}"


def vote(asked):
    answer = PyBitrix(asked["url"].rstrip("/")).call(asked["method"], asked["params"])
    return {"value": answer.get("result", answer)}


for line in sys.stdin:
    asked = json.loads(line)
    try:
        answer = vote(asked)
    except Exception as error:
        traceback.print_exc()  # as an application logs it
        answer = {"exception": f"{type(error).__name__}: {error}"}
    print(json.dumps({**answer, "params": asked["params"], "client": NAME}), flush=True)
