"""The commands ``juba<service>_keeper`` and ``juba<service>_proxy``: from options to a running keeper."""

import os
import sys

from jubatus.cli import args, start
from jubatus.daemon.settings import options
from jubatus.keeper.settings import Settings

OPTIONS = (*options(Settings), args.VERSION)


def classifier() -> int:
    """Run ``jubaclassifier_keeper``."""
    return main("classifier")


def weight() -> int:
    """Run ``jubaweight_keeper``."""
    return main("weight")


def main(name: str) -> int:
    """Run the keeper of a service; return the exit status.

    What is not needed to refuse options is imported when they are right.
    """
    program = os.path.basename(sys.argv[0])
    given = start.parse(OPTIONS, program)
    start.positive(given, "zookeeper_timeout", "interconnect_timeout")
    settings = start.read(Settings, given, program=program)
    if complaint := start.writable(given.text("logdir")):
        args.fail(f"can't create log file: {complaint}")

    from jubatus import idl
    from jubatus.keeper import app

    return app.run(idl.service(name), settings)
