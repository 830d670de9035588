"""The memory that a call needs to turn datums into vectors."""

from libc.stdio cimport snprintf

from jubatus._core.kernels.pool cimport NO_MEMORY, TOO_MUCH
from jubatus._core.reserve cimport no_memory

from jubatus.errors import BadArguments, ModelError


cdef class Workspace:
    """The memory of one conversion. Calls that may run at the same time need one each.

    Attributes (C level):
        conversion: from a datum to features.
        vector: the sparse vector that is made of the features.
    """


cdef int refuse(Conversion* w, const char* reason, Span key) noexcept nogil:
    """Write to w.error why the datum cannot be converted, and the key. With NULL the reason is in w.error already."""
    if reason != NULL:
        w.error.assign(reason)
    w.error.append(key.p, key.n)
    return REFUSED


cdef void name_rule(Conversion* w, const char* section, size_t rule) noexcept nogil:
    """Begin w.error with the place of a rule in the converter's configuration."""
    cdef char text[32]
    w.error.assign(section)
    snprintf(text, 32, b"[%zu]: ", rule)
    w.error.append(<const char*>text)


cdef int refuse_key(Conversion* w, const char* section, size_t rule, Span key) noexcept nogil:
    """Write to w.error that the key patterns of a rule take too long for a key."""
    name_rule(w, section, rule)
    w.error.append(b"its key patterns take more than 10000 steps, and 64 for each byte, for the key ")
    return refuse(w, NULL, key)


cdef bint take_room(Conversion* w, uint64_t size) noexcept nogil:
    """Count the bytes of something that is made of a datum; return whether there was room for them."""
    if size > w.room:
        return False
    w.room -= size
    return True


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
