"""Watch how long mails are: statistics of the last 500 of a stream, by label, as the stream goes on.

Learns in process; with --server it asks a running jubastat, which has the same methods.
"""

import argparse
import gzip
import json
from pathlib import Path

from jubatus import Stat, embedded
from jubatus.errors import JubatusError

HERE = Path(__file__).parent
MAILS = HERE / "../tutorial/train.jsonl.gz"
STEP = 500


def report(stat: Stat | embedded.Stat, count: int) -> None:
    """Print a line for each label, and how evenly the mails are spread over the labels."""
    for label in ("ham", "spam"):
        mean, deviation = stat.moment(label, 1, 0.0), stat.stddev(label)
        longest, shortest = stat.max(label), stat.min(label)
        print(f"{count:5} mails: {label:4} {mean:7.1f} +- {deviation:7.1f} characters, {shortest:.0f} to {longest:.0f}")
    print(f"{count:5} mails: entropy of the labels {stat.entropy(''):.3f} nats")


def main() -> None:
    """Push the length of each mail, and report after every 500."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-s", "--server", metavar="HOST:PORT", help="of a jubastat or a keeper; without it, in process")
    parser.add_argument("-n", "--name", default="mails", help="name of the cluster (default: %(default)s)")
    options = parser.parse_args()
    if options.server:
        host, _, port = options.server.rpartition(":")
        stat: Stat | embedded.Stat = Stat(host, int(port), options.name, 10)
    else:
        stat = embedded.Stat(HERE / "config.json")
    with stat, gzip.open(MAILS, "rt", encoding="utf-8") as lines:
        for count, mail in enumerate(map(json.loads, lines), 1):
            stat.push(mail["label"], float(len(mail["text"])))
            if count % STEP == 0:
                report(stat, count)
        try:
            stat.sum("eggs")
        except JubatusError as error:
            print(f"a label that no mail has: {error}")


if __name__ == "__main__":
    main()
