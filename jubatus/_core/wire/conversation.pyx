"""The server's side of one connection, without I/O: chunks of requests in, replies out.

Requests of a connection are answered one after the other, and their replies leave in that order. A request may be
deferred: those behind it wait, those of other connections do not. A conversation may allow more than one deferred
request at a time; their replies leave as they come.

A request takes one of two ways. Where the server has a shortcut for its method, and it is short, and the model is free,
it is answered here, from the bytes of the request to those of the reply, and makes no Python object of its own. Any
other request becomes a Frame and goes to ``serve``. Both ways answer alike.
"""

cimport cython
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from cpython.object cimport PyObject
from libc.stdint cimport uint32_t
from libc.string cimport memcmp
from posix.time cimport CLOCK_MONOTONIC, clock_gettime, timespec

from jubatus._core.kernels.bytes cimport UINT, Buffer, Cursor, Head, read_array, read_head, read_raw
from jubatus._core.wire.memory cimport take
from jubatus._core.wire.splitter cimport Frame, FrameSplitter
from jubatus._core.wire.turn cimport Turn
from jubatus._core.wire.writer cimport put_reply_head

from jubatus.errors import BadArguments, OutOfMemory

# Bytes of requests and replies that are worked on before the replies are given out: a peer can say that it does not
# read them, and other connections get their turn.
ROOM = 64 << 10

# What the shortest request counts with its reply.
LEAST = 512

# Bytes of deferred requests after which all of them must be answered before others are taken.
HELD = 16 << 20

# Bytes of replies that wait for updates before them, after which nothing more is taken until they are written.
WITHHELD = 1 << 20

# A chunk so long was cut off: more can be read at once.
FULL = 128 << 10

cdef Py_ssize_t room_of_a_turn = ROOM, least = LEAST, most_held = HELD, most_withheld = WITHHELD, full_chunk = FULL

cdef extern from "kernels/pool.h" namespace "jubatus" nogil:
    int guarded(
        int (*call)(Buffer*, const char*, Py_ssize_t) noexcept nogil, Buffer* out, const char* p, Py_ssize_t size
    ) noexcept

cdef enum:
    KEPT = 64 << 10  # bytes of memory for replies that a connection keeps


cdef class DirectHandler:
    """A method that can be answered without a Python object.

    Attributes:
        adds: whether a call may add to the model, so that it is refused where there is no memory for more.
    """

    cdef int answer(self, Cursor* args, Buffer* out) except -1:
        """Append the packed result of a call to `out`; the cursor stands on the first argument.

        Raises:
            BadArguments, ModelError: as the method does; what is behind the end of `out` does not matter then.
        """
        out.nil()
        return 0

    cdef bint takes_long(self) noexcept:
        """Return whether a call would take long now, even with short arguments."""
        return False

    @property
    def long(self):
        """Whether a call would take long now, even with short arguments."""
        return self.takes_long()


@cython.final
cdef class Shortcuts:
    """The methods of a server that are answered without its dispatcher, and whether its model is free.

    The dispatcher owns it: it adds the methods, and says when the model is not free.

    Args:
        refuse: turns the error of a call into its reply: called with the Frame and the exception.
        longest: bytes that a request may have.

    Attributes:
        busy: a thread holds the model's lock, or requests wait for it.
        writing: one of these threads changes the model.
        updates: calls so far of the methods that count.
        mixed: is called after each update of the model that a MIX has to spread; or None.
        turn: takes the record of each update, and the replies until it is written; or None.
    """

    def __init__(self, refuse, Py_ssize_t longest):
        self.refuse = refuse
        self.longest = longest
        self.kept = []

    def add(
        self, bytes name not None, DirectHandler handler not None, *, uint32_t arity, bint update, bint counts, bint mixes
    ):
        """Answer a method directly.

        Args:
            name: of the method.
            handler: answers it.
            arity: how many arguments it has.
            update: whether it changes the model.
            counts: whether a call raises `updates`.
            mixes: whether a call is told to `mixed`.
        """
        cdef Shortcut row
        self.kept.append((name, handler))
        row.name = PyBytes_AS_STRING(name)
        row.size = PyBytes_GET_SIZE(name)
        row.handler = <PyObject*>handler
        row.arity, row.update, row.counts, row.mixes = arity, update, counts, mixes
        self.rows.push_back(row)

    cdef const Shortcut* find(self, const char* name, uint32_t size) noexcept:
        """The shortcut of a method, or NULL. A service has a handful: they are looked through."""
        cdef size_t i
        for i in range(self.rows.size()):
            if self.rows[i].size == size and memcmp(self.rows[i].name, name, size) == 0:
                return &self.rows[i]
        return NULL

    cdef bint takes(self, const Shortcut* row, Py_ssize_t size) noexcept:
        """Whether a request of so many bytes may be answered now."""
        return (
            size <= self.longest
            and not (self.busy and (row.update or self.writing))
            and not (row.update and self.turn is not None and self.turn.refusing is not None)
            and not (<DirectHandler>row.handler).takes_long()
        )


