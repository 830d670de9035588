import json
import os
import subprocess
from pathlib import Path
from typing import Any, NoReturn

import pytest

from jubatus._core.wire import frame_record, pack
from jubatus.cli import dump
from jubatus.server.segments import Header, pack_header
from jubatus.server.storage import pack_model_file
from tests.cli.conftest import Run
from tests.conftest import BIN

MODELS = sorted((Path(__file__).parent.parent / "golden/models").glob("*.jubatus"))


def strictly(text: bytes) -> Any:
    """Parse JSON; NaN and infinities are none."""

    def refuse(constant: str) -> NoReturn:
        raise AssertionError(constant)

    return json.loads(text.decode("ascii"), parse_constant=refuse)


def write(path: Path, type: str, driver: bytes, config: str = "{}") -> str:
    file = path / "model.jubatus"
    pieces = pack_model_file(type=type, id="m1", config=config.encode(), driver=driver, timestamp=1700000000)
    file.write_bytes(b"".join(pieces))
    return str(file)


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
def test_models_of_the_original(run: Run, path: Path) -> None:
    status, out, err = run(dump.main, "-i", str(path))
    assert (status, err) == (0, "")
    shown = strictly(out)
    assert path.name.startswith(shown["system"]["type"] + "-")
    json.loads(shown["system"]["config"])


def test_what_the_file_says_of_itself(run: Run, tmp_path: Path) -> None:
    path = write(tmp_path, "bandit", pack([[], {}, {}]), '{"method":"ts"}')
    shown = strictly(run(dump.main, f"--input={path}")[1])
    about = {"version": 1, "timestamp": 1700000000, "type": "bandit", "id": "m1", "config": '{"method":"ts"}'}
    assert shown == {"system": about, "arms": [], "mixed": {}, "unmixed": {}}


def test_bytes_that_are_no_text_and_values_that_are_no_numbers(run: Run, tmp_path: Path) -> None:
    arms = {b"\xff\xc3\xa9": [1, float("nan")], b"inf": [2, float("inf")], b"low": [3, float("-inf")]}
    path = write(tmp_path, "bandit", pack([[b"\xed\xa0\x80"], {}, {b"p": [6, arms]}]))
    shown = strictly(run(dump.main, "-i", path)[1])
    assert shown["arms"][0].encode("utf-8", "surrogateescape") == b"\xed\xa0\x80"
    (player,) = shown["unmixed"].values()
    weights = {name: info["weight"] for name, info in player["arms"].items()}
    assert weights == {"\udcffé": "NaN", "inf": "Infinity", "low": "-Infinity"}


def test_from_a_pipe(tmp_path: Path) -> None:
    content = Path(write(tmp_path, "bandit", pack([[], {}, {}]))).read_bytes()
    done = subprocess.run([BIN / "jubadump", "-i", "/dev/stdin"], input=content, capture_output=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, b"")
    assert strictly(done.stdout)["arms"] == []


def test_a_full_disk(tmp_path: Path) -> None:
    path = write(tmp_path, "bandit", pack([[], {}, {}]))
    with open("/dev/full", "wb") as full:
        command = [BIN / "jubadump", "-i", path]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, timeout=60)
    assert (done.returncode, done.stderr) == (1, b"cannot write: No space left on device\n")


def test_files_that_are_no_models(run: Run, tmp_path: Path) -> None:
    path = write(tmp_path, "bandit", pack([[b"a"], {}, {}]))
    content = Path(path).read_bytes()
    for torn, line in (
        (content[:-1], "cannot read input file"),
        (content[:20], "cannot read input file"),
        (b"x" + content[1:], "invalid file format"),
        (content[:-4] + b"\xa1b\x80\x80", "invalid crc32 checksum: "),
        (b"", "cannot read input file"),
    ):
        Path(path).write_bytes(torn)
        status, out, err = run(dump.main, "-i", path)
        assert (status, out) == (1, b"")
        assert err.startswith(line)
        assert err.count("\n") == 1
    got = run(dump.main, "-i", "/none")
    assert got == (1, b"", "cannot open input file: /none: No such file or directory\n")
    got = run(dump.main, "-i", str(tmp_path))
    assert got == (1, b"", f"cannot open input file: {tmp_path}: {os.strerror(21)}\n")


