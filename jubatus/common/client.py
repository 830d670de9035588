"""The base class of the clients, and what their calls raise."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, NoReturn, Self, SupportsIndex, TypeVar

from jubatus import errors
from jubatus._core.wire.codec import Decoder, Encoder
from jubatus.idl import Method, Service
from jubatus.methods import COMMON
from jubatus.rpc import client as rpc
from jubatus.types import TObject, Type, check_types, string_types, to_integer

if TYPE_CHECKING:
    from ssl import SSLContext

    from jubatus.common.methods import CommonMethods  # a stub that the build writes (jubatus.stubs)
else:
    CommonMethods = object  # ClientBase gets the methods below

AnyClient = TypeVar("AnyClient", bound="ClientBase")


class InterfaceMismatch(errors.JubatusError):
    """Client and server do not have the same methods."""


class TypeMismatch(InterfaceMismatch, errors.BadArguments):
    """The server refused the arguments: their number or their types."""


class UnknownMethod(InterfaceMismatch, errors.UnknownMethod):
    """The server has no such method."""


def error_handler(error: Any, call: str = "") -> NoReturn:
    """Raise what the error of a reply means.

    Args:
        error: of the reply, or of this side.
        call: method, host and port, for the texts of UnknownMethod and TypeMismatch.

    Raises:
        UnknownMethod: it is 1.
        TypeMismatch: it is 2.
        RPCError: anything else, which is its argument: the text of the server, or a TimeoutError or TransportError of
            this side.
    """
    where = f" ({call})" if call else ""
    if isinstance(error, Exception):
        raise rpc.RPCError(error) from error
    if error == 1:
        raise UnknownMethod(f"the server has no such method{where}")
    if error == 2:
        raise TypeMismatch(f"the server refused the number or the types of the arguments{where}")
    raise rpc.RPCError(error)


class Client:
    """Calls methods with checked types on behalf of a cluster's name.

    Args:
        client: connection to the server.
        name: of the cluster; any text for a standalone server.
    """

    def __init__(self, client: Any, name: str) -> None:
        self.client = client
        self.name = name

    def call(self, method: str, args: list[Any], ret_type: Type | None, args_type: list[Type]) -> Any:
        """Call a method.

        Args:
            method: its name.
            args: without the cluster's name.
            ret_type: type of the result; None throws the result away.
            args_type: types of the arguments.

        Raises:
            TypeError, ValueError: an argument is not of its type (nothing was sent), or the result is not.
            UnknownMethod, TypeMismatch, RPCError: as ``error_handler`` says.
        """
        if len(args) != len(args_type):
            raise TypeError(f'"{method}" takes {len(args_type)} argument, but {len(args)} given')
        values = [kind.to_msgpack(value) for value, kind in zip(args, args_type, strict=True)]
        future = self.client.call_async(method, self.name, *values)
        address = getattr(self.client, "address", None)
        future.attach_error_handler(partial(error_handler, call=f"{method} at {address}" if address else method))
        result = future.get()
        return None if ret_type is None else ret_type.from_msgpack(result)


class ClientBase(CommonMethods):
    """Base of the clients. By itself it has the methods that all services have.

    The server is contacted by the first call; a lost or closed connection is made again by the next call. At the end
    of a ``with`` block the connection is closed.

    Args:
        host: name or address of a server or keeper.
        port: its port.
        name: of the cluster; any text for a standalone server.
        timeout: seconds that a call may take; 0 is no limit.
        tls: how servers with TLS are called: an ``ssl.SSLContext``; True for the CAs of the system; the path of the
            certificates of the CAs that the server's must be from; or a tuple of that path and those of the own
            certificate and its key. None is no TLS.

    Raises:
        TypeError: an argument is of another type.
        ConfigError: a file of ``tls`` cannot be used.
    """

    def __init_subclass__(cls, service: Service | None = None, **kwargs: Any) -> None:
        """Give the class the methods of a service."""
        super().__init_subclass__(**kwargs)
        if service is not None:
            _add_methods(cls, service.methods)

    def __init__(
        self,
        host: str,
        port: int | SupportsIndex,
        name: str,
        timeout: int | SupportsIndex = 10,
        *,
        tls: "SSLContext | bool | str | tuple[str, ...] | None" = None,
    ) -> None:
        check_types(host, string_types)
        number = to_integer(port)
        check_types(name, string_types)
        context: SSLContext | None = None
        if tls is not None and tls is not False:
            from jubatus.rpc.tls import context_of

            context = context_of(tls)
        self.client = rpc.Client(rpc.Address(host, number), to_integer(timeout), tls=context)
        self.jubatus_client = Client(self.client, name)

    def close(self) -> None:
        """Close the connection; the next call connects again."""
        self.get_client().close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: object, trace: TracebackType | None) -> None:
        self.close()

    def get_client(self) -> rpc.Client:
        """Return the connection."""
        return self.client

    def get_name(self) -> str:
        """Return the name of the cluster."""
        return self.jubatus_client.name

    def set_name(self, name: str) -> None:
        """Set the name of the cluster; raise TypeError if it is not str."""
        check_types(name, string_types)
        self.jubatus_client.name = name


def _add_methods(cls: type[ClientBase], methods: tuple[Method, ...]) -> None:
    for method in methods:
        setattr(cls, method.name, method.function(cls, _caller(method)))


def _caller(method: Method) -> Any:
    name = method.name
    types = [argument.type for argument in method.args]
    arguments = Encoder([TObject(), *types]).array
    result = Decoder(method.returns).read

    def run(instance: ClientBase, *args: Any) -> Any:
        client = instance.jubatus_client
        if type(client.client) is not rpc.Client:
            # A program has put its own connection there, which takes values and not bytes.
            return client.call(name, list(args), method.returns, types)
        future = client.client.call_packed(name, arguments((client.name, *args)))
        try:
            return future.get(result)
        except rpc.RPCError:
            pass
        # Raise here and not in the except block: the error shall not have the RPCError as its context.
        error_handler(future.error, future.call)

    return run


_add_methods(ClientBase, COMMON)


@contextmanager
def connect(
    cls: type[AnyClient], host: str, port: int | SupportsIndex, name: str, timeout: int | SupportsIndex = 10
) -> Iterator[AnyClient]:
    """Make a client for a ``with`` block and close its connection at the end."""
    with cls(host, port, name, timeout) as client:
        yield client
