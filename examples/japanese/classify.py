"""Tell Japanese sentences about cooking, sports and weather apart by their words, which MeCab finds.

The sentences were written for this example: 63 to learn from, 21 to test with. Learns in process; with --server it
teaches a running jubaclassifier.
"""

import argparse
from pathlib import Path

from jubatus import Classifier, embedded
from jubatus.common import Datum

HERE = Path(__file__).parent


def read(file: str) -> list[tuple[str, str]]:
    """Return (topic, sentence) of each line."""
    lines = (HERE / file).read_text(encoding="utf-8").splitlines()
    return [(topic, sentence) for topic, _, sentence in (line.partition("\t") for line in lines)]


def main() -> None:
    """Learn, then print each sentence of the test with its guess, and at last how many guesses were right."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-s", "--server", metavar="HOST:PORT", help="of a jubaclassifier; without it, in process")
    options = parser.parse_args()
    if options.server:
        host, _, port = options.server.rpartition(":")
        model: Classifier | embedded.Classifier = Classifier(host, int(port), "", 10)
    else:
        model = embedded.Classifier(HERE / "config.json")
    with model:
        for topic, sentence in read("train.tsv"):
            model.train([(topic, Datum({"text": sentence}))])
        test = read("test.tsv")
        right = 0
        for topic, sentence in test:
            estimates = model.classify([Datum({"text": sentence})])[0]
            guess = max(estimates, key=lambda estimate: estimate.score).label
            right += guess == topic
            print(f"{'OK' if guess == topic else 'NG'}\t{topic}\t{guess}\t{sentence}")
        print(f"{right} of {len(test)} right, accuracy: {100 * right / len(test):.1f} %")


if __name__ == "__main__":
    main()
