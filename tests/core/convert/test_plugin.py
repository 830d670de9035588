"""What plugins return is taken over exactly, and what breaks the contract fails that conversion only."""

import math
import threading
from pathlib import Path
from typing import Any

import numpy
import pytest

from jubatus._core.convert.converter import Converter
from jubatus._core.services.classifier import Classifier
from jubatus._core.services.weight import Weight
from jubatus._core.wire import pack
from jubatus.errors import ModelError
from tests.core.calls import call

SOURCE = """
import time

class Plugin:
    commutative = False
    def __init__(self, p):
        self.result = eval(p["result"])
        name = p["kind"]
        setattr(self, name, self.call)
    def call(self, *args):
        return self.result(*args)

create = Plugin
"""
SECTIONS = {
    "split": "string", "extract_string": "string", "filter_string": "string_filter", "filter_number": "num_filter",
    "extract_number": "num", "extract_binary": "binary", "extract_pair": "combination",
}  # fmt: skip
DATUM = [[["k", "a bé"]], [["x", 2.0], ["y", 3.0]], [["b", b"\x00\xff"]]]
RULES: dict[str, dict[str, str]] = {
    "string": {"key": "*", "sample_weight": "tf", "global_weight": "bin"},
    "string_filter": {"key": "*", "suffix": "!"},
    "num_filter": {"key": "*", "suffix": "!"},
    "num": {"key": "*"},
    "binary": {"key": "*"},
    "combination": {"key_left": "*", "key_right": "*"},
}


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("plugins") / "given.py"
    path.write_text(SOURCE)
    return path


def config(file: Path, kind: str, result: str, **rule: str) -> dict[str, Any]:
    """Return a converter whose plugin calls the function of a source text."""
    section = SECTIONS[kind]
    made = {
        "method": "dynamic",
        "path": str(file),
        "function": "create",
        "kind": kind.partition("_")[0],
        "result": result,
    }
    rules: dict[str, Any] = {f"{section}_types": {"t": made}, f"{section}_rules": [{**RULES[section], "type": "t"}]}
    rules[f"{section}_rules"][0] |= rule
    if section == "string_filter":
        rules["string_rules"] = [{**RULES["string"], "key": "*!", "type": "str"}]
    if section == "num_filter":
        rules["num_rules"] = [{"key": "*!", "type": "num"}]
    if section == "combination":
        rules["num_rules"] = [{"key": "*", "type": "num"}]
    return rules


def features(file: Path, kind: str, result: str, datum: Any = DATUM, **rule: str) -> dict[bytes, float]:
    return dict(Converter(config(file, kind, result, **rule)).vector(pack(datum)))


@pytest.mark.parametrize(
    ("kind", "result", "expected"),
    [
        ("split", "lambda text: [(0, 1), (2, 2), (0, 1)]", {b"k$a@t#tf/bin": 2.0, "k$bé@t#tf/bin".encode(): 1.0}),
        ("split", "lambda text: [(4, 0)]", {b"k$@t#tf/bin": 1.0}),
        ("split", "lambda text: []", {}),
        ("extract_string", "lambda text: ((text, 1.5) for _ in 'ab')", {"k$a bé@t#tf/bin".encode(): 3.0}),
        ("extract_string", "lambda text: [['x', True], ('y', 0), ('z', -2)]", {b"k$x@t#tf/bin": 1.0, b"k$z@t#tf/bin": -2.0}),
        ("filter_string", "lambda text: text.upper() + '\\udcff'", {"k!$A BÉ".encode() + b"\xff@str#tf/bin": 1.0}),
        ("filter_number", "lambda number: number * 10", {b"x!@num": 20.0, b"y!@num": 30.0}),
        ("extract_number", "lambda key, number: [(key, number), ('é', 1)]", {b"x@t": 2.0, b"y@t": 3.0, "é".encode(): 1.0}),
        ("extract_binary", "lambda key, value: [(f'{key}{value!r}', len(value))]", {b"b@tb'\\x00\\xff'": 2.0}),
        (
            "extract_pair",
            "lambda key, left, right: [(key, left - right)]",
            {b"x@num": 2.0, b"y@num": 3.0, b"x@num&y@num/t": -1.0, b"y@num&x@num/t": 1.0},
        ),
    ],
)  # fmt: skip
def test_results(file: Path, kind: str, result: str, expected: dict[bytes, float]) -> None:
    assert features(file, kind, result) == expected


