"""Moving statistics of a sensor: mean and deviation of the last readings, and which readings stand out of them.

The readings are not real. They are made with a fixed seed to look like those of a thermometer in a machine room, one a
minute for two days: the temperature follows the hour, the sensor adds noise, on the second day the cooling fails for
two hours, and now and then a reading is off by many degrees. A reading is told as unusual if it is more than four
standard deviations away from the mean of the last hour.

With --picture it draws them, if matplotlib is there (pip install jubatus[examples]).
"""

import argparse
import math
import random
import sys
from collections.abc import Iterator

from jubatus import Stat, embedded

MINUTES = 2 * 24 * 60
WINDOW = 60
FAILURE = range(34 * 60, 36 * 60)
KEY = "temperature"

Row = tuple[int, float, float, float, bool]


def readings(seed: int = 7) -> Iterator[float]:
    """Yield a temperature in degrees Celsius for each minute."""
    chance = random.Random(seed)
    drift = 0.0
    for minute in range(MINUTES):
        day = 1.5 * math.sin(2 * math.pi * (minute / 1440 - 0.3))
        drift = drift + 0.1 if minute in FAILURE else 0.97 * drift
        spike = chance.choice((-9.0, 9.0)) if chance.random() < 0.003 else 0.0
        yield round(22.0 + day + drift + chance.gauss(0.0, 0.4) + spike, 2)


def watch(stat: Stat | embedded.Stat) -> Iterator[Row]:
    """Push all readings; yield each with mean and deviation of the last hour before it, and whether it is unusual."""
    for minute, value in enumerate(readings()):
        mean, deviation = value, 0.0
        if minute:
            mean, deviation = stat.moment(KEY, 1, 0.0), stat.stddev(KEY)
        unusual = minute >= WINDOW and abs(value - mean) > 4 * deviation
        stat.push(KEY, value)
        yield minute, value, mean, deviation, unusual


def clock(minute: int) -> str:
    """Return day and time of a minute."""
    return f"day {minute // 1440 + 1} {minute // 60 % 24:02}:{minute % 60:02}"


def draw(rows: list[Row], path: str) -> bool:
    """Draw readings, means and unusual readings; return whether matplotlib is there to do so."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        return False

    hours = [minute / 60 for minute, *_ in rows]
    figure = Figure(figsize=(10, 4), layout="constrained")
    axes = figure.subplots()
    axes.plot(hours, [row[1] for row in rows], ".", color="0.7", markersize=2, label="readings")
    axes.plot(hours, [row[2] for row in rows], label="mean of the last hour")
    low, high = ([row[2] + sign * 4 * row[3] for row in rows] for sign in (-1, 1))
    axes.fill_between(hours, low, high, alpha=0.2, label="4 standard deviations")
    found = [row for row in rows if row[4]]
    axes.plot([row[0] / 60 for row in found], [row[1] for row in found], "rx", label="unusual")
    axes.set(xlabel="hours", ylabel="degrees Celsius", title="A thermometer in a machine room (generated)")
    axes.legend(loc="upper left")
    figure.savefig(path)
    return True


def main() -> None:
    """Watch the sensor; print a line for every six hours and for each unusual reading, and draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-s", "--server", metavar="HOST:PORT", help="of a jubastat or a keeper; without it, in process")
    parser.add_argument("-n", "--name", default="sensor", help="name of the cluster (default: %(default)s)")
    parser.add_argument("-p", "--picture", metavar="FILE", help="where to draw it; this needs matplotlib")
    options = parser.parse_args()
    if options.server:
        host, _, port = options.server.rpartition(":")
        stat: Stat | embedded.Stat = Stat(host, int(port), options.name, 10)
    else:
        stat = embedded.Stat({"window_size": WINDOW})
    print(f"{MINUTES} generated readings, window of {WINDOW}")
    rows = []
    with stat:
        for row in watch(stat):
            minute, value, mean, deviation, unusual = row
            rows.append(row)
            if minute % 360 == 359:
                print(f"{clock(minute)} {mean:5.2f} +- {deviation:4.2f}")
            if unusual:
                print(f"{clock(minute)} {value:5.2f} is unusual: {mean:5.2f} +- {deviation:4.2f}")
    print(f"{sum(row[4] for row in rows)} unusual readings")
    if options.picture and not draw(rows, options.picture):
        sys.exit("no picture: matplotlib is missing (pip install jubatus[examples])")


if __name__ == "__main__":
    main()
