import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jubatus.cli import conv
from tests.cli.conftest import Run
from tests.reference.tr1 import Map

Convert = Callable[..., tuple[int, bytes, str]]
WORDS = {
    "string_rules": [{"key": "*", "type": "space", "sample_weight": "bin", "global_weight": "bin"}],
    "num_rules": [{"key": "*", "type": "num"}],
}
PAIRS = {
    "num_rules": [{"key": "*", "type": "num"}],
    "combination_rules": [
        {"key_left": "*", "key_right": "*", "type": "add"},
        {"key_left": "*", "key_right": "*", "type": "mul"},
    ],
}
FV = ("-i", "datum", "-c")


@pytest.fixture
def convert(run: Run, monkeypatch: pytest.MonkeyPatch) -> Convert:
    def convert(given: str | bytes, *words: str) -> tuple[int, bytes, str]:
        content = given if isinstance(given, bytes) else given.encode()
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content)))
        return run(conv.main, *words)

    return convert


@pytest.fixture
def config(tmp_path: Path) -> Callable[..., str]:
    def write(converter: Any, **others: Any) -> str:
        path = tmp_path / "config.json"
        path.write_text(json.dumps({"converter": converter, **others}))
        return str(path)

    return write


def datum(strings: Any = (), numbers: Any = ()) -> str:
    return json.dumps({"string_values": dict(strings), "num_values": dict(numbers), "binary_values": {}})


def test_json_is_printed_in_the_order_of_the_map(convert: Convert) -> None:
    given = '{"abc": 1.0, "xyz": 123456.7890123456, "e": {}, "f": [], "n": null, "t": true, "u": "/\\u00e9\\u0001"}'
    printed = {
        b"abc": b"1",
        b"xyz": b"123456.789012",
        b"e": b"{\n  }",
        b"f": b"[\n  ]",
        b"n": b"null",
        b"t": b"true",
        b"u": b'"\\/\xc3\xa9\\u0001"',
    }
    lines = [b'  "%s": %s' % (name, printed[name]) for name in Map((name, None) for name in printed)]
    assert convert(given, "-o", "json") == (0, b"{\n" + b",\n".join(lines) + b"\n}\n", "")


def test_words_come_in_the_order_of_the_map(convert: Convert, config: Callable[..., str]) -> None:
    path = config(WORDS, method="PA", anything=1)
    got = convert(datum({"k": "hello world foo bar baz"}), *FV, path)
    lines = [f"k${word}@space#bin/bin: 1" for word in "baz bar world hello foo".split()]
    assert got == (0, "".join(f"{line}\n" for line in lines).encode(), "")
    assert convert(datum({"name": "abc xyz"}), *FV, path)[1].startswith(b"name$xyz@")


def test_combinations_follow_the_features(convert: Convert, config: Callable[..., str]) -> None:
    got = convert(datum(numbers={"val1": 1.0, "val2": 1.1}), *FV, config(PAIRS))
    assert got == (0, b"""\
val1@num: 1
val2@num: 1.1
val1@num&val2@num/add: 2.1
val1@num&val2@num/mul: 1.1
""", "")  # fmt: skip


def test_equal_features_are_not_merged(convert: Convert, config: Callable[..., str]) -> None:
    path = config({"num_rules": [{"key": "*", "type": "num"}, {"key": "a", "type": "num"}]})
    assert convert(datum(numbers={"a": 123456.789}), *FV, path)[1] == b"a@num: 123457\na@num: 123457\n"


@pytest.mark.parametrize("weight, shown", [("idf", b""), ("bm25", b""), ("weight", b""), ("idf1", b": 2\n")])
def test_global_weights_are_those_of_an_empty_model(
    convert: Convert, config: Callable[..., str], weight: str, shown: bytes
) -> None:
    path = config({"string_rules": [{"key": "*", "type": "space", "sample_weight": "tf", "global_weight": weight}]})
    status, out, err = convert(datum({"k": "a a"}), *FV, path)
    assert (status, out, err) == (0, b"k$a@space#tf/idf1" + shown if shown else b"", "")


