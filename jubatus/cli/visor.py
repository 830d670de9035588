"""The command ``jubavisor``: from options to a running process agent."""

import signal
import sys

from jubatus.cli import args
from jubatus.cli.server import absolute, existing, writable


def main() -> int:
    """Run ``jubavisor``; return the exit status."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(1))
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    given = args.parse(args.VISOR, sys.argv)
    daemon = given.flag("daemon")
    logdir = given.text("logdir") or ("/tmp" if daemon else "")
    log_config = existing(given, "log_config")
    if complaint := writable(logdir):
        args.fail(f"can't write to the log directory: {complaint}")

    from jubatus.daemon import life
    from jubatus.visor import app

    settings = life.Daemon(
        program="jubavisor",
        port=given.number("rpc-port"),
        listen_addr=given.text("listen_addr"),
        listen_if=given.text("listen_if"),
        timeout=given.number("timeout"),
        logdir=absolute(logdir),
        log_config=log_config,
        daemon=daemon,
    )
    return app.run(settings, given.text("zookeeper"))
