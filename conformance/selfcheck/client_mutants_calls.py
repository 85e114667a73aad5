"""Client libraries in which a call changes another: an earlier one, a second attempt, one that is made at once."""

import json
from threading import Barrier
from typing import Any, Final

import httpx

from conformance.selfcheck.client_parts import CODE, Answer, Asked, Params, given, honest, mutant, post, read


@mutant("client.omitted-stays-omitted")
def sends_the_last_comment_again(asked: Asked) -> Answer:
    """Sends the comment of an earlier call where none was given."""

    def change(params: Params) -> Params:
        _last.update({name: value for name, value in params.items() if name == "COMMENT"})
        return {**_last, **params}

    return honest(asked, change)


_last: Params = {}


@mutant("client.recovers")
def sends_an_equal_call_once(asked: Asked) -> Answer:
    """Answers a call that equals the one before it, at the same webhook, by the error that came then."""
    key = json.dumps([asked["url"], asked["params"]])
    if key == _known.get("key") and "error" in _known["answer"]:
        return dict(_known["answer"])
    _known.update(key=key, answer=honest(asked))
    return dict(_known["answer"])


@mutant("client.recovers")
def is_dead_after_a_wrong_token(asked: Asked) -> Answer:
    """Sends nothing any more once INVALID_CREDENTIALS was answered."""
    if _known.get("dead"):
        return {"exception": "the client was closed"}
    answer = honest(asked)
    _known["dead"] = answer.get("error", {}).get("code") == "INVALID_CREDENTIALS"
    return answer


@mutant("client.recovers")
def is_dead_without_a_scope(asked: Asked) -> Answer:
    """Sends nothing any more to a webhook that once answered insufficient_scope."""
    if asked["url"] in _known.get("without scope", ()):
        return {"exception": "the webhook has no such right"}
    answer = honest(asked)
    if answer.get("error", {}).get("code") == "insufficient_scope":
        _known["without scope"] = [asked["url"]]
    return answer


@mutant("client.recovers")
def is_dead_after_a_page(asked: Asked) -> Answer:
    """Sends nothing any more to a webhook that once answered no JSON with status 200."""
    if asked["url"] in _known.get("pages", ()):
        return {"exception": "the portal is closed"}
    try:
        response = post(asked, json=given(asked))
        if response.status_code == 200 and "html" in response.headers["content-type"]:
            _known["pages"] = [asked["url"]]
        return read(response)
    except (httpx.HTTPError, ValueError) as error:
        return {"exception": type(error).__name__}


@mutant("client.recovers")
def has_a_breaker(asked: Asked) -> Answer:
    """Sends nothing any more after five errors in a row."""
    if _known.get("errors", 0) >= 5:
        return {"exception": "the breaker is open"}
    answer = honest(asked)
    _known["errors"] = 0 if "value" in answer else _known.get("errors", 0) + 1
    return answer


@mutant("client.recovers")
def loses_the_body_of_a_second_attempt(asked: Asked) -> Answer:
    """Sends a second attempt after a 502 without the parameters."""
    try:
        response = post(asked, json=given(asked))
        return read(post(asked, json={}) if response.status_code == 502 else response)
    except (httpx.HTTPError, ValueError) as error:
        return {"exception": type(error).__name__}


@mutant("client.recovers")
def votes_less_in_a_second_attempt(asked: Asked) -> Answer:
    """Leaves the comment out of the attempt after the rate limit."""
    answer = honest(asked)
    if answer.get("error", {}).get("code") != CODE:
        return answer
    return honest(asked, lambda params: {name: value for name, value in params.items() if name != "COMMENT"})


@mutant("client.omitted-stays-omitted")
def keeps_the_rating_of_the_call_before(asked: Asked) -> Answer:
    """Sends the rating of the call before it at the same webhook, where none was given."""

    def change(params: Params) -> Params:
        kept = _known.get(asked["url"], {})
        _known.clear()
        _known[asked["url"]] = {name: value for name, value in params.items() if name == "RATING"}
        return {**kept, **params}

    return honest(asked, change)


