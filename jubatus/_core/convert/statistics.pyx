"""Global weights: document statistics and the weights that follow from them.

A record (document count, document frequencies, group frequencies and lengths, user weights) exists twice: the part that
was counted since the last MIX (diff) and the part that all servers share (master). A group is what the features of one
rule and one datum key have in common: the feature's name without its token.
"""

cimport cython
from libc.math cimport floor, log
from libc.stdint cimport uint32_t, uint64_t
from libcpp.vector cimport vector

from jubatus._core.convert.features cimport (
    BM25, IDF, IDF1, NUMBER_TEXT, STRING, USER, Feature, Shape, Weighting, insert_feature,
)
from jubatus._core.convert.workspace cimport Conversion
from jubatus._core.kernels.bytes cimport (
    Buffer, Cursor, close_struct, open_struct, read_double, read_map, read_raw, read_unsigned, read_version,
)
from jubatus._core.kernels.hash cimport name_id
from jubatus._core.kernels.table cimport NONE

cdef double K1 = 1.2
cdef double B = 0.75


@cython.final
cdef class Counter:
    """A map from names to numbers in two parts, diff and master."""

    cdef double total(self, uint64_t id) noexcept nogil:
        cdef uint32_t at = self.table.find(id)
        return 0.0 if at == NONE else self.table.rows[at].diff + self.table.rows[at].master

    cdef double documents(self, uint64_t id) noexcept nogil:
        """A document frequency: each part cut to an integer, as the original reads them."""
        cdef uint32_t at = self.table.find(id)
        return 0.0 if at == NONE else floor(self.table.rows[at].diff) + floor(self.table.rows[at].master)

    cdef Count* touch(self, uint64_t id, const char* name, uint32_t size) noexcept nogil:
        """The counter of a name, made if it is not there."""
        cdef uint32_t at = self.table.find(id)
        if at == NONE:
            at = self.table.insert(id, size)
            self.table.add_name(name, size)
        return &self.table.rows[at]

    cdef void add(self, Count* row, double value) noexcept nogil:
        """Add to the diff part."""
        row.diff += value
        if not row.in_diff:
            row.in_diff = True
            self.diff_size += 1
            self.listed.push_back(row - self.table.rows)

    cdef void set_master(self, Count* row, double value) noexcept nogil:
        row.master = value
        if not row.in_master:
            row.in_master = True
            self.master_size += 1

    cdef void clear(self) noexcept nogil:
        self.table.clear()
        self.listed.clear()
        self.diff_size = self.master_size = 0

    cdef void pack(self, Buffer* out, bint master, bint wrapped) noexcept nogil:
        cdef uint32_t i, size = 0
        cdef const char* name
        cdef Count* row
        if wrapped:
            out.array(1)
        out.map(self.master_size if master else self.diff_size)
        for i in range(self.table.size):
            row = &self.table.rows[i]
            if row.in_master if master else row.in_diff:
                name = self.table.name(i, size)
                out.raw(name, size)
                out.number(row.master if master else row.diff)

    cdef int unpack(self, Cursor* c, bint master, bint wrapped) noexcept nogil:
        """Read one part into a counter that has nothing in it; the last of equal keys wins."""
        cdef uint32_t n = 0, size = 0, extra = 0
        cdef double value = 0
        cdef const char* name = NULL
        cdef Count* row
        cdef int status
        if wrapped:
            status = open_struct(c[0], 1, extra)
            if status:
                return status
        status = read_map(c[0], n)
        while status == 0 and n:
            status = read_raw(c[0], name, size)
            if status == 0:
                status = read_double(c[0], value)
            if status == 0:
                row = self.touch(name_id(name, size), name, size)
                if master:
                    self.set_master(row, value)
                else:
                    row.diff = 0.0
                    self.add(row, value)
            n -= 1
        return status if status else close_struct(c[0], extra)

    cdef void drop_diff(self) noexcept nogil:
        """Forget the diff part."""
        cdef uint32_t at
        for at in self.listed:
            self.table.rows[at].diff, self.table.rows[at].in_diff = 0.0, False
        self.listed.clear()
        self.diff_size = 0

    cdef void swap(self, Counter other) noexcept nogil:
        self.table.swap(other.table)
        self.listed.swap(other.listed)
        self.diff_size, other.diff_size = other.diff_size, self.diff_size
        self.master_size, other.master_size = other.master_size, self.master_size


