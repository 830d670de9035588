cdef class Snapshot:
    cdef object model
    cdef list copies
    cdef bint is_whole


cdef bytes written(list parts, bint raw)
