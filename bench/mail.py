"""The tutorial's task on real mail, one mail a request over a blocking Python socket: what is right, and how long."""

import copy
import gzip
import json
import time
from pathlib import Path
from typing import Any

from bench import workloads
from bench.process import Caller, folder, server
from bench.report import ROOT, spread, table
from bench.services import classifier

TUTORIAL = ROOT / "examples/tutorial"
TRAINING = 4_000


def main(repeat: int, scale: float, path: Path | None = None) -> None:
    """Print the table.

    Args:
        repeat: how often each case runs.
        scale: part of the mails that is used.
        path: see mails.
    """
    training, test = mails(path)
    training, test = training[: int(len(training) * scale)], test[: int(len(test) * scale)]
    rows = []
    for name, config in cases():
        correct, seconds = zip(*[measure(config, training, test) for _ in range(repeat)], strict=True)
        rows.append([name, spread(correct), spread([a for a, _ in seconds], 2), spread([b for _, b in seconds], 2)])
    title = f"Mail: {len(training):,} to train, {len(test):,} to test; packing and unpacking in Python is in the time"
    table(title, ["configuration", "right", "training s", "testing s"], rows)


def mails(path: Path | None) -> tuple[list[workloads.Item], list[workloads.Item]]:
    """Return mails to train with and mails to test with.

    Args:
        path: mails as in the tutorial's files; the first 4,000 train, the rest tests. Without it the tutorial's own.
    """
    if path is None:
        return read(TUTORIAL / "train.jsonl.gz"), read(TUTORIAL / "test.jsonl.gz")
    found = read(path)
    return found[:TRAINING], found[TRAINING:]


def read(path: Path) -> list[workloads.Item]:
    """Return (label, text) of each mail."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [(mail["label"], mail["text"]) for mail in map(json.loads, lines)]


def cases() -> list[tuple[str, dict[str, Any]]]:
    """Return the tutorial's configuration and two variations."""
    pa = json.loads((TUTORIAL / "config.json").read_text())
    arow = {**pa, "method": "AROW", "parameter": {"regularization_weight": 1.0}}
    trigrams = copy.deepcopy(arow)
    trigrams["parameter"]["regularization_weight"] = 0.1
    trigrams["converter"]["string_types"] = {"trigram": {"method": "ngram", "char_num": "3"}}
    rule = trigrams["converter"]["string_rules"][0]
    rule.update(type="trigram", sample_weight="tf", global_weight="idf")
    return [("PA, words", pa), ("AROW 1.0, words", arow), ("AROW 0.1, trigrams, tf-idf", trigrams)]


def measure(
    config: dict[str, Any], training: list[workloads.Item], test: list[workloads.Item]
) -> tuple[int, tuple[float, float]]:
    """Return how many were right, and the seconds of training and testing."""
    with folder() as at, server(config, at) as ours, Caller(ours.port) as caller:
        start = time.perf_counter()
        for mail in training:
            caller.call(workloads.request("train", classifier.training([mail])))
        middle = time.perf_counter()
        correct = right(caller, test)
        end = time.perf_counter()
    return correct, (middle - start, end - middle)


def right(caller: Caller, test: list[workloads.Item]) -> int:
    """Return how many mails are given the right label, one mail a request."""
    answers = [caller.call(workloads.request("classify", classifier.queries([mail])))[0] for mail in test]
    return sum(max(a, key=lambda e: e[1])[0] == label for (label, _), a in zip(test, answers, strict=True))
