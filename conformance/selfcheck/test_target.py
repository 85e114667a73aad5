"""Target files: what is wrong, where, and what to do, in one line; and secrets that do not show."""

from pathlib import Path

import pytest

from conformance.errors import UserError
from conformance.exchange.call import Caller
from conformance.target.redact import Redactor
from conformance.target.secrets import Secret, SecretUrl
from conformance.target.target import load_target

pytestmark = pytest.mark.quick

VALID = """
name = "staging"
edition = "2026-03"
url = "https://example.com/rest/1/${B24_SECRET}/"
[sessions]
rateable = 494
unknown = 999999937
"""


@pytest.fixture(autouse=True)
def _secret_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("B24_SECRET", "hidden-value")


def _write(folder: Path, text: str) -> str:
    path = folder / "target.toml"
    path.write_text(text, "utf-8")
    return str(path)


def test_a_target_file_is_read(tmp_path: Path) -> None:
    target = load_target(_write(tmp_path, VALID))
    assert target.live
    assert target.callers[Caller.MAIN].value == "https://example.com/rest/1/hidden-value/"
    assert target.callers[Caller.WRONG_SECRET].value == "https://example.com/rest/1/not-the-webhook-secret/"
    assert Caller.SECOND not in target.callers
    assert "hidden-value" not in repr(target)
    assert target.callers[Caller.MAIN].shown == "https://***/rest/***/***/"


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('name = "staging"', "name =", "not valid TOML"),
        ('name = "staging"', "", "key 'name' is missing"),
        ('name = "staging"', 'name = "../up"', "name: use letters"),
        (
            'name = "staging"',
            'name = "a"\nnames = 1',
            "unknown key 'names', did you mean 'name'? the keys here are name, url, sessions",
        ),
        ('"2026-03"', '"2027-01"', "unknown edition '2027-01'"),
        ("https://example.com", "http://example.com", "plain http would show the secret"),
        ("https://example.com", "example.com", "not a base URL"),
        ("/rest/1/${B24_SECRET}/", "/rest/1/${B24_SECRET}/imopenlines.session.head.vote", "not a base URL"),
        ("/rest/1/${B24_SECRET}/", "/rest/1/${B24_SECRET}/rest/", "not a base URL"),
        ("B24_SECRET", "B24_UNSET", "the environment variable B24_UNSET is not set"),
        ("rateable = 494", 'rateable = "494"', "sessions.rateable: this must be a whole number, not a text"),
        ("rateable = 494", "rateable = 0", "sessions.rateable: this must be a whole number >= 1"),
        ("rateable = 494", "rateable = true", "sessions.rateable: this must be a whole number, not true or false"),
        ("rateable = 494", "forbidden = 494", "sessions: key 'rateable' is missing"),
        (
            "rateable = 494",
            "rateable = 494\nclosed = 1",
            "sessions: unknown key 'closed': the keys here are rateable, forbidden",
        ),
        ("rateable = 494", "rateable = 999999937", "the same id stands for two states"),
        ("[sessions]", 'not_offered = ["rating.whole-number"]\n[sessions]', "is part of the method"),
        ("[sessions]", 'not_offered = [["x"]]\n[sessions]', "not_offered 1: this must be a text, not a list"),
        ("[sessions]", 'not_offered = ["rating.holes"]\n[sessions]', "unknown clause 'rating.holes'"),
        ("[sessions]", 'not_offered = ["error.unknown-session"]\n[sessions]', "is part of the method"),
        ("[sessions]", '[callers]\ntoken = "x"\n[sessions]', "token_url and token go together"),
        ("[sessions]", '[callers]\ntokens = "x"\n[sessions]', "callers: unknown key 'tokens', did you mean 'token'?"),
        ("[sessions]", 'private = ["abc"]\n[sessions]', "private 1: this must be a text of length >= 4"),
        ("[sessions]", "[limit]\nburst = 0\n[sessions]", "limit.burst: this must be a whole number >= 1"),
        ("[sessions]", "[limit]\nper_second = nan\n[sessions]", "limit.per_second: this must be a number > 0"),
    ],
)
def test_a_fault_in_a_target_file_is_told_in_one_line(tmp_path: Path, old: str, new: str, told: str) -> None:
    with pytest.raises(UserError) as caught:
        load_target(_write(tmp_path, VALID.replace(old, new)))
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "hidden-value" not in str(caught.value)


def test_a_state_that_is_not_configured_may_be_left_out(tmp_path: Path) -> None:
    text = VALID.replace("[sessions]", 'not_offered = ["error.chat-type", "transport.scope"]\n[sessions]')
    assert load_target(_write(tmp_path, text)).not_offered == {"error.chat-type", "transport.scope"}


def test_a_secret_is_taken_out_in_every_spelling() -> None:
    redactor = Redactor.of([SecretUrl("https://example.com/rest/1/a+b/c=d\\e/")], [Secret("tok/en")])
    shown = redactor.text("plain c=d\\e, in JSON c=d\\\\e, percent-encoded c%3Dd%5Ce, token tok/en and tok%2Fen")
    assert shown == "plain ***, in JSON ***, percent-encoded ***, token *** and ***"
