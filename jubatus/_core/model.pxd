from libc.stdint cimport uint64_t

from jubatus._core.convert.workspace cimport Workspace


cdef class Model:
    cdef readonly object config
    cdef readonly bint distributed
    cdef readonly object context
    cdef uint64_t max_new_names
    cdef list idle  # workspaces that no call uses

    cdef Workspace workspace(self)
    cdef Workspace borrow(self)
    cdef int give_back(self, Workspace space) except -1
    cdef object parts(self)
    cdef bint is_large(self) noexcept
    cdef list mixed_parts(self)
    cdef list pushed_parts(self)
    cdef int swap_parts(self, Model other) except -1
