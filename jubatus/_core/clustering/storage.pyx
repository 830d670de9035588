"""The points of clustering: those that this server was given, whole or compressed, and those of the others.

Points that a compressive storage gets go into the first bucket. When it is full, it is compressed to fewer points with
larger weights and carried on, as digits are when one counts (Har-Peled and Mazumdar 2004). Each time a bucket is carried
its weights shrink, so that old points are forgotten.
"""

from libc.math cimport exp
from libc.stdint cimport int64_t, uint32_t, uint64_t
from libcpp.string cimport string
from libcpp.vector cimport vector

from jubatus._core.clustering.clusters cimport GMM, Clusters, arrays_of
from jubatus._core.clustering.points cimport (
    Given, Lists, Piece, Point, Points, join_pieces, read_pieces, read_points, write_points,
)
from jubatus._core.clustering.stream cimport Stream
from jubatus._core.kernels.bytes cimport (
    MISMATCH, Buffer, Cursor, Head, read_array, read_head, read_pair, read_text, read_unsigned,
)
from jubatus._core.kernels.random cimport RandomStream, read_stream, write_stream
from jubatus._core.mix.part cimport Change, Copy, Part
from jubatus._core.mix.whole cimport Whole, WholeChange

from jubatus.errors import ModelError


cdef class Storage(Whole):
    """The points.

    The diff is all points of this server under its name; what a MIX brings replaces the points of all others.

    Args:
        clusters: runs whenever many points came, or the others' points changed.
        name: of this server.
        parameter: ``bucket_size``: how many points come until the clusters are sought again. A compressive storage has
            further members, see ``jubatus._core.services.clustering``.
        compressive: whether it is one.
    """

    def __init__(self, Clusters clusters not None, bytes name not None, dict parameter not None, bint compressive):
        self.clusters = clusters
        self.name = name
        self.bucket_size = parameter["bucket_size"]
        self.is_compressive = compressive
        if compressive:
            self.by_score = clusters.method == GMM
            self.bucket_length = parameter["bucket_length"]
            self.compressed_size = parameter["compressed_bucket_size"]
            self.base = parameter["bicriteria_base_size"]
            self.factor = parameter["forgetting_factor"]
            self.threshold = parameter["forgetting_threshold"]
            self.stream = Stream(parameter["seed"])
        self.buckets.resize(1)

    cdef bint add(self, const Point& point) noexcept nogil:
        """Take a point; return whether enough of them came, so that `advance` is next."""
        self.buckets[0].push_back(point)
        if self.is_compressive:
            return self.buckets[0].size() >= self.bucket_size
        self.pushed += 1
        return self.pushed % self.bucket_size == 0

    cdef int advance(self) except -1:
        """Seek the clusters of all points; without compression, of those before the last one, as in 1.1.

        Raises:
            ModelError: they cannot be sought; then the revision has risen, and without compression the last point is lost.
        """
        cdef Point last
        if self.is_compressive:
            self.compress(&self.buckets[0], self.compressed_size)
            self.status += 1
            self.carry(0)
            self.revision += 1
            return self.cluster()
        last = self.buckets[0].back()
        self.buckets[0].pop_back()
        self.revision += 1
        self.cluster()
        self.buckets[0].push_back(last)
        return 0

    cdef int cluster(self) except -1:
        """Seek the clusters of all points."""
        self.sought = self.buckets[0].size()
        if self.clusters.stream is not None:
            self.before = self.clusters.stream.numbers
        return self.clusters.run(self.lists())

    cdef int seek(self) except -1:
        """Seek the clusters of points that are there already, where nobody is to be told that it cannot be done."""
        try:
            self.cluster()
        except ModelError:
            pass
        return 0

    cdef int write_search(self, Buffer* out) except -1:
        """Write what `read_search` needs to find the same clusters, which are in no model file, and to go on alike."""
        out.array(7)
        out.uint(self.pushed)
        out.uint(self.sought)
        out.boolean(self.clusters.is_done)
        out.boolean(self.clusters.by_angle)
        write_stream(out[0], self.before)
        write_numbers(self.clusters.stream, out)
        write_numbers(self.stream, out)
        return 0

    cdef int read_search(self, Cursor* c) except? -1:
        """Find the clusters again that there were when `write_search` wrote. Return a negative status if it did not."""
        cdef uint64_t sought = 0
        cdef Head done, by_angle
        cdef RandomStream before, clusters, compressor
        cdef Points later
        cdef Points* first = &self.buckets[0]
        cdef uint32_t n = 0
        cdef int status = read_array(c[0], n)
        if status == 0 and n != 7:
            return MISMATCH
        status = status or read_unsigned(c[0], self.pushed) or read_unsigned(c[0], sought)
        status = status or read_head(c[0], done) or read_head(c[0], by_angle)
        status = status or read_stream(c[0], before) or read_stream(c[0], clusters) or read_stream(c[0], compressor)
        if status or sought > first.size():
            return status or MISMATCH
        self.clusters.forget()
        self.clusters.by_angle = by_angle.value != 0
        if done.value:
            if self.clusters.stream is not None:
                self.clusters.stream.numbers = before
            later.assign(first.begin() + sought, first.end())
            first.resize(sought)
            self.seek()
            first.insert(first.end(), later.begin(), later.end())
        self.sought, self.before = sought, before
        if self.clusters.stream is not None:
            self.clusters.stream.numbers = clusters
        if self.stream is not None:
            self.stream.numbers = compressor
        return 0

    cdef Lists own(self) noexcept nogil:
        """Return the lists of the points of this server."""
        cdef Lists lists
        cdef size_t i
        for i in range(self.buckets.size()):
            lists.push_back(&self.buckets[i])
        return lists

    cdef Lists lists(self) noexcept nogil:
        """Return the lists of all points."""
        cdef Lists lists = self.own()
        cdef size_t i
        for i in range(self.others.size()):
            lists.push_back(&self.others[i].points)
        return lists

    cdef int compress(self, Points* points, size_t size) except -1:
        """Replace points by at most that many that stand for them."""
        if points.size() <= size:
            return 0
        from jubatus._core.clustering.methods import compress

        cdef Lists lists
        cdef vector[string] names
        cdef Points chosen
        cdef Point point
        cdef bytes indexes, weights
        cdef size_t i
        lists.push_back(points)
        indexes, weights = compress(arrays_of(lists, &names), self.base, size, self.by_score, self.stream)
        for i in range(len(weights) // 8):
            point = points[0][(<const int64_t*><const char*>indexes)[i]]
            point.weight = (<const double*><const char*>weights)[i]
            chosen.push_back(point)
        points.swap(chosen)
        return 0

    cdef int carry(self, size_t r) except -1:
        """Empty a bucket into the next one."""
        cdef Points* bucket
        cdef Points* larger
        cdef Points empty
        cdef Lists own
        cdef uint64_t digits = self.status - 1
        cdef size_t i, count = 0
        if r + 1 >= self.buckets.size():
            self.buckets.resize(r + 2)
        own = self.own()
        for i in range(own.size()):
            count += own[i].size()
        bucket, larger = &self.buckets[r], &self.buckets[r + 1]
        for i in range(bucket.size()):
            bucket[0][i].weight *= exp(-self.factor)
        for i in range(r):
            digits //= self.bucket_length
        is_full = digits % self.bucket_length == self.bucket_length - 1
        if not is_full and exp(-self.factor * (r + 1)) < self.threshold and bucket.size() < count:
            larger.clear()  # too old to be worth their place
        for i in range(bucket.size()):
            larger.push_back(bucket[0][i])
        bucket.swap(empty)
        if is_full:
            self.compress(larger, self.compressed_size if r == 0 else 2 * r * r * self.compressed_size)
            self.carry(r + 1)
        return 0

    cdef void pack(self, Buffer* out) noexcept nogil:
        cdef size_t i
        out.array(3 if self.is_compressive else 2)
        out.array(2)
        out.uint(self.revision)
        out.array(self.others.size())
        for i in range(self.others.size()):
            out.array(2)
            out.raw(self.others[i].name.data(), self.others[i].name.size())
            write_points(out[0], self.others[i].points)
        if not self.is_compressive:
            write_points(out[0], self.buckets[0])
            return
        out.array(self.buckets.size())
        for i in range(self.buckets.size()):
            write_points(out[0], self.buckets[i])
        out.uint(self.status)

    cdef int unpack(self, Cursor* c) noexcept nogil:
        cdef uint32_t n = 0, i
        cdef int status = read_array(c[0], n)
        if status == 0 and n != (3 if self.is_compressive else 2):
            return MISMATCH
        if status == 0:
            status = read_pair(c[0])
        if status == 0:
            status = read_unsigned(c[0], self.revision)
        if status == 0:
            status = read_given(c, &self.others)
        if status or not self.is_compressive:
            return status or read_points(c[0], &self.buckets[0])
        status = read_array(c[0], n)
        for i in range(n):
            if status:
                return status
            if i == self.buckets.size():
                self.buckets.resize(i + 1)
            status = read_points(c[0], &self.buckets[i])
        return status or read_unsigned(c[0], self.status)

    cdef void swap(self, Part other) noexcept:
        cdef Storage storage = <Storage>other
        self.buckets.swap(storage.buckets)
        self.others.swap(storage.others)
        self.revision, storage.revision = storage.revision, self.revision
        self.status, storage.status = storage.status, self.status

    cdef void clear(self) noexcept nogil:
        self.buckets.clear()
        self.buckets.resize(1)
        self.others.clear()
        self.revision = self.status = 0

    cdef void pack_diff(self, Buffer* out) noexcept nogil:
        cdef Lists own = self.own()
        cdef Points all
        cdef size_t i, j
        for i in range(own.size()):
            for j in range(own[i].size()):
                all.push_back(own[i][0][j])
        out.array(1)
        out.array(2)
        out.raw(self.name.data(), self.name.size())
        write_points(out[0], all)

    cdef int skip_diff(self, Cursor* c) noexcept nogil:
        cdef vector[Piece] pieces
        return read_pieces(c[0], pieces)

    cdef void join_diffs(self, Cursor a, Cursor b, Buffer* out) noexcept nogil:
        cdef vector[Piece] pieces
        read_pieces(a, pieces)
        read_pieces(b, pieces)
        join_pieces(pieces, out[0])

    cdef void put_diff(self, Cursor mixed) noexcept nogil:
        cdef vector[Given] given
        cdef size_t i
        read_given(&mixed, &given)
        self.others.clear()
        for i in range(given.size()):
            if given[i].name != self.name:
                self.others.push_back(given[i])
        self.revision += 1

    cdef void carry_diff(self, Whole other) noexcept nogil:
        """The own points stay. Those of a server that the other model does not name, its own among them, stay too."""
        keep_own(self, <Storage>other)

    cdef Change change(self):
        return StorageChange(self)


cdef class StorageChange(WholeChange):
    """A mixed diff; with it the clusters are sought again."""

    cdef void apply(self, Copy since) except *:
        WholeChange.apply(self, since)
        (<Storage>self.part).seek()


cdef int write_numbers(Stream stream, Buffer* out) except -1:
    """Write where random numbers stand; those of None do not matter."""
    cdef RandomStream none
    write_stream(out[0], none if stream is None else stream.numbers)
    return 0


cdef int read_given(Cursor* c, vector[Given]* given) noexcept nogil:
    """Read [[name, points], ...]."""
    cdef uint32_t n = 0, i
    cdef int status = read_array(c[0], n)
    for i in range(n):
        if status:
            return status
        given.resize(i + 1)
        status = read_pair(c[0]) or read_text(c[0], given.back().name) or read_points(c[0], &given.back().points)
    return status


cdef bint names(const vector[Given]& given, const string& name) noexcept nogil:
    cdef size_t i
    for i in range(given.size()):
        if given[i].name == name:
            return True
    return False


cdef void keep_own(Storage self, Storage storage) noexcept nogil:
    """Put the own points into another model's storage."""
    cdef vector[Given] known
    cdef size_t i
    storage.buckets = self.buckets
    storage.status = self.status
    known.swap(storage.others)
    for i in range(known.size()):
        if known[i].name != self.name:
            storage.others.push_back(known[i])
    for i in range(self.others.size()):
        if not names(known, self.others[i].name):
            storage.others.push_back(self.others[i])
