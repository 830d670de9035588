"""Call plugins. Only here does a conversion take the GIL.

What a plugin returns is copied into the memory of the conversion before the GIL is given back. An error of a plugin, or
a result that breaks the contract (jubatus.plugins), is a refusal: the text is in w.error, which ends so that a key can
follow.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from libc.math cimport isfinite, log
from libc.stdint cimport uint32_t
from libc.string cimport memcpy

from jubatus._core.convert.program cimport SAMPLE_BIN, SAMPLE_TF, Sample
from jubatus._core.convert.workspace cimport REFUSED, Conversion, NumberValue
from jubatus._core.kernels.bytes cimport Span
from jubatus._core.kernels.pool cimport Arena

cdef extern from "convert/conversion.h" namespace "jubatus":
    # With the GIL held no exception of C++ may pass.
    void count_score(Conversion& w, const char* p, uint32_t n, double score) except +
    char* take_room(Arena& arena, size_t n) except +

from jubatus._core.convert.load import explain


class _WrongResult(Exception):
    """What a plugin returned that it must not."""


cdef int split_by_plugin(Conversion* w, void* plugin, Span value, Sample sample) noexcept nogil:
    """Put the tokens that a plugin finds in a value and their sample weights into w; none if all of them weigh 0."""
    cdef size_t i
    cdef bint weighs = False
    cdef int status
    w.scores.clear()
    with gil:
        status = split(w, <object>plugin, value)
    if status:
        return status
    for i in range(w.tokens.size()):
        if sample != SAMPLE_TF:
            w.scores[i] = 1.0 if sample == SAMPLE_BIN else log(1.0 + w.scores[i])
        if w.is_finite and not isfinite(w.scores[i]):
            with gil:
                return refuse(w, <object>plugin, _WrongResult("a token whose weight is not finite"))
        weighs = weighs or w.scores[i] != 0
    if not weighs:
        w.tokens.clear()
    return 0


cdef int filter_string_by_plugin(Conversion* w, void* plugin, Span value, Span* result) noexcept nogil:
    """Filter a value; the result is in the arena of the conversion."""
    with gil:
        try:
            made = (<object>plugin).call(text_of(value))
            if not isinstance(made, str):
                raise _WrongResult(f"{shown(made)} instead of a text")
            result[0] = keep(w, made)
            return 0
        except BaseException as error:
            return refuse(w, <object>plugin, error)


cdef int filter_number_by_plugin(Conversion* w, void* plugin, double value, double* result) noexcept nogil:
    """Filter a number."""
    with gil:
        try:
            result[0] = number_of((<object>plugin).call(value), w.is_finite)
            return 0
        except BaseException as error:
            return refuse(w, <object>plugin, error)


cdef int number_features(Conversion* w, void* plugin, Span key, Span type, double value) noexcept nogil:
    """Put the features of a number into w.named."""
    with gil:
        try:
            return take_named(w, (<object>plugin).call(text_of(key) + text_of(type), value))
        except BaseException as error:
            return refuse(w, <object>plugin, error)


cdef int binary_features(Conversion* w, void* plugin, Span key, Span type, Span value) noexcept nogil:
    """Put the features of a binary value into w.named."""
    with gil:
        try:
            return take_named(w, (<object>plugin).call(text_of(key) + text_of(type), value.p[:value.n]))
        except BaseException as error:
            return refuse(w, <object>plugin, error)


cdef int combination_features(Conversion* w, void* plugin, Span key, double left, double right) noexcept nogil:
    """Put the features of a pair into w.named."""
    with gil:
        try:
            return take_named(w, (<object>plugin).call(text_of(key), left, right))
        except BaseException as error:
            return refuse(w, <object>plugin, error)


cdef int split(Conversion* w, plugin, Span value) noexcept:
    """Count the tokens of a splitter or of a string feature."""
    cdef Py_ssize_t size
    cdef Span token
    try:
        text = text_of(value)
        if plugin.method == "extract":
            for pair in each(plugin.call(text)):
                name, score = both(pair)
                if not isinstance(name, str):
                    raise _WrongResult(f"{shown(name)} instead of the text of a token")
                token = keep(w, name)
                count_score(w[0], token.p, token.n, number_of(score, w.is_finite))
            return 0
        size = len(text)
        for pair in each(plugin.call(text)):
            begin, length = both(pair)
            if not (hasattr(begin, "__index__") and hasattr(length, "__index__")):
                raise _WrongResult(f"{shown(pair)} instead of begin and length of a token")
            if not (0 <= begin and 0 <= length and begin + length <= size):
                raise _WrongResult(f"the token {shown(pair)}, which is outside of a text of {size} characters")
            token = keep(w, text[begin : begin + length])
            count_score(w[0], token.p, token.n, 1.0)
        return 0
    except BaseException as error:
        return refuse(w, plugin, error)


cdef int take_named(Conversion* w, made) except -1:
    """Put what a feature plugin returned into w.named."""
    cdef NumberValue named
    w.named.clear()
    for pair in each(made):
        name, value = both(pair)
        if not isinstance(name, str):
            raise _WrongResult(f"{shown(name)} instead of the name of a feature")
        named.key = keep(w, name)
        named.value = number_of(value, w.is_finite)
        w.named.push_back(named)
    return 0


cdef each(made):
    """Iterate over what a plugin returned."""
    try:
        return iter(made)
    except TypeError:
        raise _WrongResult(f"{shown(made)} instead of pairs") from None


cdef both(pair):
    """Return the elements of a pair."""
    if not isinstance(pair, (tuple, list)) or len(pair) != 2:
        raise _WrongResult(f"{shown(pair)} instead of a pair")
    return pair


cdef str text_of(Span bytes):
    return bytes.p[:bytes.n].decode("utf-8", "surrogateescape")


cdef Span keep(Conversion* w, str text) except *:
    """Copy a text into the arena of the conversion."""
    cdef Span kept
    cdef char* out
    cdef bytes encoded
    try:
        encoded = text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        raise _WrongResult(f"{shown(text)}, which is no text") from None
    if PyBytes_GET_SIZE(encoded) > 0x7fffffff:
        raise _WrongResult("a text of more than 2 GiB")
    kept.n = PyBytes_GET_SIZE(encoded)
    out = take_room(w.arena, kept.n)
    memcpy(out, PyBytes_AS_STRING(encoded), kept.n)
    kept.p = out
    return kept


cdef double number_of(value, bint is_finite) except *:
    cdef double number
    if isinstance(value, (str, bytes)) or not hasattr(value, "__float__"):
        raise _WrongResult(f"{shown(value)} instead of a number")
    number = float(value)
    if is_finite and not isfinite(number):
        raise _WrongResult(f"a number that is not finite: {number}")
    return number


cdef str shown(value):
    text = repr(value)
    return text if len(text) <= 60 else text[:60] + "..."


cdef int refuse(Conversion* w, plugin, error) noexcept:
    """Write to w.error what went wrong in a plugin."""
    cdef bytes text
    try:
        if isinstance(error, _WrongResult):
            cause = f"{plugin.method} returned {error}"
        else:
            cause = explain(error)
        text = f"{plugin.name}: {cause}: in the conversion of ".encode("utf-8", "backslashreplace")
    except BaseException:
        text = b"a plugin failed in the conversion of "
    w.error.assign(PyBytes_AS_STRING(text), PyBytes_GET_SIZE(text))
    return REFUSED
