import subprocess
import sys
import threading

import pytest

from jubatus._core.regex.regex import Regex
from jubatus.errors import ConfigError

A = "あ".encode()


@pytest.mark.parametrize(
    ("pattern", "text", "at", "length"),
    [
        # Anchored at the offset, need not reach the end.
        (b"foo", b"foobar", 0, 3),
        (b"o", b"foo", 0, None),
        (b"o", b"foo", 1, 1),
        (b"", b"", 0, 0),
        (b"", b"foo", 3, 0),
        (b"a\0b", b"a\0bc", 0, 3),
        # ^ is the start of the text, $ the end or before a last newline.
        (b"^b", b"a\nb", 2, None),
        (b"^a", b"a\nb", 0, 1),
        (b"a$", b"a", 0, 1),
        (b"a$", b"a\n", 0, 1),
        (b"a$", b"a\nb", 0, None),
        (b"a$", b"a\n\n", 0, None),
        (rb"a\Z", b"a\n", 0, 1),
        (rb"a\z", b"a\n", 0, None),
        # (?m) makes ^ and $ match at lines, (?s) makes . match a newline.
        (b"(?m)^b", b"a\nb", 2, 1),
        (b"(?m)a$", b"a\nb", 0, 1),
        (b"(?m).", b"\n", 0, None),
        (b".", b"\n", 0, None),
        (b"(?s).", b"\n", 0, 1),
        (b"(?i)ABC", b"aBc", 0, 3),
        (b"a(?i:B)c", b"abC", 0, None),
        # Perl's extras.
        (b"a++a", b"aaa", 0, None),
        (b"a+?", b"aaa", 0, 1),
        (rb"\Qa.b\Ec", b"a.bc", 0, 4),
        (rb"\Qa.b\E", b"axb", 0, None),
        (b"a(?=b)", b"ab", 0, 1),
        (b"a(?!b)", b"ab", 0, None),
        (b"(?<=a)b", b"ab", 1, 1),
        (b"(?<!a)b", b"ab", 1, None),
        (rb"(a|b)\1", b"bb", 0, 2),
        (rb"\h", b"h", 0, 1),
        (rb"\h", b"a", 0, None),
        # Accepted oddities.
        (b"a**", b"aaa", 0, 3),
        (b"{", b"{", 0, 1),
        (b"a{", b"a{", 0, 2),
        # Unicode classes.
        (rb"\d", "５".encode(), 0, 3),
        (rb"\s", "\u3000".encode(), 0, 3),
        (rb"\w+", "かな漢字ー".encode(), 0, 15),
        ("[あ-ん]+".encode(), "かなX".encode(), 0, 6),
        (b"(?i)\xc3\x89", b"\xc3\xa9", 0, 2),
        # A continuation byte is one character that is no word character.
        (b".", A, 0, 3),
        (b".", A, 1, 1),
        (b".", A, 2, 1),
        (b"[^a]", A, 1, 1),
        (rb"\w", A, 0, 3),
        (rb"\w", A, 1, None),
        (rb"\w", A, 2, None),
        (rb"\W", A, 0, None),
        (rb"\W", A, 1, 1),
        # A text that ends inside a character: no result lies behind the end.
        (b"[^a]", b"\xf0", 0, 1),
        (b"[^a]", b"x\xe3\x81", 1, 2),
        (b".", b"\xe3", 0, None),
    ],
)
def test_match(pattern: bytes, text: bytes, at: int, length: int | None) -> None:
    spans = Regex(pattern).match(text, at)
    assert spans is None if length is None else spans is not None and spans[0] == (at, at + length)


@pytest.mark.parametrize(
    "pattern",
    [
        b"(", b")", b"[", b"*a", b"?", b"+", b"a{2,1}", b"[z-a]", b"\\", b"(?<n>a)", b"(?P<n>a)", b"\xff", b"\xe3\x81",
    ],
)  # fmt: skip
def test_refuses_a_wrong_expression(pattern: bytes) -> None:
    with pytest.raises(ConfigError) as caught:
        Regex(pattern)
    assert caught.value.messages == (f"invalid regular expression: {pattern.decode(errors='backslashreplace')}",)


def test_groups() -> None:
    assert Regex(b"a").groups == 0
    assert Regex(b"(a)|(b)(?:c)").groups == 2
    assert Regex(b"(a)|(b)").match(b"b") == [(0, 1), (-1, -1), (0, 1)]
    assert Regex(b"(.)(.)").match("xaあ".encode(), 1) == [(1, 5), (1, 2), (2, 5)]
    assert Regex(b"()b|a").match(b"a") == [(0, 1), (-1, -1)]


def test_many_groups() -> None:
    regex = Regex(b"(a)" * 40)
    assert (regex.groups, regex.slots) == (40, 41)
    assert regex.match(b"a" * 41, 1) == [(1, 41)] + [(i, i + 1) for i in range(1, 41)]
    assert Regex(b"(a)").slots == 10


def test_spans_stay_inside_the_text() -> None:
    assert Regex(b"([^a])()").match(b"x\xf0", 1) == [(1, 2), (1, 2), (2, 2)]


@pytest.mark.parametrize("at", [-1, 4])
def test_refuses_an_offset_outside(at: int) -> None:
    with pytest.raises(ValueError, match="outside of 3 bytes"):
        Regex(b"a").match(b"aaa", at)


def test_gives_up_on_endless_backtracking() -> None:
    with pytest.raises(RuntimeError, match="gave up"):
        Regex(b"(?i)(a+)+$").match(b"a" * 40 + b"c")


def test_equality() -> None:
    assert Regex(b"a") == Regex(b"a") != Regex(b"b")
    assert len({Regex(b"a"), Regex(b"a")}) == 1
    assert Regex(b"a") != b"a"
    assert Regex(b"a").pattern == b"a"
    assert repr(Regex(b"a")) == "Regex(b'a')"


def test_compiles_only_once() -> None:
    regex = Regex(b"a")
    with pytest.raises(RuntimeError):
        regex.__init__(b"b")
    assert regex.match(b"a") == [(0, 1)]


def test_failed_regex_can_be_dropped() -> None:
    regex = Regex.__new__(Regex)
    with pytest.raises(ConfigError):
        regex.__init__(b"(")
    with pytest.raises(TypeError):
        Regex("a")  # type: ignore[arg-type]
    del regex


def test_threads_share_an_expression() -> None:
    regex = Regex(b"(a+)(b+)")
    wrong = []

    def work(count: int) -> None:
        text = b"a" * count + b"b" * count
        for _ in range(2000):
            spans = regex.match(text)
            if spans != [(0, 2 * count), (0, count), (count, 2 * count)]:
                wrong.append(spans)

    threads = [threading.Thread(target=work, args=(count,)) for count in (1, 20, 300)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_import_loads_no_library() -> None:
    code = "import sys, jubatus._core.regex.regex; sys.exit('_onigurumacffi' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=60, check=False).returncode == 0
