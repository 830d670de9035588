"""A server that works alone: its configuration is in a file, or its model is."""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from jubatus._core.context import Context
from jubatus._core.model import Model
from jubatus._core.reserve import limit_memory
from jubatus.daemon import life
from jubatus.errors import ConfigError, ModelError
from jubatus.idl import Host, Service
from jubatus.rpc.server import Server
from jubatus.server import storage
from jubatus.server.common_handlers import CommonHandlers
from jubatus.server.configuration import make_model, read
from jubatus.server.dispatch import Dispatcher, bind
from jubatus.server.settings import Settings

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
        limit_memory(settings.max_memory)
        self._settings = settings
        self._model = model
        self._executor = ThreadPoolExecutor(settings.threads, "worker")
        self.dispatcher = assemble(service, settings, model, config, node, self._executor)

    def server(self) -> Server:
        """Return what answers requests."""
        settings = self._settings
        return Server(
            self.dispatcher.serve,
            timeout=settings.timeout,
            max_size=settings.max_message_size,
            shortcuts=self.dispatcher.shortcuts,
        )

    async def begin(self, stop: Callable[[], None]) -> None:
        """Let the model warm up; there is nothing to take part in."""
        asyncio.get_running_loop().run_in_executor(self._executor, self._model.warm_up)

    async def end(self) -> None:
        """There is nothing to leave."""

    def close(self) -> None:
        """Let go of the threads."""
        self._executor.shutdown()


def assemble(
    service: Service, settings: Settings, model: Model, config: bytes, node: str, executor: ThreadPoolExecutor
) -> Dispatcher:
    """Bind the rows of a standalone server to its handlers; no thread is started yet."""
    assert settings.files is not None
    common = CommonHandlers(
        model,
        service=service.name,
        config=config,
        node=node,
        datadir=settings.datadir,
        loaded=settings.files.model_file,
        facts={**life.identity(settings), "is_standalone": "1", "type": service.name},
        counts=lambda: {"update_count": str(dispatcher.updates)},
    )
    methods = [method for method in service.all_methods if method.host is Host.SERVER]
    dispatcher = Dispatcher(bind(methods, model, common), executor)
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
