"""classifier: linear multi-class learners that learn one datum at a time.

Every method scores each label, takes the best label other than the true one as its rival, and moves the weights of
these two apart. They differ in when and how far (linear/steps).
"""

from libc.float cimport DBL_MAX
from libc.stdint cimport int32_t, uint32_t
from libcpp.string cimport string
from libcpp.vector cimport vector

from jubatus._core.convert.converter cimport LEARN, ORDERED, Converter, open_datums
from jubatus._core.convert.workspace cimport REFUSED, Workspace, kept_by, sort_and_merge, take_features
from jubatus._core.handler cimport Body, handler
from jubatus._core.kernels.bytes cimport Buffer, Cursor, read_array, read_text
from jubatus._core.kernels.table cimport NONE
from jubatus._core.linear.diff cimport Weights
from jubatus._core.linear.examples cimport LABEL, admit_examples, convert_example, open_examples, read_label
from jubatus._core.linear.steps cimport (
    AROW, CW, PA, PA1, PA2, PERCEPTRON, Adaptation, Cell,
    adapt_arow, adapt_cell, adapt_cw, adapt_nherd, gamma_cw, step_pa, step_pa1, step_pa2,
)
from jubatus._core.linear.table cimport WeightTable
from jubatus._core.linear.workspace cimport LinearWorkspace
from jubatus._core.mix.map cimport IN_DIFF, IN_MASTER, Map
from jubatus._core.model cimport Model

from jubatus._core.context import ALONE
from jubatus._core.linear.examples import METHODS
from jubatus._core.records.methods import METHODS as RECORD_METHODS
from jubatus._core.schema import ANY, FLOAT, STRING, Field, collect, made_by, optional, structure
from jubatus._core.unlearn import make_unlearner
from jubatus.errors import ConfigError, UnsupportedMethod

CONFIG = structure({"method": Field(STRING), "parameter": optional(ANY), "converter": Field(made_by(Converter))})
_UNLEARNER = {"unlearner": optional(STRING), "unlearner_parameter": optional(ANY)}
UNREGULARIZED = structure(_UNLEARNER)
REGULARIZED = structure({"regularization_weight": Field(FLOAT), **_UNLEARNER})

