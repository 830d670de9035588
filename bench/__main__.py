"""Measure and print markdown tables: python -m bench [topic ...]."""

import argparse
import importlib
from functools import partial
from pathlib import Path

from bench.report import environment
from jubatus import SERVICES

TOPICS = ("core", "rpc", "memory", "startup", "mail", "mix", "keeper", "size", "scale", "journal")


def main() -> None:
    """Read the options and run the topics in turn."""
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("topics", nargs="*", choices=TOPICS, default=TOPICS, metavar="topic", help=", ".join(TOPICS))
    parser.add_argument("--repeat", type=int, default=5, help="runs of each case (default: %(default)s)")
    parser.add_argument("--scale", type=float, default=1.0, help="part of the work, to try the programs out")
    parser.add_argument("--mail", type=Path, help="mails to use instead of the tutorial's (.jsonl.gz)")
    parser.add_argument("--service", action="append", choices=SERVICES, help="measure this one in rpc and keeper")
    options = parser.parse_args()
    print(environment())
    print(f"Median (smallest to largest) of {options.repeat} runs, scale {options.scale:g}.")
    for topic in options.topics:
        run = importlib.import_module(f"bench.{topic}").main
        if topic in ("mail", "mix"):
            run = partial(run, path=options.mail)
        elif topic in ("rpc", "keeper"):
            run = partial(run, services=options.service or SERVICES)
        run(options.repeat, options.scale)


if __name__ == "__main__":
    main()
