from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libcpp.string cimport string


cdef extern from "kernels/bytes.h" namespace "jubatus" nogil:
    struct Span:
        const char* p
        uint32_t n
    struct Cursor:
        const uint8_t* at
        const uint8_t* end
    struct Head:
        int kind
        uint64_t value
    struct Scan:
        int depth
    int NIL, BOOLEAN, UINT, NEGATIVE, SINGLE, DOUBLE, RAW, ARRAY, MAP
    int OK, SHORT, INVALID, MISMATCH, DEEP
    int read_head(Cursor& c, Head& h) noexcept
    int read_raw(Cursor& c, const char*& p, uint32_t& n) noexcept
    int read_array(Cursor& c, uint32_t& n) noexcept
    int read_map(Cursor& c, uint32_t& n) noexcept
    int read_unsigned(Cursor& c, uint64_t& v) noexcept
    int read_int32(Cursor& c, int32_t& v) noexcept
    int read_text(Cursor& c, string& text) noexcept
    int read_pair(Cursor& c) noexcept
    int read_double(Cursor& c, double& v) noexcept
    void scan_start(Scan& s) noexcept
    int scan(Scan& s, Cursor& c, int max_depth) noexcept
    int skip(Cursor& c) noexcept
    int open_struct(Cursor& c, uint32_t wanted, uint32_t& more) noexcept
    int close_struct(Cursor& c, uint32_t more) noexcept
    int read_version(Cursor& c, uint64_t& version) noexcept
    cdef cppclass Buffer:
        uint8_t* data
        size_t size
        bint lent
        void lend(void* memory, size_t room) noexcept
        void swap(Buffer& other) noexcept
        uint8_t* reserve(size_t more) noexcept
        void append(const void* p, size_t n) noexcept
        void raw_head(size_t n) noexcept
        void nil() noexcept
        void boolean(bint v) noexcept
        void uint(uint64_t v) noexcept
        void integer(int64_t v) noexcept
        void number(double v) noexcept
        void raw(const void* p, size_t n) noexcept
        void array(size_t n) noexcept
        void map(size_t n) noexcept
