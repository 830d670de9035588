"""Fault detection: measurements of a motor that are unlike all earlier ones.

The measurements are not real. They are made with a fixed seed to look like those of a motor, one a minute: load,
current, temperature and vibration. Current and temperature follow the load, which is either low or high. Three faults
are made as well: a worn bearing (vibration that the load does not explain), a loss of cooling, and a current too high
for its load. Each number alone stays where it is at other times too; only together they are unusual, which a limit for
each sensor does not see.

Each measurement is added, and told as unusual if its local outlier factor is above 2.5. The first hundred only teach.

With --picture it draws them, if matplotlib is there (pip install jubatus[examples]).
"""

import argparse
import json
import random
import sys
from collections.abc import Iterator
from pathlib import Path

from jubatus import Anomaly, embedded
from jubatus.common import Datum

MINUTES = 1000
FIRST = 100
LIMIT = 2.5
FAULTS = {"worn bearing": range(400, 405), "loss of cooling": range(620, 625), "current too high": range(820, 825)}
CONFIG = Path(__file__).parent / "config.json"

Row = tuple[int, dict[str, float], float, str]


def measurements(seed: int = 5) -> Iterator[tuple[dict[str, float], str]]:
    """Yield the numbers of each minute, in units of like size, and the fault that there is, if any."""
    chance = random.Random(seed)
    for minute in range(MINUTES):
        fault = next((name for name, minutes in FAULTS.items() if minute in minutes), "")
        high = minute // 50 % 2 == 1
        load = chance.gauss(8.0 if high else 3.0, 0.4)
        numbers = {
            "load": load,
            "current": 0.9 * load + chance.gauss(0.5, 0.15) + (3.0 if fault == "current too high" else 0.0),
            "temperature": 0.5 * load + chance.gauss(4.0, 0.2) + (3.0 if fault == "loss of cooling" else 0.0),
            "vibration": 0.6 * load + chance.gauss(1.0, 0.2) + (3.0 if fault == "worn bearing" else 0.0),
        }
        yield {key: round(value, 3) for key, value in numbers.items()}, fault


def watch(anomaly: Anomaly | embedded.Anomaly) -> Iterator[Row]:
    """Add all measurements; yield each with its score and its fault."""
    for minute, (numbers, fault) in enumerate(measurements()):
        yield minute, numbers, anomaly.add(Datum(numbers)).score, fault


def is_unusual(row: Row) -> bool:
    """Return whether a measurement is told as unusual."""
    return row[0] >= FIRST and row[2] > LIMIT


def draw(rows: list[Row], path: str) -> bool:
    """Draw measurements and scores; return whether matplotlib is there to do so."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        return False

    figure = Figure(figsize=(10, 6), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True)
    minutes = [row[0] for row in rows]
    for key in rows[0][1]:
        above.plot(minutes, [row[1][key] for row in rows], linewidth=0.7, label=key)
    above.set(title="A motor (generated measurements)")
    above.legend(loc="upper left", ncols=4)
    known = rows[FIRST:]
    below.plot([row[0] for row in known], [row[2] for row in known], linewidth=0.7, color="0.4")
    found = [row for row in rows if is_unusual(row)]
    below.plot([row[0] for row in found], [row[2] for row in found], "rx", label="unusual")
    below.axhline(LIMIT, color="r", linewidth=0.5)
    below.set(xlabel="minutes", ylabel="local outlier factor")
    below.legend(loc="upper left")
    for axes in (above, below):
        for name, during in FAULTS.items():
            axes.axvspan(during.start, during.stop, color="r", alpha=0.15)
            axes.annotate(name, (during.stop, 0), xycoords=("data", "axes fraction"), fontsize=8)
    figure.savefig(path)
    return True


def main() -> None:
    """Watch the motor; print each unusual measurement and how many of the faults were found, and draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "-s", "--server", metavar="HOST:PORT", help="of a jubaanomaly or a keeper; without it, in process"
    )
    parser.add_argument("-n", "--name", default="motor", help="name of the cluster (default: %(default)s)")
    parser.add_argument("-p", "--picture", metavar="FILE", help="where to draw it; this needs matplotlib")
    options = parser.parse_args()
    if options.server:
        host, _, port = options.server.rpartition(":")
        anomaly: Anomaly | embedded.Anomaly = Anomaly(host, int(port), options.name, 10)
    else:
        anomaly = embedded.Anomaly(json.loads(CONFIG.read_text()))
    print(f"{MINUTES} generated measurements")
    with anomaly:
        rows = list(watch(anomaly))
    for row in rows:
        if is_unusual(row):
            minute, numbers, score, fault = row
            shown = " ".join(f"{key} {value:5.2f}" for key, value in numbers.items())
            print(f"minute {minute:3} {score:5.2f}  {shown}  {fault or 'no fault'}")
    faults = [row for row in rows if row[3]]
    found = sum(map(is_unusual, faults))
    print(f"{found} of {len(faults)} faults found, {sum(map(is_unusual, rows)) - found} false alarms")
    if options.picture and not draw(rows, options.picture):
        sys.exit("no picture: matplotlib is missing (pip install jubatus[examples])")


if __name__ == "__main__":
    main()
