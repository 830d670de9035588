"""Price regression: the rent of a flat, learned one offer at a time.

The offers are not real. They are made with a fixed seed to look like those of a city: the rent grows with the area,
falls with the age of the house and the way to the station, depends on the district, and is rounded. Each offer is first
estimated and then learned, so that every error is one on an offer that was not seen before. It is compared with that of
guessing the mean of all rents so far.

With --picture it draws the learning curve, if matplotlib is there (pip install jubatus[examples]).
"""

import argparse
import random
import sys
from collections.abc import Iterator
from pathlib import Path

from jubatus import Regression, embedded
from jubatus.common import Datum

OFFERS = 2000
STEP = 250
"""Offers over which an error is averaged."""

DISTRICTS = {"harbour": 3.5, "hill": 2.0, "mill": 0.0, "north": -1.0, "old town": 5.0}
"""What a district adds to the rent of a square metre."""

Row = tuple[float, float, float]


def offers(seed: int = 3) -> Iterator[tuple[float, Datum]]:
    """Yield a monthly rent and what is known of the flat."""
    chance = random.Random(seed)
    for _ in range(OFFERS):
        area = min(max(chance.gauss(65, 20), 20), 150)
        age = chance.randrange(80)
        way = chance.randrange(1, 25)
        district = chance.choice(sorted(DISTRICTS))
        rent = area * (11 + DISTRICTS[district] - 0.04 * age - 0.08 * way) + chance.gauss(0, 40)
        facts: dict[str, str | float] = {"area": area / 100, "age": age / 100, "way": way / 100, "district": district}
        # A linear model cannot multiply; the product of area and district is a feature of its own.
        facts[f"area in {district}"] = area / 100
        yield round(rent / 10) / 100, Datum(facts)


def learn(regression: Regression | embedded.Regression) -> Iterator[Row]:
    """Estimate and then learn each offer; yield rent, estimate and mean of the rents before, in thousands."""
    total = 0.0
    for count, (rent, datum) in enumerate(offers()):
        (estimate,) = regression.estimate([datum])
        yield rent, estimate, total / max(count, 1)
        regression.train([(rent, datum)])
        total += rent


def errors(rows: list[Row]) -> list[tuple[float, float]]:
    """Return the mean absolute error of estimate and mean for each step, in units of money."""
    parts = [rows[start : start + STEP] for start in range(0, len(rows), STEP)]
    return [tuple(1000 * sum(abs(row[0] - row[k]) for row in part) / len(part) for k in (1, 2)) for part in parts]  # type: ignore[misc]


def draw(rows: list[Row], path: str) -> bool:
    """Draw the learning curve; return whether matplotlib is there to do so."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        return False

    found = errors(rows)
    ends = [STEP * (number + 1) for number in range(len(found))]
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    axes.plot(ends, [own for own, _ in found], "o-", label="regression")
    axes.plot(ends, [mean for _, mean in found], "s--", color="0.6", label="mean of the rents so far")
    axes.set(xlabel="offers learned", ylabel="mean absolute error", title="Rent of flats (generated)", ylim=(0, None))
    axes.legend()
    figure.savefig(path)
    return True


def main() -> None:
    """Learn the offers; print the error after every step, and draw."""
    here = Path(__file__).parent
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-s", "--server", metavar="HOST:PORT", help="of a jubaregression or a keeper; else in process")
    parser.add_argument("-n", "--name", default="rent", help="name of the cluster (default: %(default)s)")
    parser.add_argument("-p", "--picture", metavar="FILE", help="where to draw it; this needs matplotlib")
    options = parser.parse_args()
    if options.server:
        host, _, port = options.server.rpartition(":")
        regression: Regression | embedded.Regression = Regression(host, int(port), options.name, 10)
    else:
        regression = embedded.Regression(str(here / "config.json"))
    print(f"{OFFERS} generated offers")
    with regression:
        rows = list(learn(regression))
    for number, (own, mean) in enumerate(errors(rows)):
        print(f"{STEP * (number + 1):5} offers: error {own:5.1f}, of the mean {mean:5.1f}")
    if options.picture and not draw(rows, options.picture):
        sys.exit("no picture: matplotlib is missing (pip install jubatus[examples])")


if __name__ == "__main__":
    main()
