"""The one frame of a handler: what a call has around the body that answers it.

A body is a C function. Its frame lends it memory, lets other threads run while it takes long, and turns
its status into an exception. Python code calls the frame with a Reader; a conversation calls it with the bytes.
"""

from jubatus._core.convert.workspace cimport Workspace, check
from jubatus._core.kernels.bytes cimport Buffer, Cursor
from jubatus._core.kernels.pool cimport NO_MEMORY
from jubatus._core.model cimport Model
from jubatus._core.reserve cimport check_room
from jubatus._core.wire.conversation cimport DirectHandler
from jubatus._core.wire.memory cimport take
from jubatus._core.wire.reader cimport Reader

cdef extern from "kernels/pool.h" namespace "jubatus" nogil:
    int guarded(Body body, Model model, Cursor* args, Buffer* out, Workspace space) noexcept

cdef enum:
    LONG = 1 << 15  # bytes of arguments from which a call drops the GIL in any case


cdef Handler handler(Model model, Body body, bint long=False):
    """Return the handler that answers with a body.

    Args:
        model: the model.
        body: what answers.
        long: whether a call takes long even with short arguments.
    """
    cdef Handler made = Handler.__new__(Handler)
    made.model = model
    made.body = body
    made.always_long = long
    made.longest = min(LONG, model.longest)
    return made


cdef Handler scanner(Model model, Body body):
    """Return the handler that answers with a body which takes long while the model is large."""
    cdef Handler made = handler(model, body)
    made.scans = True
    return made


cdef class Handler(DirectHandler):
    """A method of a model.

    Raises:
        BadArguments: the arguments are of other types; nothing was changed.
        ModelError: the call is refused, or finds no memory.
    """

    cdef int answer(self, Cursor* args, Buffer* out) except -1:
        cdef Workspace space
        cdef int status
        if self.adds:
            check_room(args.end - args.at)
        space = self.model.borrow()
        space.conversion.error.clear()
        if args.end - args.at < self.longest and not self.takes_long():
            status = guarded(self.body, self.model, args, out, space)
        else:
            with nogil:  # long: large arguments, or much to do
                status = guarded(self.body, self.model, args, out, space)
        try:
            return check(status, space)
        finally:
            if status != NO_MEMORY:  # it may be in any state then
                self.model.give_back(space)  # not before its error is read

    cdef bint takes_long(self) noexcept:
        return self.always_long or (self.scans and self.model.is_large())

    def __call__(self, Reader args not None):
        """Return the packed result of a call; the reader stands on the first argument."""
        cdef Buffer out
        self.answer(&args.cursor, &out)
        return take(out)
