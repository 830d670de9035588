from libc.stdint cimport uint32_t
from libcpp.string cimport string

from jubatus._core.kernels.bytes cimport Cursor
from jubatus._core.linear.diff cimport Weights
from jubatus._core.linear.steps cimport Adaptation, LinearMethod
from jubatus._core.linear.table cimport WeightTable
from jubatus._core.linear.workspace cimport LinearWorkspace
from jubatus._core.mix.map cimport Map
from jubatus._core.model cimport Model
from jubatus._core.unlearn cimport Unlearner


cdef class Classifier(Model):
    cdef WeightTable weights
    cdef Map counts
    cdef Unlearner unlearner
    cdef Weights linear  # weights, counts and unlearner as a part
    cdef LinearMethod method
    cdef float c

    cdef int train_one(self, LinearWorkspace w, Cursor* c, string* label) noexcept nogil
    cdef int admit(self, LinearWorkspace w, const string& label) noexcept nogil
    cdef bint learn(self, LinearWorkspace w, const string& label) noexcept nogil
    cdef uint32_t rival_of(self, LinearWorkspace w, uint32_t label) noexcept nogil
    cdef bint learn_passively(
        self, LinearWorkspace w, const string& label, const string& rival, double loss
    ) noexcept nogil
    cdef bint learn_surely(
        self, LinearWorkspace w, const string& label, const string& rival, double margin, double variance
    ) noexcept nogil
    cdef void add_all(self, LinearWorkspace w, const string& label, const string& rival, double step) noexcept nogil
    cdef void adapt_all(
        self, LinearWorkspace w, const string& label, const string& rival, const Adaptation* step
    ) noexcept nogil
    cdef void adapt(
        self, uint32_t at, uint32_t label, const Adaptation* step, double x, double sign
    ) noexcept nogil
