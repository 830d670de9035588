"""weight: shows what the converter makes of a datum."""

from libc.stdint cimport uint32_t

from jubatus._core.convert.converter cimport COUNT, Converter
from jubatus._core.convert.features cimport Feature, put_name
from jubatus._core.convert.statistics_diff cimport StatisticsChange, StatisticsCopy, StatisticsJoint
from jubatus._core.convert.workspace cimport Workspace, sort_and_merge
from jubatus._core.handler cimport Body, handler
from jubatus._core.kernels.bytes cimport MISMATCH, Buffer, Cursor, open_struct
from jubatus._core.mix.join cimport joined
from jubatus._core.model cimport Model
from jubatus._core.wire.reader cimport Reader

from jubatus._core.schema import ANY, Field, optional, read, structure

CONFIG = structure({"method": optional(ANY), "parameter": optional(ANY), "converter": Field(ANY)})


cdef class Weight(Model):
    """Feature vectors of datums, and the document statistics behind their weights.

    Args:
        config: ``converter``; ``method`` and ``parameter`` are accepted and ignored, as in 1.1.
        distributed: whether it takes part in MIX.

    Raises:
        ConfigError: for a configuration that cannot be used.
    """

    def __init__(self, config, *, bint distributed=False):
        Model.__init__(self, config, distributed=distributed)
        self.converter = Converter(read(config, CONFIG)["converter"], ".converter")

    @property
    def update(self):
        """Count a datum; return its features, sorted by name, as packed [[name, value], ...]."""
        return handler(self, <Body>update)

    @property
    def calc_weight(self):
        """Return the features of a datum as update does, but count nothing."""
        return handler(self, <Body>calc_weight)

    def clear(self, Reader args not None):
        """Forget all counts; return packed True."""
        self.converter.statistics.clear()
        return b"\xc3"

    def status(self):
        """Return the counters of the document statistics."""
        return self.converter.statistics.status()

    cdef void pack_into(self, Buffer* out) noexcept nogil:
        out.array(1)
        self.converter.statistics.pack(out)

    cdef int unpack_from(self, Cursor* c) noexcept nogil:
        cdef uint32_t more = 0
        cdef int status = open_struct(c[0], 1, more)
        if status == 0 and more:
            return MISMATCH
        return status if status else self.converter.statistics.unpack(c)

    cdef void take_over(self, Model other) noexcept:
        self.converter.statistics.swap((<Weight>other).converter.statistics)

    cdef list copies(self):
        return [StatisticsCopy(self.converter.statistics)]

    cdef list changes(self):
        return [StatisticsChange(self.converter.statistics)]

    @property
    def version(self):
        """Of which version a mixed diff must be; how many MIXes the model has behind it."""
        return self.converter.statistics.version

    @staticmethod
    def mix(diffs not None, *, bint raw=False):
        """Fold diffs in their order, the first being the accumulator; of several versions the newest one wins.

        Args:
            diffs: packed.
            raw: whether the result is a packed string.

        Raises:
            ModelError: if one of them is no diff, or there is none.
        """
        return joined([StatisticsJoint()], diffs, raw)


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
        out.array(2)
        out.raw_head(f.name_size)
        put_name(<char*>out.reserve(f.name_size), f[0], w.vector.shapes)
        out.size += f.name_size
        out.number(w.vector.values[i])
    return 0
