"""Convert a packed datum to a feature vector without making Python objects.

The steps and their order are those of the original: string filters, string rules on the original and on the filtered
strings, number filters, number rules likewise, document statistics (training only), global weights and the removal of
zeros, combinations, and at last hashed names where the configuration asks for them.
"""

cimport cython
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from libc.math cimport isfinite, log
from libc.stdint cimport int32_t, uint8_t, uint32_t, uint64_t
from libc.stdio cimport snprintf
from libc.string cimport memchr, memcpy
from libcpp.string cimport string
from libcpp.vector cimport vector

from jubatus._core.convert.features cimport Feature, Shape, put_name, weighting_of
from jubatus._core.convert.filters cimport filter_numbers, filter_strings
from jubatus._core.convert.matchers cimport selects
from jubatus._core.convert.plugin cimport binary_features, combination_features, number_features, split_by_plugin
from jubatus._core.convert.program cimport (
    IDENTITY, LOGARITHM, MATCHES, NGRAM, NUMBER_BY_PLUGIN, SAMPLE_BIN, SAMPLE_TF, SPLIT_BY_PLUGIN, WHOLE, WORDS,
    BinaryRuleData, CombinationRuleData, NumberRuleData, Program, StringRuleData,
)
from jubatus._core.convert.split cimport split_matches, split_separated
from jubatus._core.convert.statistics cimport Statistics
from jubatus._core.convert.workspace cimport (
    REFUSED, Conversion, NumberValue, StringValue, Token, Workspace, add_features, check, count_ngrams, count_token,
    brings_few_names, bytes_to_keep, count_words, make_room, name_rule, order_tokens, refuse, refuse_key, sort_and_merge,
    take_features, take_memory, take_room,
)
from jubatus._core.kernels.bytes cimport MISMATCH, Cursor, Span, read_array, read_double, read_raw, skip
from jubatus._core.kernels.hash cimport FNV_OFFSET, fnv1, hash_part, join_id, name_id, spread_key
from jubatus._core.kernels.pool cimport NO_MEMORY
from jubatus._core.regex.regex cimport Regex
from jubatus._core.reserve cimport is_reserve_gone

cdef extern from "kernels/pool.h" namespace "jubatus" nogil:
    int guarded(int (*call)(void*, Conversion*) noexcept nogil, void* converter, Conversion* w) noexcept

cdef enum:
    COMBINED = 64 << 20  # bytes that the combinations of one datum may have


cdef int validate_pairs(Cursor* c, bint numbers) noexcept nogil:
    cdef uint32_t pairs = 0, two = 0, n = 0
    cdef const char* p = NULL
    cdef double value = 0
    cdef int status = read_array(c[0], pairs)
    while status == 0 and pairs:
        status = read_array(c[0], two)
        if status == 0 and two != 2:
            return MISMATCH
        if status == 0:
            status = read_raw(c[0], p, n)
        if status == 0:
            status = read_double(c[0], value) if numbers else read_raw(c[0], p, n)
        pairs -= 1
    return status


cdef int validate_datum(Cursor* c) noexcept nogil:
    """Step over a datum; return a negative status if it is none. Missing lists are empty, further ones are skipped."""
    cdef uint32_t parts = 0, i
    cdef int status = read_array(c[0], parts)
    for i in range(parts):
        if status:
            return status
        status = validate_pairs(c, i == 1) if i < 3 else skip(c[0])
    return status


cdef int validate_datums(Cursor* c, uint32_t* n) noexcept nogil:
    """Step over [datum, ...] and count them."""
    cdef uint32_t i
    cdef int status = read_array(c[0], n[0])
    for i in range(n[0]):
        if status:
            return status
        status = validate_datum(c)
    return status


cdef int open_datums(Cursor* c, Conversion* w, uint32_t* n) noexcept nogil:
    """Check a list of datums, count them, and stand on the first one. If it is none, the text of the error is set."""
    cdef Cursor probe = c[0]
    cdef int status = validate_datums(&probe, n)
    if status:
        w.error.assign(b"a list of datums is expected")
        return status
    return read_array(c[0], n[0])


