"""Equivalence classes of SESSION_ID, RATING and COMMENT, with the boundary values and the strategy of each class.

A strategy is built when a caller reads it, so that this module loads without Hypothesis.
"""

import re
import string
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

from conformance.exchange.call import ABSENT, ClassifiedValue, Json

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

LONGEST_URL: Final = 2_000
"""In characters. Servers and proxies may refuse a longer URL before the portal sees the call."""
LONGEST_COMMENT: Final = 1_000
"""In UTF-16 units. A portal must accept comments up to this length; the pages are silent on longer ones."""

Draw = Callable[[ModuleType], Any]
"""A function that builds a strategy from the module `hypothesis.strategies`."""


@dataclass(frozen=True, slots=True)
class EquivalenceClass:
    """Values that the contract treats alike.

    name: the class as clauses, deviation files and reports name it.
    core_values: a few values, sent in every mode.
    extra_boundaries: further boundary values, sent only where calls are cheap.
    draw: builds the strategy for other values of the class; None if the boundary values are the whole class.
    """

    name: str
    core_values: tuple[Json, ...]
    extra_boundaries: tuple[Json, ...] = ()
    draw: Draw | None = None

    @property
    def boundaries(self) -> tuple[Json, ...]:
        """Return all boundary values, the core values first."""
        return self.core_values + self.extra_boundaries

    @property
    def strategy(self) -> "SearchStrategy[Json] | None":
        """Return a new strategy for further values, or None if the boundary values are the whole class."""
        if self.draw is None:
            return None
        # Hypothesis takes longer to import than all else that most commands need.
        from hypothesis import strategies  # noqa: PLC0415

        strategy: SearchStrategy[Json] = self.draw(strategies)
        return strategy


def needs_json(pick: ClassifiedValue) -> bool:
    """Return True if only a JSON body can carry the value without doubt: in a form every value is a text."""
    by_class = pick.cls in ("digits", "digits-outside", "control", "number", OVERFLOW)
    is_word = pick.cls == "text" and pick.value in WORDS_FOR_NOTHING
    return by_class or is_word or pick.value is None or isinstance(pick.value, bool | list | dict)


def _by_name(*classes: EquivalenceClass) -> dict[str, EquivalenceClass]:
    return {entry.name: entry for entry in classes}


# Some language reads these words as a number or as a missing value, so they are not drawn as plain words.
_WORDS_READ_AS_VALUES = {"nan", "inf", "infinity", "null", "none", "nil", "undefined", "true", "false"}
WORDS_FOR_NOTHING: Final = ("null", "None", "undefined")
"""In JSON they are texts as any other. In a form a correct portal may take them for a missing value."""
_LETTERS = string.ascii_letters + "бжщÄéñ"


def _draw_words(st: ModuleType) -> Any:
    return st.text(_LETTERS, min_size=1, max_size=8).filter(lambda word: word.lower() not in _WORDS_READ_AS_VALUES)


def _draw_fractions(st: ModuleType) -> Any:
    parts = st.sampled_from((0.5, 0.25, 0.75, 0.125, 0.9, 0.1))
    return st.builds(lambda whole, part: whole + part, st.integers(0, 9), parts)


NOT_SENT: Final = EquivalenceClass("absent", (ABSENT,))
EMPTY: Final = EquivalenceClass("empty", ("",))
NULL: Final = EquivalenceClass("null", (None,))

RATINGS: Final[Mapping[str, EquivalenceClass]] = _by_name(
    NOT_SENT,
    EMPTY,
    NULL,
    *(EquivalenceClass(str(stars), (stars,)) for stars in range(1, 6)),
    EquivalenceClass("zero", (0,)),
    # 259 and 2**32 + 3 are 3 to a portal that keeps eight or 32 bits.
    EquivalenceClass(
        "above",
        (6, 7, 2**32 + 3),
        (8, 9, 10, 11, 50, 55, 99, 100, 259, 2**31, 2**63, 2**64 + 3),
        lambda st: st.integers(6, 2**64),
    ),
    EquivalenceClass(
        "negative",
        (-1,),
        (-2, -3, -4, -5, -6, -253, -(2**31), 3 - 2**32),
        lambda st: st.integers(-(2**63), -1).map(int),
    ),
    EquivalenceClass("fraction", (2.5,), (0.5, 1.5, 3.5, 4.5, 5.5, 4.9, 0.1, 1.001, "2.5"), _draw_fractions),
    EquivalenceClass("text", ("abc",), ("five", "x", *WORDS_FOR_NOTHING), _draw_words),
    EquivalenceClass("boolean", (True, False)),
    EquivalenceClass("list", ([5],), ([1, 2], ["5"]), lambda st: st.lists(st.integers(1, 5), min_size=1, max_size=3)),
    EquivalenceClass(
        "object",
        ({"a": 5},),
        ({"value": 3},),
        lambda st: st.dictionaries(_draw_words(st), st.integers(1, 5), min_size=1, max_size=2),
    ),
    EquivalenceClass("digits", ("1", "2", "3", "4", "5")),
    EquivalenceClass(
        "digits-outside",
        ("6", "0", "-1"),
        ("7", "10", "-5", "259", "-0", str(2**32 + 5), str(2**64 + 5)),
        lambda st: st.integers(6, 10**6).map(str),
    ),
)
STARS: Final = ("1", "2", "3", "4", "5")
NOT_WHOLE_RATINGS: Final = ("fraction", "text", "boolean", "list", "object")
OUTSIDE: Final = ("above", "zero", "negative")

