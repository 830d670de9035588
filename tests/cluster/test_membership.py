import logging
import threading
import time
from collections.abc import Callable

import pytest

from jubatus.cluster import membership, paths, registration
from jubatus.cluster.coordinator import Coordinator, Session
from jubatus.cluster.membership import Ids, Lock, Member, Registration, Replaced, View, prepare
from jubatus.cluster.paths import Node
from jubatus.cluster.ring import ring_entries
from jubatus.errors import ClusterError
from tests.cluster.conftest import TIMEOUT, World, expire
from tests.conftest import wait_for

NODE = Node("10.0.0.1", 9199)
OTHER = Node("10.0.0.2", 9199)
BASE = "/jubatus/actors/stat/c"


def member(zk: Coordinator, node: Node = NODE, uses_cht: bool = True) -> Member:
    made = Member(zk, "stat", "c", node, uses_cht)
    made.prepare()
    return made


def joined(zk: Coordinator, node: Node = NODE, uses_cht: bool = True) -> Member:
    made = member(zk, node, uses_cht)
    made.lock_config()
    made.join(lambda: None)
    return made


def tree(zk: Coordinator, path: str = "/jubatus") -> dict[str, bytes]:
    """Return all nodes and what they hold; the node of a session has a star at its end."""
    found = {path + "*" * zk.mine(path): zk.get(path) or b""}
    for name in zk.children(path):
        found |= tree(zk, f"{path}/{name}")
    return found


SKELETON = [
    "/jubatus",
    "/jubatus/actors",
    "/jubatus/actors/stat",
    "/jubatus/config",
    "/jubatus/config/stat",
    "/jubatus/jubaproxies",
    "/jubatus/supervisors",
]


def test_a_keeper_prepares_the_skeleton(zk: Coordinator) -> None:
    for _ in range(2):
        prepare(zk, "stat")
        assert tree(zk) == dict.fromkeys(SKELETON, b"")


def test_a_name_that_cannot_be_prepares_nothing(zk: Coordinator) -> None:
    with pytest.raises(ClusterError, match="invalid cluster name: 'a/b'"):
        prepare(zk, "stat", "a/b")
    assert not zk.exists("/jubatus")


def test_without_a_connection_nothing_is_prepared(world: World, zk: Coordinator) -> None:
    world.suspend(zk)
    wait_for(lambda: zk.session is Session.SUSPENDED)
    with pytest.raises(ClusterError, match="Failed to prepare lock_service: "):
        prepare(zk, "stat")


def test_the_tree_of_a_server(zk: Coordinator) -> None:
    server = member(zk)
    skeleton = [*SKELETON, BASE, f"{BASE}/config_lock"]
    assert tree(zk) == dict.fromkeys(skeleton, b"")
    server.lock_config()
    server.join(lambda: None)
    expected = dict.fromkeys([*skeleton, f"{BASE}/cht", f"{BASE}/master_lock", f"{BASE}/nodes"], b"")
    expected |= {f"{BASE}/config_lock/rlock_0000000000*": b"", f"{BASE}/nodes/10.0.0.1_9199*": b""}
    expected |= {f"{BASE}/cht/{entry}*": b"10.0.0.1_9199" for entry in ring_entries(NODE)}
    assert tree(zk) == expected
    server.activate()
    expected |= {f"{BASE}/actives": b"", f"{BASE}/actives/10.0.0.1_9199*": b""}
    assert tree(zk) == expected
    assert server.master_lock().write()
    expected |= {f"{BASE}/master_lock/wlock_0000000000*": b"10.0.0.1_9199"}
    assert tree(zk) == expected


def test_without_a_ring_there_is_none(zk: Coordinator) -> None:
    joined(zk, uses_cht=False)
    assert zk.children(BASE) == ["config_lock", "master_lock", "nodes"]


