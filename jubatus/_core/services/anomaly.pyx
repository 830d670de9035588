"""anomaly: tells how far points lie out, by the local outlier factor."""

from libc.stdint cimport uint32_t, uint64_t
from libcpp.string cimport string, to_string

from jubatus._core.anomaly.detector cimport AnomalyWorkspace
from jubatus._core.convert.converter cimport FINITE, LEARN, ORDERED, Converter, open_datums, validate_datums
from jubatus._core.convert.workspace cimport REFUSED, Workspace, bytes_of_names, refuse_names, take_features
from jubatus._core.handler cimport Body, handler, scanner
from jubatus._core.kernels.bytes cimport MISMATCH, Buffer, Cursor, read_array, read_text, read_unsigned
from jubatus._core.kernels.ids cimport parse_id
from jubatus._core.kernels.names cimport Names
from jubatus._core.model cimport Model
from jubatus._core.similar.method cimport FoundRow
from jubatus._core.wire.reader cimport Reader

from jubatus._core.anomaly.methods import make_detector
from jubatus._core.context import ALONE
from jubatus._core.schema import ANY, STRING, Field, made_by, make_method, structure
from jubatus.errors import BadArguments, ConfigError

CONFIG = structure({"method": Field(STRING), "parameter": Field(ANY), "converter": Field(made_by(Converter))})


