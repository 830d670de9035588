"""A server process: from options and configuration to a model that answers, alone or in a cluster.

A standalone server has its configuration from a file and is ready. A server of a cluster has it from ZooKeeper, where
it registers once its port is open; its mixer then lets keepers know it as soon as its model is up to date. On its way
out it leaves the cluster first, so that keepers send nothing more, and answers what is still under way.
"""

import asyncio
import logging
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jubatus import COMPATIBLE
from jubatus._core.model import Model
from jubatus._core.schema import parse_json
from jubatus.daemon import life
from jubatus.errors import ClusterError, ConfigError, ConfigSyntaxError, JubatusError, ModelError
from jubatus.idl import Host, Service
from jubatus.methods import LINEAR_MIX, PUSH_MIX
from jubatus.rpc.server import Server
from jubatus.server import storage
from jubatus.server.common_handlers import CommonHandlers
from jubatus.server.dispatch import Dispatcher, bind

if TYPE_CHECKING:  # a standalone server does not load what it does not use
    from jubatus.cluster.coordinator import Coordinator
    from jubatus.mixer.runner import Mixer

log = logging.getLogger("jubatus")

LINEAR_MIXER = "linear_mixer"

MIXER_GRACE = 4.0
"""Seconds that the mixer gets for its end: as ZooKeeper takes its time too, a visor waits little longer."""


@dataclass(frozen=True)
class Cluster:
    """What the options say about the cluster.

    Args:
        zookeeper: locations of ZooKeeper, as ``host:port,host:port``.
        name: of the cluster.
        mixer: how models are mixed.
        interval_sec: seconds between two mixes; 0 is no limit.
        interval_count: updates between two mixes; 0 is no limit.
        zookeeper_timeout: seconds of a ZooKeeper session.
        interconnect_timeout: seconds of a call between servers.
    """

    zookeeper: str
    name: str
    mixer: str
    interval_sec: int
    interval_count: int
    zookeeper_timeout: int
    interconnect_timeout: int


@dataclass(frozen=True)
class Settings(life.Daemon):
    """What the options say; paths are absolute.

    Args:
        threads: how many run long requests.
        datadir: folder of the model files.
        configpath: configuration, or nothing with a model file or in a cluster.
        model_file: model to start with, or nothing.
        config_test: build the model and end.
        max_message_size: bytes that one message may have.
        cluster: the cluster; None for a standalone server.
    """

    threads: int
    datadir: str
    configpath: str
    model_file: str
    config_test: bool
    max_message_size: int
    cluster: Cluster | None = None


def run(service: Service, settings: Settings) -> int:
    """Be a server of the service until a signal ends it; return the exit status."""
    if settings.config_test:
        return check(service, settings)
    make = Alone if settings.cluster is None else Clustered
    return life.run(settings, lambda address: make(service, settings, address), greeting(settings))


def check(service: Service, settings: Settings) -> int:
    """Say on standard error whether a server could start; return the exit status."""
    try:
        _, address = life.addresses(settings.listen_addr, settings.listen_if)
        life.start_logs(settings, address)
        if settings.cluster is None:
            build(service, settings)
        else:
            Clustered(service, settings, address).close()
    except JubatusError as error:
        line = str(error).replace("\n", " ")
        print(f"Configuration error: {line}", file=sys.stderr)
        return 1
    print("Configuration OK", file=sys.stderr)
    return 0


class Alone:
    """A standalone server; see life.Program.

    Args:
        service: the declaration.
        settings: what the options say.
        address: of the server.
    """

    def __init__(self, service: Service, settings: Settings, address: str) -> None:
        model, config = build(service, settings)
        self._settings = settings
        self._executor = ThreadPoolExecutor(settings.threads, "worker")
        node = f"{address}_{settings.port}"
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
        """There is nothing to take part in."""

    async def end(self) -> None:
        """There is nothing to leave."""

    def close(self) -> None:
        """Let go of the threads."""
        self._executor.shutdown()


def assemble(
    service: Service, settings: Settings, model: Model, config: bytes, node: str, executor: ThreadPoolExecutor
) -> Dispatcher:
    """Bind the rows of a standalone server to its handlers; no thread is started yet."""
    common = CommonHandlers(
        model,
        service=service.name,
        config=config,
        node=node,
        datadir=settings.datadir,
        loaded=settings.model_file,
        facts=facts(service, settings),
        counts=lambda: {"update_count": str(dispatcher.updates)},
    )
    methods = [method for method in service.all_methods if method.host is Host.SERVER]
    dispatcher = Dispatcher(bind(methods, model, common), executor)
    return dispatcher


