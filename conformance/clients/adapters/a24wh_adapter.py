"""a24wh 0.1.2 by the client protocol. It always hands back a dict, with "error_result" where the call failed."""

import json
import sys
import traceback
from importlib.metadata import version

from a24wh import request24

NAME = f"a24wh {version('a24wh')}"


def vote(asked):
    answer = request24(asked["method"], asked["params"], asked["url"])
    if answer.get("error_result"):
        code, told = answer["error_code"], answer["error_message"]
        return {"error": {"code": code, "description": told, "status": answer.get("status_code")}}
    return {"value": answer.get("result", answer)}


for line in sys.stdin:
    asked = json.loads(line)
    try:
        answer = vote(asked)
    except Exception as error:
        traceback.print_exc()  # as an application logs it
        answer = {"exception": f"{type(error).__name__}: {error}"}
    print(json.dumps({**answer, "params": asked["params"], "client": NAME}), flush=True)