_PUNCTUATION: Final = string.punctuation + "«»№§©€—…"


def is_judged_text(text: str) -> bool:
    """Return True if comment.any-text judges this text.

    Such a text is visible, has one line of at most LONGEST_COMMENT units, and holds nothing that a portal may refuse.
    """
    kinds = [unicodedata.category(character) for character in text]
    return (
        1 <= len(text.encode("utf-16-le", "surrogatepass")) // 2 <= LONGEST_COMMENT
        # At least one letter, number, punctuation mark or symbol: blanks alone may count as an empty comment.
        and any(kind[0] in "LNPS" for kind in kinds)
        # No surrogates, no unassigned characters, no control characters, no line ends of any kind.
        and not any(kind in ("Cs", "Cn", "Cc", "Zl", "Zp") for kind in kinds)
        # PHP takes "0" for an empty text, so this comment has a clause of its own.
        and text != "0"
    )


def _draw_texts_of(alphabet: str, longest: int = 24) -> Draw:
    return lambda st: st.text(alphabet, min_size=1, max_size=longest).filter(is_judged_text)


def _draw_lines(st: ModuleType) -> Any:
    # A lone CR is left out: if a CRLF follows, a portal that turns CRLF into LF stores another text.
    parts = st.sampled_from(("a", "b", " ", ".", "\n", "\t", "\r\n"))
    texts = st.lists(parts, min_size=1, max_size=24).map("".join)
    return texts.filter(lambda text: is_judged_text(re.sub(r"[\t\r\n]", " ", text)))


def _draw_any_texts(st: ModuleType) -> Any:
    characters = st.characters(exclude_categories=("Cs", "Cc", "Cn", "Zl", "Zp"))
    return st.text(characters, min_size=1, max_size=16).filter(is_judged_text)


def _draw_long_texts(st: ModuleType) -> Any:
    seeds = _draw_texts_of("abж😀.&+", 3)(st)
    texts = st.builds(lambda size, seed: (seed * size)[:size], st.integers(101, LONGEST_COMMENT), seeds)
    return texts.filter(is_judged_text)


COMMENTS: Final[Mapping[str, EquivalenceClass]] = _by_name(
    NOT_SENT,
    EMPTY,
    NULL,
    EquivalenceClass(
        "plain",
        ("Well done",),
        (
            "a",
            "5",
            "42",
            " outer blanks ",
            "NULL",
            "null",
            "None",
            "true",
            "false",
            "undefined",
            "NaN",
        ),
    ),
    EquivalenceClass(
        "special",
        (
            'a&b=c&RATING=1+1 100%25 %41#x?y;z <script>"it\'s"</script> &lt; http://a.b/?c=d %s %d é Ж 😀.',
            f"{string.punctuation} «»№§©€—…",
        ),
        (
            *(f"a{sign}b" for sign in _PUNCTUATION),
            *("&", "=", "+", "%", "#", "'", '"', "\\", "<", ">", "/", "?", "-", "."),
            '<b>"it\'s"</b> <script>alert(1)</script> &amp; &lt;',
            "a+b c%20d%2Bd",
            "50% off 100%",
            "%zz %u0041 %00",
            "\\u0041 \\n \\\\ \\x41 \\0",
            "'; DROP TABLE b_imopenlines; --",
            "{{7*7}} ${x} #{x} %s %d {0}",
            "[]",
            "{}",
            '{"result": true}',
            "a  b   c",
            "[b]bold[/b]",
            "http://example.com/?a=1&b=2#c",
            "=1+1",
            "-1",
            "00",
        ),
        _draw_texts_of(_PUNCTUATION + "aZ 09"),
    ),
    EquivalenceClass(
        "lines",
        ("first\nsecond é Ж 😀\r\nthird\tend",),
        ("a\nb", "a\r\nb", "a\rb", "a\tb", "a\n\nb"),
        _draw_lines,
    ),
    EquivalenceClass(
        "unicode",
        ("Спасибо, отлично! שלום עולם مرحبا e\u0301 naïve 中文 ไทย हिन्दी",),
        (
            "Ж",
            "Отлично",
            "Ещё ёж, її, Łódź, çığ, řeka, ső, ț",
            "שלום",
            "\u202eright to left\u202c",
            "مرحبا بالعالم",
            "cafe\u0301",
            "a\u0301\u0302\u0303",
            "\u1112\u1161\u11ab",
            "ﬁ ligature",
            "ıİßſ",
            "中文评论",
            "日本語",
            "한국어",
            "a\u200bb\u200db",
            "x\u00a0y",
            "“quoted” ‘so’",
            "½ Ⅷ ٣",
            "€",
            "\u00ad-",
            "\ufeff-mark",
        ),
        _draw_any_texts,
    ),
    EquivalenceClass(
        "emoji",
        ("👍🏽 👨‍👩‍👧‍👦 🇩🇪 😀 𝒳 𠜎",),
        ("😀", "a😀b", "❤️", "🏳️‍🌈", "𝔘𝔫𝔦", "𐍈", "𠜎𠜱", "1️⃣"),
        _draw_texts_of("😀👍🏽❤🇩🇪🎉𝒳𠜎𐍈 ab"),
    ),
    EquivalenceClass(
        "long",
        (("Отлично … " * 100)[:999] + "!",),
        (
            "x" * LONGEST_COMMENT,
            # An emoji has two units of UTF-16.
            "Отлично 👍 " * 90,
            "y" * 255,
            "y" * 256,
            "z" * 257,
            "a" * 500,
            "b" * 501,
            "c" * 999,
            "ж" * 256,
            "ж" * 1000,
            "😀" * 64,
            "😀" * 500,
            "word " * 199 + "end",
        ),
        _draw_long_texts,
    ),
    EquivalenceClass("zero-text", ("0",)),
    EquivalenceClass("blank", (" \t\n\u00a0\u2003", "\u200b", "\u0301"), (" ", "\u2003")),
    EquivalenceClass("control", ("a\u0000b",), ("a\u0007b", "a\u2028b\u2029c")),
    EquivalenceClass("oversize", ("x" * 10_001,), ("x" * 10_000,)),
    EquivalenceClass("number", (7,), (0, 1.5)),
    EquivalenceClass("boolean", (True,), (False,)),
    EquivalenceClass("list", (["a"],)),
    EquivalenceClass("object", ({"a": "b"},)),
)
TEXTS: Final = ("plain", "special", "unicode", "emoji", "long")
"""The classes of texts of one line."""
ALL_TEXTS: Final = (*TEXTS, "lines")
FILLED: Final = (*ALL_TEXTS, "zero-text")
NOT_FILLED: Final = ("absent", "empty", "null")
OTHER_TYPES: Final = ("number", "boolean", "list", "object")
UNJUDGED_COMMENTS: Final = ("blank", "control", "oversize", *OTHER_TYPES)

