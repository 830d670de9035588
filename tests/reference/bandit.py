"""The model of the service ``bandit``: two tables of players, looked through from front to back for each answer."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from tests.reference import Refusal
from tests.reference.ieee import div, exp, log, sqrt
from tests.reference.random_numbers import MersenneTwister
from tests.reference.tr1 import Map

LOWEST = -1.7976931348623157e308


@dataclass(eq=False)
class Tally:
    """How often an arm was tried for a player, and what it brought."""

    trials: int = 0
    weight: float = 0.0


@dataclass(eq=False)
class Player:
    """What is known of a player."""

    total: int = 0
    tallies: Map[bytes, Tally] = field(default_factory=Map)

    def is_empty(self) -> bool:
        return self.total == 0 and all(t.trials == 0 and t.weight == 0 for t in self.tallies.values())


Table = Map[bytes, Player]


class Given(NamedTuple):
    """A diff that was given away.

    Args:
        diff: the diff.
        epoch: which diff of the model it was.
        players: the players that it had.
        tallies: by player and arm, the tallies that it had.
    """

    diff: dict[bytes, Any]
    epoch: object
    players: dict[bytes, Player]
    tallies: dict[tuple[bytes, bytes], Tally]


def packed(table: Table) -> dict[bytes, Any]:
    return {
        name: [player.total, {arm: [tally.trials, tally.weight] for arm, tally in player.tallies.items()}]
        for name, player in table.items()
    }


def add(table: Table, more: dict[bytes, Any]) -> None:
    """Add a packed table."""
    for name, (total, tallies) in more.items():
        player = table.setdefault(name, Player())
        player.total += total
        for arm, (trials, weight) in tallies.items():
            tally = player.tallies.setdefault(arm, Tally())
            tally.trials += trials
            tally.weight += weight


def difference(a: float, b: float) -> float:
    """a - b, and 0 where both are the same infinity or NaN."""
    return 0.0 if repr(a) == repr(b) else a - b


class Bandit:
    """Takes and gives the values of the wire as Python values; players and arms are bytes."""

    def __init__(self, config: dict[str, Any], distributed: bool = False) -> None:
        self.method = config["method"]
        parameter = config["parameter"]
        self.assume_unrewarded = parameter["assume_unrewarded"]
        self.parameter = parameter
        self.random = MersenneTwister(parameter.get("seed", 0))
        self.arms: list[bytes] = []
        self.mixed, self.unmixed = Map[bytes, Player](), Map[bytes, Player]()
        self.epoch = object()

    # --- what changes

    def register_arm(self, arm: bytes) -> bool:
        if arm in self.arms:
            return False
        self.arms.append(arm)
        for player in self.unmixed.values():
            player.tallies.setdefault(arm, Tally())
        return True

    def delete_arm(self, arm: bytes) -> bool:
        for table in (self.mixed, self.unmixed):
            for player in table.values():
                if arm in player.tallies:
                    player.total -= player.tallies[arm].trials
                    del player.tallies[arm]
        if arm not in self.arms:
            return False
        self.arms.remove(arm)
        return True

    def select_arm(self, name: bytes) -> bytes:
        if not self.arms:
            raise Refusal("arm is not registered")
        chosen = getattr(self, f"_{self.method}")(name)
        arm = self.arms[chosen] if chosen is not None else b""
        if self.assume_unrewarded:
            player = self._player(name)
            self._tally(player, arm).trials += 1
            player.total += 1
        return arm

    def register_reward(self, name: bytes, arm: bytes, reward: float) -> bool:
        if self.method == "ts" and reward not in (0, 1):
            raise Refusal("reward is not in {0,1}")
        if self.method in ("ts", "exp3") and arm not in self.arms:
            return False
        if self.method == "exp3":
            gamma = self.parameter["gamma"]
            reward = div(reward, self._probabilities(name)[self.arms.index(arm)]) * gamma / len(self.arms)
        player = self._player(name)
        tally = self._tally(player, arm)
        tally.weight += reward
        if not self.assume_unrewarded:
            tally.trials += 1
            player.total += 1
        return True

    def _player(self, name: bytes) -> Player:
        if name not in self.unmixed:
            self.unmixed[name] = Player(0, Map((arm, Tally()) for arm in self.arms))
        return self.unmixed[name]

    def _tally(self, player: Player, arm: bytes) -> Tally:
        if arm not in player.tallies:
            raise Refusal(f"arm_id is not registered: {arm.decode('utf-8', 'surrogateescape')}")
        return player.tallies[arm]

    def reset(self, name: bytes) -> bool:
        found = [table for table in (self.mixed, self.unmixed) if name in table]
        for table in found:
            del table[name]
        return bool(found)

    def clear(self) -> bool:
        self.arms.clear()
        self.mixed.clear()
        self.unmixed.clear()
        self.epoch = object()
        return True

    # --- what is known

    def get_arm_info(self, name: bytes) -> dict[bytes, Any]:
        return {arm: list(self._known(name, arm)) for arm in sorted(self.arms)}

    def status(self) -> dict[str, str]:
        return {}

    def _known(self, name: bytes, arm: bytes) -> tuple[int, float]:
        trials, weight = 0, 0.0
        for table in (self.mixed, self.unmixed):
            if name in table and arm in table[name].tallies:
                tally = table[name].tallies[arm]
                trials, weight = trials + tally.trials, weight + tally.weight
        return trials, weight

    def _total(self, name: bytes) -> int:
        return sum(table[name].total for table in (self.mixed, self.unmixed) if name in table)

    def _expectations(self, name: bytes) -> list[float]:
        known = [self._known(name, arm) for arm in self.arms]
        return [weight / trials if trials else 0.0 for trials, weight in known]

    # --- how the methods choose

    def _greedily(self, name: bytes, epsilon: float) -> int:
        if self.random.next_double() < epsilon:
            return self.random.next_int(len(self.arms))
        best, expectations = 0, self._expectations(name)
        for i, expectation in enumerate(expectations):
            if expectation > expectations[best]:
                best = i
        return best

    def _epsilon_greedy(self, name: bytes) -> int:
        return self._greedily(name, self.parameter["epsilon"])

    def _epsilon_decreasing(self, name: bytes) -> int:
        t, d = float(self._total(name) + 1), self.parameter["decreasing_rate"]
        return self._greedily(name, min(1.0, 5 * len(self.arms) * (log(t) / t) / (d * d)))

    def _ucb1(self, name: bytes) -> int | None:
        known = [self._known(name, arm) for arm in self.arms]
        scores = []
        for i, (trials, weight) in enumerate(known):
            if trials == 0:
                return i
            scores.append(weight / trials + sqrt(2 * log(self._total(name)) / trials))
        return self._highest(scores)

    def _ts(self, name: bytes) -> int | None:
        known = [self._known(name, arm) for arm in self.arms]
        return self._highest([self.random.next_beta(weight + 1, trials - weight + 1) for trials, weight in known])

    def _softmax(self, name: bytes) -> int:
        return self._by_weight([exp(e / self.parameter["tau"]) for e in self._expectations(name)])

    def _exp3(self, name: bytes) -> int:
        return self._by_weight(self._probabilities(name))

    def _probabilities(self, name: bytes) -> list[float]:
        powers, total, gamma = [exp(self._known(name, arm)[1]) for arm in self.arms], 0.0, self.parameter["gamma"]
        for power in powers:
            total += power
        return [div((1 - gamma) * power, total) + gamma / len(powers) for power in powers]

    @staticmethod
    def _highest(scores: list[float]) -> int | None:
        best, highest = None, LOWEST
        for i, score in enumerate(scores):
            if score > highest:
                best, highest = i, score
        return best

    def _by_weight(self, weights: list[float]) -> int:
        total = 0.0
        for weight in weights:
            total += weight
        wanted, passed = total * self.random.next_double(), 0.0
        for i, weight in enumerate(weights[:-1]):
            passed += weight
            if wanted < passed:
                return i
        return len(weights) - 1

    # --- files and MIX

    def pack(self) -> list[Any]:
        return [list(self.arms), packed(self.mixed), packed(self.unmixed)]

    def unpack(self, model: list[Any]) -> None:
        self.arms, tables = list(model[0]), (Map[bytes, Player](), Map[bytes, Player]())
        for table, more in zip(tables, model[1:], strict=True):
            add(table, more)
        self.mixed, self.unmixed = tables
        self.epoch = object()

    def get_diff(self) -> list[Any]:
        return [packed(self.unmixed)]

    def given(self) -> Given:
        players = dict(self.unmixed.items())
        tallies = {(name, arm): t for name, player in players.items() for arm, t in player.tallies.items()}
        return Given(packed(self.unmixed), self.epoch, players, tallies)

    @staticmethod
    def mix(new: list[Any], acc: list[Any]) -> list[Any]:
        total = Map[bytes, Player]()
        add(total, acc[0])
        add(total, new[0])
        return [packed(total)]

    def put_diff(self, diff: list[Any], since: Given | None = None) -> bool:
        self._subtract(since)
        add(self.mixed, diff[0])
        self.epoch = object()
        return True

    def catch_up(self, other: "Bandit", since: Given | None) -> None:
        """Become another model with the own diff."""
        self._subtract(since)
        own = packed(self.unmixed)
        self.arms, self.mixed, self.unmixed = other.arms, other.mixed, Map[bytes, Player]()
        for name in own:
            self._player(name)
        add(self.unmixed, own)
        self.epoch = object()

    def _subtract(self, since: Given | None) -> None:
        """Take what was given out of the diff, but for players and tallies that were thrown away meanwhile."""
        if since is None or since.epoch is not self.epoch:
            return
        for name, (total, tallies) in since.diff.items():
            player = since.players[name]
            if self.unmixed.get(name, Player()) is not player:
                continue
            for arm, (trials, weight) in tallies.items():
                tally = since.tallies[name, arm]
                if arm in player.tallies and player.tallies[arm] is tally:
                    tally.trials -= trials
                    tally.weight = difference(tally.weight, weight)
                else:
                    total -= trials
            player.total -= total
            if player.is_empty():
                del self.unmixed[name]
