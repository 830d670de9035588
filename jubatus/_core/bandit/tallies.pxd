from libc.stdint cimport int32_t, uint32_t, uint64_t
from libcpp.string cimport string
from libcpp.vector cimport vector

from jubatus._core.kernels.bytes cimport Buffer, Cursor
from jubatus._core.kernels.names cimport Names
from jubatus._core.mix.whole cimport Whole


cdef extern from "bandit/tallies.h" namespace "jubatus" nogil:
    int32_t plus(int32_t a, int32_t b) noexcept
    int32_t minus(int32_t a, int32_t b) noexcept
    cdef cppclass Arms:
        Names names
        vector[uint32_t] registered, sorted, positions
        vector[uint64_t] births
        void swap(Arms& other) noexcept
        void clear() noexcept
        bint is_registered(uint32_t at) noexcept
        uint32_t enter(const string& name, uint64_t now) noexcept
        void enlist(uint32_t at) noexcept
        void leave(uint32_t at) noexcept
    struct Tally:
        uint32_t arm
        int32_t trials
        double weight
    cdef cppclass Player:
        uint64_t birth
        int32_t total
        vector[Tally] tallies
        Player() noexcept
        Tally* find(const Arms& arms, uint32_t arm) noexcept
        Tally* enter(const Arms& arms, uint32_t arm) noexcept
        void drop(uint32_t arm) noexcept
        bint is_empty() noexcept
    cdef cppclass Players:
        Names names
        vector[Player] players
        void swap(Players& other) noexcept
        void clear() noexcept
        Player* find(const string& name) noexcept
        Player* enter(const string& name, const Player& fresh, uint64_t now) noexcept
        bint leave(const string& name) noexcept
        void enter_arm(const Arms& arms, uint32_t arm) noexcept
        void drop_arm(uint32_t arm) noexcept


cdef class Tallies(Whole):
    cdef Arms arms
    cdef Players mixed, unmixed
    cdef Player fresh      # a player without rewards
    cdef uint64_t clock    # goes on when something comes that may have been there before
    cdef uint64_t started  # when the diff became another one: nothing that was copied before is in it
    cdef bint register(self, const string& name) noexcept nogil
    cdef bint delete(self, const string& name) noexcept nogil
    cdef Tally* find(self, const string& player, uint32_t arm, Player** owner) noexcept nogil
    cdef bint reset(self, const string& player) noexcept nogil
    cdef uint64_t tick(self) noexcept nogil
    cdef void renew_fresh(self) noexcept nogil
    cdef void replace_diff(self, Tallies source) noexcept nogil
    cdef void subtract_player(self, Player* player, Cursor* given, uint64_t when) noexcept nogil
