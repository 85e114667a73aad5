"""A raw call in Python with requests 2.34.2, by the client protocol."""

import json
import sys

import requests

NAME = f"requests {requests.__version__}"


def vote(asked):
    response = requests.post(asked["url"] + asked["method"], json=asked["params"], timeout=10)
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
