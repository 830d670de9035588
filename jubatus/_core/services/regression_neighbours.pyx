"""regression: the methods that keep every datum as a record with its target, and average the targets of the nearest ones.

The mean is plain, or weighted by the inverse of the distance; then records that are equal to the query, if there are
any, decide alone.
"""

from libc.math cimport fabs
from libc.stdint cimport uint32_t
from libcpp.string cimport string
from libcpp.vector cimport vector

from jubatus._core.convert.converter cimport LEARN, ORDERED, Converter, open_datums
from jubatus._core.convert.workspace cimport Workspace, take_features
from jubatus._core.handler cimport Body, handler, scanner
from jubatus._core.kernels.bytes cimport Buffer, Cursor
from jubatus._core.kernels.random cimport read_stream, write_stream
from jubatus._core.kernels.table cimport NONE
from jubatus._core.linear.examples cimport NUMBER, admit_examples, convert_example, open_examples, read_target
from jubatus._core.model cimport Model
from jubatus._core.records.store cimport Beside, HashedRecords, Records, RecordWorkspace
from jubatus._core.rows.table cimport VersionedTable

from jubatus._core.context import ALONE
from jubatus._core.records.methods import keeps_records, make_records, read_parameter
from jubatus._core.schema import STRING, optional
from jubatus._core.services.regression import CONFIG, Regression
from jubatus.errors import ConfigError

FIELDS = {"weight": optional(STRING)}


def make_regression(config, *, distributed=False, context=ALONE):
    """Return the regression of a configuration, as its method has it; see Regression and NeighbourRegression."""
    made = NeighbourRegression if keeps_records(config) else Regression
    return made(config, distributed=distributed, context=context)


cdef class TargetTable(VersionedTable):
    """The target of each record, by its id.

    Attributes (C level):
        records: the table of the records if an unlearner limits them: a record that it forgets for one of the same MIX
            is gone before its target comes.
    """

    cdef void received(self) noexcept nogil:
        cdef vector[string] lonely
        cdef string id
        cdef uint32_t row
        if self.records is None:
            return
        for row in range(self.rows.size()):
            if self.records.rows.keys.find(self.rows.keys.name(row)) == NONE:
                lonely.push_back(self.rows.keys.name(row))
        for id in lonely:
            self.rows.remove(id)


cdef class Targets(Beside):
    """The numbers that belong to the records."""

    def __init__(self, bint distributed):
        self.table = TargetTable([0], "", distributed)

    cdef void went(self, const string& id) noexcept nogil:
        self.table.rows.remove(id)


