"""classifier: the methods that keep every datum as a record, and ask the nearest ones which label they have.

The id of a record is its label, ``_`` and eight letters or digits. A label's score is the sum of exp(-s d) over those
of the k nearest records that have it, where d is the distance and s the local sensitivity.
"""

from cython.operator cimport dereference, preincrement
from libc.math cimport exp
from libc.stdint cimport uint32_t, uint64_t
from libcpp.map cimport map as ordered_map
from libcpp.string cimport string
from libcpp.vector cimport vector

from jubatus._core.convert.converter cimport LEARN, ORDERED, Converter, open_datums
from jubatus._core.convert.workspace cimport Workspace, sort_and_merge, take_features
from jubatus._core.handler cimport Body, handler, scanner
from jubatus._core.kernels.bytes cimport Buffer, Cursor, Span, read_array, read_text
from jubatus._core.kernels.hash cimport name_id
from jubatus._core.kernels.random cimport read_stream, write_stream
from jubatus._core.kernels.table cimport NONE
from jubatus._core.linear.examples cimport LABEL, admit_examples, convert_example, open_examples, read_label
from jubatus._core.mix.map cimport IN_DIFF, IN_MASTER, Map
from jubatus._core.model cimport Model
from jubatus._core.records.store cimport Beside, HashedRecords, Records, RecordWorkspace
from jubatus._core.rows.table cimport VersionedTable

from jubatus._core.context import ALONE
from jubatus._core.records.methods import keeps_records, make_records, read_parameter
from jubatus._core.schema import FLOAT, Field
from jubatus._core.services.classifier import CONFIG, Classifier
from jubatus.errors import ConfigError

FIELDS = {"local_sensitivity": Field(FLOAT)}


def make_classifier(config, *, distributed=False, context=ALONE):
    """Return the classifier of a configuration, as its method has it; see Classifier and NeighbourClassifier."""
    made = NeighbourClassifier if keeps_records(config) else Classifier
    return made(config, distributed=distributed, context=context)


cdef class LabelCounts(Beside):
    """How many records each label has. A label may be known without any.

    Attributes (C level):
        table: the records, if they say after a MIX what the counts are; otherwise counts are mixed themselves.
    """

    def __init__(self):
        self.counts = Map(integers=True, by_name=True)

    cdef void came(self, const string& id) noexcept nogil:
        self.counts.increment(label_of(id), 1)

    cdef void went(self, const string& id) noexcept nogil:
        """Count a record less; a label that has none any more is forgotten."""
        cdef string label = label_of(id)
        cdef uint32_t at = self.counts.table.find(name_id(label.data(), label.size()))
        if at == NONE:
            return
        if self.counts.table.rows[at].diff.integer + self.counts.table.rows[at].master.integer > 1:
            self.counts.increment(label, <uint64_t>-1)
        else:
            self.counts.erase(label)

    cdef void settle(self) noexcept:
        """Count anew; labels that are known remain so."""
        cdef ordered_map[string, double] known
        cdef ordered_map[string, double].iterator at
        cdef uint32_t row
        self.list_labels(&known)
        self.counts.clear()
        at = known.begin()
        while at != known.end():
            self.counts.increment(dereference(at).first, 0)
            preincrement(at)
        for row in range(self.table.rows.size()):
            self.came(self.table.rows.keys.name(row))

    cdef void list_labels(self, ordered_map[string, double]* labels) noexcept nogil:
        """Put all known labels, with scores of 0, into a map."""
        cdef Span name
        cdef string label
        cdef uint32_t at
        for at in range(self.counts.table.size):
            if self.counts.table.rows[at].flags & (IN_DIFF | IN_MASTER):
                name = self.counts.table.name(at).token
                label.assign(name.p, name.n)
                labels[0][label] = 0.0


