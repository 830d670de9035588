from libc.stdint cimport uint32_t, uint64_t

from jubatus._core.convert.workspace cimport Workspace
from jubatus._core.kernels.bytes cimport Buffer, Cursor


cdef class Model:
    cdef readonly object config
    cdef readonly bint distributed
    cdef list idle  # workspaces that no call uses

    cdef Workspace workspace(self)
    cdef Workspace borrow(self)
    cdef int give_back(self, Workspace space) except -1
    cdef list copies(self)
    cdef list changes(self)
    cdef void pack_into(self, Buffer* out) noexcept nogil
    cdef int unpack_from(self, Cursor* c) noexcept nogil
    cdef void take_over(self, Model other) noexcept
