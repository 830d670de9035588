"""The commands ``juba<service>``: from options to a running server."""

from jubatus.cli import args, start
from jubatus.daemon.settings import Guard, ZooKeeperAccess, options
from jubatus.server.settings import MIXERS, SYNCS, Cluster, Durability, Files, Settings

OPTIONS = (*options(Settings), args.VERSION)


def main() -> int:
    """Run the server of the service that the program is named after; return the exit status.

    What is not needed to refuse options is imported when they are right.
    """
    program, name = start.service("")
    given = start.parse(OPTIONS, program)
    distributed = bool(given.text("zookeeper"))
    if distributed and not given.text("name"):
        given.refuse("can't start multinode mode without name specified")
    if not distributed and not (given.text("configpath") or given.text("model_file")):
        given.refuse("config path or model file must be specified for standalone mode")
    if distributed:
        start.positive(given, "zookeeper_timeout", "interconnect_timeout")
    access = start.read(ZooKeeperAccess, given)
    cluster, files = start.read(Cluster, given, access=access), start.read(Files, given)
    if cluster.mixer not in MIXERS:
        args.fail(f"unsupported mix type ({cluster.mixer}): one of {', '.join(MIXERS)} is expected")
    durability = start.read(Durability, given) if given.text("journal") else None
    if durability is not None and distributed:
        given.refuse("a journal in a cluster is not supported yet")
    if given.text("journal_sync") not in SYNCS:
        args.fail(f"unsupported journal_sync ({given.text('journal_sync')}): one of {', '.join(SYNCS)} is expected")
    settings = start.read(
        Settings,
        given,
        program=program,
        guard=start.read(Guard, given),
        files=None if distributed else files,
        cluster=cluster if distributed else None,
        durability=durability,
    )
    if complaint := start.writable(given.text("datadir")):
        given.refuse(f"can't use datadir: {complaint}")
    if complaint := start.writable(given.text("logdir")):
        args.fail(f"can't write to the log directory: {complaint}")

    from jubatus import idl
    from jubatus.server import app

    return app.run(idl.service(name), settings)
