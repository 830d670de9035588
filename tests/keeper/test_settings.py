from jubatus.daemon.settings import lines, status
from jubatus.keeper.settings import Settings


def test_what_a_keeper_tells() -> None:
    settings = Settings("jubaweight_keeper", pool_size=9)
    assert list(lines(settings).items()) == [
        ("timeout", 10),
        ("thread", 4),
        ("logdir", ""),
        ("log config", ""),
        ("zookeeper", "localhost:2181"),
        ("zookeeper timeout", 10),
        ("interconnect timeout", 10),
    ]
    assert status(settings) == {
        "timeout": "10", "threadnum": "4", "logdir": "", "log_config": "", "zookeeper": "localhost:2181",
        "zookeeper_timeout": "10", "interconnect_timeout": "10",
        "session_pool_expire": "60", "session_pool_size": "9",
    }  # fmt: skip