def test_models_of_another_layout(run: Run, tmp_path: Path) -> None:
    status, _, err = run(dump.main, "-i", write(tmp_path, "bandit", pack([1, 2])))
    assert (status, err.startswith("user data is broken: ")) == (1, True)
    status, out, err = run(dump.main, "-i", write(tmp_path, "none", pack([])))
    assert (status, out) == (1, b"")
    assert err.startswith("unknown type of model: none: one of anomaly, bandit, ")
    status, out, err = run(dump.main, "-i", write(tmp_path, "bandit", pack([]), "{"))
    assert (status, out, err.startswith("system data is broken: ")) == (1, b"", True)


def test_options(run: Run) -> None:
    status, out, err = run(dump.main, "--help")
    assert (status, out) == (0, b"")
    assert "-i, --input    model file, or segment of a journal (string)\n" in err
    name = dump.main.__module__
    assert run(dump.main, "-i") == (1, b"", f"option needs value: --input; see {name} --help\n")
    assert run(dump.main, "-t", "x") == (1, b"", f"undefined short option: -t; see {name} --help\n")
    assert run(dump.main)[0] == 0


def test_the_example_of_a_file(run: Run, tmp_path: Path) -> None:
    """An empty model of PA as the original saves it, to the byte."""
    content = bytes.fromhex(
        "6a7562617475730000000000000000010000000100000001000000018bd9895200000000000000340000000000000027"
        "9501ce6553f100aa636c6173736966696572a26d31be7b226d6574686f64223a225041222c22636f6e766572746572223a7b7d7d"
        "920192929480938080008091009380809100939100950091809180918080950091809180918080"
    )
    assert len(content) == 139
    path = tmp_path / "example.jubatus"
    path.write_bytes(content)
    status, out, err = run(dump.main, "-i", str(path))
    assert (status, err) == (0, "")
    shown = strictly(out)
    assert shown["system"]["config"] == '{"method":"PA","converter":{}}'
    assert shown["storage"]["label"] == {"version_number": 0, "label_count": {}}


def test_a_segment_of_a_journal(run: Run, tmp_path: Path) -> None:
    header = Header("stat", b'{"window_size": 3}', 7, False, b"aside")
    calls = [
        ("push", ["", "a", 1.5], True),
        ("push", ["c", b"\xff", float("nan")], False),
        ("x", ["", {1: {"k": []}}], True),
    ]
    records = [pack(name) + pack(params) + pack(good) for name, params, good in calls]
    data = pack_header(header) + b"".join(map(frame_record, records))
    path = tmp_path / "segment"
    path.write_bytes(data + frame_record(records[0])[:-1])
    status, out, err = run(dump.main, "-i", str(path))
    assert (status, err) == (0, "")
    first, *rest = map(strictly, out.splitlines())
    assert first == {"service": "stat", "config": '{"window_size": 3}', "updates_before": 7, "begins_empty": False}
    assert [(each["record"], each["method"], each["params"], each["error"]) for each in rest[:-1]] == [
        (8, "push", ["", "a", 1.5], False),
        (9, "push", ["c", "\udcff", "NaN"], True),
        (10, "x", ["", {"1": {"k": []}}], False),
    ]
    assert rest[0]["offset"] == len(pack_header(header))
    assert rest[-1] == {"cut_off": 11, "offset": len(data), "bytes": len(frame_record(records[0])) - 1}
    path.write_bytes(data[:-1] + b"\x55")
    status, out, err = run(dump.main, "-i", str(path))
    assert (status, len(out.splitlines())) == (1, 3)
    assert err == f"{path}: the record 10 at byte {len(data) - len(frame_record(records[2]))} is damaged\n"
