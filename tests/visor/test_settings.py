from jubatus.daemon.settings import lines
from jubatus.visor.settings import Settings


def test_what_a_visor_tells() -> None:
    assert list(lines(Settings("jubavisor", zookeeper="zk:2181", logdir="/log")).items()) == [
        ("timeout", 10),
        ("logdir", "/log"),
        ("log config", ""),
        ("zookeeper", "zk:2181"),
    ]
