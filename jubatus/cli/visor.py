"""The command ``jubavisor``: from options to a running process agent."""

from jubatus.cli import args, start
from jubatus.daemon.settings import Guard, ZooKeeperAccess, options
from jubatus.visor.settings import Settings

OPTIONS = tuple(options(Settings))


def main() -> int:
    """Run ``jubavisor``; return the exit status."""
    given = start.parse(OPTIONS, "jubavisor")
    logdir = given.text("logdir") or ("/tmp" if given.flag("daemon") else "")
    settings = start.read(
        Settings,
        given,
        program="jubavisor",
        logdir=start.absolute(logdir),
        guard=start.read(Guard, given),
        access=start.read(ZooKeeperAccess, given),
    )
    if complaint := start.writable(logdir):
        args.fail(f"can't write to the log directory: {complaint}")

    from jubatus.visor import app

    return app.run(settings)
