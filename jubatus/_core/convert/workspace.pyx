"""The memory that a call needs to turn datums into vectors."""


cdef class Workspace:
    """The memory of one conversion. Calls that may run at the same time need one each.

    Attributes (C level):
        conversion: from a datum to features.
        vector: the sparse vector that is made of the features.
    """