@cython.final
cdef class Statistics:
    """Document statistics of a converter.

    Args:
        counts: whether any rule needs them; without it nothing is ever counted.
        counts_groups: whether a bm25 rule needs group statistics.
    """

    def __init__(self, bint counts=False, bint counts_groups=False):
        self.counts = counts
        self.counts_groups = counts_groups
        self.documents = Counter()
        self.groups = Counter()
        self.lengths = Counter()
        self.user = Counter()
        self.era = self.layout = 1

    cdef void update(self, Conversion* w) noexcept nogil:
        """Count one document: the features as they are before they are weighted."""
        cdef size_t i
        cdef uint32_t at
        cdef uint64_t id
        cdef Feature* f
        if not self.counts:
            return
        self.diff_documents += 1
        for i in range(w.features.size()):
            f = &w.features[i]
            id = f.id
            at = self.documents.table.find(id)
            if at == NONE:
                at = insert_feature(self.documents.table, id, f[0], w.shapes)
            self.documents.add(&self.documents.table.rows[at], 1.0)
        if not self.counts_groups:
            return
        w.lengths.clear()
        for i in range(w.features.size()):
            f = &w.features[i]
            id = group_id(w, f)
            if id == 0:
                continue
            self.lengths.add(self.lengths.touch(id, w.scratch.data(), w.scratch.size()), f.value)
            if w.lengths.count(id) == 0:
                w.lengths[id] = 0.0
                self.groups.add(self.groups.touch(id, w.scratch.data(), w.scratch.size()), 1.0)

    cdef void apply(self, Conversion* w) noexcept nogil:
        """Multiply each feature by its global weight and drop those that are 0."""
        cdef size_t i, kept = 0
        cdef uint64_t id
        cdef Feature* f
        cdef double n = <double>(self.diff_documents + self.master_documents)
        cdef double documents, frequency, average
        cdef Weighting weighting
        if self.counts_groups:
            w.lengths.clear()
            for i in range(w.features.size()):
                f = &w.features[i]
                id = group_id(w, f)
                if id != 0:
                    w.lengths[id] += f.value
        for i in range(w.features.size()):
            f = &w.features[i]
            weighting = w.shapes[f.shape].weighting
            if weighting == IDF or weighting == IDF1:
                documents = self.documents.documents(f.id)
                frequency = log((n + 1) / (documents + 1))
                f.value = (frequency + 1 if weighting == IDF1 else frequency) * f.value
            elif weighting == BM25:
                documents = self.documents.documents(f.id)
                id = group_id(w, f)
                frequency = self.groups.total(id)
                average = self.lengths.total(id) / frequency if frequency != 0 else 0.0
                f.value = log((n - documents + 0.5) / (documents + 0.5)) * (
                    f.value * (K1 + 1) / (f.value + K1 * (1 - B + B * (w.lengths[id] / average)))
                )
            elif weighting == USER:
                f.value = self.user.total(user_id(w, f)) * f.value
            if f.value != 0:
                if kept != i:
                    w.features[kept] = f[0]
                kept += 1
        w.features.resize(kept)

    cdef void clear(self) noexcept nogil:
        """Forget all statistics; the version stays."""
        self.diff_documents = self.master_documents = 0
        self.documents.clear()
        self.groups.clear()
        self.lengths.clear()
        self.user.clear()
        self.era += 1
        self.layout += 1

    cdef void pack(self, Buffer* out) noexcept nogil:
        out.array(3)
        out.array(1)
        out.uint(self.version)
        self.pack_record(out, False)
        self.pack_record(out, True)

    cdef int unpack(self, Cursor* c) noexcept nogil:
        """Read a packed manager into one that has nothing in it."""
        cdef uint32_t extra = 0
        cdef int status = open_struct(c[0], 3, extra)
        if status == 0:
            status = read_version(c[0], self.version)
        if status == 0:
            status = self.unpack_record(c, False)
        if status == 0:
            status = self.unpack_record(c, True)
        return status if status else close_struct(c[0], extra)

    cdef void pack_record(self, Buffer* out, bint master) noexcept nogil:
        out.array(5)
        out.uint(self.master_documents if master else self.diff_documents)
        self.documents.pack(out, master, True)
        self.groups.pack(out, master, True)
        self.lengths.pack(out, master, True)
        self.user.pack(out, master, False)

    cdef int unpack_record(self, Cursor* c, bint master) noexcept nogil:
        cdef uint32_t extra = 0
        cdef uint64_t documents = 0
        cdef int status = open_struct(c[0], 5, extra)
        if status == 0:
            status = read_unsigned(c[0], documents)
        if status == 0:
            status = self.documents.unpack(c, master, True)
        if status == 0:
            status = self.groups.unpack(c, master, True)
        if status == 0:
            status = self.lengths.unpack(c, master, True)
        if status == 0:
            status = self.user.unpack(c, master, False)
        if master:
            self.master_documents = documents
        else:
            self.diff_documents = documents
        return status if status else close_struct(c[0], extra)

    cdef void pack_diff(self, Buffer* out) noexcept nogil:
        out.array(2)
        self.pack_record(out, False)
        out.array(1)
        out.uint(self.version)

    cdef void drop_diff(self) noexcept nogil:
        """Forget what was counted since the last MIX."""
        self.diff_documents = 0
        self.documents.drop_diff()
        self.groups.drop_diff()
        self.lengths.drop_diff()
        self.user.drop_diff()

    cdef void swap(self, Statistics other) noexcept nogil:
        self.version, other.version = other.version, self.version
        self.diff_documents, other.diff_documents = other.diff_documents, self.diff_documents
        self.master_documents, other.master_documents = other.master_documents, self.master_documents
        self.documents.swap(other.documents)
        self.groups.swap(other.groups)
        self.lengths.swap(other.lengths)
        self.user.swap(other.user)
        self.era += 1
        self.layout += 1

    cpdef dict status(self):
        """Return the counters that get_status shows (wire protocol of 1.1)."""
        cdef dict values = {"weight_manager_version": str(self.version)}
        for master, prefix in ((False, "diff"), (True, "master")):
            values[f"{prefix}_document_count"] = str(self.master_documents if master else self.diff_documents)
            values[f"{prefix}_num_document_frequencies"] = str(self.documents.master_size if master else self.documents.diff_size)
            values[f"{prefix}_num_group_frequencies"] = str(self.groups.master_size if master else self.groups.diff_size)
            values[f"{prefix}_num_group_total_lengths"] = str(self.lengths.master_size if master else self.lengths.diff_size)
            values[f"{prefix}_num_weights"] = str(self.user.master_size if master else self.user.diff_size)
        return values


