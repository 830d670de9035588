"""The contract of a model.

A model is made from a configuration and answers the methods that its service declares. A method takes a Reader that
stands on its first argument and returns the packed result. It checks all its arguments before it changes anything.
Models hold no locks: whoever calls keeps updates apart from everything else.

A model packs to the bytes that 1.1 stores in a model file, and takes part in a MIX: ``get_diff`` gives what it learned
since the last one, ``mix`` joins two of these, ``put_diff`` takes in the joined one.
"""

from cpython.bytes cimport PyBytes_AS_STRING
from libc.stdint cimport uint8_t, uint32_t, uint64_t

from jubatus._core.kernels cimport MISMATCH, Buffer, Cursor, read_array, read_unsigned, skip
from jubatus._core.wire cimport take

from jubatus.errors import ModelFileError


cdef bytes packed_bool(bint value):
    return b"\xc3" if value else b"\xc2"


cdef int start_of_struct(Cursor* c, uint32_t wanted, uint32_t* more) noexcept nogil:
    """Enter a struct of at least `wanted` fields and say how many follow those."""
    cdef uint32_t n = 0
    cdef int status = read_array(c[0], n)
    if status == 0 and n < wanted:
        return MISMATCH
    more[0] = n - wanted
    return status


cdef int end_of_struct(Cursor* c, uint32_t more) noexcept nogil:
    """Step over the fields of a struct that nobody knows."""
    cdef int status = 0
    while status == 0 and more:
        status = skip(c[0])
        more -= 1
    return status


cdef int read_version(Cursor* c, uint64_t* version) noexcept nogil:
    """Read a version, a struct of one number."""
    cdef uint32_t more = 0
    cdef int status = start_of_struct(c, 1, &more)
    if status == 0:
        status = read_unsigned(c[0], version[0])
    return status if status else end_of_struct(c, more)


cdef class Model:
    """A learner of one service.

    Args:
        config: the whole configuration as parsed JSON.
        distributed: whether it takes part in MIX.

    Raises:
        ConfigError: for a configuration that cannot be used.
    """

    def __init__(self, config, *, bint distributed=False):
        self.config = config
        self.distributed = distributed

    def status(self):
        """Return the engine's entries of get_status; safe while another thread trains."""
        return {}

    def pack(self):
        """Return the model as the bytes that a model file holds (the "driver" of 1.1)."""
        cdef Buffer out
        with nogil:  # long: every feature is written
            self.pack_into(&out)
        return take(out)

    def unpack(self, bytes data not None):
        """Become what pack returned, also on another machine or by the original.

        Raises:
            ModelFileError: if the bytes are no such model; this one is unchanged then.
        """
        cdef Model fresh = type(self)(self.config, distributed=self.distributed)
        cdef Cursor c
        cdef int status
        c.at = <const uint8_t*>PyBytes_AS_STRING(data)
        c.end = c.at + len(data)
        with nogil:  # long: every feature is read
            status = fresh.unpack_from(&c)
        if status or c.at != c.end:
            raise ModelFileError("user data is broken")
        self.take_over(fresh)

    cdef void pack_into(self, Buffer* out) noexcept nogil:
        out.array(0)

    cdef int unpack_from(self, Cursor* c) noexcept nogil:
        """Read a packed model into one that has learned nothing; a negative status where it is none."""
        return MISMATCH

    cdef void take_over(self, Model other) noexcept:
        """Swap contents with a model of the same configuration."""
