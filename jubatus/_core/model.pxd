from libc.stdint cimport uint64_t

from jubatus._core.convert.converter cimport Converter
from jubatus._core.convert.workspace cimport Workspace
from jubatus._core.kernels.bytes cimport Buffer, Cursor


cdef class Model:
    cdef readonly object config
    cdef readonly bint distributed
    cdef readonly object context
    cdef Converter converter  # None where there are no datums
    cdef uint64_t max_new_names
    cdef list idle  # workspaces that no call uses

    cdef Workspace workspace(self)
    cdef Workspace borrow(self)
    cdef int give_back(self, Workspace space) except -1
    cdef object parts(self)
    cdef int pack_own_aside(self, Buffer* out) except -1
    cdef int unpack_own_aside(self, Cursor* c) except 1
    cdef bint is_large(self) noexcept
    cdef list mixed_parts(self)
    cdef list pushed_parts(self)
    cdef int swap_parts(self, Model other) except -1
