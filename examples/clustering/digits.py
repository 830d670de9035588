"""Find groups among 1,797 handwritten digits, and see how well they fit the digits that they were to be.

Each digit is a picture of 8 by 8 pixels, which scikit-learn has. Nobody tells the clusters what the pictures show; only
the table counts it. Learns in process; with --server it asks a running jubaclustering.
"""

import argparse
import json
import sys
from collections import Counter
from pathlib import Path

from jubatus import Clustering, embedded
from jubatus.clustering.types import IndexedPoint
from jubatus.common import Datum

CONFIG = Path(__file__).with_name("config.json")
SIDE = 8
BATCH = 100
"""Digits that are sent in one call."""


def read() -> tuple[list[Datum], list[int]]:
    """Return the pictures, each with a number per pixel, and what they show."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    names = [f"{row}-{column}" for row in range(SIDE) for column in range(SIDE)]
    return [Datum(dict(zip(names, picture, strict=True))) for picture in digits.data.tolist()], digits.target.tolist()


def numbers(datum: Datum) -> tuple[tuple[str, float], ...]:
    """Return a centre as a value that can be looked up."""
    return tuple((name, value) for name, value in datum.num_values)


def learn(clustering: Clustering | embedded.Clustering, pictures: list[Datum]) -> None:
    """Forget everything, then send the pictures."""
    clustering.clear()
    for start in range(0, len(pictures), BATCH):
        batch = enumerate(pictures[start : start + BATCH], start)
        clustering.push([IndexedPoint(str(number), picture) for number, picture in batch])


def report(clustering: Clustering | embedded.Clustering, pictures: list[Datum], shown: list[int]) -> list[Datum]:
    """Print what the pictures next to each centre show, and return the centres by that."""
    centers = {numbers(center): center for center in clustering.get_k_center()}
    counts: dict[object, Counter[int]] = {key: Counter() for key in centers}
    for picture, digit in zip(pictures, shown, strict=True):
        counts[numbers(clustering.get_nearest_center(picture))][digit] += 1
    order = sorted(centers, key=lambda key: (counts[key].most_common(1)[0][0], -counts[key].total()))
    for key in order:
        found = counts[key].most_common(3)
        print(f"{counts[key].total():4} pictures:", ", ".join(f"{count} of a {digit}" for digit, count in found))
    right = sum(count.most_common(1)[0][1] for count in counts.values())
    print(f"{right} of {len(pictures)} pictures show what most of their group show")
    return [centers[key] for key in order]


def draw(centers: list[Datum], path: str) -> bool:
    """Draw the centres as pictures; return False if matplotlib is missing."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        return False
    figure = Figure(figsize=(len(centers), 1.2), layout="constrained")
    for axes, center in zip(figure.subplots(1, len(centers)), centers, strict=True):
        pixels = dict(center.num_values)
        axes.imshow(
            [[pixels.get(f"{row}-{column}", 0.0) for column in range(SIDE)] for row in range(SIDE)], cmap="gray_r"
        )
        axes.set_axis_off()
    figure.savefig(path)
    return True


def main() -> None:
    """Cluster the digits and print what is in the clusters."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "-s", "--server", metavar="HOST:PORT", help="of a jubaclustering or a keeper; without it, in process"
    )
    parser.add_argument("-n", "--name", default="digits", help="name of the cluster (default: %(default)s)")
    parser.add_argument("-p", "--picture", metavar="FILE", help="where to draw the centres; this needs matplotlib")
    options = parser.parse_args()
    try:
        pictures, shown = read()
    except ImportError:
        sys.exit("no digits: scikit-learn is missing (pip install jubatus[examples])")
    clustering: Clustering | embedded.Clustering
    if options.server:
        host, _, port = options.server.rpartition(":")
        clustering = Clustering(host, int(port), options.name, 60)
    else:
        clustering = embedded.Clustering(json.loads(CONFIG.read_text()))
    with clustering:
        learn(clustering, pictures)
        centers = report(clustering, pictures, shown)
    if options.picture and not draw(centers, options.picture):
        sys.exit("no picture: matplotlib is missing (pip install jubatus[examples])")


if __name__ == "__main__":
    main()
