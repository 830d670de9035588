from collections.abc import Set

import pytest

from jubatus.cluster.paths import Node
from jubatus.cluster.ring import Ring, ring_entries
from jubatus.cluster.view import NOBODY, Members
from jubatus.idl import Join, Lock, Method, Route
from jubatus.keeper.route import targets
from jubatus.types import BOOL

A, B, C = (Node(f"10.0.0.{number}", 9199) for number in (1, 2, 3))
ALL = Members((A, B, C), Ring({entry: node for node in (A, B, C) for entry in ring_entries(node)}))


def row(route: Route, replicas: int = 2) -> Method:
    return Method("m", (), BOOL, route, Lock.ANALYSIS, Join.PASS, "Doc.", replicas=replicas)


def route(
    method: Method, key: bytes = b"", dead: Set[Node] = frozenset(), at: float = 0.0, failed: Set[Node] = frozenset()
) -> set[Node]:
    nodes = targets(method, key, ALL, dead, lambda: at, failed)
    assert len(nodes) == len(set(nodes))
    return set(nodes)


@pytest.mark.parametrize(("at", "node"), [(0.0, A), (0.333, A), (0.334, B), (0.7, C), (0.9999999, C)])
def test_a_random_call_goes_to_the_server_that_the_number_falls_on(at: float, node: Node) -> None:
    assert route(row(Route.RANDOM), at=at) == {node}


def test_a_random_call_avoids_dead_servers_while_there_are_others() -> None:
    method = row(Route.RANDOM)
    assert {node for at in (0.0, 0.5, 0.99) for node in route(method, dead={A, C}, at=at)} == {B}
    assert {node for at in (0.0, 0.5, 0.99) for node in route(method, dead={A, B, C}, at=at)} == {A, B, C}


def test_a_random_call_never_goes_where_it_failed() -> None:
    method = row(Route.RANDOM)
    assert route(method, failed={A}, dead={A, B}) == {C}
    assert route(method, failed={A, C}, dead={A, B, C}) == {B}
    assert route(method, failed={A, B, C}) == set()


@pytest.mark.parametrize(("key", "nodes"), [(b"1", {A}), (b"3", {B}), (b"apple", {A, B}), (b"user01", {A, C})])
def test_a_call_by_key_goes_to_the_entries_of_the_ring_and_once_to_each_server(key: bytes, nodes: set[Node]) -> None:
    assert route(row(Route.CHT), key) == nodes


def test_the_number_of_entries_is_that_of_the_row() -> None:
    assert route(row(Route.CHT, replicas=1), b"user01") == {C}


def test_a_call_by_key_passes_over_dead_servers() -> None:
    method = row(Route.CHT)
    assert route(method, b"apple", dead={A}) <= {B, C}
    assert route(method, b"apple", dead={A, B}) == {C}
    assert route(method, b"apple", dead={A, B, C}) == {A, B}
    assert route(method, b"apple", dead={A, B, C}, failed={B}) <= {A, C}
    assert route(method, b"apple", failed={A, B, C}) == set()


def test_a_broadcast_goes_to_all_dead_or_not() -> None:
    assert route(row(Route.BROADCAST), dead={A}) == {A, B, C}


def test_a_server_that_is_listed_twice_gets_a_broadcast_once() -> None:
    members = Members((A, B, A), Ring({}))
    assert targets(row(Route.BROADCAST), b"", members, set(), lambda: 0.0) == (A, B)


@pytest.mark.parametrize("kind", [Route.RANDOM, Route.BROADCAST, Route.CHT])
def test_without_servers_there_is_no_target(kind: Route) -> None:
    assert targets(row(kind), b"key", NOBODY, {A}, lambda: 0.5) == ()
