cdef int check_room(Py_ssize_t size) except -1
cdef int begin_change() except -1
cdef int no_memory() except -1
cdef bint is_reserve_gone() noexcept nogil
