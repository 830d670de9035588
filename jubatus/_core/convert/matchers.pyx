"""Which keys a rule of the converter, or a pattern of an unlearner, is meant for."""

from libc.stdint cimport uint32_t
from libc.string cimport memcmp
from libcpp.string cimport string

from jubatus._core.kernels.bytes cimport Span
from jubatus._core.regex.regex cimport SLACK, Regex, Search, ends_inside_character


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


cdef int matches_regex(Regex regex, const char* p, uint32_t n) noexcept nogil:
    cdef string copy
    cdef Search search
    cdef int length
    if ends_inside_character(p, n):
        copy.assign(p, n)
        copy.append(SLACK, 0)
        p = copy.data()
    search.start(n)
    length = regex.match_at(&search, p, n, 0, NULL, NULL, 0)
    return TOO_LONG if length < -1 else length >= 0


cdef int matches(const Matcher* m, const char* p, uint32_t n) noexcept nogil:
    """Return whether a key is meant, TOO_LONG if an expression cannot tell in time."""
    if m.kind == ALL:
        return True
    if m.kind == REGEXP:
        return matches_regex(<Regex>m.regex, p, n)
    if m.kind == EXACT:
        return n == m.text.n and memcmp(p, m.text.p, n) == 0
    if n < m.text.n:
        return False
    return memcmp(p if m.kind == PREFIX else p + n - m.text.n, m.text.p, m.text.n) == 0


cdef int selects(const KeyMatch* match, const char* p, uint32_t n) noexcept nogil:
    """Return whether a key is meant and not excepted, TOO_LONG if an expression cannot tell in time."""
    cdef int chosen = matches(&match.key, p, n)
    if chosen <= 0 or not match.has_excluded:
        return chosen
    chosen = matches(&match.excluded, p, n)
    return chosen if chosen < 0 else not chosen
