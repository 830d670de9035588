"""Reading of packed values."""

cimport cython
from cpython.bytes cimport PyBytes_AS_STRING
from libc.stdint cimport int64_t, uint32_t, uint64_t
from libc.string cimport memcpy

from jubatus._core.kernels.bytes cimport (
    ARRAY, BOOLEAN, DOUBLE, MAP, NEGATIVE, NIL, RAW, UINT, Cursor, Head, read_array, read_double, read_head, read_map,
    read_raw, skip,
)
from jubatus._core.wire.memory cimport copied

from jubatus.errors import BadArguments


cdef object mismatch(str wanted):
    return BadArguments(f"{wanted} is expected")


@cython.freelist(256)
cdef class Reader:
    """Read packed values in order from a piece of a bytes object.

    Args:
        data: the bytes; kept alive by the reader.
        start: where the first value stands.
        end: behind the last byte that may be read; the end of data when left out.

    Every method raises BadArguments where the next value is of another type or the bytes end.
    """

    def __init__(self, bytes data not None, Py_ssize_t start=0, end=None):
        cdef Py_ssize_t size = len(data)
        cdef Py_ssize_t stop = size if end is None else end
        if not 0 <= start <= stop <= size:
            raise ValueError(f"0 <= start <= end <= {size} is expected, but start is {start} and end is {stop}")
        self.owner = data
        self.base = <const unsigned char*>PyBytes_AS_STRING(data)
        self.cursor.at = self.base + start
        self.cursor.end = self.base + stop

    @property
    def offset(self):
        """Where in the bytes the next value stands."""
        return self.cursor.at - self.base

    @property
    def at_end(self):
        """Whether all values have been read."""
        return self.cursor.at >= self.cursor.end

    cpdef arguments(self, Py_ssize_t count):
        """Enter a params array of at least 1 + count values and step over the first, the cluster's name."""
        cdef uint32_t n = 0, size = 0
        cdef const char* name
        if read_array(self.cursor, n) or n < count + 1 or read_raw(self.cursor, name, size):
            raise BadArguments(f"the cluster's name and {count} arguments are expected")

    def string(self):
        """Return the next value, a string of any of the raw formats, as bytes."""
        cdef uint32_t size = 0
        cdef const char* p
        if read_raw(self.cursor, p, size):
            raise mismatch("a string")
        return copied(p, size)

    def integer(self):
        """Return the next value, an integer."""
        cdef Head h
        if read_head(self.cursor, h) or (h.kind != UINT and h.kind != NEGATIVE):
            raise mismatch("an integer")
        return h.value if h.kind == UINT else <int64_t>h.value

    def double(self):
        """Return the next value, any number, as a float."""
        cdef double v = 0
        if read_double(self.cursor, v):
            raise mismatch("a number")
        return v

    def boolean(self):
        """Return the next value, a bool."""
        cdef Head h
        if read_head(self.cursor, h) or h.kind != BOOLEAN:
            raise mismatch("a bool")
        return bool(h.value)

    def array(self):
        """Enter an array and return the number of its values."""
        cdef uint32_t n = 0
        if read_array(self.cursor, n):
            raise mismatch("an array")
        return n

    def map(self):
        """Enter a map and return the number of its pairs."""
        cdef uint32_t n = 0
        if read_map(self.cursor, n):
            raise mismatch("a map")
        return n

    def skip(self):
        """Step over the next value."""
        if skip(self.cursor):
            raise mismatch("a whole value")

    def raw(self):
        """Return the bytes of the next value, undecoded."""
        cdef const unsigned char* start = self.cursor.at
        self.skip()
        return copied(<const char*>start, self.cursor.at - start)

    def unpack(self):
        """Return the next value as Python objects; raw strings become bytes.

        Raises:
            BadArguments: as well for a map with a key that is a map or has one inside. An array becomes a tuple there.
        """
        cdef Cursor probe = self.cursor
        # A whole and not too deep value first: then the recursion below is bounded.
        if skip(probe):
            raise mismatch("a whole value")
        return self._unpack()

    cdef object _unpack(self):
        cdef Head h
        cdef uint64_t i
        read_head(self.cursor, h)
        if h.kind == UINT:
            return h.value
        if h.kind == NEGATIVE:
            return <int64_t>h.value
        if h.kind == RAW:
            self.cursor.at += h.value
            return (<const char*>self.cursor.at - h.value)[:h.value]
        if h.kind == NIL:
            return None
        if h.kind == BOOLEAN:
            return bool(h.value)
        if h.kind == ARRAY:
            return [self._unpack() for _ in range(h.value)]
        if h.kind == MAP:
            values = {}
            for i in range(h.value):
                key = plain(self._unpack())
                values[key] = self._unpack()
            return values
        return number(h)


cdef object plain(key):
    """Return the key of a map as an object that can be one."""
    if isinstance(key, dict):
        raise mismatch("a map with plain keys")
    return tuple([plain(item) for item in key]) if isinstance(key, list) else key


cdef double number(Head& h) noexcept:
    cdef double d = 0
    cdef float f = 0
    cdef uint32_t bits = <uint32_t>h.value
    if h.kind == DOUBLE:
        memcpy(&d, &h.value, 8)
        return d
    memcpy(&f, &bits, 4)
    return f


def unpack(bytes data not None):
    """Return the one value that the bytes hold.

    Raises:
        BadArguments: if they do not hold exactly one whole value.
    """
    cdef Reader reader = Reader(data)
    value = reader.unpack()
    if not reader.at_end:
        raise BadArguments("bytes follow the value")
    return value


cdef Reader cut(bytes owner, const unsigned char* at, const unsigned char* end):
    cdef Reader reader = Reader.__new__(Reader)
    reader.owner = owner
    reader.base = <const unsigned char*>PyBytes_AS_STRING(owner)
    reader.cursor.at = at
    reader.cursor.end = end
    return reader
