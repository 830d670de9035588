"""The types of the clients, written as stub files for type checkers: ``python -m jubatus.stubs``.

Classes get their methods from the declarations when they are imported, which no type checker follows. The build
therefore writes, beside the sources:

- ``_clients.pyi``: what ``jubatus`` loads by name.
- ``common/methods.pyi``: the methods that all clients have.
- ``<service>/client.pyi``: the client of a service.
- ``embedded/__init__.pyi``: the classes that learn in process.

The first and the second have no module behind them; modules import them for type checkers only.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import indent

from jubatus import SERVICES, class_name
from jubatus.idl import Method, Service, services
from jubatus.methods import COMMON
from jubatus.types import (
    Message,
    TBool,
    TDatum,
    TEnum,
    TFloat,
    TInt,
    TList,
    TMap,
    TNullable,
    TObject,
    TRaw,
    TString,
    TTuple,
    TUserDef,
    Type,
)

PACKAGE = Path(__file__).parent

HEAD = '"""Written by the build from the declarations."""\n\n'
IMPORTS = """\
from collections.abc import Sequence
from typing import Any, SupportsFloat, SupportsIndex

from jubatus.common.datum import Datum
"""

Name = Callable[[type[Message]], str]
"""Returns the name of a message in a stub."""


def annotation(kind: Type, name: Name, *, given: bool) -> str:
    """Return the Python type of the values of a declared type.

    Args:
        kind: the declared type.
        name: of messages.
        given: whether the values are arguments, for which more is taken than results are made of: tuples for messages,
            tuples for lists, and scalars of numpy.

    Raises:
        TypeError: it is none of the types of ``jubatus.types``.
    """

    def of(part: Type) -> str:
        return annotation(part, name, given=given)

    match kind:
        case TBool():
            return "bool"
        case TInt() | TEnum():
            return "int | SupportsIndex" if given else "int"
        case TFloat():
            return "float | SupportsFloat" if given else "float"
        case TString():
            return "str"
        case TRaw():
            return "bytes"
        case TDatum():
            return "Datum"
        case TObject():
            return "object" if given else "Any"
        case TNullable():
            return f"{of(kind.type)} | None"
        case TList():
            return f"{'Sequence' if given else 'list'}[{of(kind.type)}]"
        case TMap():
            return f"dict[{of(kind.key)}, {of(kind.value)}]"
        case TTuple():
            return f"tuple[{', '.join(map(of, kind.types)) or '()'}]"
        case TUserDef():
            return f"{name(kind.type)} | {of(kind.type.TYPE)}" if given else name(kind.type)
    raise TypeError(f"no Python type is known for {type(kind).__name__}")


def signature(method: Method, name: Name) -> str:
    """Return a method of a class, without a body but with its docstring."""
    arguments = [f"{argument.name}: {annotation(argument.type, name, given=True)}" for argument in method.args]
    head = f"def {method.name}({', '.join(['self', *arguments])}) -> {annotation(method.returns, name, given=False)}:"
    return indent(f'{head}\n    """{indent(method.doc, "    ").lstrip()}\n    """\n', "    ")


def body(methods: tuple[Method, ...], name: Name) -> str:
    """Return the body of a class."""
    return "\n".join(signature(method, name) for method in methods)


def plain(message: type[Message]) -> str:
    """Return the name of a message in the client of its service."""
    return message.__name__


def client(service: Service) -> str:
    """Return the stub of ``jubatus/<service>/client.py``."""
    return (
        f"{HEAD}{IMPORTS}from jubatus.common.client import ClientBase\n"
        f"from jubatus.{service.name}.types import *\n\n"
        f"class {service.class_name}(ClientBase):\n{body(service.methods, plain)}\n"
        f"{service.name} = {service.class_name}\n"
    )


def common() -> str:
    """Return the stub of ``jubatus/common/methods``."""
    return f"{HEAD}{IMPORTS}\nclass CommonMethods:\n{body(COMMON, plain)}"


def embedded(declared: dict[str, Service]) -> str:
    """Return the stub of ``jubatus/embedded/__init__.py``.

    A class may have a module of its own, ``jubatus/embedded/<service>.py``, with further methods.
    """
    names = [class_name(service) for service in declared]
    own = [service for service in declared if (PACKAGE / f"embedded/{service}.py").exists()]
    lines = [
        *(f"from jubatus.{service} import types as {service}_types" for service in declared),
        "from jubatus.embedded.base import Embedded as Embedded, InvalidConfig as InvalidConfig",
        *(f"from jubatus.embedded.{service} import {class_name(service)} as _{class_name(service)}" for service in own),
        "",
        f"__all__ = {sorted([*names, 'Embedded', 'InvalidConfig'])}",
        "",
    ]
    for service in declared.values():
        base = f"_{service.class_name}" if service.name in own else "Embedded"

        def name(message: type[Message], prefix: str = service.name) -> str:
            return f"{prefix}_types.{message.__name__}"

        lines += [f"class {service.class_name}({base}):", body(service.methods, name)]
    return HEAD + IMPORTS + "\n".join(lines)


def clients() -> str:
    """Return the stub of ``jubatus/_clients``."""
    modules = sorted([*SERVICES, "common", "embedded"])
    lines = [f"from jubatus import {module} as {module}" for module in modules]
    for service in SERVICES:
        lines.append(f"from jubatus.{service}.client import {class_name(service)} as {class_name(service)}")
    return HEAD + "\n".join(lines) + "\n"


def stubs() -> Iterator[tuple[str, str]]:
    """Yield path and text of each stub."""
    declared = services()
    yield "_clients.pyi", clients()
    yield "common/methods.pyi", common()
    yield "embedded/__init__.pyi", embedded(declared)
    for service in declared.values():
        yield f"{service.name}/client.pyi", client(service)


if __name__ == "__main__":
    for path, text in stubs():
        (PACKAGE / path).write_text(text)