cdef int append(Buffer* out, const char* p, Py_ssize_t size) noexcept nogil:
    out.append(p, size)
    return 0


cdef bint read_envelope(const unsigned char* start, const unsigned char* end, Envelope* envelope) noexcept:
    """Read the envelope of a request or notification; False for anything else, which FrameSplitter deals with."""
    cdef Cursor c
    cdef Head h
    cdef uint32_t fields = 0
    c.at, c.end = start, end
    if read_array(c, fields) or read_head(c, h) or h.kind != UINT:
        return False
    envelope.kind = <int>h.value
    if fields != (4 if h.value == 0 else 3 if h.value == 2 else 0):
        return False
    envelope.msgid = 0
    if fields == 4:
        if read_head(c, h) or h.kind != UINT or h.value > 0xffffffff:
            return False
        envelope.msgid = <uint32_t>h.value
    envelope.call = c.at
    if read_raw(c, envelope.method, envelope.size):
        return False
    envelope.params = c
    return True


cdef class Conversation:
    """The server's side of one connection.

    Args:
        serve: answers a message, as ``rpc.server.Serve`` says; called for the next one when the one before is answered.
        ready: is called with what can be written after a deferred request is answered.
        max_size: bytes that one message may have.
        limit: how many requests may be deferred at a time.
        shortcuts: methods that are answered without ``serve``; or None.

    Attributes:
        waiting: how many requests are deferred.
        withheld: how many pieces of replies wait until the updates before them are written.
        send: takes replies to the peer; used while `steady`.
        steady: whether replies go to the peer at once and nothing else has to be done for the connection. Whoever owns
            the connection keeps it; `settle` does what has to be done else.
        last: when `send` was used last, in seconds of the monotonic clock.
    """

    def __init__(self, serve, ready, Py_ssize_t max_size, Py_ssize_t limit=1, Shortcuts shortcuts=None):
        self.serve = serve
        self.ready = ready
        self.splitter = FrameSplitter(max_size)
        self.limit = limit
        self.shortcuts = shortcuts

    @property
    def failure(self):
        """Why the connection must be closed, once everything before that was answered."""
        return None if self.waiting or self.splitter.at != self.splitter.end else self.splitter.failure

    @property
    def more(self):
        """Whether ``resume`` would answer something."""
        return self.splitter.at != self.splitter.end and not self.is_full()

    @property
    def full(self):
        """Whether nothing more is taken until a deferred request is answered."""
        return self.is_full()

    @property
    def pending(self):
        """Bytes held of a message that is not whole."""
        return self.splitter.held_size

    cdef bint is_full(self) noexcept:
        return self.waiting >= self.limit or self.held > most_held or self.withheld_size > most_withheld

    cdef bint is_through(self) noexcept:
        """Whether everything that was received is answered."""
        cdef FrameSplitter splitter = self.splitter
        return not self.waiting and splitter.at == splitter.end and not splitter.held_size and splitter.failure is None

    def settle(self, bytes replies, bint full):
        """Write replies and do what else has to be done for the connection; for a subclass that knows it.

        Args:
            replies: to be written.
            full: whether more can be read at once.
        """

    def data_received(self, bytes data not None):
        """Take a chunk; answer the requests that it completes."""
        cdef bytes replies = self.receive(data)
        cdef timespec now
        cdef bint is_full = PyBytes_GET_SIZE(data) >= full_chunk
        if is_full or not (self.steady and self.is_through()):
            self.settle(replies, is_full)
        elif PyBytes_GET_SIZE(replies) and not (self.shortcuts is not None and self.withhold(replies)):
            clock_gettime(CLOCK_MONOTONIC, &now)
            self.last = now.tv_sec + 1e-9 * now.tv_nsec
            self.send(replies)
            if not self.steady:  # the peer does not read what was just written
                self.settle(b"", False)

    cpdef bint withhold(self, bytes replies) except -1:
        """Let replies wait if an update before them is not written yet; return whether they do."""
        cdef Turn turn
        if self.owed is None and not self.withheld:
            return False
        turn = self.shortcuts.turn
        turn.held.append((self, replies, self.owed))
        self.owed = None
        self.withheld += 1
        self.withheld_size += PyBytes_GET_SIZE(replies)
        turn.rouse()
        return True

    cdef int release(self, bytes replies) except -1:
        """Let replies leave that waited."""
        cdef timespec now
        self.withheld -= 1
        if not self.withheld:
            self.withheld_size = 0
        if not self.steady:
            self.released(replies)
            return 0
        clock_gettime(CLOCK_MONOTONIC, &now)
        self.last = now.tv_sec + 1e-9 * now.tv_nsec
        self.send(replies)
        if not self.steady:
            self.settle(b"", False)
        return 0

    def released(self, bytes replies):
        """Write replies that waited; for a subclass that knows it."""

    cdef int record(self, Envelope* envelope, const unsigned char* end, bint good) except -1:
        """Have an update written that was just carried out; its reply waits until then."""
        cdef Turn turn = self.shortcuts.turn
        turn.append(envelope.call, end, good)
        if envelope.kind == 0:
            self.owe(envelope.msgid)
        turn.rouse()
        return 0

    cpdef int owe(self, uint32_t msgid) except -1:
        """Note that the reply to an update has to wait."""
        if self.owed is None:
            self.owed = []
        self.owed.append(msgid)
        return 0

    cpdef bytes receive(self, bytes data):
        """Take a chunk and return the replies that can be written now."""
        self.splitter.begin(data)
        return self.resume()

    cpdef bytes resume(self):
        """Return the next replies, as far as ROOM goes; ``more`` tells whether there are others."""
        cdef const unsigned char* start = NULL
        cdef const unsigned char* end = NULL
        cdef Py_ssize_t room = room_of_a_turn
        while room > 0 and not self.is_full() and self.splitter.next(&start, &end):
            room -= self.answer(start, end)
        return self.written()

    cdef bytes written(self):
        """Give out the replies."""
        cdef bytes replies
        cdef Buffer empty
        if self.out.size == 0:
            return b""
        replies = take(self.out)
        if self.out.size > KEPT:
            self.out.swap(empty)
        self.out.size = 0
        return replies

    cdef Py_ssize_t answer(self, const unsigned char* start, const unsigned char* end) except -1:
        """Answer a message or let it wait; return what it counts of the room."""
        cdef Py_ssize_t cost = least + (end - start)
        cdef size_t before = self.out.size
        cdef Frame frame
        cdef bytes reply
        if self.shortcuts is not None and self.answer_directly(start, end):
            return cost + self.out.size - before
        frame = self.splitter.frame(start, end)
        if frame is None:
            return 0
        reply = self.serve(frame, self)
        if reply is None:
            self.waiting += 1
            self.held += frame.size
            return cost
        self.put(reply)
        return cost + PyBytes_GET_SIZE(reply)

    cdef int put(self, bytes reply) except -1:
        """Append a reply."""
        cdef Py_ssize_t size = PyBytes_GET_SIZE(reply)
        if guarded(append, &self.out, PyBytes_AS_STRING(reply), size):
            raise MemoryError("no memory for a reply")
        return 0

    cdef bint answer_directly(self, const unsigned char* start, const unsigned char* end) except -1:
        """Answer a message by a shortcut; whether there was one that may be taken now."""
        cdef Shortcuts shortcuts = self.shortcuts
        cdef Envelope envelope
        cdef const Shortcut* row
        cdef size_t before = self.out.size
        cdef const char* cluster = NULL
        cdef uint32_t n = 0, size = 0
        cdef bytes reply
        if not read_envelope(start, end, &envelope):
            return False
        row = shortcuts.find(envelope.method, envelope.size)
        if row == NULL or end - start > self.splitter.max_size or not shortcuts.takes(row, end - start):
            return False
        try:
            if read_array(envelope.params, n) or n < row.arity + 1 or read_raw(envelope.params, cluster, size):
                raise BadArguments(f"the cluster's name and {row.arity} arguments are expected")
            if envelope.kind == 0:
                put_reply_head(self.out, envelope.msgid)
            (<DirectHandler>row.handler).answer(&envelope.params, &self.out)
        except Exception as error:
            self.out.size = before
            if (
                row.update and shortcuts.turn is not None
                and not isinstance(error, (BadArguments, MemoryError, OutOfMemory))
            ):
                self.record(&envelope, end, False)  # a part of it may be done
            reply = shortcuts.refuse(self.splitter.frame(start, end), error)
            self.put(reply)
            return True
        if envelope.kind:
            self.out.size = before
        if row.counts:
            shortcuts.updates += 1
        if row.mixes and shortcuts.mixed is not None:
            shortcuts.mixed()
        if row.update and shortcuts.turn is not None:
            self.record(&envelope, end, True)
        return True

    def set_limit(self, Py_ssize_t limit):
        """Change how many requests may be deferred at a time; those that are stay."""
        self.limit = limit

    def complete(self, bytes reply not None, update=None):
        """Answer a deferred request; `update` is its number if it is an update that was recorded."""
        if update is not None:
            self.owe(update)
        self.waiting -= 1
        if not self.waiting:
            self.held = 0
        self.ready(reply)
