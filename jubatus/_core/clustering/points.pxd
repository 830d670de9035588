from libc.stdint cimport int32_t, int64_t
from libcpp.memory cimport shared_ptr
from libcpp.string cimport string
from libcpp.vector cimport vector

from jubatus._core.convert.workspace cimport NumberValue
from jubatus._core.kernels.bytes cimport Buffer, Cursor


cdef extern from "clustering/points.h" namespace "jubatus" nogil:
    cdef cppclass Content:
        string id, features, datum
    cdef cppclass Point:
        shared_ptr[const Content] content
        double weight
    ctypedef vector[Point] Points
    ctypedef vector[const Points*] Lists
    cdef cppclass Given:
        string name
        Points points
    cdef cppclass Piece:
        pass
    cdef cppclass Arrays:
        vector[int64_t] starts
        vector[int32_t] columns, ranks
        vector[double] values, weights
        vector[string] names
        void fill(const Lists& lists) noexcept
    int copy_datum(Cursor& c, Buffer* out) noexcept
    int read_points(Cursor& c, Points* points) noexcept
    void write_points(Buffer& out, const Points& points) noexcept
    int read_pieces(Cursor& c, vector[Piece]& pieces) noexcept
    void join_pieces(vector[Piece]& pieces, Buffer& out) noexcept
    Point make_point(string id, double weight, const Buffer& features, const Buffer& datum) noexcept


cdef extern from "clustering/nearest.h" namespace "jubatus" nogil:
    cdef cppclass NamedVector:
        pass
    cdef cppclass Centers:
        vector[NamedVector] vectors
        void set(
            vector[string]& names, const int64_t* starts, const int32_t* columns, const double* values, size_t count
        ) noexcept
        size_t nearest(const NamedVector& v, bint by_angle) noexcept
    cdef cppclass Mixture:
        size_t count
        void set(
            vector[string]& names, const double* mean, const double* factor, const double* log, size_t n
        ) noexcept
        size_t nearest(const NamedVector& v) noexcept
    void read_vector(const Point& point, NamedVector& vector) noexcept
    void name_center(const Centers& centers, size_t i, vector[NumberValue]& named) noexcept
    void name_center(const Mixture& mixture, size_t i, vector[NumberValue]& named) noexcept
