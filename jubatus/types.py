"""What travels: the types of arguments and results, the datum, and the base of the messages.

Every type turns a Python value into what msgpack can pack (``to_msgpack``) and what msgpack unpacked into a Python
value (``from_msgpack``). Both are strict, so that a mistake is seen where it was made: TypeError for a value of
another type, ValueError for one out of range. ``str()`` of a type is its name in the interface definition.

Lists are converted by columns (``all_to_msgpack``, ``all_from_msgpack``): all labels, then all data; a value at a time
costs several times as much. The module lies below the declarations; programs import the same classes from
``jubatus.common``.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from types import MappingProxyType
from typing import Any, ClassVar, Self, dataclass_transform, get_type_hints

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


_ARRAYS = (list, tuple)
_ARRAY_SET = set(_ARRAYS)
_FEW = 4
"""So many values are faster converted one by one."""


def _all_to(kind: Any, values: Sequence[Any]) -> list[Any]:
    # A program's own type need only have the two methods for one value.
    if len(values) > _FEW and isinstance(kind, Type):
        return kind.all_to_msgpack(values)
    return list(map(kind.to_msgpack, values))


def _all_from(kind: Any, values: Sequence[Any]) -> list[Any]:
    if len(values) > _FEW and isinstance(kind, Type):
        return kind.all_from_msgpack(values)
    return list(map(kind.from_msgpack, values))


class Type:
    """Base of all types."""

    def to_msgpack(self, m: Any) -> Any:
        """Check a Python value and return what is packed for it."""
        raise TypeError(f"{type(self).__name__} has no values")

    def from_msgpack(self, m: Any) -> Any:
        """Check an unpacked value and return the Python value."""
        return self.to_msgpack(m)

    def all_to_msgpack(self, values: Sequence[Any]) -> list[Any]:
        """Do ``to_msgpack`` to several values."""
        return list(map(self.to_msgpack, values))

    def all_from_msgpack(self, values: Sequence[Any]) -> list[Any]:
        """Do ``from_msgpack`` to several values."""
        return list(map(self.from_msgpack, values))


class TPrimitive(Type):
    """A value that is packed as it is.

    Args:
        types: the Python types allowed.
        name: its name in the interface definition.
    """

    def __init__(self, types: tuple[type, ...], name: str = "primitive") -> None:
        self.types = types
        self.name = name
        self._exact = set(types)

    def __str__(self) -> str:
        return self.name

    def to_msgpack(self, m: Any) -> Any:
        """Return the value; raise TypeError for another type."""
        if not isinstance(m, self.types):
            check_types(m, self.types)
        return m

    def all_to_msgpack(self, values: Sequence[Any]) -> list[Any]:
        """Return the values; raise TypeError for one of another type."""
        return list(values) if set(map(type, values)) <= self._exact else super().all_to_msgpack(values)

    def all_from_msgpack(self, values: Sequence[Any]) -> list[Any]:
        """Return the values; raise TypeError for one of another type."""
        return list(values) if set(map(type, values)) <= self._exact else super().all_from_msgpack(values)


class TInt(TPrimitive):
    """An integer.

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
        check_types(m, int_types)
        if not self.min <= m <= self.max:
            raise ValueError(f"int value must be in ({self.min}, {self.max}), but {m} is given")
        return m

    all_to_msgpack = Type.all_to_msgpack
    all_from_msgpack = Type.all_from_msgpack


class TFloat(TPrimitive):
    """A float; an int is refused.

    Args:
        byts: the size that the server computes with; the wire always has 8 bytes.
    """

    def __init__(self, byts: int = 8) -> None:
        super().__init__((float,), "double" if byts == 8 else "float")


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

    def all_from_msgpack(self, values: Sequence[Any]) -> list[Any]:
        """Return the texts."""
        return [m.decode() if type(m) is bytes else self.from_msgpack(m) for m in values]


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
        return _all_to(self.type, m)

    def from_msgpack(self, m: Any) -> Any:
        """Return a list of Python values."""
        check_types(m, _ARRAYS)
        return _all_from(self.type, m)


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

    def columns(self, values: Sequence[Any]) -> list[tuple[Any, ...]] | None:
        """Return the columns of some tuples, or None if one of them is no tuple of the right size."""
        if set(map(type, values)) <= _ARRAY_SET:
            try:
                columns = list(zip(*values, strict=True))
            except ValueError:
                return None
            return columns if len(columns) == len(self.types) else None
        return None

    def all_to_msgpack(self, values: Sequence[Any]) -> list[Any]:
        """Return a list of arrays of packable values."""
        columns = self.columns(values)
        return (
            super().all_to_msgpack(values)
            if not columns
            else list(zip(*map(_all_to, self.types, columns), strict=True))
        )

    def all_from_msgpack(self, values: Sequence[Any]) -> list[Any]:
        """Return a list of tuples of Python values."""
        columns = self.columns(values)
        return (
            super().all_from_msgpack(values)
            if not columns
            else list(zip(*map(_all_from, self.types, columns), strict=True))
        )


