"""What every coordinator does, on the twin in memory and on a real ZooKeeper."""

import threading
from collections.abc import Callable

import pytest

from jubatus.cluster.coordinator import Coordinator, NodeExists, NoNode, Session
from jubatus.errors import ClusterError
from tests.cluster.conftest import World, expire
from tests.conftest import wait_for

ROOT = "/jubatus"


@pytest.fixture(autouse=True)
def _root(zk: Coordinator) -> None:
    zk.create(ROOT)


class Fired:
    """A callback that counts its calls."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> None:
        self.count += 1

    def once(self) -> bool:
        return self.count == 1


def settled(zk: Coordinator) -> None:
    """Wait until all that was reported so far is handled."""
    done = threading.Event()
    zk.watch_node(f"{ROOT}/settled", done.set)
    zk.create(f"{ROOT}/settled")
    assert done.wait(10)
    zk.delete(f"{ROOT}/settled")


def test_nodes_hold_data(zk: Coordinator) -> None:
    assert zk.create(f"{ROOT}/a", b"\0data") == f"{ROOT}/a"
    assert zk.get(f"{ROOT}/a") == b"\0data"
    assert zk.exists(f"{ROOT}/a")
    assert zk.get(f"{ROOT}/b") is None
    assert not zk.exists(f"{ROOT}/b")
    assert zk.get(ROOT) == b""


def test_versions_count_up_for_all(world: World, zk: Coordinator) -> None:
    other = world.connect()
    assert zk.set(ROOT, b"1") == 1
    assert other.set(ROOT, b"2") == 2
    assert zk.get(ROOT) == b"2"
    with pytest.raises(NoNode, match=f"ZooKeeper node does not exist: {ROOT}/a"):
        zk.set(f"{ROOT}/a", b"")


def test_a_node_is_created_once(world: World, zk: Coordinator) -> None:
    zk.create(f"{ROOT}/a", ephemeral=True)
    for session in (zk, world.connect()):
        with pytest.raises(NodeExists, match=f"ZooKeeper node exists: {ROOT}/a"):
            session.create(f"{ROOT}/a", ephemeral=True)


def test_a_node_needs_a_parent(zk: Coordinator) -> None:
    with pytest.raises(NoNode):
        zk.create(f"{ROOT}/a/b")
    zk.create(f"{ROOT}/a", ephemeral=True)
    with pytest.raises(ClusterError):
        zk.create(f"{ROOT}/a/b")


def test_deleting(zk: Coordinator) -> None:
    zk.delete(f"{ROOT}/a")
    zk.create(f"{ROOT}/a")
    zk.create(f"{ROOT}/a/b")
    with pytest.raises(ClusterError):
        zk.delete(f"{ROOT}/a")
    zk.delete(f"{ROOT}/a/b")
    zk.delete(f"{ROOT}/a")
    assert zk.children(ROOT) == []


def test_children_are_sorted_by_bytes(zk: Coordinator) -> None:
    for name in ("10.0.0.2_9199", "10.0.0.10_9199", "B", "a", "豈", "ü"):
        zk.create(f"{ROOT}/{name}")
    assert zk.children(ROOT) == ["10.0.0.10_9199", "10.0.0.2_9199", "B", "a", "ü", "豈"]
    assert zk.children(f"{ROOT}/none") == []


def test_sequences_count_up(world: World, zk: Coordinator) -> None:
    assert zk.create(f"{ROOT}/x_", ephemeral=True, sequence=True) == f"{ROOT}/x_0000000000"
    zk.delete(f"{ROOT}/x_0000000000")
    assert world.connect().create(f"{ROOT}/y_", ephemeral=True, sequence=True) == f"{ROOT}/y_0000000001"


def test_data_has_a_limit(zk: Coordinator) -> None:
    zk.create(f"{ROOT}/a", b"a" * 1_000_000)
    for request in (zk.create, zk.set):
        with pytest.raises(ClusterError, match=f"too large for ZooKeeper: 1000001 bytes, of at most 1000000: {ROOT}/b"):
            request(f"{ROOT}/b", b"a" * 1_000_001)
    assert len(zk.get(f"{ROOT}/a") or b"") == 1_000_000


def test_a_name_that_cannot_be_is_an_error_of_ours(zk: Coordinator) -> None:
    with pytest.raises(ClusterError):
        zk.create(f"{ROOT}/a//b")
    with pytest.raises(ClusterError):
        zk.set(f"{ROOT}/a//b", b"")


def test_ephemeral_nodes_end_with_their_session(world: World, zk: Coordinator) -> None:
    other = world.connect()
    other.create(f"{ROOT}/a", ephemeral=True)
    other.create(f"{ROOT}/b")
    assert zk.children(ROOT) == ["a", "b"]
    assert other.mine(f"{ROOT}/a")
    assert not other.mine(f"{ROOT}/b")
    assert not other.mine(f"{ROOT}/c")
    assert not zk.mine(f"{ROOT}/a")
    other.close()
    wait_for(lambda: zk.children(ROOT) == ["b"])


def test_after_the_end_requests_fail(world: World) -> None:
    session = world.connect()
    epoch = session.epoch
    session.close()
    session.close()
    assert session.epoch != epoch
    assert session.session is Session.LOST
    session.discard(f"{ROOT}/a")
    for request in (session.get, session.children, session.exists, session.delete, session.create):
        with pytest.raises(ClusterError, match="closed"):
            request(ROOT)
    with pytest.raises(ClusterError, match="cannot get connected host"):
        _ = session.server


def test_an_expired_session_is_followed_by_a_new_one(world: World, zk: Coordinator) -> None:
    seen: list[Session] = []
    zk.on_session(seen.append)
    zk.create(f"{ROOT}/a", ephemeral=True)
    expire(world, zk)
    assert zk.children(ROOT) == []
    zk.create(f"{ROOT}/a", ephemeral=True)
    assert zk.mine(f"{ROOT}/a")
    wait_for(lambda: len(seen) == 3)
    assert seen == [Session.SUSPENDED, Session.LOST, Session.CONNECTED]


def test_an_interruption_keeps_the_session(world: World, zk: Coordinator) -> None:
    seen: list[Session] = []
    zk.on_session(seen.append)
    zk.create(f"{ROOT}/a", ephemeral=True)
    epoch = zk.epoch
    assert zk.server.startswith("127.0.0.1:")
    world.suspend(zk)
    wait_for(lambda: zk.session is Session.SUSPENDED)
    with pytest.raises(ClusterError, match="cannot get connected host"):
        _ = zk.server
    world.resume(zk)
    wait_for(lambda: len(seen) == 2)
    assert seen == [Session.SUSPENDED, Session.CONNECTED]
    assert zk.mine(f"{ROOT}/a")
    assert zk.epoch == epoch


def test_requests_are_bounded_in_time(world: World, zk: Coordinator) -> None:
    world.suspend(zk)
    wait_for(lambda: zk.session is Session.SUSPENDED)
    with pytest.raises(ClusterError, match="no connection to ZooKeeper"):
        zk.get(ROOT)


def test_a_session_may_end_during_an_interruption(world: World, zk: Coordinator) -> None:
    zk.create(f"{ROOT}/a", ephemeral=True)
    epoch = zk.epoch
    world.suspend(zk)
    wait_for(lambda: zk.session is Session.SUSPENDED)
    world.expire(zk)
    assert zk.epoch == epoch
    world.resume(zk)
    wait_for(lambda: zk.epoch == epoch + 1 and zk.session is Session.CONNECTED)
    assert zk.children(ROOT) == []


def test_what_is_discarded_goes_as_soon_as_it_can(world: World, zk: Coordinator) -> None:
    other = world.connect()
    for name in "abc":
        zk.create(f"{ROOT}/{name}", ephemeral=True)
    zk.discard(f"{ROOT}/a")
    zk.discard(f"{ROOT}/a")
    assert other.children(ROOT) == ["b", "c"]
    world.suspend(zk)
    wait_for(lambda: zk.session is Session.SUSPENDED)
    zk.discard(f"{ROOT}/b")
    assert other.children(ROOT) == ["b", "c"]
    world.resume(zk)
    wait_for(lambda: other.children(ROOT) == ["c"])


def test_what_is_created_again_is_not_discarded(world: World, zk: Coordinator) -> None:
    zk.create(f"{ROOT}/a", ephemeral=True)
    world.suspend(zk)
    wait_for(lambda: zk.session is Session.SUSPENDED)
    zk.discard(f"{ROOT}/a")
    world.expire(zk)
    world.resume(zk)
    wait_for(lambda: zk.session is Session.CONNECTED and zk.epoch == 1)
    zk.create(f"{ROOT}/a", ephemeral=True)
    settled(zk)
    assert zk.exists(f"{ROOT}/a")


Arm = Callable[[Coordinator, Callable[[], None]], object]
CHILDREN: Arm = lambda zk, changed: zk.watch_children(ROOT, changed)  # noqa: E731
MISSING_CHILDREN: Arm = lambda zk, changed: zk.watch_children(f"{ROOT}/a", changed)  # noqa: E731
NODE: Arm = lambda zk, changed: zk.watch_node(f"{ROOT}/a", changed)  # noqa: E731


def test_coming_and_going_children_are_seen_once(world: World, zk: Coordinator) -> None:
    other = world.connect()
    fired = Fired()
    assert zk.watch_children(ROOT, fired) == []
    other.create(f"{ROOT}/a")
    wait_for(fired.once)
    other.create(f"{ROOT}/b")
    other.set(f"{ROOT}/b", b"1")
    settled(zk)
    assert fired.count == 1
    again = Fired()
    assert zk.watch_children(ROOT, again) == ["a", "b"]
    other.set(f"{ROOT}/b", b"2")
    assert again.count == 0
    other.delete(f"{ROOT}/a")
    wait_for(again.once)


def test_the_coming_of_a_directory_is_seen(world: World, zk: Coordinator) -> None:
    other = world.connect()
    fired = Fired()
    assert zk.watch_children(f"{ROOT}/a", fired) is None
    other.create(f"{ROOT}/b")
    settled(zk)
    assert fired.count == 0
    other.create(f"{ROOT}/a")
    wait_for(fired.once)
    assert zk.watch_children(f"{ROOT}/a", fired) == []


def test_the_end_of_a_directory_is_seen(world: World, zk: Coordinator) -> None:
    fired = Fired()
    zk.create(f"{ROOT}/a")
    zk.watch_children(f"{ROOT}/a", fired)
    world.connect().delete(f"{ROOT}/a")
    wait_for(fired.once)
    assert zk.watch_children(f"{ROOT}/a", fired) is None


def test_coming_and_going_of_a_node_is_seen(world: World, zk: Coordinator) -> None:
    other = world.connect()
    coming, going = Fired(), Fired()
    assert not zk.watch_node(f"{ROOT}/a", coming)
    other.create(f"{ROOT}/a", ephemeral=True)
    wait_for(coming.once)
    assert zk.watch_node(f"{ROOT}/a", going)
    other.close()
    wait_for(going.once)
    assert coming.count == 1


@pytest.mark.parametrize("arm", [CHILDREN, MISSING_CHILDREN, NODE], ids=["children", "missing", "node"])
def test_watches_fire_after_an_interruption(world: World, zk: Coordinator, arm: Arm) -> None:
    fired = Fired()
    connected: list[Session] = []

    def changed() -> None:
        connected.append(zk.session)
        fired()

    arm(zk, changed)
    world.suspend(zk)
    wait_for(lambda: zk.session is Session.SUSPENDED)
    assert fired.count == 0
    world.resume(zk)
    wait_for(fired.once)
    assert connected == [Session.CONNECTED]
    settled(zk)
    assert fired.count == 1


@pytest.mark.parametrize("arm", [CHILDREN, MISSING_CHILDREN, NODE], ids=["children", "missing", "node"])
def test_watches_fire_in_a_new_session(world: World, zk: Coordinator, arm: Arm) -> None:
    fired = Fired()
    arm(zk, fired)
    expire(world, zk)
    wait_for(fired.once)
    settled(zk)
    assert fired.count == 1


def test_a_callback_may_ask_and_watch(world: World, zk: Coordinator) -> None:
    seen: list[list[str]] = []

    def changed() -> None:
        seen.append(zk.watch_children(ROOT, changed) or [])

    changed()
    other = world.connect()
    other.create(f"{ROOT}/a")
    wait_for(lambda: seen[-1] == ["a"])
    expire(world, zk)
    other.create(f"{ROOT}/b")
    wait_for(lambda: seen[-1] == ["a", "b"])


def test_a_callback_that_fails_leaves_the_others(world: World, zk: Coordinator) -> None:
    fired = Fired()

    def fail() -> None:
        raise ValueError("broken")

    zk.watch_children(ROOT, fail)
    zk.watch_children(ROOT, fired)
    zk.create(f"{ROOT}/a")
    wait_for(fired.once)


def test_a_callback_may_close(zk: Coordinator) -> None:
    done = threading.Event()

    def changed() -> None:
        zk.close()
        done.set()

    zk.watch_children(ROOT, changed)
    zk.create(f"{ROOT}/a")
    assert done.wait(10)
