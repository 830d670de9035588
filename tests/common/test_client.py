import inspect
import re
from typing import Any

import numpy
import pytest

import msgpackrpc
from jubatus import errors
from jubatus.common import Client, ClientBase, TypeMismatch, UnknownMethod, connect
from jubatus.common.client import InterfaceMismatch, error_handler
from jubatus.methods import COMMON
from jubatus.rpc.client import RPCError, TimeoutError, TransportError
from jubatus.types import INT, STRING
from tests.rpc.peer import Peer, echo, replies


class Future:
    """A reply that is there."""

    def __init__(self, error: Any, result: Any) -> None:
        self.error, self.result = error, result

    def attach_error_handler(self, handler: Any) -> None:
        self.handler = handler

    def get(self) -> Any:
        if self.error is not None:
            self.handler(self.error)
        return self.result


class Transport:
    """Answers every call alike and keeps what it was asked."""

    def __init__(self, error: Any = None, result: Any = None) -> None:
        self.future = Future(error, result)
        self.calls: list[Any] = []

    def call_async(self, method: str, *args: Any) -> Future:
        self.calls.append((method, *args))
        return self.future


class Anything:
    """A type of a program, made without ours."""

    def to_msgpack(self, m: Any) -> Any:
        return m

    def from_msgpack(self, m: Any) -> Any:
        return m


def test_a_call_sends_the_name_and_checked_arguments() -> None:
    transport = Transport(result=b"result")
    client = Client(transport, "cluster")
    assert client.call("method", ["a", 1], STRING, [STRING, INT]) == "result"
    assert client.call("method", [object], None, [Anything()]) is None  # type: ignore[list-item]
    assert transport.calls == [("method", "cluster", "a", 1), ("method", "cluster", object)]


def test_a_program_may_put_another_connection_below_the_methods() -> None:
    client = ClientBase("127.0.0.1", 1, "cluster")
    transport = Transport(result=True)
    client.jubatus_client = Client(transport, "other")
    assert client.load("id") is True
    assert transport.calls == [("load", "other", "id")]
    with pytest.raises(TypeError, match=r"^type <class 'str'> is expected, but <class 'int'> is given$"):
        client.load(1)


def test_nothing_is_sent_for_wrong_arguments() -> None:
    transport = Transport()
    client = Client(transport, "cluster")
    with pytest.raises(TypeError, match=r'^"method" takes 0 argument, but 1 given$'):
        client.call("method", [1], None, [])
    with pytest.raises(TypeError):
        client.call("method", [1], None, [STRING])
    assert transport.calls == []


def test_a_result_of_another_type_is_refused() -> None:
    with pytest.raises(TypeError, match=r"^type <class 'int'> is expected, but <class 'bytes'> is given$"):
        Client(Transport(result=b"a"), "").call("method", [], INT, [])


@pytest.mark.parametrize(
    ("error", "kind", "text"),
    [
        (1, UnknownMethod, "the server has no such method"),
        (2, TypeMismatch, "the server refused the number or the types of the arguments"),
        (3, RPCError, 3),
        (b"config_not_set", RPCError, "config_not_set"),
        (b"\xff", RPCError, r"\xff"),
        ("text", RPCError, "text"),
    ],
)
def test_errors_of_the_server(error: Any, kind: type[Exception], text: Any) -> None:
    for where, call in (
        ("", lambda: error_handler(error)),
        (" (method)", lambda: Client(Transport(error), "").call("method", [], None, [])),
    ):
        with pytest.raises(kind) as caught:
            call()
        assert type(caught.value) is kind
        assert caught.value.args == (text if kind is RPCError else text + where,)


@pytest.mark.parametrize(("error", "kind"), [(1, UnknownMethod), (2, TypeMismatch)])
def test_an_unknown_method_and_wrong_arguments_say_where(error: int, kind: type[Exception]) -> None:
    with Peer(replies(*[(error, "detail")] * 2)) as peer, ClientBase("127.0.0.1", peer.port, "", 5) as client:
        connection = Client(client.client, "")
        for call in (client.get_proxy_status, lambda: connection.call("get_proxy_status", [], None, [])):
            with pytest.raises(kind) as caught:
                call()
            assert str(caught.value).endswith(f" (get_proxy_status at 127.0.0.1:{peer.port})")
            assert caught.value.__context__ is None


def test_a_refused_connection_and_an_unknown_host_say_where() -> None:
    with Peer(echo) as peer:
        pass
    for host, cause in (("127.0.0.1", "Connection refused"), ("no-such-host.invalid", "")):
        with pytest.raises(RPCError) as caught:
            ClientBase(host, peer.port, "", 5).get_status()
        assert str(caught.value).startswith(f"Retry connection over the limit: {cause}")
        assert str(caught.value).endswith(f" (get_status at {host}:{peer.port})")


@pytest.mark.parametrize(
    "error", [TimeoutError("Request timed out"), TransportError("Retry connection over the limit")]
)
def test_errors_of_this_side_are_wrapped(error: RPCError) -> None:
    with pytest.raises(RPCError) as caught:
        error_handler(error)
    assert type(caught.value) is RPCError
    assert caught.value.args == (error,)
    assert caught.value.__cause__ is error


