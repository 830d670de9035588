"""Hostile values: each takes a number of steps and of bytes that is bounded by its length, or is refused."""

from typing import Any

import pytest

from jubatus._core.convert.converter import Converter
from jubatus._core.services.classifier import Classifier
from jubatus._core.wire import pack
from jubatus.errors import ModelError
from tests.core.calls import call

RULE = {"key": "*", "type": "str", "sample_weight": "bin", "global_weight": "bin"}


def filtering(pattern: str, replace: str = "", rules: int = 1, key: str = "*") -> dict[str, Any]:
    return {
        "string_filter_types": {"f": {"method": "regexp", "pattern": pattern, "replace": replace}},
        "string_filter_rules": [{"key": key, "type": "f", "suffix": f"-{number}"} for number in range(rules)],
        "string_rules": [RULE],
    }


def splitting(**parameters: str) -> dict[str, Any]:
    return {"string_types": {"t": parameters}, "string_rules": [{**RULE, "type": "t"}]}


def features(config: dict[str, Any], datum: list[Any]) -> list[tuple[bytes, float]]:
    return Converter(config).vector(pack(datum), merge=True)


def refused(config: dict[str, Any], datum: list[Any]) -> str:
    with pytest.raises(ModelError) as caught:
        features(config, datum)
    return str(caught.value)


def test_the_filter_of_the_tutorial_takes_any_value() -> None:
    value = "<" * 500_000
    assert dict(features(filtering("<[^>]*>"), [[["k", value]]])) == {
        f"{key}${value}@str#bin/bin".encode(): 1.0 for key in ("k", "k-0")
    }


def test_an_error_of_a_filter_names_rule_pattern_limit_and_key() -> None:
    assert refused(filtering("(?i)(a|aa)+b"), [[["k", "a" * 5000]]]) == (
        "string_filter_rules[0]: the pattern (?i)(a|aa)+b takes more than 330000 steps (10000, and 64 for each byte) "
        "in the value of k"
    )


def test_an_error_of_a_splitter_names_rule_pattern_limit_and_key() -> None:
    config = splitting(method="regexp", pattern="(?i)(a|aa)+b")
    config["string_rules"].insert(0, RULE)
    assert refused(config, [[["k", "a" * 5000]]]) == (
        "string_rules[1]: the pattern (?i)(a|aa)+b takes more than 330000 steps (10000, and 64 for each byte) "
        "in the value of k"
    )


def test_searches_that_match_share_their_steps() -> None:
    """A token is one character, but each match goes to the end of the value."""
    config = splitting(method="regexp", pattern="(.)(.*)", group="1")
    assert len(features(config, [[["k", "ab" * 50_000]]])) == 2
    config = splitting(method="regexp", pattern="(?i)(.)(.*)", group="1")
    assert "takes more than" in refused(config, [[["k", "ab" * 50_000]]])


@pytest.mark.parametrize(
    ("section", "rule"),
    [
        ("string_rules", RULE),
        ("num_rules", {"type": "num"}),
        ("num_filter_rules", {"type": "plus", "suffix": "x"}),
        ("combination_rules", {"type": "mul", "key_left": "*"}),
    ],
)
def test_an_error_of_a_key_pattern_names_its_rule(section: str, rule: dict[str, str]) -> None:
    member = "key_right" if section == "combination_rules" else "key"
    key = "a" * 1000
    config = {
        "num_filter_types": {"plus": {"method": "add", "value": "1"}},
        "num_rules": [{"key": "*", "type": "num"}],
        section: [{**rule, member: "/(?i)(a|aa)+b/"}],
    }
    datum = [[[key, "x"]] if section == "string_rules" else [], [[key, 1.0], [key + "!", 2.0]], []]
    assert refused(config, datum).startswith(
        f"{section}[0]: its key patterns take more than 10000 steps, and 64 for each byte, for the key aaa"
    )


