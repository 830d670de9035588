"""Rows as they were given, which stay on the servers that were told them.

A row is a sparse vector. It is needed where a method keeps only a hash of it: to hash it again when a part of it
changes, to remove what is stored of it, and to give it back.
"""

from jubatus._core.kernels.bytes cimport Buffer, Cursor
from jubatus._core.mix.part cimport Part


cdef class RawRows(Part):
    """Rows by name.

    Attributes (C level):
        store: the rows. A feature has a number, its place in `store.features`, where its hashes are found.
    """

    cdef void pack(self, Buffer* out) noexcept nogil:
        self.store.write(out[0])

    cdef int unpack(self, Cursor* c) noexcept nogil:
        return self.store.read(c[0])

    cdef void swap(self, Part other) noexcept:
        self.store.swap((<RawRows>other).store)

    cdef void clear(self) noexcept nogil:
        self.store.clear()
