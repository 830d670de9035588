"""A linear MIX: how long it takes, how many bytes it puts, and how long it holds up requests."""

import itertools
import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from bench import mail, workloads
from bench.cluster import Cluster, cluster, zookeeper
from bench.process import HOST, Caller, loader
from bench.report import spread, table
from bench.services import classifier
from bench.services.classifier import config, requests
from bench.workloads import SPACE_BIN, Item

WORDS = 100
BULK = 500
MAILS_A_MIX = 512


def fresh(features: int, start: int, seed: int) -> Iterator[Item]:
    """Yield messages whose words nobody has seen, until there are so many features; each has two labels' weights."""
    for number, first in enumerate(range(start, start + features, WORDS)):
        words = range(first, min(first + WORDS, start + features))
        yield f"class{(number + seed) % 2:02}", " ".join(f"word{word:08}" for word in words)


def learn(port: int, items: list[Item]) -> None:
    """Train in bulk."""
    with Caller(port) as caller:
        for request in requests("train", items, BULK):
            caller.call(request)


class Prober:
    """One connection that classifies all the time, to see what holds it up."""

    def __init__(self, port: int, folder: Path) -> None:
        file = folder / "probe"
        workloads.write(file, requests("classify", workloads.messages(200), 1))
        self.process = subprocess.Popen(
            [loader(), HOST, str(port), file, "1", "1000000000"], stdout=subprocess.PIPE, text=True
        )

    def longest(self) -> float:
        """Stop and return the longest time of an answer in milliseconds."""
        self.process.terminate()
        output, _ = self.process.communicate(timeout=10)
        longest: float = json.loads(output)["max_us"] / 1000
        return longest


def measure(made: Cluster, features: int, rounds: Iterator[int]) -> tuple[float, int, float]:
    """Let the servers learn new features, a part each, and mix; return seconds, bytes, ms of the longest classify."""
    part = features // len(made.servers)
    for port in made.servers:
        start = next(rounds) * 10_000_000
        learn(port, list(fresh(part, start, start)))
    prober = Prober(made.servers[-1], made.folder)
    time.sleep(0.3)
    seconds, size = made.mix()
    time.sleep(0.1)
    return seconds, size, prober.longest()


def sizes(location: str, repeat: int, scale: float) -> Iterator[list[str]]:
    """Yield the rows of the table about sizes and numbers of servers."""
    rounds = itertools.count(1)
    cases = [(2, features) for features in (1_000, 10_000, 100_000, 200_000, 1_000_000)]
    cases += [(servers, 200_000) for servers in (1, 4, 8)]
    for servers, features in cases:
        features = max(servers, int(features * scale))
        runs = []
        for _ in range(repeat):
            with cluster(location, config("PA", SPACE_BIN), servers) as made:
                runs.append(measure(made, features, rounds))
        seconds, put, longest = zip(*runs, strict=True)
        row = [str(servers), f"{features:,}", spread(seconds, 3), f"{put[0] / 1e6:,.1f}", spread(longest, 1)]
        yield row


def accuracy(location: str, path: Path | None) -> Iterator[list[str]]:
    """Yield the rows of the table about mails, trained on several servers in turn with a MIX after every 512."""
    training, test = mail.mails(path)
    for name, chosen in mail.cases()[:2]:
        for servers in (1, 2, 4, 8):
            with cluster(location, chosen, servers) as made:
                callers = [Caller(port) for port in made.servers]
                for number, (item, caller) in enumerate(zip(training, itertools.cycle(callers), strict=False), 1):
                    caller.call(workloads.request("train", classifier.training([item])))
                    if number % MAILS_A_MIX == 0:
                        made.mix()
                made.mix()
                right = mail.right(callers[-1], test)
                for caller in callers:
                    caller.socket.close()
            yield [name, str(servers), str(right), str(len(test))]


def main(repeat: int, scale: float, path: Path | None = None) -> None:
    """Print the tables."""
    with zookeeper() as location:
        header = ["servers", "new features", "MIX s", "MB put", "longest classify ms"]
        table("A linear MIX, each server with its part of the new features", header, sizes(location, repeat, scale))
        header = ["configuration", "servers", "right", "of"]
        table(f"Mails on several servers, a MIX after every {MAILS_A_MIX}", header, accuracy(location, path))