cdef class NeighbourClassifier(Model):
    """A classifier by the nearest records.

    Args:
        config: ``method`` (``NN``, ``nearest_neighbor``, ``cosine`` or ``euclidean``), ``parameter`` and ``converter``.
            The parameter has ``nearest_neighbor_num`` (how many records are asked; for the last two methods not 0) and
            ``local_sensitivity`` (how much less a record counts with its distance, 0 or greater). That of ``NN`` also has
            ``method`` and ``parameter`` of nearest_neighbor, and may have ``unlearner`` and ``unlearner_parameter``.
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
        self.labels = LabelCounts()
        if parameter is not None:
            self.sensitivity = parameter["local_sensitivity"]
            if not self.sensitivity >= 0:
                errors.append("invalid parameter (expected: local_sensitivity should >= 0) (.parameter)")
            self.records = make_records(members["method"], parameter, self.labels, context, distributed, errors)
            if parameter["nearest_neighbor_num"] == 0 and not isinstance(self.records, HashedRecords):
                errors.append("invalid parameter (expected: nearest neighbor num >= 1) (.parameter)")
        if errors:
            raise ConfigError(*errors)
        if isinstance(self.records, HashedRecords):
            self.labels.table = (<HashedRecords>self.records).neighbours.table
        self.converter = members["converter"]

    cdef Workspace workspace(self):
        return RecordWorkspace()

    cdef bint is_large(self) noexcept:
        return self.records.is_large()

    @property
    def train(self):
        """Learn [[label, datum], ...] one after the other; return the packed number of data.

        Raises:
            BadArguments: if the argument is no such list; nothing was learned.
            ModelError: if a datum must be refused, or the unlearner cannot take it; what stood before it was learned.
        """
        return handler(self, <Body>train)

    @property
    def classify(self):
        """Score every label for each datum; return packed [[[label, score], ...], ...], by ascending label.

        Raises:
            BadArguments: if the argument is no list of datums.
            ModelError: if a datum must be refused.
        """
        return scanner(self, <Body>classify)

    @property
    def get_labels(self):
        """Return packed {label: how many records it has}, by ascending label."""
        return handler(self, <Body>get_labels)

    @property
    def set_label(self):
        """Make a label known; return packed whether it was new."""
        return handler(self, <Body>set_label)

    @property
    def delete_label(self):
        """Forget a label with its records; return packed whether it was known. Of an inverted index nothing is removed."""
        return scanner(self, <Body>delete_label)

    cdef int train_one(self, RecordWorkspace w, Cursor* c, string* label) noexcept nogil:
        """Learn one [label, datum]; its form was checked before."""
        cdef uint32_t fields = 0
        cdef int status
        read_array(c[0], fields)
        label.clear()
        if fields > 0:
            read_text(c[0], label[0])
        status = convert_example(self.converter, &w.conversion, c, fields, LEARN)
        if status:
            return status
        sort_and_merge(w.conversion, w.vector)
        w.id = label[0]
        w.id.push_back(b"_")
        self.records.draw_id(&w.id)
        status = self.records.store(w, w.id)
        if status == 0:
            self.labels.counts.increment(label[0], 1)
        return status

    cdef void write_scores(
        self, RecordWorkspace w, const ordered_map[string, double]* labels, Buffer* out
    ) noexcept nogil:
        """Write the scores of all labels by the records that were found."""
        cdef ordered_map[string, double] scores = labels[0]
        cdef ordered_map[string, double].iterator at
        cdef string label
        cdef size_t i
        for i in range(w.found.size()):
            label.assign(w.found[i].id.p, w.found[i].id.n)
            label = label_of(label)
            scores[label] = scores[label] + exp(-self.sensitivity * w.found[i].distance)
        out.array(scores.size())
        at = scores.begin()
        while at != scores.end():
            out.array(2)
            out.raw(dereference(at).first.data(), dereference(at).first.size())
            out.number(dereference(at).second)
            preincrement(at)

    cdef bint forget_label(self, const string& label) noexcept nogil:
        """Forget a label with its records; return whether it was known."""
        cdef vector[string] ids
        cdef string id
        cdef uint32_t row
        if not self.labels.counts.erase(label):
            return False
        for row in range(self.labels.table.rows.size()):
            if label_of(self.labels.table.rows.keys.name(row)) == label:
                ids.push_back(self.labels.table.rows.keys.name(row))
        for id in ids:
            self.records.remove(id)
        return True

    def status(self):
        """Return the entries of unlearner and document statistics."""
        return {**self.records.status(), **self.converter.statistics.status()}

    cdef int pack_own_aside(self, Buffer* out) except -1:
        write_stream(out[0], self.records.numbers)
        return 0

    cdef int unpack_own_aside(self, Cursor* c) except 1:
        return read_stream(c[0], self.records.numbers)

    cdef object parts(self):
        return [[*self.records.parts(), self.labels.counts], self.converter.statistics]

    cdef list mixed_parts(self):
        if self.labels.table is None:
            return Model.mixed_parts(self)
        return [self.labels.table, self.converter.statistics]  # the records say what the counts are


cdef string label_of(const string& id) noexcept nogil:
    """Return the label of a record: what stands before the last ``_`` of its id."""
    return id.substr(0, id.rfind(b"_"))


cdef int train(NeighbourClassifier self, Cursor* args, Buffer* out, RecordWorkspace w) noexcept nogil:
    cdef uint32_t n = 0, i
    cdef string label
    cdef int status = open_examples(args, LABEL, &w.conversion, &n)
    status = status or admit_examples(self.converter, &w.conversion, args[0], LABEL, n)
    if status:
        return status
    for i in range(n):
        status = self.train_one(w, args, &label)
        if status:
            return status
    out.uint(n)
    return 0


cdef int classify(NeighbourClassifier self, Cursor* args, Buffer* out, RecordWorkspace w) noexcept nogil:
    cdef ordered_map[string, double] labels
    cdef uint32_t n = 0, i
    cdef int status = open_datums(args, &w.conversion, &n)
    if status:
        return status
    self.labels.list_labels(&labels)
    out.array(n)
    for i in range(n):
        status = self.converter.convert(&w.conversion, args, ORDERED)
        if status:
            return status
        take_features(w.conversion, w.vector)
        self.records.find(w)
        self.write_scores(w, &labels, out)
    return 0


cdef int get_labels(NeighbourClassifier self, Cursor* args, Buffer* out, RecordWorkspace w) noexcept nogil:
    self.labels.counts.pack_numbers(out, IN_DIFF | IN_MASTER)
    return 0


cdef int set_label(NeighbourClassifier self, Cursor* args, Buffer* out, RecordWorkspace w) noexcept nogil:
    cdef string label
    cdef bint is_new
    cdef int status = read_label(args, &w.conversion, &label)
    if status:
        return status
    is_new = not self.labels.counts.knows(label)
    if is_new:
        self.labels.counts.increment(label, 0)
    out.boolean(is_new)
    return 0


cdef int delete_label(NeighbourClassifier self, Cursor* args, Buffer* out, RecordWorkspace w) noexcept nogil:
    cdef string label
    cdef int status = read_label(args, &w.conversion, &label)
    if status:
        return status
    out.boolean(self.labels.table is not None and self.forget_label(label))
    return 0
