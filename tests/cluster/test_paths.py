import pytest

from jubatus.cluster import paths
from jubatus.cluster.paths import Node
from jubatus.errors import ClusterError


def test_tree() -> None:
    assert paths.supervisors() == "/jubatus/supervisors"
    assert paths.all_proxies() == "/jubatus/jubaproxies"
    assert paths.proxies("stat") == "/jubatus/jubaproxies/stat"
    assert paths.actors() == "/jubatus/actors"
    assert paths.clusters("stat") == "/jubatus/actors/stat"
    assert paths.cluster("stat", "c") == "/jubatus/actors/stat/c"
    assert paths.config_lock("stat", "c") == "/jubatus/actors/stat/c/config_lock"
    assert paths.master_lock("stat", "c") == "/jubatus/actors/stat/c/master_lock"
    assert paths.nodes("stat", "c") == "/jubatus/actors/stat/c/nodes"
    assert paths.actives("stat", "c") == "/jubatus/actors/stat/c/actives"
    assert paths.cht("stat", "c") == "/jubatus/actors/stat/c/cht"
    assert paths.id_generator("stat", "c") == "/jubatus/actors/stat/c/id_generator"
    assert paths.configs() == "/jubatus/config"
    assert paths.configs("stat") == "/jubatus/config/stat"
    assert paths.config("stat", "c") == "/jubatus/config/stat/c"


@pytest.mark.parametrize(
    ("text", "node"),
    [
        ("10.0.0.1_9199", ("10.0.0.1", 9199)),
        ("host_1_2", ("host", 1)),
        ("host_9199x", ("host", 9199)),
        ("host_ +7", ("host", 7)),
        ("host_-7", ("host", -7)),
        ("host_", ("host", 0)),
        ("host_x", ("host", 0)),
        ("host_٣", ("host", 0)),
        ("host", ("host", 0)),
        ("", ("", 0)),
        ("_5", ("", 5)),
    ],
)
def test_names_are_read_as_by_the_original(text: str, node: tuple[str, int]) -> None:
    assert Node.parse(text) == node


def test_a_node_has_a_name() -> None:
    assert Node("10.0.0.1", 9199).name == "10.0.0.1_9199"
    assert Node.parse(Node("::1", 80).name) == ("::1", 80)


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "/", "a\0", "a\n", "\ud800", "\ufff0", "𝛂"])
def test_what_zookeeper_refuses_is_no_name(name: str) -> None:
    assert not paths.is_name(name)
    with pytest.raises(ClusterError, match="invalid cluster name"):
        paths.check_name(name)


@pytest.mark.parametrize("name", ["tutorial", "a.b", "...", "jubaclassifier tutorial", "学習", "豈"])
def test_what_zookeeper_takes_is_a_name(name: str) -> None:
    paths.check_name(name)
