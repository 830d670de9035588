import re
from pathlib import Path
from typing import Any

import pytest

from jubatus._core.wire import Reader, pack, unpack
from jubatus.errors import BadArguments, ModelFileError
from jubatus.idl import Lock
from jubatus.server import storage
from jubatus.server.common_handlers import CommonHandlers
from jubatus.server.dispatch import Steps

CONFIG = b'{"a": 1, "b": "\xc3\xa9"}\n'


class Model:
    """A model whose state is its packed form."""

    def __init__(self) -> None:
        self.packed = pack([1, 2])

    def status(self) -> dict[str, str]:
        return {"engine": "7", "type": "hidden"}

    def pack(self) -> bytes:
        return self.packed

    def unpack(self, data: bytes) -> None:
        if data == pack("broken"):
            raise ModelFileError("user data is broken")
        self.packed = data


def handlers(folder: Path, model: Any, loaded: str = "") -> CommonHandlers:
    return CommonHandlers(
        model,
        service="weight",
        config=CONFIG,
        node="h_1",
        datadir=str(folder),
        loaded=loaded,
        facts={"type": "weight"},
        counts=lambda: {"update_count": "3"},
    )


def arguments(*values: object) -> Reader:
    return Reader(b"".join(map(pack, values)))


def finish(steps: Steps) -> bytes:
    """Go through all steps of a call and return its result."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            result: bytes = end.value
            return result


def status(common: CommonHandlers) -> dict[bytes, bytes]:
    whole: Any = unpack(common.get_status(arguments()))
    found: dict[bytes, bytes] = whole[b"h_1"]
    return found


def test_config_is_given_byte_for_byte(tmp_path: Path) -> None:
    assert unpack(handlers(tmp_path, Model()).get_config(arguments())) == CONFIG


def test_a_save_is_packed_first_and_written_later(tmp_path: Path) -> None:
    model = Model()
    common = handlers(tmp_path, model)
    steps = common.save(arguments("m"))
    assert next(steps) is Lock.NOLOCK
    model.packed = pack("changed")
    assert list(tmp_path.iterdir()) == []
    path = f"{tmp_path}/h_1_weight_m.jubatus"
    assert unpack(finish(steps)) == {b"h_1": path.encode()}
    assert storage.load(path, type="weight", config=CONFIG) == (CONFIG, pack([1, 2]))
    assert status(common)[b"last_saved_path"] == path.encode()
    assert unpack(common.load(arguments("m"))) is True
    assert model.packed == pack([1, 2])
    assert status(common)[b"last_loaded_path"] == path.encode()


@pytest.mark.parametrize("method", ["save", "load"])
def test_ids_are_checked(tmp_path: Path, method: str) -> None:
    common = handlers(tmp_path, Model())

    def handler(args: Reader) -> bytes:
        return common.load(args) if method == "load" else finish(common.save(args))

    with pytest.raises(BadArguments):
        handler(arguments(5))
    with pytest.raises(ModelFileError, match=r"^empty id is not allowed$"):
        handler(arguments(""))
    with pytest.raises(ModelFileError, match=r"^model ID contains invalid character$"):
        handler(arguments("../x"))


def test_failures_are_logged_with_the_path(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    model = Model()
    common = handlers(tmp_path, model)
    path = f"{tmp_path}/h_1_weight_m.jubatus"
    model.packed = pack("broken")
    finish(common.save(arguments("m")))
    model.packed = pack("good")
    with pytest.raises(ModelFileError, match=r"^user data is broken$"):
        common.load(arguments("m"))
    assert model.packed == pack("good")
    assert caplog.messages[-1] == f"cannot load the model {path}: user data is broken"
    Path(path).unlink()
    Path(path).mkdir()
    with pytest.raises(ModelFileError):
        finish(common.save(arguments("m")))
    assert re.fullmatch("cannot write output file: .*: Is a directory", caplog.messages[-1])
    assert status(common)[b"last_loaded"] == b"0"


def test_status(tmp_path: Path) -> None:
    found = status(handlers(tmp_path, Model(), loaded="/x.jubatus"))
    assert found[b"engine"] == b"7"
    assert found[b"type"] == b"weight"  # an engine does not hide what the server says
    assert found[b"update_count"] == b"3"
    assert found[b"last_loaded_path"] == b"/x.jubatus"
    assert found[b"last_loaded"] == found[b"start_time"]
