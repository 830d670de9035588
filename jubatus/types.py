"""What travels: the types of arguments and results, the datum, and the base of the messages.

Every type turns a Python value into what msgpack can pack (``to_msgpack``) and what msgpack unpacked into a Python
value (``from_msgpack``). Both are strict, so that a mistake is seen where it was made: TypeError for a value of
another type, ValueError for one out of range. ``str()`` of a type is its name in the interface definition.

Scalars of numpy are numbers: they register themselves as Integral or Real, which is all that is asked here.

The types describe themselves to the core (``plan``), which then packs Python values without calling them. It calls the
two methods only for values that are not exactly of the type, and they decide. Declarations are made of these types;
programs import the same classes from ``jubatus.common``.
"""

import operator
import re
from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Integral, Real
from types import MappingProxyType
from typing import Any, ClassVar, Self, SupportsFloat, SupportsIndex, dataclass_transform, get_type_hints

int_types = (int,)
string_types = (str,)
binary_types = (bytes,)


def check_type(value: object, typ: type) -> None:
    """Raise TypeError unless the value is of the type."""
    if not isinstance(value, typ):
        raise TypeError(f"type {typ} is expected, but {type(value)} is given")


def check_types(value: object, types: tuple[type, ...]) -> None:
    """Raise TypeError unless the value is of one of the types."""
    if not isinstance(value, types):
        raise TypeError(f"type {', '.join(map(str, types))} is expected, but {type(value)} is given")


def to_integer(value: SupportsIndex) -> int:
    """Return an int as it is, and what else is Integral as an int; raise TypeError for another type."""
    if not isinstance(value, int) and isinstance(value, Integral):
        return operator.index(value)
    check_types(value, int_types)
    return value  # type: ignore[return-value]


_ARRAYS = (list, tuple)


class Type:
    """Base of all types."""

    def to_msgpack(self, m: Any) -> Any:
        """Check a Python value and return what is packed for it."""
        raise TypeError(f"{type(self).__name__} has no values")

    def from_msgpack(self, m: Any) -> Any:
        """Check an unpacked value and return the Python value."""
        return self.to_msgpack(m)

    @property
    def plan(self) -> tuple[Any, ...] | None:
        """How the core (``_core.wire.codec``) packs and reads values; None if it has to call the two methods."""
        return plan(self)


class TPrimitive(Type):
    """A value that is packed as it is.

    Args:
        types: the Python types allowed.
        name: its name in the interface definition.
    """

    def __init__(self, types: tuple[type, ...], name: str = "primitive") -> None:
        self.types = types
        self.name = name

    def __str__(self) -> str:
        return self.name

    def to_msgpack(self, m: Any) -> Any:
        """Return the value; raise TypeError for another type."""
        if not isinstance(m, self.types):
            check_types(m, self.types)
        return m


class TInt(TPrimitive):
    """An integer; what is Integral becomes an int.

    Args:
        signed: whether negative values are allowed.
        byts: the size in bytes.
    """

    def __init__(self, signed: bool, byts: int) -> None:
        super().__init__(int_types, {(True, 4): "int", (False, 4): "uint"}.get((signed, byts), "long"))
        if (signed, byts) == (False, 8):
            self.name = "ulong"
        bits = 8 * byts
        self.min, self.max = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)

    def to_msgpack(self, m: Any) -> Any:
        """Return the value; raise TypeError for another type, ValueError out of range."""
        m = to_integer(m)
        if not self.min <= m <= self.max:
            raise ValueError(f"int value must be in ({self.min}, {self.max}), but {m} is given")
        return m


class TFloat(TPrimitive):
    """A float; what else is Real becomes one, but Python's own int is refused as by the client of 1.1.

    Args:
        byts: the size that the server computes with; the wire always has 8 bytes.
    """

    def __init__(self, byts: int = 8) -> None:
        super().__init__((float,), "double" if byts == 8 else "float")

    def to_msgpack(self, m: Any) -> Any:
        """Return the value as a float; raise TypeError for another type."""
        if not isinstance(m, (float, int)) and isinstance(m, Real):
            m = float(m)
        return super().to_msgpack(m)


class TBool(TPrimitive):
    """A truth value."""

    def __init__(self) -> None:
        super().__init__((bool,), "bool")


class TString(TPrimitive):
    """Text, UTF-8 on the wire."""

    def __init__(self) -> None:
        super().__init__(string_types, "string")

    def from_msgpack(self, m: Any) -> Any:
        """Return the text; raise UnicodeDecodeError if it is not UTF-8."""
        if isinstance(m, bytes):
            return m.decode()
        check_types(m, string_types)
        return m


