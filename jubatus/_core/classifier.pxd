from libcpp.string cimport string

from jubatus._core.convert cimport Converter
from jubatus._core.kernels cimport Buffer, Cursor
from jubatus._core.labels cimport LabelCounts
from jubatus._core.linear cimport Storage
from jubatus._core.model cimport Model
from jubatus._core.sparse cimport Work
from jubatus._core.unlearn cimport Unlearner


cdef enum Update:
    PERCEPTRON, PA, PA1, PA2, CW, AROW, NHERD


cdef class Classifier(Model):
    cdef Converter converter
    cdef Storage storage
    cdef LabelCounts counts
    cdef Unlearner unlearner
    cdef Update method
    cdef float c

    cdef int check(self, int status, Work* w) except -1
    cdef int train_one(self, Work* w, Cursor* c, string* label) noexcept nogil
    cdef int train_all(self, Work* w, Cursor* c, unsigned int n) noexcept nogil
    cdef int classify_all(self, Work* w, Cursor* c, unsigned int n, Buffer* out) noexcept nogil
    cdef bint learn(self, Work* w, const string& label) noexcept nogil
    cdef void touch(self, const string& label) noexcept nogil
    cdef void add_all(self, Work* w, const string& label, const string& rival, bint has_rival, double step) noexcept nogil
    cdef void adapt_all(
        self, Work* w, const string& label, const string& rival, bint has_rival, double step, double variance
    ) noexcept nogil
    cdef bint forget(self, const string& label) noexcept nogil
