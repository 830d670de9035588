"""TLS between a server and the clients of this package, in process."""

import asyncio
import logging
import socket
import ssl
from pathlib import Path
from typing import Any

import pytest

from jubatus.errors import ConfigError
from jubatus.rpc import client as rpc
from jubatus.rpc import tls
from jubatus.rpc.gate import Files as Paths
from jubatus.rpc.gate import Gate
from jubatus.rpc.links import Links
from tests.certificates import Authority, Files
from tests.conftest import Peer, wait_for
from tests.rpc.test_server import host


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tls") / "ca")


@pytest.fixture(scope="module")
def files(authority: Authority) -> Files:
    return authority.issue("127.0.0.1", "localhost")


def gate(files: Files, **options: Any) -> Gate:
    return Gate(tls=Paths(files.cert, files.key, files.ca), **options)


def client(port: int, context: ssl.SSLContext | None, host: str = "127.0.0.1") -> rpc.Client:
    return rpc.Client(rpc.Address(host, port), 10, tls=context)


def test_both_sides_show_certificates(files: Files) -> None:
    with host(gate=gate(files)) as server:
        context = tls.client_context(*files.tls)
        with client(server.port, context) as first, client(server.port, context, "localhost") as second:
            for one in (first, second):
                assert one.call("echo", "") == b"echo"
                assert one.call("big", "") == bytes(1 << 18)
                futures = [one.call_async("echo", "", "x" * 100_000) for _ in range(50)]
                assert [future.get() for future in futures] == [b"echo"] * 50
        wait_for(lambda: server.server.gate.open == 0)


def test_a_long_message_goes_both_ways(files: Files) -> None:
    with host(gate=gate(files)) as server, client(server.port, tls.client_context(*files.tls)) as one:
        server.big = b"\xc6" + (20 << 20).to_bytes(4) + bytes(20 << 20)
        assert one.call("big", "", bytes(20 << 20)) == bytes(20 << 20)


def test_who_has_no_certificate_of_the_ca_is_refused(files: Files, tmp_path: Path) -> None:
    other = Authority(tmp_path / "other").issue("127.0.0.1")
    with host(gate=gate(files)) as server:
        with client(server.port, tls.client_context(files.ca)) as nobody:
            with pytest.raises(rpc.TransportError):
                nobody.call("echo", "")
        with client(server.port, tls.client_context(files.ca, other.cert, other.key)) as stranger:
            with pytest.raises(rpc.TransportError):
                stranger.call("echo", "")
        with client(server.port, None) as plain:
            with pytest.raises(rpc.TransportError):
                plain.call("echo", "")
        assert server.served == []
        wait_for(lambda: server.server.gate.open == 0)
        assert server.server.gate.refused == 3


def test_a_server_whose_certificate_does_not_fit_is_not_called(
    files: Files, authority: Authority, tmp_path: Path
) -> None:
    wrong = authority.issue("192.0.2.1")
    with host(gate=gate(wrong)) as server, client(server.port, tls.client_context(*files.tls)) as one:
        with pytest.raises(
            rpc.TransportError, match=r"^no TLS with the server: the certificate .* is not valid for '127"
        ):
            one.call("echo", "")
    with host(gate=gate(files)) as server:
        context = tls.client_context(Authority(tmp_path / "third").path, files.cert, files.key)
        with client(server.port, context) as one, pytest.raises(rpc.TransportError, match="is not accepted"):
            one.call("echo", "")


def test_without_a_ca_clients_need_no_certificate(files: Files) -> None:
    with host(gate=Gate(tls=Paths(files.cert, files.key))) as server:
        with client(server.port, tls.client_context(files.ca)) as one:
            assert one.call("echo", "") == b"echo"


def test_a_plain_server_is_no_server_with_tls(files: Files) -> None:
    with host(timeout=1) as server, client(server.port, tls.client_context(*files.tls)) as one:
        with pytest.raises(rpc.TransportError, match=r"^no TLS with the server: "):
            one.call("echo", "")


def test_links(files: Files, tmp_path: Path) -> None:
    other = Authority(tmp_path / "other").issue("127.0.0.1")

    async def call(port: int, files: Files) -> Any:
        links = Links(tls=tls.client_context(*files.tls))
        try:
            return (await links.call(("127.0.0.1", port), b"echo", b"\x91\xa0", 5)).unpack()
        finally:
            links.close()

    with host(gate=gate(files)) as server:
        assert asyncio.run(call(server.port, files)) == b"echo"
        with pytest.raises(rpc.TransportError, match="is not accepted"):
            asyncio.run(call(server.port, other))


def test_who_may_not_connect_is_turned_away_before_tls(files: Files, caplog: pytest.LogCaptureFixture) -> None:
    with host(gate=gate(files, allow="10.0.0.0/8")) as server, Peer(server.port) as peer:
        assert peer.at_end()
        assert [line for line in caplog.messages if "its address is not allowed" in line]


def test_the_end_answers_what_was_received(files: Files) -> None:
    with host(gate=gate(files)) as server, client(server.port, tls.client_context(*files.tls)) as one:
        future = one.call_async("later", "")
        wait_for(lambda: server.conversations)
        server.complete()
        assert future.get() == b"later"
        assert server.stop()


def test_a_peer_that_says_nothing_does_not_keep_the_end_waiting(
    files: Files, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("jubatus.rpc.server.HANDSHAKE", 0.2)
    with caplog.at_level(logging.INFO, "jubatus"), host(gate=gate(files)) as server:
        with Peer(server.port) as slow:
            assert slow.at_end()
        with Peer(server.port):
            pass
        with Peer(server.port) as silent:
            wait_for(lambda: server.server.gate.open)
            assert server.stop()
            assert silent.at_end()


def test_files_that_cannot_be_used(files: Files, tmp_path: Path) -> None:
    for paths, text in (
        (Paths("/no/such/file"), r"^tls_cert, tls_key: /no/such/file: No such file or directory$"),
        (Paths(files.cert), r"^tls_cert, tls_key: .*: TLS: "),
        (Paths(files.cert, files.key, files.key), r"^tls_ca: .*\.key: "),
        (Paths(ca=files.ca), r"^tls_key and tls_ca need a certificate, tls_cert$"),
    ):
        with pytest.raises(ConfigError, match=text):
            Gate(tls=paths)


def test_what_a_client_takes(files: Files) -> None:
    context = tls.client_context(files.ca)
    assert tls.context_of(context) is context
    for value in (True, files.ca, (files.ca,), files.tls):
        assert tls.context_of(value).verify_mode is ssl.CERT_REQUIRED
    for wrong in (1, (), (1,), b"x", ("", "", "", "")):
        with pytest.raises(TypeError, match=r"^tls: "):
            tls.context_of(wrong)


def test_no_delay_is_set(files: Files) -> None:
    with host(gate=gate(files)) as server, client(server.port, tls.client_context(*files.tls)) as one:
        one.call("echo", "")
        (connection,) = server.server._connections
        transport: Any = connection._transport  # type: ignore[attr-defined]
        assert transport.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1
