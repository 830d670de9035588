from libcpp.string cimport string

from jubatus._core.convert.converter cimport Converter
from jubatus._core.kernels.bytes cimport Buffer, Cursor
from jubatus._core.linear.diff cimport Weights
from jubatus._core.linear.table cimport LinearWorkspace, WeightTable
from jubatus._core.mix.map cimport Map
from jubatus._core.model cimport Model
from jubatus._core.unlearn cimport Unlearner


cdef enum Update:
    PERCEPTRON, PA, PA1, PA2, CW, AROW, NHERD


cdef class Classifier(Model):
    cdef Converter converter
    cdef WeightTable weights
    cdef Map counts
    cdef Unlearner unlearner
    cdef Weights linear  # weights, counts and unlearner as a part
    cdef Update method
    cdef float c

    cdef int check(self, int status, LinearWorkspace w) except -1
    cdef int train_one(self, LinearWorkspace w, Cursor* c, string* label) noexcept nogil
    cdef int train_all(self, LinearWorkspace w, Cursor* c, unsigned int n) noexcept nogil
    cdef int classify_all(self, LinearWorkspace w, Cursor* c, unsigned int n, Buffer* out) noexcept nogil
    cdef bint learn(self, LinearWorkspace w, const string& label) noexcept nogil
    cdef void add_all(self, LinearWorkspace w, const string& label, const string& rival, bint has_rival, double step) noexcept nogil
    cdef void adapt_all(
        self, LinearWorkspace w, const string& label, const string& rival, bint has_rival, double step, double variance
    ) noexcept nogil
