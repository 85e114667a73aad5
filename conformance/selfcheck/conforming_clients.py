"""Correct client libraries of other styles, which nobody may accuse."""

import sys
import time
from typing import Final
from urllib.parse import quote, urlencode

import httpx

from conformance.exchange.call import METHOD
from conformance.selfcheck.client_parts import CODE, Answer, Asked, correct, given, honest, post, read, read_item


@correct
def posts_json(asked: Asked) -> Answer:
    """Posts JSON."""
    return honest(asked)


@correct
def posts_forms(asked: Asked) -> Answer:
    """Posts a form, to the method with its suffix, with parameters of its own."""
    try:
        data = {**{name: str(value) for name, value in given(asked).items()}, "bx24_request_id": "1", "start": "0"}
        return read(post(asked, method=f"{METHOD}.json", data=data))
    except (httpx.HTTPError, ValueError) as error:
        return {"exception": type(error).__name__}


@correct
def gets(asked: Asked) -> Answer:
    """Puts everything into the query of a GET, and refuses what gets too long for it."""
    query = urlencode(given(asked), quote_via=quote)
    if len(query) > 2_000:
        return {"exception": "too long"}
    try:
        return read(httpx.get(f"{asked['url']}{METHOD}?{query}", timeout=10))
    except (httpx.HTTPError, ValueError) as error:
        return {"exception": type(error).__name__}


@correct
def sends_batches(asked: Asked) -> Answer:
    """Sends a batch of one, and takes it apart again."""

    command = f"{METHOD}?{urlencode(given(asked))}&"
    try:
        return read_item(post(asked, method="batch", json={"halt": 0, "cmd": {"vote": command}}))
    except (httpx.HTTPError, ValueError) as error:
        return {"exception": type(error).__name__}


@correct
def is_strict_about_values(asked: Asked) -> Answer:
    """Refuses what the portal would refuse, and cuts blanks around a text; nulls are sent as they are."""
    params = asked["params"]
    if params.get("RATING") not in (None, 1, 2, 3, 4, 5) or not (params.get("RATING") or params.get("COMMENT")):
        return {"exception": "a rating is 1 to 5"}
    return honest({**asked, "params": params}, lambda _: {**params, "COMMENT": (params.get("COMMENT") or "").strip()})


@correct
def tries_again(asked: Asked) -> Answer:
    """Tries three times where the server is at fault, then reports its error. Talks while it works."""
    answer: Answer = {}
    for attempt in range(3):
        print("attempt", attempt)
        print('{"log": "attempt"}', file=sys.stderr)
        answer = honest(asked)
        told = answer.get("error", {})
        if told.get("status", 0) < 500 and told.get("code") != CODE:
            break
        time.sleep(0.01)
    return answer


@correct
def tells_less(asked: Asked) -> Answer:
    """Hands back the code alone, follows redirects, and raises out of the function where something is broken."""
    response = httpx.post(asked["url"] + METHOD, json=given(asked), follow_redirects=True, timeout=10)
    answer = read(response)
    return {"error": {"code": answer["error"]["code"]}} if "error" in answer else answer


@correct
def keeps_its_connection(asked: Asked) -> Answer:
    """Uses one client for all calls, as an application does."""
    try:
        return read(_client.post(asked["url"] + METHOD, json=given(asked)))
    except (httpx.HTTPError, ValueError) as error:
        return {"exception": type(error).__name__}


_client: Final = httpx.Client(timeout=10)


@correct
def may_be_called_at_once(asked: Asked) -> Answer:
    """Lets two calls be made at once, and leaves alone what its caller passed."""
    return {**honest(asked), "concurrent": True, "params": asked["params"]}


@correct
def tries_again_after_a_lost_answer(asked: Asked) -> Answer:
    """Sends the same call once more where the connection was lost or refused."""
    answer = honest(asked)
    return honest(asked) if answer.get("exception", "").endswith(("ProtocolError", "ConnectError")) else answer


@correct
def writes_a_slash_after_the_method(asked: Asked) -> Answer:
    """Calls METHOD/?bx24_request_id=..., as the official PHP library does."""
    try:
        return read(post(asked, method=f"{METHOD}/", params={"bx24_request_id": "1"}, json=given(asked)))
    except (httpx.HTTPError, ValueError) as error:
        return {"exception": type(error).__name__}


@correct
def posts_forms_without_a_type(asked: Asked) -> Answer:
    """Posts a form whose Content-Type is text/plain."""
    body = urlencode({name: str(value) for name, value in given(asked).items()})
    try:
        return read(post(asked, content=body, headers={"Content-Type": "text/plain"}))
    except (httpx.HTTPError, ValueError) as error:
        return {"exception": type(error).__name__}
