"""The life of a server process: check, build, listen, serve, drain.

Whatever is wrong with options, configuration or model ends the process before the port opens, with one line on
standard error and status 1. SIGTERM and SIGINT end it with status 0 after what runs was answered; a second one ends it
at once. SIGHUP opens log files anew.
"""

import asyncio
import logging
import os
import signal
import socket
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from jubatus._core.model import Model
from jubatus._core.schema import parse_json
from jubatus.errors import ConfigError, ConfigSyntaxError, JubatusError, ModelError
from jubatus.idl import Host, Service
from jubatus.rpc.server import BACKLOG, Server
from jubatus.server import logs, storage
from jubatus.server.common_handlers import CommonHandlers
from jubatus.server.dispatch import Dispatcher, bind

log = logging.getLogger("jubatus")

COMPATIBLE = ".".join(map(str, storage.VERSION))
"""The version of Jubatus whose clients, configurations and model files are understood."""

GRACE = 8.0
"""Seconds that running requests get at the end."""

SWITCH_INTERVAL = 0.001
"""Seconds that a thread with the interpreter's lock lets the event loop wait."""


@dataclass(frozen=True)
class Settings:
    """What the options say; paths are absolute.

    Args:
        program: name of the command.
        port: to listen on.
        listen_addr: address to listen on, and name of the server; nothing for that of ``listen_if``.
        listen_if: interface to listen on; nothing for all.
        threads: how many run long requests.
        timeout: seconds after which an idle connection is closed; 0 is never.
        datadir: folder of the model files.
        logdir: folder of a copy of the log, or nothing.
        log_config: configuration of the log, or nothing.
        configpath: configuration, or nothing with a model file.
        model_file: model to start with, or nothing.
        daemon: run in the background.
        config_test: build the model and end.
        max_message_size: bytes that one message may have.
    """

    program: str
    port: int
    listen_addr: str
    listen_if: str
    threads: int
    timeout: int
    datadir: str
    logdir: str
    log_config: str
    configpath: str
    model_file: str
    daemon: bool
    config_test: bool
    max_message_size: int


class ListenError(JubatusError):
    """The port cannot be opened."""


def run(service: Service, settings: Settings) -> int:
    """Be a server of the service until a signal ends it; return the exit status."""
    try:
        bind_address, address = addresses(settings.listen_addr, settings.listen_if)
        start_logs(settings, address)
        model, config = build(service, settings)
        if settings.config_test:
            print("Configuration OK", file=sys.stderr)
            return 0
        dispatcher = assemble(service, settings, model, config, f"{address}_{settings.port}")
        listener = listen(bind_address, settings.port)
    except JubatusError as error:
        line = str(error).replace("\n", " ")
        if settings.config_test:
            line = f"Configuration error: {line}"
        elif logging.root.handlers and (isinstance(error, ListenError) or settings.log_config or settings.logdir):
            log.critical("%s", line)  # who only sees the log must find it there
        print(line, file=sys.stderr)
        return 1
    except Exception as error:
        log.critical("error in main thread: %s", error, exc_info=error)
        print(f"cannot start: {type(error).__name__}: {error}", file=sys.stderr)
        return 1
    early: list[signal.Signals] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _: early.append(signal.Signals(number)))
    if settings.daemon:
        detach(listener)
        start_logs(settings, address)
    raise_file_limit()
    sys.setswitchinterval(SWITCH_INTERVAL)
    greet(settings, address)

    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        if not runner.run(serve(dispatcher, listener, settings, early)):
            _leave(0)  # threads that still run would be waited for
    return 0


def assemble(service: Service, settings: Settings, model: Model, config: bytes, node: str) -> Dispatcher:
    """Bind the rows of a standalone server to its handlers; no thread is started yet."""
    common = CommonHandlers(
        model,
        service=service.name,
        config=config,
        node=node,
        datadir=settings.datadir,
        loaded=settings.model_file,
        facts=facts(service, settings),
        counts=lambda: {"update_count": str(dispatcher.updates)},
    )
    methods = [method for method in service.all_methods if method.host is Host.SERVER]
    executor = ThreadPoolExecutor(settings.threads, "worker")
    dispatcher = Dispatcher(bind(methods, model, common), executor)
    return dispatcher


