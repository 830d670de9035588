"""Writing of packed values, and of replies."""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from libc.stdint cimport uint32_t
from libc.string cimport memcpy

from jubatus._core.wire.memory cimport LARGE, copy, take

cdef extern from "Python.h":
    bytes PyBytes_FromStringAndSize(const char* p, Py_ssize_t size)
    int Py_EnterRecursiveCall(const char* where) except -1
    void Py_LeaveRecursiveCall()


cdef class Writer:
    """Write packed values one behind the other into a growing buffer."""

    def string(self, v):
        """Write bytes, or text as UTF-8, in the old raw format."""
        cdef bytes data = v if isinstance(v, bytes) else v.encode("utf-8", "surrogateescape")
        cdef const char* p = PyBytes_AS_STRING(data)
        cdef Py_ssize_t size = PyBytes_GET_SIZE(data)
        if size < LARGE:
            self.buffer.raw(p, size)
        else:
            with nogil:  # long: diffs and models
                self.buffer.raw(p, size)

    def integer(self, v):
        """Write an integer from -2**63 to 2**64 - 1 in its shortest form."""
        if v < 0:
            self.buffer.integer(v)
        else:
            self.buffer.uint(v)

    def double(self, double v):
        """Write a number as float64."""
        self.buffer.number(v)

    def boolean(self, bint v):
        """Write a bool."""
        self.buffer.boolean(v)

    def nil(self):
        """Write nil."""
        self.buffer.nil()

    def array(self, uint32_t n):
        """Start an array of n values."""
        self.buffer.array(n)

    def map(self, uint32_t n):
        """Start a map of n pairs."""
        self.buffer.map(n)

    def append(self, bytes packed not None):
        """Write values that are packed already."""
        self.buffer.append(PyBytes_AS_STRING(packed), PyBytes_GET_SIZE(packed))

    def pack(self, v):
        """Write None, bool, int, float, str, bytes, a list, a tuple or a dict (by ascending key bytes) of these.

        Raises:
            TypeError: for anything else.
            RecursionError: for what is nested too deep.
        """
        if v is None:
            self.buffer.nil()
        elif isinstance(v, bool):
            self.buffer.boolean(v)
        elif isinstance(v, int):
            self.integer(v)
        elif isinstance(v, float):
            self.buffer.number(v)
        elif isinstance(v, (bytes, str)):
            self.string(v)
        elif isinstance(v, (list, tuple, dict)):
            Py_EnterRecursiveCall(" while packing")  # a list may hold itself
            try:
                self.pack_container(v)
            finally:
                Py_LeaveRecursiveCall()
        else:
            raise TypeError(f"a value of type {type(v).__name__} cannot be packed")

    cdef int pack_container(self, v) except -1:
        if isinstance(v, dict):
            self.buffer.map(len(v))
            for key in sorted(v, key=order_of_key):
                self.pack(key)
                self.pack(v[key])
        else:
            self.buffer.array(len(v))
            for item in v:
                self.pack(item)
        return 0

    def getvalue(self):
        """Return all that was written."""
        return take(self.buffer)


def order_of_key(key):
    """Return what the keys of a map are sorted by: the bytes of strings, everything else by its packed form."""
    if isinstance(key, str):
        return key.encode("utf-8", "surrogateescape")
    return key if isinstance(key, bytes) else pack(key)


def pack(v):
    """Return a value packed as Writer.pack does."""
    writer = Writer()
    writer.pack(v)
    return writer.getvalue()


cpdef bytes reply(uint32_t msgid, bytes result):
    """Return the response that carries a packed result."""
    cdef unsigned char memory[32]
    cdef Buffer head
    cdef Py_ssize_t size = PyBytes_GET_SIZE(result)
    cdef bytes out
    cdef char* p
    head.lend(memory, sizeof(memory))
    put_reply_head(head, msgid)
    out = PyBytes_FromStringAndSize(NULL, head.size + size)
    p = PyBytes_AS_STRING(out)
    memcpy(p, head.data, head.size)
    copy(p + head.size, PyBytes_AS_STRING(result), size)
    return out


def error_reply(uint32_t msgid, error, result=None):
    """Return the response that carries an error.

    Args:
        msgid: number of the request.
        error: 1 (unknown method) or 2 (bad arguments), or a text.
        result: what stands beside the error: the method's name for 1, a text for 2, nil for a text.
    """
    writer = Writer()
    writer.pack([1, msgid, error, result])
    return writer.getvalue()
