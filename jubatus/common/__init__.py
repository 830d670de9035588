"""What all clients share: the datum, the types, the base class and its errors."""

from contextlib import contextmanager

from jubatus.common import compat as compat
from jubatus.common.client import Client, ClientBase, TypeMismatch, UnknownMethod, connect
from jubatus.common.datum import Datum
from jubatus.common.message_string_generator import MessageStringGenerator
from jubatus.common.types import (
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
)

__all__ = [
    "Client",
    "ClientBase",
    "Datum",
    "MessageStringGenerator",
    "TBool",
    "TDatum",
    "TEnum",
    "TFloat",
    "TInt",
    "TList",
    "TMap",
    "TNullable",
    "TObject",
    "TRaw",
    "TString",
    "TTuple",
    "TUserDef",
    "TypeMismatch",
    "UnknownMethod",
    "connect",
    "contextmanager",
]
