import gzip
import itertools
import json
import os
import struct
import threading
import zlib
from pathlib import Path
from typing import Any

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jubatus.errors import ModelFileError
from jubatus.server import storage

CONFIG = b'{"method":"PA","converter":{}}'
DRIVER = bytes.fromhex(
    "92 92 94 80 93 80 80 00 80 91 00 93 80 80 91 00 93 91 00 95 00 91 80 91 80 91 80 80 95 00 91 80 91 80 91 80 80"
)
EXAMPLE = (
    bytes.fromhex(
        "6a756261747573000000000000000001000000010000000100000001"
        "8bd98952"
        "00000000000000340000000000000027"
        "9501ce6553f100aa636c6173736966696572a26d31be7b226d6574686f64223a"
        "225041222c22636f6e766572746572223a7b7d7d"
        "9201"
    )
    + DRIVER
)


def model_file(
    *,
    magic: bytes = b"jubatus\0",
    number: int = 1,
    version: tuple[int, int, int] = (1, 1, 1),
    checksum: int | None = None,
    system: Any = (1, 1700000000, "classifier", "m1", CONFIG),
    user: Any = (1, []),
) -> bytes:
    """Write a model file from the description of the format alone; system and user data are packed unless bytes."""
    system = system if isinstance(system, bytes) else msgpack.packb(system, use_bin_type=False)
    user = user if isinstance(user, bytes) else msgpack.packb(user, use_bin_type=False)
    head = magic + struct.pack(">Q3I", number, *version)
    tail = struct.pack(">QQ", len(system), len(user)) + system + user
    return head + struct.pack(">I", zlib.crc32(head + tail) if checksum is None else checksum) + tail


def parse(data: bytes, type: str = "classifier", config: bytes | None = CONFIG) -> tuple[bytes, bytes]:
    return storage.parse_model_file(data, type=type, config=config)


def refusal(data: bytes, **expected: Any) -> str:
    with pytest.raises(ModelFileError) as caught:
        parse(data, **expected)
    return str(caught.value)


def example() -> tuple[bytes, ...]:
    return storage.pack_model_file(type="classifier", id="m1", config=CONFIG, driver=DRIVER, timestamp=1700000000)


def test_example_of_the_format_description() -> None:
    assert len(EXAMPLE) == 139
    assert b"".join(example()) == EXAMPLE
    assert parse(EXAMPLE) == (CONFIG, DRIVER)


@pytest.mark.parametrize(
    "change, text",
    [
        ({"magic": b"jubatus1"}, "invalid file format"),
        ({"number": 2}, "invalid format version: 2, expected 1"),
        ({"number": 2**64 - 1}, "invalid format version: 18446744073709551615, expected 1"),
        ({"version": (0, 9, 4)}, "cannot load model file created before v1.0.0: 0.9.4"),
        ({"version": (2, 0, 0)}, "cannot load model file created before v1.0.0: 2.0.0"),
        ({"system": 7}, "system data is broken"),
        ({"system": (1, 2, "classifier", "m1")}, "system data is broken"),
        ({"system": ("1", 2, "classifier", "m1", CONFIG)}, "system data is broken"),
        ({"system": (1, 2, "classifier", "m1", 5)}, "system data is broken"),
        ({"system": b""}, "system data is broken"),
        ({"system": b"\xc1"}, "system data is broken"),
        ({"system": (1, 2, "classifier", "m1", "{")}, "system data is broken"),
        ({"system": (2, 2, "classifier", "m1", CONFIG)}, "invalid system data version: saved version: 2, expected 1"),
        ({"system": (1, 2, "weight", "m1", CONFIG)}, "server type mismatched: weight, expected classifier"),
        (
            {"system": (1, 2, "classifier", "m1", '{"method":"CW","converter":{}}')},
            'server config mismatched: {"method":"CW","converter":{}}, expected {"method":"PA","converter":{}}',
        ),
        ({"user": 7}, "user data is broken"),
        ({"user": b""}, "user data is broken"),
        ({"user": b"\x92"}, "user data is broken"),
        ({"user": {}}, "user data is broken"),
        ({"user": ("1", [])}, "user data is broken"),
        ({"user": (1,)}, "invalid user container"),
        ({"user": (1, [], 3)}, "invalid user container"),
        ({"user": (2, [])}, "user data version mismatched: 2, expected 1"),
    ],
)
def test_each_check(change: dict[str, Any], text: str) -> None:
    assert refusal(model_file(**change)) == text


