"""Join the diffs of several models into one."""

from libc.stdint cimport uint32_t
from libcpp.vector cimport vector

from jubatus._core.kernels.bytes cimport read_array
from jubatus._core.mix.part cimport Joint
from jubatus._core.mix.snapshot cimport written
from jubatus._core.wire.reader cimport Reader

from jubatus._core.mix.patch import BROKEN
from jubatus.errors import ModelError


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
                status = joint.add(&reader.cursor)
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
            status = joint.fold(&chosen)
        if status:
            raise ModelError(BROKEN)
    return written(joints, raw)
