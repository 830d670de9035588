"""Which keys a rule of the converter, or a pattern of an unlearner, is meant for."""

from libc.stdint cimport uint32_t
from libc.string cimport memcmp
from libcpp.string cimport string

from jubatus._core.convert.regex cimport SLACK, Regex, ends_inside_character
from jubatus._core.kernels.bytes cimport Span


cdef Matcher compile_matcher(object matcher) except *:
    """Compile a rules.Matcher, which must outlive the result: that points to its texts."""
    cdef Matcher m
    m.kind = {"all": ALL, "suffix": SUFFIX, "prefix": PREFIX, "regexp": REGEXP, "exact": EXACT}[matcher.kind]
    m.text = as_span(matcher.text)
    m.regex = <void*>matcher.regex if matcher.regex is not None else NULL
    return m


cdef Span as_span(bytes value) except *:
    cdef Span span
    span.p = value
    span.n = len(value)
    return span


cdef KeyMatch compile_match(object key, object excluded) except *:
    cdef KeyMatch match
    match.key = compile_matcher(key)
    match.has_excluded = excluded is not None
    match.excluded = compile_matcher(key if excluded is None else excluded)
    return match


cdef bint matches_regex(Regex regex, const char* p, uint32_t n) noexcept nogil:
    cdef string copy
    if ends_inside_character(p, n):
        copy.assign(p, n)
        copy.append(SLACK, 0)
        p = copy.data()
    return regex.match_at(p, n, 0, NULL, NULL, 0) >= 0


cdef bint matches(const Matcher* m, const char* p, uint32_t n) noexcept nogil:
    if m.kind == ALL:
        return True
    if m.kind == REGEXP:
        return matches_regex(<Regex>m.regex, p, n)
    if m.kind == EXACT:
        return n == m.text.n and memcmp(p, m.text.p, n) == 0
    if n < m.text.n:
        return False
    return memcmp(p if m.kind == PREFIX else p + n - m.text.n, m.text.p, m.text.n) == 0


cdef bint selects(const KeyMatch* match, const char* p, uint32_t n) noexcept nogil:
    return matches(&match.key, p, n) and not (match.has_excluded and matches(&match.excluded, p, n))
