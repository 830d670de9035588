import random
import threading

import pytest

from jubatus.cluster.coordinator import Coordinator, NodeExists, Session
from jubatus.cluster.lock import Lock
from jubatus.cluster.registration import Registration
from jubatus.errors import ClusterError
from tests.cluster.conftest import World, expire
from tests.conftest import wait_for

HERE = "/jubatus/jubaproxies/stat"
A, B, C = (f"{HERE}/{name}" for name in "abc")


@pytest.fixture
def registration(zk: Coordinator) -> Registration:
    return Registration(zk)


def created(zk: Coordinator, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list that grows with what is created."""
    order: list[str] = []
    create = zk.create

    def noted(path: str, data: bytes = b"", **options: bool) -> str:
        order.append(create(path, data, **options))
        return order[-1]

    monkeypatch.setattr(zk, "create", noted)
    return order


def test_what_is_above_comes_with_a_node(world: World, zk: Coordinator, registration: Registration) -> None:
    registration.add(A, b"data")
    assert zk.mine(A)
    assert zk.get(A) == b"data"
    assert not zk.mine(HERE)
    assert registration.epoch(A) == zk.epoch
    assert registration.epoch(B) == -1


def test_the_node_of_another_is_an_error(world: World, zk: Coordinator, registration: Registration) -> None:
    Registration(world.connect()).add(A)
    with pytest.raises(NodeExists):
        registration.add(A)
    expire(world, zk)
    assert not zk.mine(A)


def test_the_end_of_an_earlier_process_is_waited_for(
    world: World, registration: Registration, zk: Coordinator, caplog: pytest.LogCaptureFixture
) -> None:
    earlier = world.connect()
    Registration(earlier).add(A)
    threading.Timer(0.3, earlier.close).start()
    registration.add(A, patience=10)
    assert zk.mine(A)
    warnings = [
        record.getMessage() for record in caplog.records if record.name == "jubatus" and A in record.getMessage()
    ]
    assert warnings == [f"{A} is held by an earlier session, waiting up to 10.0 s for its end"]


def test_a_new_session_gets_all_in_order(
    world: World, zk: Coordinator, registration: Registration, monkeypatch: pytest.MonkeyPatch
) -> None:
    zk.create("/jubatus")
    zk.create("/jubatus/lock")
    lock = Lock(zk, "/jubatus/lock")
    assert registration.hold(lock)
    registration.add(B, b"b")
    registration.add(A, b"a")
    registration.want(C, b"c")
    order = created(zk, monkeypatch)
    for _ in range(2):
        order.clear()
        expire(world, zk)
        wait_for(lambda: registration.epoch(C) == zk.epoch)
        assert [path.rstrip("0123456789") for path in order] == ["/jubatus/lock/rlock_", B, A, C]
        assert (zk.get(A), zk.get(B), zk.get(C)) == (b"a", b"b", b"c")
        assert all(zk.mine(path) for path in (A, B, C))
        assert lock.held


def test_what_is_removed_does_not_come_again(world: World, zk: Coordinator, registration: Registration) -> None:
    registration.add(A)
    registration.add(B)
    registration.remove(A)
    registration.remove(C)
    assert zk.children(HERE) == ["b"]
    expire(world, zk)
    wait_for(lambda: registration.epoch(B) == zk.epoch)
    assert zk.children(HERE) == ["b"]


def test_wishes_are_fulfilled_when_there_is_a_connection(
    world: World, zk: Coordinator, registration: Registration
) -> None:
    other = world.connect()
    registration.want(A)
    registration.want(B)
    world.suspend(zk)
    wait_for(lambda: zk.session is Session.SUSPENDED)
    registration.want(C)
    registration.remove(A)
    registration.remove(B)
    registration.want(B)
    assert other.children(HERE) == ["a", "b"]
    world.resume(zk)
    wait_for(lambda: other.children(HERE) == ["b", "c"] and registration.epoch(B) == zk.epoch)
    assert zk.mine(B)


def test_wishes_are_fulfilled_in_a_new_session(world: World, zk: Coordinator, registration: Registration) -> None:
    other = world.connect()
    registration.want(A)
    world.suspend(zk)
    wait_for(lambda: zk.session is Session.SUSPENDED)
    registration.remove(A)
    registration.want(B)
    world.expire(zk)
    world.resume(zk)
    wait_for(lambda: other.children(HERE) == ["b"])


def test_a_node_of_an_earlier_session_is_waited_for_in_the_next(
    world: World, zk: Coordinator, registration: Registration, caplog: pytest.LogCaptureFixture
) -> None:
    registration.add(A)
    registration.add(B)
    world.suspend(zk)
    wait_for(lambda: zk.session is Session.SUSPENDED)
    world.expire(zk)
    other = world.connect()
    wait_for(lambda: other.children(HERE) == [])
    other.create(A, ephemeral=True)
    world.resume(zk)
    wait_for(lambda: other.children(HERE) == ["a", "b"])
    assert registration.epoch(A) != zk.epoch
    other.delete(A)
    wait_for(lambda: registration.epoch(A) == zk.epoch)
    assert zk.mine(A)
    assert caplog.messages.count(f"{A} is not registered yet: ZooKeeper node exists: {A}") == 1


def test_a_lock_that_a_writer_has_is_taken_later(world: World, zk: Coordinator, registration: Registration) -> None:
    other = world.connect()
    zk.create("/jubatus")
    zk.create("/jubatus/lock")
    lock, writer = Lock(zk, "/jubatus/lock"), Lock(other, "/jubatus/lock")
    assert writer.write()
    assert not registration.hold(lock)
    writer.release()
    assert registration.hold(lock)
    registration.add(A)
    world.suspend(zk)
    wait_for(lambda: zk.session is Session.SUSPENDED)
    world.expire(zk)
    wait_for(writer.write)
    world.resume(zk)
    wait_for(lambda: zk.session is Session.CONNECTED)
    registration.want(B)  # at once: somebody asks for it
    assert other.exists(B)
    assert not (lock.held or other.exists(A))
    writer.release()
    wait_for(lambda: lock.held and other.exists(A))


def test_what_follows_a_lock_waits_for_what_is_done_under_it(
    world: World, zk: Coordinator, registration: Registration
) -> None:
    other = world.connect()
    zk.create("/jubatus")
    zk.create("/jubatus/lock")
    lock, calls = Lock(zk, "/jubatus/lock"), []

    def again() -> None:
        calls.append(other.exists(A))
        if len(calls) < 3:
            raise ClusterError("not yet")

    assert registration.hold(lock, again)
    registration.add(A)
    assert calls == []
    expire(world, zk)
    wait_for(lambda: other.exists(A))
    assert calls == [False] * 3


def test_a_tree_that_was_emptied_grows_again(world: World, zk: Coordinator, registration: Registration) -> None:
    registration.want("/jubatus/locks/a")
    zk.create("/jubatus/lock")
    lock = Lock(zk, "/jubatus/lock")
    registration.hold(lock)
    registration.add(A)
    world.suspend(zk)
    wait_for(lambda: zk.session is Session.SUSPENDED)
    world.expire(zk)
    other = world.connect()
    wait_for(lambda: other.children(HERE) == [])
    for path in (HERE, "/jubatus/jubaproxies", "/jubatus/lock", "/jubatus/locks", "/jubatus"):
        other.delete(path)
    world.resume(zk)
    wait_for(lambda: lock.held and other.exists(A) and other.exists("/jubatus/locks/a"))


def test_a_wish_that_fails_is_tried_again(
    zk: Coordinator, registration: Registration, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def create(path: str, *_: object, **__: object) -> str:
        raise ClusterError("no answer")

    with monkeypatch.context() as patch:
        patch.setattr(zk, "create", create)
        registration.want(A)
        assert registration.epoch(A) == -1
    wait_for(lambda: registration.epoch(A) == zk.epoch)
    assert zk.mine(A)
    assert f"{A} is not registered yet: no answer" in caplog.messages


def test_after_the_end_nothing_is_created(world: World, zk: Coordinator, registration: Registration) -> None:
    registration.add(A)
    registration.close()
    zk.close()
    other = world.connect()
    wait_for(lambda: other.children(HERE) == [])
    registration.want(B)
    registration.remove(A)
    assert other.children(HERE) == []


@pytest.mark.parametrize("seed", range(8))
def test_after_any_history_the_wishes_hold(world: World, zk: Coordinator, seed: int) -> None:
    dice = random.Random(seed)
    other = world.connect()
    registration = Registration(zk)
    registration.add(A)
    wishes = {"a"}
    for _ in range(30):
        what = dice.choice(["want", "want", "remove", "remove", "suspend", "resume", "expire"])
        if what in {"want", "remove"}:
            name = dice.choice("abc")
            getattr(registration, what)(f"{HERE}/{name}")
            (wishes.add if what == "want" else wishes.discard)(name)
        else:
            getattr(world, what)(zk)
            # Some changes come before it is known what has happened.
            if dice.random() < 0.5 and what == "suspend":
                wait_for(lambda: zk.session is not Session.CONNECTED)
    world.resume(zk)
    wait_for(lambda: other.children(HERE) == sorted(wishes) and all(zk.mine(f"{HERE}/{name}") for name in wishes))
    expire(world, zk)
    wait_for(lambda: other.children(HERE) == sorted(wishes) and all(zk.mine(f"{HERE}/{name}") for name in wishes))
