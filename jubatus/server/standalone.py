"""A server that works alone: its configuration is in a file, or its model is."""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from jubatus._core.context import Context
from jubatus._core.model import Model
from jubatus._core.reserve import limit_memory
from jubatus.daemon import life
from jubatus.errors import ConfigError, ModelError
from jubatus.idl import Host, Service
from jubatus.rpc.gate import Gate
from jubatus.rpc.server import Server
from jubatus.server import storage
from jubatus.server.common_handlers import CommonHandlers
from jubatus.server.configuration import make_model, read
from jubatus.server.dispatch import Dispatcher, bind, longest_inline
from jubatus.server.settings import Settings

if TYPE_CHECKING:
    from jubatus.server.journal import Journal

log = logging.getLogger("jubatus")


class Alone:
    """A standalone server; see life.Program.

    Args:
        service: the declaration.
        settings: what the options say.
        address: of the server.
    """

    def __init__(self, service: Service, settings: Settings, address: str) -> None:
        node = f"{address}_{settings.port}"
        model, config = build(service, settings, Context(node, settings.threads, settings.max_new_names))
        self._settings = settings
        self._gate = life.make_gate(settings)
        self._model = model
        self._executor = ThreadPoolExecutor(settings.threads, "worker")
        self._journal = open_journal(service, settings, model, config)
        self.dispatcher = assemble(service, settings, model, config, node, self._executor, self._gate, self._journal)
        limit_memory(settings.max_memory)  # not before: a journal that is replayed was within its limit

    def server(self) -> Server:
        """Return what answers requests."""
        settings = self._settings
        return Server(
            self.dispatcher.serve,
            timeout=settings.timeout,
            max_size=settings.max_message_size,
            gate=self._gate,
            shortcuts=self.dispatcher.shortcuts,
        )

    async def begin(self, stop: Callable[[str], None]) -> None:
        """Let the model warm up; there is nothing to take part in."""
        loop = asyncio.get_running_loop()
        loop.run_in_executor(self._executor, self._model.warm_up)
        if self._journal is not None:
            self._journal.begin(self.dispatcher)

    async def end(self) -> None:
        """Write a last snapshot; there is nothing to leave."""
        if self._journal is not None:
            await self._journal.end()

    def close(self) -> None:
        """Let go of the threads, and of the journal."""
        self._executor.shutdown()
        if self._journal is not None:
            self._journal.close()


def open_journal(service: Service, settings: Settings, model: Model, config: bytes) -> "Journal | None":
    """Return the journal that the options ask for, which nothing is read from yet; raise JournalError."""
    if settings.durability is None or settings.config_test:
        return None
    import signal

    from jubatus.server import journal

    signal.signal(signal.SIGUSR2, signal.SIG_IGN)  # until snapshots can be asked for
    return journal.Journal(settings.durability, service.name, config, model)


def assemble(
    service: Service,
    settings: Settings,
    model: Model,
    config: bytes,
    node: str,
    executor: ThreadPoolExecutor,
    gate: Gate,
    journal: "Journal | None" = None,
) -> Dispatcher:
    """Bind the rows of a standalone server to its handlers, and bring the model to where its journal ends.

    Raises:
        JournalError: the journal cannot be used.
    """
    assert settings.files is not None
    common = CommonHandlers(
        model,
        service=service.name,
        config=config,
        node=node,
        datadir=settings.datadir,
        loaded=settings.files.model_file,
        facts={**life.identity(settings), "is_standalone": "1", "type": service.name},
        counts=lambda: (
            {"update_count": str(dispatcher.updates)}
            | gate.status()
            | (journal.status() if journal is not None else {})
        ),
        replace=None if journal is None else journal.replace,
    )
    methods = bind([method for method in service.all_methods if method.host is Host.SERVER], model, common)
    dispatcher = Dispatcher(methods, executor, longest=longest_inline(model))
    if journal is not None:
        journal.recover(methods, has_learned=bool(settings.files.model_file))
        dispatcher.shortcuts.turn = journal.turn
    return dispatcher


def build(service: Service, settings: Settings, context: Context) -> tuple[Model, bytes]:
    """Return the model of a standalone server and the text of its configuration; raise JubatusError."""
    assert settings.files is not None
    configpath, model_file = settings.files.configpath, settings.files.model_file
    path = model_file or configpath
    if not model_file:
        config = read(path)
        return make_model(service, config, path, context=context), config
    try:
        config, driver = storage.load(path, type=service.name, config=None)
        if configpath:
            log.info("the configuration of the model file is used, that of %s is not", configpath)
        model = make_model(service, config, path, context=context)
        model.unpack(driver)
    except ModelError as error:
        raise ConfigError(str(error) if path in str(error) else f"{path}: {error}") from error
    return model, config
