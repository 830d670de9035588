"""Cutting a stream into messages."""

cimport cython
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from cpython.object cimport PyObject
from libc.stdint cimport uint32_t
from libc.string cimport memcpy

from jubatus._core.kernels.bytes cimport (
    DEEP, INVALID, OK, SHORT, UINT, Cursor, Head, read_array, read_head, read_raw, scan, scan_start, skip,
)
from jubatus._core.wire.reader cimport Reader, cut

from jubatus.errors import BadArguments

cdef extern from "Python.h":
    PyObject* new_bytes "PyBytes_FromStringAndSize"(const char* p, Py_ssize_t size) except NULL
    int _PyBytes_Resize(PyObject** p, Py_ssize_t size) except -1
    void Py_XDECREF(PyObject* p)


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
        cdef const unsigned char* start = NULL
        cdef const unsigned char* end = NULL
        cdef Frame frame
        self.begin(data)
        while self.next(&start, &end):
            frame = self.frame(start, end)
            if frame is None:
                break
            frames.append(frame)
        self.owner = None
        return frames

    cdef int begin(self, bytes data) except -1:
        """Take the next chunk; `next` cuts it. What is left to cut of the chunk before comes first."""
        cdef Cursor cursor
        cdef const unsigned char* base
        cdef int status
        if self.at != self.end:
            base = <const unsigned char*>PyBytes_AS_STRING(self.owner)
            data = self.owner[self.at - base :] + data
        self.owner = data
        self.at = <const unsigned char*>PyBytes_AS_STRING(data)
        self.end = self.at + PyBytes_GET_SIZE(data)
        self.first = 0
        if self.failure is not None:
            self.at = self.end
        elif self.held_size:
            self.hold(self.at, self.end - self.at)
            self.at = self.end
            base = <const unsigned char*>PyBytes_AS_STRING(<object>self.held)
            cursor.at = base + self.scanned
            cursor.end = base + self.held_size
            status = scan(self.scan, cursor, self.max_depth)
            if status == OK:
                # The held message is whole: from here on the joined bytes are cut like a single chunk.
                self.first = cursor.at - base
                self.owner = self.release()
                self.at = <const unsigned char*>PyBytes_AS_STRING(self.owner)
                self.end = self.at + PyBytes_GET_SIZE(self.owner)
            else:
                self.scanned = cursor.at - base
                self.check(status)
        return 0

    cdef bint next(self, const unsigned char** start, const unsigned char** end) except -1:
        """Cut the next whole message from the chunk; whether there was one. What is left then is held."""
        cdef Cursor cursor
        cdef int status = OK
        if self.at == self.end:
            return False
        cursor.at = self.at + self.first
        cursor.end = self.end
        if not self.first:
            scan_start(self.scan)
            status = scan(self.scan, cursor, self.max_depth)
        if status == SHORT:
            self.scanned = cursor.at - self.at
            self.hold(self.at, self.end - self.at)
        if status:
            self.at = self.end
            self.check(status)
            return False
        start[0], end[0] = self.at, cursor.at
        self.at = cursor.at
        self.first = 0
        return True

    cdef int check(self, int status) except -1:
        """Note why the stream is broken, if it is, after a scan that did not find the end of a message."""
        if status == INVALID:
            self.failure = "a byte that starts no MessagePack value"
        elif status == DEEP:
            self.failure = f"containers nested deeper than {self.max_depth}"
        elif self.held_size > self.max_size:
            self.failure = f"a message of more than {self.max_size} bytes"
        return 0

    cdef Frame frame(self, const unsigned char* start, const unsigned char* end):
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
            return self.broken(f"a message of more than {self.max_size} bytes")
        if read_array(c, fields) or fields < 1 or read_head(c, h) or h.kind != UINT or h.value > 2:
            return self.broken("a value that is no MessagePack-RPC message")
        frame.kind = <int>h.value
        if (frame.kind == 1) != self.responses:
            return self.broken("a request to a client" if self.responses else "a response to a server")
        if frame.kind != 2:
            if fields < 2 or read_head(c, h) or h.kind != UINT or h.value > 0xffffffff:
                return self.broken("a message id that is no unsigned 32 bit integer")
            frame.msgid = <uint32_t>h.value
            fields -= 1
        if self.responses:
            if fields != 3:
                return self.broken("a response that has not four fields")
            try:
                frame.error = cut(self.owner, c.at, end).unpack()
            except BadArguments as error:
                return self.broken(f"an error that cannot be read: {error}")
            skip(c)
            frame.result = cut(self.owner, c.at, end)
            return frame
        frame.call = c.at
        if fields < 2 or read_raw(c, name, size):
            return self.broken("a method name that is no string")
        frame.method = name[:size]
        frame.params = cut(self.owner, c.at, end) if fields > 2 else Reader(b"\xc0")
        return frame

    cdef Frame broken(self, str reason):
        """Note why the stream is broken; nothing more is cut."""
        self.failure = reason
        self.at = self.end
        return None
