"""The weights' part of a MIX: what servers learned, joined by averaging.

A diff is [count, [[[feature, [[label, [weight, covariance, 0]], ...]], ...], [version]]], where count says how many
servers it stands for. Of two diffs with the same version the weights are averaged over all servers, one without the
cell counting as (0, 1), and the smaller covariance is taken: parameter mixing with the surer of both confidences.
"""

cimport cython
from libc.stdint cimport uint32_t
from libcpp.vector cimport vector

from jubatus._core.kernels cimport MISMATCH, Buffer, Cursor, read_array, read_double, read_raw, read_unsigned
from jubatus._core.model cimport end_of_struct, read_version, start_of_struct
from jubatus._core.sparse cimport Span

cdef extern from *:
    """
    #include <algorithm>
    #include <cstring>
    template <class Span> static inline int order_of(const Span& a, const Span& b) {
        int order = memcmp(a.p, b.p, a.n < b.n ? a.n : b.n);
        return order ? order : (a.n > b.n) - (a.n < b.n);
    }
    template <class Row> static inline void sort_rows(Row* first, Row* last) {
        std::sort(first, last, [](const Row& a, const Row& b) { return order_of(a.feature, b.feature) < 0; });
    }
    template <class Cell> static inline void sort_cells(Cell* first, Cell* last) {
        std::sort(first, last, [](const Cell& a, const Cell& b) { return order_of(a.label, b.label) < 0; });
    }
    """
    int order_of(const Span& a, const Span& b) noexcept nogil
    void sort_rows(DiffRow* first, DiffRow* last) noexcept nogil
    void sort_cells(DiffCell* first, DiffCell* last) noexcept nogil


