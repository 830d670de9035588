"""What is measured of bandit: choices and rewards of 1,000 players among 10 arms."""

from collections.abc import Iterator
from random import Random
from typing import Any

from bench.workloads import SEED, Load, request

PLAYERS = 1_000
ARMS = 10
CALLS = 40_000
"""Calls that the requests are made of; a load starts again when it has sent all."""


def config(method: str) -> dict[str, Any]:
    """Return a configuration of a method."""
    number = {"epsilon_greedy": {"epsilon": 0.1, "seed": SEED}, "ts": {"seed": SEED}}
    return {"method": method, "parameter": {"assume_unrewarded": False, **number[method]}}


def teach() -> Iterator[bytes]:
    """Yield packed calls that register the arms and reward them for all players."""
    for arm in range(ARMS):
        yield request("register_arm", f"arm{arm}", name="")
    yield from calls("register_reward", "")


def calls(row: str, name: str) -> Iterator[bytes]:
    """Yield packed calls of random players; one reward in ten is 1."""
    random = Random(SEED)
    for _ in range(CALLS):
        player = f"player{random.randrange(PLAYERS):03}"
        rewarded = (f"arm{random.randrange(ARMS)}", float(random.random() < 0.1)) if row == "register_reward" else ()
        yield request(row, player, *rewarded, name=name)


def load(row: str, method: str, connections: int, total: int) -> Load:
    """Return a load of one row, each call of one player."""
    return Load(
        work=f"{row} bandit {method}, {ARMS} arms, c {connections}",
        config=config(method),
        requests=lambda name: calls(row, name),
        teaching=teach,
        size=1,
        connections=connections,
        total=total,
        fresh=False,
    )


RPC = (
    load("register_reward", "epsilon_greedy", 1, 60_000),
    load("register_reward", "epsilon_greedy", 16, 200_000),
    load("select_arm", "epsilon_greedy", 16, 200_000),
    load("select_arm", "ts", 16, 100_000),
)
KEEPER = (
    load("register_reward", "epsilon_greedy", 16, 90_000),
    load("select_arm", "epsilon_greedy", 16, 90_000),
)
