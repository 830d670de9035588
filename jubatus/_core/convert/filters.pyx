"""Make filtered values of the strings and numbers of a datum.

A rule filters what the datum has and what earlier rules made, so rules may double the values each; and what a regular
expression is replaced by may be longer than it. All values that are made of one datum have a bound.
"""

from libc.math cimport exp
from libc.stdint cimport uint32_t, uint64_t
from libc.string cimport memcpy

from jubatus._core.convert.matchers cimport selects
from jubatus._core.convert.plugin cimport filter_number_by_plugin, filter_string_by_plugin
from jubatus._core.convert.program cimport (
    ADD, CHANGE_BY_PLUGIN, GAUSSIAN, SIGMOID, NumberFilterRule, Piece, Program, StringFilterRule,
)
from jubatus._core.convert.split cimport MAX_GROUPS, pad, refuse_steps
from jubatus._core.convert.workspace cimport (
    Conversion, NumberValue, StringValue, name_rule, refuse, refuse_key, take_room,
)
from jubatus._core.kernels.bytes cimport Span
from jubatus._core.regex.regex cimport Regex, Search

cdef enum:
    LEAST_ROOM = 16 << 20  # bytes that filtered values may have in any case
    ROOM_FACTOR = 16  # and how often as many as the datum has
    OVERHEAD = 48  # bytes that a value counts besides its texts


cdef int filter_strings(Program program, Conversion* w) noexcept nogil:
    """Add what the string filters make to the filtered strings."""
    cdef size_t rule, i, known, originals = w.strings.size()
    cdef int status
    cdef StringValue v
    w.room = LEAST_ROOM
    for i in range(originals):
        w.room += ROOM_FACTOR * (<uint64_t>w.strings[i].key.n + w.strings[i].value.n)
    for rule in range(program.string_filters.size()):
        known = w.filtered_strings.size()  # a rule filters what earlier rules made, but not what it makes itself
        for i in range(originals + known):
            v = w.strings[i] if i < originals else w.filtered_strings[i - originals]
            status = filter_string(program, w, rule, v)
            if status:
                return status
    return 0


cdef int filter_string(Program program, Conversion* w, size_t number, StringValue v) noexcept nogil:
    """Add what one rule makes of one value, if it is meant for its key."""
    cdef StringFilterRule* rule = &program.string_filters[number]
    cdef StringValue result
    cdef int status, chosen = selects(&rule.match, v.key.p, v.key.n)
    if chosen < 0:
        return refuse_key(w, b"string_filter_rules", number, v.key)
    if chosen == 0:
        return 0
    if rule.plugin != NULL:
        if filter_string_by_plugin(w, rule.plugin, v.value, &result.value):
            return refuse(w, NULL, v.key)
    else:
        status = replace(program, w, number, v)
        if status:
            return status
        result.value.n = w.scratch.size()
        result.value.p = w.arena.take(result.value.n)
        memcpy(<void*>result.value.p, w.scratch.data(), result.value.n)
    if not take_room(w, OVERHEAD + <uint64_t>v.key.n + rule.suffix.n + result.value.n):
        return refuse_growth(w, b"string_filter_rules", number, v.key)
    result.key = append_suffix(w, v.key, rule.suffix)
    w.filtered_strings.push_back(result)
    return 0


cdef int replace(Program program, Conversion* w, size_t number, StringValue v) noexcept nogil:
    """Replace every match in a value; the result is in w.scratch."""
    cdef int begins[MAX_GROUPS]
    cdef int ends[MAX_GROUPS]
    cdef Search search
    cdef StringFilterRule* rule = &program.string_filters[number]
    cdef uint32_t at = 0, found
    cdef int length
    cdef size_t i
    cdef Piece* piece
    v.value = pad(w, v.value)
    search.start(v.value.n)
    w.scratch.clear()
    while at <= v.value.n:
        found = at
        length = (<Regex>rule.regex).find_from(&search, v.value.p, v.value.n, &found, begins, ends, MAX_GROUPS)
        if length < -1:
            return refuse_steps(w, b"string_filter_rules", number, <Regex>rule.regex, search.limit, v.key)
        if length < 0:
            w.scratch.append(v.value.p + at, v.value.n - at)
            break
        w.scratch.append(v.value.p + at, found - at)
        at = found
        for i in range(rule.pieces_from, rule.pieces_to):
            piece = &program.pieces[i]
            if piece.group < 0:
                w.scratch.append(piece.literal.p, piece.literal.n)
            elif begins[piece.group] < 0:
                return refuse(w, b"a group that string_filter_rules inserts took no part in the match in ", v.key)
            else:
                w.scratch.append(v.value.p + begins[piece.group], ends[piece.group] - begins[piece.group])
        if w.scratch.size() > w.room:
            return refuse_growth(w, b"string_filter_rules", number, v.key)
        at += length
        if length == 0:
            if at < v.value.n:
                w.scratch.append(v.value.p + at, 1)
            at += 1
    return 0


cdef int filter_numbers(Program program, Conversion* w) noexcept nogil:
    """Add what the number filters make to the filtered numbers."""
    cdef size_t rule, i, known, originals = w.numbers.size()
    cdef int chosen
    cdef NumberFilterRule* filter
    cdef NumberValue v
    w.room = LEAST_ROOM
    for i in range(originals):
        w.room += ROOM_FACTOR * (<uint64_t>w.numbers[i].key.n + sizeof(double))
    for rule in range(program.number_filters.size()):
        filter = &program.number_filters[rule]
        known = w.filtered_numbers.size()
        for i in range(originals + known):
            v = w.numbers[i] if i < originals else w.filtered_numbers[i - originals]
            chosen = selects(&filter.match, v.key.p, v.key.n)
            if chosen < 0:
                return refuse_key(w, b"num_filter_rules", rule, v.key)
            if chosen == 0:
                continue
            if not take_room(w, OVERHEAD + <uint64_t>v.key.n + filter.suffix.n):
                return refuse_growth(w, b"num_filter_rules", rule, v.key)
            if filter.kind == CHANGE_BY_PLUGIN:
                if filter_number_by_plugin(w, filter.plugin, v.value, &v.value):
                    return refuse(w, NULL, v.key)
            else:
                v.value = filter_number(filter, v.value)
            v.key = append_suffix(w, v.key, filter.suffix)
            w.filtered_numbers.push_back(v)
    return 0


cdef double filter_number(const NumberFilterRule* f, double x) noexcept nogil:
    """Return what a number filter makes of a number."""
    if f.kind == ADD:
        return x + f.a
    if f.kind == GAUSSIAN:
        return (x - f.a) / f.b
    if f.kind == SIGMOID:
        return 1.0 / (1.0 + exp(-f.a * (x - f.b)))
    if f.truncate and x > f.b:
        return 1.0
    if f.truncate and x < f.a:
        return 0.0
    return (x - f.a) / (f.b - f.a)


cdef int refuse_growth(Conversion* w, const char* section, size_t rule, Span key) noexcept nogil:
    name_rule(w, section, rule)
    w.error.append(b"the filtered values of one datum have more than 16 MB and 16 times the datum's bytes, with that of ")
    return refuse(w, NULL, key)


cdef Span append_suffix(Conversion* w, Span key, Span suffix) noexcept nogil:
    """Return key + suffix, in the arena of the conversion."""
    cdef Span result
    cdef char* out = w.arena.take(key.n + suffix.n)
    memcpy(out, key.p, key.n)
    memcpy(out + key.n, suffix.p, suffix.n)
    result.p = out
    result.n = key.n + suffix.n
    return result