@cython.final
cdef class WeightsDiff:
    """A diff whose texts point into the bytes that it was read from; their owner must outlive it."""

    cdef int unpack(self, Cursor* c) noexcept nogil:
        cdef uint32_t more = 0, content = 0, n = 0
        cdef int status = start_of_struct(c, 2, &more)
        if status == 0:
            status = read_unsigned(c[0], self.count)
        if status == 0:
            status = start_of_struct(c, 2, &content)
        if status == 0:
            status = read_array(c[0], n)
        while status == 0 and n:
            status = self.unpack_row(c)
            n -= 1
        if status == 0:
            status = read_version(c, &self.version)
        if status == 0:
            status = end_of_struct(c, content)
        return status if status else end_of_struct(c, more)

    cdef int unpack_row(self, Cursor* c) noexcept nogil:
        cdef DiffRow row
        cdef DiffCell cell
        cdef uint32_t n = 0, size = 0, more = 0, k
        cdef int status = read_array(c[0], size)
        if status == 0 and size != 2:
            return MISMATCH
        if status == 0:
            status = read_raw(c[0], row.feature.p, row.feature.n)
        if status == 0:
            status = read_array(c[0], n)
        row.first = self.cells.size()
        while status == 0 and n:
            status = read_array(c[0], size)
            if status == 0 and size != 2:
                return MISMATCH
            if status == 0:
                status = read_raw(c[0], cell.label.p, cell.label.n)
            if status == 0:
                status = start_of_struct(c, 3, &more)
            for k in range(3):
                if status == 0:
                    status = read_double(c[0], cell.values[k])
            if status == 0:
                status = end_of_struct(c, more)
            self.cells.push_back(cell)
            n -= 1
        row.last = self.cells.size()
        self.rows.push_back(row)
        return status

    cdef void pack(self, Buffer* out) noexcept nogil:
        cdef size_t i
        cdef uint32_t j, k
        cdef DiffRow* row
        cdef DiffCell* cell
        out.array(2)
        out.uint(self.count)
        out.array(2)
        out.array(self.rows.size())
        for i in range(self.rows.size()):
            row = &self.rows[i]
            out.array(2)
            out.raw(row.feature.p, row.feature.n)
            out.array(row.last - row.first)
            for j in range(row.first, row.last):
                cell = &self.cells[j]
                out.array(2)
                out.raw(cell.label.p, cell.label.n)
                out.array(3)
                for k in range(3):
                    out.number(cell.values[k])
        out.array(1)
        out.uint(self.version)

    cdef void sort(self) noexcept nogil:
        """Order features, and the labels of each, by their bytes."""
        cdef size_t i
        sort_rows(self.rows.data(), self.rows.data() + self.rows.size())
        for i in range(self.rows.size()):
            sort_cells(self.cells.data() + self.rows[i].first, self.cells.data() + self.rows[i].last)

    cdef WeightsDiff mixed(self, WeightsDiff new):
        """Fold another diff into this one; return the newer of the two where their versions differ."""
        cdef WeightsDiff joint
        if new.version != self.version:
            return new if new.version > self.version else self
        joint = WeightsDiff()
        with nogil:  # long: both diffs are read whole
            joint.average(self, new)
        return joint

    cdef void average(self, WeightsDiff acc, WeightsDiff new) noexcept nogil:
        """Become the average: the features of `new` first, then those that only `acc` has."""
        cdef size_t i = 0, j
        cdef DiffRow row
        cdef int order
        cdef vector[char] used
        acc.sort()
        new.sort()
        self.version = acc.version
        self.count = acc.count + new.count
        used.resize(acc.rows.size())
        for j in range(new.rows.size()):
            order = 1
            while i < acc.rows.size():
                order = order_of(acc.rows[i].feature, new.rows[j].feature)
                if order >= 0:
                    break
                i += 1
            row.feature = new.rows[j].feature
            row.first = self.cells.size()
            if i < acc.rows.size() and order == 0:
                used[i] = 1
                join_cells(self, acc, new, &acc.rows[i], &new.rows[j])
            else:
                join_cells(self, acc, new, NULL, &new.rows[j])
            row.last = self.cells.size()
            self.rows.push_back(row)
        for i in range(acc.rows.size()):
            if not used[i]:
                row.feature = acc.rows[i].feature
                row.first = self.cells.size()
                join_cells(self, acc, new, &acc.rows[i], NULL)
                row.last = self.cells.size()
                self.rows.push_back(row)

    cdef void add(self, const DiffCell* one, double share, const DiffCell* other, double other_share) noexcept nogil:
        """Append the average of a cell of `new` and one of `acc`, one of which may be NULL."""
        cdef DiffCell cell
        cdef DiffCell none
        none.values[0], none.values[1], none.values[2] = 0.0, 1.0, 0.0
        cell.label = one.label if one != NULL else other.label
        if one == NULL:
            one = &none
        if other == NULL:
            other = &none
        cell.values[0] = (share * one.values[0] + other_share * other.values[0]) / (share + other_share)
        cell.values[1] = min(one.values[1], other.values[1])
        cell.values[2] = (share * one.values[2] + other_share * other.values[2]) / (share + other_share)
        self.cells.push_back(cell)


cdef void join_cells(
    WeightsDiff joint, WeightsDiff acc, WeightsDiff new, const DiffRow* a, const DiffRow* n
) noexcept nogil:
    """Append the cells of two rows, one of which may be NULL: those of `new` first, then those that only `acc` has."""
    cdef uint32_t i, j
    cdef uint32_t from_a = a.first if a != NULL else 0, to_a = a.last if a != NULL else 0
    cdef uint32_t from_n = n.first if n != NULL else 0, to_n = n.last if n != NULL else 0
    cdef double share = <double>new.count, other_share = <double>acc.count
    i = from_a
    for j in range(from_n, to_n):
        while i < to_a and order_of(acc.cells[i].label, new.cells[j].label) < 0:
            i += 1
        if i < to_a and order_of(acc.cells[i].label, new.cells[j].label) == 0:
            joint.add(&new.cells[j], share, &acc.cells[i], other_share)
        else:
            joint.add(&new.cells[j], share, NULL, other_share)
    j = from_n
    for i in range(from_a, to_a):
        while j < to_n and order_of(new.cells[j].label, acc.cells[i].label) < 0:
            j += 1
        if j == to_n or order_of(new.cells[j].label, acc.cells[i].label) != 0:
            joint.add(NULL, share, &acc.cells[i], other_share)
