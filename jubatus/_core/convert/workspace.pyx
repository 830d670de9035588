"""The memory that a call needs to turn datums into vectors."""

from jubatus._core.kernels.pool cimport NO_MEMORY, TOO_MUCH
from jubatus._core.reserve cimport no_memory

from jubatus.errors import BadArguments, ModelError


cdef class Workspace:
    """The memory of one conversion. Calls that may run at the same time need one each.

    Attributes (C level):
        conversion: from a datum to features.
        vector: the sparse vector that is made of the features.
    """


cdef int check(int status, Workspace space) except -1:
    """Raise what a negative status means; its text is the error of the conversion.

    Raises:
        ModelError: the call is refused.
        BadArguments: the arguments are of other types.
    """
    if status == 0:
        return 0
    text = (<bytes>space.conversion.error).decode("utf-8", "surrogateescape")
    if status == NO_MEMORY:
        no_memory()
    if status == TOO_MUCH:
        raise ModelError(
            f"the features of a datum would take more than {SHARES * space.conversion.limit} bytes of memory: "
            f"{SHARES} times the bytes of new names that a request may bring (--max_new_names)"
        )
    if status == REFUSED:
        raise ModelError(text)
    raise BadArguments(text)
