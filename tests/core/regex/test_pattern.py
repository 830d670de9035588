"""Expressions that are run here match what the library matches, in a number of steps that is linear in the text."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from jubatus._core.regex.regex import Regex
from jubatus.errors import ConfigError

CHARACTERS = [
    "a", "b", "<", ">", " ", r"\n", ".", r"\w", r"\W", r"\d", r"\D", r"\s", r"\S", "[^>]", "[ab]", "[^ab]", "[a-c<]", r"[\w-]",
    r"[^\s]", r"\.", "é", "あ", "[あ-ん]", "[^あ]", r"\<", "[^\\n]", r"[\d.]",
]  # fmt: skip
QUANTIFIERS = ["", "", "", "*", "+", "?", "*?", "+?", "??", "{2}", "{1,3}", "{2,}", "++", "*+"]
PLACES = ["^", "$", r"\A", r"\z", r"\Z"]


def repeated(atoms: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.tuples(atoms, st.sampled_from(QUANTIFIERS)).map("".join)


one = repeated(st.sampled_from(CHARACTERS))
row = st.lists(one | st.sampled_from(PLACES), min_size=1, max_size=5).map("".join)


def grouped(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    choice = st.lists(inner, min_size=1, max_size=3).map("|".join)
    group = repeated(choice.map("({})".format) | choice.map("(?:{})".format))
    return st.lists(group | inner, min_size=1, max_size=3).map("".join) | choice


patterns = st.recursive(row, grouped, max_leaves=8)
referring = st.tuples(patterns, patterns, st.sampled_from([r"\1", r"\2", r"(?:\1)"])).map("({0[0]}){0[2]}{0[1]}".format)

PIECES = [
    *(bytes([c]) for c in b"aabb<<>> \n.0\xe3\x81\x82\x80\xf0\xc3\xc0\xff\xaa"),
    "é".encode(),
    "あ".encode(),
    "😀".encode(),
]
texts = st.lists(st.sampled_from(PIECES), max_size=25).map(b"".join)


def compare(pattern: str, text: bytes) -> None:
    """Search with both; the library may give up where the own steps do not."""
    try:
        own = Regex(pattern.encode())
    except ConfigError:
        return
    try:
        want, _ = Regex(pattern.encode(), by_library=True).find(text)
    except RuntimeError:
        return
    found, _ = own.find(text)
    assert found == want


@given(patterns, texts)
@example("<[^>]*>", b"<a<b>c>")
@example("(a|ab)(b|)", b"abab")
@example("(?:(a)|b)*", b"abab")
@example("[^a]$", b"x\xe3\x81")
def test_matches_what_the_library_matches(pattern: str, text: bytes) -> None:
    compare(pattern, text)


@given(referring, texts)
@example(r"(a+)\1+", b"aaaaaaa")
def test_matches_what_the_library_matches_with_references(pattern: str, text: bytes) -> None:
    compare(pattern, text)


LINEAR = [
    ("<[^>]*>", "<"),
    ("<[^>]*>", "<a"),
    ("<[^>]*>", "<é"),
    ("<.*?>", "<"),
    ("<.*>", "<"),
    ("(a+)+$", "a"),
    ("(a|aa)+b", "a"),
    ("a*b[^X]", "a"),
    (r"\w+@\w+", "a"),
    ("(.*)x(.*)y", "x"),
    ("^.*z", "a"),
    (r"(\w+\s*)+;", "ab "),
    ("a?a?a?a*b", "a"),
    ("[^>]*>", "あ"),
    ("[^>]*>", "あ<"),
    ("(.)(.*)", "a"),
]


@pytest.mark.parametrize(("pattern", "piece"), LINEAR)
def test_steps_grow_with_the_text(pattern: str, piece: str) -> None:
    """Of texts for which the library takes quadratic time or worse."""
    regex = Regex(pattern.encode())
    assert regex.linear
    few, many = (regex.find((piece * n).encode())[1] for n in (5_000, 20_000))
    assert many <= 4.1 * few + 100
    assert many < 64 * 20_000


@pytest.mark.parametrize("pattern", [r"(?i)<[^>]*>", r"<(?=[^>]*>)", r"(?i)(a|aa)+b", r"(a+)\1+b"])
def test_other_expressions_have_a_bound(pattern: str) -> None:
    regex = Regex(pattern.encode())
    assert not regex.linear
    with pytest.raises(RuntimeError, match="gave up"):
        regex.find((b"<" if "<" in pattern else b"a") * 30_000)


@pytest.mark.parametrize("pattern", [r"(?i)hello(?= w)", r"\b\w+\b", r"(?<=a)b", r"(?i)[a-z]+", r"(\w)\1"])
def test_other_expressions_seldom_meet_it(pattern: str) -> None:
    text = b"Hello world, this is a BOOK about ab. " * 5000
    matches, steps = Regex(pattern.encode()).find(text)
    assert len(matches) >= 5000
    assert steps < 32 * len(text)


@pytest.mark.parametrize(
    "pattern",
    [r"\p{L}", "(?i)a", "(?<!a)b", "a(?!b)", r"\b", "(a*)*", "[[:alpha:]]", "[a&&b]", "a**", "{", "a{2}+", r"\G"],
)
def test_what_is_not_certain_is_left_to_the_library(pattern: str) -> None:
    assert not Regex(pattern.encode()).linear


@pytest.mark.parametrize("text", [b"\xe3", b"a\xf0", b"a\xe3\x81", "あ".encode()[:2] + b"\n"])
@pytest.mark.parametrize("pattern", ["$", "(?i)$", r"a*\z", r"(?i)a*\z"])
def test_the_end_is_tried_behind_half_a_character(pattern: str, text: bytes) -> None:
    regex = Regex(pattern.encode())
    assert regex.find(text)[0][-1] == [(len(text), len(text))]