def test_checks_go_in_order() -> None:
    wrong: list[dict[str, Any]] = [
        {"magic": b"notajuba"},
        {"number": 3},
        {"version": (3, 0, 0)},
        {"checksum": 0xABC},
        {"system": (3, 2, "weight", "", "[]")},
        {"user": (3, 2, 1)},
    ]
    texts = []
    for start in range(len(wrong)):
        change: dict[str, Any] = {}
        for part in wrong[start:]:
            change |= part
        texts.append(refusal(model_file(**change)).partition(":")[0])
    assert texts == [
        "invalid file format",
        "invalid format version",
        "cannot load model file created before v1.0.0",
        "invalid crc32 checksum",
        "invalid system data version",
        "invalid user container",
    ]


def test_checksum_is_printed_in_short_lower_case_hexadecimal() -> None:
    data = model_file(checksum=0x0ABC)
    whole = zlib.crc32(data[:28] + data[32:])
    assert refusal(data) == f"invalid crc32 checksum: {whole:x}, expected abc"


def test_what_is_not_checked() -> None:
    other = model_file(system=(1, 0, "classifier", "another", CONFIG, "more"), version=(1, 9, 7))
    assert parse(other + b"trailing") == (CONFIG, b"\x90")


def test_modern_and_long_forms_are_read() -> None:
    system = msgpack.packb([1, 2, "classifier", b"m" * 40, CONFIG], use_bin_type=True)
    user = b"\xdd\0\0\0\x02" + b"\xd3\0\0\0\0\0\0\0\x01" + b"\x91\x05"
    assert parse(model_file(system=system, user=user)) == (CONFIG, b"\x91\x05")


def test_configurations_are_compared_as_json() -> None:
    spaced = b'{\n "converter" : {}, "method":\t"PA"}'
    assert parse(model_file(system=(1, 2, "classifier", "m1", spaced))) == (spaced, b"\x90")
    assert refusal(EXAMPLE, config=b'{"method":"PA","converter":{"a":1}}').startswith("server config mismatched: ")
    number = model_file(system=(1, 2, "classifier", "m1", b"[1]"))
    assert refusal(number, config=b"[1.0]") == "server config mismatched: [1], expected [1.0]"
    assert parse(number, config=None) == (b"[1]", b"\x90")


def test_a_file_cut_anywhere_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "cut"
    for size in range(len(EXAMPLE)):
        assert refusal(EXAMPLE[:size]) == "cannot read input file"
        path.write_bytes(EXAMPLE[:size])
        with pytest.raises(ModelFileError, match=r"^cannot read input file$"):
            storage.load(str(path), type="classifier", config=CONFIG)


def test_a_file_changed_anywhere_is_refused() -> None:
    for position, bit in itertools.product(range(len(EXAMPLE)), (1, 0x80)):
        changed = bytearray(EXAMPLE)
        changed[position] ^= bit
        if position not in (20, 21, 22, 23, 24, 25, 26, 27):  # a minor version is told by the checksum only
            refusal(bytes(changed))
        else:
            assert refusal(bytes(changed)).startswith("invalid crc32 checksum")


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_in_order(data: bytes) -> None:
    refusal(data)
    refusal(model_file(system=data))
    refusal(b"jubatus\0" + data)


@given(st.binary(max_size=60), st.binary(max_size=60))
def test_any_user_data_are_refused_or_given_out(head: bytes, tail: bytes) -> None:
    data = model_file(user=head + tail)
    try:
        _config, driver = parse(data)
    except ModelFileError:
        return
    assert (head + tail).endswith(driver)


def test_absurd_sizes_are_refused() -> None:
    head = EXAMPLE[:32] + struct.pack(">QQ", 2**63, 2**63 + 5) + EXAMPLE[48:]
    assert refusal(head) == "cannot read input file"


@pytest.mark.parametrize("raw", [b"m1", b"a b", b"..", b"_", b"~", b"x" * 100])
def test_allowed_ids(raw: bytes) -> None:
    assert storage.model_id(raw) == raw.decode()


