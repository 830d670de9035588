"""Teach a running jubaclassifier to tell spam from ham, then test it on mails that it has not seen."""

import argparse
import gzip
import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from jubatus.classifier.client import Classifier
from jubatus.classifier.types import LabeledDatum
from jubatus.common import Datum

HERE = Path(__file__).parent


def read(file: str) -> list[tuple[str, str]]:
    """Return (label, message text) of each mail."""
    with gzip.open(HERE / file, "rt", encoding="utf-8") as lines:
        return [(mail["label"], mail["text"]) for mail in map(json.loads, lines)]


def progress(what: str, mails: list[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Yield the mails and draw a bar on a terminal; elsewhere write a line at each quarter."""
    total, terminal = len(mails), sys.stderr.isatty()
    steps = {total * step // (50 if terminal else 4) for step in range(1, 51 if terminal else 5)}
    for count, mail in enumerate(mails, 1):
        yield mail
        if count in steps:
            bar = f" [{'#' * (50 * count // total):50}]" if terminal else ""
            print(f"{what:8}{bar} {count:5} of {total}", file=sys.stderr, end="\r" if terminal else "\n", flush=True)
    if terminal:
        print(file=sys.stderr)


def train(client: Classifier, mails: Iterable[tuple[str, str]]) -> None:
    """Train with one mail a request, as they would arrive."""
    for label, text in mails:
        client.train([LabeledDatum(label, Datum({"message": text}))])


def test(client: Classifier, mails: Iterable[tuple[str, str]]) -> tuple[int, int]:
    """Classify each mail, print how it went, and return how many were right and wrong."""
    right = wrong = 0
    for label, text in mails:
        results = client.classify([Datum({"message": text})])[0]
        best = max(results, key=lambda result: result.score)
        right, wrong = (right + 1, wrong) if best.label == label else (right, wrong + 1)
        print(f"{'OK' if best.label == label else 'NG'},{label}, {best.label}, {best.score}")
    return right, wrong


def main() -> None:
    """Read the options, then train, save and test."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-s", "--server_ip", default="127.0.0.1", metavar="HOST[:PORT]", help="default: %(default)s")
    parser.add_argument("-p", "--server_port", type=int, default=9199, help="default: %(default)s")
    parser.add_argument("-n", "--name", default="tutorial", help="name of the cluster (default: %(default)s)")
    options = parser.parse_args()
    host, _, port = options.server_ip.partition(":")

    client = Classifier(host, int(port or options.server_port), options.name, 10)
    print(client.get_config())
    print(client.get_status())
    train(client, progress("training", read("train.jsonl.gz")))
    print(client.get_status())
    print(client.save("tutorial"))
    right, wrong = test(client, progress("testing", read("test.jsonl.gz")))
    print(f"OK: {right}, NG: {wrong}, accuracy: {100 * right / (right + wrong):.1f} %")


if __name__ == "__main__":
    main()
