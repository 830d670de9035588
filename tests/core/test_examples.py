"""Worked examples: exact numbers, orders and bytes that the original gives, each for the core and for the slow twin."""

from typing import Any

import pytest

from jubatus._core.convert.converter import Converter
from jubatus._core.services.classifier import Classifier
from jubatus._core.services.weight import Weight
from jubatus._core.wire import pack, unpack
from jubatus.errors import ModelError
from tests.core.calls import call, exact, give, stored
from tests.reference import converter as slow
from tests.reference import models
from tests.reference.tr1 import Map, hash_bytes

NUM = {"num_rules": [{"key": "*", "type": "num"}]}


def strings(type: str, sample: str = "bin", weight: str = "bin", key: str = "*", **more: Any) -> dict[str, Any]:
    rule = {"key": key, "type": type, "sample_weight": sample, "global_weight": weight}
    return {"string_rules": [rule], **more}


def converted(config: dict[str, Any], datum: list[Any]) -> list[tuple[str, float]]:
    """Convert with the core and the twin, which must agree."""
    fast = Converter(config).vector(pack(datum))
    assert exact(fast) == exact(slow.Converter(config).convert(slow.Datum.of(datum)))
    return [(key.decode("utf-8", "surrogateescape"), value) for key, value in fast]


def tokens(config: dict[str, Any], value: str | bytes) -> list[str]:
    """Give the tokens that a string type cuts a value into, in the order of the features."""
    return [key.split("$", 1)[1].rpartition("@")[0] for key, _ in converted(config, [[["k", value]]])]


# --- hash maps and hashes


def test_hash_of_byte_strings() -> None:
    assert hash_bytes(b"") == 14695981039346656037
    assert hash_bytes(b"abc") == 16654208175385433931
    assert hash_bytes(b"a") == 12638187200555641996
    assert hash_bytes(b"test") == 18007334074686647077
    assert hash_bytes(b"hello world foo") == 3971312974470786167
    assert hash_bytes("あ".encode()) == 8031304513124424657


def test_iteration_order_of_integers() -> None:
    assert list(Map((i, None) for i in range(0, 77, 7))) == [0, 56, 35, 14, 70, 49, 28, 7, 63, 42, 21]
    assert list(Map((7 * i % 40, None) for i in range(12))) == [23, 0, 2, 28, 30, 7, 9, 35, 37, 14, 16, 21]


@pytest.mark.parametrize(
    ("inserted", "order"),
    [
        ("hello world foo bar baz", "baz bar world hello foo"),
        ("a b c d e f g h i j k l m n o", "n l b f d k i o m c a g e j h"),
        ("abc xyz", "xyz abc"),
        ("scala ocaml haskell", "haskell ocaml scala"),
    ],
)
def test_iteration_order_of_tokens(inserted: str, order: str) -> None:
    assert list(Map((t.encode(), None) for t in inserted.split())) == order.encode().split()
    assert tokens(strings("space"), inserted) == order.split()


@pytest.mark.parametrize(
    ("key", "h", "small"),
    [
        (b"", 14695981039346656037, 5),
        (b"a", 12638153115695167422, 14),
        (b"age@num", 11663234063812531550, 14),
        ("name$あ@str#bin/bin".encode(), 1163201454887569171, 3),
    ],
)
def test_feature_hash(key: bytes, h: int, small: int) -> None:
    assert slow.hash_feature(key) == h
    assert h % 16 == small


def test_hashed_keys() -> None:
    assert converted({**NUM, "hash_max_size": 16}, [[], [["age", 2.0]]]) == [("14", 2.0)]
    assert converted({**NUM, "hash_max_size": 2**62}, [[], [["age", 2.0]]]) == [
        (str(11663234063812531550 % 2**62), 2.0)
    ]
    assert converted(strings("str", hash_max_size=16), [[["name", "あ"]]]) == [("3", 1.0)]


# --- keys, types, matchers


def test_text_of_keys() -> None:
    assert converted(strings("str"), [[["name", "Taro"]]]) == [("name$Taro@str#bin/bin", 1.0)]
    assert converted(strings("space", "tf", "idf1"), [[["msg", "hello"]]]) == [("msg$hello@space#tf/idf1", 1.0)]
    assert converted(strings("str"), [[["k", ""]]]) == [("k$@str#bin/bin", 1.0)]


