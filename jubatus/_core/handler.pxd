from jubatus._core.convert.workspace cimport Workspace
from jubatus._core.kernels.bytes cimport Buffer, Cursor
from jubatus._core.model cimport Model
from jubatus._core.wire.conversation cimport DirectHandler

# Answers a call: reads the arguments under the cursor, appends the packed result, and returns 0; or a negative status,
# before which it changed nothing but what the method's documentation says. Models declare bodies with their own class and
# workspace as the first and last argument.
ctypedef int (*Body)(Model model, Cursor* args, Buffer* out, Workspace space) noexcept nogil


cdef class Handler(DirectHandler):
    cdef Model model
    cdef Body body
    cdef bint always_long
    cdef bint scans
    cdef Py_ssize_t longest


cdef Handler handler(Model model, Body body, bint long=*)
cdef Handler scanner(Model model, Body body)