def test_any_bytes_reach_a_plugin_as_text_and_come_back(file: Path) -> None:
    raw = b"\xe3\x81\x82\xff\xe3\x81\x00\xed\xa0\x80"
    datum = [[["k", raw]], [], [[raw, raw]]]
    assert features(file, "split", "lambda text: [(i, 1) for i in (0, 1, 4)]", datum).keys() == {
        b"k$" + token + b"@t#tf/bin" for token in (b"\xe3\x81\x82", b"\xff", b"\x00")
    }
    assert features(file, "extract_string", "lambda text: [(text, 1)]", datum).keys() == {b"k$" + raw + b"@t#tf/bin"}
    assert features(file, "extract_binary", "lambda key, value: [(key, 1)]", datum).keys() == {raw + b"@t"}


def test_numbers_of_numpy_are_numbers(file: Path) -> None:
    assert numpy.float32(0.5) == 0.5
    result = "lambda key, n: [(key, __import__('numpy').float32(0.5))]"
    assert features(file, "extract_number", result) == {b"x@t": 0.5, b"y@t": 0.5}
    result = "lambda text: [(__import__('numpy').int64(0), __import__('numpy').uint8(1))]"
    assert features(file, "split", result) == {b"k$a@t#tf/bin": 1.0}


PAIRS = "instead of pairs"
WRONG = [
    ("split", "None", "'NoneType' object is not callable", "TypeError: "),
    ("split", "lambda text: None", f"split returned None {PAIRS}", ""),
    (
        "split",
        "lambda text: [(0, 5)]",
        "split returned the token (0, 5), which is outside of a text of 4 characters",
        "",
    ),
    (
        "split",
        "lambda text: [(-1, 1)]",
        "split returned the token (-1, 1), which is outside of a text of 4 characters",
        "",
    ),
    (
        "split",
        "lambda text: [(1, -1)]",
        "split returned the token (1, -1), which is outside of a text of 4 characters",
        "",
    ),
    (
        "split",
        "lambda text: [(2, 1 << 64)]",
        "which is outside of a text of 4 characters",
        "split returned the token (2, ",
    ),
    ("split", "lambda text: [(0.0, 1)]", "split returned (0.0, 1) instead of begin and length of a token", ""),
    ("split", "lambda text: text", "split returned 'a' instead of a pair", ""),
    ("split", "lambda text: [(0, 1, 2)]", "split returned (0, 1, 2) instead of a pair", ""),
    ("extract_string", "lambda text: {text: 1}", "extract returned 'a bé' instead of a pair", ""),
    ("extract_string", "lambda text: [(b'a', 1)]", "extract returned b'a' instead of the text of a token", ""),
    ("extract_string", "lambda text: [('a', '1')]", "extract returned '1' instead of a number", ""),
    ("extract_string", "lambda text: [('\\ud800', 1)]", "extract returned '\\ud800', which is no text", ""),
    ("filter_string", "lambda text: b''", "filter returned b'' instead of a text", ""),
    ("filter_string", "lambda text: 1 / 0", "ZeroDivisionError: division by zero", ""),
    ("filter_string", "lambda text: exit(3)", "SystemExit: 3", ""),
    ("filter_number", "lambda number: None", "filter returned None instead of a number", ""),
    ("filter_number", "lambda number: 10 ** 400", "OverflowError: int too large to convert to float", ""),
    ("extract_number", "lambda key, number: number", f"extract returned 2.0 {PAIRS}", ""),
    ("extract_number", "lambda key, number: [(1, 1)]", "extract returned 1 instead of the name of a feature", ""),
    ("extract_number", "lambda key, number: ((key, {}[key]) for _ in 'a')", "KeyError: 'x@t'", ""),
    ("extract_binary", "lambda key, value: [(key, value)]", "extract returned b'\\x00\\xff' instead of a number", ""),
    ("extract_pair", "lambda *args: args", "extract returned 'x@num&y@num/t' instead of a pair", ""),
]
KEYS = {"num": "x", "num_filter": "x", "binary": "b", "combination": "x@num&y@num/t"}


@pytest.mark.parametrize(("kind", "result", "cause", "before"), WRONG, ids=[f"{k} {r}" for k, r, *_ in WRONG])
def test_an_error_names_plugin_function_cause_and_key(
    file: Path, kind: str, result: str, cause: str, before: str
) -> None:
    converter = Converter(config(file, kind, result))
    for update in (False, True):
        with pytest.raises(ModelError) as refused:
            converter.vector(pack(DATUM), update=update)
        text = str(refused.value)
        assert text.startswith(f"plugin {file}, function create: {before}")
        assert text.endswith(f"{cause}: in the conversion of {KEYS.get(SECTIONS[kind], 'k')}")
    assert converter.vector(pack([[], [], []])) == []


