"""recommender: finds rows that are similar to a row or to a datum, and fills in what a row lacks from those.

How similarity is found is up to the method (similar/). Rows themselves are not mixed: in a cluster only the servers that
were told a row can give it back.
"""

from libc.math cimport ceilf
from libc.stdint cimport uint32_t, uint64_t
from libcpp.vector cimport vector

from jubatus._core.convert.converter cimport LEARN, ORDERED, Converter
from jubatus._core.convert.revert cimport revert
from jubatus._core.convert.workspace cimport REFUSED, Workspace, take_features
from jubatus._core.handler cimport Body, handler, scanner
from jubatus._core.kernels.bytes cimport MISMATCH, Buffer, Cursor, read_double, read_text, read_unsigned
from jubatus._core.model cimport Model
from jubatus._core.near.neighbours cimport LARGE_SEARCH
from jubatus._core.rows.raw cimport RawRow
from jubatus._core.similar.method cimport SIMILARITY, FoundRow, RowsWorkspace, query_of_row
from jubatus._core.wire.reader cimport Reader

from jubatus._core.context import ALONE
from jubatus._core.schema import ANY, STRING, Field, made_by, make_method, optional, structure
from jubatus._core.similar.methods import make_similar_rows
from jubatus.errors import ConfigError

CONFIG = structure({"method": Field(STRING), "parameter": optional(ANY), "converter": Field(made_by(Converter))})

cdef enum:
    COMPLETING = 128  # how many rows fill in what a row lacks


cdef class RecommenderWorkspace(RowsWorkspace):
    """The memory of a call.

    Attributes (C level):
        other, other_vector: of the second datum of a call that has two.
        features: what a datum is made of again.
    """


cdef class Recommender(Model):
    """Rows, and a method of finding similar ones.

    Args:
        config: ``method`` and its ``parameter`` (similar.methods), and ``converter``.
        distributed: whether it takes part in MIX.
        context: where it runs.

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
            self.rows = make_method(
                errors, make_similar_rows, members["method"], members["parameter"], ".parameter", context, distributed
            )
        if errors:
            raise ConfigError(*errors)
        self.converter = members["converter"]

    cdef Workspace workspace(self):
        return RecommenderWorkspace()

    cdef bint is_large(self) noexcept:
        return self.rows.effort() >= LARGE_SEARCH

    cdef object parts(self):
        return [self.rows.parts(), self.converter.statistics]

    @property
    def update_row(self):
        """Give a row the values of a datum; return packed True.

        Raises:
            BadArguments: if the arguments are no name and datum; nothing was changed.
            ModelError: if the datum must be refused, or there is no room for the row. In the second case the datum has
                been counted in the document statistics.
        """
        return handler(self, <Body>update_row)

    @property
    def clear_row(self):
        """Remove a row; return packed True, also if there is none."""
        return handler(self, <Body>clear_row)

    @property
    def complete_row_from_id(self):
        """Return the packed mean of the rows that are most similar to a row."""
        return scanner(self, <Body>complete_row_from_id)

    @property
    def complete_row_from_datum(self):
        """Return the packed mean of the rows that are most similar to a datum."""
        return scanner(self, <Body>complete_row_from_datum)

    @property
    def similar_row_from_id(self):
        """Return the packed rows that are most similar to a row, [[name, similarity], ...]."""
        return scanner(self, <Body>similar_row_from_id)

    @property
    def similar_row_from_id_and_score(self):
        """Return the packed rows whose similarity to a row is a number or more."""
        return scanner(self, <Body>similar_row_from_id_and_score)

    @property
    def similar_row_from_id_and_rate(self):
        """Return a part of all rows, packed: those that are most similar to a row.

        Raises:
            ModelError: if the part is not above 0 and up to 1.
        """
        return scanner(self, <Body>similar_row_from_id_and_rate)

    @property
    def similar_row_from_datum(self):
        """Return the packed rows that are most similar to a datum, [[name, similarity], ...]."""
        return scanner(self, <Body>similar_row_from_datum)

    @property
    def similar_row_from_datum_and_score(self):
        """Return the packed rows whose similarity to a datum is a number or more."""
        return scanner(self, <Body>similar_row_from_datum_and_score)

    @property
    def similar_row_from_datum_and_rate(self):
        """Return a part of all rows, packed: those that are most similar to a datum.

        Raises:
            ModelError: if the part is not above 0 and up to 1.
        """
        return scanner(self, <Body>similar_row_from_datum_and_rate)

    @property
    def decode_row(self):
        """Return the packed datum of a row; an empty one if it was not given here."""
        return handler(self, <Body>decode_row)

    @property
    def get_all_rows(self):
        """Return the packed names of all rows."""
        return scanner(self, <Body>get_all_rows)

    @property
    def calc_similarity(self):
        """Return the packed cosine of two datums."""
        return handler(self, <Body>calc_similarity)

    @property
    def calc_l2norm(self):
        """Return the packed length of a datum."""
        return handler(self, <Body>calc_l2norm)

    def clear(self, Reader args not None):
        """Forget everything that was learned; return packed True. The version stays."""
        self.updates = self.removals = 0
        return Model.clear(self, args)

    def status(self):
        """Return how often rows were updated and removed, and the unlearner's numbers."""
        return {
            "clear_row_cnt": str(self.removals),
            "update_row_cnt": str(self.updates),
            **self.rows.status(),
        }

    cdef int read_query(self, Cursor* args, RowsWorkspace w) noexcept nogil:
        """Read a datum, which becomes the query."""
        cdef int status = self.converter.convert(&w.conversion, args, ORDERED)
        if status == 0:
            take_features(w.conversion, w.vector)
            self.rows.ask_vector(w)
        return status

    cdef void write_mean(self, RecommenderWorkspace w, Buffer* out) noexcept nogil:
        """Write the mean of the rows that are most similar to the query, those that were given here."""
        cdef vector[const RawRow*] rows
        cdef const RawRow* row
        cdef FoundRow found
        self.rows.find(w, COMPLETING, SIMILARITY)
        for found in w.found:
            w.name.assign(found.name.p, found.name.n)
            row = self.rows.raw.store.find(w.name)
            if row != NULL and not row.empty():
                rows.push_back(row)
        average_rows(self.rows.raw.store, rows, w.features)
        revert(&w.features, out)


