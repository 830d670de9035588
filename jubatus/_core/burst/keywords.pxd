from libc.stdint cimport int32_t, uint32_t
from libcpp.string cimport string
from libcpp.vector cimport vector

from jubatus._core.kernels.bytes cimport Buffer, Cursor, Span
from jubatus._core.kernels.names cimport Names
from jubatus._core.mix.whole cimport Whole
from jubatus._core.burst.windows cimport BurstKeyword, BurstOptions, BurstWindow


cdef struct Document:
    double position
    Span text


cdef class Keywords(Whole):
    cdef object context
    cdef BurstOptions options
    cdef Names names
    cdef Names processed
    cdef vector[BurstKeyword] known  # by place in `names`
    cdef bint holds(self, const string& name) noexcept
    cdef bint add(self, const string& name, double scaling, double gamma) noexcept
    cdef bint remove(self, const string& name) noexcept
    cdef void process(self, uint32_t at) noexcept
    cdef void drop(self, uint32_t at) noexcept
    cdef void reassign(self, bint at_once) noexcept
    cdef int32_t count(self, const vector[Document]& documents) noexcept nogil
    cdef void put_results(self, Cursor* c, uint32_t at) noexcept nogil
    cdef int unpack_keywords(self, Cursor* c) noexcept nogil
    cdef int unpack_inputs(self, Cursor* c) noexcept nogil


cdef void write_batches(const BurstWindow* window, Buffer* out) noexcept nogil
