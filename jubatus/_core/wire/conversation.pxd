cimport cython
from cpython.object cimport PyObject
from libc.stdint cimport uint32_t, uint64_t
from libcpp.vector cimport vector

from jubatus._core.kernels.bytes cimport Buffer, Cursor
from jubatus._core.wire.splitter cimport Frame, FrameSplitter
from jubatus._core.wire.turn cimport Turn


cdef class DirectHandler:
    cdef public bint adds
    cdef int answer(self, Cursor* args, Buffer* out) except -1
    cdef bint takes_long(self) noexcept


cdef struct Shortcut:
    const char* name
    uint32_t size
    PyObject* handler  # a DirectHandler, borrowed from the list of those
    uint32_t arity
    bint update
    bint counts
    bint mixes


@cython.final
cdef class Shortcuts:
    cdef public bint busy, writing
    cdef public uint64_t updates
    cdef public object mixed
    cdef public Turn turn
    cdef object refuse
    cdef Py_ssize_t longest
    cdef list kept  # names and handlers that the rows point to
    cdef vector[Shortcut] rows
    cdef const Shortcut* find(self, const char* name, uint32_t size) noexcept
    cdef bint takes(self, const Shortcut* row, Py_ssize_t size) noexcept


cdef struct Envelope:
    int kind
    uint32_t msgid
    const unsigned char* call
    const char* method
    uint32_t size
    Cursor params


cdef class Conversation:
    cdef public object send
    cdef public bint steady
    cdef public double last
    cdef readonly Py_ssize_t waiting, withheld
    cdef Py_ssize_t withheld_size
    cdef object serve, ready
    cdef Shortcuts shortcuts
    cdef FrameSplitter splitter
    cdef Py_ssize_t limit, held
    cdef Buffer out
    cdef list owed
    cdef bint is_full(self) noexcept
    cdef bint is_through(self) noexcept
    cdef Py_ssize_t answer(self, const unsigned char* start, const unsigned char* end) except -1
    cdef bint answer_directly(self, const unsigned char* start, const unsigned char* end) except -1
    cdef int put(self, bytes reply) except -1
    cdef bytes written(self)
    cpdef int owe(self, uint32_t msgid) except -1
    cdef int record(self, Envelope* envelope, const unsigned char* end, bint good) except -1
    cdef int release(self, bytes replies) except -1
    cpdef bint withhold(self, bytes replies) except -1
    cpdef bytes receive(self, bytes data)
    cpdef bytes resume(self)
