"""Client libraries that lie, and correct ones of other styles: small functions that speak the client protocol.

The docstring says how one lies, the decorator which clauses must see it; a correct one names none.
"""

import json
import re
import sys
import time
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from threading import Barrier, Event
from typing import Any, Final
from urllib.parse import quote, quote_plus, unquote, urlencode

import httpx

from conformance.exchange.call import METHOD, Json

Asked = dict[str, Any]
Answer = dict[str, Any]
Library = Callable[[Asked], Answer]
Params = dict[str, Json]
Read = Callable[[httpx.Response], Answer]
CODE: Final = "QUERY_LIMIT_EXCEEDED"


@dataclass(frozen=True, slots=True)
class Client:
    """A library for the gate. clauses: those that must catch it, none for a correct one."""

    name: str
    conduct: str
    clauses: tuple[str, ...]

    @property
    def command(self) -> str:
        return f"{__name__}:{self.name}"


CLIENT_MUTANTS: Final[list[Client]] = []
CONFORMING_CLIENTS: Final[list[Client]] = []


def mutant(*clauses: str) -> Callable[[Library], Library]:
    """Registers a lying library with the clauses that must catch it."""
    return lambda library: _register(library, clauses, CLIENT_MUTANTS)


def correct(library: Library) -> Library:
    """Registers a library that nobody may accuse."""
    return _register(library, (), CONFORMING_CLIENTS)


def _register(library: Library, clauses: tuple[str, ...], where: list[Client]) -> Library:
    where.append(Client(library.__name__, " ".join((library.__doc__ or "").split()), clauses))
    return library


# The honest parts: what is sent, how it is posted, what is read of the answer.


def given(asked: Asked) -> Params:
    return {name: value for name, value in asked["params"].items() if value is not None}


def post(asked: Asked, *, method: str = METHOD, **body: Any) -> httpx.Response:
    return httpx.post(asked["url"] + method, timeout=10, **body)


def read(response: httpx.Response) -> Answer:
    document = response.json()
    if "error" in document:
        told = {"code": document["error"], "description": document["error_description"]}
        return {"error": {**told, "status": response.status_code}}
    return {"value": document["result"]} if "result" in document else {"exception": "the answer has no result"}


def honest(asked: Asked, change: Callable[[Params], Params] = lambda params: params, read_by: Read = read) -> Answer:
    """Posts JSON, changed, and reads the answer."""
    try:
        return read_by(post(asked, json=change(given(asked))))
    except (httpx.HTTPError, ValueError) as error:
        return {"exception": type(error).__name__}


def texts(change: Callable[[str], str]) -> Callable[[Params], Params]:
    """Changes the comment."""
    return lambda params: {**params, "COMMENT": change(params["COMMENT"])} if "COMMENT" in params else params


# Correct libraries of other styles


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


def read_item(response: httpx.Response) -> Answer:
    """The only item of a batch as if it had been called alone."""
    document = response.json()
    if "error" in document:
        return read(response)
    refused = _first(document["result"]["result_error"])
    return {"error": {"code": refused["error"]}} if refused else {"value": _first(document["result"]["result"])}


def _first(part: Json) -> Json:
    entries = list(part.values()) if isinstance(part, dict) else part
    return entries[0] if entries else None


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


# What arrives


@mutant("client.method")
def calls_another_method(asked: Asked) -> Answer:
    """Calls imopenlines.session.vote."""
    return read(post(asked, method="imopenlines.session.vote", json=given(asked)))


@mutant("client.parameters-intact")
def joins_the_query_by_hand(asked: Asked) -> Answer:
    """Joins names and values to a query without escaping them."""
    query = "&".join(f"{name}={value}" for name, value in given(asked).items())
    return read(httpx.get(f"{asked['url']}{METHOD}?{query}", timeout=10))


def _form(asked: Asked, pairs: Iterable[str]) -> Answer:
    return read(post(asked, content="&".join(pairs), headers={"Content-Type": "application/x-www-form-urlencoded"}))


@mutant("client.parameters-intact")
def cuts_at_an_ampersand(asked: Asked) -> Answer:
    """Escapes all but & in a form."""
    return _form(asked, (f"{name}={quote(str(value), safe='&')}" for name, value in given(asked).items()))


@mutant("client.parameters-intact")
def leaves_plus_as_it_is(asked: Asked) -> Answer:
    """Escapes all but + in a form, so that it arrives as a blank."""
    return _form(asked, (f"{name}={quote(str(value), safe='+')}" for name, value in given(asked).items()))


@mutant("client.parameters-intact")
def escapes_twice(asked: Asked) -> Answer:
    """Escapes a form twice."""
    return _form(asked, (f"{name}={quote_plus(quote_plus(str(value)))}" for name, value in given(asked).items()))


@mutant("client.parameters-intact")
def unescapes_first(asked: Asked) -> Answer:
    """Takes %41 in a text for an escape."""
    return honest(asked, texts(unquote))


