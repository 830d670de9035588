"""Feature vectors: the memory that a conversion works on."""


cimport cython
@cython.final
cdef class Workspace:
    """The memory of one conversion. Calls that may run at the same time need one each."""
