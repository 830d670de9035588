"""MIX without a stop: a diff is copied in slices, mixed, and taken in, while the model goes on learning.

A diff is an array with one element for each part of a model. A Snapshot copies the parts' diffs, some rows at a time.
A Patch is a mixed diff: it is read without the model, then prepared, some rows at a time, so that nobody sees it, and
applied at once. What was learned after the snapshot was taken is the diff that is left. A part offers three classes:

- Copy: its diff as it was when it was copied.
- Change: its element of a mixed diff.
- Joint: joins the elements of several diffs.
"""

from cpython.bytes cimport PyBytes_AS_STRING
from cpython.object cimport PyObject
from libc.stdint cimport uint32_t, uint64_t
from libc.string cimport memmove
from libcpp.vector cimport vector

from jubatus._core.kernels cimport MISMATCH, Buffer, Cursor, read_array
from jubatus._core.wire cimport Reader, take

from jubatus.errors import ModelError

cdef extern from "Python.h":
    PyObject* new_bytes "PyBytes_FromStringAndSize"(const char* p, Py_ssize_t size) except NULL
    int _PyBytes_Resize(PyObject** p, Py_ssize_t size) except -1
    void Py_DECREF(PyObject* p)

cdef enum:
    RAW_HEAD = 5  # bytes of the longest head of a raw string


cdef class Packed:
    """What can be packed: no lock and no GIL are needed."""

    cdef size_t room(self) noexcept nogil:
        """How many bytes surely suffice."""
        return 0

    cdef void pack(self, Buffer* out) noexcept nogil:
        """Write one element of a diff."""
        out.array(0)


cdef class Copy(Packed):
    """The diff of a part as it was when it was copied."""

    cdef bint take(self, size_t* left) noexcept nogil:
        """Copy up to `left` rows, and count them off; whether the copy is whole. Starts anew where rows moved."""
        return True

    cdef void carry(self, Copy since, Copy theirs) except *:
        """Put the part's diff, but what `since` has of it, in the place of the diff of another model's part."""


cdef class Change:
    """A part's element of a mixed diff."""

    cdef int unpack(self, Cursor* c) noexcept nogil:
        """Read it; a negative status where it is none."""
        return MISMATCH

    cdef bint fits(self) noexcept nogil:
        """Whether it is of the part's version."""
        return True

    cdef bint prepare(self, size_t* left) noexcept nogil:
        """Do up to `left` rows of what nobody sees, and count them off; whether all is done. Anew where rows moved."""
        return True

    cdef void apply(self, Copy since) except *:
        """Take it in and keep what was learned since the copy, which may be None."""


cdef class Joint(Packed):
    """Elements of several diffs, folded in their order."""

    cdef int add(self, Cursor* c) noexcept nogil:
        """Read one more; what it is read from must outlive this. A negative status where it is none."""
        return MISMATCH

    cdef uint64_t version(self, size_t i) noexcept nogil:
        """The version of one that was read; 0 for a part that has none."""
        return 0

    cdef int fold(self, const vector[size_t]* chosen) noexcept nogil:
        """Fold some of those that were read, given by ascending number; a negative status where one is none."""
        return 0


cdef bytes written(list parts, bint raw):
    """Pack the elements of a diff into an array, straight into the bytes object that is returned."""
    cdef Packed part
    cdef Buffer out
    cdef size_t n, size = RAW_HEAD if raw else 0, room = 16 + size
    cdef PyObject* memory
    cdef bytes result
    for part in parts:
        with nogil:  # long: every cell is looked at
            room += part.room()
    memory = new_bytes(NULL, room)
    out.lend(PyBytes_AS_STRING(<object>memory), room)
    out.size = size
    out.array(len(parts))
    for part in parts:
        with nogil:  # long: every cell is written
            part.pack(&out)
    if raw:
        n = out.size - RAW_HEAD
        out.size = 0
        out.raw_head(n)
        if out.size < RAW_HEAD:
            memmove(out.data + out.size, out.data + RAW_HEAD, n)
        out.size += n
    if not out.lent:
        Py_DECREF(memory)
        return take(out)
    _PyBytes_Resize(&memory, out.size)
    result = <bytes>memory
    Py_DECREF(memory)
    return result


cdef bytes joined(list joints, diffs, bint raw):
    """Fold diffs in their order, the first being the accumulator; `joints` has one for each part."""
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
    # A diff of an older version is left out as a whole: what is counted in it has to come by a whole model.
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


BROKEN = "the diff of a MIX is broken"


cdef class Snapshot:
    """The diff of a model, copied while the model goes on learning.

    Args:
        model: the model.
        copies: a Copy of each of its parts.
    """

    def __init__(self, model, list copies not None):
        self.model = model
        self.copies = copies

    def take(self, size_t count):
        """Copy up to `count` rows; the model must not change meanwhile. Return whether the copy is whole."""
        cdef Copy part
        cdef size_t left = count
        cdef bint is_whole
        if self.is_whole:
            return True
        for part in self.copies:
            with nogil:  # long: that many rows are copied
                is_whole = part.take(&left)
            if not is_whole:
                return False
        self.is_whole = True
        return True

    def pack(self, *, bint raw=False):
        """Return the packed diff; no lock is needed.

        Args:
            raw: whether to put the head of a raw string in front, so that the result is a packed string.

        Raises:
            ModelError: if the copy is not whole.
        """
        if not self.is_whole:
            raise ModelError("the copy of the diff is not whole")
        return written(self.copies, raw)


cdef class Patch:
    """A mixed diff on its way into a model.

    Args:
        model: the model.
        changes: a Change of each of its parts.
        diff: packed.

    Raises:
        ModelError: if it is no diff.
    """

    def __init__(self, model, list changes not None, bytes diff not None):
        cdef Reader reader = Reader(diff)
        cdef Change part
        cdef uint32_t parts = 0
        cdef int status = read_array(reader.cursor, parts)
        self.model = model
        self.packed = diff
        self.changes = changes
        if status or parts != <uint32_t>len(changes):
            raise ModelError(BROKEN)
        for part in changes:
            with nogil:  # long: every cell of the diff is read
                status = part.unpack(&reader.cursor)
            if status:
                raise ModelError(BROKEN)
        if not reader.at_end:
            raise ModelError(BROKEN)

    cdef bint fits(self) except -1:
        """Whether each part is of the model's version."""
        return all((<Change>part).fits() for part in self.changes)

    def prepare(self, size_t count):
        """Prepare up to `count` rows, unseen; nothing else may use the model meanwhile. Return whether all is done."""
        cdef Change part
        cdef size_t left = count
        cdef bint is_ready
        if not self.fits():
            return True
        for part in self.changes:
            with nogil:  # long: that many rows are looked up
                is_ready = part.prepare(&left)
            if not is_ready:
                return False
        return True

    def apply(self, Snapshot since=None):
        """Take the mixed diff in at once; nothing else may use the model meanwhile.

        Args:
            since: what this model gave to the mix. What it learned after that stays its diff; without it, all that it
                learned.

        Returns:
            whether all parts are of the model's version; otherwise nothing was changed.

        Raises:
            ModelError: if `since` is not of this model; nothing was changed.
        """
        cdef Change part
        cdef Copy copy
        cdef Py_ssize_t i
        if since is not None and (since.model is not self.model or not since.is_whole):
            raise ModelError("the snapshot is not of this model")
        if not self.fits():
            return False
        for i in range(len(self.changes)):
            part = self.changes[i]
            copy = since.copies[i] if since is not None else None
            part.apply(copy)
        return True