@mutant("client.parameters-intact")
def cuts_at_255(asked: Asked) -> Answer:
    """Cuts texts at 255 characters."""
    return honest(asked, texts(lambda text: text[:255]))


@mutant("client.parameters-intact")
def knows_latin_1_only(asked: Asked) -> Answer:
    """Replaces what is not Latin-1."""
    return honest(asked, texts(lambda text: text.encode("latin-1", "replace").decode("latin-1")))


@mutant("client.parameters-intact")
def loses_emoji(asked: Asked) -> Answer:
    """Drops characters beyond the first plane."""
    return honest(asked, texts(lambda text: "".join(sign for sign in text if ord(sign) < 0x10000) or (text and "?")))


@mutant("client.parameters-intact")
def composes_accents(asked: Asked) -> Answer:
    """Brings texts into the composed form of Unicode."""
    return honest(asked, texts(lambda text: unicodedata.normalize("NFKC", text)))


@mutant("client.parameters-intact")
def takes_markup_away(asked: Asked) -> Answer:
    """Takes tags out of texts."""
    return honest(asked, texts(lambda text: re.sub(r"<[^>]*>", "", text)))


@mutant("client.parameters-intact")
def joins_lines(asked: Asked) -> Answer:
    """Makes one line of a text."""
    return honest(asked, texts(lambda text: " ".join(text.splitlines())))


@mutant("client.parameters-intact")
def takes_at_for_a_file(asked: Asked) -> Answer:
    """Takes a text that begins with @ for the name of a file."""
    return honest(asked, texts(lambda text: "" if text.startswith("@") else text))


@mutant("client.parameters-intact")
def drops_zero(asked: Asked) -> Answer:
    """Leaves out what is 0 or "0"."""
    return honest(asked, lambda params: {name: value for name, value in params.items() if value not in (0, "0")})


@mutant("client.parameters-intact")
def makes_numbers_of_digits(asked: Asked) -> Answer:
    """Sends a text of digits as a number."""
    return honest(asked, lambda params: {name: _as_number(value) for name, value in params.items()})


def _as_number(value: Json) -> Json:
    return int(value) if isinstance(value, str) and value.isdecimal() else value


@mutant("client.parameters-intact")
def sends_the_rating_as_truth(asked: Asked) -> Answer:
    """Sends whether there is a rating in place of the rating."""
    return honest(
        asked, lambda params: {**params, "RATING": bool(params["RATING"])} if params.get("RATING") else params
    )


@mutant("client.parameters-intact")
def sends_the_comment_as_a_list(asked: Asked) -> Answer:
    """Posts a form with COMMENT[]."""
    pairs = {f"{name}[]" if name == "COMMENT" and value else name: str(value) for name, value in given(asked).items()}
    return read(post(asked, data=pairs))


@mutant("client.parameters-intact")
def sends_names_in_lower_case(asked: Asked) -> Answer:
    """Sends session_id, rating, comment."""
    return honest(asked, lambda params: {name.lower(): value for name, value in params.items()})


@mutant("client.parameters-intact")
def puts(asked: Asked) -> Answer:
    """Puts instead of posting: the portal does not look into the body of a PUT."""
    return read(httpx.put(asked["url"] + METHOD, json=given(asked), timeout=10))


@mutant("client.parameters-intact")
def escapes_a_batch_once_too_few(asked: Asked) -> Answer:
    """Joins the item of a batch without escaping it."""
    command = f"{METHOD}?" + "&".join(f"{name}={value}" for name, value in given(asked).items())
    return read_item(post(asked, method="batch", data={"cmd[0]": command}))


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


@mutant("client.parameters-intact")
def refuses_what_is_not_ascii(asked: Asked) -> Answer:
    """Refuses texts that are not ASCII, without sending anything."""
    return honest(asked, texts(lambda text: text.encode("ascii").decode()))


@mutant("client.omitted-stays-omitted")
def writes_none(asked: Asked) -> Answer:
    """Writes what was left out as the text None."""
    return _form(
        asked, (f"{name}={quote(str(asked['params'].get(name)))}" for name in ("SESSION_ID", "RATING", "COMMENT"))
    )


@mutant("client.omitted-stays-omitted")
def sends_0_for_no_rating(asked: Asked) -> Answer:
    """Sends RATING 0 where none was given."""
    return honest(asked, lambda params: {"RATING": 0, **params})


@mutant("client.omitted-stays-omitted")
def sends_the_last_comment_again(asked: Asked) -> Answer:
    """Sends the comment of an earlier call where none was given."""

    def change(params: Params) -> Params:
        _last.update({name: value for name, value in params.items() if name == "COMMENT"})
        return {**_last, **params}

    return honest(asked, change)


_last: Params = {}


# What comes back


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


@mutant("client.secret-kept")
def prints_the_url(asked: Asked) -> Answer:
    """Prints each URL that it calls."""
    print("POST", asked["url"] + METHOD, file=sys.stderr)
    return honest(asked)


