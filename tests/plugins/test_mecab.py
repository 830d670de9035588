"""The plugin for MeCab by its old name."""

import sys
from typing import Any

import pytest

from jubatus._core.convert.rules import parse_rules
from jubatus.errors import ConfigError

TEXT = "すもももももももものうち。彼は走った"
WORDS = ["すもも", "も", "もも", "も", "もも", "の", "うち", "。", "彼", "は", "走っ", "た"]


def tokens(text: str, **parameters: str) -> list[str]:
    made = {"method": "dynamic", "path": "libmecab_splitter.so", "function": "create", **parameters}
    rule = {"key": "*", "type": "m", "sample_weight": "tf", "global_weight": "bin"}
    (rule_made,) = parse_rules({"string_types": {"m": made}, "string_rules": [rule]}, ".converter").string_rules
    assert rule_made.splitter.plugin is not None
    found: list[tuple[str, float]] = list(rule_made.splitter.plugin.call(text))
    assert {score for _, score in found} <= {1.0}
    return [token for token, _ in found]


def refusal(**parameters: str) -> str:
    with pytest.raises(ConfigError) as caught:
        tokens("", **parameters)
    text = str(caught.value)
    assert "\n" not in text
    start, _, cause = text.partition(", function create: ")
    assert start == f"failed to load plugin: plugin {parameters.get('path', 'libmecab_splitter.so')}"
    return cause


def test_words() -> None:
    assert tokens(TEXT) == WORDS
    assert tokens("") == []
    assert tokens("猫", path="/usr/lib/jubatus/plugin/libmecab_splitter.so") == ["猫"]
    assert tokens("猫", path="jubatus.plugins.mecab") == ["猫"]


def test_words_in_a_row() -> None:
    assert tokens("彼は走った", ngram="2") == ["彼,は", "は,走っ", "走っ,た"]
    assert tokens("彼は走った", ngram=" 4x") == ["彼,は,走っ,た"]
    assert tokens("彼は走った", ngram="5") == []


def test_base_forms() -> None:
    assert tokens("彼は走った", base="true") == ["彼", "は", "走る", "た"]
    # What the dictionary does not know has no base form.
    assert tokens("Zyxwv", base="true") == ["Zyxwv"]


def test_features_decide_which_words_are_kept() -> None:
    assert tokens(TEXT, include_features="名詞,一般,*|動詞*") == ["すもも", "もも", "もも", "走っ"]
    assert tokens(TEXT, exclude_features="助詞*|記号*|名詞,非自立*") == ["すもも", "もも", "もも", "彼", "走っ", "た"]
    assert tokens("彼は走った", include_features="*ハシッ", exclude_features="動詞*") == []
    assert tokens("彼は走った", exclude_features="*") == []


def test_arguments_of_mecab(tmp_path: Any) -> None:
    import ipadic

    assert tokens("彼は走った", arg=f"-d {ipadic.DICDIR} -r /dev/null") == ["彼", "は", "走っ", "た"]
    assert refusal(arg="-d /nowhere").startswith("cannot make mecab tagger: ")
    assert refusal(arg='-u "').startswith("cannot make mecab tagger: ")


def test_texts_that_are_none() -> None:
    assert tokens("猫\udcff犬") == ["猫", "�", "犬"]
    assert tokens("猫\0犬") == ["猫"]


@pytest.mark.parametrize(
    ("parameters", "cause"),
    [
        ({"ngram": "0"}, "ngram must be a positive number"),
        ({"ngram": "a"}, "ngram must be a positive number"),
        ({"base": "True"}, "base must be a boolean value"),
        ({"include_features": ""}, "include_features must not be empty"),
        ({"exclude_features": "/(/"}, "invalid regular expression: ("),
    ],
)
def test_parameters(parameters: dict[str, str], cause: str) -> None:
    assert refusal(**parameters) == f"{cause} (.converter.string_types.m)"


@pytest.mark.parametrize("module", ["fugashi", "ipadic"])
def test_without_the_extra(monkeypatch: pytest.MonkeyPatch, module: str) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    for path in ("libmecab_splitter.so", "jubatus.plugins.mecab"):
        assert refusal(path=path).endswith(
            "it comes with the extra jubatus[mecab] (.converter.string_types.m)"
        )  # fmt: skip
