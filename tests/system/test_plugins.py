"""The examples of plugins through a server and in process; a plugin that fails, and one that cannot be loaded."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from jubatus import embedded
from jubatus.common import Datum
from jubatus.errors import JubatusError
from tests.conftest import BIN, Start, packed

ROOT = Path(__file__).parent.parent.parent
EXAMPLES = ROOT / "examples/plugins"
PAGE = (ROOT / "docs/plugins.md").read_text()
CONFIG = json.loads((EXAMPLES / "config.json").read_text().replace("examples/plugins", str(EXAMPLES)))
DATUM: list[Any] = [
    [["title", "Ｂig News of the day day"], ["code", "parseHTTPHeader_v2 fooBar"]],
    [["hour", 6.0], ["size", 1000.0], ["lines", 20.0]],
    [["file", b"\0\0ab\xff"]],
]
FEATURES = {
    **{f"code${word}@identifiers#tf/bin": 1.0 for word in ("parse", "HTTP", "Header", "v", "2", "foo", "Bar")},
    **{f"title-normal${word}@headline#tf/bin": score for word, score in (("big", 2.0), ("news", 2.0), ("of", 2.0))},
    **{f"title-normal${word}@headline#tf/bin": score for word, score in (("the", 1.0), ("day", 2.0))},
    "hour@cycle#sin": 1.0,
    "hour@cycle#cos": pytest.approx(0.0, abs=1e-9),
    "lines@num": 20.0,
    "size-magnitude@num": pytest.approx(6.90875477931522),
    "lines@num&size-magnitude@num/ratio": pytest.approx(20 / 6.90875477931522),
    "size-magnitude@num&lines@num/ratio": pytest.approx(6.90875477931522 / 20),
    **{f"file@octets#{kind}": share for kind, share in (("zero", 0.4), ("text", 0.4), ("high", 0.2))},
}
WEIGHT = {"converter": CONFIG["converter"]}

FAILING = """
class Fails:
    def split(self, text):
        if "bad" in text:
            raise ValueError("a bad text")
        return [(0, len(text))]

class Wrong:
    def split(self, text):
        return [(0, 1 + len(text))] if "wrong" in text else []

def create(parameters):
    return Fails() if parameters["kind"] == "fails" else Wrong()
"""


def test_every_kind_of_plugin_works_in_a_server(server: Start) -> None:
    running = server("weight", WEIGHT)
    with running.peer() as peer:
        found = peer.result("update", DATUM)
    assert {key.decode(): value for key, value in found} == FEATURES


def test_every_kind_of_plugin_works_in_process() -> None:
    model = embedded.Weight(WEIGHT)
    datum = Datum({key: value for part in DATUM[:2] for key, value in part})
    datum.add_binary("file", DATUM[2][0][1])
    assert {feature.key: feature.value for feature in model.update(datum)} == FEATURES
    classifier = embedded.Classifier(CONFIG)
    classifier.train([("a", datum), ("b", Datum({"hour": 18}))])
    best = max(classifier.classify([datum])[0], key=lambda estimate: estimate.score)
    assert best.label == "a"


def test_the_page_has_each_example() -> None:
    shown = {match for match in re.findall(r"examples/plugins/(\w+\.(?:py|json))", PAGE)}
    assert shown == {path.name for path in EXAMPLES.iterdir() if path.is_file()}


def failing(folder: Path, kind: str) -> dict[str, Any]:
    path = folder / "failing.py"
    path.write_text(FAILING)
    made = {"method": "dynamic", "path": str(path), "function": "create", "kind": kind}
    rule = {"key": "*", "type": "t", "sample_weight": "bin", "global_weight": "idf1"}
    return {
        "method": "AROW",
        "parameter": {"regularization_weight": 1.0},
        "converter": {"string_types": {"t": made}, "string_rules": [rule], "num_rules": [{"key": "*", "type": "num"}]},
    }


@pytest.mark.parametrize(
    ("kind", "text", "cause"),
    [
        ("fails", "bad", "ValueError: a bad text"),
        ("wrong", "wrong", "split returned the token (0, {}), which is outside of a text of {} characters"),
    ],
)
@pytest.mark.parametrize("size", [1, 40_000, 200_000])
def test_a_plugin_that_fails_fails_its_call_only(
    server: Start, tmp_path: Path, kind: str, text: str, cause: str, size: int
) -> None:
    """Short calls run on the event loop, longer ones without the GIL, the longest on a thread."""
    running = server("classifier", failing(tmp_path, kind))
    bad = [[["k", text + "x" * size]], [["n", 1.0]], []]
    good = [[["k", "good"]], [["n", 1.0]], []]
    cause = cause.format(len(text) + size + 1, len(text) + size)
    expected = f"plugin {tmp_path}/failing.py, function create: {cause}: in the conversion of k".encode()
    with running.peer() as peer:
        assert peer.call("train", [["a", good], ["b", good]]) == (None, 2)
        before = peer.call("get_labels"), peer.call("classify", [good])
        requests = [
            ("train", [["c", bad]]), ("classify", [bad]), ("classify", [good]), ("train", [["c", bad]]), ("get_labels",)
        ]  # fmt: skip
        for number, (method, *arguments) in enumerate(requests):
            peer.send(packed([0, number, method, ["", *arguments]]))
        replies = {reply[1]: reply[2:] for reply in (peer.reply() for _ in requests)}
        for number in (0, 1, 3):
            assert replies[number] == [expected, None]
        assert (None, replies[2][1]) == before[1]
        assert (None, replies[4][1]) == before[0]
        assert peer.status()["diff_document_count"] == "2"
        model = embedded.Classifier(failing(tmp_path, kind))
        with pytest.raises(JubatusError) as refused:
            model.train([("c", Datum({"k": text + "x" * size}))])
        assert str(refused.value).encode() == expected


@pytest.mark.parametrize(
    ("extra", "module", "path", "section"),
    [
        ("mecab", "fugashi", "libmecab_splitter.so", "string_types"),
        ("mecab", "ipadic", "/usr/lib/jubatus/plugin/libmecab_splitter.so", "string_types"),
        ("ux", "ahocorasick_rs", "libux_splitter.so", "string_types"),
        ("image", "cv2", "libimage_feature.so", "binary_types"),
    ],
)
def test_a_server_without_an_extra_says_which(tmp_path: Path, extra: str, module: str, path: str, section: str) -> None:
    missing = f"No module named '{module}'"
    (tmp_path / f"{module}.py").write_text(f"raise ImportError({missing!r})")
    config = tmp_path / "config.json"
    made = {"method": "dynamic", "path": path, "function": "create"}
    config.write_text(json.dumps({"converter": {section: {"t": made}}}))
    done = subprocess.run(
        [BIN / "jubaweight", "-f", config, "-b", "127.0.0.1"],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr == (
        f"invalid configuration: {config}: failed to load plugin: plugin {path}, function create: "
        f"{missing}: it comes with the extra jubatus[{extra}] (.converter.{section}.t)\n"
    )


def test_the_japanese_example() -> None:
    command = [sys.executable, ROOT / "examples/japanese/classify.py"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    lines = done.stdout.splitlines()
    found = re.fullmatch(r"(\d+) of (\d+) right, accuracy: [\d.]+ %", lines[-1])
    assert found is not None
    right, total = map(int, found.groups())
    assert total >= 20
    assert right >= 0.8 * total
    assert len(lines) == total + 1