cdef bint group_name(Conversion* w, const Feature* f) noexcept nogil:
    """Put the name of the feature's group into w.scratch: its own without what stands from the first `$` to the last `@`.

    Returns whether it has one.
    """
    cdef const Shape* s = &w.shapes[f.shape]
    if s.form != STRING and s.form != NUMBER_TEXT:
        return False
    w.scratch.assign(f.key, f.key_size)
    if s.form == STRING:
        w.scratch.append(s.suffix.p + s.group_from, s.suffix.n - s.group_from)
    else:
        # `key@str$number`: the part before the `$` and the part from the `@` on overlap.
        w.scratch.append(s.infix.p, s.infix.n - 1)
        w.scratch.append(s.infix.p, s.infix.n)
        w.scratch.append(f.token, f.token_size)
    return True


cdef uint64_t group_id(Conversion* w, const Feature* f) noexcept nogil:
    """The table id of the feature's group, 0 if it has none."""
    cdef uint64_t id
    if not group_name(w, f):
        return 0
    id = name_id(w.scratch.data(), w.scratch.size())
    return id if id else 1


cdef uint64_t user_id(Conversion* w, const Feature* f) noexcept nogil:
    """The table id of the name up to its last `#`."""
    cdef const Shape* s = &w.shapes[f.shape]
    w.scratch.assign(f.key, f.key_size)
    w.scratch.append(s.infix.p, s.infix.n)
    w.scratch.append(f.token, f.token_size)
    w.scratch.append(s.suffix.p, s.sharp_at)
    return name_id(w.scratch.data(), w.scratch.size())
