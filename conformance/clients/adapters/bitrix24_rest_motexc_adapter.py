"""bitrix24-rest-motexc 1.1.5 by the client protocol."""

import json
import sys
import traceback
from importlib.metadata import version

from bitrix24 import Bitrix24
from bitrix24.exceptions import BitrixError

NAME = f"bitrix24-rest-motexc {version('bitrix24-rest-motexc')}"


def vote(asked):
    return Bitrix24(asked["url"]).callMethod(asked["method"], **asked["params"])


for line in sys.stdin:
    try:
        answer = {"value": vote(json.loads(line))}
    except BitrixError as error:
        traceback.print_exc()  # as an application logs it
        answer = {"error": {"code": error.code, "description": str(error)}}
    except Exception as error:
        traceback.print_exc()
        answer = {"exception": f"{type(error).__name__}: {error}"}
    print(json.dumps({**answer, "client": NAME}), flush=True)
