from jubatus._core.kernels.bytes cimport Buffer


cdef enum:
    LARGE = 1 << 20  # bytes from which a copy is worth dropping the GIL


cdef bytes take(Buffer& buffer)
cdef bytes copied(const char* p, Py_ssize_t size)
cdef void copy(char* target, const char* source, size_t size) noexcept
