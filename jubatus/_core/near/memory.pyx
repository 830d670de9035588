"""The memory that a call needs to find rows that are near a vector."""

from jubatus._core.convert.workspace cimport Workspace


cdef class NearWorkspace(Workspace):
    """The memory that a search for near rows needs besides.

    Attributes (C level):
        near: features by their hashes, random numbers that were used lately, and the rows that were found.
    """