LETTERS: Final = "abc"
"""A text that no portal takes for the id of a session."""
OVERFLOW: Final = "overflow"
"""The class of ids that a portal takes for the rateable one if it keeps 32 or 64 bits."""
STATES: Final = ("rateable", "forbidden", "not_open_line", "unknown", "open")
READ_BACK_SESSIONS: Final = ("rateable", "digits")
"""The classes of SESSION_ID that name the session whose vote is read back."""
DENIED_STATES: Final = ("forbidden", "not_open_line", "unknown")
NOT_WHOLE_SESSIONS: Final = ("text", "fraction", "boolean", "list", "object")
BAD_SESSIONS: Final = ("absent", "empty", "null", "zero", "negative", *NOT_WHOLE_SESSIONS)


def session_classes(sessions: Mapping[str, int], live: bool) -> dict[str, EquivalenceClass]:
    """Return the classes of SESSION_ID for the sessions of a target.

    sessions: session ids by state; a state that is missing has no class.
    live: True if real votes are at stake. Then every bad value is built from the rateable id, so that a portal that
        casts the value to a number finds no other session.
    """
    own = sessions["rateable"]
    negative = EquivalenceClass("negative", (-own,))
    text = EquivalenceClass("text", (LETTERS, f"{own}abc"))
    boolean = EquivalenceClass("boolean", (False,))
    fraction = EquivalenceClass("fraction", (own + 0.5,))
    overflow: tuple[EquivalenceClass, ...] = ()
    if not live:
        overflow = (EquivalenceClass(OVERFLOW, (2**32 + own,), (2**64 + own, str(2**32 + own))),)
        negative = EquivalenceClass("negative", (-own, -1), (-2, -(2**31)), lambda st: st.integers(-(2**31), -1))
        text = EquivalenceClass("text", (LETTERS, f"{own}abc"), ("x", f"abc{own}", *WORDS_FOR_NOTHING), _draw_words)
        boolean = EquivalenceClass("boolean", (False, True))
        fraction = EquivalenceClass(
            "fraction",
            (own + 0.5,),
            (0.5, own + 0.1, f"{own}.5"),
            lambda st: _draw_fractions(st).map(lambda part: own + part),
        )
    return _by_name(
        NOT_SENT,
        EMPTY,
        NULL,
        EquivalenceClass("zero", (0,)),
        negative,
        text,
        fraction,
        boolean,
        EquivalenceClass("list", ([own],)),
        # The real portal reads the key ID.
        EquivalenceClass("object", ({"ID": own},), ({"a": own},)),
        *overflow,
        EquivalenceClass("digits", (str(own),)),
        *(EquivalenceClass(state, (number,)) for state, number in sessions.items()),
    )