@mutant("client.recovers")
def has_a_breaker_for_lost_connections(asked: Asked) -> Answer:
    """Sends nothing any more after three connections in a row were lost."""
    if _known.get("lost", 0) >= 3:
        return {"exception": "the breaker is open"}
    answer = honest(asked)
    _known["lost"] = _known.get("lost", 0) + 1 if answer.get("exception") == "RemoteProtocolError" else 0
    return answer


@mutant("client.omitted-stays-omitted")
def keeps_the_comment_of_a_refused_call(asked: Asked) -> Answer:
    """Sends the comment of a refused call with the next call, where that has none."""
    refused = _known.pop("refused", {})
    answer = honest(asked, lambda params: {**refused, **params})
    if "error" in answer and "COMMENT" in given(asked):
        _known["refused"] = {"COMMENT": asked["params"]["COMMENT"]}
    return answer


@mutant("client.recovers")
def has_a_breaker_for_limits(asked: Asked) -> Answer:
    """Sends nothing any more after three rate limits in a row."""
    if _known.get("limits", 0) >= 3:
        return {"exception": "the breaker is open"}
    answer = honest(asked)
    _known["limits"] = _known.get("limits", 0) + 1 if answer.get("error", {}).get("code") == CODE else 0
    return answer


@mutant("client.recovers")
def has_a_breaker_for_faults(asked: Asked) -> Answer:
    """Sends nothing any more after four errors in a row whose code says that the server is at fault."""
    if _known.get("faults", 0) >= 4:
        return {"exception": "the breaker is open"}
    answer = honest(asked)
    is_fault = answer.get("error", {}).get("code") == "INTERNAL_SERVER_ERROR"
    _known["faults"] = _known.get("faults", 0) + 1 if is_fault else 0
    return answer


@mutant("client.omitted-stays-omitted")
def keeps_the_comment_of_a_lost_call(asked: Asked) -> Answer:
    """Sends the comment of a call whose connection was lost with the next call, where that has none."""
    lost = _known.pop("lost", {})
    answer = honest(asked, lambda params: {**lost, **params})
    if answer.get("exception") == "RemoteProtocolError" and "COMMENT" in given(asked):
        _known["lost"] = {"COMMENT": asked["params"]["COMMENT"]}
    return answer


@mutant("client.error-code")
def reports_a_limit_in_place_of_a_later_error(asked: Asked) -> Answer:
    """Sends again after a rate limit, and reports the limit whatever error comes then."""
    answer = honest(asked)
    if answer.get("error", {}).get("code") != CODE:
        return answer
    again = honest(asked)
    return answer if "error" in again else again


@mutant("client.recovers")
def changes_what_the_caller_passed(asked: Asked) -> Answer:
    """Adds a parameter to the caller's own dictionary."""
    answer = honest(asked)
    asked["params"]["auth"] = "x"
    return {**answer, "params": asked["params"]}


@mutant("client.recovers")
def mixes_parameters_of_calls_at_once(asked: Asked) -> Answer:
    """Sends the parameters of a call that is on its way in place of those of a second one."""
    params = _known.setdefault("on its way", given(asked))
    answer = honest(asked, lambda _: dict(params))
    _known.pop("on its way", None)
    return {**answer, "concurrent": True}


@mutant("client.recovers")
def mixes_answers_of_calls_at_once(asked: Asked) -> Answer:
    """Keeps an answer where another call can overwrite it before it is handed back."""
    _under_way.append(asked)
    _known["answer"] = honest(asked)
    if len(_under_way) > 1:
        _meeting.wait(10)
    _under_way.remove(asked)
    return {**_known["answer"], "concurrent": True}


_known: dict[str, Any] = {}


_under_way: Final[list[Asked]] = []


_meeting: Final = Barrier(2)