class Clustered:
    """A server of a cluster; see life.Program.

    Args:
        service: the declaration.
        settings: what the options say; they name a cluster.
        address: of the server.

    Raises:
        ClusterError: ZooKeeper cannot be reached.
        ConfigError: the configuration is missing or cannot be used.
    """

    def __init__(self, service: Service, settings: Settings, address: str) -> None:
        from jubatus.cluster import paths, zookeeper
        from jubatus.cluster.membership import Member

        assert settings.cluster is not None
        cluster = settings.cluster
        self._service = service
        self._settings = settings
        self._cluster = cluster
        self._node = paths.Node(address, settings.port)
        self._config_path = paths.config(service.name, cluster.name)
        self._session: Coordinator = zookeeper.connect(cluster.zookeeper, cluster.zookeeper_timeout)
        try:
            self._member: Member = Member(
                self._session, service.name, cluster.name, self._node, uses_cht=service.uses_cht
            )
            self._member.prepare()
            log.info("joining to the cluster %s", cluster.name)
            self._member.lock_config()
            self._config = self._member.config()
            self._model = configured(service, self._config, "<zookeeper>", distributed=True)
        except BaseException:
            self._session.close()
            raise
        self._executor = ThreadPoolExecutor(settings.threads, "worker")
        self._blocking = ThreadPoolExecutor(2, "cluster")
        self._mixer: Mixer | None = None
        self._stop: Callable[[], None] = lambda: None

    def server(self) -> Server:
        """Make the mixer and what answers requests."""
        from jubatus.mixer.runner import Mixer
        from jubatus.rpc.links import Links
        from jubatus.server.cluster_handlers import Handed, LinearHandlers, MixHandlers, OwnModel, PushHandlers

        settings, cluster = self._settings, self._cluster
        loop = asyncio.get_running_loop()
        handed = Handed()
        common = CommonHandlers(
            self._model,
            service=self._service.name,
            config=self._config,
            node=self._node.name,
            datadir=settings.datadir,
            loaded="",
            facts=facts(self._service, settings) | self._facts(),
            counts=lambda: {"update_count": str(dispatcher.updates)} | self.status(),
        )
        own = OwnModel(self._model, self._executor, handed)
        mixer = Mixer(
            cluster.mixer,
            member=self._member,
            links=Links(),
            local=own,
            me=self._node,
            interval_sec=cluster.interval_sec,
            interval_count=cluster.interval_count,
            timeout=cluster.interconnect_timeout,
            stop=self.stop,
        )
        if cluster.mixer == LINEAR_MIXER:
            rows = LINEAR_MIX
            handlers: MixHandlers = LinearHandlers(mixer, self._model, loop, handed)
        else:
            rows = PUSH_MIX
            handlers = PushHandlers(mixer, self._model, loop)
        methods = [method for method in self._service.all_methods if method.host is not Host.KEEPER]
        # A mixer's own method takes the place of one of the service that has its name, as in the original.
        taken = {method.name for method in rows}
        named = [method for method in methods if method.name not in taken]
        dispatcher = Dispatcher(bind([*named, *rows], self._model, common, handlers), self._executor)
        dispatcher.shortcuts.mixed = mixer.updated
        own.dispatcher = dispatcher
        self._mixer = mixer
        return Server(
            dispatcher.serve,
            timeout=settings.timeout,
            max_size=settings.max_message_size,
            shortcuts=dispatcher.shortcuts,
        )

    async def begin(self, stop: Callable[[], None]) -> None:
        """Register, and start to mix."""
        assert self._mixer is not None
        self._stop = stop
        await asyncio.get_running_loop().run_in_executor(self._blocking, self._member.join, stop)
        await self._mixer.start()

    async def end(self) -> None:
        """Leave the cluster; a MIX that runs ends first, unless others keep it waiting."""
        assert self._mixer is not None
        log.info("stopping mixer thread")
        stopping = asyncio.ensure_future(self._mixer.stop())
        await asyncio.wait((stopping,), timeout=MIXER_GRACE)
        if not stopping.done():
            log.warning("a mix does not end within %g s, leaving without it", MIXER_GRACE)
        await asyncio.get_running_loop().run_in_executor(self._blocking, self._member.leave)
        log.info("leaving from the cluster %s", self._cluster.name)

    def stop(self) -> None:
        """End the process as a signal would."""
        self._stop()

    def close(self) -> None:
        """Let go of threads and session."""
        self._session.close()
        self._blocking.shutdown(wait=False)
        self._executor.shutdown()

    def _facts(self) -> dict[str, str]:
        cluster = self._cluster
        return {
            "is_standalone": "0",
            "configpath": self._config_path,
            "zk": cluster.zookeeper,
            "name": cluster.name,
            "interval_sec": str(cluster.interval_sec),
            "interval_count": str(cluster.interval_count),
            "zookeeper_timeout": str(cluster.zookeeper_timeout),
            "interconnect_timeout": str(cluster.interconnect_timeout),
            "mixer": cluster.mixer,
            "use_cht": str(int(self._service.uses_cht)),
        }

    def status(self) -> dict[str, str]:
        """Return the entries of the status that only a server of a cluster has, and that change."""
        assert self._mixer is not None
        try:
            connected = self._session.server
        except ClusterError:
            connected = ""
        return {"connected_zookeeper": connected, **self._mixer.status()}