cdef class Classifier(Model):
    """A linear classifier.

    Args:
        config: ``method`` (a key of METHODS), ``parameter`` (``regularization_weight`` greater than 0 for all but
            perceptron and PA; ``unlearner`` and ``unlearner_parameter``) and ``converter``.
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
        name = members["method"]
        parameter = members["parameter"]
        if name in METHODS:
            self.method = METHODS[name]
            if self.method == PERCEPTRON or self.method == PA:
                parameter = UNREGULARIZED({} if parameter is None else parameter, ".parameter", errors)
            elif parameter is None:
                errors.append("parameter block is not specified in config")
            else:
                parameter = REGULARIZED(parameter, ".parameter", errors)
            if parameter is not None:
                weight = parameter.get("regularization_weight")
                if weight is not None:
                    self.c = weight
                    if not self.c > 0:
                        errors.append("invalid parameter (expected: 0.0 < regularization_weight) (.parameter)")
                self.unlearner = collect(
                    errors, make_unlearner,
                    parameter["unlearner"], parameter["unlearner_parameter"], ".parameter.unlearner_parameter",
                )
        elif name is not None:  # the parameter of an unknown method cannot be checked
            unsupported = UnsupportedMethod(f"classifier({name})", *METHODS, *RECORD_METHODS)
            raise ConfigError(unsupported.explain(), *errors) if errors else unsupported
        if errors:
            raise ConfigError(*errors)
        self.converter = members["converter"]
        self.weights = WeightTable(self.method >= CW, distributed)
        self.counts = Map(integers=True, by_name=True)
        self.linear = Weights(self.weights, self.counts, self.unlearner)

    cdef Workspace workspace(self):
        return LinearWorkspace()

    @property
    def train(self):
        """Learn [[label, datum], ...] one after the other; return the packed number of data.

        Raises:
            BadArguments: if the argument is no such list; nothing was learned.
            ModelError: if a datum or its label must be refused; what stood before it was learned.
        """
        return handler(self, <Body>train)

    @property
    def classify(self):
        """Score every label for each datum; return packed [[[label, score], ...], ...] in result order.

        Raises:
            BadArguments: if the argument is no list of datums.
            ModelError: if a datum must be refused.
        """
        return handler(self, <Body>classify)

    @property
    def get_labels(self):
        """Return packed {label: how often it was trained}, by ascending label."""
        return handler(self, <Body>get_labels)

    @property
    def set_label(self):
        """Make a label known; return packed whether it was new.

        Raises:
            ModelError: if the unlearner cannot take it.
        """
        return handler(self, <Body>set_label)

    @property
    def delete_label(self):
        """Forget a label; return packed whether it was known."""
        return handler(self, <Body>delete_label)

    cdef int train_one(self, LinearWorkspace w, Cursor* c, string* label) noexcept nogil:
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
        status = self.admit(w, label[0])
        if status:
            return status
        self.counts.increment(label[0], 1)
        if self.learn(w, label[0]):
            self.linear.touch(label[0])
        return 0

    cdef int admit(self, LinearWorkspace w, const string& label) noexcept nogil:
        """Refuse a label that the unlearner cannot take."""
        if self.unlearner is None or self.unlearner.can_touch(label):
            return 0
        w.conversion.error.assign(
            b"cannot add new label as number of sticky labels reached the maximum size of unlearner: "
        )
        w.conversion.error.append(label)
        return REFUSED

    cdef bint learn(self, LinearWorkspace w, const string& label) noexcept nogil:
        """One step of the method on the converted datum; whether it was an update."""
        cdef uint32_t y = self.weights.labels.find(label), r
        cdef string rival
        cdef double margin
        self.weights.score(w)
        r = self.rival_of(w, y)
        if self.method == PERCEPTRON and (r == y if r != NONE else label.empty()):
            return False
        if r != NONE:
            rival = self.weights.labels.names[r]
        if rival.empty():
            r = NONE  # a label without a name is no rival
        if self.method == PERCEPTRON:
            self.add_all(w, label, rival, 1.0)
            return True
        margin = (w.scores[y] if y != NONE else 0.0) - (w.scores[r] if r != NONE else 0.0)
        if self.method <= PA2:
            return self.learn_passively(w, label, rival, 1.0 - margin)
        return self.learn_surely(w, label, rival, margin, self.weights.variance(w, y, r))

    cdef uint32_t rival_of(self, LinearWorkspace w, uint32_t label) noexcept nogil:
        """The best label other than the true one; for the perceptron the best of all. NONE without any."""
        cdef uint32_t best = NONE
        cdef int32_t slot
        cdef size_t i
        cdef double most = -DBL_MAX
        cdef vector[int32_t]* order = self.weights.labels.arrange()
        for i in range(order.size()):
            slot = order[0][i]
            if <uint32_t>slot == label and self.method != PERCEPTRON:
                continue
            if i == 0 or w.scores[slot] > most:
                most = w.scores[slot]
                best = slot
        return best

    cdef bint learn_passively(
        self, LinearWorkspace w, const string& label, const string& rival, double loss
    ) noexcept nogil:
        """Learn with PA, PA1 or PA2; whether it was an update."""
        cdef double norm = 0.0
        cdef size_t i
        if loss < 0:
            if self.method != PA:
                self.weights.labels.add(label)
            return False
        for i in range(w.vector.ids.size()):
            norm += w.vector.values[i] * w.vector.values[i]
        if norm == 0:
            self.weights.labels.add(label)
            return False
        # The weights of two labels move: the norm counts twice.
        if self.method == PA:
            self.add_all(w, label, rival, step_pa(loss, 2 * norm))
        elif self.method == PA1:
            self.add_all(w, label, rival, step_pa1(loss, 2 * norm, self.c))
        else:
            self.add_all(w, label, rival, step_pa2(loss, 2 * norm, self.c))
        return True

    cdef bint learn_surely(
        self, LinearWorkspace w, const string& label, const string& rival, double margin, double variance
    ) noexcept nogil:
        """Learn with CW, AROW or NHERD; whether it was an update."""
        cdef Adaptation step
        cdef double gamma
        if self.method == CW:
            gamma = gamma_cw(margin, variance, self.c)
            if gamma <= 0:
                self.weights.labels.add(label)
                return False
            step = adapt_cw(gamma, variance, self.c)
        elif margin >= 1:
            self.weights.labels.add(label)
            return False
        elif self.method == AROW:
            step = adapt_arow(1.0 - margin, variance, self.c)
        else:
            step = adapt_nherd(1.0 - margin, variance, self.c)
        self.adapt_all(w, label, rival, &step)
        return True

    cdef void add_all(
        self, LinearWorkspace w, const string& label, const string& rival, double step
    ) noexcept nogil:
        """Move weights by step times the value: up for the label, down for its rival, which may be no label."""
        cdef uint32_t y = self.weights.labels.add(label)
        cdef uint32_t r = NONE if rival.empty() else self.weights.labels.add(rival)
        self.weights.move(w, y, r, step)

    cdef void adapt_all(
        self, LinearWorkspace w, const string& label, const string& rival, const Adaptation* step
    ) noexcept nogil:
        """Adapt the cells of the label and of its rival, which may be no label."""
        cdef uint32_t at, y, r = NONE
        cdef size_t i
        cdef double x
        if w.vector.ids.empty():
            return
        y = self.weights.labels.add(label)
        if not rival.empty():
            r = self.weights.labels.add(rival)
        for i in range(w.vector.ids.size()):
            x = w.vector.values[i]
            at = self.weights.row_of(w, i)
            self.adapt(at, y, step, x, 1.0)
            if r != NONE:
                self.adapt(at, r, step, x, -1.0)

    cdef void adapt(
        self, uint32_t at, uint32_t label, const Adaptation* step, double x, double sign
    ) noexcept nogil:
        cdef Cell cell
        self.weights.get(at, label, &cell.weight, &cell.covariance)
        adapt_cell(step, x, sign, &cell)
        self.weights.set(at, label, cell.weight, cell.covariance)

    def status(self):
        """Return the storage's sizes and the entries of unlearner and document statistics."""
        cdef dict values = self.weights.status()
        if self.unlearner is not None:
            values.update(self.unlearner.status())
        values.update(self.converter.statistics.status())
        return values

    cdef object parts(self):
        cdef list driver = [self.linear, self.counts]
        if self.unlearner is not None:
            driver.insert(0, self.unlearner)
        return [driver, self.converter.statistics]


