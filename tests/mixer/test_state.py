import ast
import inspect
from types import ModuleType

import pytest

from jubatus.mixer import linear, payload, push
from jubatus.mixer import state as states
from jubatus.mixer.state import State
from tests.mixer.play import A, B


def state(sec: int = 16, count: int = 512, updates: int = 0) -> State:
    made = State(sec, count, 100.0)
    for _ in range(updates):
        made.updated()
    return made


@pytest.mark.parametrize(
    ("sec", "count", "updates", "now", "due"),
    [
        (16, 512, 511, 100.0, False),
        (16, 512, 512, 100.0, True),
        (16, 512, 513, 100.0, True),
        (16, 512, 1, 116.0, False),
        (16, 512, 1, 116.001, True),
        (16, 512, 1, 115.999, False),
        (0, 512, 511, 1e9, False),
        (0, 512, 512, 1e9, True),
        (16, 0, 10000, 116.0, False),
        (16, 0, 1, 116.001, True),
        (0, 0, 10000, 1e9, False),
        (1, 1, 1, 100.0, True),
        (16, 512, 0, 1e9, True),
    ],
)
def test_due(sec: int, count: int, updates: int, now: float, due: bool) -> None:
    assert state(sec, count, updates).due(now) is due


def test_the_update_that_makes_a_round_due_is_told_once() -> None:
    made = state(count=3)
    assert [made.updated() for _ in range(5)] == [False, False, True, False, False]


def test_no_update_makes_a_round_due_without_a_number() -> None:
    made = state(count=0)
    assert not any(made.updated() for _ in range(5))


def test_a_round_that_fails_is_tried_again_after_the_time() -> None:
    made = state(updates=512)
    made.begin(100.5)
    assert not made.due(116.5)
    assert made.due(116.51)
    assert made.count == 512


def test_a_round_that_fails_is_tried_again_after_as_many_updates() -> None:
    made = state(sec=0, updates=600)
    made.begin(100.5)
    assert [made.updated() for _ in range(512)] == [False] * 511 + [True]
    assert made.due(100.5)


def test_updates_after_the_snapshot_count_for_the_next_round() -> None:
    made = state(count=10, updates=10)
    made.begin(101.0)
    made.hand_out()
    for _ in range(4):
        made.updated()
    made.put(fits=True, got=True, now=102.0)
    assert (made.count, made.ticktime, made.obsolete) == (4, 102.0, False)
    assert not made.due(102.0)
    assert [made.updated() for _ in range(6)] == [False] * 5 + [True]


def test_a_diff_that_came_too_late_for_the_round_is_still_counted() -> None:
    made = state(count=10, updates=9)
    made.hand_out()
    made.put(fits=True, got=False, now=102.0)
    assert (made.count, made.obsolete) == (9, False)
    assert made.due(118.1)
    assert not made.due(102.0)


def test_a_put_without_a_snapshot_forgets_nothing() -> None:
    made = state(updates=9)
    made.put(fits=True, got=True, now=102.0)
    assert made.count == 9


def test_a_snapshot_is_good_for_one_put() -> None:
    made = state(updates=9)
    made.hand_out()
    made.put(fits=True, got=True, now=102.0)
    made.updated()
    made.put(fits=True, got=True, now=103.0)
    assert made.count == 1


def test_what_somebody_else_was_handed_does_not_count_for_the_round() -> None:
    made = state(updates=9)
    made.hand_out()
    made.updated()
    made.hand_out(loose=True)
    made.put(fits=True, got=True, now=102.0)
    assert made.count == 1
    made.hand_out(loose=True)
    made.updated()
    made.put(fits=True, got=True, now=102.0, loose=True)
    assert (made.count, made.handed, made.loose) == (1, 0, 0)


def test_a_refused_put_keeps_the_updates() -> None:
    made = state(updates=9)
    made.hand_out()
    made.put(fits=False, got=True, now=102.0)
    assert (made.count, made.obsolete, made.ticktime) == (9, True, 102.0)


def test_forget() -> None:
    made = state(updates=9)
    made.begin(101.0)
    made.hand_out()
    made.forget(102.0)
    assert made == State(16, 512, 102.0)


@pytest.mark.parametrize("module", [states, payload, linear, push])
def test_procedures_neither_wait_nor_look_at_clocks_nor_draw(module: ModuleType) -> None:
    tree = ast.parse(inspect.getsource(module))
    nodes = list(ast.walk(tree))
    assert not [node for node in nodes if isinstance(node, ast.Await | ast.AsyncFunctionDef | ast.AsyncWith)]
    imported = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
    assert imported & {"asyncio", "datetime", "random", "secrets", "threading", "time"} == set()


def test_names() -> None:
    assert states.names([A, B]) == "[10.0.0.1:9199, 10.0.0.1:9200]"
    assert states.names([]) == "[]"
