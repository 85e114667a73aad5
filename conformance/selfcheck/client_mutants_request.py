"""Client libraries that lie about what they send."""

import re
import sys
import unicodedata
from collections.abc import Iterable
from urllib.parse import quote, quote_plus, unquote

import httpx

from conformance.exchange.call import METHOD, Json
from conformance.selfcheck.client_parts import Answer, Asked, given, honest, mutant, post, read, read_item, texts


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
def sends_the_empty_text_as_0(asked: Asked) -> Answer:
    """Sends an empty rating as 0."""
    return honest(asked, lambda params: {**params, "RATING": 0} if params.get("RATING") == "" else params)


@mutant("client.parameters-intact")
def composes_accents_only(asked: Asked) -> Answer:
    """Brings texts into the form NFC."""
    return honest(asked, texts(lambda text: unicodedata.normalize("NFC", text)))


@mutant("client.parameters-intact")
def writes_one_letter_for_another(asked: Asked) -> Answer:
    """Leaves the dots of ё away."""
    return honest(asked, texts(lambda text: text.replace("ё", "\u0435")))


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
def dies_of_0(asked: Asked) -> Answer:
    """Ends the program where the comment is "0"."""
    if asked["params"].get("COMMENT") == "0":
        sys.exit("no comment")
    return honest(asked)


@mutant("client.parameters-intact")
def cannot_send_blanks(asked: Asked) -> Answer:
    """Fails before it sends a text with a blank."""
    return honest(asked) if " " not in str(asked["params"].get("COMMENT")) else {"exception": "InvalidURL"}