def test_the_tree_of_errors() -> None:
    assert issubclass(UnknownMethod, InterfaceMismatch)
    assert issubclass(TypeMismatch, InterfaceMismatch)
    assert not issubclass(InterfaceMismatch, RPCError)
    assert issubclass(UnknownMethod, errors.UnknownMethod)
    assert issubclass(TypeMismatch, errors.BadArguments)
    assert issubclass(InterfaceMismatch, errors.JubatusError)
    assert msgpackrpc.error.RPCError is RPCError


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        ((127001, 9199, "name", 10), "type <class 'str'> is expected, but <class 'int'> is given"),
        (("127.0.0.1", "9199", "name", 10), "type <class 'int'> is expected, but <class 'str'> is given"),
        (("127.0.0.1", 9199, 10, 10), "type <class 'str'> is expected, but <class 'int'> is given"),
        (("127.0.0.1", 9199, "name", "10"), "type <class 'int'> is expected, but <class 'str'> is given"),
        (("127.0.0.1", 9199, "name", 1.5), "type <class 'int'> is expected, but <class 'float'> is given"),
    ],
)
def test_the_constructor_checks_its_arguments(args: Any, expected: str) -> None:
    with pytest.raises(TypeError, match=f"^{re.escape(expected)}$"):
        ClientBase(*args)


def test_the_constructor() -> None:
    assert list(inspect.signature(ClientBase).parameters) == ["host", "port", "name", "timeout", "tls"]
    assert inspect.signature(ClientBase).parameters["tls"].kind is inspect.Parameter.KEYWORD_ONLY
    client = ClientBase("127.0.0.1", 1, "cluster")
    assert client.client.timeout == 10
    assert client.get_client() is client.client
    assert client.jubatus_client.client is client.client
    assert client.client.address.unpack() == ("127.0.0.1", 1)
    assert ClientBase(host="127.0.0.1", port=1, name="", timeout=True).client.timeout == 1
    of_numpy = ClientBase("127.0.0.1", numpy.int64(1), "", numpy.int32(5)).client
    assert (of_numpy.address.port, of_numpy.timeout) == (1, 5)
    assert (type(of_numpy.address.port), type(of_numpy.timeout)) == (int, int)


def test_the_name_can_be_changed() -> None:
    with (
        Peer(replies((None, True), (None, True))) as peer,
        connect(ClientBase, "127.0.0.1", peer.port, "one") as client,
    ):
        assert client.get_name() == "one"
        client.load("id")
        client.set_name("two")
        assert client.get_name() == client.jubatus_client.name == "two"
        client.load("id")
        assert [request[3] for request in peer.requests] == [["one", "id"], ["two", "id"]]
        with pytest.raises(TypeError, match=r"^type <class 'str'> is expected, but <class 'int'> is given$"):
            client.set_name(2)  # type: ignore[arg-type]
        assert client.get_name() == "two"


STATUS = {"127.0.0.1_9199": {"pid": "1"}}


@pytest.mark.parametrize(
    ("method", "args", "result"),
    [
        ("get_config", (), "{}"),
        ("save", ("id",), {"127.0.0.1_9199": "/tmp/x"}),
        ("load", ("id",), True),
        ("get_status", (), STATUS),
        ("do_mix", (), False),
        ("get_proxy_status", (), STATUS),
    ],
)
def test_the_methods_of_all_services(method: str, args: tuple[Any, ...], result: Any) -> None:
    with Peer(replies((None, result))) as peer, connect(ClientBase, "127.0.0.1", peer.port, "name", 5) as client:
        assert getattr(client, method)(*args) == result
        assert peer.requests == [[0, 0, method, ["name", *args]]]


def test_methods_look_like_their_rows() -> None:
    for row in COMMON:
        function = getattr(ClientBase, row.name)
        assert list(inspect.signature(function).parameters) == ["self", *(argument.name for argument in row.args)]
        assert function.__doc__ == row.doc
        assert function.__module__ == "jubatus.common.client"
    assert ClientBase.save.__qualname__ == "ClientBase.save"


def test_connect_closes_behind_the_block() -> None:
    with Peer(echo) as peer:
        with pytest.raises(KeyError), connect(ClientBase, "127.0.0.1", peer.port, "", timeout=5) as client:
            assert type(client) is ClientBase
            client.get_client().call("method")
            raise KeyError
        assert client.get_client()._socket is None


def test_a_client_closes_behind_its_block_and_connects_again() -> None:
    with Peer(echo) as peer:
        with ClientBase("127.0.0.1", peer.port, "", 5) as client:
            client.get_client().call("method")
        assert client.get_client()._socket is None
        client.get_client().call("method")
        client.close()
        assert client.get_client()._socket is None
        client.close()
        assert peer.connections == 2


def test_a_failed_client_recovers() -> None:
    with Peer(echo) as peer:
        client = ClientBase("127.0.0.1", peer.port, "", 5)
    for _ in range(2):
        with pytest.raises(RPCError) as caught:
            client.get_config()
        assert isinstance(caught.value.args[0], TransportError)
    with Peer(replies((None, "{}")), peer.port):
        assert client.get_config() == "{}"
        client.get_client().close()


def test_programs_find_services_by_the_subclasses() -> None:
    from jubatus.classifier.client import Classifier
    from jubatus.weight.client import Weight

    assert {Classifier, Weight} <= set(ClientBase.__subclasses__())
    assert Classifier.__module__.split(".")[-2] == "classifier"
