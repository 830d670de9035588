"""From features back to a datum, as far as their names tell what they were made of.

A number keeps its key and value in a name like ``key@num`` or ``key@str$1.5``, a string in one like
``key$text@str#bin/bin``. All other features (tokens, logarithms, hashed names, combinations of numbers) are lost.
"""

from libc.math cimport isinf
from libc.stdint cimport uint32_t
from libc.stdlib cimport strtod
from libc.string cimport memchr, memcmp
from libcpp.string cimport string
from libcpp.vector cimport vector

from jubatus._core.convert.workspace cimport NumberValue
from jubatus._core.kernels.bytes cimport Buffer, Span
from jubatus._core.wire.memory cimport take


def revert_features(features):
    """Return the packed datum that features are of.

    Args:
        features: pairs of a name as bytes, and a number.
    """
    cdef vector[NumberValue] named
    cdef NumberValue each
    cdef Buffer out
    cdef list kept = list(features)
    cdef bytes name
    for name, value in kept:
        each.key.p, each.key.n = <const char*>name, len(name)
        each.value = value
        named.push_back(each)
    revert(&named, &out)
    return take(out)


cdef void revert(const vector[NumberValue]* features, Buffer* out) noexcept nogil:
    """Write the datum that features are of, in their order: each is a name and its value."""
    cdef vector[Reverted] strings, numbers
    cdef Reverted pair
    cdef size_t i
    for i in range(features.size()):
        pair = revert_feature(features[0][i].key, features[0][i].value)
        if pair.origin == NUMBER_PAIR:
            numbers.push_back(pair)
        elif pair.origin == STRING_PAIR:
            strings.push_back(pair)
    out.array(3)
    out.array(strings.size())
    for pair in strings:
        out.array(2)
        out.raw(pair.key.p, pair.key.n)
        out.raw(pair.text.p, pair.text.n)
    out.array(numbers.size())
    for pair in numbers:
        out.array(2)
        out.raw(pair.key.p, pair.key.n)
        out.number(pair.number)
    out.array(0)


cdef Reverted revert_feature(Span name, double value) noexcept nogil:
    """Return what a feature was made of; key and text point into its name."""
    cdef Reverted pair
    cdef Span rest
    cdef int at = last_of(name, b"@", name.n), sharp
    cdef const char* dollar
    pair.origin, pair.number, pair.key, pair.text = UNTOLD, value, name, name
    if at >= 0:
        pair.key.n = at
        rest.p, rest.n = name.p + at + 1, name.n - at - 1
        if is_equal(rest, b"num", 3) or (begins(rest, b"str$", 4) and read_number(rest, &pair.number)):
            pair.origin = NUMBER_PAIR
            return pair
    sharp = last_of(name, b"#", name.n)
    at = last_of(name, b"@", sharp) if sharp >= 0 else -1
    dollar = <const char*>memchr(name.p, b"$", name.n)
    if at < 0 or dollar == NULL:
        return pair
    rest.p, rest.n = name.p + at + 1, sharp - at - 1
    if is_equal(rest, b"str", 3):
        pair.origin = STRING_PAIR
        pair.key.n = dollar - name.p
        pair.text.p = dollar + 1
        pair.text.n = name.p + at - dollar - 1 if name.p + at > dollar else 0
    return pair


cdef int last_of(Span name, char wanted, int end) noexcept nogil:
    """Return where a byte occurs last before `end`, -1 if nowhere."""
    cdef int at = end - 1
    while at >= 0 and name.p[at] != wanted:
        at -= 1
    return at


cdef bint begins(Span text, const char* head, uint32_t n) noexcept nogil:
    return text.n >= n and memcmp(text.p, head, n) == 0


cdef bint is_equal(Span text, const char* other, uint32_t n) noexcept nogil:
    return text.n == n and begins(text, other, n)


cdef bint read_number(Span rest, double* number) noexcept nogil:
    """Read the number behind the ``str$`` as C++ streams do: the longest beginning that can be part of a number counts.

    Return whether that is a number.
    """
    cdef string text
    cdef uint32_t i = 4
    cdef char c
    cdef bint digits = False, point = False, exponent = False
    cdef char* end = NULL
    cdef double value
    while i < rest.n and (rest.p[i] == 32 or 9 <= rest.p[i] <= 13):
        i += 1
    while i < rest.n:
        c = rest.p[i]
        if b"0" <= c <= b"9":
            digits = True
        elif c == b"+" or c == b"-":
            if not (text.empty() or text.back() == b"e"):
                break
        elif c == b"." and not point and not exponent:
            point = True
        elif (c == b"e" or c == b"E") and digits and not exponent:
            exponent = True
            c = b"e"
        else:
            break
        text.push_back(c)
        i += 1
    value = strtod(text.c_str(), &end)
    if text.empty() or end[0] != 0 or isinf(value):
        return False
    number[0] = value
    return True
