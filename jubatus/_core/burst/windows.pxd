from libc.stdint cimport int32_t, int64_t
from libcpp.vector cimport vector


cdef extern from "burst/automaton.h" namespace "jubatus" nogil:
    struct Batch:
        int32_t all, relevant


cdef extern from "burst/windows.h" namespace "jubatus" nogil:
    struct BurstOptions:
        int32_t batches
        double width
        int32_t windows, reused
        double costcut
    cdef cppclass BurstWindow:
        vector[Batch] batches
        vector[double] weights
        double start, width
        int64_t find(double position) noexcept
    cdef cppclass BurstInput:
        vector[BurstWindow] windows
        bint add(int32_t all, int32_t relevant, double position, const BurstOptions& options) noexcept
    cdef cppclass BurstStore:
        vector[BurstWindow] windows
        double oldest
        BurstWindow* newest() noexcept
        BurstWindow* find(double position) noexcept
        void put(const BurstWindow& window, bint foreign, const BurstOptions& options) noexcept
        size_t fresh() noexcept
    cdef cppclass BurstKeyword:
        double scaling, gamma
        BurstStore store
        BurstInput input
        bint is_processed
        int32_t countdown
        void resume(const BurstOptions& options) noexcept
        void flush(const BurstOptions& options) noexcept
