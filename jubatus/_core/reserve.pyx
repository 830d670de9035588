"""Whether a process has memory for more: what an update asks before it begins.

The resident bytes are looked at from time to time, by how many updates came and how large they were. While there are
too many, or no memory can be set aside, each update looks again.
"""

from libc.stdint cimport uint64_t

from jubatus.errors import OutOfMemory

cdef extern from "reserve.h" namespace "jubatus" nogil:
    bint set_aside(uint64_t used) noexcept
    bint has_reserve() noexcept
    bint is_given_back() noexcept
    uint64_t resident_bytes() noexcept

cdef enum:
    EVERY = 1 << 20  # bytes of requests between two looks
    LEAST = 1 << 12  # what the shortest request counts

NOT_ENOUGH = "not enough memory: the call was given up, and the model is as it was"

cdef uint64_t limit = 0   # of resident bytes; 0 is none
cdef Py_ssize_t left = 0  # bytes of requests until the next look
cdef bint is_full = False


def limit_memory(uint64_t bytes):
    """Refuse updates that would add while the process has more resident bytes than this; 0 is no limit."""
    global limit, left
    limit = bytes
    left = 0


def refuses():
    """Return whether updates that would add are refused now."""
    return is_full


def begin_update():
    """Do what check_room does, for an update that is no compiled handler.

    Raises:
        OutOfMemory: the update is refused.
    """
    check_room(LEAST)


cdef int check_room(Py_ssize_t size) except -1:
    """Refuse an update of so many bytes that would add, if there is no memory for more.

    Raises:
        OutOfMemory: the update is refused.
    """
    global left
    left -= max(size, <Py_ssize_t>LEAST)
    if left > 0 and has_reserve():
        return 0
    return look()


cdef int look() except -1:
    """Look at the memory of the process, and set some aside."""
    global left, is_full
    cdef uint64_t used = resident_bytes()
    left = 0
    is_full = True
    if limit and used > limit:
        raise OutOfMemory(
            f"not enough memory for more: {used} bytes are used, and the limit is {limit} (--max_memory)"
        )
    if not set_aside(used):
        no_memory()
    is_full = False
    left = EVERY
    return 0


cdef int begin_change() except -1:
    """Set memory aside for a change that is made at once and may not stop halfway, such as a mixed diff.

    Raises:
        OutOfMemory: there is none; the model is as it was.
    """
    return 0 if has_reserve() or set_aside(resident_bytes()) else no_memory()


cdef bint is_reserve_gone() noexcept nogil:
    """Return whether what was set aside was given back since."""
    return is_given_back()


cdef int no_memory() except -1:
    """Raise the error of a call that found no memory."""
    raise OutOfMemory(NOT_ENOUGH)
