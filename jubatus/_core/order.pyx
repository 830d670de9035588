"""The order in which the original's maps give names."""

from libc.stdint cimport int32_t
from libcpp.string cimport string
from libcpp.vector cimport vector

from jubatus._core.kernels.names cimport Names


def order_names(names):
    """Return names as a map of the original gives them that got them one after the other.

    Args:
        names: bytes; of equal ones the first counts.
    """
    cdef Names entered
    cdef vector[int32_t] order
    cdef string name
    cdef int32_t at
    for each in names:
        name = each
        entered.enter(name)
    order = entered.order()
    ordered = []
    for at in order:
        name = entered.name(at)
        ordered.append(name)
    return ordered
