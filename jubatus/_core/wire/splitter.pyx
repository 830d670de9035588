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
