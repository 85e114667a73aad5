"""A raw call in Python with httpx 0.28.1, by the client protocol."""

import json
import sys

import httpx

NAME = f"httpx {httpx.__version__}"


def vote(asked):
    response = httpx.post(asked["url"] + asked["method"], json=asked["params"], timeout=10)
    answer = response.json()
    if "error" in answer:
        code, told = answer["error"], answer.get("error_description")
        return {"error": {"code": code, "description": told, "status": response.status_code}}
    return {"value": answer["result"]}


for line in sys.stdin:
    asked = json.loads(line)
    try:
        answer = vote(asked)
    except Exception as error:
        answer = {"exception": f"{type(error).__name__}: {error}"}
    print(json.dumps({**answer, "params": asked["params"], "client": NAME}), flush=True)