cdef int update_row(Recommender self, Cursor* args, Buffer* out, RowsWorkspace w) noexcept nogil:
    cdef int status = read_name(args, w)
    if status == 0:
        status = self.converter.convert(&w.conversion, args, LEARN | ORDERED)
    if status:
        return status
    self.updates += 1
    take_features(w.conversion, w.vector)
    status = self.rows.update_row(w, w.name)
    if status == 0:
        out.boolean(True)
    return status


cdef int clear_row(Recommender self, Cursor* args, Buffer* out, RowsWorkspace w) noexcept nogil:
    cdef int status = read_name(args, w)
    if status:
        return status
    self.removals += 1
    self.rows.clear_row(w.name)
    out.boolean(True)
    return 0


cdef int complete_row_from_id(Recommender self, Cursor* args, Buffer* out, RecommenderWorkspace w) noexcept nogil:
    cdef int status = read_name(args, w)
    if status == 0:
        query_of_row(self.rows.raw.store, self.rows.raw.store.find(w.name), w.query)
        self.write_mean(w, out)
    return status


cdef int complete_row_from_datum(Recommender self, Cursor* args, Buffer* out, RecommenderWorkspace w) noexcept nogil:
    cdef int status = self.read_query(args, w)
    if status == 0:
        self.write_mean(w, out)
    return status


cdef int similar_row_from_id(Recommender self, Cursor* args, Buffer* out, RowsWorkspace w) noexcept nogil:
    cdef uint64_t most = 0
    cdef int status = read_name(args, w) or read_size(args, w, &most)
    if status == 0:
        self.rows.find_like(w, w.name, most, SIMILARITY)
        write_found(w, out, w.found.size())
    return status


cdef int similar_row_from_id_and_score(Recommender self, Cursor* args, Buffer* out, RowsWorkspace w) noexcept nogil:
    cdef double least = 0
    cdef int status = read_name(args, w) or read_score(args, w, &least)
    if status == 0:
        self.rows.find_like(w, w.name, self.rows.count_rows(), SIMILARITY)
        write_found(w, out, count_from(w, least))
    return status


cdef int similar_row_from_id_and_rate(Recommender self, Cursor* args, Buffer* out, RowsWorkspace w) noexcept nogil:
    cdef float rate = 0
    cdef int status = read_name(args, w) or read_rate(args, w, &rate)
    if status == 0:
        self.rows.find_like(w, w.name, part_of(self.rows.count_rows(), rate), SIMILARITY)
        write_found(w, out, w.found.size())
    return status


cdef int similar_row_from_datum(Recommender self, Cursor* args, Buffer* out, RowsWorkspace w) noexcept nogil:
    cdef uint64_t most = 0
    cdef int status = self.read_query(args, w) or read_size(args, w, &most)
    if status == 0:
        self.rows.find(w, most, SIMILARITY)
        write_found(w, out, w.found.size())
    return status