def test_sample_weights() -> None:
    five = [[["k", "x x x x x"]]]
    assert converted(strings("space", "log_tf"), five) == [("k$x@space#log_tf/bin", 1.791759469228055)]
    assert converted(strings("space", "tf"), five) == [("k$x@space#tf/bin", 5.0)]
    assert converted(strings("space", "bin"), five) == [("k$x@space#bin/bin", 1.0)]


@pytest.mark.parametrize(
    ("x", "text"),
    [
        (29.0, "29"),
        (1234567.0, "1.23457e+06"),
        (0.1, "0.1"),
        (1e-5, "1e-05"),
        (123456.789, "123457"),
        (-0.0, "-0"),
        (float("inf"), "inf"),
        (float("nan"), "nan"),
        (1e100, "1e+100"),
    ],
)
def test_numbers_as_strings(x: float, text: str) -> None:
    assert converted({"num_rules": [{"key": "*", "type": "str"}]}, [[], [["age", x]]]) == [(f"age@str${text}", 1.0)]


def test_logarithm_of_numbers_vanishes_up_to_one() -> None:
    config = {"num_rules": [{"key": "*", "type": "log"}]}
    values = [["e", 2.718281828459045], ["one", 1.0], ["less", 0.5], ["minus", -3.0], ["nan", float("nan")]]
    assert converted(config, [[], values]) == [("e@log", 1.0)]


def test_a_number_zero_is_no_feature() -> None:
    assert converted(NUM, [[], [["a", 0.0], ["b", -0.0], ["c", 1.0]]]) == [("c@num", 1.0)]


@pytest.mark.parametrize(
    ("pattern", "matching", "other"),
    [
        ("", ["", "a"], []),
        ("*", ["", "a"], []),
        ("*foo", ["foo", "xfoo"], ["foox", "fo"]),
        ("*foo*", ["foo*", "xfoo*"], ["foo", "xfoox"]),
        ("foo*", ["foo", "foox"], ["xfoo", "fo"]),
        ("/abc*", ["/abc", "/abcd"], ["abc"]),
        ("/foo/", ["foo", "foobar"], ["xfoo"]),
        ("/o/", ["o", "ox"], ["foo"]),
        ("//", ["", "x"], []),
        ("/", ["/"], ["", "//", "x"]),
        ("foo", ["foo"], ["foox", "xfoo", ""]),
        ("/^a$/", ["a", "a\n"], ["ab", "a\nb"]),
        ("/(?i)é/", ["é", "É"], ["e"]),
    ],
)
def test_key_matchers(pattern: str, matching: list[str], other: list[str]) -> None:
    config = {"num_rules": [{"key": pattern, "type": "num"}]}
    found = converted(config, [[], [[key, 1.0] for key in matching + other]])
    assert found == [(f"{key}@num", 1.0) for key in matching]


def test_except_takes_keys_out_again() -> None:
    config = {"num_rules": [{"key": "a*", "except": "*b", "type": "num"}]}
    assert converted(config, [[], [["a", 1.0], ["ab", 1.0], ["abc", 1.0]]]) == [("a@num", 1.0), ("abc@num", 1.0)]


@pytest.mark.parametrize(
    ("parameters", "value", "want"),
    [
        ({"method": "ngram", "char_num": "2"}, "あいう", ["いう", "あい"]),
        ({"method": "ngram", "char_num": "2"}, "a", []),
        ({"method": "split", "separators": "、 "}, "a、b c、", ["c", "b", "a"]),
        ({"method": "split", "separators": ""}, "a b", ["a b"]),
        ({"method": "split", "separators": ""}, "", []),
        ({"method": "split", "separators": ""}, "a,b\0c", ["a,b"]),
        ({"method": "split", "separators": ""}, "\0a", []),
        ({"method": "split", "separators": ""}, "a\udcf7\udcbf\udcbf\udcbfb", ["a\udcf7"]),
        ({"method": "split", "separators": ","}, "a,\udcf7\udcbf\udcbf\udcbfb,c,d", ["a", "b", "\udcbf", "\udcf7"]),
        ({"method": "split", "separators": ","}, "\udcf4\udc90\udc80\udc80,a", ["\udc90"]),
        ({"method": "regexp", "pattern": "[a-z]+", "group": "0"}, "ab 12 cd", ["cd", "ab"]),
        ({"method": "regexp", "pattern": "(a)b", "group": "1"}, "abab", ["a"]),
        ({"method": "regexp", "pattern": "x*"}, "ab", [""]),
        ({"method": "regexp", "pattern": "(a)(bab)?", "group": "1"}, "abab", ["a"]),
    ],
)
def test_string_types(parameters: dict[str, str], value: str, want: list[str]) -> None:
    assert sorted(tokens(strings("t", string_types={"t": parameters}), value)) == sorted(want)


