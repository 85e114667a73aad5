"""bitrix24-api-client 0.1.2 by the client protocol, without its attempts after a 503, which take 75 seconds."""

import json
import sys
import traceback
from importlib.metadata import version

from bitrix24_client import Bitrix24APIError, Bitrix24Client

NAME = f"bitrix24-api-client {version('bitrix24-api-client')}"


def vote(asked):
    base, _, path = asked["url"].rpartition("/rest/")
    user, secret = path.strip("/").split("/")
    with Bitrix24Client(base, secret, user_id=int(user), max_retries=0) as client:
        return client.call_method(asked["method"], asked["params"])


for line in sys.stdin:
    asked = json.loads(line)
    try:
        answer = {"value": vote(asked)}
    except Bitrix24APIError as error:
        traceback.print_exc()  # as an application logs it
        answer = {"error": {"code": error.code, "description": error.description}}
    except Exception as error:
        traceback.print_exc()
        answer = {"exception": f"{type(error).__name__}: {error}"}
    print(json.dumps({**answer, "params": asked["params"], "client": NAME}), flush=True)