cdef class Anomaly(Model):
    """Points, and how far they lie out.

    Args:
        config: ``method`` (``lof`` or ``light_lof``), ``parameter`` (see anomaly.methods) and ``converter``.
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
            self.detector = make_method(
                errors, make_detector, members["method"], members["parameter"], ".parameter", context, distributed
            )
        if errors:
            raise ConfigError(*errors)
        self.converter = members["converter"]

    cdef Workspace workspace(self):
        return AnomalyWorkspace()

    cdef bint is_large(self) noexcept:
        return self.detector.is_large()

    cdef object parts(self):
        return [self.detector.parts(), self.converter.statistics]

    @property
    def updates(self):
        """Whether rows can be updated; otherwise they are only overwritten."""
        return self.detector.updates

    @property
    def add(self):
        """Store a datum as a new row; return packed [id, score].

        Raises:
            BadArguments: if the argument is no datum; nothing was changed.
            ModelError: if the datum must be refused, there is no room for it, or a neighbour has no values here. In the
                last two cases the datum has been counted in the document statistics, and the id is used up.
        """
        return scanner(self, <Body>add)

    @property
    def add_bulk(self):
        """Store datums as new rows; return the packed ids of those that were stored."""
        return scanner(self, <Body>add_bulk)

    @property
    def update(self):
        """Give a row the values of a datum; return its packed score. The method ``light_lof`` refuses."""
        return scanner(self, <Body>update)

    @property
    def overwrite(self):
        """Replace a row by a datum; return its packed score."""
        return scanner(self, <Body>overwrite)

    @property
    def clear_row(self):
        """Remove a row; return packed True, also if there is none. The method ``light_lof`` refuses."""
        return handler(self, <Body>clear_row)

    @property
    def calc_score(self):
        """Return the packed score of a datum, which is not stored."""
        return scanner(self, <Body>calc_score)

    @property
    def get_all_rows(self):
        """Return the packed ids of all rows."""
        return scanner(self, <Body>get_all_rows)

    def clear(self, Reader args not None):
        """Forget all rows; return packed True. Ids are not given twice."""
        self.detector.ignored = 0
        self.highest = 0
        return Model.clear(self, args)

    def unpack(self, bytes data not None):
        """Become what pack returned. The next id is above all numbers that are ids of rows, and not 0."""
        cdef AnomalyWorkspace w = AnomalyWorkspace()
        Model.unpack(self, data)
        self.note_rows(w)
        self.next = self.highest + 1

    cdef int pack_own_aside(self, Buffer* out) except -1:
        out.array(3)
        out.uint(self.next)
        out.uint(self.highest)
        out.uint(self.detector.ignored)
        return 0

    cdef int unpack_own_aside(self, Cursor* c) except 1:
        cdef uint32_t n = 0
        cdef int status = read_array(c[0], n)
        if status == 0 and n != 3:
            return MISMATCH
        return (
            status or read_unsigned(c[0], self.next) or read_unsigned(c[0], self.highest)
            or read_unsigned(c[0], self.detector.ignored)
        )

    def status(self):
        """Return the method, the highest number that was the id of a row, and the numbers of the method."""
        return {"storage": self.config["method"], "max_id": str(self.highest), **self.detector.status()}

    cdef int read_point(self, Cursor* args, AnomalyWorkspace w, int flags) noexcept nogil:
        """Read and convert a datum."""
        cdef int status = self.converter.convert(&w.conversion, args, flags | ORDERED)
        if status == 0:
            take_features(w.conversion, w.vector)
        return status

    cdef int store(self, AnomalyWorkspace w, bint replaces, double* score) noexcept nogil:
        """Store the point as the row w.id."""
        cdef int status
        if replaces:
            status = self.detector.overwrite(w, w.id, score)
        else:
            status = self.detector.update(w, w.id, score)
        if status == 0:
            self.note_id(w.id.data(), w.id.size())
        return status

    cdef int store_all(self, Cursor points, uint32_t n, AnomalyWorkspace w, Buffer* out) noexcept nogil:
        """Store n points, whose form was checked before, as the rows w.ids; write the ids of those that were stored."""
        cdef Cursor c = points
        cdef size_t i
        cdef uint64_t names = 0
        cdef Names changed
        cdef int status = 0
        # A datum that is refused must not leave others stored: all are looked at before the first one is counted.
        for i in range(n):
            status = status or self.converter.convert(&w.conversion, &c, FINITE)
            if status == 0:
                names += bytes_of_names(w.conversion)
        if status == 0 and w.conversion.limit and names > w.conversion.limit:
            refuse_names(w.conversion, names)
            status = REFUSED
        if status:
            return status
        w.stored.clear()
        c = points
        for i in range(n):
            status = status or self.read_point(&c, w, LEARN)
            status = status or self.detector.add_to_bulk(w, w.ids[i], changed)
        status = status or self.detector.finish_bulk(w, changed)
        if status:
            return status
        out.array(w.stored.size())
        for i in range(w.stored.size()):
            out.raw(w.stored[i].data(), w.stored[i].size())
            self.note_id(w.stored[i].data(), w.stored[i].size())
        return 0

    cdef void note_id(self, const char* p, size_t n) noexcept nogil:
        cdef uint64_t number = 0
        if parse_id(p, n, number) and number > self.highest:
            self.highest = number

    cdef void note_rows(self, AnomalyWorkspace w) noexcept nogil:
        cdef FoundRow row
        self.highest = 0
        self.detector.list_rows(w)
        for row in w.found:
            self.note_id(row.name.p, row.name.n)


def bulk_adder(Anomaly model not None):
    """Return the handler that stores points of a cluster: as add_bulk, with a list of ids before that of the datums."""
    return scanner(model, <Body>add_bulk_as)


def datum_checker(Anomaly model not None):
    """Return the handler that refuses what add would refuse of a datum, and changes nothing."""
    return handler(model, <Body>check_datum)


def count_datums(bytes data not None):
    """Return how many datums a packed list has; raise BadArguments if it is none."""
    cdef Reader reader = Reader(data)
    cdef uint32_t n = 0
    if validate_datums(&reader.cursor, &n):
        raise BadArguments("a list of datums is expected")
    return n


cdef int add(Anomaly self, Cursor* args, Buffer* out, AnomalyWorkspace w) noexcept nogil:
    cdef double score = 0
    cdef int status = self.read_point(args, w, LEARN)
    if status:
        return status
    w.id = to_string(self.next)
    self.next += 1
    status = self.store(w, not self.detector.updates, &score)
    if status == 0:
        out.array(2)
        out.raw(w.id.data(), w.id.size())
        out.number(score)
    return status


cdef int add_bulk(Anomaly self, Cursor* args, Buffer* out, AnomalyWorkspace w) noexcept nogil:
    cdef uint32_t n = 0, i
    cdef int status = open_datums(args, &w.conversion, &n)
    if status:
        return status
    w.ids.clear()
    for i in range(n):
        w.ids.push_back(to_string(self.next))
        self.next += 1
    return self.store_all(args[0], n, w, out)


cdef int add_bulk_as(Anomaly self, Cursor* args, Buffer* out, AnomalyWorkspace w) noexcept nogil:
    cdef uint32_t n = 0, i
    cdef int status = read_array(args[0], n)
    w.ids.clear()
    for i in range(n):
        status = status or read_text(args[0], w.id)
        w.ids.push_back(w.id)
    status = status or open_datums(args, &w.conversion, &n)
    if status == 0 and n != w.ids.size():
        status = MISMATCH
    return status or self.store_all(args[0], n, w, out)


cdef int check_datum(Anomaly self, Cursor* args, Buffer* out, AnomalyWorkspace w) noexcept nogil:
    out.nil()
    return self.converter.convert(&w.conversion, args, FINITE)


cdef int update(Anomaly self, Cursor* args, Buffer* out, AnomalyWorkspace w) noexcept nogil:
    return store_row(self, args, out, w, False)


cdef int overwrite(Anomaly self, Cursor* args, Buffer* out, AnomalyWorkspace w) noexcept nogil:
    return store_row(self, args, out, w, True)


cdef int store_row(Anomaly self, Cursor* args, Buffer* out, AnomalyWorkspace w, bint replaces) noexcept nogil:
    cdef double score = 0
    cdef int status = read_id(args, w)
    status = status or self.read_point(args, w, LEARN)
    status = status or self.store(w, replaces, &score)
    if status == 0:
        out.number(score)
    return status


cdef int clear_row(Anomaly self, Cursor* args, Buffer* out, AnomalyWorkspace w) noexcept nogil:
    cdef int status = read_id(args, w)
    status = status or self.detector.clear_row(w, w.id)
    if status == 0:
        out.boolean(True)
    return status


cdef int calc_score(Anomaly self, Cursor* args, Buffer* out, AnomalyWorkspace w) noexcept nogil:
    cdef double score = 0
    cdef int status = self.read_point(args, w, 0)
    status = status or self.detector.score_vector(w, &score)
    if status == 0:
        out.number(score)
    return status


cdef int get_all_rows(Anomaly self, Cursor* args, Buffer* out, AnomalyWorkspace w) noexcept nogil:
    cdef FoundRow row
    self.detector.list_rows(w)
    out.array(w.found.size())
    for row in w.found:
        out.raw(row.name.p, row.name.n)
    return 0


cdef int read_id(Cursor* args, AnomalyWorkspace w) noexcept nogil:
    """Read the id of a row into w.id."""
    cdef int status = read_text(args[0], w.id)
    if status:
        w.conversion.error.assign(b"the id of a row must be a string")
    return status