@pytest.mark.parametrize(("value", "text"), [("\udcff\udcfe", "Invalid UTF-8"), ("\udce3\udc81", "Too short string")])
@pytest.mark.parametrize("separators", ["", ","])
def test_split_refuses_what_is_no_utf_8(separators: str, value: str, text: str) -> None:
    with pytest.raises(ModelError, match=text):
        tokens(strings("t", string_types={"t": {"method": "split", "separators": separators}}), value)


def test_the_step_of_a_regexp_type_is_the_length_of_its_group() -> None:
    """After (a)bab at 0 the next attempt is at 1, inside the previous match."""
    config = strings("t", "tf", string_types={"t": {"method": "regexp", "pattern": "(a)(bab)?", "group": "1"}})
    assert converted(config, [[["k", "abab"]]]) == [("k$a@t#tf/bin", 2.0)]


def test_matches_start_at_every_byte() -> None:
    def count(pattern: str) -> float:
        config = strings("t", "tf", string_types={"t": {"method": "regexp", "pattern": pattern}})
        return sum(n for _, n in converted(config, [[["k", "あ"]]]))

    assert count(".") == 1.0
    assert count(r"\w") == 1.0
    assert replaced(r"\W", "x", "あ") == "\udce3xx"
    assert replaced("[^a]", "x", "あ") == "x"


# --- filters


def replaced(pattern: str, replace: str, value: str) -> str:
    config = strings(
        "str",
        key="k+",
        string_filter_types={"f": {"method": "regexp", "pattern": pattern, "replace": replace}},
        string_filter_rules=[{"key": "k", "type": "f", "suffix": "+"}],
    )
    ((key, _),) = converted(config, [[["k", value]]])
    return key.removeprefix("k+$").removesuffix("@str#bin/bin")


@pytest.mark.parametrize(
    ("pattern", "replace", "value", "want"),
    [
        ("a*", "x", "baac", "xbxxcx"),
        ("a*", "x", "aa", "xx"),
        ("$", "!", "ab\n", "ab!\n!"),
        ("^", "!", "a\nb", "!a\nb"),
        ("<[^>]*>", "", "<b>hi</b> x", "hi x"),
        ("(a)(b)", r"\2\1\0\\", "xaby", "xbaab\\y"),
        ("x", "y", "", ""),
    ],
)
def test_replacements(pattern: str, replace: str, value: str, want: str) -> None:
    assert replaced(pattern, replace, value) == want


def test_a_filter_sees_what_filters_before_it_made() -> None:
    config = {
        **NUM,
        "num_filter_types": {"five": {"method": "add", "value": "5"}, "two": {"method": "add", "value": "2"}},
        "num_filter_rules": [{"key": "*", "type": "five", "suffix": "+5"}, {"key": "*", "type": "two", "suffix": "+2"}],
    }
    want = [("age@num", 20.0), ("age+5@num", 25.0), ("age+2@num", 22.0), ("age+5+2@num", 27.0)]
    assert converted(config, [[], [["age", 20.0]]]) == want


