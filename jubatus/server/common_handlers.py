"""Handlers of the methods that every service has."""

import logging
import os
import time
from collections.abc import Callable
from functools import partial

from jubatus._core.model import Model
from jubatus._core.reserve import refuses
from jubatus._core.wire import Reader, pack
from jubatus.daemon.life import memory
from jubatus.errors import ModelFileError
from jubatus.idl import Lock
from jubatus.server import storage
from jubatus.server.dispatch import Steps

log = logging.getLogger("jubatus")


class CommonHandlers:
    """Answers for a server and its model, whatever the service.

    Args:
        model: the model.
        service: name of the service.
        config: text of the configuration.
        node: ``<address>_<port>`` of the server.
        datadir: folder of the model files.
        loaded: path of the file that the model comes from, or nothing.
        facts: the entries of the status that do not change.
        counts: returns the entries that change and that are neither the model's nor of this class.
        replace: makes a packed model the model, by a function that does it, where more belongs to that; or None.
    """

    def __init__(
        self,
        model: Model,
        *,
        service: str,
        config: bytes,
        node: str,
        datadir: str,
        loaded: str,
        facts: dict[str, str],
        counts: Callable[[], dict[str, str]],
        replace: Callable[[bytes, Callable[[], None]], None] | None = None,
    ) -> None:
        self._model = model
        self._service = service
        self._config = config
        self._node = node
        self._datadir = datadir
        self._facts = facts
        self._counts = counts
        self._replace = replace
        self._started = now = int(time.time())
        self._saved = (0, "")
        self._loaded = (now, loaded) if loaded else (0, "")

    def get_config(self, args: Reader) -> bytes:
        """Return the text of the configuration."""
        return pack(self._config)

    def save(self, args: Reader) -> Steps:
        """Pack the model under the lock; write the file without it."""
        id = storage.model_id(args.string())
        driver = self._model.pack()
        yield Lock.NOLOCK
        now = int(time.time())
        path = self._path(id)
        parts = storage.pack_model_file(type=self._service, id=id, config=self._config, driver=driver, timestamp=now)
        try:
            storage.save(path, parts)
        except ModelFileError as error:
            log.error("%s", error)
            raise
        self._saved = (now, path)
        log.info("saved the model to %s", path)
        return pack({self._node: path})

    def load(self, args: Reader) -> bytes:
        """Replace the model by a saved one."""
        path = self._path(storage.model_id(args.string()))
        try:
            _config, driver = storage.load(path, type=self._service, config=self._config)
            if self._replace is None:
                self._model.unpack(driver)
            else:
                self._replace(driver, partial(self._model.unpack, driver))
        except ModelFileError as error:
            log.error("cannot load the model %s: %s", path, error)
            raise
        self._loaded = (int(time.time()), path)
        log.info("loaded the model from %s", path)
        return pack(True)

    def get_status(self, args: Reader) -> bytes:
        """Return the state of the server."""
        now = int(time.time())
        (saved, saved_path), (loaded, loaded_path) = self._saved, self._loaded
        status = self._model.status() | self._facts | self._counts() | memory()
        status |= {
            "pid": str(os.getpid()),
            "clock_time": str(now),
            "start_time": str(self._started),
            "uptime": str(now - self._started),
            "refuses_updates": str(int(refuses())),
            "last_saved": str(saved),
            "last_saved_path": saved_path,
            "last_loaded": str(loaded),
            "last_loaded_path": loaded_path,
        }
        return pack({self._node: status})

    def _path(self, id: str) -> str:
        return storage.model_path(self._datadir, self._node, self._service, id)
