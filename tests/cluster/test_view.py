import threading

import pytest

from jubatus.cluster import view as view_module
from jubatus.cluster.coordinator import Coordinator, Session
from jubatus.cluster.paths import Node
from jubatus.cluster.ring import ring_entries
from jubatus.cluster.view import View
from jubatus.errors import ClusterError
from tests.cluster.conftest import World, expire
from tests.conftest import wait_for

ONE, TWO, THREE = (Node(f"10.0.0.{number}", 9199) for number in (1, 2, 3))
BASE = "/jubatus/actors/stat"


class Servers:
    """What servers do in ZooKeeper."""

    def __init__(self, zk: Coordinator) -> None:
        self.zk = zk
        self.make("/jubatus", "/jubatus/actors", BASE)

    def make(self, *above: str) -> None:
        for path in above:
            if not self.zk.exists(path):
                self.zk.create(path)

    def enter(self, node: Node, name: str = "c") -> None:
        here = f"{BASE}/{name}"
        self.make(here, f"{here}/cht", f"{here}/actives")
        for entry in ring_entries(node):
            self.zk.create(f"{here}/cht/{entry}", node.name.encode(), ephemeral=True)
        self.zk.create(f"{here}/actives/{node.name}", ephemeral=True)

    def leave(self, node: Node, name: str = "c") -> None:
        here = f"{BASE}/{name}"
        self.zk.delete(f"{here}/actives/{node.name}")
        for entry in ring_entries(node):
            self.zk.delete(f"{here}/cht/{entry}")


@pytest.fixture
def servers(world: World) -> Servers:
    return Servers(world.connect())


@pytest.fixture
def view(zk: Coordinator) -> View:
    return View(zk, "stat", True)


def shows(view: View, *nodes: Node, name: str = "c") -> bool:
    """Return whether a picture has these servers, active and in the ring."""
    found = view.members(name)
    return found is not None and found.actives == nodes and set(found.ring.entries().values()) == set(nodes)


def test_nothing_is_known_before_it_is_loaded(view: View, servers: Servers) -> None:
    servers.enter(ONE)
    assert view.members("c") is None
    members = view.load("c")
    assert members.actives == (ONE,)
    assert members.ring.entries() == dict.fromkeys(sorted(ring_entries(ONE)), ONE)
    assert view.members("c") is members
    assert view.load("c") is members


def test_a_picture_follows(view: View, servers: Servers) -> None:
    servers.enter(ONE)
    view.load("c")
    for _ in range(3):
        servers.enter(THREE)
        wait_for(lambda: shows(view, ONE, THREE))
        servers.enter(TWO)
        wait_for(lambda: shows(view, ONE, TWO, THREE))
        servers.leave(THREE)
        wait_for(lambda: shows(view, ONE, TWO))
        servers.leave(TWO)
        wait_for(lambda: shows(view, ONE))
    servers.zk.close()
    wait_for(lambda: shows(view))


def test_a_cluster_that_comes_is_seen(view: View, servers: Servers) -> None:
    members = view.load("c")
    assert members.actives == ()
    assert members.ring.find(b"1", 2) == ()
    assert view.members("c") is members
    servers.enter(ONE, "d")
    servers.enter(ONE)
    wait_for(lambda: shows(view, ONE))
    assert view.members("d") is None


def test_services_without_a_ring(zk: Coordinator, servers: Servers) -> None:
    servers.enter(ONE)
    view = View(zk, "stat", False)
    members = view.load("c")
    assert members.actives == (ONE,)
    assert len(members.ring) == 0


@pytest.mark.parametrize("name", ["", "a/b", "..", "a\0"])
def test_what_cannot_be_a_name_has_nobody(view: View, name: str) -> None:
    assert view.load(name).actives == ()


def test_changes_are_told(view: View, servers: Servers) -> None:
    told: list[str] = []
    view.on_change(told.append)
    view.on_change(view.load)  # type: ignore[arg-type]
    servers.enter(ONE)
    servers.enter(ONE, "d")
    view.load("c")
    view.load("c")
    assert told == ["c"]
    view.load("d")
    assert told == ["c", "d"]
    servers.zk.create(f"{BASE}/d/actives/{TWO.name}", ephemeral=True)
    wait_for(lambda: len(told) == 3)
    assert told == ["c", "d", "d"]


def test_an_interruption_keeps_the_picture(world: World, zk: Coordinator, view: View, servers: Servers) -> None:
    servers.enter(ONE)
    before = view.load("c")
    world.suspend(zk)
    wait_for(lambda: zk.session is Session.SUSPENDED)
    servers.enter(TWO)
    servers.leave(ONE)
    assert view.members("c") is before
    with pytest.raises(ClusterError):
        view.load("d")
    assert view.members("d") is None
    world.resume(zk)
    wait_for(lambda: shows(view, TWO))
    wait_for(lambda: shows(view, name="d"))
    servers.enter(THREE)
    wait_for(lambda: shows(view, TWO, THREE))
    assert view.load("d").actives == ()


def test_a_new_session_reads_everything(world: World, zk: Coordinator, view: View, servers: Servers) -> None:
    servers.enter(ONE)
    before = view.load("c")
    world.suspend(zk)
    wait_for(lambda: zk.session is Session.SUSPENDED)
    world.expire(zk)
    servers.enter(TWO)
    assert view.members("c") is before
    world.resume(zk)
    wait_for(lambda: shows(view, ONE, TWO))
    expire(world, zk)
    servers.leave(ONE)
    wait_for(lambda: shows(view, TWO))


def test_a_reading_that_fails_is_done_again(
    zk: Coordinator, view: View, servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    servers.enter(ONE)
    view.load("c")
    failed = threading.Event()

    def fail(path: str, changed: object) -> list[str]:
        failed.set()
        raise ClusterError("no answer")

    with monkeypatch.context() as patch:
        patch.setattr(zk, "watch_children", fail)
        servers.enter(TWO)
        assert failed.wait(10)
    wait_for(lambda: shows(view, ONE, TWO))


def test_entries_that_are_known_are_not_read_again(
    zk: Coordinator, view: View, servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    servers.enter(ONE)
    view.load("c")
    read: list[str] = []
    get = zk.get

    def noted(path: str) -> bytes | None:
        read.append(path)
        return get(path)

    monkeypatch.setattr(zk, "get", noted)
    servers.enter(TWO)
    wait_for(lambda: shows(view, ONE, TWO) and len(view.load("c").ring) == 16)
    assert sorted(path.rpartition("/")[2] for path in read) == sorted(ring_entries(TWO))


def test_clusters_that_do_not_exist_are_kept_to_a_number(
    view: View, servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(view_module, "CLUSTERS", 3)
    servers.enter(ONE, "old")
    for name in ("a", "b", "old", "x", "y"):
        view.load(name)
    assert [view.members(name) is not None for name in ("a", "b", "old", "x", "y")] == [True, True, True, False, False]
    servers.enter(TWO, "new")
    assert view.load("new").actives == (TWO,)
    assert view.members("new") is not None
    servers.enter(THREE, "a")
    wait_for(lambda: shows(view, THREE, name="a"))


def test_after_the_end_nothing_follows(zk: Coordinator, view: View, servers: Servers) -> None:
    servers.enter(ONE)
    before = view.load("c")
    view.close()
    seen = threading.Event()
    zk.watch_children(f"{BASE}/c/actives", seen.set)
    servers.leave(ONE)
    assert seen.wait(10)
    assert view.members("c") is before