def _leave(status: int) -> None:
    logging.shutdown()
    os._exit(status)


def build(service: Service, settings: Settings) -> tuple[Model, bytes]:
    """Return the model and the text of its configuration; raise JubatusError, whose text is the reason."""
    path = settings.model_file or settings.configpath
    driver = None
    config = b"" if settings.model_file else read(path)
    try:
        if settings.model_file:
            config, driver = storage.load(path, type=service.name, config=None)
            if settings.configpath:
                log.info("the configuration of the model file is used, that of %s is not", settings.configpath)
        model: Model = service.model_class(parse_json(config))
        if driver is not None:
            model.unpack(driver)
    except ConfigSyntaxError as error:
        raise ConfigError(f"syntax error in configuration: {path}:{error}") from error
    except ConfigError as error:
        raise ConfigError(f"invalid configuration: {path}: {error}") from error
    except ModelError as error:
        raise ConfigError(str(error) if path in str(error) else f"{path}: {error}") from error
    return model, config


def read(path: str) -> bytes:
    """Return the content of a configuration file; raise ConfigError."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise ConfigError(f"cannot read configuration: {path}: {error.strerror}") from error


def addresses(listen_addr: str, listen_if: str) -> tuple[str, str]:
    """Return the address to listen on and that of the server's name; raise ConfigError for an unknown interface."""
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


def start_logs(settings: Settings, address: str) -> None:
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
    logging.shutdown()  # its files are closed below; a later close would hit others of the same number
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
    except (OSError, ValueError):  # macOS has a limit below the one it tells
        log.warning("the limit of open files cannot be raised to %d", hard)


def login() -> str:
    """Return the name of the user, or its number where it has none."""
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


def facts(service: Service, settings: Settings) -> dict[str, str]:
    """Return the entries of the status that do not change."""
    return {
        "timeout": str(settings.timeout),
        "threadnum": str(settings.threads),
        "datadir": settings.datadir,
        "logdir": settings.logdir,
        "log_config": settings.log_config,
        "is_standalone": "1",
        "VERSION": COMPATIBLE,
        "PROGNAME": settings.program,
        "type": service.name,
        "configpath": settings.configpath,
        "user": login(),
    }


def greet(settings: Settings, address: str) -> None:
    """Log what starts, and how."""
    from jubatus import __version__

    lines = {
        "pid": os.getpid(),
        "user": login(),
        "mode": "standalone mode",
        "timeout": settings.timeout,
        "thread": settings.threads,
        "datadir": settings.datadir,
        "logdir": settings.logdir,
        "log config": settings.log_config,
        "configuration": settings.configpath,
        "model file": settings.model_file,
    }
    text = "".join(f"\n    {label:<21}: {value}" for label, value in lines.items())
    log.info("starting %s %s RPC server at %s:%d%s", settings.program, __version__, address, settings.port, text)


async def serve(
    dispatcher: Dispatcher, listener: socket.socket, settings: Settings, early: list[signal.Signals]
) -> bool:
    """Answer requests until a signal comes.

    Args:
        dispatcher: answers them.
        listener: where they come in.
        settings: timeout and limits.
        early: signals that came while the port was open already.

    Returns:
        whether all requests were answered.
    """
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(_unhandled)
    stopping = asyncio.Event()

    def stop(number: signal.Signals) -> None:
        if stopping.is_set():
            _leave(1)
        log.info("caught %s", number.name)
        stopping.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop, number)
    loop.add_signal_handler(signal.SIGHUP, logs.reopen, settings.log_config)
    server = Server(dispatcher.serve, timeout=settings.timeout, max_size=settings.max_message_size)
    await server.start(listener)
    log.info("start listening at port %d", settings.port)
    log.info("%s RPC server startup", settings.program)
    if early:
        stop(early[0])
    await stopping.wait()
    log.info("stopping RPC server")
    if not await server.stop(GRACE):
        log.warning("requests were cut off that ran longer than %g s after the end", GRACE)
        return False
    return True


def _unhandled(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    log.error("unhandled in the event loop: %s", context["message"], exc_info=context.get("exception"))
