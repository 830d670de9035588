"""What linear learners are taught: [target, datum] pairs, and the names of the methods by which they learn."""

from libc.math cimport isfinite
from libc.stdint cimport uint8_t, uint32_t
from libcpp.string cimport string

from jubatus._core.convert.converter cimport FINITE, Converter, validate_datum
from jubatus._core.convert.program cimport NGRAM, SEPARATED, MATCHES, SPLIT_BY_PLUGIN, Program
from jubatus._core.convert.workspace cimport REFUSED, Conversion, bring_names
from jubatus._core.kernels.bytes cimport MISMATCH, Cursor, read_array, read_double, read_raw, read_text, skip
from jubatus._core.linear.steps cimport AROW, CW, NHERD, PA, PA1, PA2, PERCEPTRON

cdef extern from "linear/growth.h" namespace "jubatus" nogil:
    cdef cppclass Growth:
        uint32_t rules, affix, gram, spacing, factor, combinations
    double most_names(Cursor& c, const Growth& growth) noexcept

cdef enum:
    # Of filters and plugins it is not known by how much they lengthen a value.
    SUPPOSED = 4

METHODS = {
    "perceptron": PERCEPTRON,
    "PA": PA, "passive_aggressive": PA,
    "PA1": PA1, "passive_aggressive_1": PA1,
    "PA2": PA2, "passive_aggressive_2": PA2,
    "CW": CW, "confidence_weighted": CW,
    "AROW": AROW, "arow": AROW,
    "NHERD": NHERD, "normal_herd": NHERD,
}

cdef const uint8_t* EMPTY_DATUM = b"\x90"


cdef int validate_examples(Cursor* c, Target kind, uint32_t* n) noexcept nogil:
    """Step over [[target, datum], ...] and count them. A missing label or datum is empty, further fields are skipped."""
    cdef uint32_t i, fields = 0, size = 0, k
    cdef const char* p = NULL
    cdef double number = 0
    cdef int status = read_array(c[0], n[0])
    for i in range(n[0]):
        if status == 0:
            status = read_array(c[0], fields)
        if status == 0 and fields == 0 and kind == NUMBER:
            status = MISMATCH
        for k in range(fields):
            if status:
                return status
            if k == 0:
                status = read_raw(c[0], p, size) if kind == LABEL else read_double(c[0], number)
            else:
                status = validate_datum(c) if k == 1 else skip(c[0])
        if status:
            return status
    return status


cdef int open_examples(Cursor* c, Target kind, Conversion* w, uint32_t* n) noexcept nogil:
    """Check a list of examples, count them, and stand on the first one. If it is none, the text of the error is set."""
    cdef Cursor probe = c[0]
    cdef int status = validate_examples(&probe, kind, n)
    if status == 0:
        return read_array(c[0], n[0])
    if kind == LABEL:
        w.error.assign(b"a list of [label, datum] is expected")
    else:
        w.error.assign(b"a list of [number, datum] is expected")
    return status


cdef Growth growth_of(Program program) noexcept nogil:
    """Return what the rules make of a value at most."""
    cdef Growth growth
    cdef size_t i
    growth.rules = program.string_rules.size() + program.number_rules.size() + program.binary_rules.size()
    growth.combinations = program.combinations.size()
    if program.string_filters.size() or program.binary_rules.size():
        growth.factor = SUPPOSED
    for i in range(program.shapes.size()):
        growth.affix = max(growth.affix, program.shapes[i].infix.n + program.shapes[i].suffix.n)
    for i in range(program.string_rules.size()):
        if program.string_rules[i].kind == NGRAM:
            growth.gram = max(growth.gram, 4 * program.string_rules[i].count)  # bytes of a character of UTF-8
        if program.string_rules[i].kind == SPLIT_BY_PLUGIN:
            growth.factor = SUPPOSED
        if program.string_rules[i].kind in (NGRAM, SEPARATED, MATCHES, SPLIT_BY_PLUGIN):
            growth.spacing = 1
    return growth


cdef int admit_examples(Converter converter, Conversion* w, Cursor c, Target kind, uint32_t n) noexcept nogil:
    """Refuse examples that together bring more new names than a request may, before the first one is learned.

    The cursor stands on the first one. Only where the sizes of keys and values allow so many, all are converted.
    """
    cdef Growth growth
    cdef Cursor datum = c
    cdef double size = c.end - c.at, names = 0
    cdef uint32_t i, fields = 0
    if w.limit == 0 or n < 2:
        return 0
    growth = growth_of(converter.program)
    if not growth.combinations and size * (size + growth.affix) * growth.rules * growth.factor <= w.limit:
        return 0
    for i in range(n):
        fields = open_example(&datum, kind)
        if fields > 1:
            names += most_names(datum, growth)
        while fields > 2:
            skip(datum)
            fields -= 1
    if names <= w.limit:
        return 0
    w.brought.start()
    for i in range(n):
        fields = open_example(&c, kind)
        if convert_example(converter, w, &c, fields, FINITE):
            return 0  # it is refused when its turn comes, behind those before it
        if not bring_names(w[0]):
            return REFUSED
    return 0


cdef uint32_t open_example(Cursor* c, Target kind) noexcept nogil:
    """Enter an example whose form was checked, and step over its target. Return how many fields it has."""
    cdef uint32_t fields = 0
    read_array(c[0], fields)
    if fields:
        skip(c[0])
    return fields


cdef int read_target(Cursor* c, Conversion* w, uint32_t* fields, double* target) noexcept nogil:
    """Enter an example of open_examples and read its number, which must be finite."""
    read_array(c[0], fields[0])
    read_double(c[0], target[0])
    if isfinite(target[0]):
        return 0
    w.error.assign(b"the target must be a finite number")
    return REFUSED


cdef int convert_example(Converter converter, Conversion* w, Cursor* c, uint32_t fields, int flags) noexcept nogil:
    """Convert the datum of an example whose target was read, and step over what follows it."""
    cdef uint32_t k
    cdef Cursor nothing
    cdef int status
    if fields < 2:
        nothing.at = EMPTY_DATUM
        nothing.end = EMPTY_DATUM + 1
        return converter.convert(w, &nothing, flags)
    status = converter.convert(w, c, flags)
    for k in range(2, fields):
        skip(c[0])
    return status


cdef int read_label(Cursor* c, Conversion* w, string* label) noexcept nogil:
    """Read a label that is an argument by itself."""
    cdef int status = read_text(c[0], label[0])
    if status:
        w.error.assign(b"a string is expected")
    return status