def test_ring_entries_come_before_the_node(zk: Coordinator, monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []
    create = zk.create

    def noted(path: str, data: bytes = b"", **options: bool) -> str:
        order.append(path)
        return create(path, data, **options)

    monkeypatch.setattr(zk, "create", noted)
    joined(zk)
    end = [path.removeprefix(BASE) for path in order[order.index(f"{BASE}/cht") :]]
    assert end == [
        "/cht",
        *(f"/cht/{entry}" for entry in ring_entries(NODE)),
        "",
        "/master_lock",
        "/nodes",
        "/nodes/10.0.0.1_9199",
    ]


def test_members_are_in_the_order_of_their_names(world: World, zk: Coordinator) -> None:
    server = joined(zk)
    assert server.members() == [NODE]
    assert server.actives() == []
    other = joined(world.connect(), Node("10.0.0.10", 9199))
    third = joined(world.connect(), OTHER)
    assert server.members() == [("10.0.0.10", 9199), NODE, OTHER]
    other.activate()
    assert server.actives() == [("10.0.0.10", 9199)]
    third.leave()
    other.deactivate()
    assert server.members() == [("10.0.0.10", 9199), NODE]
    assert server.actives() == []


def test_the_configuration(world: World, zk: Coordinator) -> None:
    server = member(zk)
    with pytest.raises(ClusterError, match=r"^config does not exist: /jubatus/config/stat/c$"):
        server.config()
    zk.create("/jubatus/config/stat/c", b'{"window_size": 128}')
    assert server.config() == b'{"window_size": 128}'
    world.suspend(zk)
    wait_for(lambda: zk.session is Session.SUSPENDED)
    with pytest.raises(ClusterError, match=r"^failed to get config from zookeeper: /jubatus/config/stat/c"):
        server.config()


CONFIG = "/jubatus/config/stat/c"


def configured(zk: Coordinator, node: Node, ended: Callable[[str], None] = lambda reason: None) -> Member:
    """Join with the configuration that there is; upper and lower case do not differ."""
    made = Member(zk, "stat", "c", node, True, bytes.lower)
    made.prepare()
    made.lock_config()
    if not zk.exists(CONFIG):
        zk.create(CONFIG, b"old")
    made.config()
    made.join(lambda: None, ended)
    return made


def test_servers_with_another_configuration_are_no_members(world: World, zk: Coordinator) -> None:
    one, same = configured(zk, NODE), configured(world.connect(), Node("10.0.0.3", 1))
    silent = joined(world.connect(), Node("10.0.0.4", 1))  # as one of 1.1
    nodes = [NODE, Node("10.0.0.3", 1), Node("10.0.0.4", 1)]
    assert one.members() == same.members() == silent.members() == nodes
    zk.set(CONFIG, b"NEW")
    fresh = configured(world.connect(), OTHER)
    assert zk.get(f"{BASE}/nodes/{OTHER.name}") == b"new"
    assert fresh.members() == [OTHER, Node("10.0.0.4", 1)]
    for member in (one, same):
        with pytest.raises(Replaced, match=f"was replaced, this server has another one: {CONFIG}$"):
            member.members()


def test_a_server_that_runs_sees_that_its_configuration_is_replaced(
    world: World, zk: Coordinator, caplog: pytest.LogCaptureFixture
) -> None:
    """Bytes do not matter; nor does a configuration that is gone, with which nobody can start."""
    other = world.connect()
    with caplog.at_level(logging.INFO, "jubatus"):
        server = configured(zk, NODE)
        assert not server.replaced
        other.set(CONFIG, b"OLD")
        other.set(CONFIG, b"new")
        wait_for(lambda: server.replaced)
        other.set(CONFIG, b"newer")
        with pytest.raises(Replaced):
            server.agree()
        other.set(CONFIG, b"old")
        wait_for(lambda: not server.replaced)
        other.delete(CONFIG)
        server.agree()
        other.create(CONFIG, b"new")
        wait_for(lambda: server.replaced)
    warned = f"the configuration of the cluster was replaced, this server has another one: {CONFIG}; "
    warned += "nothing is mixed until it is started again"
    told = [message for message in caplog.messages if "configuration" in message]
    assert told == [warned, "the configuration of the cluster is that of this server again", warned]


def test_a_server_with_another_configuration_does_not_register_again(world: World, zk: Coordinator) -> None:
    other = world.connect()
    reasons: list[str] = []
    server = configured(zk, NODE, reasons.append)
    server.activate()
    world.suspend(zk)
    wait_for(lambda: zk.session is Session.SUSPENDED)
    world.expire(zk)
    wait_for(lambda: not other.exists(f"{BASE}/nodes/{NODE.name}"))
    other.set(CONFIG, b"new")
    world.resume(zk)
    wait_for(lambda: reasons)
    assert reasons[0] == str(Replaced(CONFIG))
    assert not any(other.exists(f"{BASE}/{place}/{NODE.name}") for place in ("nodes", "actives"))
    assert other.children(f"{BASE}/cht") == []


def test_a_server_registers_again_under_an_equal_configuration(world: World, zk: Coordinator) -> None:
    reasons: list[str] = []
    server = configured(zk, NODE, reasons.append)
    zk.set(CONFIG, b"OLD")
    expire(world, zk)
    wait_for(lambda: zk.exists(f"{BASE}/nodes/{NODE.name}"))
    assert server.members() == [NODE]
    assert reasons == []


def test_a_server_does_not_join_when_its_configuration_is_replaced_meanwhile(zk: Coordinator) -> None:
    server = Member(zk, "stat", "c", NODE, False, bytes.lower)
    server.prepare()
    zk.create(CONFIG, b"old")
    server.config()
    zk.set(CONFIG, b"new")
    with pytest.raises(Replaced):
        server.join(lambda: None)
    assert zk.children(f"{BASE}/nodes") == []


def test_a_writer_keeps_servers_out(world: World, zk: Coordinator, monkeypatch: pytest.MonkeyPatch) -> None:
    other = world.connect()
    server = member(zk)
    writer = Lock(other, paths.config_lock("stat", "c"))
    assert writer.write()
    pauses: list[float] = []
    with monkeypatch.context() as patch:
        patch.setattr(time, "sleep", pauses.append)
        with pytest.raises(ClusterError, match=r"^any user is writing config\?$"):
            server.lock_config()
    assert pauses == [1, 1, 1]
    writer.release()
    server.lock_config()
    assert not writer.write()
    server.leave()
    assert writer.write()


@pytest.mark.parametrize(
    ("uses_cht", "text"), [(True, "Failed to register cht node"), (False, "Failed to register_actor")]
)
def test_an_address_has_one_server(
    world: World, uses_cht: bool, text: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registration, "GRACE", 0.2)
    first = joined(world.connect(), uses_cht=uses_cht)
    second = member(world.connect(), uses_cht=uses_cht)
    start = time.monotonic()
    with pytest.raises(ClusterError, match=text):
        second.join(lambda: None)
    assert TIMEOUT + 0.2 < time.monotonic() - start < TIMEOUT + 2
    assert len([message for message in caplog.messages if "is held by an earlier session" in message]) == 1
    assert first.members() == [NODE]


def test_a_server_that_comes_back_waits_for_its_earlier_session(world: World, zk: Coordinator) -> None:
    earlier = joined(zk)
    later = member(world.connect())
    threading.Timer(0.2, world.expire, (zk,)).start()
    world.suspend(zk)
    later.join(lambda: None)
    assert later.members() == [NODE]
    earlier.leave()
    assert later.members() == [NODE]


def test_a_server_that_is_deleted_by_hand_is_told(
    world: World, zk: Coordinator, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "jubatus")
    removed: list[int] = []
    server = member(zk)
    server.join(lambda: removed.append(1))
    other = world.connect()
    other.set(f"{BASE}/nodes/{NODE.name}", b"changed")
    assert removed == []
    other.delete(f"{BASE}/nodes/{NODE.name}")
    wait_for(lambda: removed == [1])
    assert f"My actor [{BASE}/nodes/10.0.0.1_9199] was deleted, preparing for finish" in caplog.messages


def test_a_server_that_is_deleted_during_an_interruption_is_told(world: World, zk: Coordinator) -> None:
    removed = threading.Event()
    member(zk).join(removed.set)
    world.suspend(zk)
    wait_for(lambda: zk.session is Session.SUSPENDED)
    world.connect().delete(f"{BASE}/nodes/{NODE.name}")
    world.resume(zk)
    assert removed.wait(10)


def test_a_server_that_loses_its_session_is_not_told(world: World, zk: Coordinator) -> None:
    removed: list[int] = []
    server = member(zk)
    server.lock_config()
    server.join(lambda: removed.append(1))
    server.activate()
    other = world.connect()
    watcher = Member(other, "stat", "c", OTHER, True)
    for _ in range(5):
        expire(world, zk)
        wait_for(lambda: watcher.actives() == [NODE])
        assert watcher.members() == [NODE]
        assert len(other.children(f"{BASE}/cht")) == 8
        assert len(other.children(f"{BASE}/config_lock")) == 1
    assert removed == []
    other.delete(f"{BASE}/nodes/{NODE.name}")
    wait_for(lambda: removed == [1])


def test_a_server_that_leaves_is_not_told(world: World, zk: Coordinator) -> None:
    removed: list[int] = []
    server = member(zk)
    server.join(lambda: removed.append(1))
    server.activate()
    assert server.master_lock().write()
    server.leave()
    server.leave()
    other = world.connect()
    assert [other.children(f"{BASE}/{name}") for name in ("nodes", "actives", "cht", "config_lock", "master_lock")] == [
        []
    ] * 5
    assert removed == []


def test_the_callback_may_leave(world: World, zk: Coordinator) -> None:
    server = member(zk)
    left = threading.Event()

    def leave() -> None:
        server.leave()
        left.set()

    server.join(leave)
    world.connect().delete(f"{BASE}/nodes/{NODE.name}")
    assert left.wait(10)


def test_being_active_is_brought_about_later(world: World, zk: Coordinator) -> None:
    other = world.connect()
    server = joined(zk)
    watcher = Member(other, "stat", "c", OTHER, True)
    server.activate()
    server.activate()
    world.suspend(zk)
    wait_for(lambda: zk.session is Session.SUSPENDED)
    server.deactivate()
    server.deactivate()
    assert watcher.actives() == [NODE]
    world.resume(zk)
    wait_for(lambda: watcher.actives() == [])
    world.suspend(zk)
    wait_for(lambda: zk.session is Session.SUSPENDED)
    server.activate()
    world.resume(zk)
    wait_for(lambda: watcher.actives() == [NODE])


def test_a_server_that_hangs_is_not_active(world: World, zk: Coordinator) -> None:
    server = joined(zk)
    watcher = Member(world.connect(), "stat", "c", OTHER, True)
    server.activate()
    for _ in range(2):
        server.hang(True)
        assert watcher.actives() == []
    server.activate()
    assert watcher.actives() == []
    server.hang(False)
    assert watcher.actives() == [NODE]
    server.hang(True)
    server.deactivate()
    server.hang(False)
    assert watcher.actives() == []
    assert watcher.members() == [NODE]


def test_who_is_the_master(world: World, zk: Coordinator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(membership, "LAG", 0.0)
    server, other = joined(zk), joined(world.connect(), OTHER)
    assert not any(server.is_master(round) for round in (None, 0, 7))
    lock = other.master_lock()
    assert lock.write()
    assert server.is_master(lock.number)
    assert not any(server.is_master(round) for round in (None, lock.number + 1))
    lock.release()
    assert not server.is_master(lock.number)
    old = Lock(zk, paths.master_lock("stat", "c"))  # as a program of 1.1 holds it
    assert old.write()
    assert server.is_master(None)
    old.release()


def test_the_master_is_looked_for_again(world: World, zk: Coordinator, monkeypatch: pytest.MonkeyPatch) -> None:
    """The news of its lock may be late."""
    server, lock = joined(zk), joined(world.connect(), OTHER).master_lock()
    monkeypatch.setattr(time, "sleep", lambda _: lock.write())
    assert lock.write()
    number = lock.number + 1
    lock.release()
    assert server.is_master(number)


def test_ids_are_given_once(world: World, zk: Coordinator) -> None:
    prepare(zk, "stat", "c")
    mine, other = Ids(zk, "stat", "c"), Ids(world.connect(), "stat", "c")
    assert zk.get(f"{BASE}/id_generator") == b""
    assert [mine.next(), other.next(), other.next(), mine.next()] == [1, 2, 3, 4]
    assert zk.get(f"{BASE}/id_generator") == b"dummy\0"
    expire(world, zk)
    assert mine.next() == 5
    world.suspend(zk)
    wait_for(lambda: zk.session is Session.SUSPENDED)
    with pytest.raises(ClusterError, match="Failed to create id"):
        mine.next()
    assert other.next() == 6


def test_ids_of_many_threads(zk: Coordinator) -> None:
    prepare(zk, "stat", "c")
    ids = Ids(zk, "stat", "c")
    given: list[int] = []
    threads = [threading.Thread(target=lambda: given.extend(ids.next() for _ in range(50))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(given) == list(range(1, 201))


def test_a_keeper_registers(zk: Coordinator) -> None:
    prepare(zk, "stat")
    Registration(zk).add(f"{paths.proxies('stat')}/{NODE.name}")
    expected = dict.fromkeys([*SKELETON, "/jubatus/jubaproxies/stat", "/jubatus/jubaproxies/stat/10.0.0.1_9199*"], b"")
    assert tree(zk) == expected


def test_a_server_and_a_view_agree(world: World, zk: Coordinator) -> None:
    view = View(zk, "stat", True)
    assert view.load("c").actives == ()
    server = joined(world.connect())
    server.activate()
    wait_for(lambda: (found := view.members("c")) and found.actives == (NODE,) and found.ring.find(b"1", 2) == (NODE,))
    view.close()
