import asyncio
import logging
from collections.abc import Awaitable, Callable

import pytest

from jubatus.cluster.paths import Node
from jubatus.keeper import rotation
from jubatus.keeper.rotation import Rotation
from tests.conftest import PATIENCE

A, B = Node("10.0.0.1", 9199), Node("10.0.0.2", 9199)


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rotation, "PERIOD", 0.01)


def run(work: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(10):
            await work()

    asyncio.run(bounded())


async def until(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0.005)


def test_a_server_is_out_until_it_is_reached() -> None:
    alive: set[Node] = set()
    asked = []

    async def reach(cluster: str, node: Node) -> bool:
        asked.append(node)
        return node in alive

    async def work() -> None:
        out = Rotation(reach, lambda cluster, node: True)
        out.drop("c", A, "why")
        out.drop("c", B, "why")
        assert out.dead == {A, B}
        await until(lambda: asked.count(A) > 2)
        assert out.dead == {A, B}
        alive.add(A)
        await until(lambda: out.dead == {B})
        out.drop("c", A, "again")
        assert out.dead == {A, B}
        alive.add(B)
        await until(lambda: not out.dead)
        asked.clear()
        await asyncio.sleep(0.05)
        assert asked == []
        out.drop("c", A, "once more")
        await until(lambda: not out.dead)

    run(work)


def test_a_server_that_is_not_listed_any_more_is_forgotten() -> None:
    asked = []

    async def reach(cluster: str, node: Node) -> bool:
        asked.append(node)
        return False

    async def work() -> None:
        out = Rotation(reach, lambda cluster, node: (cluster, node) == ("b", B))
        out.drop("a", A, "why")
        out.drop("b", B, "why")
        await until(lambda: out.dead == {B} and len(asked) > 2)
        assert set(asked) == {B}
        out.close()

    run(work)


def test_a_server_is_out_after_some_timeouts_in_a_row(caplog: pytest.LogCaptureFixture) -> None:
    async def reach(cluster: str, node: Node) -> bool:
        return True

    async def work() -> None:
        out = Rotation(reach, lambda cluster, node: True)
        for _ in range(2):
            for count in range(rotation.LATE):
                assert out.dead == set()
                out.miss("c", A, "request timed out")
                assert out.late == {A: count + 1}
            assert out.dead == {A}
            await until(lambda: not out.dead)
            assert out.late == {}

    with caplog.at_level(logging.WARNING, "jubatus"):
        run(work)
    text = "server 10.0.0.1_9199 of c is out of rotation: request timed out, 3 in a row"
    assert [record.getMessage() for record in caplog.records] == [text] * 2


def test_a_server_that_hangs_does_not_keep_another_one_out() -> None:
    async def reach(cluster: str, node: Node) -> bool:
        if node == A:
            await asyncio.sleep(PATIENCE)
        return True

    async def work() -> None:
        out = Rotation(reach, lambda cluster, node: True)
        out.drop("c", A, "why")
        out.drop("c", B, "why")
        await until(lambda: out.dead == {A})
        out.close()

    run(work)


def test_each_loss_and_return_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    async def reach(cluster: str, node: Node) -> bool:
        return True

    async def work() -> None:
        out = Rotation(reach, lambda cluster, node: True)
        for _ in range(3):
            out.drop("mine", A, "connection refused")
        await until(lambda: not out.dead)

    with caplog.at_level(logging.INFO, "jubatus"):
        run(work)
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("WARNING", "server 10.0.0.1_9199 of mine is out of rotation: connection refused"),
        ("INFO", "server 10.0.0.1_9199 of mine is back in rotation"),
    ]
