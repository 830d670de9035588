import inspect
from dataclasses import replace

import pytest

from jubatus import SERVICES, class_name, idl
from jubatus.errors import UnknownMethod
from jubatus.idl import Argument, Join, Lock, Method, Route, Service, service, services
from jubatus.methods import COMMON
from jubatus.types import BOOL, STRING, UINT

ROWS = [(declared, method) for declared in services().values() for method in declared.methods]
ALL = [*ROWS, *((None, method) for method in COMMON)]
IDS = [f"{declared.name if declared else 'common'}-{method.name}" for declared, method in ALL]


def test_services_are_found_by_name() -> None:
    assert tuple(services()) == SERVICES
    for name, declared in services().items():
        assert declared is service(name)
        assert declared.name == name
    with pytest.raises(ValueError, match=f"no service 'nothing'; there are {', '.join(SERVICES)}"):
        service("nothing")


def test_methods_are_found_by_name() -> None:
    for declared in services().values():
        assert declared.common is COMMON
        assert declared.all_methods == declared.methods + COMMON
        for method in declared.all_methods:
            assert declared.method(method.name) is method
        with pytest.raises(UnknownMethod, match="nothing"):
            declared.method("nothing")
        assert len({method.name for method in declared.all_methods}) == len(declared.all_methods)


@pytest.mark.parametrize(("declared", "method"), ALL, ids=IDS)
def test_every_row_is_sound(declared: Service | None, method: Method) -> None:
    lines = method.doc.splitlines()
    assert lines[0].endswith(".")
    assert lines[0][0].isupper()
    assert "Returns:" in lines or method.returns is BOOL
    assert lines[1:2] in ([], [""])
    assert not any(line.startswith(" ") for line in lines[:1])
    for argument in method.args:
        assert f"    {argument.name}: " in method.doc
    assert method.name.isidentifier()
    if method.route is Route.CHT:
        assert method.args[0].type is STRING
        assert declared is not None and declared.uses_cht
    if method.counts:
        assert method.changes
    if method.route is Route.RANDOM:
        assert method.join is Join.PASS


def test_update_count_rises_with_every_update_but_those_of_weight() -> None:
    for declared, method in ALL:
        if method.lock is not Lock.NOLOCK:
            assert method.counts == (method.lock is Lock.UPDATE and (declared is None or declared.name != "weight"))


def test_of_the_rows_that_call_other_servers_only_those_count_that_change_the_own_model_directly() -> None:
    """As in 1.1. What the others change counts where it arrives; of a node or an edge that is created it does not."""
    counting = [method.name for _, method in ALL if method.lock is Lock.NOLOCK and method.counts]
    assert counting == ["add_bulk", "remove_node"]


def test_messages_of_a_declaration_are_those_of_its_rows() -> None:
    for declared in services().values():
        types = [t for m in declared.methods for t in (m.returns, *(a.type for a in m.args))]
        types += [t for message in declared.messages for t in message.TYPE.types]
        text = " ".join(map(str, types))
        for message in declared.messages:
            assert message.message_name() in text
            assert message.__doc__
            assert message.__module__ == f"jubatus.{declared.name}.types"


def test_names_of_classes() -> None:
    assert class_name("nearest_neighbor") == "NearestNeighbor"
    assert service("classifier").class_name == "Classifier"


def test_a_model_is_imported_when_it_is_asked_for() -> None:
    declared = Service("x", "collections:OrderedDict", (), COMMON)
    assert declared.model_class.__name__ == "OrderedDict"
    assert declared.messages == ()


ROW = Method(
    "find",
    (Argument("id", STRING), Argument("size", UINT)),
    BOOL,
    Route.CHT,
    Lock.ANALYSIS,
    Join.PASS,
    """Find.

    Much.
    """,
)


def test_a_row_makes_a_function() -> None:
    function = ROW.function(Method, lambda instance, *args: (instance, *args))
    assert str(inspect.signature(function)) == "(self, id, size)"
    assert function.__doc__ == ROW.doc == "Find.\n\nMuch."
    assert (function.__name__, function.__qualname__, function.__module__) == ("find", "Method.find", idl.__name__)
    for found in (function(0, 1, 2), function(0, 1, size=2), function(0, size=2, id=1)):
        assert found == (0, 1, 2)
    for args, kwargs in [((1,), {}), ((1, 2, 3), {}), ((1, 2), {"size": 3}), ((1,), {"length": 2})]:
        with pytest.raises(TypeError):
            function(0, *args, **kwargs)
    assert ROW.replicas == 2
    assert not ROW.counts


@pytest.mark.parametrize(
    ("lock", "said", "changes"),
    [
        (Lock.UPDATE, None, True),
        (Lock.UPDATE, True, True),
        (Lock.ANALYSIS, None, False),
        (Lock.ANALYSIS, False, False),
        (Lock.NOLOCK, True, True),
        (Lock.NOLOCK, False, False),
    ],
)
def test_a_row_says_whether_it_changes_anything(lock: Lock, said: bool | None, changes: bool) -> None:
    assert replace(ROW, lock=lock, changes=said).changes is changes


@pytest.mark.parametrize(
    ("lock", "said", "text"),
    [
        (Lock.NOLOCK, None, "find: a row without a lock must say whether it changes anything"),
        (Lock.UPDATE, False, "find: changes=False contradicts the lock update"),
        (Lock.ANALYSIS, True, "find: changes=True contradicts the lock analysis"),
    ],
)
def test_a_row_must_not_contradict_its_lock(lock: Lock, said: bool | None, text: str) -> None:
    with pytest.raises(TypeError, match=f"^{text}$"):
        replace(ROW, lock=lock, changes=said)
