"""weight: shows what the converter makes of a datum."""

from libc.stdint cimport uint32_t

from jubatus._core.convert cimport Converter, check, validate_datum
from jubatus._core.kernels cimport MISMATCH, Buffer, Cursor
from jubatus._core.mixing cimport joined
from jubatus._core.model cimport LONG, Model, packed_bool, start_of_struct
from jubatus._core.sparse cimport Feature, Work, Workspace, put_name, sort_and_merge
from jubatus._core.weights_diff cimport StatisticsChange, StatisticsCopy, StatisticsJoint
from jubatus._core.wire cimport Reader, take

from jubatus._core.schema import ANY, Field, made_by, optional, read, structure
from jubatus.errors import BadArguments

CONFIG = structure({"method": optional(ANY), "parameter": optional(ANY), "converter": Field(made_by(Converter))})


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
        self.converter = read(config, CONFIG)["converter"]

    def update(self, Reader args not None):
        """Count a datum; return its features, sorted by name, as packed [[name, value], ...]."""
        return self.features(args, True)

    def calc_weight(self, Reader args not None):
        """Return the features of a datum as update does, but count nothing."""
        return self.features(args, False)

    cdef bytes features(self, reader, bint update):
        cdef Reader args = reader
        cdef Cursor probe = args.cursor
        cdef Workspace space
        cdef Buffer out
        cdef int status
        if probe.end - probe.at < LONG:
            status = validate_datum(&probe)
        else:
            with nogil:  # long: a large datum
                status = validate_datum(&probe)
        if status:
            raise BadArguments("a datum is expected")
        space = self.converter.borrow()
        try:
            if probe.at - args.cursor.at < LONG:
                status = self.write_features(&space.work, &args.cursor, update, &out)
            else:
                with nogil:  # long: a large datum
                    status = self.write_features(&space.work, &args.cursor, update, &out)
            check(status, &space.work)
            return take(out)
        finally:
            self.converter.give_back(space)

    cdef int write_features(self, Work* w, Cursor* c, bint update, Buffer* out) noexcept nogil:
        cdef Feature* f
        cdef size_t i
        cdef int status = self.converter.convert(w, c, update, False)
        if status:
            return status
        sort_and_merge(w[0], self.converter.shapes.data())
        out.array(w.ids.size())
        for i in range(w.ids.size()):
            f = &w.features[w.from_features[i]]
            out.array(2)
            out.raw_head(f.name_size)
            put_name(<char*>out.reserve(f.name_size), f[0], self.converter.shapes.data())
            out.size += f.name_size
            out.number(w.values[i])
        return 0

    def clear(self, Reader args not None):
        """Forget all counts; return packed True."""
        self.converter.weights.clear()
        return packed_bool(True)

    def status(self):
        """Return the counters of the document statistics."""
        return self.converter.weights.status()

    cdef void pack_into(self, Buffer* out) noexcept nogil:
        out.array(1)
        self.converter.weights.pack(out)

    cdef int unpack_from(self, Cursor* c) noexcept nogil:
        cdef uint32_t more = 0
        cdef int status = start_of_struct(c, 1, &more)
        if status == 0 and more:
            return MISMATCH
        return status if status else self.converter.weights.unpack(c)

    cdef void take_over(self, Model other) noexcept:
        self.converter.weights.swap((<Weight>other).converter.weights)

    cdef list copies(self):
        return [StatisticsCopy(self.converter.weights)]

    cdef list changes(self):
        return [StatisticsChange(self.converter.weights)]

    @property
    def version(self):
        """Of which version a mixed diff must be; how many MIXes the model has behind it."""
        return self.converter.weights.version

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
