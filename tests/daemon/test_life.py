import socket
from collections import namedtuple

import psutil
import pytest

from jubatus.daemon import life
from jubatus.errors import ConfigError

Entry = namedtuple("Entry", "family address")
Interfaces = dict[str, list[Entry]]


def v4(*addresses: str) -> list[Entry]:
    return [Entry(socket.AF_INET6, "::1"), *(Entry(socket.AF_INET, address) for address in addresses)]


@pytest.mark.parametrize(
    "listen_addr, listen_if, expected",
    [
        ("10.9.9.9", "", ("10.9.9.9", "10.9.9.9")),
        ("10.9.9.9", "none", ("10.9.9.9", "10.9.9.9")),
        ("", "eth1", ("10.0.0.2", "10.0.0.2")),
        ("", "lo", ("127.0.0.1", "127.0.0.1")),
        ("", "", ("0.0.0.0", "10.0.0.1")),
    ],
)
def test_addresses(
    listen_addr: str, listen_if: str, expected: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    found: Interfaces = {"lo": v4("127.0.0.1"), "tun": v4(), "eth0": v4("10.0.0.1"), "eth1": v4("10.0.0.2", "10.0.0.3")}
    monkeypatch.setattr(psutil, "net_if_addrs", lambda: found)
    assert life.addresses(listen_addr, listen_if) == expected


@pytest.mark.parametrize(
    "found, expected", [({"lo": v4("127.0.0.1"), "x": v4("127.0.1.1")}, "127.0.1.1"), ({}, ""), ({"x": v4()}, "")]
)
def test_addresses_without_one_to_the_outside(
    found: Interfaces, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(psutil, "net_if_addrs", lambda: found)
    assert life.addresses("", "") == ("0.0.0.0", expected)
    with pytest.raises(ConfigError, match=r"^Failed to get IP address from interface: tap$"):
        life.addresses("", "tap")
