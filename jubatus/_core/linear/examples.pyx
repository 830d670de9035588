"""What linear learners are taught: [target, datum] pairs, and the names of the methods by which they learn."""

from libc.math cimport isfinite
from libc.stdint cimport uint8_t, uint32_t
from libcpp.string cimport string

from jubatus._core.convert.converter cimport Converter, validate_datum
from jubatus._core.convert.workspace cimport REFUSED, Conversion
from jubatus._core.kernels.bytes cimport MISMATCH, Cursor, read_array, read_double, read_raw, read_text, skip
from jubatus._core.linear.steps cimport AROW, CW, NHERD, PA, PA1, PA2, PERCEPTRON

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
