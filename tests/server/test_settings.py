from jubatus.daemon.settings import lines, status
from jubatus.server.settings import Cluster, Files, Settings


def test_a_standalone_server_tells_its_files() -> None:
    settings = Settings("jubaweight", threads=3, files=Files("/c.json", "/m.jubatus"))
    assert list(lines(settings).items()) == [
        ("timeout", 10),
        ("thread", 3),
        ("datadir", "/tmp"),
        ("logdir", ""),
        ("log config", ""),
        ("configuration", "/c.json"),
        ("model file", "/m.jubatus"),
    ]
    assert status(settings) == {
        "timeout": "10", "threadnum": "3", "datadir": "/tmp", "logdir": "", "log_config": "", "configpath": "/c.json",
        "max_memory": "0",
    }  # fmt: skip


def test_a_server_of_a_cluster_tells_its_cluster() -> None:
    settings = Settings("jubaweight", cluster=Cluster("zk:2181", "n", interval_sec=0))
    assert list(lines(settings).items())[5:] == [
        ("zookeeper", "zk:2181"),
        ("name", "n"),
        ("mixer", "linear_mixer"),
        ("interval sec", "disabled"),
        ("interval count", 512),
        ("zookeeper timeout", 10),
        ("interconnect timeout", 10),
    ]
    assert status(settings) == {
        "timeout": "10", "threadnum": "2", "datadir": "/tmp", "logdir": "", "log_config": "",
        "zk": "zk:2181", "name": "n", "mixer": "linear_mixer", "interval_sec": "0", "interval_count": "512",
        "zookeeper_timeout": "10", "interconnect_timeout": "10", "max_memory": "0",
    }  # fmt: skip
