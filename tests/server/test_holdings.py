from jubatus._core.context import ALONE
from jubatus.cluster.paths import Node
from jubatus.cluster.ring import Ring, ring_entries
from jubatus.server.holdings import Holdings

ONE, TWO, THREE = NODES = [Node(f"10.0.0.{number}", 9199) for number in (1, 2, 3)]
KEYS = [b"%d" % number for number in range(300)] + [b"", "あ".encode(), b"\xff\0"]


def ring(*nodes: Node) -> Ring:
    return Ring({entry: node for node in nodes for entry in ring_entries(node)})


def test_alone_all_keys_are_held() -> None:
    assert all(map(ALONE.holds, KEYS))


def test_a_key_is_held_by_the_servers_of_two_entries() -> None:
    holdings = [Holdings(node) for node in NODES]
    for each in holdings:
        assert each.follow(ring(*NODES))
    for key in KEYS:
        held = [node for node, each in zip(NODES, holdings, strict=True) if each.holds(key)]
        assert set(held) == set(ring(*NODES).find(key, 2))
        assert 1 <= len(held) <= 2
    assert all(0 < sum(map(each.holds, KEYS)) < len(KEYS) for each in holdings)


def test_a_server_that_sees_nobody_leaves_no_key_to_others() -> None:
    holdings = Holdings(ONE)
    assert all(map(holdings.holds, KEYS))
    assert holdings.follow(ring())
    assert all(map(holdings.holds, KEYS))


def test_a_server_that_is_not_in_the_ring_holds_nothing() -> None:
    holdings = Holdings(ONE)
    assert holdings.follow(ring(TWO, THREE))
    assert not any(map(holdings.holds, KEYS))


def test_only_another_ring_is_a_change() -> None:
    holdings = Holdings(ONE)
    assert holdings.ring is None
    assert holdings.follow(ring(ONE))
    assert not holdings.follow(ring(ONE))
    assert holdings.follow(ring(ONE, TWO))
    assert holdings.ring == ring(ONE, TWO)


def test_a_model_is_told_the_name_of_its_server_and_how_many_threads_it_may_use() -> None:
    assert (ALONE.name, ALONE.threads) == ("", 1)
    told = Holdings(ONE, 4)
    assert (told.name, told.threads) == (ONE.name, 4)
