"""The rules of a converter, compiled to plain C structures."""

cimport cython
from libc.math cimport sqrt
from libc.stdint cimport uint32_t, uint64_t
from libcpp.vector cimport vector

from jubatus._core.convert.features cimport (
    BIN, BM25, IDF, IDF1, NUMBER, NUMBER_TEXT, PLAIN, STRING, USER, WRITTEN, Form, Shape, Weighting,
)
from jubatus._core.convert.matchers cimport as_span, compile_match
from jubatus._core.convert.split cimport MAX_GROUPS
from jubatus._core.kernels.bytes cimport Span
from jubatus._core.kernels.hash cimport hash_part, spread_rest
from jubatus._core.kernels.order cimport prefix_of

from jubatus._core.convert.load import Plugin
from jubatus._core.convert.rules import parse_rules
from jubatus.errors import ConfigError

cdef enum:
    NANOSECONDS = 1000000
    # For each byte of a request, or for each pair of features.
    BYTE_COST = 7  # what is split at spaces or not at all, and plain numbers
    NUMBER_COST = 5
    TOKEN_COST = 100
    CHARACTER_COST = 3  # of an n-gram
    PLUGIN_COST = 200
    PAIR_COST = 200
    BYTES_OF_FEATURE = 4  # of the shortest features

SPLIT_COSTS = {"str": 0, "space": 0, "split": 0, "ngram": TOKEN_COST, "regexp": TOKEN_COST, "plugin": PLUGIN_COST}


cdef double matcher_cost(matcher) except -1:
    """Return what a key matcher, or None, costs for each byte."""
    return 0 if matcher is None or matcher.regex is None else matcher.regex.cost


cdef double match_cost(rule) except -1:
    """Return what the key matchers of a rule cost for each byte."""
    return matcher_cost(rule.key) + matcher_cost(getattr(rule, "excluded", None))


cdef double split_cost(splitter) except -1:
    """Return what cutting a text and learning its tokens costs for each byte."""
    cdef double regex = 0 if splitter.regex is None else splitter.regex.cost
    return SPLIT_COSTS[splitter.kind] + regex + CHARACTER_COST * splitter.count


