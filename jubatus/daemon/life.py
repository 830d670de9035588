"""The life of a program that serves: check, build, listen, take part, drain.

Whatever is wrong before a program takes part ends it with one line on standard error and status 1. SIGTERM and SIGINT
end it with status 0 once what was received is answered; a second one ends it at once. While it starts they end it
without a word. SIGHUP opens the log files again.
"""

import asyncio
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterable
from typing import Any, Protocol

from jubatus import COMPATIBLE
from jubatus.daemon import logs
from jubatus.daemon.settings import Daemon, lines, status
from jubatus.errors import ConfigError, JubatusError
from jubatus.rpc.gate import Files, Gate
from jubatus.rpc.server import BACKLOG, Server

log = logging.getLogger("jubatus")

GRACE = 8.0
"""Seconds that running requests get at the end."""

SWITCH_INTERVAL = 0.001
"""Seconds that a thread with the interpreter's lock lets the event loop wait."""

_PAGE = os.sysconf("SC_PAGE_SIZE") // 1024


class Program(Protocol):
    """A server, a keeper or a visor, as ``run`` sees it."""

    def server(self) -> Server:
        """Return what answers requests; called once, on the event loop."""
        ...

    async def begin(self, stop: Callable[[str], None]) -> None:
        """Enter the cluster, now that the port is open.

        Args:
            stop: ends the program as a signal would; any thread may call it. If it is called with a reason, that is the
                last line on standard error, and the status is 1.

        Raises:
            JubatusError: it cannot; the program ends with status 1.
        """
        ...

    async def end(self) -> None:
        """Leave the cluster; requests are still answered. Called even if ``begin`` failed or was cancelled."""
        ...

    def close(self) -> None:
        """Close everything that was opened."""
        ...


class Ended(JubatusError):
    """The program cannot go on; the argument is the reason."""


class ListenError(JubatusError):
    """The port cannot be opened."""


def run(settings: Daemon, build: Callable[[str], Program], mode: str = "") -> int:
    """Run a program until a signal ends it; return the exit status.

    Args:
        settings: what the options say.
        build: returns the program for an address; raises JubatusError if it cannot run. It is called again after going
            to the background, because only the listening socket stays open there.
        mode: what the log says of how it runs, or nothing.
    """
    program: Program | None = None
    quit_by_signals()
    try:
        bind_address, address = addresses(settings.listen_addr, settings.listen_if)
        start_logs(settings, address)
        program = build(address)
        # Before the port opens: who sees it open may send a signal at once, and the end must be one in order.
        early: list[signal.Signals] = []
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda number, _: early.append(signal.Signals(number)))
        listener = listen(bind_address, settings.port)
        if settings.daemon:
            program.close()
            detach(listener)
            start_logs(settings, address)
            program = build(address)
        raise_file_limit()
        sys.setswitchinterval(SWITCH_INTERVAL)
        greet(settings, address, mode)
        warn_of_strangers(settings, bind_address)

        import uvloop

        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            if not runner.run(serve(program, listener, settings, early)):
                leave(0)  # an ordinary exit would wait for threads that still run
    except JubatusError as error:
        return refuse(settings, error)
    except Exception as error:
        log.critical("error in main thread: %s", error, exc_info=error)
        print(f"cannot start: {type(error).__name__}: {error}", file=sys.stderr)
        return 1
    finally:
        if program is not None:
            program.close()
    return 0


def make_gate(settings: Daemon) -> Gate:
    """Return what decides about the connections of a program; raise ConfigError."""
    guard = settings.guard
    files = Files(guard.tls_cert, guard.tls_key, guard.tls_ca)
    return Gate(guard.allow, guard.max_connections, guard.max_buffers, files)


def quit_by_signals() -> None:
    """Have SIGTERM and SIGINT end a start with the status that shells give them, and what was opened be closed."""

    def quit(number: int, _: object) -> None:
        raise SystemExit(128 + number)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, quit)


def refuse(settings: Daemon, error: JubatusError) -> int:
    """Say on standard error why a program cannot run, and in the log if there is one; return the exit status."""
    line = str(error).replace("\n", " ")
    if logging.root.handlers and (isinstance(error, ListenError) or settings.log_config or settings.logdir):
        log.critical("%s", line)  # somebody may see only the log
    print(line, file=sys.stderr)
    return 1


def leave(status: int) -> None:
    """End the process without waiting for anything."""
    logging.shutdown()
    os._exit(status)