class TRaw(TPrimitive):
    """Bytes."""

    def __init__(self) -> None:
        super().__init__(binary_types, "raw")


class TNullable(Type):
    """None or a value of another type."""

    def __init__(self, type: Type) -> None:
        self.type = type

    def __str__(self) -> str:
        return f"nullable<{self.type}>"

    def to_msgpack(self, m: Any) -> Any:
        """Return None for None, else what the other type makes of the value."""
        return None if m is None else self.type.to_msgpack(m)

    def from_msgpack(self, m: Any) -> Any:
        """Return None for None, else what the other type makes of the value."""
        return None if m is None else self.type.from_msgpack(m)


class TList(Type):
    """A list of values of one type; a tuple is taken too."""

    def __init__(self, type: Type) -> None:
        self.type = type

    def __str__(self) -> str:
        return f"list<{self.type}>"

    def to_msgpack(self, m: Any) -> Any:
        """Return a list of packable values."""
        check_types(m, _ARRAYS)
        return list(map(self.type.to_msgpack, m))

    def from_msgpack(self, m: Any) -> Any:
        """Return a list of Python values."""
        check_types(m, _ARRAYS)
        return list(map(self.type.from_msgpack, m))


class TMap(Type):
    """A dict with keys of one type and values of one type."""

    def __init__(self, key: Type, value: Type) -> None:
        self.key = key
        self.value = value

    def __str__(self) -> str:
        return f"map<{self.key}, {self.value}>"

    def to_msgpack(self, m: Any) -> Any:
        """Return a dict of packable values."""
        check_type(m, dict)
        return {self.key.to_msgpack(k): self.value.to_msgpack(v) for k, v in m.items()}

    def from_msgpack(self, m: Any) -> Any:
        """Return a dict of Python values."""
        check_type(m, dict)
        return {self.key.from_msgpack(k): self.value.from_msgpack(v) for k, v in m.items()}


class TTuple(Type):
    """A tuple of exactly these types; a list is taken too."""

    def __init__(self, *types: Type) -> None:
        self.types = types
        self._to = [t.to_msgpack for t in types]
        self._from = [t.from_msgpack for t in types]

    def __str__(self) -> str:
        return f"tuple<{', '.join(map(str, self.types))}>"

    def _check(self, m: Any) -> None:
        check_types(m, _ARRAYS)
        if len(m) != len(self.types):
            raise TypeError(f"size of tuple is {len(m)}, but {len(self.types)} is expected: {m}")

    def to_msgpack(self, m: Any) -> Any:
        """Return a list of packable values."""
        self._check(m)
        return [convert(value) for convert, value in zip(self._to, m, strict=True)]

    def from_msgpack(self, m: Any) -> Any:
        """Return a tuple of Python values."""
        self._check(m)
        return tuple([convert(value) for convert, value in zip(self._from, m, strict=True)])


class TUserDef(Type):
    """A message; a tuple or list of its fields is taken too."""

    def __init__(self, type: "type[Message]") -> None:
        self.type = type

    def __str__(self) -> str:
        return self.type.message_name()

    def to_msgpack(self, m: Any) -> Any:
        """Return the list of the fields."""
        if isinstance(m, self.type):
            return m.to_msgpack()
        if isinstance(m, _ARRAYS):
            return self.type.TYPE.to_msgpack(m)
        raise TypeError(f"type {self.type} or tuple/list are expected, but {type(m)} is given")

    def from_msgpack(self, m: Any) -> Any:
        """Return a message."""
        return self.type.from_msgpack(m)


class TObject(Type):
    """Anything."""

    def __str__(self) -> str:
        return "object"

    def to_msgpack(self, m: Any) -> Any:
        """Return the value."""
        return m


class TEnum(Type):
    """One of some integers."""

    def __init__(self, values: list[int]) -> None:
        self.values = values

    def __str__(self) -> str:
        return "enum"

    def to_msgpack(self, m: Any) -> Any:
        """Return the value; raise TypeError if it is no integer, ValueError if it is none of the allowed."""
        m = to_integer(m)
        if m not in self.values:
            raise ValueError
        return m


