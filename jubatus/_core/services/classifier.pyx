"""classifier: linear multi-class learners that learn one datum at a time.

Every method scores each label, takes the best label other than the true one as its rival, and moves the weights of
these two apart. They differ in when and how far:

- perceptron: Rosenblatt, 1958.
- PA, PA1, PA2: Crammer, Dekel, Keshet, Shalev-Shwartz, Singer, "Online Passive-Aggressive Algorithms", JMLR 2006.
- CW: Dredze, Crammer, Pereira, "Confidence-Weighted Linear Classification", ICML 2008.
- AROW: Crammer, Kulesza, Dredze, "Adaptive Regularization of Weight Vectors", NIPS 2009.
- NHERD: Crammer, Lee, "Learning via Gaussian Herding", NIPS 2010.

Symbols are those of the papers; C is a float32 and some terms with it are rounded to float32, as in 1.1.
"""

from libc.float cimport DBL_MAX
from libc.math cimport sqrt
from libc.stdint cimport int32_t, uint8_t, uint32_t
from libcpp.string cimport string

from jubatus._core.convert.converter cimport Converter, check, validate_datum
from jubatus._core.convert.statistics_diff cimport StatisticsChange, StatisticsCopy, StatisticsJoint
from jubatus._core.convert.workspace cimport Workspace, sort_and_merge, take_features
from jubatus._core.kernels.bytes cimport MISMATCH, Buffer, Cursor, read_array, read_raw, skip
from jubatus._core.kernels.table cimport NONE
from jubatus._core.linear.diff cimport WeightsChange, WeightsCopy, WeightsJoint
from jubatus._core.linear.labels cimport CountsChange, CountsCopy, CountsJoint, LabelCounts
from jubatus._core.linear.table cimport LinearWorkspace, WeightTable
from jubatus._core.mix.join cimport joined
from jubatus._core.mix.snapshot cimport Snapshot
from jubatus._core.model cimport LONG, Model, packed_bool
from jubatus._core.wire.memory cimport take
from jubatus._core.wire.reader cimport Reader

from jubatus._core.convert.rules import CONVERTER
from jubatus._core.schema import ANY, FLOAT, STRING, Field, optional, read, structure
from jubatus._core.unlearn import make_unlearner
from jubatus._core.wire.writer import pack
from jubatus.errors import BadArguments, ConfigError, ModelError, UnsupportedMethod

METHODS = {
    "perceptron": PERCEPTRON,
    "PA": PA, "passive_aggressive": PA,
    "PA1": PA1, "passive_aggressive_1": PA1,
    "PA2": PA2, "passive_aggressive_2": PA2,
    "CW": CW, "confidence_weighted": CW,
    "AROW": AROW, "arow": AROW,
    "NHERD": NHERD, "normal_herd": NHERD,
}

CONFIG = structure({"method": Field(STRING), "parameter": optional(ANY), "converter": Field(CONVERTER)})
_UNLEARNER = {"unlearner": optional(STRING), "unlearner_parameter": optional(ANY)}
UNREGULARIZED = structure(_UNLEARNER)
REGULARIZED = structure({"regularization_weight": Field(FLOAT), **_UNLEARNER})

cdef const uint8_t* EMPTY_DATUM = b"\x90"

cdef enum:
    FULL = -101  # the unlearner cannot take the label; LinearWorkspace.error holds it