cdef int similar_row_from_datum_and_score(Recommender self, Cursor* args, Buffer* out, RowsWorkspace w) noexcept nogil:
    cdef double least = 0
    cdef int status = self.read_query(args, w) or read_score(args, w, &least)
    if status == 0:
        self.rows.find(w, self.rows.count_rows(), SIMILARITY)
        write_found(w, out, count_from(w, least))
    return status


cdef int similar_row_from_datum_and_rate(Recommender self, Cursor* args, Buffer* out, RowsWorkspace w) noexcept nogil:
    cdef float rate = 0
    cdef int status = self.read_query(args, w) or read_rate(args, w, &rate)
    if status == 0:
        self.rows.find(w, part_of(self.rows.count_rows(), rate), SIMILARITY)
        write_found(w, out, w.found.size())
    return status


cdef int decode_row(Recommender self, Cursor* args, Buffer* out, RecommenderWorkspace w) noexcept nogil:
    cdef int status = read_name(args, w)
    if status == 0:
        name_row(self.rows.raw.store, self.rows.raw.store.find(w.name), w.features)
        revert(&w.features, out)
    return status


cdef int get_all_rows(Recommender self, Cursor* args, Buffer* out, RowsWorkspace w) noexcept nogil:
    cdef FoundRow row
    self.rows.list_rows(w)
    out.array(w.found.size())
    for row in w.found:
        out.raw(row.name.p, row.name.n)
    return 0


cdef int calc_similarity(Recommender self, Cursor* args, Buffer* out, RecommenderWorkspace w) noexcept nogil:
    cdef int status = self.converter.convert(&w.other, args, ORDERED)
    if status:
        w.conversion.error.assign(w.other.error)
        return status
    status = self.converter.convert(&w.conversion, args, ORDERED)
    if status == 0:
        take_features(w.other, w.other_vector)
        take_features(w.conversion, w.vector)
        out.number(cosine_of(w.other_vector, w.vector))
    return status


cdef int calc_l2norm(Recommender self, Cursor* args, Buffer* out, RowsWorkspace w) noexcept nogil:
    cdef int status = self.converter.convert(&w.conversion, args, ORDERED)
    if status == 0:
        take_features(w.conversion, w.vector)
        out.number(norm_of(w.vector.values))
    return status


cdef int read_name(Cursor* args, RowsWorkspace w) noexcept nogil:
    """Read the name of a row into w.name."""
    cdef int status = read_text(args[0], w.name)
    if status:
        w.conversion.error.assign(b"the id of a row must be a string")
    return status


cdef int read_size(Cursor* args, RowsWorkspace w, uint64_t* most) noexcept nogil:
    cdef int status = read_unsigned(args[0], most[0])
    if status == 0 and most[0] > <uint32_t>-1:
        status = MISMATCH
    if status:
        w.conversion.error.assign(b"the size must be a number from 0 to 2^32 - 1")
    return status


cdef int read_score(Cursor* args, RowsWorkspace w, double* least) noexcept nogil:
    cdef int status = read_double(args[0], least[0])
    if status:
        w.conversion.error.assign(b"the score must be a number")
    return status


cdef int read_rate(Cursor* args, RowsWorkspace w, float* rate) noexcept nogil:
    """Read a part of all rows; NaN stands for all of them."""
    cdef double number = 0
    cdef int status = read_double(args[0], number)
    rate[0] = <float>number
    if status:
        w.conversion.error.assign(b"the rate must be a number")
    elif rate[0] <= 0 or rate[0] > 1:
        w.conversion.error.assign(b"invalid parameter (expected: 0 < rate <= 1)")
        status = REFUSED
    return status


cdef size_t part_of(size_t rows, float rate) noexcept nogil:
    """Return how many rows a part of them are; the product is a float, as in 1.1."""
    return <size_t>ceilf(<float>rows * rate) if rate == rate else rows


cdef size_t count_from(RowsWorkspace w, double least) noexcept nogil:
    """Return how many of the found rows have at least a score."""
    cdef size_t n = w.found.size()
    while n and w.found[n - 1].score < least:
        n -= 1
    return n


cdef void write_found(RowsWorkspace w, Buffer* out, size_t n) noexcept nogil:
    cdef size_t i
    out.array(n)
    for i in range(n):
        out.array(2)
        out.raw(w.found[i].name.p, w.found[i].name.n)
        out.number(w.found[i].score)
