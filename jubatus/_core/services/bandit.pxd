from libc.stdint cimport int32_t, uint32_t
from libcpp.vector cimport vector

from jubatus._core.convert.workspace cimport Workspace
from jubatus._core.kernels.random cimport RandomStream
from jubatus._core.model cimport Model
from jubatus._core.bandit.tallies cimport Player, Tallies


cdef enum Method: EPSILON_GREEDY, EPSILON_DECREASING, UCB1, SOFTMAX, EXP3, TS


cdef class Bandit(Model):
    cdef Tallies tallies
    cdef Method method
    cdef bint assume_unrewarded
    cdef double number  # epsilon, decreasing_rate, tau or gamma
    cdef RandomStream random
    cdef int read_parameter(self, str name, object parameter, list errors) except -1


cdef class BanditWorkspace(Workspace):
    # What is known of a player: for each registered arm, in the order of registration.
    cdef int32_t total
    cdef vector[int32_t] trials
    cdef vector[double] weights, scores
    cdef void add(self, Tallies tallies, Player* player) noexcept nogil
