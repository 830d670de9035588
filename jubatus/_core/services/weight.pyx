"""weight: shows what the converter makes of a datum."""

from jubatus._core.convert.converter cimport COUNT, Converter
from jubatus._core.convert.features cimport Feature, put_name
from jubatus._core.convert.workspace cimport Workspace, sort_and_merge, take_memory
from jubatus._core.handler cimport Body, handler
from jubatus._core.kernels.bytes cimport Buffer, Cursor
from jubatus._core.model cimport Model

from jubatus._core.context import ALONE
from jubatus._core.schema import ANY, Field, made_by, optional, read, structure

CONFIG = structure({"method": optional(ANY), "parameter": optional(ANY), "converter": Field(made_by(Converter))})


cdef class Weight(Model):
    """Feature vectors of datums, and the document statistics behind their weights.

    Args:
        config: ``converter``; ``method`` and ``parameter`` are accepted and ignored, as in 1.1.
        distributed: whether it takes part in MIX.
        context: where it runs.

    Raises:
        ConfigError: for a configuration that cannot be used.
    """

    def __init__(self, config, *, bint distributed=False, context=ALONE):
        Model.__init__(self, config, distributed=distributed, context=context)
        self.converter = read(config, CONFIG)["converter"]

    @property
    def update(self):
        """Count a datum; return its features, sorted by name, as packed [[name, value], ...]."""
        return handler(self, <Body>update)

    @property
    def calc_weight(self):
        """Return the features of a datum as update does, but count nothing."""
        return handler(self, <Body>calc_weight)

    def status(self):
        """Return the counters of the document statistics."""
        return self.converter.statistics.status()

    cdef object parts(self):
        return [self.converter.statistics]


cdef int update(Weight self, Cursor* args, Buffer* out, Workspace w) noexcept nogil:
    return write_features(self, args, COUNT, out, w)


cdef int calc_weight(Weight self, Cursor* args, Buffer* out, Workspace w) noexcept nogil:
    return write_features(self, args, 0, out, w)


cdef int write_features(Weight self, Cursor* args, int flags, Buffer* out, Workspace w) noexcept nogil:
    cdef const Feature* f
    cdef size_t i
    cdef int status = self.converter.convert(&w.conversion, args, flags)
    if status:
        return status
    sort_and_merge(w.conversion, w.vector)
    out.array(w.vector.ids.size())
    for i in range(w.vector.ids.size()):
        f = &w.vector.feature(i)
        take_memory(w.conversion, f.name_size)
        out.array(2)
        out.raw_head(f.name_size)
        put_name(<char*>out.reserve(f.name_size), f[0], w.vector.shapes)
        out.size += f.name_size
        out.number(w.vector.values[i])
    return 0