@cython.final
cdef class Converter:
    """Turn datums into feature vectors.

    Args:
        config: the ``converter`` member of a configuration, as parsed JSON.
        path: where it stands in the whole configuration, for the texts of errors.

    Raises:
        ConfigError: for a configuration that cannot be used.
    """

    def __init__(self, config, path=""):
        self.program = Program(config, path)
        self.statistics = Statistics(self.program.counts, self.program.counts_groups)

    def vector(self, bytes datum not None, bint update=False, bint merge=False):
        """Convert one packed datum.

        Args:
            datum: a MessagePack array of string, number and binary values.
            update: count the datum in the document statistics, as training does.
            merge: sort by name and add up the values of equal names.

        Returns:
            The features in vector order, a list of (name as bytes, value).

        Raises:
            BadArguments: if the bytes are no datum.
            ModelError: if the datum cannot be converted.
        """
        cdef Workspace space = Workspace()
        cdef Cursor c
        cdef const Feature* f
        cdef bytes name
        cdef size_t i
        c.at = <const uint8_t*><const char*>datum
        c.end = c.at + len(datum)
        check(self.convert(&space.conversion, &c, (COUNT if update else 0) | (0 if merge else ORDERED)), space)
        features = []
        if merge:
            sort_and_merge(space.conversion, space.vector)
        else:
            take_features(space.conversion, space.vector)
        for i in range(space.vector.ids.size()):
            f = &space.vector.feature(i) if merge else &space.conversion.features[i]
            name = PyBytes_FromStringAndSize(NULL, f.name_size)
            put_name(PyBytes_AS_STRING(name), f[0], space.conversion.shapes)
            features.append((name, space.vector.values[i]))
        return features

    cdef int convert(self, Conversion* w, Cursor* c, int flags) noexcept nogil:
        """Convert the datum under the cursor into w.features, unsorted and unmerged.

        Args:
            flags: COUNT, FINITE and ORDERED, joined by |. Whoever sorts the features needs no ORDERED: where the order
                decides names or sums of features, they are made in that order anyway.
        """
        cdef int status
        cdef bint learns, ordered = flags & ORDERED or self.program.combinations.size() or self.statistics.counts_groups
        w.reset()
        w.is_finite = flags & FINITE
        w.shapes = self.program.shapes.data()
        status = self.read(w, c)
        if status and status != REFUSED:
            w.error.assign(b"a datum is expected")
        if status == 0 and self.program.string_filters.size():
            status = filter_strings(self.program, w)
        if status == 0:
            status = self.add_strings(w, &w.strings, ordered)
        if status == 0:
            status = self.add_strings(w, &w.filtered_strings, ordered)
        if status:
            return status
        if self.program.number_filters.size():
            status = filter_numbers(self.program, w)
        if status == 0:
            status = self.add_numbers(w, &w.numbers)
        if status == 0:
            status = self.add_numbers(w, &w.filtered_numbers)
        if status == 0 and self.program.binary_rules.size():
            status = self.add_binaries(w)
        if status:
            return status
        learns = w.limit and flags & LEARN
        if learns and not brings_few_names(w[0]):
            return REFUSED
        if flags & LEARN:
            make_room(w[0])
            if flags & COUNT and self.statistics.counts:
                self.statistics.documents.table.reserve(w.features.size(), bytes_to_keep(w[0]))
            if is_reserve_gone():  # what follows must not stop halfway
                return NO_MEMORY
        if flags & COUNT:
            if self.program.combinations.size():
                self.statistics.note(w)
            self.statistics.update(w)
        if self.program.is_weighted or w.has_zero:
            self.statistics.apply(w)
        if self.program.combinations.size():
            status = guarded(combine_all, <void*>self, w)
            if status == 0 and learns and not brings_few_names(w[0]):
                status = REFUSED
            if status:
                if flags & COUNT:
                    self.statistics.restore()
                return status
        if self.program.hash_max_size:
            self.hash_names(w)
        return 0

    cdef int read(self, Conversion* w, Cursor* c) noexcept nogil:
        """Read the datum's lists without copying; refuse a number that is not finite where all must be."""
        cdef uint32_t parts = 0, part, pairs = 0, two = 0
        cdef StringValue s
        cdef NumberValue n
        cdef int status = read_array(c[0], parts)
        for part in range(parts):
            if status:
                return status
            if part > 2 or (part == 2 and self.program.binary_rules.empty()):
                status = validate_pairs(c, False) if part == 2 else skip(c[0])
                continue
            status = read_array(c[0], pairs)
            while status == 0 and pairs:
                status = read_array(c[0], two)
                if status == 0 and two != 2:
                    return MISMATCH
                if part != 1:
                    if status == 0:
                        status = read_raw(c[0], s.key.p, s.key.n)
                    if status == 0:
                        status = read_raw(c[0], s.value.p, s.value.n)
                    if status == 0 and part == 0:
                        w.strings.push_back(s)
                    elif status == 0:
                        w.binaries.push_back(s)
                else:
                    if status == 0:
                        status = read_raw(c[0], n.key.p, n.key.n)
                    if status == 0:
                        status = read_double(c[0], n.value)
                    if status == 0 and w.is_finite and not isfinite(n.value):
                        return refuse(w, b"cannot learn from a number that is not finite: ", n.key)
                    if status == 0:
                        w.numbers.push_back(n)
                pairs -= 1
        return status

    cdef int add_strings(self, Conversion* w, vector[StringValue]* values, bint ordered) noexcept nogil:
        cdef size_t r, i
        cdef int32_t k
        cdef int status
        cdef StringRuleData* rule
        cdef Shape* shape
        cdef StringValue v
        cdef uint64_t key
        cdef int chosen
        cdef Token* token
        cdef Feature* f
        for r in range(self.program.string_rules.size()):
            rule = &self.program.string_rules[r]
            shape = &self.program.shapes[rule.shape]
            for i in range(values.size()):
                v = values[0][i]
                chosen = selects(&rule.match, v.key.p, v.key.n)
                if chosen < 0:
                    return refuse_key(w, b"string_rules", r, v.key)
                if chosen == 0:
                    continue
                w.tokens.clear()
                w.seen.start()
                status = self.split(w, r, v)
                if status:
                    return status
                if w.tokens.size() == 0:
                    continue
                if memchr(v.key.p, b"$", v.key.n) != NULL:
                    return refuse(w, b"feature key cannot contain '$': ", v.key)
                key = spread_key(hash_part(v.key.p, v.key.n))
                order_tokens(w[0], ordered)
                f = add_features(w[0], w.tokens.size())
                for k in w.order:
                    token = &w.tokens[k]
                    f.key = v.key.p
                    f.key_size = v.key.n
                    f.token = token.span.p
                    f.token_size = token.span.n
                    f.shape = rule.shape
                    f.name_size = v.key.n + shape.infix.n + token.span.n + shape.suffix.n
                    f.id = join_id(key, token.hash, shape.rest) if shape.cut_at_suffix else self.whole_id(w, f)
                    if rule.sample == SAMPLE_BIN:
                        f.value = 1.0
                    elif rule.sample == SAMPLE_TF:
                        f.value = token.count
                    else:
                        f.value = log(1.0 + token.count)
                    f += 1
                if rule.kind == SPLIT_BY_PLUGIN:
                    take_scores(w)
        return 0

    cdef int split(self, Conversion* w, size_t number, StringValue v) noexcept nogil:
        """Count the tokens of one value by a rule."""
        cdef StringRuleData* rule = &self.program.string_rules[number]
        cdef int status = 0
        if rule.kind == WORDS:
            count_words(w[0], v.value)
        elif rule.kind == NGRAM:
            count_ngrams(w[0], v.value, rule.count)
        elif rule.kind == WHOLE:
            count_token(w[0], v.value.p, v.value.n)
        elif rule.kind == MATCHES:
            return split_matches(w, <Regex>rule.regex, rule.group, number, v)
        elif rule.kind == SPLIT_BY_PLUGIN:
            status = split_by_plugin(w, rule.plugin, v.value, rule.sample)
        else:
            status = split_separated(
                w, v.value, self.program.separators.data() + rule.separators_from,
                rule.separators_to - rule.separators_from,
            )
        return refuse(w, NULL, v.key) if status == REFUSED else status

    cdef int add_numbers(self, Conversion* w, vector[NumberValue]* values) noexcept nogil:
        cdef size_t r, i
        cdef int chosen
        cdef NumberRuleData* rule
        cdef NumberValue v
        cdef Shape* shape
        cdef Feature* f
        cdef char* printed
        for i in range(values.size()):
            v = values[0][i]
            for r in range(self.program.number_rules.size()):
                rule = &self.program.number_rules[r]
                chosen = selects(&rule.match, v.key.p, v.key.n)
                if chosen < 0:
                    return refuse_key(w, b"num_rules", r, v.key)
                if chosen == 0:
                    continue
                if memchr(v.key.p, b"$", v.key.n) != NULL:
                    return refuse(w, b"feature key cannot contain '$': ", v.key)
                if rule.kind == NUMBER_BY_PLUGIN:
                    if number_features(w, rule.plugin, v.key, rule.name, v.value):
                        return refuse(w, NULL, v.key)
                    self.add_named(w)
                    continue
                shape = &self.program.shapes[rule.shape]
                f = add_features(w[0], 1)
                f.key = v.key.p
                f.key_size = v.key.n
                f.shape = rule.shape
                f.token = NULL
                f.token_size = 0
                if rule.kind == IDENTITY:
                    f.value = v.value
                elif rule.kind == LOGARITHM:
                    f.value = log(v.value) if v.value > 1.0 else 0.0
                else:
                    printed = w.arena.take(32)
                    f.token_size = snprintf(printed, 32, b"%g", v.value)
                    f.token = printed
                    f.value = 1.0
                f.name_size = v.key.n + shape.infix.n + f.token_size
                f.id = self.whole_id(w, f)
                w.has_zero = w.has_zero or f.value == 0
        return 0

    cdef int add_binaries(self, Conversion* w) noexcept nogil:
        """Add the features of the binary values."""
        cdef size_t r, i
        cdef int chosen
        cdef BinaryRuleData* rule
        cdef StringValue v
        for r in range(self.program.binary_rules.size()):
            rule = &self.program.binary_rules[r]
            for i in range(w.binaries.size()):
                v = w.binaries[i]
                chosen = selects(&rule.match, v.key.p, v.key.n)
                if chosen < 0:
                    return refuse_key(w, b"binary_rules", r, v.key)
                if chosen == 0:
                    continue
                if memchr(v.key.p, b"$", v.key.n) != NULL:
                    return refuse(w, b"feature key cannot contain '$': ", v.key)
                if binary_features(w, rule.plugin, v.key, rule.name, v.value):
                    return refuse(w, NULL, v.key)
                self.add_named(w)
        return 0

    cdef void add_named(self, Conversion* w) noexcept nogil:
        """Add the features that a plugin has named; what weighs one is read off its name."""
        cdef size_t i
        cdef Feature* f
        w.has_written = True
        for i in range(w.named.size()):
            f = add_features(w[0], 1)
            set_name(f, w.named[i])
            f.shape = self.program.written[<int>weighting_of(f.token, f.token_size)]

    cdef uint64_t whole_id(self, Conversion* w, const Feature* f) noexcept nogil:
        """Return the id of a feature by writing its whole name. Slower than join_id, but fit for any name."""
        w.scratch.resize(f.name_size)
        put_name(&w.scratch[0], f[0], w.shapes)
        return name_id(w.scratch.data(), f.name_size)

    cdef int combine(self, Conversion* w) noexcept nogil:
        """Append the features of each selected pair of the features so far."""
        cdef size_t n = w.features.size(), rule, j
        cdef vector[Span] names
        cdef char* out
        cdef int status
        if n < 2:
            return 0
        w.room = COMBINED
        for j in range(n):
            take_memory(w[0], w.features[j].name_size + sizeof(Span))
        names.resize(n)
        for j in range(n):
            names[j].n = w.features[j].name_size
            if not take_room(w, names[j].n):
                return refuse_room(w, 0, w.features[j])
            out = w.arena.take(names[j].n)
            names[j].p = out
            put_name(out, w.features[j], w.shapes)
        for rule in range(self.program.combinations.size()):
            status = combine_by(w, rule, &self.program.combinations[rule], names)
            if status:
                return status
        return 0

    cdef void hash_names(self, Conversion* w) noexcept nogil:
        """Replace each name by its hash modulo hash_max_size, in decimal; equal names stay apart."""
        cdef size_t i
        cdef Feature* f
        cdef Shape* shape
        cdef uint64_t h, of_key = FNV_OFFSET
        cdef const char* key = NULL
        cdef uint32_t key_size = 0
        cdef char* digits
        for i in range(w.features.size()):
            f = &w.features[i]
            shape = &self.program.shapes[f.shape]
            if f.key != key or f.key_size != key_size:  # the features of a value share their key
                key, key_size = f.key, f.key_size
                of_key = fnv1(FNV_OFFSET, key, key_size)
            h = fnv1(of_key, shape.infix.p, shape.infix.n)
            h = fnv1(h, f.token, f.token_size)
            h = fnv1(h, shape.suffix.p, shape.suffix.n)
            digits = w.arena.take(24)
            f.token_size = snprintf(digits, 24, b"%llu", <unsigned long long>(h % self.program.hash_max_size))
            f.token = digits
            f.key_size = 0
            f.shape = 0
            f.name_size = f.token_size
            f.id = name_id(digits, f.token_size)


