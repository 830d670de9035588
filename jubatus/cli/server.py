"""The commands ``juba<service>``: from options to a running server."""

import os
import signal
import sys
from typing import TYPE_CHECKING

from jubatus.cli import args

if TYPE_CHECKING:
    from jubatus.server import app


def classifier() -> int:
    """Run ``jubaclassifier``."""
    return main("classifier")


def weight() -> int:
    """Run ``jubaweight``."""
    return main("weight")


def main(name: str) -> int:
    """Run the server of a service; return the exit status.

    What is not needed to refuse options is imported when they are right.
    """
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(1))
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    program = f"juba{name}"
    given = args.parse(args.SERVER, sys.argv)
    if given.flag("version"):
        from jubatus import __version__

        print(f"jubatus-{__version__} ({program})")
        return 0
    distributed = bool(given.text("zookeeper"))
    if distributed and not given.text("name"):
        given.refuse("can't start multinode mode without name specified")
    if not distributed and not (given.text("configpath") or given.text("model_file")):
        given.refuse("config path or model file must be specified for standalone mode")
    for option in ("zookeeper_timeout", "interconnect_timeout"):
        if distributed and given.number(option) < 1:
            given.refuse(f"can't start with {option} less than 1")
    if given.text("mixer") not in args.MIXERS:
        args.fail(f"unsupported mix type ({given.text('mixer')}): one of {', '.join(args.MIXERS)} is expected")
    paths = {option: existing(given, option) for option in ("log_config", "configpath", "model_file")}
    if complaint := writable(given.text("datadir")):
        given.refuse(f"can't use datadir: {complaint}")
    if complaint := writable(given.text("logdir")):
        args.fail(f"can't write to the log directory: {complaint}")

    from jubatus import idl
    from jubatus.server import app

    settings = app.Settings(
        program=program,
        port=given.number("rpc-port"),
        listen_addr=given.text("listen_addr"),
        listen_if=given.text("listen_if"),
        threads=given.number("thread"),
        timeout=given.number("timeout"),
        datadir=absolute(given.text("datadir")),
        logdir=absolute(given.text("logdir")),
        daemon=given.flag("daemon"),
        config_test=given.flag("config_test"),
        max_message_size=given.number("max_message_size"),
        cluster=cluster(given) if distributed else None,
        **paths,
    )
    return app.run(idl.service(name), settings)


def cluster(given: args.Given) -> "app.Cluster":
    """Return what the options say about the cluster."""
    from jubatus.server import app

    return app.Cluster(
        zookeeper=given.text("zookeeper"),
        name=given.text("name"),
        mixer=given.text("mixer"),
        interval_sec=given.number("interval_sec"),
        interval_count=given.number("interval_count"),
        zookeeper_timeout=given.number("zookeeper_timeout"),
        interconnect_timeout=given.number("interconnect_timeout"),
    )


def absolute(path: str) -> str:
    """Return the real path, or nothing for nothing."""
    return os.path.realpath(path) if path else ""


def existing(given: args.Given, option: str) -> str:
    """Return the real path of an option's file, or nothing; end the process if it is not there."""
    path = given.text(option)
    if path and not os.path.exists(path):
        args.fail(f"no such file: --{option}={path}")
    return absolute(path)


def writable(folder: str) -> str:
    """Return why files cannot be made in a folder, or nothing."""
    import errno

    if not folder or (os.path.isdir(folder) and os.access(folder, os.W_OK | os.X_OK)):
        return ""
    if not os.path.exists(folder):
        return f"{os.strerror(errno.ENOENT)}: {folder}"
    return f"{os.strerror(errno.EACCES if os.path.isdir(folder) else errno.ENOTDIR)}: {folder}"
