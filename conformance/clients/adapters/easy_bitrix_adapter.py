"""easy-bitrix 0.1.18 by the client protocol. It speaks HTTPS only; SSL_CERT_FILE is set for us.

It writes ".bitrix24.ru" behind its address, which here becomes a folder of the path. Its attempts are switched off.
"""

import json
import sys
import traceback
from importlib.metadata import version
from types import SimpleNamespace
from urllib.parse import urlsplit

from easy_bitrix import Bitrix24

NAME = f"easy-bitrix {version('easy-bitrix')}"


def vote(asked):
    url = urlsplit(asked["url"])
    user, secret = url.path.rpartition("/rest/")[2].strip("/").split("/")
    options = {"webhook_url": secret, "user_id": user, "high_level_domain": "ru", "max_network_retries": 0}
    request = SimpleNamespace(method=asked["method"], **asked["params"])
    response = Bitrix24(f"{url.netloc}/portal").request(request, options)
    if response.error is not None:
        return {"error": {"code": response.error, "status": response.code}}
    return {"value": response.data}


for line in sys.stdin:
    try:
        answer = vote(json.loads(line))
    except Exception as error:
        traceback.print_exc()  # as an application logs it
        answer = {"exception": f"{type(error).__name__}: {error}"}
    print(json.dumps({**answer, "client": NAME}), flush=True)
