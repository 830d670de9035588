import json
from pathlib import Path
from typing import Any

import pytest

from jubatus.errors import ConfigError
from jubatus.idl import service
from jubatus.server.configuration import make_model, mark, read

WRONG_RULES = {"string_types": {"t": {"method": "y"}}, "num_rules": [{"key": "*"}]}


def refusal(config: Any, name: str = "classifier") -> list[str]:
    """Return the errors of a configuration, whose text has them in one line."""
    with pytest.raises(ConfigError) as caught:
        make_model(service(name), json.dumps(config).encode(), "c.json")
    return str(caught.value).split("; ")


@pytest.mark.parametrize("name", ["classifier", "weight"])
def test_a_model_that_has_learned_nothing(name: str) -> None:
    assert make_model(service(name), b'{"method": "PA", "converter": {}}', "c.json")


def test_errors_of_all_parts_are_told_at_once() -> None:
    parameter = {"regularization_weight": 0, "unlearner": "lru", "x": 1}
    assert refusal({"method": "AROW", "parameter": parameter, "converter": WRONG_RULES, "y": 2}) == [
        'invalid configuration: c.json: "y" is not used ()',
        '"type" is not found (.converter.num_rules[0])',
        "unknown splitter name: y",
        '"x" is not used (.parameter)',
        "invalid parameter (expected: 0.0 < regularization_weight) (.parameter)",
        "Unlearner is set but unlearner_parameter is not found",
    ]
    assert refusal({"parameter": {}, "converter": 5}) == [
        'invalid configuration: c.json: "method" is not found ()',
        "Object is expected, but Integer is given. (.converter)",
    ]
    assert refusal({"method": "PA", "parameter": [], "converter": None}) == [
        "invalid configuration: c.json: Object is expected, but Null is given. (.converter)",
        "Object is expected, but Array is given. (.parameter)",
    ]
    assert refusal({"method": "CW"}) == [
        'invalid configuration: c.json: "converter" is not found ()',
        "parameter block is not specified in config",
    ]
    unlearner = {"regularization_weight": "1", "unlearner": "x", "unlearner_parameter": {}}
    assert refusal({"method": "CW", "parameter": unlearner, "converter": {}}) == [
        "invalid configuration: c.json: Float is expected, but String is given. (.parameter.regularization_weight)",
        "unsupported method (unlearner(x)): one of lru, random is expected",
    ]
    assert refusal({"y": 2, "converter": WRONG_RULES}, "weight") == [
        'invalid configuration: c.json: "y" is not used ()',
        '"type" is not found (.converter.num_rules[0])',
        "unknown splitter name: y",
    ]


def test_an_unknown_method_is_told_with_the_other_errors() -> None:
    unknown = (
        "invalid configuration: c.json: unsupported method (classifier(x)): one of perceptron, PA, passive_aggressive, PA1, "
        "passive_aggressive_1, PA2, passive_aggressive_2, CW, confidence_weighted, AROW, arow, NHERD, normal_herd, NN, "
        "nearest_neighbor, cosine, euclidean is expected"
    )
    assert refusal({"method": "x", "converter": {}}) == [unknown]
    both = refusal({"method": "x", "parameter": {"any": 1}, "converter": {"y": 1}})
    assert both == [unknown, '"y" is not used (.converter)']


def test_what_is_no_configuration_is_one_error() -> None:
    assert refusal([]) == ["invalid configuration: c.json: Object is expected, but Array is given. ()"]
    with pytest.raises(ConfigError, match=r"^syntax error in configuration: c\.json:1:1 Expecting value$"):
        make_model(service("weight"), b"x", "c.json")


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "c").write_bytes(b"x")
    assert read(str(tmp_path / "c")) == b"x"
    with pytest.raises(ConfigError, match=r"^cannot read configuration: /none: No such file or directory$"):
        read("/none")


def test_equal_configurations_have_the_same_mark() -> None:
    one = b'{"method": "PA", "parameter": {"a": 1, "b": [1.0, true]}}'
    same = b'{\n  "parameter": {"b": [1.0, true], "a": 1},\n  "method": "\\u0050A"\n}\n'
    assert mark(one) == mark(same)
    assert len(mark(one)) == 64
    others = [one.replace(b"1,", b"1.0,"), one.replace(b"true", b"1"), one.replace(b"PA", b"PA1"), b"{", b"", b"{ "]
    assert len({mark(config) for config in (one, *others)}) == 7
