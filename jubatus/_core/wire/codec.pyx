"""Packing and unpacking of Python values of declared types.

A type is any object with ``to_msgpack`` and ``from_msgpack``. If it has a ``plan`` as well, values go between Python
objects and bytes at once. A plan is a tuple: a kind, then what belongs to the kind, most often other plans::

    "string"  "raw"  "bool"  "double"  "object" (whatever can be packed; only written)
    "int", least, most          "nullable", plan          "list", plan
    "map", plan, plan           "tuple", plans ...
    "message", class, names of the attributes, plans ... (a list or tuple of the attributes is written too)
    "datum", class, names of the attributes, plans ...   (written without a look at the attributes)

A plan handles what is exactly right. At the first surprise, be it a mistake or what a type takes besides, the type
itself gets the whole value, and so has the last word on what is accepted and with which error it is not.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_Check, PyBytes_GET_SIZE
from cpython.float cimport PyFloat_AS_DOUBLE, PyFloat_Check
from cpython.list cimport PyList_CheckExact, PyList_GET_ITEM, PyList_GET_SIZE, PyList_New, PyList_SET_ITEM
from cpython.long cimport PyLong_CheckExact
from cpython.object cimport PyObject, PyObject_GetAttr, PyObject_SetAttr, PyObject_TypeCheck, PyTypeObject
from cpython.ref cimport Py_INCREF
from cpython.tuple cimport PyTuple_CheckExact, PyTuple_GET_ITEM, PyTuple_GET_SIZE, PyTuple_New, PyTuple_SET_ITEM
from cpython.unicode cimport PyUnicode_Check, PyUnicode_DecodeUTF8
from libc.stdint cimport INT64_MIN, UINT64_MAX, int64_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memcpy

from jubatus._core.kernels.bytes cimport (
    ARRAY, BOOLEAN, DOUBLE, MAP, NEGATIVE, RAW, SINGLE, UINT, Buffer, Cursor, Head, read_head,
)
from jubatus._core.wire.memory cimport take
from jubatus._core.wire.reader cimport Reader

from jubatus._core.wire.reader import unpack
from jubatus._core.wire.writer import order_of_key, pack

cdef extern from "Python.h":
    long long PyLong_AsLongLongAndOverflow(object number, int* overflow) except? -1
    unsigned long long PyLong_AsUnsignedLongLong(object number) except? <unsigned long long>-1
    const char* PyUnicode_AsUTF8AndSize(object text, Py_ssize_t* size) except NULL

cdef enum:
    # The first ones can be keys of maps.
    TEXT, BYTES, INTEGER, REAL, TRUTH, OBJECT, NULLABLE, LIST, DICT, TUPLE, MESSAGE, DATUM

cdef dict KINDS = {
    "string": TEXT, "raw": BYTES, "int": INTEGER, "double": REAL, "bool": TRUTH, "object": OBJECT,
    "nullable": NULLABLE, "list": LIST, "map": DICT, "tuple": TUPLE, "message": MESSAGE, "datum": DATUM,
}
cdef tuple NOTHING = ()
# So deep are the values that are written without a look at them; others are left to the packer.
cdef int DEEPEST = 32


class Surprise(Exception):
    """A value that is left to its type; never leaves this module."""


cdef Shape shape_of(plan):
    """Compile a plan; None if it is none or has a part that is none."""
    if plan is None or plan[0] not in KINDS:
        return None
    cdef Shape shape = Shape.__new__(Shape)
    shape.kind = KINDS[plan[0]]
    parts = plan[1:]
    if shape.kind == INTEGER:
        shape.least, shape.most = max(plan[1], INT64_MIN), min(plan[2], UINT64_MAX)
        parts = ()
    elif shape.kind >= MESSAGE:
        shape.cls, shape.names = plan[1], plan[2]
        parts = plan[3:]
    shape.parts = tuple([shape_of(part) for part in parts])
    if None in shape.parts or shape.kind == DICT and (<Shape>shape.parts[0]).kind >= OBJECT:
        return None
    return shape


cdef Py_ssize_t size_of(array) except -1:
    """Return the size of what is exactly a list or a tuple."""
    if PyList_CheckExact(array):
        return PyList_GET_SIZE(array)
    if not PyTuple_CheckExact(array):
        raise Surprise
    return PyTuple_GET_SIZE(array)


cdef object item_of(array, Py_ssize_t i):
    """Return an item of what size_of measured; attributes of messages may be properties, which change lists."""
    if PyList_CheckExact(array):
        if i >= PyList_GET_SIZE(array):
            raise Surprise
        return <object>PyList_GET_ITEM(array, i)
    return <object>PyTuple_GET_ITEM(array, i)


cdef int write_text(Buffer& out, text) except -1:
    cdef Py_ssize_t size = 0
    cdef const char* utf8 = PyUnicode_AsUTF8AndSize(text, &size)
    out.raw(utf8, size)
    return 0


cdef int write_integer(Buffer& out, value, int64_t least, uint64_t most) except -1:
    cdef int overflow = 0
    cdef int64_t number
    cdef uint64_t large
    if not PyLong_CheckExact(value):
        raise Surprise
    number = PyLong_AsLongLongAndOverflow(value, &overflow)
    if overflow < 0:
        raise Surprise
    if overflow == 0 and number < 0:
        if number < least:
            raise Surprise
        out.integer(number)
        return 0
    large = <uint64_t>number if overflow == 0 else PyLong_AsUnsignedLongLong(value)
    if large > most:
        raise Surprise
    out.uint(large)
    return 0


cdef int write_object(Buffer& out, value, int depth) except -1:
    """Write what Writer.pack would."""
    cdef Py_ssize_t i, n
    if PyUnicode_Check(value):
        write_text(out, value)
    elif PyFloat_Check(value):
        out.number(PyFloat_AS_DOUBLE(value))
    elif PyList_CheckExact(value) or PyTuple_CheckExact(value):
        if depth == DEEPEST:
            raise Surprise
        n = size_of(value)
        out.array(n)
        for i in range(n):
            write_object(out, item_of(value, i), depth + 1)
    elif PyBytes_Check(value):
        out.raw(PyBytes_AS_STRING(value), PyBytes_GET_SIZE(value))
    elif value is None:
        out.nil()
    elif value is True or value is False:
        out.boolean(value is True)
    else:
        write_integer(out, value, INT64_MIN, UINT64_MAX)
    return 0


cdef class Shape:
    """What is compiled of a plan.

    Writing and reading raise whatever comes up for a value that is not exactly right, most often Surprise; what was
    written or made so far is thrown away then. They go as deep as the plan and no deeper.
    """

    cdef int write(self, Buffer& out, object value) except -1:
        cdef Py_ssize_t i, n
        cdef Shape part
        if self.kind == TEXT:
            if not PyUnicode_Check(value):
                raise Surprise
            write_text(out, value)
        elif self.kind == BYTES:
            if not PyBytes_Check(value):
                raise Surprise
            out.raw(PyBytes_AS_STRING(value), PyBytes_GET_SIZE(value))
        elif self.kind == INTEGER:
            write_integer(out, value, self.least, self.most)
        elif self.kind == REAL:
            if not PyFloat_Check(value):
                raise Surprise
            out.number(PyFloat_AS_DOUBLE(value))
        elif self.kind == TRUTH:
            if value is not True and value is not False:
                raise Surprise
            out.boolean(value is True)
        elif self.kind == OBJECT:
            write_object(out, value, 0)
        elif self.kind == NULLABLE:
            if value is None:
                out.nil()
            else:
                (<Shape>PyTuple_GET_ITEM(self.parts, 0)).write(out, value)
        elif self.kind == LIST:
            part = <Shape>PyTuple_GET_ITEM(self.parts, 0)
            n = size_of(value)
            out.array(n)
            for i in range(n):
                part.write(out, item_of(value, i))
        elif self.kind == DICT:
            if type(value) is not dict:
                raise Surprise
            self.write_map(out, value)
        elif self.kind == TUPLE or self.kind == MESSAGE and type(value) is not self.cls:
            self.write_parts(out, value)
        else:
            self.write_fields(out, value)
        return 0

    cdef int write_parts(self, Buffer& out, object values) except -1:
        cdef Py_ssize_t i, n = PyTuple_GET_SIZE(self.parts)
        if size_of(values) != n:
            raise Surprise
        out.array(n)
        for i in range(n):
            (<Shape>PyTuple_GET_ITEM(self.parts, i)).write(out, item_of(values, i))
        return 0

    cdef int write_fields(self, Buffer& out, object value) except -1:
        cdef Py_ssize_t i, n = PyTuple_GET_SIZE(self.parts)
        if not PyObject_TypeCheck(value, <PyTypeObject*>self.cls):
            raise Surprise
        out.array(n)
        for i in range(n):
            field = PyObject_GetAttr(value, <object>PyTuple_GET_ITEM(self.names, i))
            if self.kind == MESSAGE:
                (<Shape>PyTuple_GET_ITEM(self.parts, i)).write(out, field)
            else:
                write_object(out, field, 0)
        return 0

    cdef int write_map(self, Buffer& out, dict values) except -1:
        cdef list keys = sorted(values, key=order_of_key)
        out.map(len(keys))
        for key in keys:
            (<Shape>PyTuple_GET_ITEM(self.parts, 0)).write(out, key)
            (<Shape>PyTuple_GET_ITEM(self.parts, 1)).write(out, values[key])
        return 0

    cdef object read(self, Cursor& c):
        cdef Head h
        cdef double number = 0
        cdef float single = 0
        cdef uint32_t bits
        if self.kind == NULLABLE:
            if c.at < c.end and c.at[0] == 0xc0:
                c.at += 1
                return None
            return (<Shape>PyTuple_GET_ITEM(self.parts, 0)).read(c)
        if read_head(c, h):
            raise Surprise
        if self.kind == TEXT or self.kind == BYTES:
            if h.kind != RAW or <uint64_t>(c.end - c.at) < h.value:
                raise Surprise
            c.at += h.value
            if self.kind == TEXT:
                return PyUnicode_DecodeUTF8(<char*>(c.at - h.value), h.value, NULL)
            return (<const char*>c.at - h.value)[:h.value]
        if self.kind == INTEGER:
            if h.kind == UINT and h.value <= self.most:
                return h.value
            if h.kind == NEGATIVE and <int64_t>h.value >= self.least:
                return <int64_t>h.value
        elif self.kind == REAL:
            if h.kind == DOUBLE:
                memcpy(&number, &h.value, 8)
                return number
            if h.kind == SINGLE:
                bits = <uint32_t>h.value
                memcpy(&single, &bits, 4)
                return <double>single
        elif self.kind == TRUTH:
            if h.kind == BOOLEAN:
                return h.value == 1
        elif h.kind == MAP:
            if self.kind == DICT:
                return self.read_map(c, h.value)
        elif h.kind == ARRAY:
            # Each item has a byte at least: no more room is taken than the bytes deserve.
            if h.value > <uint64_t>(c.end - c.at):
                raise Surprise
            if self.kind == LIST:
                return self.read_list(c, h.value)
            if self.kind >= TUPLE and h.value == <uint64_t>PyTuple_GET_SIZE(self.parts):
                return self.read_tuple(c, h.value) if self.kind == TUPLE else self.read_object(c, h.value)
        raise Surprise

    cdef object read_list(self, Cursor& c, uint64_t n):
        cdef uint64_t i
        cdef Shape part = <Shape>PyTuple_GET_ITEM(self.parts, 0)
        values = PyList_New(n)
        for i in range(n):
            value = part.read(c)
            Py_INCREF(value)
            PyList_SET_ITEM(values, i, value)
        return values

    cdef object read_tuple(self, Cursor& c, uint64_t n):
        cdef uint64_t i
        values = PyTuple_New(n)
        for i in range(n):
            value = (<Shape>PyTuple_GET_ITEM(self.parts, i)).read(c)
            Py_INCREF(value)
            PyTuple_SET_ITEM(values, i, value)
        return values

    cdef object read_map(self, Cursor& c, uint64_t n):
        cdef uint64_t i
        cdef dict values = {}
        for i in range(n):
            key = (<Shape>PyTuple_GET_ITEM(self.parts, 0)).read(c)
            values[key] = (<Shape>PyTuple_GET_ITEM(self.parts, 1)).read(c)
        return values

    cdef object read_object(self, Cursor& c, uint64_t n):
        """Make an object as its constructor would, which only sets the attributes in this order."""
        cdef uint64_t i
        made = (<PyTypeObject*>self.cls).tp_new(self.cls, <PyObject*>NOTHING, NULL)
        for i in range(n):
            value = (<Shape>PyTuple_GET_ITEM(self.parts, i)).read(c)
            PyObject_SetAttr(made, <object>PyTuple_GET_ITEM(self.names, i), value)
        return made


cdef class Encoder:
    """Pack values, one of each of some types.

    Args:
        kinds: the types.
    """

    def __init__(self, kinds):
        self.kinds = tuple(kinds)
        self.shapes = tuple([shape_of(getattr(kind, "plan", None)) for kind in self.kinds])

    def array(self, tuple values not None):
        """Return the values as a packed array.

        Raises:
            TypeError: there are more or fewer than types.
            Exception: what ``to_msgpack`` of their types raises.
        """
        cdef Buffer out
        out.array(len(values))
        self.write(out, values)
        return take(out)

    def reader(self, tuple values not None):
        """Return a reader that stands on the first of the packed values; raise as ``array``."""
        cdef Buffer out
        cdef Reader reader = Reader.__new__(Reader)
        self.write(out, values)
        reader.owner = take(out)
        reader.base = <const uint8_t*>PyBytes_AS_STRING(reader.owner)
        reader.cursor.at = reader.base
        reader.cursor.end = reader.base + out.size
        return reader

    cdef int write(self, Buffer& out, tuple values) except -1:
        cdef Py_ssize_t i
        cdef size_t start
        if len(values) != len(self.kinds):
            raise TypeError(f"{len(self.kinds)} values are expected, but {len(values)} are given")
        out.reserve(1024)
        for i in range(len(self.kinds)):
            start = out.size
            shape = <object>PyTuple_GET_ITEM(self.shapes, i)
            if shape is not None:
                try:
                    (<Shape>shape).write(out, values[i])
                    continue
                except Exception:
                    out.size = start
            packed = <bytes>pack(self.kinds[i].to_msgpack(values[i]))
            out.append(PyBytes_AS_STRING(packed), PyBytes_GET_SIZE(packed))
        return 0


cdef class Decoder:
    """Unpack values of a type.

    Args:
        kind: the type.
    """

    def __init__(self, kind):
        self.kind = kind
        self.shape = shape_of(getattr(kind, "plan", None))

    def read(self, Reader reader not None):
        """Return the next value of a reader.

        Raises:
            BadArguments: the bytes end in the middle of it.
            Exception: what ``from_msgpack`` of the type raises.
        """
        cdef Cursor c = reader.cursor
        if self.shape is not None:
            try:
                value = self.shape.read(c)
                reader.cursor = c
                return value
            except Exception:
                pass
        return self.kind.from_msgpack(reader.unpack())

    def decode(self, bytes data not None):
        """Return the one value that the bytes hold; raise as ``read``, BadArguments too if others follow."""
        cdef Cursor c
        c.at = <const uint8_t*>PyBytes_AS_STRING(data)
        c.end = c.at + PyBytes_GET_SIZE(data)
        if self.shape is not None:
            try:
                value = self.shape.read(c)
                if c.at == c.end:
                    return value
            except Exception:
                pass
        return self.kind.from_msgpack(unpack(data))
