"""Find mails that are like a mail: each is known by a hash of its words, and those with the nearest hashes are found.

The mails are those of the tutorial. For some of them the nearest others are printed, and at the end how often the
nearest mail that came before is of the same kind, spam or ham. Works in process; with --server it asks a running
jubanearest_neighbor, which has the same methods.
"""

import argparse
import gzip
import json
import sys
from pathlib import Path

from jubatus import NearestNeighbor, embedded
from jubatus.common import Datum

HERE = Path(__file__).parent
MAILS = [HERE / "../tutorial" / name for name in ("train.jsonl.gz", "test.jsonl.gz")]
SHOWN = ("easy-ham-1/01733", "spam-2/00081", "spam-2/00357")


def read() -> dict[str, tuple[str, str]]:
    """Return label and text of each mail by its id."""
    mails = {}
    for path in MAILS:
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for mail in map(json.loads, lines):
                mails[mail["id"]] = mail["label"], mail["text"]
    return mails


def main() -> None:
    """Add the mails one by one, and look for the nearest one first."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-s", "--server", metavar="HOST:PORT", help="of a jubanearest_neighbor; without it, in process")
    options = parser.parse_args()
    if options.server:
        host, _, port = options.server.rpartition(":")
        rows: NearestNeighbor | embedded.NearestNeighbor = NearestNeighbor(host, int(port), "mails", 10)
    else:
        rows = embedded.NearestNeighbor(HERE / "config.json")
    mails = read()
    right = asked = 0
    with rows:
        for id, (label, text) in mails.items():
            datum = Datum({"text": text})
            nearest = rows.neighbor_row_from_datum(datum, 1)
            if nearest:
                asked += 1
                right += mails[nearest[0].id][0] == label
            rows.set_row(id, datum)
        for id in SHOWN:
            print(subject(mails[id]))
            for row in rows.neighbor_row_from_id(id, 4)[1:]:
                print(f"  {row.score:.3f}  {subject(mails[row.id])}")
    print(f"the nearest mail is of the same kind {right} of {asked} times")


def subject(mail: tuple[str, str]) -> str:
    """Return kind and first line of a mail."""
    label, text = mail
    return f"{label:4}  {text.partition(chr(10))[0][:70]}"


if __name__ == "__main__":
    sys.exit(main())
