"""What the options of a server say."""

from dataclasses import dataclass

from jubatus.daemon import life


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