class TDatum(Type):
    """A datum."""

    def __str__(self) -> str:
        return "datum"

    def to_msgpack(self, m: Any) -> Any:
        """Return the three lists of the datum, with numbers for what is Real.

        Raises:
            TypeError: it is no datum, or a key or value in a list that was filled by hand cannot be packed.
        """
        check_type(m, Datum)
        return (
            _pairs(m.string_values, _TEXT),
            _pairs(m.num_values, _NUMBER),
            _pairs(m.binary_values, _BYTES),
        )

    def from_msgpack(self, m: Any) -> Any:
        """Return a datum."""
        return Datum.from_msgpack(m)


STRING = TString()
RAW = TRaw()
BOOL = TBool()
INT = TInt(True, 4)
UINT = TInt(False, 4)
ULONG = TInt(False, 8)
DOUBLE = TFloat()
FLOAT = TFloat(4)
DATUM = TDatum()

_TEXT, _NUMBER, _BYTES = "str", "a number", "bytes"


def _wrong(key: object, value: object, allowed: str) -> TypeError:
    """Return the error of a key that is not str, or else of its value."""
    if not isinstance(key, str):
        return TypeError(f"a key of a datum must be str, but {key!r} is {type(key).__name__}")
    return TypeError(f"value of {key!r} must be {allowed}, but is {type(value).__name__}")


def _too_large(key: str) -> OverflowError:
    return OverflowError(f"value of {key!r} is too large for a float")


def _pairs(values: Any, allowed: str) -> Any:
    """Return a list of a datum as it can be packed; raise TypeError that names the key where that is impossible.

    What can be packed stays as it is, also where it is no pair or of another type: the server refuses it.
    """
    if not isinstance(values, _ARRAYS):
        return values
    return [_pair(pair, allowed) if isinstance(pair, _ARRAYS) and len(pair) == 2 else pair for pair in values]


def _pair(pair: Any, allowed: str) -> Any:
    key, value = pair
    if _can_be_packed(key):
        if _can_be_packed(value):
            return pair
        if allowed is _NUMBER and isinstance(value, Real):
            return [key, float(value)]
    raise _wrong(key, value, allowed)


def _can_be_packed(value: object) -> bool:
    if isinstance(value, int):
        return -(1 << 63) <= value < 1 << 64
    if isinstance(value, dict):
        return all(map(_can_be_packed, [*value, *value.values()]))
    if isinstance(value, _ARRAYS):
        return all(map(_can_be_packed, value))
    return value is None or isinstance(value, (str, bytes, float))


_DATUM_FIELDS = ("string_values", "num_values", "binary_values")
_NOTHING: Mapping[str, str | float | SupportsFloat] = MappingProxyType({})


class Datum:
    """What is learned from and asked about: named texts, numbers and bytes.

    Order and repeated names are kept. Attributes: ``string_values``, ``num_values``, ``binary_values``, lists of
    (key, value).

    Args:
        values: texts and numbers by name; a number is an int, a float or else Real, and becomes a float.

    Raises:
        TypeError: a name is not str, or a value neither str nor number; the text names the key.
        OverflowError: a number is too large for a float.
    """

    __module__ = "jubatus.common.datum"

    TYPE: ClassVar[TTuple] = TTuple(
        TList(TTuple(STRING, STRING)), TList(TTuple(STRING, DOUBLE)), TList(TTuple(STRING, RAW))
    )

    def __init__(self, values: Mapping[str, str | float | SupportsFloat] = _NOTHING) -> None:
        self.string_values: list[Any] = []
        self.num_values: list[Any] = []
        self.binary_values: list[Any] = []
        try:
            for key, value in values.items():
                if not isinstance(key, str):
                    raise _wrong(key, value, "")
                if isinstance(value, str):
                    self.string_values.append([key, value])
                elif isinstance(value, float):
                    self.num_values.append([key, value])
                elif isinstance(value, int) or isinstance(value, Real):
                    self.num_values.append([key, float(value)])
                else:
                    raise _wrong(key, value, "str or a number")
        except OverflowError:
            raise _too_large(key) from None

    def add_string(self, key: str, value: str) -> None:
        """Append a text; raise TypeError if key or value is not str."""
        if not (isinstance(key, str) and isinstance(value, str)):
            raise _wrong(key, value, _TEXT)
        self.string_values.append([key, value])

    def add_number(self, key: str, value: float | SupportsFloat) -> None:
        """Append a number.

        Raises:
            TypeError: the key is not str, or the value neither an int, a float nor else Real.
            OverflowError: the number is too large for a float.
        """
        if not (isinstance(key, str) and (isinstance(value, (float, int)) or isinstance(value, Real))):
            raise _wrong(key, value, _NUMBER)
        try:
            self.num_values.append([key, float(value)])
        except OverflowError:
            raise _too_large(key) from None

    def add_binary(self, key: str, value: bytes) -> None:
        """Append bytes; raise TypeError if key is not str or value not bytes."""
        if not (isinstance(key, str) and isinstance(value, bytes)):
            raise _wrong(key, value, _BYTES)
        self.binary_values.append([key, value])

    def to_msgpack(self) -> tuple[list[Any], list[Any], list[Any]]:
        """Return the three lists as they are; nothing is checked again."""
        return self.string_values, self.num_values, self.binary_values

    @staticmethod
    def from_msgpack(arg: Any) -> "Datum":
        """Make a datum of three lists; raise TypeError if they are of another form."""
        datum = Datum()
        datum.string_values, datum.num_values, datum.binary_values = Datum.TYPE.from_msgpack(arg)
        return datum

    def __str__(self) -> str:
        return describe("datum", self, _DATUM_FIELDS)


