"""Ports of 127.0.0.1 for servers that a test starts."""

import secrets
import socket
from contextlib import suppress

LOW, HIGH = 10_000, 32_768
"""Below the ports that the system gives to outgoing connections: those could take a port before its server does."""


def free_ports(count: int) -> list[int]:
    """Return so many consecutive ports that nobody uses. Test runs at the same time hardly draw the same ones."""
    while True:
        ports = range(first := LOW + secrets.randbelow(HIGH - LOW - count), first + count)
        with suppress(OSError):
            for port in ports:
                socket.create_server(("0.0.0.0", port)).close()
            return list(ports)


def free_port() -> int:
    """Return a port that nobody uses."""
    return free_ports(1)[0]
