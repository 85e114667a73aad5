"""Client libraries that lie about what comes back."""

import re
import time

import httpx

from conformance.exchange.call import Json
from conformance.selfcheck.client_parts import CODE, SHORT_SECONDS, Answer, Asked, given, honest, mutant, post, read


@mutant("client.redirect")
def takes_a_redirect_for_success(asked: Asked) -> Answer:
    """Takes a redirect for a success."""
    response = post(asked, json=given(asked))
    return {"result": True} if response.is_redirect else read(response)


@mutant("client.redirect")
def makes_a_success_of_a_lost_body(asked: Asked) -> Answer:
    """Follows 302 without the body, and hands back true whatever the second answer is."""
    response = post(asked, json=given(asked))
    if response.status_code != 302:
        return read(response)
    post(asked)
    return {"result": True}


@mutant("client.true")
def hands_back_the_whole_answer(asked: Asked) -> Answer:
    """Hands back the object around the result."""
    return honest(asked, read_by=lambda response: {**read(response), **_whole(response)})


def _whole(response: httpx.Response) -> Answer:
    document = response.json()
    return {} if "error" in document or "result" not in document else {"value": document}


@mutant("client.true")
def hands_back_1(asked: Asked) -> Answer:
    """Hands back 1 for true."""
    return honest(asked, read_by=lambda response: _mapped(read(response), {True: 1}))


def _mapped(answer: Answer, table: dict[Json, Json]) -> Answer:
    value = answer.get("value", "nothing")
    return {"value": table[value]} if value in table else answer


@mutant("client.false-is-not-true")
def takes_false_for_true(asked: Asked) -> Answer:
    """Hands back true where no error was answered."""
    return honest(asked, read_by=lambda response: _mapped(read(response), {False: True, None: True}))


@mutant("client.false-is-not-true")
def takes_no_result_for_true(asked: Asked) -> Answer:
    """Hands back true where the result is missing."""
    return honest(asked, read_by=lambda r: read(r) if "error" in r.json() else {"value": r.json().get("result", True)})


@mutant("client.error-code")
def swallows_the_code(asked: Asked) -> Answer:
    """Raises the description alone."""
    answer = honest(asked)
    return {"exception": answer["error"]["description"]} if "error" in answer else answer


@mutant("client.error-code")
def writes_codes_in_capitals(asked: Asked) -> Answer:
    """Reports insufficient_scope as INSUFFICIENT_SCOPE."""
    answer = honest(asked)
    return {"error": {"code": answer["error"]["code"].upper()}} if "error" in answer else answer


@mutant("client.error-code")
def loses_the_code_of_4xx(asked: Asked) -> Answer:
    """Raises for every status 4xx without reading the answer."""
    return honest(asked, read_by=lambda r: {"exception": str(r.status_code)} if r.is_client_error else read(r))


@mutant("client.error-code")
def loses_the_code_of_5xx(asked: Asked) -> Answer:
    """Raises for every status 5xx without reading the answer."""
    return honest(asked, read_by=lambda r: {"exception": str(r.status_code)} if r.is_server_error else read(r))


@mutant("client.error-code")
def splits_codes_at_colons_in_texts(asked: Asked) -> Answer:
    """Takes the text before a colon in the description for the code."""
    answer = honest(asked)
    if "error" in answer and ":" in answer["error"]["description"].removeprefix("Refused:"):
        return {"error": {"code": answer["error"]["description"].partition(":")[0]}}
    return answer


@mutant("client.error-code", "client.error-in-200", "client.rate-limit")
def hands_back_errors_as_values(asked: Asked) -> Answer:
    """Hands back the error object as a value."""
    answer = honest(asked)
    return {"value": answer["error"]} if "error" in answer else answer


@mutant("client.error-in-200", "client.rate-limit")
def trusts_the_status(asked: Asked) -> Answer:
    """Takes whatever comes with status 200 for a success."""
    return honest(asked, read_by=lambda r: {"value": r.json().get("result")} if r.status_code == 200 else read(r))


@mutant("client.broken-answer", "client.redirect")
def takes_html_for_success(asked: Asked) -> Answer:
    """Takes an answer that is no JSON for an empty success."""
    return honest(asked, read_by=lambda r: read(r) if "json" in r.headers["content-type"] else {"value": None})


