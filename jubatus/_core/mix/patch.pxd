cdef class Patch:
    cdef object model
    cdef bytes packed
    cdef list changes
    cdef bint fits(self) except -1
