"""regression: linear learners that estimate a number from a datum, and learn one datum at a time.

The estimate is the sum of weight times value over the features. Every method moves the weights towards the target. They
differ in when and how far (linear/steps). The weights are those of one label, ``+``, as in a classifier's model file.
"""

from libc.math cimport fabs, isinf, sqrt
from libc.stdint cimport uint32_t

from jubatus._core.convert.converter cimport LEARN, ORDERED, Converter, open_datums
from jubatus._core.convert.workspace cimport Workspace, kept_by, take_features
from jubatus._core.handler cimport Body, handler
from jubatus._core.kernels.bytes cimport MISMATCH, Buffer, Cursor, read_array, read_double, read_unsigned
from jubatus._core.kernels.table cimport NONE
from jubatus._core.linear.diff cimport Weights
from jubatus._core.linear.examples cimport NUMBER, admit_examples, convert_example, open_examples, read_target
from jubatus._core.linear.steps cimport (
    AROW, CW, PA, PA1, PA2, PERCEPTRON, Adaptation, Cell,
    adapt_arow, adapt_cell, adapt_cw, adapt_nherd, gamma_cw, step_pa, step_pa1,
)
from jubatus._core.linear.table cimport WeightTable
from jubatus._core.linear.workspace cimport LinearWorkspace
from jubatus._core.model cimport Model
from jubatus._core.wire.reader cimport Reader

from jubatus._core.context import ALONE
from jubatus._core.linear.examples import METHODS as LINEAR_METHODS
from jubatus._core.records.methods import METHODS as RECORD_METHODS
from jubatus._core.schema import ANY, FLOAT, STRING, Field, made_by, optional, structure
from jubatus.errors import ConfigError, UnsupportedMethod

METHODS = {name: method for name, method in LINEAR_METHODS.items() if name != "arow"}

CONFIG = structure({"method": Field(STRING), "parameter": optional(ANY), "converter": Field(made_by(Converter))})
PERCEPTRON_PARAMETER = structure({"learning_rate": Field(FLOAT)})
PA_PARAMETER = structure({"sensitivity": Field(FLOAT)})
REGULARIZED = structure({"sensitivity": Field(FLOAT), "regularization_weight": Field(FLOAT)})


