"""What the updates of one turn of the event loop leave to be written before their replies leave.

A record is a head of 12 bytes and a payload. The head has, as 32 bit big-endian numbers, the size of the payload, the
CRC-32 of the payload, and the CRC-32 of the 8 bytes before. So a record that was cut off differs from one that is
damaged: what is there of its head is right. The payload of an update is the name of the method and its params, copied from
the request, and a bool: whether the call was answered without an error.
"""

cimport cython
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from libc.stdint cimport uint32_t, uint8_t

from jubatus._core.kernels.bytes cimport Buffer
from jubatus._core.wire.crc cimport compute_crc
from jubatus._core.wire.conversation cimport Conversation
from jubatus._core.wire.memory cimport LARGE, take
from jubatus._core.wire.splitter cimport Frame

cdef enum:
    HEAD = 12
    LONG = 1 << 20  # bytes of a payload from which its CRC is computed without the GIL


@cython.final
cdef class Turn:
    """Records of updates, and the replies that wait until these are written.

    Args:
        wake: is called once a turn, on the event loop, when there is something to be written.

    Attributes:
        refusing: why no further update is accepted, or None.
    """

    def __init__(self, wake):
        self.wake = wake
        self.held = []

    @property
    def size(self):
        """Bytes of the records that nobody took yet."""
        return self.records.size

    cdef int append(self, const unsigned char* start, const unsigned char* end, bint good) except -1:
        """Add the record of an update; the bytes are the name of its method and its params."""
        cdef uint8_t last = 0xc3 if good else 0xc2
        cdef size_t size = end - start
        cdef uint32_t crc
        if size >= 0xffffffff:
            raise ValueError("an update of more than 4 GB")
        if size < LONG:
            crc = compute_crc(0, start, size)
        else:
            with nogil:  # long: every byte is looked at; only afterwards the buffer is touched
                crc = compute_crc(0, start, size)
        crc = compute_crc(crc, &last, 1)
        put_head(&self.records, <uint32_t>(size + 1), crc)
        self.records.append(start, size)
        self.records.append(&last, 1)
        self.count += 1
        return 0

    cpdef int append_frame(self, Frame frame, bint good) except -1:
        """Add the record of an update that was carried out; any thread may, while no other update runs."""
        return self.append(frame.call, frame.params.cursor.end, good)

    cpdef int rouse(self) except -1:
        """Have what is there written at the end of the loop's turn."""
        if not self.is_awake:
            self.is_awake = True
            self.wake()
        return 0

    def take_records(self):
        """Give out the records."""
        cdef Buffer taken
        cdef bytes records
        if self.records.size < LARGE:
            records = take(self.records)
            self.records.size = 0
            return records
        taken.swap(self.records)  # others may come while these are copied, which is done without the GIL
        return take(taken)

    def take_held(self):
        """Give out the replies that wait: of each piece its conversation, its bytes, and the numbers of its updates."""
        cdef list held = self.held
        self.held = []
        self.is_awake = False
        return held


cdef void put_head(Buffer* out, uint32_t size, uint32_t crc) noexcept:
    cdef uint8_t* head = out.reserve(HEAD)
    put_number(head, size)
    put_number(head + 4, crc)
    put_number(head + 8, compute_crc(0, head, 8))
    out.size += HEAD


cdef void put_number(uint8_t* at, uint32_t number) noexcept:
    at[0], at[1], at[2], at[3] = number >> 24, number >> 16 & 0xff, number >> 8 & 0xff, number & 0xff


def frame_record(bytes payload not None):
    """Return a payload as a record."""
    cdef Buffer out
    cdef Py_ssize_t size = PyBytes_GET_SIZE(payload)
    if size > 0xffffffff:
        raise ValueError("a record of more than 4 GB")
    put_head(&out, <uint32_t>size, compute_crc(0, PyBytes_AS_STRING(payload), size))
    out.append(PyBytes_AS_STRING(payload), size)
    return take(out)


def release(list held not None):
    """Let replies leave."""
    cdef Conversation conversation
    cdef bytes replies
    for conversation, replies, _ in held:
        conversation.release(replies)
