"""What the options of a keeper say."""

from dataclasses import dataclass, field

from jubatus.daemon.settings import (
    DAEMON,
    INTERCONNECT_TIMEOUT,
    LISTEN_ADDR,
    LISTEN_IF,
    LOG_CONFIG,
    LOGDIR,
    MAX_MESSAGE_SIZE,
    RPC_PORT,
    THREAD,
    TIMEOUT,
    ZOOKEEPER,
    ZOOKEEPER_TIMEOUT,
    Daemon,
    Guard,
    Kind,
    Option,
    ZooKeeperAccess,
    setting,
)


@dataclass(frozen=True)
class Settings(Daemon):
    """A keeper; see Daemon.

    Args:
        threads: connections to each server.
        zookeeper_timeout: seconds of a ZooKeeper session.
        interconnect_timeout: seconds that a call to servers may take.
        zookeeper: locations of ZooKeeper, as ``host:port,host:port``.
        pool_expire: seconds after which an unused connection to a server is closed.
        pool_size: connections to all servers; 0 is no limit.
        max_message_size: bytes that one message may have.
        access: how the keeper connects to ZooKeeper.
    """

    program: str
    port: int = setting(RPC_PORT)
    listen_addr: str = setting(LISTEN_ADDR)
    listen_if: str = setting(LISTEN_IF)
    threads: int = setting(THREAD, text="connections to each server", default=4)
    timeout: int = setting(TIMEOUT)
    zookeeper_timeout: int = setting(ZOOKEEPER_TIMEOUT)
    interconnect_timeout: int = setting(INTERCONNECT_TIMEOUT)
    daemon: bool = setting(DAEMON)
    zookeeper: str = setting(ZOOKEEPER, default="localhost:2181")
    pool_expire: int = setting(
        Option(
            "pool_expire", "E", Kind.INT, "seconds after which an unused connection to a server is closed", 60, 0,
            status="session_pool_expire",
        )
    )  # fmt: skip
    pool_size: int = setting(
        Option(
            "pool_size", "S", Kind.INT, "connections to all servers; 0 is no limit", 0, 0, status="session_pool_size"
        )
    )
    logdir: str = setting(LOGDIR)
    log_config: str = setting(LOG_CONFIG)
    max_message_size: int = setting(MAX_MESSAGE_SIZE)
    access: ZooKeeperAccess = field(default=ZooKeeperAccess(), metadata={"group": ZooKeeperAccess})
    guard: Guard = field(default=Guard(), metadata={"group": Guard})
