import pytest

from jubatus.cluster.coordinator import Coordinator, NoNode, Session
from jubatus.cluster.lock import Lock
from jubatus.errors import ClusterError
from tests.cluster.conftest import World, expire
from tests.conftest import wait_for

HERE = "/lock"


@pytest.fixture(autouse=True)
def _directory(zk: Coordinator) -> None:
    # Not below what is emptied before each test, so that the numbers go on.
    if not zk.exists(HERE):
        zk.create(HERE)


def test_one_writes(world: World, zk: Coordinator) -> None:
    mine, other = Lock(zk, HERE), Lock(world.connect(), HERE)
    assert not mine.held
    assert mine.write()
    assert mine.held
    assert mine.write()
    assert not other.write()
    assert not other.held
    assert [name[:-10] for name in zk.children(HERE)] == ["wlock_"]
    mine.release()
    mine.release()
    assert not mine.held
    assert other.write()


def test_many_read(world: World, zk: Coordinator) -> None:
    mine, other, writer = Lock(zk, HERE), Lock(world.connect(), HERE), Lock(zk, HERE)
    assert mine.read()
    assert other.read()
    assert sorted(name[:-10] for name in zk.children(HERE)) == ["rlock_", "rlock_"]
    assert not writer.write()
    mine.release()
    assert not writer.write()
    other.release()
    assert writer.write()
    assert not mine.read()
    writer.release()
    assert mine.read()


def test_what_is_no_lock_does_not_count(zk: Coordinator) -> None:
    zk.create(f"{HERE}/aaa", ephemeral=True)
    assert Lock(zk, HERE).write()


def test_a_lock_needs_its_node(zk: Coordinator) -> None:
    with pytest.raises(NoNode):
        Lock(zk, "/none").write()


def test_a_lock_ends_with_its_session(world: World, zk: Coordinator) -> None:
    other = world.connect()
    mine, its = Lock(zk, HERE), Lock(other, HERE)
    assert mine.write()
    expire(world, zk)
    assert not mine.held
    assert its.write()
    mine.release()
    assert its.held
    assert not mine.write()
    other.close()
    wait_for(mine.write)


def test_an_interruption_keeps_a_lock(world: World, zk: Coordinator) -> None:
    mine, its = Lock(zk, HERE), Lock(world.connect(), HERE)
    assert mine.write()
    world.suspend(zk)
    wait_for(lambda: zk.session is Session.SUSPENDED)
    assert mine.held
    assert mine.write()
    assert not its.write()
    mine.release()
    assert not mine.held
    world.resume(zk)
    wait_for(its.write)


def test_without_a_connection_there_is_no_lock(world: World, zk: Coordinator) -> None:
    mine = Lock(zk, HERE)
    world.suspend(zk)
    wait_for(lambda: zk.session is Session.SUSPENDED)
    with pytest.raises(ClusterError):
        mine.write()
    assert not mine.held
    world.resume(zk)
    wait_for(lambda: zk.session is Session.CONNECTED)
    assert mine.write()


def test_an_attempt_that_fails_leaves_nothing(zk: Coordinator, monkeypatch: pytest.MonkeyPatch) -> None:
    def children(path: str) -> list[str]:
        raise ClusterError("no answer")

    with monkeypatch.context() as patch:
        patch.setattr(zk, "children", children)
        with pytest.raises(ClusterError, match="no answer"):
            Lock(zk, HERE).write()
    assert zk.children(HERE) == []


def test_a_session_that_ends_during_the_attempt_takes_the_lock(
    world: World, zk: Coordinator, monkeypatch: pytest.MonkeyPatch
) -> None:
    children = zk.children

    def expires(path: str) -> list[str]:
        expire(world, zk)
        return children(path)

    mine = Lock(zk, HERE)
    with monkeypatch.context() as patch:
        patch.setattr(zk, "children", expires)
        assert not mine.write()
    assert not mine.held
    assert zk.children(HERE) == []


def test_who_stands_first(world: World, zk: Coordinator) -> None:
    mine, other, old = Lock(zk, HERE, "a_1"), Lock(world.connect(), HERE, "b_2"), Lock(world.connect(), HERE)
    assert mine.first() is None
    assert other.write()
    assert mine.first() == other.first() == (other.number, "b_2")
    number = other.number
    other.release()
    assert old.write()
    assert mine.first() == (old.number, "")
    assert old.number > number