@pytest.mark.parametrize(
    "raw, text",
    [
        (b"", "empty id is not allowed"),
        (b"a/b", "model ID contains invalid character"),
        (b"a\n", "model ID contains invalid character"),
        (b"\x7f", "model ID contains invalid character"),
        ("é".encode(), "model ID contains invalid character"),
        (b"\0", "model ID contains invalid character"),
    ],
)
def test_refused_ids(raw: bytes, text: str) -> None:
    with pytest.raises(ModelFileError, match=rf"^{text}$"):
        storage.model_id(raw)


def test_path() -> None:
    assert storage.model_path("/data", "10.0.0.1_9199", "weight", "m 1") == "/data/10.0.0.1_9199_weight_m 1.jubatus"


def test_save_and_load(tmp_path: Path) -> None:
    path = str(tmp_path / "model")
    storage.save(path, example())
    assert storage.load(path, type="classifier", config=CONFIG) == (CONFIG, DRIVER)
    assert os.listdir(tmp_path) == ["model"]
    assert os.stat(path).st_mode & 0o777 == 0o666 & ~umask()


def umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_load_tells_path_and_reason(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError) as caught:
        storage.load(str(tmp_path / "none"), type="classifier", config=CONFIG)
    assert str(caught.value) == f"cannot open input file: {tmp_path}/none: No such file or directory"
    with pytest.raises(ModelFileError, match=r"Is a directory"):
        storage.load(str(tmp_path), type="classifier", config=CONFIG)


def test_save_into_a_missing_folder(tmp_path: Path) -> None:
    path = f"{tmp_path}/none/model"
    with pytest.raises(ModelFileError) as caught:
        storage.save(path, example())
    assert str(caught.value) == f"cannot open output file: {path}: No such file or directory"


def test_save_over_a_folder_leaves_it(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    with pytest.raises(ModelFileError, match=r"^cannot write output file: "):
        storage.save(str(tmp_path / "model"), example())
    assert os.listdir(tmp_path) == ["model"]


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_failure_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    path = tmp_path / "model"
    path.write_bytes(b"old")

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, step, fail)
        with pytest.raises(ModelFileError) as caught:
            storage.save(str(path), example())
    assert str(caught.value) == f"cannot write output file: {path}: No space left on device"
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["model"]


def test_a_failure_in_the_middle_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "model"
    path.write_bytes(b"old")

    def parts() -> Any:
        yield b"x" * 100_000
        assert len(os.listdir(tmp_path)) == 2
        assert path.read_bytes() == b"old"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        storage.save(str(path), parts())
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["model"]


def test_everything_is_on_disk_before_the_name_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = []
    fsync, replace = os.fsync, os.replace

    def note_fsync(descriptor: int) -> None:
        done.append(os.readlink(f"/proc/self/fd/{descriptor}"))
        fsync(descriptor)

    def note_replace(source: str, target: str) -> None:
        done.append("replace")
        replace(source, target)

    monkeypatch.setattr(os, "fsync", note_fsync)
    monkeypatch.setattr(os, "replace", note_replace)
    storage.save(str(tmp_path / "model"), example())
    temporary, *rest = done
    assert os.path.dirname(temporary) == str(tmp_path)
    assert rest == ["replace", str(tmp_path)]


def test_saves_to_one_file_do_not_clash(tmp_path: Path) -> None:
    path = str(tmp_path / "model")
    pieces = [bytes([number]) * 300_000 for number in range(8)]
    threads = [threading.Thread(target=storage.save, args=(path, [piece, piece])) for piece in pieces]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Path(path).read_bytes() in [piece * 2 for piece in pieces]
    assert os.listdir(tmp_path) == ["model"]


def test_a_file_left_by_a_dead_process_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage, "_serial", itertools.count())
    left = tmp_path / f".jubatus-{os.getpid()}-0.tmp"
    left.write_bytes(b"left")
    storage.save(str(tmp_path / "model"), example())
    assert left.read_bytes() == b"left"
    assert (tmp_path / "model").read_bytes() == EXAMPLE


def test_files_of_the_original_are_read() -> None:
    for path in sorted((Path(__file__).parent.parent / "golden" / "models").glob("*.jubatus")):
        recording = json.loads(gzip.decompress(path.with_suffix(".json.gz").read_bytes()))
        config = json.dumps(recording["config"]).encode()
        found, driver = storage.load(str(path), type=recording["service"], config=config)
        assert path.read_bytes().endswith(driver)
        assert json.loads(found) == recording["config"]