def build(service: Service, settings: Settings) -> tuple[Model, bytes]:
    """Return the model of a standalone server and the text of its configuration; raise JubatusError."""
    path = settings.model_file or settings.configpath
    if not settings.model_file:
        config = read(path)
        return configured(service, config, path), config
    try:
        config, driver = storage.load(path, type=service.name, config=None)
        if settings.configpath:
            log.info("the configuration of the model file is used, that of %s is not", settings.configpath)
        model = configured(service, config, path)
        model.unpack(driver)
    except ModelError as error:
        raise ConfigError(str(error) if path in str(error) else f"{path}: {error}") from error
    return model, config


def configured(service: Service, config: bytes, source: str, *, distributed: bool = False) -> Model:
    """Return a model that has learned nothing.

    Args:
        service: the declaration.
        config: text of the configuration.
        source: where it is from, for error messages.
        distributed: whether the model takes part in MIX.

    Raises:
        ConfigError: the configuration cannot be used.
    """
    try:
        model: Model = service.model_class(parse_json(config), distributed=distributed)
    except ConfigSyntaxError as error:
        raise ConfigError(f"syntax error in configuration: {source}:{error}") from error
    except ConfigError as error:
        raise ConfigError(f"invalid configuration: {source}: {error}") from error
    except ModelError as error:
        raise ConfigError(f"{source}: {error}") from error
    return model


def read(path: str) -> bytes:
    """Return the content of a configuration file; raise ConfigError."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise ConfigError(f"cannot read configuration: {path}: {error.strerror}") from error


def facts(service: Service, settings: Settings) -> dict[str, str]:
    """Return the entries of the status that do not change."""
    return {
        "timeout": str(settings.timeout),
        "threadnum": str(settings.threads),
        "datadir": settings.datadir,
        "logdir": settings.logdir,
        "log_config": settings.log_config,
        "is_standalone": "1",
        "VERSION": COMPATIBLE,
        "PROGNAME": settings.program,
        "type": service.name,
        "configpath": settings.configpath,
        "user": life.login(),
    }


def greeting(settings: Settings) -> dict[str, object]:
    """Return what the log says at first."""
    lines: dict[str, object] = {
        "mode": "standalone mode" if settings.cluster is None else "multinode mode",
        "timeout": settings.timeout,
        "thread": settings.threads,
        "datadir": settings.datadir,
        "logdir": settings.logdir,
        "log config": settings.log_config,
    }
    if settings.cluster is None:
        return lines | {"configuration": settings.configpath, "model file": settings.model_file}
    cluster = settings.cluster
    return lines | {
        "zookeeper": cluster.zookeeper,
        "name": cluster.name,
        "mixer": cluster.mixer,
        "interval sec": cluster.interval_sec or "disabled",
        "interval count": cluster.interval_count or "disabled",
        "zookeeper timeout": cluster.zookeeper_timeout,
        "interconnect timeout": cluster.interconnect_timeout,
    }