@pytest.mark.parametrize(
    ("parameters", "x", "want"),
    [
        ({"method": "add", "value": "0.5abc"}, 1.0, 1.5),
        ({"method": "add", "value": "0x10"}, 1.0, 1.0),
        ({"method": "add", "value": "1,5"}, 1.0, 2.0),
        ({"method": "add", "value": "+4"}, 1.0, 5.0),
        ({"method": "add", "value": " \t3"}, 1.0, 4.0),
        ({"method": "add", "value": "1e-400"}, 1.0, 1.0),
        ({"method": "linear_normalization", "min": "0", "max": "4"}, 5.0, 1.0),
        ({"method": "linear_normalization", "min": "1", "max": "4"}, 2.0, 1.0 / 3.0),
        ({"method": "linear_normalization", "min": "0", "max": "4", "truncate": "true"}, 5.0, 1.25),
        ({"method": "linear_normalization", "min": "0", "max": "4", "truncate": "False"}, -1.0, -0.25),
        ({"method": "gaussian_normalization", "average": "1", "standard_deviation": "2"}, 4.0, 1.5),
        ({"method": "gaussian_normalization", "average": "1", "standard_deviation": "0"}, 4.0, float("inf")),
        ({"method": "sigmoid_normalization"}, 0.0, 0.5),
        ({"method": "sigmoid_normalization", "gain": "2", "bias": "1"}, 1.0, 0.5),
    ],
)
def test_num_filters(parameters: dict[str, str], x: float, want: float) -> None:
    config = {
        "num_rules": [{"key": "k+", "type": "num"}],
        "num_filter_types": {"f": parameters},
        "num_filter_rules": [{"key": "k", "type": "f", "suffix": "+"}],
    }
    assert converted(config, [[], [["k", x]]]) == [("k+@num", want)]


# --- combinations


def test_combinations_of_numbers() -> None:
    rules = [{"key_left": "*", "key_right": "*", "type": t} for t in ("add", "mul")]
    assert converted({**NUM, "combination_rules": rules}, [[], [["val1", 1.0], ["val2", 1.1]]]) == [
        ("val1@num", 1.0),
        ("val2@num", 1.1),
        ("val1@num&val2@num/add", 2.1),
        ("val1@num&val2@num/mul", 1.1),
    ]


def test_the_order_in_a_combination_is_that_of_the_vector() -> None:
    config = strings("space", combination_rules=[{"key_left": "*", "key_right": "*", "type": "mul"}])
    assert converted(config, [[["name", "abc xyz"]]])[2:] == [
        ("name$xyz@space#bin/bin&name$abc@space#bin/bin/mul", 1.0)
    ]


# --- document statistics


def feature(token: str, weight: str, value: float) -> list[Any]:
    return [f"t${token}@space#tf/{weight}".encode(), value]


@pytest.mark.parametrize(
    ("weight", "first", "second"),
    [
        ("bm25", {"a": -1.510591896918651, "b": -1.0986122886681098}, {"b": -1.7528531719579312}),
        ("idf", {}, {"c": 0.4054651081081644}),
        ("idf1", {"a": 2.0, "b": 1.0}, {"b": 1.0, "c": 1.4054651081081644}),
    ],
)
def test_global_weights(weight: str, first: dict[str, float], second: dict[str, float]) -> None:
    config = {"converter": strings("space", "tf", weight)}
    fast, twin = Weight(config), models.Weight(config)
    for text, want in (("a a b", first), ("b c", second)):
        datum = [[["t", text]]]
        wanted = [feature(token, weight, value) for token, value in want.items()]
        assert call(fast, "update", datum) == exact(twin.update(datum)) == wanted


def test_a_fresh_model_weighs_nothing() -> None:
    datum = [[["t", "a a"]]]
    for weight, want in (("idf", []), ("idf1", [feature("a", "idf1", 2.0)]), ("bm25", []), ("weight", [])):
        assert call(Weight({"converter": strings("space", "tf", weight)}), "calc_weight", datum) == want


def test_bytes_of_an_empty_weight_model() -> None:
    empty = "9391009500918091809180809500918091809180" + "80"
    assert Weight({"converter": {}}).pack().hex() == "91" + empty
    assert Weight({"converter": {}}).unpack(bytes.fromhex("91" + empty)) is None


# --- classifiers


