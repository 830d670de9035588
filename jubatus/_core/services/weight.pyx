"""weight: shows what the converter makes of a datum."""

from jubatus._core.convert.converter cimport Converter, check, validate_datum
from jubatus._core.convert.features cimport Feature, put_name
from jubatus._core.convert.workspace cimport Workspace, sort_and_merge
from jubatus._core.kernels.bytes cimport Buffer, Cursor
from jubatus._core.model cimport LONG, Model
from jubatus._core.wire.memory cimport take
from jubatus._core.wire.reader cimport Reader

from jubatus._core.schema import ANY, Field, optional, read, structure
from jubatus.errors import BadArguments

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
        space = self.borrow()
        try:
            if probe.at - args.cursor.at < LONG:
                status = self.write_features(space, &args.cursor, update, &out)
            else:
                with nogil:  # long: a large datum
                    status = self.write_features(space, &args.cursor, update, &out)
            check(status, space)
            return take(out)
        finally:
            self.give_back(space)

    cdef int write_features(self, Workspace w, Cursor* c, bint update, Buffer* out) noexcept nogil:
        cdef const Feature* f
        cdef size_t i
        cdef int status = self.converter.convert(&w.conversion, c, update, False)
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

    def status(self):
        """Return the counters of the document statistics."""
        return self.converter.statistics.status()

    cdef object parts(self):
        return [self.converter.statistics]
