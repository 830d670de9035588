"""Find bursts in the subjects of mails: when a word is more frequent than in the rest of the time.

The mails are those of the tutorial that came over some mailing lists from August to October 2002, numbered in about the
order in which they came. Learns in process; with --server it asks a running jubaburst, which has the same methods.
"""

import argparse
import gzip
import json
import sys
from pathlib import Path

from jubatus import Burst, embedded
from jubatus.burst.types import Document, KeywordWithParams, Window

HERE = Path(__file__).parent
MAILS = [HERE / "../tutorial" / name for name in ("train.jsonl.gz", "test.jsonl.gz")]
GROUP = "easy-ham-1"
WORDS = ("spambayes", "selling wedded bliss", "satalk", "razor", "perl", "alsa", "ilug", "ouch", "zzzzteana")
STEP = 50


def subjects() -> list[Document]:
    """Return the subjects of the group's mails, each at the number of its mail."""
    found = []
    for path in MAILS:
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for mail in map(json.loads, lines):
                group, _, number = mail["id"].partition("/")
                if group == GROUP:
                    found.append(Document(float(number), mail["text"].partition("\n")[0].lower()))
    return sorted(found, key=lambda document: document.pos)


def show(word: str, window: Window, width: float) -> None:
    """Print the batches of a window, and which of them are in a burst."""
    for number, batch in enumerate(window.batches):
        first = window.start_pos + number * width
        if batch.burst_weight > 0:
            count = f"{batch.relevant_data_count:3} of {batch.all_data_count:3} subjects"
            print(f"{word:20} mails {first:4.0f} to {first + width - 1:4.0f}: {count}, weight {batch.burst_weight:.2f}")


def draw(windows: dict[str, Window], width: float, path: str) -> bool:
    """Draw how strong the bursts are; return False if matplotlib is missing."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        return False
    figure = Figure(figsize=(8, 4), layout="constrained")
    axes = figure.subplots()
    for word, window in windows.items():
        weights = [batch.burst_weight for batch in window.batches]
        axes.stairs(weights, [window.start_pos + number * width for number in range(len(weights) + 1)], label=word)
    axes.set(xlabel="number of the mail", ylabel="weight of the burst")
    axes.legend()
    figure.savefig(path)
    return True


def main() -> None:
    """Register the words, count the subjects, and show in which windows there are bursts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "-s", "--server", metavar="HOST:PORT", help="of a jubaburst or a keeper; without it, in process"
    )
    parser.add_argument("-n", "--name", default="mails", help="name of the cluster (default: %(default)s)")
    parser.add_argument("-p", "--picture", metavar="FILE", help="where to draw the bursts; this needs matplotlib")
    options = parser.parse_args()
    width = json.loads((HERE / "config.json").read_text())["parameter"]["batch_interval"]
    if options.server:
        host, _, port = options.server.rpartition(":")
        burst: Burst | embedded.Burst = Burst(host, int(port), options.name, 10)
    else:
        burst = embedded.Burst(HERE / "config.json")
    with burst:
        for word in WORDS:
            burst.add_keyword(KeywordWithParams(word, 3.0, 1.0))
        mails = subjects()
        counted = sum(burst.add_documents(mails[at : at + STEP]) for at in range(0, len(mails), STEP))
        windows = {word: burst.get_result(word) for word in WORDS}
    print(f"{counted} of {len(mails)} subjects are counted")
    for word, window in windows.items():
        show(word, window, width)
    if options.picture and not draw(windows, width, options.picture):
        sys.exit("no picture: matplotlib is missing (pip install jubatus[examples])")


if __name__ == "__main__":
    main()