@pytest.mark.parametrize("kind", sorted(SECTIONS))
def test_a_datum_that_fails_is_not_learned(file: Path, kind: str) -> None:
    """All that comes before the failure is undone, also what was counted for documents that came earlier."""
    result = "lambda *args: 1 / 0" if kind != "extract_pair" else "lambda key, *args: 1 / 0 if 'bad' in key else []"
    rules = config(file, kind, result, **({"key": "bad*"} if kind != "extract_pair" else {}))
    rules.setdefault("string_rules", []).append(
        {"key": "text", "type": "space", "sample_weight": "log_tf", "global_weight": "bm25"}
    )
    rules.setdefault("num_rules", []).append({"key": "*", "type": "num"})
    good = [[["text", "a b b"]], [["n", 1.0]], []]
    bad = [[["text", "b b c c d"], ["bad", "x"]], [["n", 2.0], ["bad", 1.0]], [["bad", b""]]]
    linear = {"method": "AROW", "parameter": {"regularization_weight": 1.0}}
    for distributed in (False, True):
        model: Any = Classifier({**linear, "converter": rules}, distributed=distributed)
        weight: Any = Weight({"converter": rules}, distributed=distributed)
        for _ in range(3):
            call(model, "train", [["a", good]])
            call(weight, "update", good)
            before = model.pack(), model.get_diff(), weight.pack(), weight.get_diff()
            snapshot = weight.snapshot()
            snapshot.take(1)
            for _ in range(2):
                with pytest.raises(ModelError, match="ZeroDivisionError"):
                    call(model, "train", [["b", bad]])
                with pytest.raises(ModelError, match="ZeroDivisionError"):
                    call(weight, "update", bad)
            assert (model.pack(), model.get_diff(), weight.pack(), weight.get_diff()) == before
            assert snapshot.take(1 << 40)
            assert snapshot.pack() == before[3]
        with pytest.raises(ModelError, match="ZeroDivisionError"):
            call(model, "classify", [bad])
        assert call(model, "train", [["b", good]]) == 1


@pytest.mark.parametrize(
    ("kind", "result", "rule"),
    [
        ("filter_number", "lambda number: number * float('inf')", {}),
        ("extract_string", "lambda text: [(text, float('nan'))]", {}),
        ("extract_string", "lambda text: [(text, -1.0)]", {"sample_weight": "log_tf"}),
        ("extract_number", "lambda key, number: [(key, float('-inf'))]", {}),
        ("extract_binary", "lambda key, value: [(key, float('nan'))]", {}),
        ("extract_pair", "lambda key, left, right: [(key, float('nan'))]", {}),
    ],
)
def test_what_is_not_finite_is_not_learned(file: Path, kind: str, result: str, rule: dict[str, str]) -> None:
    converter = config(file, kind, result, **rule)
    assert any(not math.isfinite(value) for value in dict(Converter(converter).vector(pack(DATUM))).values())
    model: Any = Classifier({"method": "PA", "converter": converter})
    with pytest.raises(ModelError, match=r"function create: \w+ returned a .* not finite"):
        call(model, "train", [["a", DATUM]])
    assert call(model, "get_labels") == {}


def test_tokens_without_weight_make_no_feature_and_need_no_key(file: Path) -> None:
    datum = [[["$", "a"]], [], []]
    assert features(file, "extract_string", "lambda text: [(text, 0), ('b', 1), ('b', -1)]", datum) == {}
    with pytest.raises(ModelError, match="feature key cannot contain"):
        features(file, "extract_string", "lambda text: [(text, 0)]", datum, sample_weight="bin")


def test_other_threads_run_while_a_plugin_waits(file: Path) -> None:
    """A plugin may give the GIL away; a second conversion then begins before the first has ended."""
    rules = config(file, "extract_string", "lambda text: [(text, time.sleep(0.2) or 1.0)]")
    made: list[dict[bytes, float]] = []

    def convert(text: str) -> None:
        made.append(dict(converter.vector(pack([[["k", text]], [], []]))))

    converter = Converter(rules)
    threads = [threading.Thread(target=convert, args=(f"text {i}",)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(name for vector in made for name in vector) == [b"k$text %d@t#tf/bin" % i for i in range(4)]
