"""What the options of a visor say."""

from dataclasses import dataclass, field

from jubatus.daemon.settings import (
    DAEMON,
    LISTEN_ADDR,
    LISTEN_IF,
    LOG_CONFIG,
    LOGDIR,
    RPC_PORT,
    TIMEOUT,
    ZOOKEEPER,
    Daemon,
    Guard,
    ZooKeeperAccess,
    setting,
)


@dataclass(frozen=True)
class Settings(Daemon):
    """A visor; see Daemon.

    Args:
        zookeeper: locations of ZooKeeper, as ``host:port,host:port``.
        logdir: folder of the log and of what servers print, or nothing.
        access: how the visor and its servers connect to ZooKeeper.
    """

    program: str
    port: int = setting(RPC_PORT, default=9198)
    listen_addr: str = setting(LISTEN_ADDR)
    listen_if: str = setting(LISTEN_IF)
    zookeeper: str = setting(ZOOKEEPER, mandatory=True)
    logdir: str = setting(LOGDIR, text="folder of the log and of what servers print; /tmp in the background")
    log_config: str = setting(LOG_CONFIG)
    timeout: int = setting(TIMEOUT)
    daemon: bool = setting(DAEMON, short="d")
    access: ZooKeeperAccess = field(default=ZooKeeperAccess(), metadata={"group": ZooKeeperAccess})
    guard: Guard = field(default=Guard(), metadata={"group": Guard})
