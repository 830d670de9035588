from libc.stdint cimport uint32_t, uint64_t
from libcpp.string cimport string

from jubatus._core.kernels.bytes cimport Cursor
from jubatus._core.linear.diff cimport Weights
from jubatus._core.linear.steps cimport Adaptation, LinearMethod
from jubatus._core.linear.table cimport WeightTable
from jubatus._core.linear.workspace cimport LinearWorkspace
from jubatus._core.model cimport Model


cdef struct Targets:
    # Of what was trained since the start, the last clear or load.
    double sum, squares
    uint64_t count


cdef class Regression(Model):
    cdef WeightTable weights
    cdef Weights linear  # the weights as a part
    cdef LinearMethod method
    cdef string label  # the only one
    cdef float rate, sensitivity, c
    cdef Targets targets

    cdef int read_parameter(self, parameter, list errors) except -1
    cdef void forget_targets(self) noexcept nogil
    cdef int train_one(self, LinearWorkspace w, Cursor* c) noexcept nogil
    cdef double estimate_one(self, LinearWorkspace w) noexcept nogil
    cdef void learn(self, LinearWorkspace w, double target) noexcept nogil
    cdef double deviation(self, double target) noexcept nogil
    cdef void add_all(self, LinearWorkspace w, double step) noexcept nogil
    cdef void learn_surely(self, LinearWorkspace w, double sign, double loss, double error) noexcept nogil
    cdef uint32_t row_of(self, LinearWorkspace w, size_t i) noexcept nogil
