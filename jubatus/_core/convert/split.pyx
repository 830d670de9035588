"""Cut the value of a string into tokens, by a regular expression or by a set of separators."""

from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdio cimport snprintf
from libc.string cimport memcpy, memset

from jubatus._core.convert.workspace cimport REFUSED, Conversion, StringValue, count_token, name_rule, refuse
from jubatus._core.kernels.bytes cimport Span
from jubatus._core.regex.regex cimport SLACK, Regex, Search, ends_inside_character


cdef Span pad(Conversion* w, Span value) noexcept nogil:
    """Return the value so that the regular expression library may read a little behind its end.

    The library does so where the value ends inside a character; only such a value is copied.
    """
    cdef char* out
    if ends_inside_character(value.p, value.n):
        out = w.arena.take(value.n + SLACK)
        memcpy(out, value.p, value.n)
        memset(out + value.n, 0, SLACK)
        value.p = out
    return value


cdef int split_matches(Conversion* w, Regex regex, int group, size_t number, StringValue v) noexcept nogil:
    """Count the texts of a group as tokens; `number` is that of the rule.

    The next search starts as many bytes after the start of the match as the group is long, as in 1.1.
    """
    cdef int begins[MAX_GROUPS]
    cdef int ends[MAX_GROUPS]
    cdef Search search
    cdef Span value = pad(w, v.value)
    cdef uint32_t at = 0
    cdef int length
    search.start(value.n)
    while at < value.n:
        length = regex.find_from(&search, value.p, value.n, &at, begins, ends, MAX_GROUPS)
        if length < -1:
            return refuse_steps(w, b"string_rules", number, regex, search.limit, v.key)
        if length < 0 or at >= value.n:
            return 0
        if begins[group] < 0:
            return refuse(w, b"the group of a regexp type took no part in the match in the value of ", v.key)
        length = ends[group] - begins[group]
        count_token(w[0], value.p + begins[group], length)
        at += length if length > 0 else 1
    return 0


cdef int refuse_steps(
    Conversion* w, const char* section, size_t rule, Regex regex, uint64_t limit, Span key
) noexcept nogil:
    """Write to w.error that the expression of a rule takes too long for the value of a key."""
    cdef char text[32]
    name_rule(w, section, rule)
    w.error.append(b"the pattern ")
    w.error.append(regex.text, regex.length)
    snprintf(text, 32, b" takes more than %llu", <unsigned long long>limit)
    w.error.append(<const char*>text)
    w.error.append(b" steps (10000, and 64 for each byte) in the value of ")
    return refuse(w, NULL, key)


cdef int split_separated(Conversion* w, Span value, const uint32_t* separators, size_t n) noexcept nogil:
    """Count the longest runs of code points without a separator as tokens. A NUL byte ends the value.

    The original finds the place of a run by encoding the code points before it again. It encodes nothing for a code
    point above U+10FFFF, so the runs behind one start 4 bytes too early, and so they do here.
    """
    cdef uint32_t at = 0, end = 0, start = 0, point, least  # end and start count bytes that are encoded again
    cdef int more, i
    cdef uint8_t b
    while at < value.n and value.p[at] != 0:
        b = <uint8_t>value.p[at]
        point, least, more = b, 0, 0
        if b >= 0x80:
            if 0xc2 <= b <= 0xdf:
                point, least, more = b & 0x1f, 0x80, 1
            elif 0xe0 <= b <= 0xef:
                point, least, more = b & 0x0f, 0x800, 2
            elif 0xf0 <= b <= 0xf7:
                point, least, more = b & 0x07, 0x10000, 3
            else:
                w.error.assign(b"Invalid UTF-8: ")
                return REFUSED
        for i in range(1, more + 1):
            b = <uint8_t>value.p[at + i] if at + i < value.n else 0
            if b & 0xc0 != 0x80:
                w.error.assign(b"Invalid UTF-8: " if b else b"Too short string: ")
                return REFUSED
            point = point << 6 | b & 0x3f
        if point < least:
            w.error.assign(b"Invalid UTF-8: ")
            return REFUSED
        at += 1 + more
        if has_point(separators, n, point):
            if end > start:
                count_token(w[0], value.p + start, end - start)
            start = end + 1 + more
        if point <= 0x10ffff:
            end += 1 + more
    if end > start:
        count_token(w[0], value.p + start, end - start)
    return 0


cdef bint has_point(const uint32_t* sorted_points, size_t n, uint32_t point) noexcept nogil:
    """Return whether a code point is among sorted ones."""
    cdef size_t low = 0, high = n, middle
    while low < high:
        middle = (low + high) // 2
        if sorted_points[middle] < point:
            low = middle + 1
        else:
            high = middle
    return low < n and sorted_points[low] == point
