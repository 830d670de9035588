"""The commands ``juba<service>_keeper`` and ``juba<service>_proxy``: from options to a running keeper."""

import os
import signal
import sys

from jubatus.cli import args
from jubatus.cli.server import absolute, existing, writable


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
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(1))
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    program = os.path.basename(sys.argv[0])
    given = args.parse(args.KEEPER, sys.argv)
    if given.flag("version"):
        from jubatus import __version__

        print(f"jubatus-{__version__} ({program})")
        return 0
    for option in ("zookeeper_timeout", "interconnect_timeout"):
        if given.number(option) < 1:
            given.refuse(f"can't start with {option} less than 1")
    log_config = existing(given, "log_config")
    if complaint := writable(given.text("logdir")):
        args.fail(f"can't create log file: {complaint}")

    from jubatus import idl
    from jubatus.keeper import app

    settings = app.Settings(
        program=program,
        port=given.number("rpc-port"),
        listen_addr=given.text("listen_addr"),
        listen_if=given.text("listen_if"),
        threads=given.number("thread"),
        timeout=given.number("timeout"),
        logdir=absolute(given.text("logdir")),
        log_config=log_config,
        daemon=given.flag("daemon"),
        zookeeper=given.text("zookeeper"),
        zookeeper_timeout=given.number("zookeeper_timeout"),
        interconnect_timeout=given.number("interconnect_timeout"),
        pool_expire=given.number("pool_expire"),
        pool_size=given.number("pool_size"),
        max_message_size=given.number("max_message_size"),
    )
    return app.run(idl.service(name), settings)