class TUserDef(Type):
    """A message; a tuple or list of its fields is taken too."""

    def __init__(self, type: "type[Message]") -> None:
        self.type = type
        # A program's own class need not be made from ours.
        self._fields = attrgetter(*type.FIELDS) if issubclass(type, Message) else None

    def __str__(self) -> str:
        return self.type.message_name()

    def to_msgpack(self, m: Any) -> Any:
        """Return the list of the fields."""
        if isinstance(m, self.type):
            return m.to_msgpack() if self._fields is None else self.type.TYPE.to_msgpack(self._fields(m))
        if isinstance(m, _ARRAYS):
            return self.type.TYPE.to_msgpack(m)
        raise TypeError(f"type {self.type} or tuple/list are expected, but {type(m)} is given")

    def from_msgpack(self, m: Any) -> Any:
        """Return a message."""
        return self.type.from_msgpack(m)

    def all_to_msgpack(self, values: Sequence[Any]) -> list[Any]:
        """Return a list of the arrays of the fields."""
        kinds = set(map(type, values))
        if self._fields is not None and kinds == {self.type}:
            values = list(map(self._fields, values))
        elif self._fields is None or not kinds <= _ARRAY_SET:
            return super().all_to_msgpack(values)
        return self.type.TYPE.all_to_msgpack(values)

    def all_from_msgpack(self, values: Sequence[Any]) -> list[Any]:
        """Return a list of messages."""
        columns = None if self._fields is None else self.type.TYPE.columns(values)
        if not columns:
            return super().all_from_msgpack(values)
        return list(map(self.type, *map(_all_from, self.type.TYPE.types, columns)))


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
        """Return the value; raise TypeError if it is no int, ValueError if it is none of the allowed."""
        check_types(m, int_types)
        if m not in self.values:
            raise ValueError
        return m


class TDatum(Type):
    """A datum."""

    def __str__(self) -> str:
        return "datum"

    def to_msgpack(self, m: Any) -> Any:
        """Return the three lists of the datum."""
        check_type(m, Datum)
        return m.string_values, m.num_values, m.binary_values

    def from_msgpack(self, m: Any) -> Any:
        """Return a datum."""
        return Datum.from_msgpack(m)

    def all_to_msgpack(self, values: Sequence[Any]) -> list[Any]:
        """Return a list of the three lists of each datum."""
        if set(map(type, values)) != {Datum}:
            return super().all_to_msgpack(values)
        return [(m.string_values, m.num_values, m.binary_values) for m in values]


STRING = TString()
RAW = TRaw()
BOOL = TBool()
INT = TInt(True, 4)
UINT = TInt(False, 4)
ULONG = TInt(False, 8)
DOUBLE = TFloat()
FLOAT = TFloat(4)
DATUM = TDatum()

_NOTHING: Mapping[str, str | float] = MappingProxyType({})


class Datum:
    """What is learned from and asked about: named texts, numbers and bytes.

    Order and repeated names are kept. Attributes: ``string_values``, ``num_values``, ``binary_values``, lists of
    (key, value).

    Args:
        values: texts and numbers by name; an int becomes a float.

    Raises:
        TypeError: a name is not str, or a value neither str nor number.
    """

    __module__ = "jubatus.common.datum"

    TYPE: ClassVar[TTuple] = TTuple(
        TList(TTuple(STRING, STRING)), TList(TTuple(STRING, DOUBLE)), TList(TTuple(STRING, RAW))
    )

    def __init__(self, values: Mapping[str, str | float] = _NOTHING) -> None:
        self.string_values: list[Any] = []
        self.num_values: list[Any] = []
        self.binary_values: list[Any] = []
        for key, value in values.items():
            if not isinstance(key, str):
                raise TypeError
            if isinstance(value, str):
                self.string_values.append([key, value])
            elif isinstance(value, float):
                self.num_values.append([key, value])
            elif isinstance(value, int):
                self.num_values.append([key, float(value)])
            else:
                raise TypeError

    def add_string(self, key: str, value: str) -> None:
        """Append a text; raise TypeError if key or value is not str."""
        if not (isinstance(key, str) and isinstance(value, str)):
            raise TypeError
        self.string_values.append([key, value])

    def add_number(self, key: str, value: float) -> None:
        """Append a number; raise TypeError if key is not str or value neither float nor int."""
        if not (isinstance(key, str) and isinstance(value, (float, int))):
            raise TypeError
        self.num_values.append([key, float(value)])

    def add_binary(self, key: str, value: bytes) -> None:
        """Append bytes; raise TypeError if key is not str or value not bytes."""
        if not (isinstance(key, str) and isinstance(value, bytes)):
            raise TypeError
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
        return describe("datum", self, ("string_values", "num_values", "binary_values"))


@dataclass_transform(eq_default=False)
class Message:
    """Base of the structures of the services: named fields, an array on the wire.

    A subclass lists its fields, two or more, in order as annotations ``name: Annotated[<Python type>, <type>]``; the
    constructor takes them in that order or by name and checks nothing, ``to_msgpack`` does. A declaration holds the
    classes of its service; they are found under the name ``jubatus.<service>.types``.
    """

    TYPE: ClassVar[TTuple]
    FIELDS: ClassVar[tuple[str, ...]]

    def __init_subclass__(cls) -> None:
        """Read the fields off the annotations."""
        hints = get_type_hints(cls, include_extras=True)
        fields = {name: hint.__metadata__[0] for name, hint in hints.items() if hasattr(hint, "__metadata__")}
        cls.FIELDS = tuple(fields)
        cls.TYPE = TTuple(*fields.values())
        dataclass(eq=False, repr=False)(cls)
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


def describe(name: str, value: object, fields: tuple[str, ...]) -> str:
    """Return ``name{field: value, ...}``, the text of messages and datums."""
    return f"{name}{{{', '.join(f'{field}: {getattr(value, field)}' for field in fields)}}}"