async def serve(program: Program, listener: socket.socket, settings: Daemon, early: list[signal.Signals]) -> bool:
    """Answer requests until a signal comes.

    Args:
        program: answers them.
        listener: where they come in.
        settings: name and port.
        early: signals that came while the port was open already.

    Returns:
        whether all requests were answered.

    Raises:
        JubatusError: the program could not take part, or not go on.
    """
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(_unhandled)
    stopping = asyncio.Event()
    server = program.server()
    ended = False

    def stop(number: signal.Signals) -> None:
        if stopping.is_set():
            leave(0 if ended and server.answered else 1)
        log.info("caught %s", number.name)
        stopping.set()

    reasons: list[str] = []

    def stop_from_any_thread(reason: str) -> None:
        if reason:
            reasons.append(reason)
        loop.call_soon_threadsafe(stopping.set)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop, number)
    loop.add_signal_handler(signal.SIGHUP, logs.reopen, settings.log_config)
    await server.start(listener)
    log.info("start listening at port %d", settings.port)
    beginning = asyncio.ensure_future(program.begin(stop_from_any_thread))
    waiting = asyncio.ensure_future(stopping.wait())
    if early:
        stop(early[0])
    await asyncio.wait((beginning, waiting), return_when=asyncio.FIRST_COMPLETED)
    try:
        if beginning.done():
            beginning.result()
            log.info("%s RPC server startup", settings.program)
            await waiting
        beginning.cancel()
        await asyncio.gather(beginning, return_exceptions=True)
    finally:
        waiting.cancel()
        await program.end()
        ended = True
        log.info("stopping RPC server")
        answered = await server.stop(GRACE)
        for number in (signal.SIGTERM, signal.SIGINT):  # else the loop's end would have them end the process as any
            loop.remove_signal_handler(number)
            signal.signal(number, lambda *_: leave(0 if answered else 1))
    if not answered:
        log.warning("requests were cut off that ran longer than %g s after the end", GRACE)
    if reasons:
        raise Ended(reasons[0])
    return answered


def _unhandled(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    log.error("unhandled in the event loop: %s", context["message"], exc_info=context.get("exception"))


def addresses(listen_addr: str, listen_if: str) -> tuple[str, str]:
    """Return the address to listen on and the one by which others know the program; raise ConfigError."""
    if listen_addr:
        return listen_addr, listen_addr
    import psutil  # type: ignore[import-untyped]

    by_name: dict[str, list[Any]] = psutil.net_if_addrs()
    if listen_if:
        for address in ipv4(by_name.get(listen_if, ())):
            return address, address
        raise ConfigError(f"Failed to get IP address from interface: {listen_if}")
    all_addresses = [address for entries in by_name.values() for address in ipv4(entries)]
    outward = [address for address in all_addresses if not address.startswith("127.")]
    return "0.0.0.0", (outward or all_addresses[-1:] or [""])[0]


def ipv4(entries: Iterable[Any]) -> list[str]:
    """Return those addresses of an interface that are of IPv4."""
    return [entry.address for entry in entries if entry.family == socket.AF_INET]


def listen(address: str, port: int) -> socket.socket:
    """Return a listening socket; raise ListenError."""
    try:
        family = socket.getaddrinfo(address, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0][0]
        return socket.create_server((address, port), family=family, backlog=BACKLOG)
    except OSError as error:
        import errno

        if error.errno == errno.EADDRINUSE:
            raise ListenError(f"server failed to start: any process using port {port}?") from error
        raise ListenError(f"server failed to start: {address}:{port}: {error.strerror}") from error


def start_logs(settings: Daemon, address: str) -> None:
    """Start logging as the options say; raise ConfigError."""
    logs.start(
        program=settings.program,
        address=address,
        port=settings.port,
        config=settings.log_config,
        folder=settings.logdir,
    )


def detach(listener: socket.socket) -> None:
    """Go on in the background, with the listening socket as the only open file."""
    import daemon  # type: ignore[import-untyped]

    if sys.stderr.isatty() and not any(isinstance(h, logging.FileHandler) for h in logging.root.handlers):
        print("server logs will be lost because started in daemon mode without log config specified", file=sys.stderr)
    logging.shutdown()  # the files are closed below; to close them later would close others of the same number
    mask = os.umask(0)
    daemon.DaemonContext(
        detach_process=True, files_preserve=[listener], prevent_core=False, signal_map={}, umask=mask
    ).open()


def raise_file_limit() -> None:
    """Allow as many open files, and so connections, as the system lets us."""
    import resource

    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    except (OSError, ValueError):  # macOS reports a limit that is higher than the real one
        log.warning("the limit of open files cannot be raised to %d", hard)


def login() -> str:
    """Return the name of the user, or its number where it has none."""
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


def memory() -> dict[str, str]:
    """Return the sizes of this process in KiB as a status shows them, 0 where the system does not tell."""
    try:
        with open("/proc/self/statm", "rb") as file:
            pages = [int(word) for word in file.read().split()[:3]]
    except OSError:
        pages = [0, 0, 0]
    return dict(zip(("VIRT", "RSS", "SHR"), [str(count * _PAGE) for count in pages], strict=True))


def identity(settings: Daemon) -> dict[str, str]:
    """Return the entries of the status that do not change and that every program has: its name, user and settings."""
    return {**status(settings), "VERSION": COMPATIBLE, "PROGNAME": settings.program, "user": login()}


def warn_of_strangers(settings: Daemon, address: str) -> None:
    """Say in the log that anybody may connect, if that is so."""
    guard = settings.guard
    if guard.allow or guard.tls_cert or address.startswith("127.") or address in ("localhost", "::1"):
        return
    log.warning(
        "whoever reaches port %d may read and change everything here: --allow says which networks may connect, "
        "--tls_cert and --tls_ca ask for certificates, -b 127.0.0.1 keeps to this machine",
        settings.port,
    )


def greet(settings: Daemon, address: str, mode: str) -> None:
    """Log what starts, and how."""
    from jubatus import __version__

    told: dict[str, object] = {"pid": os.getpid(), "user": login()} | ({"mode": mode} if mode else {}) | lines(settings)
    text = "".join(f"\n    {label:<21}: {value}" for label, value in told.items())
    log.info("starting %s %s RPC server at %s:%d%s", settings.program, __version__, address, settings.port, text)
