from hashlib import md5

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jubatus.cluster.paths import Node
from jubatus.cluster.ring import Ring, ring_entries

ONE, TWO, THREE = (Node(f"10.0.0.{number}", 9199) for number in (1, 2, 3))


def ring(*nodes: Node) -> Ring:
    return Ring({entry: node for node in nodes for entry in ring_entries(node)})


def test_entries_of_a_server() -> None:
    assert ring_entries(ONE) == [
        "100b6cd4f63dfbfb728b778d3acea69c",
        "30b000b30d25f6f66762dbceb3699468",
        "885716938b67a35f44db75bd3339204c",
        "5fd96cf803eced48054a29a27461d743",
        "d97ec6dbdea79b12625928d18164ba2a",
        "d37fe9945c26f608395cda2a1090ffb4",
        "7254e35fe4598f7cf699a6954fcbf9c5",
        "9d1a2c66d949703b3d564266a047ceb1",
    ]


def test_order_of_the_ring() -> None:
    starts = "100b 167f 1d89 1df3 30b0 4357 565c 5a94 5fd9 6029 6316 65a5 7254 7e37 8594 8857 9d1a aff0 c3fb d37f d97e e6f6 f569 f741"
    servers = [1, 3, 2, 3, 1, 2, 3, 2, 1, 2, 2, 3, 1, 3, 3, 1, 1, 2, 3, 1, 1, 3, 2, 2]
    entries = ring(ONE, TWO, THREE).entries()
    assert [name[:4] for name in entries] == starts.split()
    assert list(entries.values()) == [(ONE, TWO, THREE)[number - 1] for number in servers]


@pytest.mark.parametrize(
    ("key", "found"),
    [(b"1", (ONE,)), (b"3", (TWO,)), (b"apple", (ONE, TWO)), (b"user01", (THREE, ONE)), (b"row_a", (THREE, ONE))],
)
def test_keys_go_where_the_original_sends_them(key: bytes, found: tuple[Node, ...]) -> None:
    assert ring(ONE, TWO, THREE).find(key, 2) == found


def test_both_entries_of_some_keys_are_of_one_server() -> None:
    found = [ring(ONE, TWO, THREE).find(b"k%d" % number, 2) for number in range(10000)]
    assert sum(len(nodes) == 1 for nodes in found) == 1781


def test_entries_of_some_servers_are_passed_over() -> None:
    assert ring(ONE, TWO, THREE).find(b"apple", 2, {ONE}) == (TWO, THREE)
    assert ring(ONE, TWO, THREE).find(b"apple", 2, {ONE, THREE}) == (TWO,)
    assert ring(ONE).find(b"apple", 2, {ONE}) == ()


def test_an_empty_ring_has_nobody() -> None:
    assert Ring({}).find(b"apple", 2) == ()
    assert len(Ring({})) == 0


nodes = st.lists(st.builds(Node, st.sampled_from(["a", "b", "10.0.0.1"]), st.integers(1, 5)), unique=True, max_size=6)


@given(nodes, st.sets(st.integers(0, 5)), st.binary(max_size=4), st.integers(0, 60))
def test_find_walks_the_ring(servers: list[Node], passed: set[int], key: bytes, n: int) -> None:
    without = {servers[index] for index in passed if index < len(servers)}
    entries = {entry: node for node in servers for entry in ring_entries(node)}
    names = sorted(entries)
    hashed = md5(key).hexdigest()
    walk = [entries[name] for name in [x for x in names if x >= hashed] + [x for x in names if x < hashed]]
    taken = [node for node in walk if node not in without][:n]
    assert Ring(entries).find(key, n, without) == tuple(dict.fromkeys(taken))


@given(nodes, st.binary(max_size=4))
def test_a_server_that_goes_changes_only_its_own_keys(servers: list[Node], key: bytes) -> None:
    for gone in servers:
        before = ring(*servers).find(key, 1)
        after = ring(*(node for node in servers if node != gone)).find(key, 1)
        assert after == before or before == (gone,)


def test_rings_are_equal_if_their_entries_are() -> None:
    assert ring(ONE, TWO) == ring(TWO, ONE)
    assert ring(ONE, TWO) != ring(ONE)
