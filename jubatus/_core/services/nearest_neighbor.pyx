"""nearest_neighbor: rows known by a hash of their datum, and the rows that are nearest to a row or to a datum."""

from libc.stdint cimport uint32_t, uint64_t
from libcpp.string cimport string

from jubatus._core.convert.converter cimport LEARN, ORDERED, Converter, validate_datum
from jubatus._core.convert.workspace cimport Workspace, take_features
from jubatus._core.handler cimport Body, handler, scanner
from jubatus._core.kernels.bytes cimport MISMATCH, Buffer, Cursor, read_text, read_unsigned
from jubatus._core.model cimport Model
from jubatus._core.near.memory cimport NearWorkspace, hash_features
from jubatus._core.near.neighbours cimport Neighbours
from jubatus._core.wire.reader cimport Reader

from jubatus._core.context import ALONE
from jubatus._core.near.neighbours import make_neighbours
from jubatus._core.schema import ANY, STRING, Field, made_by, make_method, optional, structure
from jubatus.errors import ConfigError

CONFIG = structure({"method": Field(STRING), "parameter": optional(ANY), "converter": Field(made_by(Converter))})


cdef class NearestNeighbor(Model):
    """Rows, and the search for the nearest ones.

    Args:
        config: ``method`` (``lsh``, ``euclid_lsh`` or ``minhash``), ``parameter`` (see make_neighbours) and
            ``converter``.
        distributed: whether it takes part in MIX.
        context: where it runs; rows bear the name of its server.

    Raises:
        ConfigError: for a configuration that cannot be used.
        UnsupportedMethod: for an unknown method, if nothing else is wrong.
    """

    def __init__(self, config, *, bint distributed=False, context=ALONE):
        Model.__init__(self, config, distributed=distributed, context=context)
        cdef list errors = []
        cdef dict members = CONFIG(config, "", errors)
        if members is None:
            raise ConfigError(*errors)
        if members["method"] is not None:
            self.neighbours = make_method(
                errors, make_neighbours, members["method"], members["parameter"], ".parameter", context, distributed
            )
        if errors:
            raise ConfigError(*errors)
        self.converter = members["converter"]

    cdef Workspace workspace(self):
        return NearWorkspace()

    cdef bint is_large(self) noexcept:
        return self.neighbours.is_large()

    @property
    def set_row(self):
        """Replace a row by a datum, or add it; return packed True.

        Raises:
            BadArguments: if the arguments are no id and datum; nothing was changed.
            ModelError: if the datum must be refused; nothing was changed.
        """
        return handler(self, <Body>set_row)

    @property
    def neighbor_row_from_id(self):
        """Return packed [[id, distance], ...] of the rows nearest to a row, which is one of them."""
        return scanner(self, <Body>neighbor_row_from_id)

    @property
    def neighbor_row_from_datum(self):
        """Return packed [[id, distance], ...] of the rows nearest to a datum."""
        return scanner(self, <Body>neighbor_row_from_datum)

    @property
    def similar_row_from_id(self):
        """Return packed [[id, similarity], ...] of the rows nearest to a row, which is one of them."""
        return scanner(self, <Body>similar_row_from_id)

    @property
    def similar_row_from_datum(self):
        """Return packed [[id, similarity], ...] of the rows nearest to a datum."""
        return scanner(self, <Body>similar_row_from_datum)

    @property
    def get_all_rows(self):
        """Return the packed ids of all rows."""
        return scanner(self, <Body>get_all_rows)

    def clear(self, Reader args not None):
        """Forget all rows; return packed True."""
        self.updates = 0
        return Model.clear(self, args)

    def status(self):
        """Return how many rows there are, and how many were set since the start or the last clear."""
        return {"data": str(self.neighbours.table.rows.size()), "update_row_cnt": str(self.updates)}

    cdef object parts(self):
        return [self.neighbours.table, self.converter.statistics]


