"""What a method of clustering found in the points at its last run, and where a vector belongs by it."""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from libc.stdint cimport int32_t, int64_t
from libcpp.string cimport string
from libcpp.vector cimport vector

from jubatus._core.clustering.points cimport (
    Arrays, Lists, NamedVector, Point, Points, name_center, read_vector,
)
from jubatus._core.clustering.stream cimport Stream
from jubatus._core.convert.revert cimport revert
from jubatus._core.convert.workspace cimport NumberValue
from jubatus._core.kernels.bytes cimport Buffer

from jubatus.errors import ModelError

METHODS = {"kmeans": KMEANS, "gmm": GMM, "dbscan": DBSCAN}
HUGE = (1 << 63) - 1
"""What negative counts are cut to."""


cdef class Clusters:
    """The clusters of the points at the last run.

    The random numbers go on from run to run, as in 1.1.

    Args:
        method: a key of METHODS.
        parameter: ``k`` and ``seed``, or ``eps`` and ``min_core_point``. A negative k or min_core_point is a huge one.
        by_angle: whether distances are those of cosine; a Gaussian mixture has none.
    """

    def __init__(self, str method not None, dict parameter not None, bint by_angle):
        self.method = METHODS[method]
        self.by_angle = by_angle
        if self.method == DBSCAN:
            self.eps = parameter["eps"]
            self.least = parameter["min_core_point"] & HUGE
        else:
            self.k = parameter["k"] & HUGE
            self.seed = parameter["seed"]
            self.stream = Stream(self.seed)

    cdef int run(self, const Lists& lists) except -1:
        """Find the clusters of some points. Fewer points than k-means has centres change nothing.

        Raises:
            ModelError: there is no memory for so many centres.
        """
        cdef vector[string] names
        cdef size_t i, count = 0
        for i in range(lists.size()):
            count += lists[i].size()
        if count == 0:
            return self.forget()
        if self.method == KMEANS and count < self.k:
            return 0
        if self.method == GMM and self.k >= 1 << 31:
            raise ModelError("cannot create std::vector larger than max_size()")
        arrays = arrays_of(lists, &names)
        try:
            if self.method == KMEANS:
                return self.run_kmeans(arrays, names)
            if self.method == GMM:
                return self.run_gmm(arrays, names)
            return self.run_dbscan(arrays, lists)
        except MemoryError:
            raise ModelError(f"there is no memory for {self.k} centers") from None

    cdef int forget(self) except -1:
        """Forget the clusters, as 1.1 does when there are no points.

        A Gaussian mixture starts its random numbers again, k-means does not. DBSCAN becomes one of Euclidean distances.
        """
        cdef vector[string] names
        self.is_done = False
        self.centers.set(names, NULL, NULL, NULL, 0)
        self.mixture.set(names, NULL, NULL, NULL, 0)
        self.groups.clear()
        if self.method == GMM:
            self.stream.seed(self.seed)
        elif self.method == DBSCAN:
            self.by_angle = False
        return 0

    cdef int run_kmeans(self, arrays, vector[string]& names) except -1:
        from jubatus._core.clustering.methods import kmeans

        cdef bytes starts, columns, values
        starts, columns, values = kmeans(arrays, self.k, self.by_angle, self.stream)
        self.centers.set(names, longs(starts), ints(columns), doubles(values), self.k)
        self.is_done = True
        return 0

    cdef int run_gmm(self, arrays, vector[string]& names) except -1:
        from jubatus._core.clustering.methods import gmm

        cdef bytes columns, means, matrices, logs
        cdef vector[string] known
        cdef Py_ssize_t i
        columns, means, matrices, logs = gmm(arrays, self.k, self.stream)
        for i in range(len(columns) // 4):
            known.push_back(names[ints(columns)[i]])
        self.mixture.set(known, doubles(means), doubles(matrices), doubles(logs), self.k)
        self.is_done = True
        return 0

    cdef int run_dbscan(self, arrays, const Lists& lists) except -1:
        from jubatus._core.clustering.methods import dbscan

        cdef bytes starts, members
        cdef const Point* point
        cdef vector[const Point*] all
        cdef size_t i, j
        starts, members = dbscan(arrays, self.eps, self.least, self.by_angle)
        for i in range(lists.size()):
            for j in range(lists[i].size()):
                all.push_back(&lists[i][0][j])
        self.groups.assign(len(starts) // 8 - 1, Points())
        for i in range(self.groups.size()):
            for j in range(longs(starts)[i], longs(starts)[i + 1]):
                point = all[longs(members)[j]]
                self.groups[i].push_back(point[0])
        self.is_done = self.groups.size() > 0
        return 0

    cdef size_t count(self) noexcept nogil:
        """Return how many centres there are."""
        return self.mixture.count if self.method == GMM else self.centers.vectors.size()

    cdef size_t nearest(self, const Point& point) noexcept nogil:
        """Return the index of the centre next to a point."""
        cdef NamedVector named
        read_vector(point, named)
        return self.mixture.nearest(named) if self.method == GMM else self.centers.nearest(named, self.by_angle)

    cdef void assign(self, const Lists& lists, vector[Points]* groups) noexcept nogil:
        """Give each point to the centre next to it."""
        cdef const Point* point
        cdef size_t i, j
        groups.assign(self.count(), Points())
        for i in range(lists.size()):
            for j in range(lists[i].size()):
                point = &lists[i][0][j]
                groups[0][self.nearest(point[0])].push_back(point[0])

    cdef void write_center(self, size_t i, Buffer* out) noexcept nogil:
        """Write a centre as a datum."""
        cdef vector[NumberValue] named
        if self.method == GMM:
            name_center(self.mixture, i, named)
        else:
            name_center(self.centers, i, named)
        revert(&named, out)


cdef object arrays_of(const Lists& lists, vector[string]* names):
    """Return points as arrays for the numerics, and their names: a number has a column, which is the index of its name."""
    from jubatus._core.clustering.methods import Points as PointArrays

    cdef Arrays arrays
    with nogil:  # long: every feature of every point
        arrays.fill(lists)
    made = PointArrays.of(
        packed(arrays.starts.data(), 8 * arrays.starts.size()),
        packed(arrays.columns.data(), 4 * arrays.columns.size()),
        packed(arrays.values.data(), 8 * arrays.values.size()),
        packed(arrays.weights.data(), 8 * arrays.weights.size()),
        packed(arrays.ranks.data(), 4 * arrays.ranks.size()),
    )
    names.swap(arrays.names)
    return made


cdef bytes packed(const void* data, size_t size):
    return PyBytes_FromStringAndSize(<const char*>data, size)


cdef const int64_t* longs(bytes data) except NULL:
    return <const int64_t*>PyBytes_AS_STRING(data)


cdef const int32_t* ints(bytes data) except NULL:
    return <const int32_t*>PyBytes_AS_STRING(data)


cdef const double* doubles(bytes data) except NULL:
    return <const double*>PyBytes_AS_STRING(data)
