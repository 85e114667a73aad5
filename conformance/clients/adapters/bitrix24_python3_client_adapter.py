"""bitrix24-python3-client 0.4.0 by the client protocol. It speaks HTTPS only; REQUESTS_CA_BUNDLE is set for us.

It hands back the whole object of the answer.
"""

import json
import sys
import traceback
from importlib.metadata import version
from urllib.parse import urlsplit

from bitrix24 import Bitrix24

NAME = f"bitrix24-python3-client {version('bitrix24-python3-client')}"


def vote(asked):
    url = urlsplit(asked["url"])
    user, secret = url.path.rpartition("/rest/")[2].strip("/").split("/")
    answer = Bitrix24(url.netloc, user_id=user).call_webhook(asked["method"], secret, asked["params"])
    return {"value": answer.get("result", answer)}


for line in sys.stdin:
    asked = json.loads(line)
    try:
        answer = vote(asked)
    except Exception as error:
        traceback.print_exc()  # as an application logs it
        answer = {"exception": f"{type(error).__name__}: {error}"}
    print(json.dumps({**answer, "params": asked["params"], "client": NAME}), flush=True)