cdef int train(Classifier self, Cursor* args, Buffer* out, LinearWorkspace w) noexcept nogil:
    cdef uint32_t n = 0, i
    cdef string label
    cdef int status = open_examples(args, LABEL, &w.conversion, &n)
    kept_by(w.conversion, self.weights.table)
    status = status or admit_examples(self.converter, &w.conversion, args[0], LABEL, n)
    if status:
        return status
    for i in range(n):
        status = self.train_one(w, args, &label)
        if status:
            return status
    out.uint(n)
    return 0


cdef int classify(Classifier self, Cursor* args, Buffer* out, LinearWorkspace w) noexcept nogil:
    cdef uint32_t n = 0, i
    cdef int32_t slot
    cdef vector[int32_t]* order
    cdef int status = open_datums(args, &w.conversion, &n)
    if status:
        return status
    out.array(n)
    for i in range(n):
        status = self.converter.convert(&w.conversion, args, ORDERED)
        if status:
            return status
        take_features(w.conversion, w.vector)
        self.weights.score(w)
        order = self.weights.labels.in_order(&w.labels)
        out.array(order.size())
        for slot in order[0]:
            out.array(2)
            out.raw(self.weights.labels.names[slot].data(), self.weights.labels.names[slot].size())
            out.number(w.scores[slot])
    return 0


cdef int get_labels(Classifier self, Cursor* args, Buffer* out, LinearWorkspace w) noexcept nogil:
    self.counts.pack_numbers(out, IN_DIFF | IN_MASTER)
    return 0


cdef int set_label(Classifier self, Cursor* args, Buffer* out, LinearWorkspace w) noexcept nogil:
    cdef string label, removed
    cdef bint is_new, has_removed = False
    cdef int status = read_label(args, &w.conversion, &label)
    if status == 0:
        status = self.admit(w, label)
    if status:
        return status
    is_new = self.weights.labels.find(label) == NONE and not self.counts.knows(label)
    self.weights.labels.add(label)
    if not self.counts.knows(label):
        self.counts.increment(label, 0)
    if is_new and self.unlearner is not None:
        is_new = self.unlearner.touch(label, &removed, &has_removed)
        if has_removed:
            self.linear.forget(removed)
    out.boolean(is_new)
    return 0


cdef int delete_label(Classifier self, Cursor* args, Buffer* out, LinearWorkspace w) noexcept nogil:
    cdef string label
    cdef bint known
    cdef int status = read_label(args, &w.conversion, &label)
    if status:
        return status
    known = self.linear.forget(label)
    if known and self.unlearner is not None:
        known = self.unlearner.remove(label)
    out.boolean(known)
    return 0