cdef class Classifier(Model):
    """A linear classifier.

    Args:
        config: ``method`` (a key of METHODS), ``parameter`` (``regularization_weight`` greater than 0 for all but
            perceptron and PA; ``unlearner`` and ``unlearner_parameter``) and ``converter``.
        distributed: whether it takes part in MIX.

    Raises:
        ConfigError: for a configuration that cannot be used.
        UnsupportedMethod: for an unknown method.
    """

    def __init__(self, config, *, bint distributed=False):
        Model.__init__(self, config, distributed=distributed)
        cdef dict members = read(config, CONFIG)
        name = members["method"]
        parameter = members["parameter"]
        if name not in METHODS:
            raise UnsupportedMethod(f"classifier({name})", *METHODS)
        self.method = METHODS[name]
        if self.method == PERCEPTRON or self.method == PA:
            parameter = read({} if parameter is None else parameter, UNREGULARIZED, ".parameter")
        elif parameter is None:
            raise ConfigError("parameter block is not specified in config")
        else:
            parameter = read(parameter, REGULARIZED, ".parameter")
            self.c = parameter["regularization_weight"]
            if not self.c > 0:
                raise ConfigError("invalid parameter (expected: 0.0 < regularization_weight) (.parameter)")
        self.unlearner = make_unlearner(
            parameter["unlearner"], parameter["unlearner_parameter"], ".parameter.unlearner_parameter"
        )
        self.converter = Converter(members["converter"], ".converter")
        self.weights = WeightTable(self.method >= CW, distributed)
        self.counts = LabelCounts()

    cdef Workspace workspace(self):
        return LinearWorkspace()

    def train(self, Reader args not None):
        """Learn [[label, datum], ...] one after the other; return the packed number of data.

        Raises:
            BadArguments: if the argument is no such list; nothing was learned.
            ModelError: if a datum or its label must be refused; what stood before it was learned.
        """
        cdef LinearWorkspace space
        cdef uint32_t n = 0
        cdef int status
        cdef Cursor probe = args.cursor
        if probe.end - probe.at < LONG:
            status = validate_labeled(&probe, &n)
        else:
            with nogil:  # long: many data
                status = validate_labeled(&probe, &n)
        if status:
            raise BadArguments("a list of [label, datum] is expected")
        read_array(args.cursor, n)
        space = <LinearWorkspace>self.borrow()
        try:
            if probe.at - args.cursor.at >= LONG:
                with nogil:  # long: many data
                    status = self.train_all(space, &args.cursor, n)
            else:
                status = self.train_all(space, &args.cursor, n)
            self.check(status, space)
        finally:
            self.give_back(space)
        return bytes((n,)) if n < 128 else pack(n)

    cdef int check(self, int status, LinearWorkspace w) except -1:
        if status == FULL:
            label = (<bytes>w.conversion.error).decode("utf-8", "surrogateescape")
            raise ModelError(
                f"cannot add new label as number of sticky labels reached the maximum size of unlearner: {label}"
            )
        return check(status, w)

    cdef int train_all(self, LinearWorkspace w, Cursor* c, unsigned int n) noexcept nogil:
        cdef string label
        cdef int status = 0
        while status == 0 and n:
            status = self.train_one(w, c, &label)
            n -= 1
        return status

    cdef int train_one(self, LinearWorkspace w, Cursor* c, string* label) noexcept nogil:
        cdef uint32_t fields = 0, size = 0, k
        cdef const char* p = NULL
        cdef Cursor nothing
        cdef int status
        read_array(c[0], fields)
        label.clear()
        if fields > 0:
            read_raw(c[0], p, size)
            label.assign(p, size)
        if fields < 2:
            nothing.at = EMPTY_DATUM
            nothing.end = EMPTY_DATUM + 1
        status = self.converter.convert(&w.conversion, &nothing if fields < 2 else c, True, False)
        if status:
            return status
        for k in range(2, fields):
            skip(c[0])
        sort_and_merge(w.conversion, w.vector)
        if self.unlearner is not None and not self.unlearner.can_touch(label[0]):
            w.conversion.error = label[0]
            return FULL
        self.counts.increment(label[0], 1)
        if self.learn(w, label[0]):
            self.touch(label[0])
        return 0

    cdef bint learn(self, LinearWorkspace w, const string& label) noexcept nogil:
        """One step of the method on the converted datum; whether it was an update."""
        cdef uint32_t y, r = NONE
        cdef int32_t slot
        cdef size_t i
        cdef double best = -DBL_MAX, m, n, loss, v, gamma, b
        cdef double c = self.c
        cdef float twice = 2 * self.c, four_times = 4 * self.c, eight_times = 8 * self.c
        cdef double* scores
        cdef bint has_rival
        cdef string rival
        self.weights.score(w)
        scores = w.scores.data()
        y = self.weights.labels.find(label)
        for i in range(self.weights.labels.order.size()):
            slot = self.weights.labels.order[i]
            if <uint32_t>slot == y and self.method != PERCEPTRON:
                continue
            if i == 0 or scores[slot] > best:
                best = scores[slot]
                r = slot
        if self.method == PERCEPTRON and (r == y if r != NONE else label.empty()):
            return False
        if r != NONE:
            rival = self.weights.labels.names[r]
        has_rival = not rival.empty()  # a label without a name is no rival
        if not has_rival:
            r = NONE
        if self.method == PERCEPTRON:
            self.add_all(w, label, rival, has_rival, 1.0)
            return True
        m = (scores[y] if y != NONE else 0.0) - (scores[r] if r != NONE else 0.0)
        if self.method <= PA2:
            loss = 1.0 - m
            if loss < 0:
                if self.method != PA:
                    self.weights.labels.add(label)
                return False
            n = 0.0
            for i in range(w.vector.ids.size()):
                n += w.vector.values[i] * w.vector.values[i]
            if n == 0:
                self.weights.labels.add(label)
                return False
            if self.method == PA:
                loss = loss / (2 * n)
            elif self.method == PA1:
                loss = loss / (2 * n)
                loss = loss if loss < c else c
            else:
                loss = loss / (2 * n + <float>(<float>1.0 / twice))
            self.add_all(w, label, rival, has_rival, loss)
            return True
        v = self.weights.variance(w, y, r)
        if self.method == CW:
            b = 1.0 + twice * m
            gamma = -b + sqrt(b * b - eight_times * (m - c * v))
            if gamma <= 0:
                self.weights.labels.add(label)
                return False
            gamma = gamma / (four_times * v)
            self.adapt_all(w, label, rival, has_rival, gamma, v)
        elif m >= 1:
            self.weights.labels.add(label)
            return False
        else:
            self.adapt_all(w, label, rival, has_rival, m, v)
        return True

    cdef void touch(self, const string& label) noexcept nogil:
        """Tell the unlearner of a real update, and forget the label that it gives up for it."""
        cdef string removed
        cdef bint has_removed = False
        if self.unlearner is not None:
            self.unlearner.touch(label, &removed, &has_removed)
            if has_removed:
                self.forget(removed)

    cdef bint forget(self, const string& label) noexcept nogil:
        """Remove weights and count of a label; whether it had both."""
        cdef bint stored = self.weights.forget(label)
        return self.counts.erase(label) and stored

    cdef void add_all(self, LinearWorkspace w, const string& label, const string& rival, bint has_rival, double step) noexcept nogil:
        """Move weights by step times the value: up for the label, down for its rival."""
        cdef uint32_t y = self.weights.labels.add(label)
        cdef uint32_t r = self.weights.labels.add(rival) if has_rival else NONE
        self.weights.move(w, y, r, step)

    cdef void adapt_all(
        self, LinearWorkspace w, const string& label, const string& rival, bint has_rival, double step, double variance
    ) noexcept nogil:
        """Move weights and shrink covariances; step is gamma for CW, the margin m for AROW and NHERD."""
        cdef uint32_t at, side, sides = 2 if has_rival else 1
        cdef uint32_t[2] slots
        cdef size_t i
        cdef double x, weight = 0, covariance = 0, change, c = self.c
        cdef double beta = 1.0 / (variance + 1.0 / c), alpha = (1.0 - step) * beta
        cdef float twice = 2 * self.c, squared = self.c * self.c
        cdef double k = twice + squared * variance
        if w.vector.ids.empty():
            return
        slots[0] = self.weights.labels.add(label)
        if has_rival:
            slots[1] = self.weights.labels.add(rival)
        for i in range(w.vector.ids.size()):
            x = w.vector.values[i]
            at = self.weights.row_of(w, i)
            for side in range(sides):
                self.weights.get(at, slots[side], &weight, &covariance)
                if self.method == CW:
                    change = step * covariance * x
                    covariance = 1.0 / (1.0 / covariance + 2 * step * x * x * c)
                elif self.method == AROW:
                    change = alpha * covariance * x
                    covariance = covariance - beta * covariance * covariance * x * x
                else:
                    change = (1.0 - step) * (x * covariance) / (variance + 1.0 / c)
                    covariance = 1.0 / (1.0 / covariance + k * x * x)
                self.weights.set(at, slots[side], weight + change if side == 0 else weight - change, covariance)

    def classify(self, Reader args not None):
        """Score every label for each datum; return packed [[[label, score], ...], ...] in result order.

        Raises:
            BadArguments: if the argument is no list of datums.
            ModelError: if a datum must be refused.
        """
        cdef LinearWorkspace space
        cdef Buffer out
        cdef uint32_t n = 0
        cdef int status
        cdef Cursor probe = args.cursor
        if probe.end - probe.at < LONG:
            status = validate_datums(&probe, &n)
        else:
            with nogil:  # long: many data
                status = validate_datums(&probe, &n)
        if status:
            raise BadArguments("a list of datums is expected")
        read_array(args.cursor, n)
        space = <LinearWorkspace>self.borrow()
        try:
            out.array(n)
            if probe.at - args.cursor.at >= LONG:
                with nogil:  # long: many data
                    status = self.classify_all(space, &args.cursor, n, &out)
            else:
                status = self.classify_all(space, &args.cursor, n, &out)
            check(status, space)
        finally:
            self.give_back(space)
        return take(out)

    cdef int classify_all(self, LinearWorkspace w, Cursor* c, unsigned int n, Buffer* out) noexcept nogil:
        cdef int32_t slot
        cdef int status
        while n:
            n -= 1
            status = self.converter.convert(&w.conversion, c, False, True)
            if status:
                return status
            take_features(w.conversion, w.vector)
            self.weights.score(w)
            out.array(self.weights.labels.order.size())
            for slot in self.weights.labels.order:
                out.array(2)
                out.raw(self.weights.labels.names[slot].data(), self.weights.labels.names[slot].size())
                out.number(w.scores[slot])
        return 0

    def get_labels(self, Reader args not None):
        """Return packed {label: how often it was trained}, by ascending label."""
        cdef Buffer out
        self.counts.pack_labels(&out)
        return take(out)

    def set_label(self, Reader args not None):
        """Make a label known; return packed whether it was new.

        Raises:
            ModelError: if the unlearner cannot take it.
        """
        cdef LinearWorkspace space
        cdef string label = args.string()
        cdef string removed
        cdef bint is_new, has_removed = False
        if self.unlearner is not None and not self.unlearner.can_touch(label):
            space = <LinearWorkspace>self.borrow()
            space.conversion.error = label
            self.check(FULL, space)
        is_new = self.weights.labels.find(label) == NONE and self.counts.counts.count(label) == 0
        self.weights.labels.add(label)
        if self.counts.counts.count(label) == 0:
            self.counts.increment(label, 0)
        if is_new and self.unlearner is not None:
            is_new = self.unlearner.touch(label, &removed, &has_removed)
            if has_removed:
                self.forget(removed)
        return packed_bool(is_new)

    def delete_label(self, Reader args not None):
        """Forget a label; return packed whether it was known."""
        cdef string label = args.string()
        cdef bint known = self.forget(label)
        if known and self.unlearner is not None:
            known = self.unlearner.remove(label)
        return packed_bool(known)

    def clear(self, Reader args not None):
        """Forget everything that was learned; return packed True."""
        self.weights.clear()
        self.counts.clear()
        self.converter.statistics.clear()
        if self.unlearner is not None:
            self.unlearner.clear()
        return packed_bool(True)

    def status(self):
        """Return the storage's sizes and the entries of unlearner and document statistics."""
        cdef WeightTable s = self.weights
        values = {
            "storage": "local_storage_mixture" if self.distributed else "local_storage",
            "num_features": str(s.master_features if self.distributed else s.table.size),
            "num_classes": str(s.labels.slots.size()),
        }
        if self.distributed:
            values["num_features_diff"] = str(s.listed.size())
            values["model_version"] = str(s.version)
        if self.unlearner is not None:
            values.update(self.unlearner.status())
        values.update(self.converter.statistics.status())
        return values

    cdef void pack_into(self, Buffer* out) noexcept nogil:
        out.array(2)
        if self.unlearner is not None:
            out.array(3)
            self.unlearner.pack(out)
        else:
            out.array(2)
        self.weights.pack(out)
        self.counts.pack(out)
        self.converter.statistics.pack(out)

    cdef int unpack_from(self, Cursor* c) noexcept nogil:
        cdef uint32_t driver = 0, parts = 0, expected = 3 if self.unlearner is not None else 2
        cdef int status = read_array(c[0], driver)
        if status == 0:
            status = read_array(c[0], parts)
        if status or driver != 2 or parts != expected:
            return MISMATCH
        if self.unlearner is not None:
            status = self.unlearner.unpack(c)
        if status == 0:
            status = self.weights.unpack(c)
        if status == 0:
            status = self.counts.unpack(c)
        return status if status else self.converter.statistics.unpack(c)

    cdef void take_over(self, Model other) noexcept:
        cdef Classifier fresh = <Classifier>other
        self.weights.swap(fresh.weights)
        self.counts.swap(fresh.counts)
        self.converter.statistics.swap(fresh.converter.statistics)
        if self.unlearner is not None:
            self.unlearner.swap(fresh.unlearner)

    cdef list copies(self):
        return [WeightsCopy(self.weights), CountsCopy(self.counts), StatisticsCopy(self.converter.statistics)]

    cdef list changes(self):
        return [
            WeightsChange(self.weights, self.counts, self.unlearner),
            CountsChange(self.counts),
            StatisticsChange(self.converter.statistics),
        ]

    @property
    def version(self):
        """Of which version a mixed diff must be; how many MIXes the model has behind it."""
        return self.weights.version

    @staticmethod
    def mix(diffs not None, *, bint raw=False):
        """Fold diffs in their order, the first being the accumulator: weights are averaged, counts added; of several
        versions the newest one wins.

        Args:
            diffs: packed.
            raw: whether the result is a packed string.

        Raises:
            ModelError: if one of them is no diff, or there is none.
        """
        return joined([WeightsJoint(), CountsJoint(), StatisticsJoint()], diffs, raw)

    def catch_up(self, Model fresh not None, Snapshot since=None):
        """Become another model, but keep the own diff; its labels count as used for the unlearner.

        Args:
            fresh: what another server's model was unpacked into; its own diff is dropped, it is of no use afterwards.
            since: what of the own diff is part of the other model already.

        Raises:
            ModelError: if one of both is not of this kind; nothing was changed.
        """
        Model.catch_up(self, fresh, since)
        cdef string label
        if self.unlearner is None:
            return
        for label in self.weights.labels_of_diff():
            self.touch(label)
            if not self.unlearner.knows(label):
                self.forget(label)


cdef int validate_labeled(Cursor* c, uint32_t* n) noexcept nogil:
    """Step over [[label, datum], ...]; missing fields are empty, further ones are skipped."""
    cdef uint32_t i, fields = 0, size = 0, k
    cdef const char* p = NULL
    cdef int status = read_array(c[0], n[0])
    for i in range(n[0]):
        if status == 0:
            status = read_array(c[0], fields)
        for k in range(fields):
            if status:
                return status
            status = read_raw(c[0], p, size) if k == 0 else validate_datum(c) if k == 1 else skip(c[0])
        if status:
            return status
    return status


cdef int validate_datums(Cursor* c, uint32_t* n) noexcept nogil:
    """Step over [datum, ...]."""
    cdef uint32_t i
    cdef int status = read_array(c[0], n[0])
    for i in range(n[0]):
        if status:
            return status
        status = validate_datum(c)
    return status
