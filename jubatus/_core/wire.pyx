"""MessagePack-RPC over bytes: reading, writing, and cutting a stream into messages. No I/O.

The dialect is the one of msgpack-c 0.5.9: raw strings are written in the old format only (no str8, no bin), everything
but extension types is read. An envelope is ``[0, msgid, method, params]``, ``[1, msgid, error, result]`` or
``[2, method, params]``.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from cpython.object cimport PyObject
from libc.stdint cimport int64_t, uint32_t, uint64_t
from libc.string cimport memcpy
cimport cython

from jubatus._core.kernels cimport (
    ARRAY, BOOLEAN, DEEP, DOUBLE, INVALID, MAP, NEGATIVE, NIL, OK, RAW, SHORT, UINT,
    Buffer, Cursor, Head, read_array, read_double, read_head, read_map, read_raw, scan, scan_start, skip,
)

from jubatus.errors import BadArguments

cdef extern from "Python.h":
    bytes PyBytes_FromStringAndSize(const char* p, Py_ssize_t size)
    PyObject* new_bytes "PyBytes_FromStringAndSize"(const char* p, Py_ssize_t size) except NULL
    int _PyBytes_Resize(PyObject** p, Py_ssize_t size) except -1
    void Py_XDECREF(PyObject* p)
    int Py_EnterRecursiveCall(const char* where) except -1
    void Py_LeaveRecursiveCall()


cdef enum:
    LARGE = 1 << 20  # bytes from which a copy is worth dropping the GIL


cdef bytes take(Buffer& buffer):
    """Copy a buffer into a bytes object."""
    return copied(<const char*>buffer.data, buffer.size)


cdef bytes copied(const char* p, Py_ssize_t size):
    cdef bytes out
    if size < LARGE:
        return p[:size]
    out = PyBytes_FromStringAndSize(NULL, size)
    copy(PyBytes_AS_STRING(out), p, size)
    return out


cdef void copy(char* target, const char* source, size_t size) noexcept:
    if size < LARGE:
        memcpy(target, source, size)
    else:
        with nogil:  # long: large results and models
            memcpy(target, source, size)


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
            BadArguments: as well for a map with a key that cannot be one (a list or a map).
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
                key = self._unpack()
                if isinstance(key, (list, dict)):
                    raise mismatch("a map with plain keys")
                values[key] = self._unpack()
            return values
        return number(h)


cdef double number(Head& h) noexcept:
    cdef double d = 0
    cdef float f = 0
    cdef uint32_t bits = <uint32_t>h.value
    if h.kind == DOUBLE:
        memcpy(&d, &h.value, 8)
        return d
    memcpy(&f, &bits, 4)
    return f





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


@cython.freelist(256)
cdef class Frame:
    """One message of a stream.

    Attributes:
        kind: 0 request, 1 response, 2 notification.
        msgid: number of the request; 0 for a notification.
        method: name of the method; None for a response.
        params: a reader that stands on the params (an array, or nil); None for a response.
        error: the error of a response, unpacked.
        result: a reader that stands on the result of a response.
        size: bytes of the whole message.
    """


cdef class FrameSplitter:
    """Cut a stream that arrives in chunks into messages, scanning each byte once.

    Args:
        max_size: bytes that one message may have.
        max_depth: containers that may be open inside each other, at most 255.
        responses: expect responses (a client) and not requests and notifications (a server).

    Attributes:
        failure: why the stream is broken, or None. A broken stream yields no more messages; its owner answers what
            was returned so far and closes the connection.
    """

    def __init__(self, Py_ssize_t max_size=512 << 20, int max_depth=32, bint responses=False):
        if not 0 < max_depth < 256:
            raise ValueError(f"max_depth must be from 1 to 255, but is {max_depth}")
        self.max_size = max_size
        self.max_depth = max_depth
        self.responses = responses
        scan_start(self.scan)

    def __dealloc__(self):
        Py_XDECREF(self.held)

    @property
    def pending(self):
        """Bytes held of a message that is not whole."""
        return self.held_size

    cdef int hold(self, const unsigned char* p, Py_ssize_t size) except -1:
        """Keep a piece of an unfinished message, in a bytes object that becomes the message without a copy."""
        cdef Py_ssize_t wanted = self.held_size + size
        if self.held == NULL:
            self.held = new_bytes(NULL, wanted)
        elif wanted > PyBytes_GET_SIZE(<object>self.held):
            try:
                _PyBytes_Resize(&self.held, max(wanted, 2 * PyBytes_GET_SIZE(<object>self.held)))
            except MemoryError:
                self.held_size = 0  # what was held is gone
                raise
        memcpy(PyBytes_AS_STRING(<object>self.held) + self.held_size, p, size)
        self.held_size = wanted
        return 0

    cdef bytes release(self):
        """Give out what is held."""
        cdef bytes message
        _PyBytes_Resize(&self.held, self.held_size)
        message = <bytes>self.held
        Py_XDECREF(self.held)
        self.held = NULL
        self.held_size = 0
        return message

    def feed(self, bytes data not None):
        """Take the next chunk and return the messages that it completes, in order, as a list of Frame."""
        cdef list frames = []
        cdef bytes owner = data
        cdef Cursor cursor
        cdef const unsigned char* base
        cdef const unsigned char* start
        cdef Py_ssize_t done = 0
        cdef int status = OK
        cdef Frame frame
        if self.failure is not None:
            return frames
        if self.held_size:
            self.hold(<const unsigned char*>PyBytes_AS_STRING(data), PyBytes_GET_SIZE(data))
            base = <const unsigned char*>PyBytes_AS_STRING(<object>self.held)
            cursor.at = base + self.scanned
            cursor.end = base + self.held_size
            status = scan(self.scan, cursor, self.max_depth)
            if status == OK:
                # The held message is whole: from here on the joined bytes are scanned like a single chunk.
                done = cursor.at - base
                owner = self.release()
            else:
                self.scanned = cursor.at - base
        base = <const unsigned char*>PyBytes_AS_STRING(owner)
        start = base
        cursor.end = base + PyBytes_GET_SIZE(owner)
        while status == OK:
            if done:
                cursor.at = base + done
                done = 0
            elif start == cursor.end:
                return frames
            else:
                cursor.at = start
                scan_start(self.scan)
                status = scan(self.scan, cursor, self.max_depth)
                if status:
                    if status == SHORT:
                        self.scanned = cursor.at - start
                        self.hold(start, cursor.end - start)
                    break
            frame = self.frame(owner, start, cursor.at)
            if frame is None:
                return frames
            frames.append(frame)
            start = cursor.at
        if status == INVALID:
            self.failure = "a byte that starts no MessagePack value"
        elif status == DEEP:
            self.failure = f"containers nested deeper than {self.max_depth}"
        elif self.held_size > self.max_size:
            self.failure = f"a message of more than {self.max_size} bytes"
        return frames

    cdef Frame frame(self, bytes owner, const unsigned char* start, const unsigned char* end):
        """Read the envelope of a whole message; None, with failure set, where it is none."""
        cdef Frame frame = Frame.__new__(Frame)
        cdef Cursor c
        cdef Head h
        cdef uint32_t fields = 0, size = 0
        cdef const char* name
        c.at = start
        c.end = end
        frame.size = end - start
        if frame.size > self.max_size:
            self.failure = f"a message of more than {self.max_size} bytes"
            return None
        if read_array(c, fields) or fields < 1 or read_head(c, h) or h.kind != UINT or h.value > 2:
            self.failure = "a value that is no MessagePack-RPC message"
            return None
        frame.kind = <int>h.value
        if (frame.kind == 1) != self.responses:
            self.failure = "a request to a client" if self.responses else "a response to a server"
            return None
        if frame.kind != 2:
            if fields < 2 or read_head(c, h) or h.kind != UINT or h.value > 0xffffffff:
                self.failure = "a message id that is no unsigned 32 bit integer"
                return None
            frame.msgid = <uint32_t>h.value
            fields -= 1
        if self.responses:
            if fields != 3:
                self.failure = "a response that has not four fields"
                return None
            try:
                frame.error = cut(owner, c.at, end).unpack()
            except BadArguments as error:
                self.failure = f"an error that cannot be read: {error}"
                return None
            skip(c)
            frame.result = cut(owner, c.at, end)
            return frame
        if fields < 2 or read_raw(c, name, size):
            self.failure = "a method name that is no string"
            return None
        frame.method = name[:size]
        frame.params = cut(owner, c.at, end) if fields > 2 else Reader(b"\xc0")
        return frame


cdef Reader cut(bytes owner, const unsigned char* at, const unsigned char* end):
    cdef Reader reader = Reader.__new__(Reader)
    reader.owner = owner
    reader.base = <const unsigned char*>PyBytes_AS_STRING(owner)
    reader.cursor.at = at
    reader.cursor.end = end
    return reader


cpdef bytes reply(uint32_t msgid, bytes result):
    """Return the response that carries a packed result."""
    cdef unsigned char head[8]
    cdef int n = 2
    cdef bytes out
    cdef char* p
    cdef Py_ssize_t size = PyBytes_GET_SIZE(result)
    head[0] = 0x94
    head[1] = 1
    if msgid < 0x80:
        head[2] = <unsigned char>msgid
        n = 3
    elif msgid <= 0xff:
        head[2] = 0xcc
        head[3] = <unsigned char>msgid
        n = 4
    elif msgid <= 0xffff:
        head[2] = 0xcd
        head[3] = <unsigned char>(msgid >> 8)
        head[4] = <unsigned char>msgid
        n = 5
    else:
        head[2] = 0xce
        head[3] = <unsigned char>(msgid >> 24)
        head[4] = <unsigned char>(msgid >> 16)
        head[5] = <unsigned char>(msgid >> 8)
        head[6] = <unsigned char>msgid
        n = 7
    head[n] = 0xc0
    out = PyBytes_FromStringAndSize(NULL, n + 1 + size)
    p = PyBytes_AS_STRING(out)
    memcpy(p, head, n + 1)
    copy(p + n + 1, PyBytes_AS_STRING(result), size)
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