_MAKING = {"__new__", "__post_init__", "__setattr__", "to_msgpack", "from_msgpack"}


@dataclass_transform(eq_default=False)
class Message:
    """Base of the structures of the services: named fields, an array on the wire.

    A subclass lists its fields, two or more, in order as annotations ``name: Annotated[<Python type>, <type>]``; the
    constructor takes them in that order or by name and checks nothing, ``to_msgpack`` does. A declaration holds the
    classes of its service; they are found under the name ``jubatus.<service>.types``.
    """

    TYPE: ClassVar[TTuple]
    FIELDS: ClassVar[tuple[str, ...]]
    PLAIN: ClassVar[bool]
    """Whether the core may set and read the attributes of ``FIELDS`` itself, because the class adds nothing to that."""

    def __init_subclass__(cls) -> None:
        """Read the fields off the annotations."""
        hints = get_type_hints(cls, include_extras=True)
        fields = {name: hint.__metadata__[0] for name, hint in hints.items() if hasattr(hint, "__metadata__")}
        cls.FIELDS = tuple(fields)
        cls.TYPE = TTuple(*fields.values())
        bases = [base for base in cls.__mro__ if base not in Message.__mro__]
        plain = "__init__" not in vars(cls) and not any(_MAKING & vars(base).keys() for base in bases)
        dataclass(eq=False, repr=False)(cls)
        cls.PLAIN = plain and vars(cls)["__match_args__"] == cls.FIELDS
        cls.__module__ += ".types"

    @classmethod
    def message_name(cls) -> str:
        """Return the name in the interface definition: ``EstimateResult`` is ``estimate_result``."""
        return re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()

    def to_msgpack(self) -> list[Any]:
        """Return the list of the fields; raise TypeError or ValueError if one is not of its type."""
        values: list[Any] = self.TYPE.to_msgpack([getattr(self, name) for name in self.FIELDS])
        return values

    @classmethod
    def from_msgpack(cls, arg: Any) -> Self:
        """Make a message of the list of its fields; raise TypeError or ValueError if one is not of its type."""
        return cls(*cls.TYPE.from_msgpack(arg))

    def __repr__(self) -> str:
        return describe(self.message_name(), self, self.FIELDS)


_PLAIN: dict[type, str] = {TString: "string", TRaw: "raw", TBool: "bool", TFloat: "double", TObject: "object"}


def plan(kind: Any) -> tuple[Any, ...] | None:
    """Return the plan of a type; None if its class, or that of its message, was written by a user."""
    own = type(kind)
    if own in _PLAIN:
        return (_PLAIN[own],)
    if own is TInt:
        return "int", kind.min, kind.max
    if own is TNullable or own is TList:
        return "nullable" if own is TNullable else "list", _plan(kind.type)
    if own is TMap:
        return "map", _plan(kind.key), _plan(kind.value)
    if own is TTuple:
        return "tuple", *map(_plan, kind.types)
    if own is TDatum:
        return "datum", Datum, _DATUM_FIELDS, *map(_plan, Datum.TYPE.types)
    if own is TUserDef and issubclass(kind.type, Message) and kind.type.PLAIN:
        return "message", kind.type, kind.type.FIELDS, *map(_plan, kind.type.TYPE.types)
    return None


def _plan(kind: Any) -> tuple[Any, ...] | None:
    # A type that a user wrote need have no more than the two methods.
    return getattr(kind, "plan", None)


def describe(name: str, value: object, fields: tuple[str, ...]) -> str:
    """Return ``name{field: value, ...}``, the text of messages and datums."""
    return f"{name}{{{', '.join(f'{field}: {getattr(value, field)}' for field in fields)}}}"