def classifier(method: str, c: float | None = None, distributed: bool = False) -> tuple[Classifier, models.Classifier]:
    config: dict[str, Any] = {"method": method, "converter": NUM}
    if c is not None:
        config["parameter"] = {"regularization_weight": c}
    return Classifier(config, distributed=distributed), models.Classifier(config, distributed)


def numbers(**values: float) -> list[Any]:
    return [[], [[key, x] for key, x in values.items()]]


DATA = [
    ("A", numbers(x=1.0, y=2.0)),
    ("B", numbers(x=1.0, y=-1.0)),
    ("A", numbers(x=1.0, z=1.0)),
]
T = 0.10000000149011612
WEIGHTS = {
    "PA": [(0.21250000000000002, -0.11250000000000002), (0.42500000000000004, -0.225), (0.3375, -0.3375)],
    "PA1": [(0.1, 0.0), (0.30000000149011613, -T), (T, -T)],
    "PA2": [
        (0.08971193415637863, -0.02304526748971196),
        (0.23703703703703705, -0.1037037037037037),
        (0.12674897119341566, -0.12674897119341566),
    ],
    "CW": [
        (0.11764299668219375, -0.032757947519663155),
        (0.2389722358757358, -0.072808530543247),
        (0.10710370611429393, -0.10710370611429393),
    ],
    "AROW": [
        (0.053819082212392406, -0.003734496315304592),
        (0.15527272849964702, -0.06909090982192803),
        (0.07853720276460484, -0.07853720276460484),
    ],
    "NHERD": [
        (0.04694791596834936, 0.006919670992210553),
        (0.1326546806017217, -0.07184029699846012),
        (0.07999764724536997, -0.07999764724536997),
    ],
}
COVARIANCES = {
    "CW": [
        (0.9496094605221904, 0.9652673190151538),
        (0.9234549439874435, 0.9856472935703705),
        (0.9790284838844046, 0.9790284838844046),
    ],
    "AROW": [
        (0.8277375392225819, 0.8650183566073778),
        (0.7534545436270966, 0.9272727264747147),
        (0.9275972821327065, 0.9275972821327065),
    ],
    "NHERD": [
        (0.5659695519067628, 0.6817192588196914),
        (0.4111440077443484, 0.8115316917649349),
        (0.8099515674195868, 0.8099515674195868),
    ],
}
SCORES = {
    "PA": (0.6375000000000001, -0.3375),
    "PA1": (0.40000000149011616, -0.10000000149011612),
    "PA2": (0.32674897119341567, -0.12674897119341566),
    "CW": (0.35661523255792954, -0.10556647806291015),
    "AROW": (0.20909181071203942, -0.07282540613723262),
    "NHERD": (0.17960259657007105, -0.06492062600624957),
}


@pytest.mark.parametrize("method", WEIGHTS)
def test_three_data(method: str) -> None:
    fast, twin = classifier(method, None if method == "PA" else 0.1)
    for label, datum in DATA:
        assert call(fast, "train", [[label, datum]]) == twin.train([[label.encode(), datum]]) == 1
    packed = unpack(fast.pack())
    assert stored(packed) == stored(twin.pack())
    table = packed[0][0][0]
    for i, key in enumerate((b"x@num", b"y@num", b"z@num")):
        cells = table[key]
        assert (cells[0][0], cells[1][0]) == pytest.approx(WEIGHTS[method][i], rel=1e-15, abs=1e-17)
        if method in COVARIANCES:
            assert (cells[0][1], cells[1][1]) == COVARIANCES[method][i]
        else:
            assert (cells[0][1], cells[1][1]) == (0.0, 0.0)
    scores = dict(map(tuple, call(fast, "classify", [numbers(x=1.0, y=1.0)])[0]))
    assert (scores[b"A"], scores[b"B"]) == SCORES[method]


@pytest.mark.parametrize(
    ("labels", "order"),
    [("A B C", "A C B"), ("male female", "female male"), ("a b c d e f", "f e b a d c")],
)
def test_order_of_labels(labels: str, order: str) -> None:
    fast, twin = classifier("PA")
    for label in labels.split():
        assert call(fast, "set_label", label) is twin.set_label(label.encode()) is True
    for model in (fast, Classifier({"method": "PA", "converter": NUM})):
        model.unpack(fast.pack())
        assert [label.decode() for label, _ in call(model, "classify", [[]])[0]] == order.split()


