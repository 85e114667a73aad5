"""pybitrix24 1.1.0 by the client protocol. It speaks HTTPS only, to a host and port; SSL_CERT_FILE is set for us.

It hands back the whole object of the answer, and has a function that finds the error in it.
"""

import json
import sys
import traceback
from importlib.metadata import version
from urllib.parse import urlsplit

from pybitrix24 import Bitrix24, get_error_if_present

NAME = f"pybitrix24 {version('pybitrix24')}"


def vote(asked):
    url = urlsplit(asked["url"])
    user, secret = url.path.rpartition("/rest/")[2].strip("/").split("/")
    answer = Bitrix24(url.netloc, user_id=user).call_webhook(secret, asked["method"], asked["params"])
    if isinstance(answer, dict) and "error" in answer:
        return {"error": {"code": get_error_if_present(answer), "description": answer.get("error_description")}}
    return {"value": answer["result"]}


for line in sys.stdin:
    asked = json.loads(line)
    try:
        answer = vote(asked)
    except Exception as error:
        traceback.print_exc()  # as an application logs it
        answer = {"exception": f"{type(error).__name__}: {error}"}
    print(json.dumps({**answer, "params": asked["params"], "client": NAME}), flush=True)
