import logging
import resource

import pytest

from jubatus.errors import ConfigError
from jubatus.rpc import gate
from jubatus.rpc.gate import Gate


@pytest.mark.parametrize(
    "allow, address, admitted",
    [
        ("", "192.0.2.1", True),
        ("10.0.0.0/8", "10.2.3.4", True),
        ("10.0.0.0/8", "11.2.3.4", False),
        ("10.0.0.0/8, 192.0.2.1", "192.0.2.1", True),
        ("10.0.0.0/8", "::ffff:10.1.2.3", True),
        ("10.0.0.0/8", "::1", False),
        ("::1", "::1", True),
        ("fe80::/10", "fe80::1%eth0", True),
    ],
)
def test_networks(allow: str, address: str, admitted: bool) -> None:
    made = Gate(allow)
    assert made.admit((address, 1)) is admitted
    assert (made.open, made.refused) == (int(admitted), int(not admitted))


def test_a_peer_that_is_gone_is_in_no_network() -> None:
    assert Gate().admit(None)
    assert not Gate("10.0.0.0/8").admit(None)


@pytest.mark.parametrize("allow", ["10.0.0.1/8", "localhost", "10.0.0.0/8,", "1.2.3"])
def test_what_is_no_network(allow: str) -> None:
    with pytest.raises(ConfigError, match=r"^allow: .* are expected$"):
        Gate(allow)


def test_connections_are_limited_and_lines_are_few(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [100.0]
    monkeypatch.setattr(gate, "monotonic", lambda: now[0])
    made = Gate(max_connections=2)
    with caplog.at_level(logging.INFO, "jubatus"):
        assert [made.admit(("192.0.2.1", port)) for port in range(5)] == [True, True, False, False, False]
        made.leave()
        assert made.admit(("192.0.2.1", 6))
        now[0] += gate.QUIET
        assert not made.admit(("192.0.2.1", 7))
    start = "connection of 192.0.2.1:{} turned away: 2 are open, which are all that are allowed"
    assert caplog.messages == [
        start.format(2),
        start.format(7) + "; so were 2 others since the last such line",
    ]
    assert made.status()["refused_connections"] == "4"


@pytest.mark.parametrize("hard, most", [(64, 32), (1024, 896), (resource.RLIM_INFINITY, 7 << 17), (20, 1)])
def test_as_many_connections_as_descriptors_allow(hard: int, most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (10, hard))
    assert Gate().max_connections == most


def test_more_connections_than_descriptors_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (10, 1024))
    assert Gate(max_connections=992).max_connections == 992
    with pytest.raises(ConfigError, match=r"^max_connections: 993 connections .* 1024, 32 of them for other purposes$"):
        Gate(max_connections=993)


def test_buffers(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Gate(max_buffers=3).max_buffers == 3 << 20
    for size, most in ((4 << 30, 512 << 20), (64 << 30, 2 << 30)):
        monkeypatch.setattr(gate, "memory", lambda size=size: size)
        assert Gate().max_buffers == most