cdef class NeighbourRegression(Model):
    """A regression by the nearest records.

    Args:
        config: ``method`` (``NN``, ``nearest_neighbor``, ``cosine`` or ``euclidean``), ``parameter`` and ``converter``.
            The parameter has ``nearest_neighbor_num`` (how many records are asked, 1 or more), and may have ``weight``
            (``uniform``, which it is by default, or ``distance``). That of ``NN`` also has ``method`` and ``parameter`` of
            nearest_neighbor, and may have ``unlearner`` and ``unlearner_parameter``.
        distributed: whether it takes part in MIX.
        context: where it runs.

    Raises:
        ConfigError: for a configuration that cannot be used.
    """

    def __init__(self, config, *, bint distributed=False, context=ALONE):
        Model.__init__(self, config, distributed=distributed, context=context)
        cdef list errors = []
        cdef dict members = CONFIG(config, "", errors)
        if members is None or members["method"] is None:
            raise ConfigError(*errors)
        parameter = read_parameter(members["method"], members["parameter"], FIELDS, errors)
        self.targets = Targets(distributed)
        if parameter is not None:
            weight = "uniform" if parameter["weight"] is None else parameter["weight"]
            self.by_distance = weight == "distance"
            self.records = make_records(members["method"], parameter, self.targets, context, distributed, errors)
            if parameter["nearest_neighbor_num"] < 1:
                errors.append("invalid parameter (expected: nearest_neighbor_num >= 1) (.parameter)")
            if weight not in ("distance", "uniform"):
                errors.append("invalid parameter (expected: weight option must be distance or uniform) (.parameter)")
        if errors:
            raise ConfigError(*errors)
        if isinstance(self.records, HashedRecords) and (<HashedRecords>self.records).unlearner is not None:
            self.targets.table.records = (<HashedRecords>self.records).neighbours.table
        self.converter = members["converter"]

    cdef Workspace workspace(self):
        return RecordWorkspace()

    cdef bint is_large(self) noexcept:
        return self.records.is_large()

    @property
    def train(self):
        """Learn [[target, datum], ...] one after the other; return the packed number of data.

        Raises:
            BadArguments: if the argument is no such list; nothing was learned.
            ModelError: if a datum or its target must be refused, or the unlearner cannot take it; what stood before it
                was learned.
        """
        return handler(self, <Body>train)

    @property
    def estimate(self):
        """Estimate a number for each datum; return packed [number, ...].

        Raises:
            BadArguments: if the argument is no list of datums.
            ModelError: if a datum must be refused.
        """
        return scanner(self, <Body>estimate)

    cdef int train_one(self, RecordWorkspace w, Cursor* c) noexcept nogil:
        """Learn one [target, datum]; its form was checked before."""
        cdef uint32_t fields = 0
        cdef double target = 0
        cdef int status = read_target(c, &w.conversion, &fields, &target)
        if status:
            return status
        status = convert_example(self.converter, &w.conversion, c, fields, LEARN | ORDERED)
        if status:
            return status
        take_features(w.conversion, w.vector)
        w.id.clear()
        self.records.draw_id(&w.id)
        status = self.records.store(w, w.id)
        if status == 0:
            self.targets.table.rows.columns[0].set_number(
                self.targets.table.rows.set(w.id.data(), w.id.size()), target
            )
        return status

    cdef double estimate_one(self, RecordWorkspace w) noexcept nogil:
        """The mean target of the records that are nearest to w.vector; 0 if there are none."""
        cdef double target = 0.0, sum = 0.0, weights = 0.0, weight
        cdef bint is_exact = False, is_found = False
        cdef size_t i
        self.records.find(w)
        for i in range(w.found.size()):
            if not self.target_of(w, i, &target):
                continue
            weight = 1.0
            if self.by_distance and w.found[i].distance <= self.records.exact:
                is_exact = True
            elif is_exact:
                break
            elif self.by_distance:
                weight = 1.0 / fabs(w.found[i].distance)
            sum += weight * target
            weights += weight
            is_found = True
        return sum / weights if is_found else 0.0

    cdef bint target_of(self, RecordWorkspace w, size_t i, double* target) noexcept nogil:
        """Look up the target of a record that was found. It has none between two steps of a MIX."""
        cdef uint32_t row = self.targets.table.rows.keys.find(w.found[i].id.p, w.found[i].id.n)
        if row == NONE:
            return False
        target[0] = self.targets.table.rows.columns[0].number(row)
        return True

    def status(self):
        """Return the entries of the unlearner."""
        return self.records.status()

    cdef int pack_own_aside(self, Buffer* out) except -1:
        write_stream(out[0], self.records.numbers)
        return 0

    cdef int unpack_own_aside(self, Cursor* c) except 1:
        return read_stream(c[0], self.records.numbers)

    cdef object parts(self):
        return [[*self.records.parts(), self.targets.table], self.converter.statistics]


cdef int train(NeighbourRegression self, Cursor* args, Buffer* out, RecordWorkspace w) noexcept nogil:
    cdef uint32_t n = 0, i
    cdef int status = open_examples(args, NUMBER, &w.conversion, &n)
    status = status or admit_examples(self.converter, &w.conversion, args[0], NUMBER, n)
    if status:
        return status
    for i in range(n):
        status = self.train_one(w, args)
        if status:
            return status
    out.uint(n)
    return 0


cdef int estimate(NeighbourRegression self, Cursor* args, Buffer* out, RecordWorkspace w) noexcept nogil:
    cdef uint32_t n = 0, i
    cdef int status = open_datums(args, &w.conversion, &n)
    if status:
        return status
    out.array(n)
    for i in range(n):
        status = self.converter.convert(&w.conversion, args, ORDERED)
        if status:
            return status
        take_features(w.conversion, w.vector)
        out.number(self.estimate_one(w))
    return 0