@mutant("client.broken-answer")
def repairs_cut_answers(asked: Asked) -> Answer:
    """Looks for the result with a regular expression."""
    return honest(asked, read_by=lambda r: {"value": True} if re.search(r'"result": *true', r.text) else read(r))


@mutant("client.broken-answer", "client.redirect")
def takes_nothing_for_success(asked: Asked) -> Answer:
    """Takes an empty body for a success."""
    return honest(asked, read_by=lambda r: read(r) if r.content else {"value": True})


@mutant("client.broken-answer", "client.tls")
def waits_for_ever_for_a_lost_answer(asked: Asked) -> Answer:
    """Sends again, without an end, where the connection is dropped."""
    while True:
        try:
            return read(post(asked, json=given(asked)))
        except httpx.TransportError:
            time.sleep(0.01)
        except ValueError as error:
            return {"exception": str(error)}


@mutant("client.broken-answer")
def takes_a_time_out_for_success(asked: Asked) -> Answer:
    """Takes a vote for accepted where no answer came in time."""
    try:
        return read(post(asked, json=given(asked), timeout=SHORT_SECONDS))
    except httpx.TimeoutException:
        return {"value": True}
    except (httpx.HTTPError, ValueError) as error:
        return {"exception": type(error).__name__}


@mutant("client.rate-limit")
def retries_for_ever(asked: Asked) -> Answer:
    """Sends again, without an end, while the rate limit is reached."""
    while (answer := honest(asked)).get("error", {}).get("code") == CODE:
        time.sleep(0.01)
    return answer


@mutant("client.rate-limit", "client.error-code", "client.error-in-200")
def forgets_the_answer_of_a_retry(asked: Asked) -> Answer:
    """Sends again when the rate limit is reached, and hands back nothing."""
    answer = honest(asked)
    if answer.get("error", {}).get("code") == CODE:
        honest(asked)
        return {"value": None}
    return answer


@mutant("client.false-is-not-true")
def takes_1_for_true(asked: Asked) -> Answer:
    """Compares the result with true as Python compares."""
    return honest(asked, read_by=lambda r: {"value": True} if read(r).get("value") == 1 else read(r))


@mutant("client.false-is-not-true")
def takes_the_text_true_for_true(asked: Asked) -> Answer:
    """Reads a result "true" as true."""
    return honest(asked, read_by=lambda r: {"value": True} if read(r).get("value") == "true" else read(r))


@mutant("client.false-is-not-true")
def takes_the_first_of_a_list(asked: Asked) -> Answer:
    """Hands back the first entry of a result that is a list."""
    return honest(asked, read_by=lambda r: {"value": True} if read(r).get("value") == [True] else read(r))


@mutant("client.false-is-not-true")
def takes_anything_for_true(asked: Asked) -> Answer:
    """Hands back whether there is a result."""
    return honest(asked, read_by=lambda r: {"value": bool(read(r)["value"])} if "value" in read(r) else read(r))


@mutant("client.error-code")
def writes_codes_in_lower_case(asked: Asked) -> Answer:
    """Reports ACCESS_DENIED as access_denied."""
    answer = honest(asked)
    return {"error": {"code": answer["error"]["code"].lower()}} if "error" in answer else answer


@mutant("client.broken-answer")
def takes_204_for_success(asked: Asked) -> Answer:
    """Takes status 204 for a success."""
    return honest(asked, read_by=lambda r: {"value": None} if r.status_code == 204 else read(r))


@mutant("client.broken-answer")
def does_not_unpack(asked: Asked) -> Answer:
    """Asks for gzip and does not unpack."""
    return honest(asked, read_by=lambda r: {"exception": "no JSON"} if "content-encoding" in r.headers else read(r))


@mutant("client.broken-answer")
def insists_on_a_length(asked: Asked) -> Answer:
    """Reads as many bytes as Content-Length says, and 0 where it says nothing."""
    return honest(asked, read_by=lambda r: read(r) if "content-length" in r.headers else {"exception": "empty"})


@mutant("client.broken-answer")
def takes_a_refused_connection_for_success(asked: Asked) -> Answer:
    """Takes it for a success where nobody listens: the vote stands in a queue."""
    try:
        return read(post(asked, json=given(asked)))
    except httpx.ConnectError as error:
        return {"exception": "certificate"} if "CERTIFICATE" in str(error) else {"value": None}
    except (httpx.HTTPError, ValueError) as error:
        return {"exception": type(error).__name__}