def test_a_refused_datum_changes_nothing() -> None:
    converter = {**filtering("(?i)(a|aa)+b", key="bad"), "string_rules": [{**RULE, "global_weight": "idf"}]}
    model = Classifier({"method": "PA", "parameter": {}, "converter": converter})
    assert call(model, "train", [["x", [[["good", "a"]]]]]) == 1
    before = model.pack()
    with pytest.raises(ModelError):
        call(model, "train", [["y", [[["bad", "a" * 5000]]]]])
    assert model.pack() == before


def test_filters_that_double_a_value_have_a_bound() -> None:
    assert len(features(filtering(".", r"\0\0", 3), [[["k", "a" * 1000]]])) == 8
    expected = "the filtered values of one datum have more than 16 MB and 16 times the datum's bytes, with that of k"
    assert expected in refused(filtering(".", r"\0\0", 15), [[["k", "a" * 1000]]])
    assert expected in refused(filtering("a", "b" * 1000), [[["k", "a" * 100_000]]])
    assert expected in refused(filtering("a", "b", 20), [[["k", ""]]])
    assert refused(filtering("a", "b" * 1000), [[["k", "a" * 100_000]]]).startswith("string_filter_rules[0]: ")


def test_filters_of_numbers_have_a_bound() -> None:
    config = {
        "num_filter_types": {"plus": {"method": "add", "value": "1"}},
        "num_filter_rules": [{"key": "*", "type": "plus", "suffix": "x"}] * 25,
        "num_rules": [{"key": "*", "type": "num"}],
    }
    assert "num_filter_rules[" in (error := refused(config, [[], [["n", 1.0]], []]))
    assert "the filtered values of one datum have more than 16 MB" in error


def test_combinations_have_a_bound() -> None:
    config = {
        "num_rules": [{"key": "*", "type": "num"}],
        "combination_rules": [{"key_left": "*", "key_right": "*", "type": "add"}],
    }
    numbers = [[f"n{number}", 1.0] for number in range(10_000)]
    assert len(features(config, [[], numbers[:300], []])) == 300 + 300 * 299 // 2
    assert refused(config, [[], numbers, []]).startswith(
        "combination_rules[0]: the combinations of one datum have more than 64 MB, with that of n"
    )
    names = [[f"{number}{'n' * 100_000}", 1.0] for number in range(1000)]
    assert "the combinations of one datum have more than 64 MB" in refused(config, [[], names, []])


def test_combinations_look_at_no_pair_that_is_none() -> None:
    """A hundred thousand features on one side, and none on the other, would be five thousand million pairs."""
    numbers = [[f"n{number}", 1.0] for number in range(100_000)]
    for left, right in (("q*", "*"), ("*", "q*"), ("n1@*", "n2@*")):
        rule = {"key_left": left, "key_right": right, "type": "mul"}
        config = {"num_rules": [{"key": "*", "type": "num"}], "combination_rules": [rule]}
        assert len(features(config, [[], numbers, []])) == 100_000 + (left == "n1@*")


@pytest.mark.parametrize(
    "converter",
    [
        {"string_rules": [{**RULE, "type": "space"}], "hash_max_size": 1000},
        {"string_rules": [{**RULE, "type": "space", "global_weight": "bm25"}]},
    ],
)
def test_a_long_key_is_read_once_for_all_tokens_of_its_value(converter: dict[str, Any]) -> None:
    """Once for each would be 60 GB."""
    model = Classifier({"method": "PA", "parameter": {}, "converter": converter})
    value = " ".join(map(str, range(30_000)))
    assert call(model, "classify", [[[["k" * 2_000_000, value]]]]) == [[]]


@pytest.mark.parametrize(
    ("slower", "faster"),
    [
        (filtering("(?i)a"), filtering("a")),
        (filtering("a"), {"string_rules": [RULE]}),
        (filtering("a", rules=3), filtering("a")),
        (filtering("a", rules=3), filtering("a", rules=3, key="k")),
        (splitting(method="ngram", char_num="50"), splitting(method="ngram", char_num="2")),
        ({"string_rules": [{**RULE, "key": "/a*/"}]}, {"string_rules": [RULE]}),
    ],
)
def test_slow_rules_leave_less_to_the_event_loop(slower: dict[str, Any], faster: dict[str, Any]) -> None:
    assert 0 < Converter(slower).program.longest < Converter(faster).program.longest
