from jubatus._core.kernels.bytes cimport Buffer, Cursor
from jubatus._core.linear.table cimport WeightTable


cdef void pack_table(WeightTable weights, Buffer* out) noexcept nogil
cdef int unpack_table(WeightTable weights, Cursor* c) noexcept nogil
