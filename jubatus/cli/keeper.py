"""The commands ``juba<service>_keeper`` and ``juba<service>_proxy``: from options to a running keeper."""

import os
import sys

from jubatus.cli import args, start


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
    given = start.parse(args.KEEPER, program)
    start.positive(given, "zookeeper_timeout", "interconnect_timeout")
    common = start.common(given, program, given.text("logdir"))
    if complaint := start.writable(given.text("logdir")):
        args.fail(f"can't create log file: {complaint}")

    from jubatus import idl
    from jubatus.keeper import app

    settings = app.Settings(
        **common,
        threads=given.number("thread"),
        zookeeper=given.text("zookeeper"),
        zookeeper_timeout=given.number("zookeeper_timeout"),
        interconnect_timeout=given.number("interconnect_timeout"),
        pool_expire=given.number("pool_expire"),
        pool_size=given.number("pool_size"),
        max_message_size=given.number("max_message_size"),
    )
    return app.run(idl.service(name), settings)
