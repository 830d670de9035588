"""Every client class has what its service declares, and sends and returns it."""

import importlib
import inspect
from typing import Any

import pytest

import jubatus
from jubatus import embedded, idl
from jubatus.common import ClientBase, connect
from tests.contract.values import good
from tests.core.calls import exact
from tests.rpc.peer import Peer, replies
from tests.services import every_service


def class_of(name: str) -> Any:
    return getattr(jubatus, idl.service(name).class_name)


@every_service
def test_a_class_has_the_methods_of_its_declaration(name: str) -> None:
    service, cls = idl.service(name), class_of(name)
    assert issubclass(cls, ClientBase)
    assert (cls.__module__, cls.__name__) == (f"jubatus.{name}.client", service.class_name)
    for owner in (cls, getattr(embedded, service.class_name)):
        for row in service.methods:
            function = getattr(owner, row.name)
            assert list(inspect.signature(function).parameters) == ["self", *(argument.name for argument in row.args)]
            assert inspect.getdoc(function) == row.doc
            assert function.__qualname__ == f"{owner.__name__}.{row.name}"


@every_service
def test_a_class_and_its_messages_have_all_their_names(name: str) -> None:
    service, client = idl.service(name), importlib.import_module(f"jubatus.{name}.client")
    types = importlib.import_module(f"jubatus.{name}.types")
    assert getattr(client, service.class_name) is getattr(client, name) is class_of(name)
    for message in service.messages:
        assert getattr(client, message.__name__) is getattr(types, message.__name__) is message


@every_service
def test_calls_and_results_are_those_of_the_declaration(name: str) -> None:
    rows = idl.service(name).methods
    results = [good(row.returns) for row in rows]
    with Peer(replies(*((None, result) for result in results))) as peer:
        with connect(class_of(name), "127.0.0.1", peer.port, "n", 5) as client:
            for row, result in zip(rows, results, strict=True):
                wire = [good(argument.type) for argument in row.args]
                values = [argument.type.from_msgpack(value) for argument, value in zip(row.args, wire, strict=True)]
                found = getattr(client, row.name)(*values)
                assert exact(row.returns.to_msgpack(found)) == exact(result)
                assert type(found) is type(row.returns.from_msgpack(result))
                kind, _, method, params = peer.requests[-1]
                assert (kind, method, exact(params)) == (0, row.name, exact(["n", *wire]))


@every_service
def test_missing_and_further_arguments_are_refused(name: str) -> None:
    client = class_of(name)("127.0.0.1", 1, "")
    for row in idl.service(name).methods:
        wire = [good(argument.type) for argument in row.args]
        for args in ([*wire, 5], *(wire[:count] for count in range(len(wire)))):
            with pytest.raises(TypeError):
                getattr(client, row.name)(*args)
