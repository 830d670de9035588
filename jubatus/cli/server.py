"""The commands ``juba<service>``: from options to a running server."""

from typing import TYPE_CHECKING

from jubatus.cli import args, start

if TYPE_CHECKING:
    from jubatus.server.settings import Cluster


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
    program = f"juba{name}"
    given = start.parse(args.SERVER, program)
    distributed = bool(given.text("zookeeper"))
    if distributed and not given.text("name"):
        given.refuse("can't start multinode mode without name specified")
    if not distributed and not (given.text("configpath") or given.text("model_file")):
        given.refuse("config path or model file must be specified for standalone mode")
    if distributed:
        start.positive(given, "zookeeper_timeout", "interconnect_timeout")
    if given.text("mixer") not in args.MIXERS:
        args.fail(f"unsupported mix type ({given.text('mixer')}): one of {', '.join(args.MIXERS)} is expected")
    common = start.common(given, program, given.text("logdir"))
    paths = {option: start.existing(given, option) for option in ("configpath", "model_file")}
    if complaint := start.writable(given.text("datadir")):
        given.refuse(f"can't use datadir: {complaint}")
    if complaint := start.writable(given.text("logdir")):
        args.fail(f"can't write to the log directory: {complaint}")

    from jubatus import idl
    from jubatus.server import app
    from jubatus.server.settings import Settings

    settings = Settings(
        **common,
        **paths,
        threads=given.number("thread"),
        datadir=start.absolute(given.text("datadir")),
        config_test=given.flag("config_test"),
        max_message_size=given.number("max_message_size"),
        cluster=cluster(given) if distributed else None,
    )
    return app.run(idl.service(name), settings)


def cluster(given: args.Given) -> "Cluster":
    """Return what the options say about the cluster."""
    from jubatus.server.settings import Cluster

    return Cluster(
        zookeeper=given.text("zookeeper"),
        name=given.text("name"),
        mixer=given.text("mixer"),
        interval_sec=given.number("interval_sec"),
        interval_count=given.number("interval_count"),
        zookeeper_timeout=given.number("zookeeper_timeout"),
        interconnect_timeout=given.number("interconnect_timeout"),
    )
