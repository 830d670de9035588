"""A server of a cluster: its configuration is in ZooKeeper, and it mixes what it learns with the others.

It registers once its port is open; its mixer then lets keepers know it as soon as its model is up to date. On its way
out it leaves the cluster first, so that keepers send nothing more, and answers what is still under way.
"""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from jubatus._core.reserve import limit_memory
from jubatus.cluster import paths, zookeeper
from jubatus.cluster.coordinator import Coordinator
from jubatus.cluster.membership import Ids, Member
from jubatus.cluster.view import Directory, View
from jubatus.daemon import life
from jubatus.errors import ClusterError
from jubatus.idl import Host, Service
from jubatus.methods import LINEAR_MIX, PUSH_MIX
from jubatus.mixer.runner import Mixer
from jubatus.rpc.links import Links
from jubatus.rpc.server import Server
from jubatus.server.cluster_handlers import Handed, LinearHandlers, MixHandlers, OwnModel, PushHandlers
from jubatus.server.common_handlers import CommonHandlers
from jubatus.server.configuration import make_model, mark
from jubatus.server.dispatch import Dispatcher, bind, longest_inline
from jubatus.server.door import Door
from jubatus.server.holdings import Holdings
from jubatus.server.peers import Peers, handlers_of
from jubatus.server.settings import LINEAR_MIXER, Settings
from jubatus.server.watchdog import Watchdog

log = logging.getLogger("jubatus")

MIXER_GRACE = 4.0
"""Seconds that the mixer gets for its end: as ZooKeeper takes its time too, a visor waits little longer."""


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
        assert settings.cluster is not None
        cluster = settings.cluster
        self._service = service
        self._settings = settings
        self._gate = life.make_gate(settings)
        self._cluster = cluster
        self._node = paths.Node(address, settings.port)
        self._config_path = paths.config(service.name, cluster.name)
        self._holdings = Holdings(self._node, settings.threads, settings.max_new_names)
        limit_memory(settings.max_memory)
        self._session: Coordinator = zookeeper.connect(
            cluster.zookeeper, cluster.zookeeper_timeout, **vars(cluster.access)
        )
        try:
            self._member = Member(
                self._session, service.name, cluster.name, self._node, uses_cht=service.uses_cht, mark=mark
            )
            self._member.prepare()
            log.info("joining to the cluster %s", cluster.name)
            self._member.lock_config()
            self._config = self._member.config()
            self._calling = handlers_of(service.name)
            self._ids = Ids(self._session, service.name, cluster.name) if self._calling else None
            self._model = make_model(service, self._config, "<zookeeper>", distributed=True, context=self._holdings)
        except BaseException:
            self._session.close()
            raise
        self._view = View(self._session, service.name, service.uses_cht)
        self._executor = ThreadPoolExecutor(settings.threads, "worker")
        self._blocking = ThreadPoolExecutor(2, "cluster")
        self._mixer: Mixer | None = None
        self._watchdog: Watchdog | None = None
        self._stop: Callable[[str], None] = lambda reason: None

    def server(self) -> Server:
        """Make the mixer and what answers requests."""
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
            facts={
                **life.identity(settings),
                "is_standalone": "0",
                "type": self._service.name,
                "configpath": self._config_path,
                "use_cht": str(int(self._service.uses_cht)),
            },
            counts=lambda: {"update_count": str(dispatcher.updates)} | self._gate.status() | self.status(),
        )
        links = Links(tls=self._gate.outward)
        peers = calling = None
        if self._calling is not None and self._ids is not None:
            peers = Peers(
                cluster.name,
                self._node,
                self._model,
                holdings=self._holdings,
                ids=self._ids,
                links=links,
                timeout=cluster.interconnect_timeout,
                blocking=self._blocking,
            )
            calling = self._calling(peers)
        own = OwnModel(self._model, self._executor, handed)
        mixer = Mixer(
            cluster.mixer,
            member=self._member,
            links=links,
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
        bound = bind([*named, *rows], self._model, common, handlers, instead=calling)
        servers = Directory(self._session, paths.nodes(self._service.name, cluster.name), lambda: None)
        door = Door(servers, self._blocking)
        dispatcher = Dispatcher(bound, self._executor, door, longest=longest_inline(self._model))
        dispatcher.shortcuts.mixed = mixer.updated
        own.dispatcher = dispatcher
        if peers is not None:
            peers.dispatcher = dispatcher

        def reassign() -> bytes:
            self._model.reassign()
            return b""

        def follow_ring(name: str) -> None:
            members = self._view.members(name)
            if members is not None and self._holdings.follow(members.ring):
                loop.call_soon_threadsafe(dispatcher.exclusive, reassign)

        self._view.on_change(follow_ring)
        self._mixer = mixer
        return Server(
            dispatcher.serve,
            timeout=settings.timeout,
            max_size=settings.max_message_size,
            gate=self._gate,
            shortcuts=dispatcher.shortcuts,
        )

    async def begin(self, stop: Callable[[str], None]) -> None:
        """Register, and start to mix; the model warms up meanwhile."""
        assert self._mixer is not None
        self._stop = stop
        asyncio.get_running_loop().run_in_executor(self._executor, self._model.warm_up)
        await asyncio.get_running_loop().run_in_executor(self._blocking, self._join)
        await self._mixer.start()
        hang = self._member.hang
        self._watchdog = Watchdog(asyncio.get_running_loop(), lambda: hang(True), lambda: hang(False))

    def _join(self) -> None:
        path = f"{paths.nodes(self._service.name, self._cluster.name)}/{self._node.name}"
        removed = f"the server was removed from its cluster: {path} was deleted"
        self._member.join(lambda: self._stop(removed), self._stop)
        if self._service.uses_cht:
            with suppress(ClusterError):  # then it is read as soon as ZooKeeper answers
                self._view.load(self._cluster.name)

    async def end(self) -> None:
        """Leave the cluster; a MIX that runs ends first, unless others keep it waiting."""
        assert self._mixer is not None
        log.info("stopping mixer thread")
        if self._watchdog is not None:
            self._watchdog.close()
        stopping = asyncio.ensure_future(self._mixer.stop())
        await asyncio.wait((stopping,), timeout=MIXER_GRACE)
        if not stopping.done():
            log.warning("a mix does not end within %g s, leaving without it", MIXER_GRACE)
        await asyncio.get_running_loop().run_in_executor(self._blocking, self._leave)
        log.info("leaving from the cluster %s", self._cluster.name)

    def _leave(self) -> None:
        self._view.close()  # what a session that has ended would show is no news
        self._member.leave()

    def stop(self) -> None:
        """End the process as a signal would."""
        self._stop("")

    def close(self) -> None:
        """Let go of threads and session."""
        self._view.close()
        self._session.close()
        self._blocking.shutdown(wait=False)
        self._executor.shutdown()

    def status(self) -> dict[str, str]:
        """Return the entries of the status that only a server of a cluster has, and that change."""
        assert self._mixer is not None
        try:
            connected = self._session.server
        except ClusterError:
            connected = ""
        return {"connected_zookeeper": connected, **self._mixer.status()}
