"""Test five banners on simulated visitors: which is clicked most often, and what finding out costs, by method.

Each visitor sees the banner that the method selects. The regret is how many clicks are expected to be missed because it
was not always the best banner. Learns in process, with all six methods; with --server it asks a running jubabandit,
which has one method.
"""

import argparse
import sys
from random import Random
from typing import Any

from jubatus import Bandit, embedded

RATES = {"blue": 0.04, "green": 0.05, "red": 0.10, "plain": 0.06, "moving": 0.02}
"""How many of the visitors who see a banner click it."""

METHODS: dict[str, dict[str, Any]] = {
    "epsilon_greedy": {"epsilon": 0.1, "seed": 1},
    "epsilon_decreasing": {"decreasing_rate": 0.5, "seed": 1},
    "ucb1": {},
    "softmax": {"tau": 0.02, "seed": 1},
    "exp3": {"gamma": 0.1, "seed": 1},
    "ts": {"seed": 1},
}
VISITORS = 10_000
TEST = "front page"
"""The player: one who chooses among banners. Another page would be another player."""


def run(bandit: Bandit | embedded.Bandit) -> tuple[list[float], dict[str, Any]]:
    """Show banners to all visitors; return the regret after each of them, and what was learned of the banners."""
    visitors, regrets, regret = Random(20), [], 0.0
    for banner in RATES:
        bandit.register_arm(banner)
    bandit.reset(TEST)
    for _ in range(VISITORS):
        would_click = {banner: visitors.random() < rate for banner, rate in RATES.items()}
        banner = bandit.select_arm(TEST)
        bandit.register_reward(TEST, banner, float(would_click[banner]))
        regret += max(RATES.values()) - RATES[banner]
        regrets.append(regret)
    return regrets, bandit.get_arm_info(TEST)


def report(method: str, regrets: list[float], learned: dict[str, Any]) -> None:
    """Print a line about a method."""
    shown = {banner: info.trial_count for banner, info in learned.items()}
    best = max(shown, key=lambda banner: shown[banner])
    halfway = regrets[VISITORS // 2 - 1]
    print(
        f"{method:18} regret {halfway:5.1f} clicks, then {regrets[-1] - halfway:5.1f}; "
        f"most often {best}: {shown[best]} of {sum(shown.values())}"
    )


def draw(regrets: dict[str, list[float]], path: str) -> bool:
    """Draw how the regret grows; return False if matplotlib is missing."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        return False
    figure = Figure(figsize=(8, 4), layout="constrained")
    axes = figure.subplots()
    for method, values in regrets.items():
        axes.plot(values, label=method)
    axes.set(xlabel="visitors", ylabel="regret in clicks")
    axes.legend()
    figure.savefig(path)
    return True


def main() -> None:
    """Run the test with each method, and print what it costs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "-s", "--server", metavar="HOST:PORT", help="of a jubabandit or a keeper; without it, in process"
    )
    parser.add_argument("-n", "--name", default="banners", help="name of the cluster (default: %(default)s)")
    parser.add_argument("-p", "--picture", metavar="FILE", help="where to draw the regret; this needs matplotlib")
    options = parser.parse_args()
    bandits: dict[str, Bandit | embedded.Bandit]
    if options.server:
        host, _, port = options.server.rpartition(":")
        bandits = {"the server's": Bandit(host, int(port), options.name, 10)}
    else:
        bandits = {
            method: embedded.Bandit({"method": method, "parameter": {"assume_unrewarded": False, **parameter}})
            for method, parameter in METHODS.items()
        }
    drawn = {}
    for method, bandit in bandits.items():
        with bandit:
            drawn[method], learned = run(bandit)
        report(method, drawn[method], learned)
    if options.picture and not draw(drawn, options.picture):
        sys.exit("no picture: matplotlib is missing (pip install jubatus[examples])")


if __name__ == "__main__":
    main()