@mutant("client.secret-kept")
def raises_with_the_url(asked: Asked) -> Answer:
    """Puts the URL into the text of its exceptions."""
    answer = honest(asked)
    return {"exception": f"no answer from {asked['url']}"} if "exception" in answer else answer


@mutant("client.secret-kept")
def describes_errors_with_the_url(asked: Asked) -> Answer:
    """Puts the URL into the description of an error."""
    answer = honest(asked)
    return {"error": {**answer["error"], "description": asked["url"]}} if "error" in answer else answer


@mutant("client.secret-kept")
def sends_the_secret_in_a_header(asked: Asked) -> Answer:
    """Sends the URL of the webhook as the header Referer."""
    try:
        return read(post(asked, json=given(asked), headers={"Referer": asked["url"]}))
    except (httpx.HTTPError, ValueError) as error:
        return {"exception": type(error).__name__}


# What an earlier call changes


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


# Values that a language takes for others


@mutant("client.omitted-stays-omitted")
def sends_the_empty_text_as_0(asked: Asked) -> Answer:
    """Sends an empty rating as 0."""
    return honest(asked, lambda params: {**params, "RATING": 0} if params.get("RATING") == "" else params)


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


@mutant("client.parameters-intact")
def composes_accents_only(asked: Asked) -> Answer:
    """Brings texts into the form NFC."""
    return honest(asked, texts(lambda text: unicodedata.normalize("NFC", text)))


@mutant("client.parameters-intact")
def cuts_in_the_middle_of_a_character(asked: Asked) -> Answer:
    """Cuts texts after 300 bytes."""
    return honest(asked, texts(lambda text: text.encode()[:300].decode(errors="replace")))


@mutant("client.parameters-intact")
def cuts_at_16_000_bytes(asked: Asked) -> Answer:
    """Cuts texts after 16,000 bytes: no text of ASCII that a portal must accept is as long."""
    return honest(asked, texts(lambda text: text.encode()[:16_000].decode(errors="replace")))


@mutant("client.parameters-intact")
def escapes_percent_twice(asked: Asked) -> Answer:
    """Writes % in a text as %25 before it is encoded."""
    return honest(asked, texts(lambda text: text.replace("%", "%25")))


@mutant("client.parameters-intact")
def dies_of_an_emoji(asked: Asked) -> Answer:
    """Ends the program where a text goes beyond the first plane."""
    if any(ord(sign) >= 0x10000 for sign in str(asked["params"].get("COMMENT"))):
        sys.exit("not a character")
    return honest(asked)


@mutant("client.parameters-intact")
def cannot_send_blanks(asked: Asked) -> Answer:
    """Fails before it sends a text with a blank."""
    return honest(asked) if " " not in str(asked["params"].get("COMMENT")) else {"exception": "InvalidURL"}


@mutant("client.error-code")
def writes_codes_in_lower_case(asked: Asked) -> Answer:
    """Reports ACCESS_DENIED as access_denied."""
    answer = honest(asked)
    return {"error": {"code": answer["error"]["code"].lower()}} if "error" in answer else answer


# How an answer travels, and from whom


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


@mutant("client.tls")
def does_not_check_certificates(asked: Asked) -> Answer:
    """Trusts every server."""
    try:
        return read(httpx.post(asked["url"] + METHOD, json=given(asked), verify=False, timeout=10))  # noqa: S501
    except (httpx.HTTPError, ValueError) as error:
        return {"exception": type(error).__name__}


def never_returns(_asked: Asked) -> Answer:
    """For the test of the cap."""
    while True:
        Event().wait()


def ends_the_program(_asked: Asked) -> Answer:
    """For the test of a broken adapter."""
    sys.exit("the adapter is broken")


def one_line(asked: Asked) -> Answer:
    """For the test of a program that answers once and ends."""
    answer = honest(asked)
    print(json.dumps(answer), file=sys.__stdout__, flush=True)
    sys.exit(0)


def hangs_on_expired_token(asked: Asked) -> Answer:
    """For the test of one hang."""
    answer = honest(asked)
    return never_returns(asked) if answer.get("error", {}).get("code") == "expired_token" else answer


def retries_for_ever_and_hangs_on_expired_token(asked: Asked) -> Answer:
    """For the test of a hang that is not known beside one that is."""
    answer = retries_for_ever(asked)
    return never_returns(asked) if answer.get("error", {}).get("code") == "expired_token" else answer


def hangs_on_errors(asked: Asked) -> Answer:
    """For the test of a library that hangs on every error."""
    answer = honest(asked)
    return never_returns(asked) if "error" in answer else answer


def hangs_on_one_text(asked: Asked) -> Answer:
    """For the test of a call that is lost."""
    answer = honest(asked)
    return never_returns(asked) if asked["params"].get("COMMENT") == "{}" else answer


def hangs_on_four(asked: Asked) -> Answer:
    """For the test of a kind of value of which all calls are lost."""
    answer = honest(asked)
    return never_returns(asked) if asked["params"].get("RATING") == 4 else answer