def test_weights_that_are_no_numbers(convert: Convert, config: Callable[..., str]) -> None:
    flat = {"method": "gaussian_normalization", "average": "1", "standard_deviation": "0"}
    converter = {
        "num_filter_types": {"flat": flat},
        "num_filter_rules": [{"key": "*", "type": "flat", "suffix": "+"}],
        "num_rules": [{"key": "*+", "type": "num"}],
    }
    got = convert(datum(numbers={"a": 1, "b": 2, "c": 0}), *FV, config(converter))
    assert got[1].splitlines() in ([b"a+@num: -nan", *rest] for rest in [[b"b+@num: inf", b"c+@num: -inf"]])


def test_json_becomes_a_datum_by_its_paths(convert: Convert) -> None:
    given = '{"a": [1, 2.5, {"b": "x"}], "c": null, "d": true, "e": false}'
    status, out, err = convert(given, "-o", "datum")
    assert (status, err) == (0, "")
    assert json.loads(out) == {
        "string_values": {"/a[2]/b": "x", "/c": "null"},
        "num_values": {"/a[0]": 1, "/a[1]": 2.5, "/d": 1, "/e": 0},
        "binary_values": {},
    }
    assert convert(out, "-i", "datum", "-o", "datum") == (0, out, "")
    assert json.loads(convert("3", "-o", "datum")[1])["num_values"] == {"": 3}


def test_the_first_of_equal_paths_is_written(convert: Convert) -> None:
    _, out, _ = convert('{"a": {"b": "in"}, "a/b": "out"}', "-o", "datum")
    assert json.loads(out)["string_values"] in ({"/a/b": "in"}, {"/a/b": "out"})
    assert out.count(b"a\\/b") == 1


@pytest.mark.parametrize(
    "given, words, status, line",
    [
        ("{}", ["-i", "datum", "-o", "json"], 255, "invalid input-output type: datum -> json"),
        ("{}", [], 255, "specify converter config with -c flag"),
        ("{", [], 255, "invalid json format: "),
        ("", ["-o", "json"], 255, "invalid json format: json_parser reached end of data"),
        (b'"\xff"', ["-o", "json"], 255, "invalid json format: 1:2 Invalid UTF-8"),
        ("[]", ["-i", "datum"], 255, "invalid datum format: Object is expected, but Array is given. ()"),
        ("{}", ["-i", "datum"], 255, 'invalid datum format: "string_values" is not found ()'),
        (
            '{"string_values": {"a": 1}, "num_values": {}, "binary_values": {}}',
            ["-i", "datum", "-o", "datum"],
            255,
            "invalid datum format: String is expected, but Integer is given. (.string_values.a)",
        ),
        ("1", ["-c", "/none"], 1, "cannot open converter config file: /none: No such file or directory"),
        ("1", ["-o", "xml"], 1, "option value is invalid: --output-format=xml; see jubaconv --help"),
        ("1", ["-i", "fv"], 1, "option value is invalid: --input-format=fv; see jubaconv --help"),
        ("1", ["-z", "fv"], 1, "undefined short option: -z; see jubaconv --help"),
    ],
)
def test_refusals(convert: Convert, given: str, words: list[str], status: int, line: str) -> None:
    got, out, err = convert(given, *words)
    assert (got, out) == (status, b"")
    assert err.startswith(line)
    assert err.count("\n") == 1


def test_a_configuration_or_a_datum_that_cannot_be_used(
    convert: Convert, config: Callable[..., str], tmp_path: Path
) -> None:
    path = config({"num_rules": [{"key": "*", "type": "none"}]})
    status, out, err = convert("1", "-c", path)
    assert (status, out, err.count("\n")) == (1, b"", 1)
    assert "unknown type: [none] in num_rules" in err
    got = convert('{"a$b": 1}', "-c", config(WORDS))
    assert got == (1, b"", "feature key cannot contain '$': /a$b\n")
    (tmp_path / "config.json").write_text("{}")
    assert convert("1", "-c", path) == (1, b"", f'"converter" is not found in the configuration: {path}\n')


def test_help(convert: Convert) -> None:
    assert convert("", "--help") == (0, b"", """\
usage: jubaconv [options] ...\x20
options:
  -i, --input-format     input format (json/datum) (string [=json])
  -o, --output-format    output format (json/datum/fv) (string [=fv])
  -c, --conf             converter config file (string [=])
  -?, --help             print this message
""")  # fmt: skip