def test_order_of_ten_digits() -> None:
    fast, _ = classifier("PA")
    for label in "0123456789":
        call(fast, "set_label", label)
    assert [label for label, _ in call(fast, "classify", [[]])[0]][:8] == [
        b"2",
        b"1",
        b"9",
        b"4",
        b"3",
        b"6",
        b"5",
        b"0",
    ]


def test_the_first_of_the_best_competitors_is_taken() -> None:
    fast, _ = classifier("PA")
    for label in "abcdef":
        call(fast, "set_label", label)
    call(fast, "train", [["c", numbers(x=1.0)]])
    scores = dict(map(tuple, call(fast, "classify", [numbers(x=1.0)])[0]))
    assert scores == {b"a": 0.0, b"b": 0.0, b"c": 0.5, b"d": 0.0, b"e": 0.0, b"f": -0.5}


def test_what_is_registered_without_an_update() -> None:
    """An empty datum counts its label; whether classify lists it depends on the method."""
    for method in ("perceptron", "PA", "PA1", "PA2", "CW", "AROW", "NHERD"):
        fast, _ = classifier(method, None if method in ("perceptron", "PA") else 1.0)
        call(fast, "train", [["a", []]])
        assert call(fast, "get_labels") == {b"a": 1}
        listed = [] if method in ("AROW", "NHERD") else [[b"a", 0.0]]
        assert call(fast, "classify", [[]]) == [listed]
        assert call(fast, "delete_label", "a") is bool(listed)
        assert call(fast, "get_labels") == {}


def test_mean_of_weights_and_least_covariance() -> None:
    left = [1, [[["x", [["A", [0.2, 0.9, 0.0]], ["B", [-0.2, 0.9, 0.0]]]]], [0]]]
    acc = [1, [[["x", [["A", [0.4, 0.8, 0.0]]]]], [0]]]
    rest = [{}, [[0, [{}], [{}], [{}], {}], [0]]]
    mixed = unpack(
        Classifier({"method": "AROW", "parameter": {"regularization_weight": 1.0}, "converter": {}}).mix(
            [pack([acc, *rest]), pack([left, *rest])]
        )
    )
    (cells,) = (row[1] for row in mixed[0][1][0])
    assert mixed[0][0] == 2
    assert [label for label, _ in cells] == [b"A", b"B"]
    assert cells[0][1] == pytest.approx([0.3, 0.8, 0.0], rel=1e-15)
    assert cells[1][1] == [-0.1, 0.9, 0.0]


def test_bytes_of_an_empty_classifier() -> None:
    fast, _ = classifier("PA")
    storage, counts, weights = "948093808000809100", "9380809100", "939100950091809180918080950091809180918080"
    assert fast.pack().hex() == "92" + "92" + storage + counts + weights


def test_bytes_of_a_classifier_that_learnt_one_datum() -> None:
    fast, _ = classifier("PA")
    call(fast, "train", [["A", numbers(x=1.0)]])
    part = (
        "929481a578406e756d810093cb3fe0000000000000cb0000000000000000cb0000000000000000"
        "9381a141008100a14101809100938081a141019100"
    )
    assert fast.pack().hex() == "92" + part + "939100950091809180918080950091809180918080"


def test_no_update_is_lost_during_a_mix() -> None:
    """What AROW learnt between get_diff and put_diff left the original a cell with covariance 0."""
    fast, twin = classifier("AROW", 1.0, distributed=True)
    want, _ = classifier("AROW", 1.0)
    (diff, snapshot), slow_diff, given = give(fast), twin.get_diff(), twin.given()
    for i in range(3):
        call(fast, "train", [["a", numbers(x=1.0)]])
        twin.train([[b"a", numbers(x=1.0)]])
        call(want, "train", [["a", numbers(x=1.0)]])
        if i == 0:
            assert fast.put_diff(diff, snapshot) is twin.put_diff(slow_diff, given) is True
        assert call(fast, "classify", [numbers(x=1.0)]) == call(want, "classify", [numbers(x=1.0)])
        assert stored(unpack(fast.pack())) == stored(twin.pack())
