"""The command ``jubavisor``: from options to a running process agent."""

from jubatus.cli import args, start


def main() -> int:
    """Run ``jubavisor``; return the exit status."""
    given = start.parse(args.VISOR, "jubavisor")
    logdir = given.text("logdir") or ("/tmp" if given.flag("daemon") else "")
    common = start.common(given, "jubavisor", logdir)
    if complaint := start.writable(logdir):
        args.fail(f"can't write to the log directory: {complaint}")

    from jubatus.daemon import life
    from jubatus.visor import app

    return app.run(life.Daemon(**common), given.text("zookeeper"))