@cython.final
cdef class Program:
    """What the rules of a configuration compile to.

    Args:
        config: the ``converter`` member of a configuration, as parsed JSON.
        path: where it stands in the whole configuration, for the texts of errors.

    Attributes (C level):
        longest: bytes of the longest request that is surely converted within a millisecond.
        shapes: what the names of features are made of; shape 0 is a name as it is.
        is_weighted: whether a rule has a global weight other than 1.
        counts: whether a rule needs document statistics.
        counts_groups: whether a rule needs those of groups.

    Raises:
        ConfigError: for a configuration that cannot be used.
    """

    def __init__(self, config, path=""):
        self.rules = parse_rules(config, path)
        self.texts = []
        self.hash_max_size = self.rules.hash_max_size or 0
        self.add_shape(PLAIN, BIN, b"", b"")
        for rule in self.rules.string_filters:
            self.compile_string_filter(rule)
        for rule in self.rules.num_filters:
            self.compile_number_filter(rule)
        for rule in self.rules.string_rules:
            self.compile_string_rule(rule)
        for rule in self.rules.num_rules:
            self.compile_number_rule(rule)
        for rule in self.rules.binary_rules:
            self.compile_binary_rule(rule)
        for rule in self.rules.combination_rules:
            self.compile_combination(rule)
        self.longest = <Py_ssize_t>self.measure()

    cdef double measure(self) except -1:
        """Return how many bytes of a request are converted within a millisecond, whatever they are.

        The costs of a byte are measured ones: of the dearest values that there are for each kind of rule, with what it
        takes to learn their features.
        """
        cdef double copies = 1, numbers = 1, cost = BYTE_COST
        for rule in self.rules.string_filters:
            growth = 1 if rule.plugin is not None else max(
                1, sum(1 if isinstance(part, int) else len(part) for part in rule.replacement)
            )
            cost += copies * (match_cost(rule) + (PLUGIN_COST if rule.plugin is not None else rule.regex.cost))
            # A filter of one key is not meant for what others make of that key.
            copies = copies + growth if rule.key.kind == "exact" else copies * (1 + growth)
        for rule in self.rules.string_rules:
            cost += copies * (match_cost(rule) + split_cost(rule.splitter)) + (copies - 1) * BYTE_COST
        for rule in self.rules.num_filters:
            cost += numbers * (match_cost(rule) + NUMBER_COST)
            numbers = numbers + 1 if rule.key.kind == "exact" else numbers * 2
        for rule in self.rules.num_rules:
            plugin = PLUGIN_COST if isinstance(rule.kind, Plugin) else 0
            cost += numbers * (match_cost(rule) + plugin) + (numbers - 1) * NUMBER_COST
        for rule in self.rules.binary_rules:
            cost += match_cost(rule) + PLUGIN_COST
        for rule in self.rules.combination_rules:
            for matcher in (rule.left, rule.left_excluded, rule.right, rule.right_excluded):
                cost += copies * matcher_cost(matcher)
        size = NANOSECONDS / cost
        if self.combinations.size():
            # Each feature goes with each other one.
            size = min(size, BYTES_OF_FEATURE * sqrt(2.0 * NANOSECONDS / (PAIR_COST * self.combinations.size())))
        return size

    cdef Span span(self, bytes text) except *:
        self.texts.append(text)
        return as_span(text)

    cdef int add_shape(self, Form form, Weighting weighting, bytes infix, bytes suffix) except -1:
        cdef Shape shape
        shape.form = form
        shape.weighting = weighting
        shape.infix = self.span(infix)
        shape.suffix = self.span(suffix)
        shape.rest = spread_rest(hash_part(shape.suffix.p, shape.suffix.n))
        shape.cut_at_suffix = suffix.rfind(b"@") == 0
        shape.suffix_prefix = prefix_of(shape.suffix.p, shape.suffix.n)
        shape.group_from = max(suffix.rfind(b"@"), 0)
        shape.sharp_at = max(suffix.rfind(b"#"), 0)
        self.shapes.push_back(shape)
        return self.shapes.size() - 1

    cdef int compile_string_filter(self, rule) except -1:
        cdef StringFilterRule data
        cdef Piece piece
        data.match = compile_match(rule.key, rule.excluded)
        data.suffix = self.span(rule.suffix)
        data.regex = <void*>rule.regex
        data.plugin = plugin_of(rule.plugin)
        data.pieces_from = self.pieces.size()
        for part in rule.replacement:
            piece.group = part if isinstance(part, int) else -1
            piece.literal = self.span(b"" if isinstance(part, int) else part)
            self.pieces.push_back(piece)
        data.pieces_to = self.pieces.size()
        self.string_filters.push_back(data)

    cdef int compile_number_filter(self, rule) except -1:
        cdef NumberFilterRule data
        data.match = compile_match(rule.key, rule.excluded)
        data.suffix = self.span(rule.suffix)
        kinds = {
            "add": ADD, "linear": LINEAR, "gaussian": GAUSSIAN, "sigmoid": SIGMOID, "plugin": CHANGE_BY_PLUGIN,
        }
        data.kind = kinds[rule.kind]
        data.plugin = plugin_of(rule.plugin)
        data.a = rule.a
        data.b = rule.b
        data.truncate = rule.truncate
        self.number_filters.push_back(data)

    cdef int compile_string_rule(self, rule) except -1:
        cdef StringRuleData data
        kinds = {"str": WHOLE, "space": WORDS, "ngram": NGRAM, "split": SEPARATED, "regexp": MATCHES,
                 "plugin": SPLIT_BY_PLUGIN}
        weightings = {"bin": BIN, "idf": IDF, "idf1": IDF1, "bm25": BM25, "weight": USER}
        splitter = rule.splitter
        data.match = compile_match(rule.key, rule.excluded)
        data.kind = kinds[splitter.kind]
        data.count = splitter.count
        data.separators_from = self.separators.size()
        for point in sorted(splitter.separators):
            self.separators.push_back(point)
        data.separators_to = self.separators.size()
        data.regex = <void*>splitter.regex
        data.plugin = plugin_of(splitter.plugin)
        data.group = splitter.group
        if data.group >= MAX_GROUPS:
            raise ConfigError(f"'group' must be less than {MAX_GROUPS}: {data.group}")
        data.sample = {"bin": SAMPLE_BIN, "tf": SAMPLE_TF, "log_tf": SAMPLE_LOG_TF}[rule.sample_weight]
        weighting = weightings[rule.global_weight]
        names = f"#{rule.sample_weight}/{rule.global_weight}".encode()
        data.shape = self.add_shape(STRING, weighting, b"$", b"@" + rule.type_name + names)
        self.string_rules.push_back(data)
        if weighting != BIN:
            self.is_weighted = True
        if weighting in (IDF, IDF1, BM25):
            self.counts = True
        if weighting == BM25:
            self.counts_groups = True

    cdef int compile_number_rule(self, rule) except -1:
        cdef NumberRuleData data
        data.match = compile_match(rule.key, rule.excluded)
        data.plugin = plugin_of(rule.kind)
        data.name = self.span(b"@" + rule.type_name)
        if data.plugin != NULL:
            self.add_written()
            data.kind = NUMBER_BY_PLUGIN
            self.number_rules.push_back(data)
            return 0
        data.kind = {"num": IDENTITY, "log": LOGARITHM, "str": PRINTED}[rule.kind]
        printed = data.kind == PRINTED
        infix = b"@" + rule.type_name + (b"$" if printed else b"")
        data.shape = self.add_shape(NUMBER_TEXT if printed else NUMBER, BIN, infix, b"")
        self.number_rules.push_back(data)

    cdef int compile_binary_rule(self, rule) except -1:
        cdef BinaryRuleData data
        data.match = compile_match(rule.key, None)
        data.plugin = plugin_of(rule.plugin)
        data.name = self.span(b"@" + rule.type_name)
        self.add_written()
        self.binary_rules.push_back(data)

    cdef int add_written(self) except -1:
        """Add the shapes of features that plugins name, one for each way of weighting."""
        cdef int weighting
        if self.written[0] == 0:
            for weighting in range(5):
                self.written[weighting] = self.add_shape(WRITTEN, <Weighting>weighting, b"", b"")
            self.is_weighted = True

    cdef int compile_combination(self, rule) except -1:
        cdef CombinationRuleData data
        data.left = compile_match(rule.left, rule.left_excluded)
        data.right = compile_match(rule.right, rule.right_excluded)
        data.multiply = rule.kind == "mul"
        data.plugin = plugin_of(rule.kind)
        data.commutative = True
        if data.plugin != NULL:
            data.commutative = rule.kind.commutative
        data.suffix = self.span(b"/" + rule.type_name)
        self.combinations.push_back(data)


cdef void* plugin_of(value) noexcept:
    """Return a plugin as a pointer, which the rules keep alive; NULL for anything else."""
    return <void*>value if isinstance(value, Plugin) else NULL
