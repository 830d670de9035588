"""The commands ``juba<service>_keeper`` and ``juba<service>_proxy``: from options to a running keeper."""

from jubatus.cli import args, start
from jubatus.daemon.settings import Guard, ZooKeeperAccess, options
from jubatus.keeper.settings import Settings

OPTIONS = (*options(Settings), args.VERSION)


def main() -> int:
    """Run the keeper of the service that the program is named after; return the exit status.

    What is not needed to refuse options is imported when they are right.
    """
    program, name = start.service("_keeper", "_proxy")
    given = start.parse(OPTIONS, program)
    start.positive(given, "zookeeper_timeout", "interconnect_timeout")
    settings = start.read(
        Settings, given, program=program, guard=start.read(Guard, given), access=start.read(ZooKeeperAccess, given)
    )
    if complaint := start.writable(given.text("logdir")):
        args.fail(f"can't create log file: {complaint}")

    from jubatus import idl
    from jubatus.keeper import app

    return app.run(idl.service(name), settings)
