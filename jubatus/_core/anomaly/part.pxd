from libcpp.string cimport string

from jubatus._core.anomaly.detector cimport Entry, Store
from jubatus._core.mix.whole cimport Whole
from jubatus._core.similar.method cimport SimilarRows
from jubatus._core.unlearn cimport Unlearner


cdef class LofPart(Whole):
    cdef Store store
    cdef SimilarRows rows
    cdef Unlearner unlearner
    cdef void remove_row(self, const string& id) noexcept nogil
    cdef bint touch(self, const string& id) noexcept nogil
    cdef void put(self, const string& id, const Entry& entry) noexcept nogil
