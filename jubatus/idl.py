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
from jubatus.types import BOOL, INT, STRING, ULONG, Message, TMap, TTuple, Type


class Route(Enum):
    """To which servers a keeper sends a call."""

    RANDOM = "random"
    BROADCAST = "broadcast"
    CHT = "cht"
    """To the servers (``Method.replicas`` of them) that own the first argument, a string, on the ring."""
    INTERNAL = "internal"
    """Nowhere: servers call it on each other, or it is not for keepers to forward."""


class Lock(Enum):
    """Which lock of the model a server holds while the method runs."""

    UPDATE = "update"
    ANALYSIS = "analysis"
    NOLOCK = "nolock"


class Join(Enum):
    """How a keeper makes one reply out of those of several servers."""

    PASS = "pass"
    ALL_AND = "all_and"
    ALL_OR = "all_or"
    MERGE = "merge"


class Host(Enum):
    """Which program answers the method under its own name; a keeper forwards by ``Route`` besides."""

    SERVER = "server"
    CLUSTER = "cluster"
    """A server in distributed mode; for a standalone one the method is unknown."""
    KEEPER = "keeper"


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
        counts: whether a call raises ``update_count`` (before its work) and is told to the mixer.
        replicas: how many servers a CHT route reaches.
        long: whether one call alone may take long whatever its arguments, so that it never runs on the event loop.
        host: which program answers it.
        named: whether a call has the cluster name in front of the arguments.
    """

    name: str
    args: tuple[Argument, ...]
    returns: Type
    route: Route
    lock: Lock
    join: Join
    doc: str
    counts: bool = False
    replicas: int = 2
    long: bool = False
    host: Host = Host.SERVER
    named: bool = True

    def __post_init__(self) -> None:
        """Take the indentation of the source out of the docstring."""
        object.__setattr__(self, "doc", inspect.cleandoc(self.doc))

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
        model: ``module:class`` of the model.
        methods: own rows; those that every service has are in ``COMMON``.
        messages: structures that its methods take or return.
        uses_cht: whether its servers register in the hash ring.
    """

    name: str
    model: str
    methods: tuple[Method, ...]
    messages: tuple[type[Message], ...] = ()
    uses_cht: bool = False

    @property
    def class_name(self) -> str:
        """Name of client and embedded class: ``nearest_neighbor`` is ``NearestNeighbor``."""
        return class_name(self.name)

    @property
    def model_class(self) -> type:
        """The class of the model, imported now."""
        module, _, name = self.model.partition(":")
        found: type = getattr(importlib.import_module(module), name)
        return found

    @property
    def all_methods(self) -> tuple[Method, ...]:
        """Own rows, then the common ones."""
        return self.methods + COMMON

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


STATUS = TMap(STRING, TMap(STRING, STRING))

COMMON = (
    Method(
        "get_config",
        (),
        STRING,
        Route.RANDOM,
        Lock.NOLOCK,
        Join.PASS,
        """Return the text of the configuration.

        Returns:
            the text as the server read it, byte for byte.
        """,
    ),
    Method(
        "save",
        (Argument("id", STRING),),
        TMap(STRING, STRING),
        Route.BROADCAST,
        Lock.ANALYSIS,
        Join.MERGE,
        """Write the model to a file on the server.

        The file appears whole or not at all.

        Args:
            id: name of the model: printable ASCII without ``/``; part of the file's name.

        Returns:
            path of the file by ``<address>_<port>`` of the server.

        Raises:
            JubatusError: the id is not allowed or the file cannot be written.
        """,
        long=True,
    ),
    Method(
        "load",
        (Argument("id", STRING),),
        BOOL,
        Route.BROADCAST,
        Lock.UPDATE,
        Join.ALL_AND,
        """Replace the model by one that was saved with the same configuration.

        Args:
            id: name of the model.

        Returns:
            True.

        Raises:
            JubatusError: the id is not allowed, or the file is missing, torn, of another service or of another
                configuration; the running model is then as it was.
        """,
        counts=True,
        long=True,
    ),
    Method(
        "get_status",
        (),
        STATUS,
        Route.BROADCAST,
        Lock.NOLOCK,
        Join.MERGE,
        """Return the state of the servers.

        Returns:
            texts by key by ``<address>_<port>`` of the server.
        """,
    ),
    Method(
        "do_mix",
        (),
        BOOL,
        Route.INTERNAL,
        Lock.NOLOCK,
        Join.PASS,
        """Mix the models of the cluster now.

        Returns:
            whether the mix succeeded.

        Raises:
            UnknownMethod: the server is standalone, or it is a keeper.
        """,
        long=True,
        host=Host.CLUSTER,
    ),
    Method(
        "get_proxy_status",
        (),
        STATUS,
        Route.INTERNAL,
        Lock.NOLOCK,
        Join.PASS,
        """Return the state of the keeper.

        Returns:
            texts by key by ``<address>_<port>`` of the keeper.

        Raises:
            UnknownMethod: it is a server.
        """,
        host=Host.KEEPER,
    ),
)


def _mix(name: str, argument: Argument, returns: Type, lock: Lock, doc: str) -> Method:
    """Declare a method that the servers of a cluster call on each other."""
    return Method(
        name, (argument,), returns, Route.INTERNAL, lock, Join.PASS, doc, long=True, host=Host.CLUSTER, named=False
    )


LINEAR_MIX = (
    _mix(
        "get_diff",
        Argument("version", INT),
        STRING,
        Lock.ANALYSIS,
        """Return what the server learned since the last MIX.

        Args:
            version: of the protocol; not looked at.

        Returns:
            the packed diff.
        """,
    ),
    _mix(
        "put_diff",
        Argument("diff", STRING),
        INT,
        Lock.NOLOCK,
        """Take in what all servers learned.

        A further argument, a bool, says whether what this server learned is part of it; without it, what
        ``get_diff`` gave out is.

        Args:
            diff: packed.

        Returns:
            0, also where the diff does not fit the model.

        Raises:
            JubatusError: it is no diff.
        """,
    ),
    _mix(
        "get_model",
        Argument("version", INT),
        TTuple(ULONG, STRING),
        Lock.ANALYSIS,
        """Return the whole model.

        Args:
            version: of the protocol; not looked at.

        Returns:
            version of the protocol, and the packed model as a model file has it.
        """,
    ),
)
"""What servers call on each other with the mixer ``linear_mixer``."""

PUSH_MIX = (
    _mix(
        "get_pull_argument",
        Argument("version", INT),
        STRING,
        Lock.ANALYSIS,
        """Return up to where the server knows the rows of each other server.

        Args:
            version: of the protocol; not looked at.

        Returns:
            the argument of a peer's ``pull``, packed.
        """,
    ),
    _mix(
        "pull",
        Argument("argument", STRING),
        STRING,
        Lock.ANALYSIS,
        """Return the rows that a peer does not know.

        Args:
            argument: the peer's ``get_pull_argument``.

        Returns:
            the argument of the peer's ``push``, packed.

        Raises:
            JubatusError: the argument is none.
        """,
    ),
    _mix(
        "push",
        Argument("rows", STRING),
        INT,
        Lock.UPDATE,
        """Take in rows of a peer.

        Args:
            rows: packed.

        Returns:
            0.

        Raises:
            JubatusError: these are no rows.
        """,
    ),
)
"""What servers call on each other with the mixers that push."""
