"""Join the diffs of several models into one."""

from libc.stdint cimport uint32_t
from libcpp.vector cimport vector

from jubatus._core.kernels.bytes cimport Cursor, read_array
from jubatus._core.kernels.pool cimport NO_MEMORY
from jubatus._core.mix.part cimport Joint
from jubatus._core.mix.snapshot cimport written
from jubatus._core.reserve cimport no_memory
from jubatus._core.wire.reader cimport Reader

from jubatus._core.mix.patch import BROKEN
from jubatus.errors import ModelError


cdef extern from "kernels/pool.h" namespace "jubatus" nogil:
    int guard_add "jubatus::guarded"(int (*call)(Joint, Cursor*) noexcept nogil, Joint joint, Cursor* c) noexcept
    int guard_fold "jubatus::guarded"(
        int (*call)(Joint, const vector[size_t]*) noexcept nogil, Joint joint, const vector[size_t]* chosen
    ) noexcept


cdef int add_to(Joint joint, Cursor* c) noexcept nogil:
    return joint.add(c)


cdef int fold_in(Joint joint, const vector[size_t]* chosen) noexcept nogil:
    return joint.fold(chosen)


cdef bytes joined(list joints, diffs, bint raw):
    """Join diffs in their order.

    Args:
        joints: an empty Joint of each part that takes part in a MIX.
        diffs: packed.
        raw: whether the result is a packed string.

    Raises:
        ModelError: if one of the diffs is malformed, or there is none.
    """
    cdef Reader reader
    cdef Joint joint
    cdef uint32_t parts
    cdef Py_ssize_t i
    cdef int status
    cdef vector[size_t] chosen
    cdef list packed = list(diffs)
    if not packed:
        raise ModelError("there is no diff to mix")
    for diff in packed:
        reader = Reader(diff)
        parts = 0
        status = read_array(reader.cursor, parts)
        if status or parts != <uint32_t>len(joints):
            raise ModelError(BROKEN)
        for joint in joints:
            with nogil:  # long: every cell of the diff is read
                status = guard_add(add_to, joint, &reader.cursor)
            if status == NO_MEMORY:
                no_memory()
            if status:
                raise ModelError(BROKEN)
        if not reader.at_end:
            raise ModelError(BROKEN)
    # Diffs of an older version are left out: their servers missed a MIX, and get a whole model instead.
    versions = [[(<Joint>joint).version(i) for joint in joints] for i in range(len(packed))]
    newest = max(versions)
    for i in range(len(packed)):
        if versions[i] == newest:
            chosen.push_back(i)
    for joint in joints:
        with nogil:  # long: every count of the diffs is added
            status = guard_fold(fold_in, joint, &chosen)
        if status == NO_MEMORY:
            no_memory()
        if status:
            raise ModelError(BROKEN)
    return written(joints, raw)