cdef class Regression(Model):
    """A linear regression.

    Args:
        config: ``method`` (a key of METHODS), ``parameter`` and ``converter``. The parameter of perceptron is
            ``learning_rate`` (greater than 0). All others have ``sensitivity`` (an error up to which nothing is learned,
            0 or greater), and all but PA ``regularization_weight`` (greater than 0).
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
        if name in METHODS:
            self.method = METHODS[name]
            self.read_parameter(members["parameter"], errors)
        elif name is not None:  # the parameter of an unknown method cannot be checked
            unsupported = UnsupportedMethod(name, *METHODS, *RECORD_METHODS)
            raise ConfigError(unsupported.explain(), *errors) if errors else unsupported
        if errors:
            raise ConfigError(*errors)
        self.label = b"+"
        self.converter = members["converter"]
        self.weights = WeightTable(self.method >= CW, distributed)
        self.linear = Weights(self.weights)

    cdef int read_parameter(self, parameter, list errors) except -1:
        """Take the parameter of the method; collect what is wrong with it."""
        read = PERCEPTRON_PARAMETER if self.method == PERCEPTRON else PA_PARAMETER if self.method == PA else REGULARIZED
        cdef dict found = read(parameter, ".parameter", errors)
        if found is None:
            return 0
        for key, number in found.items():
            if number is None:
                continue
            if key == "learning_rate":
                self.rate = number
                if not self.rate > 0:
                    errors.append("invalid parameter (expected: 0.0 < learning_rate) (.parameter)")
            elif key == "sensitivity":
                self.sensitivity = number
                if not self.sensitivity >= 0:
                    errors.append("invalid parameter (expected: 0.0 <= sensitivity) (.parameter)")
            else:
                self.c = number
                if not self.c > 0:
                    errors.append("invalid parameter (expected: 0.0 < regularization_weight) (.parameter)")
        return 0

    cdef Workspace workspace(self):
        return LinearWorkspace()

    @property
    def train(self):
        """Learn [[target, datum], ...] one after the other; return the packed number of data.

        Raises:
            BadArguments: if the argument is no such list; nothing was learned.
            ModelError: if a datum or its target must be refused; what stood before it was learned.
        """
        return handler(self, <Body>train)

    @property
    def estimate(self):
        """Estimate a number for each datum; return packed [number, ...].

        Raises:
            BadArguments: if the argument is no list of datums.
            ModelError: if a datum must be refused.
        """
        return handler(self, <Body>estimate)

    def clear(self, Reader args not None):
        """Forget everything that was learned; return packed True. The version stays."""
        self.forget_targets()
        return Model.clear(self, args)

    cdef int swap_parts(self, Model other) except -1:
        self.forget_targets()  # as in 1.1, where a model file does not hold them
        return Model.swap_parts(self, other)

    cdef void forget_targets(self) noexcept nogil:
        self.targets.sum = self.targets.squares = 0.0
        self.targets.count = 0

    cdef int train_one(self, LinearWorkspace w, Cursor* c) noexcept nogil:
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
        self.learn(w, target)
        return 0

    cdef double estimate_one(self, LinearWorkspace w) noexcept nogil:
        """The estimate for the converted datum; it looks up the rows of its features."""
        cdef uint32_t at = self.weights.labels.find(self.label)
        self.weights.score(w)
        return w.scores[at] if at != NONE else 0.0

    cdef void learn(self, LinearWorkspace w, double target) noexcept nogil:
        """One step of the method on the converted datum."""
        cdef double deviation = self.deviation(target) if PA <= self.method <= PA2 else 1.0
        cdef double error = target - self.estimate_one(w)
        cdef double sign = 1.0 if error > 0 else -1.0
        cdef double loss = sign * error - self.sensitivity * deviation
        cdef double norm = 0.0
        cdef size_t i
        if self.method == PERCEPTRON:
            self.add_all(w, error * self.rate)
            return
        if not loss > 0:
            return
        if self.method >= CW:
            self.learn_surely(w, sign, loss, error)
            return
        for i in range(w.vector.ids.size()):
            norm += w.vector.values[i] * w.vector.values[i]
        if self.method == PA1:
            self.add_all(w, sign * step_pa1(loss, norm, self.c))
        else:  # PA2 as well: the term that it adds to the norm is 0 in 1.1, by a division of integers
            self.add_all(w, step_pa(sign * loss, norm))

    cdef double deviation(self, double target) noexcept nogil:
        """Count a target; return the standard deviation of all so far, NaN where rounding makes the variance negative."""
        cdef Targets* t = &self.targets
        cdef double mean
        t.sum += target
        t.squares += target * target
        t.count += 1
        mean = t.sum / t.count
        return sqrt(t.squares / t.count - mean * mean)

    cdef void add_all(self, LinearWorkspace w, double step) noexcept nogil:
        """Move all weights by step times the value."""
        cdef uint32_t label
        cdef size_t i
        if isinf(step):
            return
        label = self.weights.labels.add(self.label)
        for i in range(w.vector.ids.size()):
            self.weights.add(self.row_of(w, i), label, w.vector.values[i] * step)

    cdef void learn_surely(self, LinearWorkspace w, double sign, double loss, double error) noexcept nogil:
        """Learn with CW, AROW or NHERD."""
        cdef Adaptation step
        cdef Cell cell
        cdef double variance = 0.0, x
        cdef uint32_t label = self.weights.labels.find(self.label), at
        cdef size_t i
        for i in range(w.vector.ids.size()):
            x = w.vector.values[i]
            self.weights.get(w.rows[i], label, &cell.weight, &cell.covariance)
            variance += cell.covariance * x * x
        if self.method == CW:  # the error takes the place of the margin
            step = adapt_cw(gamma_cw(-fabs(error), variance, self.c), variance, self.c)
        elif self.method == AROW:
            step = adapt_arow(loss, variance, self.c)
        else:
            step = adapt_nherd(loss, variance, self.c)
        if not w.vector.ids.empty():
            label = self.weights.labels.add(self.label)
        for i in range(w.vector.ids.size()):
            at = self.row_of(w, i)
            self.weights.get(at, label, &cell.weight, &cell.covariance)
            adapt_cell(&step, w.vector.values[i], sign, &cell)
            self.weights.set(at, label, cell.weight, cell.covariance)

    cdef uint32_t row_of(self, LinearWorkspace w, size_t i) noexcept nogil:
        """The row of a feature, which is made if there is none.

        Features are not merged: an earlier one of the same name may have made the row.
        """
        if w.rows[i] == NONE:
            w.rows[i] = self.weights.table.find(w.vector.ids[i])
        return self.weights.row_of(w, i)

    def status(self):
        """Return the storage's sizes."""
        return self.weights.status()

    cdef int pack_own_aside(self, Buffer* out) except -1:
        out.array(3)
        out.number(self.targets.sum)
        out.number(self.targets.squares)
        out.uint(self.targets.count)
        return 0

    cdef int unpack_own_aside(self, Cursor* c) except 1:
        cdef uint32_t n = 0
        cdef int status = read_array(c[0], n)
        if status == 0 and n != 3:
            return MISMATCH
        return (
            status or read_double(c[0], self.targets.sum) or read_double(c[0], self.targets.squares)
            or read_unsigned(c[0], self.targets.count)
        )

    cdef object parts(self):
        return [[self.linear], self.converter.statistics]


cdef int train(Regression self, Cursor* args, Buffer* out, LinearWorkspace w) noexcept nogil:
    cdef uint32_t n = 0, i
    cdef int status = open_examples(args, NUMBER, &w.conversion, &n)
    kept_by(w.conversion, self.weights.table)
    status = status or admit_examples(self.converter, &w.conversion, args[0], NUMBER, n)
    if status:
        return status
    for i in range(n):
        status = self.train_one(w, args)
        if status:
            return status
    out.uint(n)
    return 0


cdef int estimate(Regression self, Cursor* args, Buffer* out, LinearWorkspace w) noexcept nogil:
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
