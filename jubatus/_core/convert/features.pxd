from libc.stdint cimport uint32_t, uint64_t

from jubatus._core.kernels.bytes cimport Span
from jubatus._core.kernels.table cimport Table


cdef extern from "convert/features.h" namespace "jubatus" nogil:
    enum Weighting:
        BIN, IDF, IDF1, BM25, USER
    enum Form:
        PLAIN, STRING, NUMBER, NUMBER_TEXT, WRITTEN
    struct Shape:
        Form form
        Weighting weighting
        Span infix, suffix
        uint64_t rest
        bint cut_at_suffix
        uint32_t group_from
        uint32_t sharp_at
        uint64_t suffix_prefix
    struct Feature:
        uint64_t id
        double value
        const char* key
        const char* token
        uint32_t key_size, token_size, shape, name_size
    Weighting weighting_of(const char* name, size_t n) noexcept
    char* put_name(char* out, const Feature& f, const Shape* shapes) noexcept
    uint32_t insert_feature[Row](Table[Row]& table, uint64_t id, const Feature& f, const Shape* shapes) noexcept
