"""Journals made in process, without an event loop: each update is written when it is told."""

from pathlib import Path
from typing import Any

from jubatus import idl
from jubatus._core.schema import parse_json
from jubatus._core.wire import FrameSplitter, pack, unpack
from jubatus.errors import ModelError
from jubatus.idl import Host, Service
from jubatus.server.dispatch import BoundMethod, bind
from jubatus.server.journal import Journal
from jubatus.server.segments import segment_path
from jubatus.server.settings import Durability
from tests.conftest import packed
from tests.services import facts_of

CONFIG = b'{"window_size": 3}'
STAT = idl.service("stat")


class Common:
    """Stands for the handlers that every server has."""

    def __init__(self) -> None:
        self.get_config = self.save = self.load = self.get_status = lambda args: pack(True)


def methods_of(service: Service, model: Any) -> dict[bytes, BoundMethod]:
    return bind([method for method in service.all_methods if method.host is Host.SERVER], model, Common())


class Kept:
    """A journal that is open, and its model.

    Args:
        folder: of the journal.
        config: text of the configuration of stat.
        keep: how many snapshots are kept.
        model: what the server starts with, if it is not new.
        updates: how many updates there are between two snapshots; 0 is no limit.
    """

    def __init__(
        self, folder: Path, config: bytes = CONFIG, keep: int = 2, model: Any = None, updates: int = 0
    ) -> None:
        self.folder = str(folder)
        self.model = model or STAT.model_class(parse_json(config))
        self.journal = Journal(Durability(self.folder, updates=updates, keep=keep), "stat", config, self.model)
        self.methods = methods_of(STAT, self.model)
        self.journal.recover(self.methods, has_learned=model is not None)

    def tell(self, *calls: tuple[Any, ...]) -> None:
        """Carry out updates, given as name and arguments, and write them."""
        for name, *args in calls:
            (frame,) = FrameSplitter().feed(packed([0, 1, name, ["", *args]]))
            try:
                self.methods[frame.method].begin(frame.params)
            except ModelError:
                self.journal.turn.append_frame(frame, False)
            else:
                self.journal.turn.append_frame(frame, True)
        self.journal._write()

    def snapshot(self) -> None:
        """Write a snapshot in this process."""
        count = self.journal._before + self.journal.turn.count
        output = self.journal._cut()
        self.journal._save(output.sequence)
        self.journal._note(output.sequence, 0.0, count)

    def cut(self) -> None:
        """Begin a segment whose snapshot never becomes whole."""
        self.journal._cut()
        self.journal._write()

    def status(self, key: str) -> str:
        return self.journal.status()[key]

    def content(self) -> Any:
        """Return what the model consists of, without the times at which numbers came."""
        return facts_of("stat").stored(unpack(self.model.pack()))

    def close(self) -> Any:
        """Close the journal; return what the model consists of."""
        self.journal.close()
        return self.content()


def told(folder: Path) -> Any:
    """Return what the model consists of that a journal tells of."""
    return Kept(folder).close()


def segment(folder: Path, sequence: int = 1) -> Path:
    return Path(segment_path(str(folder), sequence))