cdef int set_row(NearestNeighbor self, Cursor* args, Buffer* out, NearWorkspace w) noexcept nogil:
    cdef string id
    cdef Cursor probe
    cdef int status = read_text(args[0], id)
    probe = args[0]
    if status == 0:
        status = validate_datum(&probe)
    if status:
        w.conversion.error.assign(b"a string and a datum are expected")
        return status
    status = hash_datum(self, args, w, LEARN | ORDERED)
    if status:
        return status
    self.neighbours.set_row(&w.near, id)
    self.updates += 1
    out.boolean(True)
    return 0


cdef int hash_datum(NearestNeighbor self, Cursor* args, NearWorkspace w, int flags) noexcept nogil:
    """Convert a datum and make its hash."""
    cdef int status = self.converter.convert(&w.conversion, args, flags)
    if status:
        return status
    take_features(w.conversion, w.vector)
    hash_features(w.vector, w.near.features)
    self.neighbours.hash(&w.near)
    return 0


cdef int neighbor_row_from_id(NearestNeighbor self, Cursor* args, Buffer* out, NearWorkspace w) noexcept nogil:
    return from_id(self, args, out, w, False)


cdef int neighbor_row_from_datum(NearestNeighbor self, Cursor* args, Buffer* out, NearWorkspace w) noexcept nogil:
    return from_datum(self, args, out, w, False)


cdef int similar_row_from_id(NearestNeighbor self, Cursor* args, Buffer* out, NearWorkspace w) noexcept nogil:
    return from_id(self, args, out, w, True)


cdef int similar_row_from_datum(NearestNeighbor self, Cursor* args, Buffer* out, NearWorkspace w) noexcept nogil:
    return from_datum(self, args, out, w, True)


cdef int from_id(NearestNeighbor self, Cursor* args, Buffer* out, NearWorkspace w, bint similar) noexcept nogil:
    cdef string id
    cdef uint64_t size = 0
    cdef int status = read_text(args[0], id)
    if status == 0:
        status = read_size(args, &size)
    if status:
        w.conversion.error.assign(b"a string and the number of rows are expected")
        return status
    if not self.neighbours.load_row(&w.near, id):
        out.array(0)
        return 0
    return write_nearest(self, w, size, similar, out)


cdef int from_datum(NearestNeighbor self, Cursor* args, Buffer* out, NearWorkspace w, bint similar) noexcept nogil:
    cdef Cursor probe = args[0]
    cdef uint64_t size = 0
    cdef int status = validate_datum(&probe)
    if status == 0:
        status = read_size(&probe, &size)
    if status:
        w.conversion.error.assign(b"a datum and the number of rows are expected")
        return status
    status = hash_datum(self, args, w, ORDERED)
    return status if status else write_nearest(self, w, size, similar, out)


cdef int read_size(Cursor* args, uint64_t* size) noexcept nogil:
    cdef int status = read_unsigned(args[0], size[0])
    if status == 0 and size[0] > <uint64_t>0xffffffff:
        return MISMATCH
    return status


cdef int write_nearest(NearestNeighbor self, NearWorkspace w, size_t size, bint similar, Buffer* out) noexcept nogil:
    """Search for the rows nearest to the query, and write their ids with distances or similarities."""
    cdef const string* id
    cdef double distance
    cdef size_t i
    self.neighbours.rank(&w.near, size)
    out.array(w.near.ranked.size())
    for i in range(w.near.ranked.size()):
        id = &self.neighbours.table.rows.keys.name(w.near.ranked[i].row)
        distance = w.near.ranked[i].distance
        out.array(2)
        out.raw(id.data(), id.size())
        out.number(self.neighbours.similarity(distance) if similar else distance)
    return 0


cdef int get_all_rows(NearestNeighbor self, Cursor* args, Buffer* out, Workspace w) noexcept nogil:
    cdef const string* id
    cdef uint32_t row
    out.array(self.neighbours.table.rows.size())
    for row in range(self.neighbours.table.rows.size()):
        id = &self.neighbours.table.rows.keys.name(row)
        out.raw(id.data(), id.size())
    return 0
