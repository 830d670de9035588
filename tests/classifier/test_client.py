import re
from typing import Any

import pytest

from jubatus.classifier import types
from jubatus.classifier.client import Classifier
from jubatus.common import Datum, connect
from tests.rpc.peer import Peer, replies

WIRE = [[["s", "xxxxx"]], [["i", 3.0], ["f", 1.5]], []]
DATUM = Datum({"s": "xxxxx", "i": 3, "f": 1.5})


@pytest.mark.parametrize(
    ("method", "args", "params", "result"),
    [
        ("train", ([("lab", DATUM)],), [[["lab", WIRE]]], 1),
        ("train", ([types.LabeledDatum("lab", DATUM)] * 2,), [[["lab", WIRE]] * 2], 2),
        ("train", ([],), [[]], 0),
        ("get_labels", (), [], {"a": 1, "b": 200}),
        ("set_label", ("a",), ["a"], True),
        ("delete_label", ("a",), ["a"], False),
        ("clear", (), [], True),
    ],
)
def test_a_call_and_its_result(method: str, args: tuple[Any, ...], params: list[Any], result: Any) -> None:
    with Peer(replies((None, result))) as peer, connect(Classifier, "127.0.0.1", peer.port, "n", 5) as c:
        found = getattr(c, method)(*args)
        assert found == result
        assert type(found) is type(result)
        assert peer.requests == [[0, 0, method, ["n", *params]]]


def test_classify_gives_messages() -> None:
    with Peer(replies((None, [[("a", 0.5), ("b", -1.0)], []]))) as peer:
        with connect(Classifier, "127.0.0.1", peer.port, "", 5) as c:
            found = c.classify([DATUM, Datum()])
        assert peer.requests[0][3] == ["", [WIRE, [[], [], []]]]
    assert found[1] == []
    assert [type(result) for result in found[0]] == [types.EstimateResult] * 2
    assert [(result.label, result.score) for result in found[0]] == [("a", 0.5), ("b", -1.0)]
    assert str(found[0][0]) == "estimate_result{label: a, score: 0.5}"


@pytest.mark.parametrize(
    ("method", "args", "text"),
    [
        ("train", ("a",), "type <class 'list'>, <class 'tuple'> is expected, but <class 'str'> is given"),
        ("train", ([1],), f"type {types.LabeledDatum} or tuple/list are expected, but <class 'int'> is given"),
        ("train", ([("a",)],), "size of tuple is 1, but 2 is expected: ('a',)"),
        ("train", ([("a", {})],), f"type {Datum} is expected, but <class 'dict'> is given"),
        ("classify", (DATUM,), f"type <class 'list'>, <class 'tuple'> is expected, but {Datum} is given"),
        ("set_label", (1,), "type <class 'str'> is expected, but <class 'int'> is given"),
        ("save", (b"id",), "type <class 'str'> is expected, but <class 'bytes'> is given"),
    ],
)
def test_wrong_arguments_are_refused_before_anything_is_sent(method: str, args: Any, text: str) -> None:
    c = Classifier("127.0.0.1", 1, "")
    with pytest.raises(TypeError, match=f"^{re.escape(text)}$"):
        getattr(c, method)(*args)


def test_arguments_have_the_names_of_the_interface_definition() -> None:
    alone = Classifier("127.0.0.1", 1, "")
    with pytest.raises(TypeError):
        alone.train(datum=[])
    with Peer(replies((None, True))) as peer, connect(Classifier, "127.0.0.1", peer.port, "", 5) as c:
        assert c.set_label(new_label="a") is True
