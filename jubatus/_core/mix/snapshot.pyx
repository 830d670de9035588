"""The diff of a model, copied in slices and packed."""

from cpython.bytes cimport PyBytes_AS_STRING
from cpython.object cimport PyObject
from libc.string cimport memmove

from jubatus._core.kernels.bytes cimport Buffer
from jubatus._core.kernels.pool cimport NO_MEMORY
from jubatus._core.mix.part cimport Copy, Packed
from jubatus._core.reserve cimport no_memory
from jubatus._core.wire.memory cimport take

from jubatus.errors import ModelError

cdef extern from "Python.h":
    PyObject* new_bytes "PyBytes_FromStringAndSize"(const char* p, Py_ssize_t size) except NULL
    int _PyBytes_Resize(PyObject** p, Py_ssize_t size) except -1
    void Py_DECREF(PyObject* p)

cdef extern from "kernels/pool.h" namespace "jubatus" nogil:
    int guard_take "jubatus::guarded"(int (*call)(Copy, size_t*) noexcept nogil, Copy part, size_t* left) noexcept
    int guard_pack "jubatus::guarded"(int (*call)(Packed, Buffer*) noexcept nogil, Packed part, Buffer* out) noexcept

cdef enum:
    RAW_HEAD = 5  # bytes of the longest head of a raw string


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
        """Copy up to `count` rows. The model must not change meanwhile. Return whether the copy is complete."""
        cdef Copy part
        cdef size_t left = count
        cdef int is_whole
        if self.is_whole:
            return True
        for part in self.copies:
            with nogil:  # long: that many rows are copied
                is_whole = guard_take(take_part, part, &left)
            if is_whole == NO_MEMORY:
                no_memory()
            if not is_whole:
                return False
        self.is_whole = True
        return True

    def pack(self, *, bint raw=False):
        """Return the packed diff. No lock is needed.

        Args:
            raw: whether the result is a packed string, that is, starts with the head of a raw string.

        Raises:
            ModelError: if the copy is not complete.
        """
        if not self.is_whole:
            raise ModelError("the copy of the diff is not whole")
        return written(self.copies, raw)


cdef int take_part(Copy part, size_t* left) noexcept nogil:
    return part.take(left)


cdef int pack_part(Packed part, Buffer* out) noexcept nogil:
    part.pack(out)
    return 0


cdef bytes written(list parts, bint raw):
    """Pack the elements of a diff as an array. They are written directly into the bytes object that is returned."""
    cdef Packed part
    cdef Buffer out
    cdef size_t n, size = RAW_HEAD if raw else 0, room = 16 + size
    cdef PyObject* memory
    cdef bytes result
    cdef int status
    for part in parts:
        with nogil:  # long: every cell is looked at
            room += part.room()
    memory = new_bytes(NULL, room)
    out.lend(PyBytes_AS_STRING(<object>memory), room)
    out.size = size
    out.array(len(parts))
    for part in parts:
        with nogil:  # long: every cell is written
            status = guard_pack(pack_part, part, &out)
        if status:
            Py_DECREF(memory)
            no_memory()
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
