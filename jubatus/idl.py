"""What a declaration is made of: methods, and services that have them.

A service is declared once, in ``jubatus/<service>/__init__.py``, as ``SERVICE``: one row a method, with its types, how
a keeper sends it and joins the replies, which lock a server takes, and its docstring. Server, keeper, client, embedded
class, contract tests and reference page read these rows; nothing else names a method.
"""

import importlib
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from types import FunctionType
from typing import Any, NamedTuple

from jubatus import SERVICES, class_name
from jubatus.errors import UnknownMethod
from jubatus.types import Message, Type


class Route(Enum):
    """To which servers a keeper sends a call."""

    RANDOM = "random"
    BROADCAST = "broadcast"
    CHT = "cht"
    """To the servers (``Method.replicas`` of them) that own the first argument, a string, on the ring."""
    INTERNAL = "internal"
    """To none: it is called at a server itself, or the keeper answers it."""


class Lock(Enum):
    """Which lock of the model a server holds while the method runs."""

    UPDATE = "update"
    ANALYSIS = "analysis"
    NOLOCK = "nolock"


class Join(Enum):
    """How a keeper makes one reply out of those of several servers."""

    PASS = "pass"
    """The first one."""
    ALL_AND = "all_and"
    """Whether all of them are true."""
    ALL_OR = "all_or"
    """Whether one of them is true."""
    MERGE = "merge"
    """One map with the entries of all."""


class Host(Enum):
    """Which program answers the method itself. What a keeper forwards besides is up to ``Route``."""

    SERVER = "server"
    CLUSTER = "cluster"
    """A server in distributed mode; for a standalone one the method is unknown."""
    KEEPER = "keeper"


FREEING = {"clear", "delete", "load", "remove", "reset"}
"""First words of the names of methods that change a model and go on where there is no memory for more."""


class Argument(NamedTuple):
    """A declared argument."""

    name: str
    type: Type


@dataclass(frozen=True)
class Method:
    """A row of a declaration.

    Args:
        name: as on the wire.
        args: in order, without the cluster name, which is element 0 of every call.
        returns: type of the result.
        route: to which servers a keeper sends it.
        lock: what a server holds meanwhile.
        join: how a keeper joins replies.
        doc: docstring: one imperative line, then what is returned and which errors come.
        changes: whether a call changes a model, on this server or on another; keepers repeat only what changes none.
            A row with a lock need not say it, since that tells it: UPDATE does, ANALYSIS does not.
        counts: whether a call raises ``update_count`` (before its work) and is told to the mixer.
        replicas: how many servers a CHT route reaches.
        long: whether one call alone may take long whatever its arguments, so that it never runs on the event loop.
        host: which program answers it.
        named: whether a call has the cluster name in front of the arguments.

    Raises:
        TypeError: a row without a lock does not say whether it changes anything, or one with a lock contradicts it.
    """

    name: str
    args: tuple[Argument, ...]
    returns: Type
    route: Route
    lock: Lock
    join: Join
    doc: str
    changes: bool | None = None
    counts: bool = False
    replicas: int = 2
    long: bool = False
    host: Host = Host.SERVER
    named: bool = True

    def __post_init__(self) -> None:
        """Complete the row by what its lock tells; take the indentation of the source out of the docstring."""
        told = None if self.lock is Lock.NOLOCK else self.lock is Lock.UPDATE
        if self.changes is None:
            object.__setattr__(self, "changes", told)
        if self.changes is None:
            raise TypeError(f"{self.name}: a row without a lock must say whether it changes anything")
        if told is not None and self.changes is not told:
            raise TypeError(f"{self.name}: changes={self.changes} contradicts the lock {self.lock.value}")
        object.__setattr__(self, "doc", inspect.cleandoc(self.doc))

    @property
    def adds(self) -> bool:
        """Whether a call may add to the model of the server that answers it. What takes away says so in its name."""
        return bool(self.changes) and self.host is Host.SERVER and self.name.split("_")[0] not in FREEING

    def function(self, cls: type, run: Callable[..., Any]) -> Callable[..., Any]:
        """Return the function that is this method of a class.

        It has the arguments of the row, by position or name, and calls ``run`` with the instance and them in order.
        """
        shape: Any = _shape(len(self.args), run)
        names = ("self", *(argument.name for argument in self.args))
        code = shape.__code__.replace(
            co_name=self.name, co_qualname=f"{cls.__qualname__}.{self.name}", co_varnames=names
        )
        function = FunctionType(code, shape.__globals__, self.name, None, shape.__closure__)
        function.__module__ = cls.__module__
        function.__doc__ = self.doc
        return function


def _shape(count: int, run: Callable[..., Any]) -> Callable[..., Any]:
    """Return a method of some arguments that calls run; ``Method.function`` gives the arguments their names."""

    def none(self: Any) -> Any:
        return run(self)

    def one(self: Any, a: Any) -> Any:
        return run(self, a)

    def two(self: Any, a: Any, b: Any) -> Any:
        return run(self, a, b)

    def three(self: Any, a: Any, b: Any, c: Any) -> Any:
        return run(self, a, b, c)

    return (none, one, two, three)[count]


@dataclass(frozen=True)
class Service:
    """A declaration.

    Args:
        name: as in ``juba<name>``.
        model: ``module:name`` of the class of the model, or of a function that takes the same arguments and makes it.
        methods: own rows.
        common: the rows that every service has, ``jubatus.methods.COMMON``; this module names no method.
        messages: structures that its methods take or return.
        uses_cht: whether its servers register in the hash ring.
    """

    name: str
    model: str
    methods: tuple[Method, ...]
    common: tuple[Method, ...]
    messages: tuple[type[Message], ...] = ()
    uses_cht: bool = False

    @property
    def class_name(self) -> str:
        """Name of client and embedded class: ``nearest_neighbor`` is ``NearestNeighbor``."""
        return class_name(self.name)

    @property
    def model_class(self) -> Callable[..., Any]:
        """What makes a model: its class, or a function that chooses one by the configuration; imported now."""
        module, _, name = self.model.partition(":")
        found: Callable[..., Any] = getattr(importlib.import_module(module), name)
        return found

    @property
    def all_methods(self) -> tuple[Method, ...]:
        """Own rows, then the common ones."""
        return self.methods + self.common

    def method(self, name: str) -> Method:
        """Return a row by name; raise UnknownMethod."""
        for method in self.all_methods:
            if method.name == name:
                return method
        raise UnknownMethod(name)


def service(name: str) -> Service:
    """Return the declaration of a service; raise ValueError if there is no such service."""
    if name not in SERVICES:
        raise ValueError(f"no service {name!r}; there are {', '.join(SERVICES)}")
    declared: Service = importlib.import_module(f"jubatus.{name}").SERVICE
    return declared


def services() -> dict[str, Service]:
    """Return all declarations by name."""
    return {name: service(name) for name in SERVICES}
