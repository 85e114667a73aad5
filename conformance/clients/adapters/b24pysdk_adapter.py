"""b24pysdk 1.3.2 by the client protocol. It speaks HTTPS only, to a host and port; REQUESTS_CA_BUNDLE is set for us."""

import json
import sys
import traceback
from importlib.metadata import version
from urllib.parse import urlsplit

from b24pysdk import BitrixWebhook, Client
from b24pysdk.errors import BitrixAPIError

NAME = f"b24pysdk {version('b24pysdk')}"


def call(asked):
    url = urlsplit(asked["url"])
    token = url.path.rpartition("/rest/")[2].strip("/")
    client = Client(BitrixWebhook(domain=url.netloc, webhook_token=token), max_retries=1)
    params = asked["params"]
    vote = client.imopenlines.session.head.vote(
        params["SESSION_ID"], rating=params.get("RATING"), comment=params.get("COMMENT")
    )
    return vote.result


for line in sys.stdin:
    try:
        answer = {"value": call(json.loads(line))}
    except BitrixAPIError as error:
        traceback.print_exc()  # as an application logs it
        answer = {"error": {"code": error.error, "description": error.error_description, "status": error.status_code}}
    except Exception as error:
        traceback.print_exc()
        answer = {"exception": f"{type(error).__name__}: {error}"}
    print(json.dumps({**answer, "client": NAME}), flush=True)