cdef int combine_by(
    Conversion* w, size_t number, const CombinationRuleData* rule, const vector[Span]& names
) noexcept nogil:
    """Append the features of each pair that a rule selects. This takes as long as there are pairs and features."""
    cdef vector[size_t] lefts, rights, both
    cdef vector[int] sides  # 1: the left matcher selects it, 2: the right one
    cdef const vector[size_t]* others
    cdef size_t i, j, m
    cdef int left, right, status
    sides.resize(names.size())
    for j in range(names.size()):
        left = selects(&rule.left, names[j].p, names[j].n)
        right = selects(&rule.right, names[j].p, names[j].n)
        if left < 0 or right < 0:
            return refuse_key(w, b"combination_rules", number, names[j])
        sides[j] = left | right << 1
        if left:
            lefts.push_back(j)
        if right:
            rights.push_back(j)
        if left or right:
            both.push_back(j)
    for j in both:
        if rule.commutative:
            others = &both if sides[j] == 3 else &rights if sides[j] == 1 else &lefts
        elif sides[j] & 1:
            others = &rights
        else:
            continue
        i = upper(others[0], j) if rule.commutative else 0
        for i in range(i, others.size()):
            m = others[0][i]
            if m != j:
                status = combine_pair(w, number, rule, j, m, names[j], names[m])
                if status:
                    return status
    return 0


