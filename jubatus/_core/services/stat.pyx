"""stat: sums, extremes and moments of the last numbers of each key."""

from libc.math cimport sqrt
from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t
from libc.time cimport time
from libcpp.string cimport string

from jubatus._core.convert.workspace cimport REFUSED, Workspace
from jubatus._core.handler cimport Body, handler
from jubatus._core.kernels.bytes cimport Buffer, Cursor, read_double, read_int32, read_text
from jubatus._core.kernels.table cimport NONE
from jubatus._core.model cimport Model
from jubatus._core.stat.window cimport Key, Window

from jubatus._core.context import ALONE
from jubatus._core.schema import INTEGER, Field, read, structure
from jubatus.errors import ConfigError

CONFIG = structure({"window_size": Field(INTEGER)})

cdef enum Number: SUM, STDDEV, MAX, MIN


cdef class Stat(Model):
    """Statistics of the last numbers of each key.

    Args:
        config: ``window_size``: how many numbers are kept, of all keys together; a negative one is no limit.
        distributed: whether it takes part in MIX.
        context: where it runs.

    Raises:
        ConfigError: for a configuration that cannot be used.
    """

    def __init__(self, config, *, bint distributed=False, context=ALONE):
        Model.__init__(self, config, distributed=distributed, context=context)
        cdef int64_t size = read(config, CONFIG)["window_size"]
        if size == 0:
            raise ConfigError("invalid parameter (expected: 1 <= window_size) (.window_size)")
        self.window = Window(<uint64_t>size)

    @property
    def push(self):
        """Put a number of a key into the window; return packed True."""
        return handler(self, <Body>push)

    @property
    def sum(self):
        """Return the packed sum of a key's numbers; raise ModelError for an unknown key, as all below but entropy."""
        return handler(self, <Body>get_sum)

    @property
    def stddev(self):
        """Return the packed standard deviation of a key's numbers."""
        return handler(self, <Body>get_stddev)

    @property
    def max(self):
        """Return the packed largest number of a key."""
        return handler(self, <Body>get_max)

    @property
    def min(self):
        """Return the packed smallest number of a key."""
        return handler(self, <Body>get_min)

    @property
    def entropy(self):
        """Return the packed entropy of all keys."""
        return handler(self, <Body>get_entropy)

    @property
    def moment(self):
        """Return a packed moment of a key's numbers, -1 for a negative degree."""
        return handler(self, <Body>get_moment)

    def status(self):
        """Return the name of the engine."""
        return {"storage": "stat"}

    cdef object parts(self):
        return self.window


cdef int push(Stat self, Cursor* args, Buffer* out, Workspace w) noexcept nogil:
    cdef string name
    cdef double value = 0
    cdef int status = read_key(args, w, &name) or read_number(args, w, &value)
    if status == 0:
        self.window.push(name, time(NULL), value)
        out.boolean(True)
    return status


cdef int get_sum(Stat self, Cursor* args, Buffer* out, Workspace w) noexcept nogil:
    return get_number(self, args, out, w, b"sum: key ", SUM)


cdef int get_stddev(Stat self, Cursor* args, Buffer* out, Workspace w) noexcept nogil:
    return get_number(self, args, out, w, b"stddev: key ", STDDEV)


cdef int get_max(Stat self, Cursor* args, Buffer* out, Workspace w) noexcept nogil:
    return get_number(self, args, out, w, b"max: key ", MAX)


cdef int get_min(Stat self, Cursor* args, Buffer* out, Workspace w) noexcept nogil:
    return get_number(self, args, out, w, b"min: key ", MIN)


cdef int get_number(Stat self, Cursor* args, Buffer* out, Workspace w, const char* refusal, Number asked) noexcept nogil:
    cdef string name
    cdef uint32_t at = 0
    cdef const Key* key
    cdef int status = read_key(args, w, &name) or find(self, w, name, refusal, &at)
    if status:
        return status
    key = &self.window.keys[at]
    if asked == STDDEV:
        out.number(sqrt(self.window.moment(at, 2, key.sum / key.count)))
    else:
        out.number(key.sum if asked == SUM else key.max if asked == MAX else key.min)
    return 0


cdef int get_entropy(Stat self, Cursor* args, Buffer* out, Workspace w) noexcept nogil:
    cdef string name
    cdef int status = read_key(args, w, &name)
    if status == 0:
        out.number(self.window.entropy())
    return status


cdef int get_moment(Stat self, Cursor* args, Buffer* out, Workspace w) noexcept nogil:
    cdef string name
    cdef uint32_t at = 0
    cdef int32_t degree = 0
    cdef double center = 0
    cdef int status = read_key(args, w, &name) or read_degree(args, w, &degree) or read_number(args, w, &center)
    if status == 0 and degree >= 0:
        status = find(self, w, name, b"moment: key ", &at)
    if status == 0:
        out.number(-1.0 if degree < 0 else self.window.moment(at, degree, center))
    return status


cdef int find(Stat self, Workspace w, const string& name, const char* refusal, uint32_t* at) noexcept nogil:
    """Find the place of a key; refuse the call if the key is unknown."""
    at[0] = self.window.names.find(name)
    if at[0] != NONE:
        return 0
    w.conversion.error.assign(refusal)
    w.conversion.error.append(name)
    w.conversion.error.append(b" not found")
    return REFUSED


cdef int read_key(Cursor* args, Workspace w, string* name) noexcept nogil:
    cdef int status = read_text(args[0], name[0])
    if status:
        w.conversion.error.assign(b"the key must be a string")
    return status


cdef int read_number(Cursor* args, Workspace w, double* number) noexcept nogil:
    cdef int status = read_double(args[0], number[0])
    if status:
        w.conversion.error.assign(b"a number is expected")
    return status


cdef int read_degree(Cursor* args, Workspace w, int32_t* degree) noexcept nogil:
    cdef int status = read_int32(args[0], degree[0])
    if status:
        w.conversion.error.assign(b"the degree must be an integer of 32 bits")
    return status
