"""What programs use of the package msgpackrpc."""

import pytest

import msgpackrpc
import msgpackrpc.error
from jubatus.rpc import client as rpc
from tests.rpc.peer import Peer, replies


def test_a_client_probes_a_server_and_lets_go_of_it() -> None:
    with Peer(replies((1, "__ping__"), (None, {"a": "b"}))) as peer:
        client = msgpackrpc.Client(msgpackrpc.Address("127.0.0.1", peer.port), unpack_encoding="utf-8")
        with pytest.raises(msgpackrpc.error.RPCError) as caught:
            client.call("__ping__")
        assert caught.value.args[0] == 1
        assert client.call("get_status", "") == {"a": "b"}
        client.close()
        client._loop._ioloop.close()


def test_errors_are_those_of_the_client() -> None:
    error = msgpackrpc.error
    assert (error.RPCError, error.TimeoutError, error.TransportError) == (
        rpc.RPCError,
        rpc.TimeoutError,
        rpc.TransportError,
    )
    with pytest.raises(error.TransportError):
        msgpackrpc.Client(msgpackrpc.Address("127.0.0.1", 1)).call("method")


def test_an_address_is_host_and_port() -> None:
    address = msgpackrpc.Address("host", 9199)
    assert (address.host, address.port, address.unpack()) == ("host", 9199, ("host", 9199))