cdef size_t upper(const vector[size_t]& ascending, size_t value) noexcept nogil:
    """Return how many of ascending numbers are not above a value."""
    cdef size_t low = 0, high = ascending.size(), middle
    while low < high:
        middle = (low + high) // 2
        if ascending[middle] <= value:
            low = middle + 1
        else:
            high = middle
    return low


cdef int refuse_room(Conversion* w, size_t number, const Feature& f) noexcept nogil:
    """Write to w.error that combinations need too much memory, and with which feature."""
    cdef string name
    name.resize(f.name_size)
    put_name(&name[0], f, w.shapes)
    name_rule(w, b"combination_rules", number)
    w.error.append(b"the combinations of one datum have more than 64 MB, with that of ")
    w.error.append(name.substr(0, 200))
    return REFUSED


cdef int combine_all(void* converter, Conversion* w) noexcept nogil:
    cdef int status = (<Converter>converter).combine(w)
    if status == 0:
        make_room(w[0])
    return status


cdef int combine_pair(
    Conversion* w, size_t number, const CombinationRuleData* rule, size_t left, size_t right, Span left_name,
    Span right_name,
) noexcept nogil:
    """Append the features of the pair of two features."""
    cdef NumberValue named
    cdef double a = w.features[left].value, b = w.features[right].value
    cdef size_t i
    cdef char* out
    if not take_room(w, sizeof(Feature) + 1 + <uint64_t>left_name.n + right_name.n + rule.suffix.n):
        return refuse_room(w, number, w.features[left])
    take_memory(w[0], <uint64_t>left_name.n + right_name.n + rule.suffix.n)
    named.key.n = left_name.n + 1 + right_name.n + rule.suffix.n
    out = w.arena.take(named.key.n)
    named.key.p = out
    memcpy(out, left_name.p, left_name.n)
    out[left_name.n] = c"&"
    out += left_name.n + 1
    memcpy(out, right_name.p, right_name.n)
    memcpy(out + right_name.n, rule.suffix.p, rule.suffix.n)
    if rule.plugin == NULL:
        named.value = a * b if rule.multiply else a + b
        set_name(add_features(w[0], 1), named)
        return 0
    if combination_features(w, rule.plugin, named.key, a, b):
        return refuse(w, NULL, named.key)
    for i in range(w.named.size()):
        set_name(add_features(w[0], 1), w.named[i])
    return 0


cdef void set_name(Feature* f, NumberValue named) noexcept nogil:
    """Make a feature of a whole name and a value."""
    f.key = NULL
    f.key_size = 0
    f.token = named.key.p
    f.token_size = f.name_size = named.key.n
    f.shape = 0
    f.id = name_id(named.key.p, named.key.n)
    f.value = named.value


cdef void take_scores(Conversion* w) noexcept nogil:
    """Give the features of a plugin's tokens, the last ones, their weights; drop those of weight 0."""
    cdef size_t i, start = w.features.size() - w.tokens.size(), kept = start
    for i in range(w.tokens.size()):
        w.features[start + i].value = w.scores[w.order[i]]
        if w.features[start + i].value != 0:
            w.features[kept] = w.features[start + i]
            kept += 1
    w.features.resize(kept)
