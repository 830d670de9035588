"""The diff of a model, copied in slices and packed."""

from cpython.bytes cimport PyBytes_AS_STRING
from cpython.object cimport PyObject
from libc.string cimport memmove

from jubatus._core.kernels.bytes cimport Buffer
from jubatus._core.mix.part cimport Copy, Packed
from jubatus._core.wire.memory cimport take

from jubatus.errors import ModelError

cdef extern from "Python.h":
    PyObject* new_bytes "PyBytes_FromStringAndSize"(const char* p, Py_ssize_t size) except NULL
    int _PyBytes_Resize(PyObject** p, Py_ssize_t size) except -1
    void Py_DECREF(PyObject* p)

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
        """Return the packed diff. No lock is needed.

        Args:
            raw: whether the result is a packed string, that is, starts with the head of a raw string.

        Raises:
            ModelError: if the copy is not complete.
        """
        if not self.is_whole:
            raise ModelError("the copy of the diff is not whole")
        return written(self.copies, raw)


cdef bytes written(list parts, bint raw):
    """Pack the elements of a diff as an array. They are written directly into the bytes object that is returned."""
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
