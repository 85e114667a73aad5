"""Client libraries that show the secret, or trust whom nobody trusts."""

import sys

import httpx

from conformance.exchange.call import METHOD
from conformance.selfcheck.client_parts import SHORT_SECONDS, Answer, Asked, given, honest, mutant, post, read


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


@mutant("client.secret-kept")
def names_the_url_that_did_not_answer(asked: Asked) -> Answer:
    """Puts the URL into the text of a time-out."""
    try:
        return read(post(asked, json=given(asked), timeout=SHORT_SECONDS))
    except httpx.TimeoutException:
        return {"exception": f"no answer in time from {asked['url']}"}
    except (httpx.HTTPError, ValueError) as error:
        return {"exception": type(error).__name__}


@mutant("client.tls")
def does_not_check_certificates(asked: Asked) -> Answer:
    """Trusts every server."""
    try:
        return read(httpx.post(asked["url"] + METHOD, json=given(asked), verify=False, timeout=10))  # noqa: S501
    except (httpx.HTTPError, ValueError) as error:
        return {"exception": type(error).__name__}
