"""What the options of a server say."""

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
    flag,
    setting,
)

LINEAR_MIXER = "linear_mixer"
MOST = (1 << 63) - 1
MIXERS = (LINEAR_MIXER, "random_mixer", "broadcast_mixer", "skip_mixer")


@dataclass(frozen=True)
class Files:
    """Where a standalone server has its model from: one of both at least; paths are real paths.

    Args:
        configpath: configuration, or nothing.
        model_file: model to start with, whose configuration is used; or nothing.
    """

    configpath: str = setting(
        Option(
            "configpath",
            "f",
            Kind.FILE,
            "configuration file [standalone]",
            status="configpath",
            line=6,
            label="configuration",
        )
    )
    model_file: str = setting(
        Option("model_file", "m", Kind.FILE, "model file to start with, and its configuration [standalone]", line=7)
    )


EVERYSEC, ALWAYS = SYNCS = ("everysec", "always")
"""When what is journalled is on the disk: within a second, or before the reply."""


@dataclass(frozen=True)
class Durability:
    """The journal of a standalone server.

    Args:
        journal: folder of the journal; a real path.
        sync: when what is journalled is on the disk, one of SYNCS.
        interval: seconds between two snapshots, if there were updates; 0 is no limit.
        updates: how many updates there are between two snapshots; 0 is no limit.
        keep: how many snapshots are kept.
    """

    journal: str = setting(
        Option(
            "journal", "", Kind.FOLDER, "folder of the journal of all updates [standalone]", status="journal", line=15
        )
    )
    sync: str = setting(
        Option(
            "journal_sync", "", Kind.STRING, "when an update is on the disk: everysec, always [standalone]", EVERYSEC,
            status="journal_sync", line=16,
        )
    )  # fmt: skip
    interval: int = setting(
        Option(
            "snapshot_interval", "", Kind.INT, "seconds between two snapshots; 0 is no limit [standalone]", 600, 0,
            status="snapshot_interval", line=17, zero="disabled",
        )
    )  # fmt: skip
    updates: int = setting(
        Option(
            "snapshot_updates", "", Kind.INT, "updates between two snapshots; 0 is no limit [standalone]", 1000000, 0,
            status="snapshot_updates", line=18, zero="disabled",
        )
    )  # fmt: skip
    keep: int = setting(
        Option(
            "snapshot_keep", "", Kind.INT, "how many snapshots are kept [standalone]", 2, 1,
            status="snapshot_keep", line=19,
        )
    )  # fmt: skip


@dataclass(frozen=True)
class Cluster:
    """The cluster of a server.

    Args:
        zookeeper: locations of ZooKeeper, as ``host:port,host:port``.
        name: of the cluster.
        mixer: how models are mixed, one of MIXERS.
        interval_sec: seconds between two mixes; 0 is no limit.
        interval_count: updates between two mixes; 0 is no limit.
        zookeeper_timeout: seconds of a ZooKeeper session.
        interconnect_timeout: seconds of a call between servers.
        access: how the server connects to ZooKeeper.
    """

    zookeeper: str = setting(
        ZOOKEEPER, text="locations of ZooKeeper; without them the server is standalone", status="zk"
    )
    name: str = setting(Option("name", "n", Kind.STRING, "name of the cluster [distributed]", status="name", line=9))
    mixer: str = setting(
        Option("mixer", "x", Kind.STRING, "how models are mixed [distributed]", LINEAR_MIXER, status="mixer", line=10)
    )
    interval_sec: int = setting(
        Option(
            "interval_sec", "s", Kind.INT, "seconds between two mixes; 0 is no limit [distributed]", 16, 0,
            status="interval_sec", line=11, zero="disabled",
        )
    )  # fmt: skip
    interval_count: int = setting(
        Option(
            "interval_count", "i", Kind.INT, "updates between two mixes; 0 is no limit [distributed]", 512, 0,
            status="interval_count", line=12, zero="disabled",
        )
    )  # fmt: skip
    zookeeper_timeout: int = setting(ZOOKEEPER_TIMEOUT)
    interconnect_timeout: int = setting(INTERCONNECT_TIMEOUT)
    access: ZooKeeperAccess = field(default=ZooKeeperAccess(), metadata={"group": ZooKeeperAccess})


@dataclass(frozen=True)
class Settings(Daemon):
    """A server; see Daemon.

    Args:
        threads: how many run long requests.
        datadir: folder of the model files.
        files: of a standalone server; None in a cluster.
        config_test: build the model and end.
        cluster: None for a standalone server.
        durability: None without a journal.
        max_message_size: bytes that one message may have.
        max_new_names: bytes of new names of features that one request may bring; 0 is no limit.
        max_memory: resident bytes of the process above which updates that would add are refused; 0 is no limit.
    """

    program: str
    port: int = setting(RPC_PORT)
    listen_addr: str = setting(LISTEN_ADDR)
    listen_if: str = setting(LISTEN_IF)
    threads: int = setting(THREAD)
    timeout: int = setting(TIMEOUT)
    datadir: str = setting(
        Option("datadir", "d", Kind.FOLDER, "folder of the model files", "/tmp", status="datadir", line=3)
    )
    logdir: str = setting(LOGDIR)
    log_config: str = setting(LOG_CONFIG)
    files: Files | None = field(default=None, metadata={"group": Files})
    daemon: bool = setting(DAEMON)
    config_test: bool = setting(flag("config_test", "T", "check the configuration and end"))
    cluster: Cluster | None = field(default=None, metadata={"group": Cluster})
    durability: Durability | None = field(default=None, metadata={"group": Durability})
    max_message_size: int = setting(MAX_MESSAGE_SIZE)
    max_new_names: int = setting(
        Option(
            "max_new_names", "", Kind.INT, "bytes of new names of features that one request may bring; 0 is no limit",
            64 << 20, 0, MOST,
        )
    )  # fmt: skip
    max_memory: int = setting(
        Option(
            "max_memory", "", Kind.INT, "bytes of memory above which updates are refused; 0 is no limit", 0, 0, MOST,
            status="max_memory",
        )
    )  # fmt: skip
    guard: Guard = field(default=Guard(), metadata={"group": Guard})
