"""Regular expressions of converter configs, over bytes.

Configs are written for Oniguruma with Perl syntax. The package onigurumacffi brings the library but offers only Ruby
syntax on str, so its C functions are looked up in the shared library that the package has loaded.

A value may come from anyone, and a search of the library takes time that is quadratic in the text for harmless
expressions, exponential for others. So most expressions are run here (scan.h), in linear time and with the same
matches. The library runs the others. Either way a Search holds how many steps the searches of one text may take in
all. A step of the library is a place where it tries to match, or a return to an earlier choice: callouts in the
compiled expression, one before it and one behind it, count them.
"""

cimport cython
from libc.limits cimport INT_MAX
from libc.stdint cimport uint8_t, uint32_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy
from libcpp.vector cimport vector

from jubatus._core.regex.pattern import Op, compile_pattern
from jubatus.errors import ConfigError

cdef extern from "<dlfcn.h>" nogil:
    void* dlopen(const char* path, int mode)
    void* dlsym(void* library, const char* name)
    int RTLD_NOW

ctypedef const unsigned char* Text

cdef struct Region:  # OnigRegion
    int allocated
    int num_regs
    int* begins
    int* ends
    void* history_root

ctypedef int (*NewFunction)(void** regex, Text pattern, Text end, unsigned int option, void* encoding, void* syntax,
                            void* error) noexcept nogil
ctypedef int (*MatchFunction)(void* regex, Text text, Text end, Text at, Region* region, unsigned int option,
                              void* parameters) noexcept nogil
ctypedef int (*SearchFunction)(void* regex, Text text, Text end, Text start, Text stop, Region* region,
                               unsigned int option, void* parameters) noexcept nogil
ctypedef void (*FreeFunction)(void* object) noexcept nogil
ctypedef int (*GroupsFunction)(void* regex) noexcept nogil
ctypedef void* (*NewParametersFunction)() noexcept nogil
ctypedef int (*Callout)(void* arguments, void* data) noexcept nogil
ctypedef int (*SetCalloutFunction)(void* parameters, Callout callout) noexcept nogil
ctypedef int (*SetDataFunction)(void* parameters, void* data) noexcept nogil
ctypedef int (*SetLimitFunction)(void* parameters, unsigned long limit) noexcept nogil
ctypedef unsigned long (*CounterFunction)(void* arguments) noexcept nogil

cdef NewFunction onig_new = NULL
cdef ScanMatch onig_match = NULL
cdef MatchFunction onig_match_with_param = NULL
cdef SearchFunction onig_search_with_param = NULL
cdef FreeFunction onig_free = NULL
cdef GroupsFunction onig_number_of_captures = NULL
cdef NewParametersFunction onig_new_match_param = NULL
cdef FreeFunction onig_initialize_match_param = NULL
cdef FreeFunction onig_free_match_param = NULL
cdef SetCalloutFunction onig_set_progress_callout = NULL
cdef SetCalloutFunction onig_set_retraction_callout = NULL
cdef SetDataFunction onig_set_callout_data = NULL
cdef SetLimitFunction onig_set_match_limit = NULL
cdef SetLimitFunction onig_set_search_limit = NULL
cdef SetLimitFunction onig_set_time_limit = NULL  # not in every version
cdef CounterFunction onig_get_counter = NULL
cdef void* syntax_perl = NULL
cdef void* encoding_utf8 = NULL

cdef enum:
    OPTION_NONE = 0
    MISMATCH = -1
    MIN_SLOTS = 10  # ONIG_NREGION: a region with less room than this is reallocated by the library
    LEAST_TIME = 500  # ms on the clock that one place may take in any case
    MATCHED = 60  # ns for each match of one byte
    STEP = 8  # ns for each step of the expression, for each byte
    BY_LIBRARY = 1000
    UNCOUNTED = 64  # what a search is charged whose steps cannot be counted
    LIMIT_OVER = -18  # ONIGERR_RETRY_LIMIT_IN_SEARCH_OVER


cdef inline int clip(int offset, Py_ssize_t limit) noexcept nogil:
    return -2 if offset < MISMATCH else <int>min(<Py_ssize_t>offset, limit)


cdef void* find(void* library, bytes name) except NULL:
    cdef void* symbol = dlsym(library, name)
    if symbol == NULL:
        raise ImportError(f"the library of onigurumacffi has no {name.decode()}")
    return symbol


cdef int load() except -1:
    """Find the functions of the library. Called for the first expression, so that others need not import it."""
    global onig_new, onig_match, onig_match_with_param, onig_search_with_param, onig_free, onig_number_of_captures
    global onig_new_match_param, onig_initialize_match_param, onig_free_match_param, onig_set_progress_callout
    global onig_set_retraction_callout, onig_set_callout_data, onig_set_match_limit, onig_set_search_limit
    global onig_set_time_limit, onig_get_counter, syntax_perl, encoding_utf8
    import os

    import _onigurumacffi
    import onigurumacffi  # noqa: F401  (initialises the library)

    cdef bytes path = os.fsencode(_onigurumacffi.__file__)
    cdef void* library = dlopen(path, RTLD_NOW)  # loaded already: this only finds it, with what it depends on
    if library == NULL:
        raise ImportError(f"cannot open {_onigurumacffi.__file__}")
    syntax_perl = find(library, b"OnigSyntaxPerl")
    encoding_utf8 = find(library, b"OnigEncodingUTF8")
    onig_match = <ScanMatch>find(library, b"onig_match")
    onig_match_with_param = <MatchFunction>find(library, b"onig_match_with_param")
    onig_search_with_param = <SearchFunction>find(library, b"onig_search_with_param")
    onig_free = <FreeFunction>find(library, b"onig_free")
    onig_number_of_captures = <GroupsFunction>find(library, b"onig_number_of_captures")
    onig_new_match_param = <NewParametersFunction>find(library, b"onig_new_match_param")
    onig_initialize_match_param = <FreeFunction>find(library, b"onig_initialize_match_param")
    onig_free_match_param = <FreeFunction>find(library, b"onig_free_match_param")
    onig_set_progress_callout = <SetCalloutFunction>find(library, b"onig_set_progress_callout_of_match_param")
    onig_set_retraction_callout = <SetCalloutFunction>find(library, b"onig_set_retraction_callout_of_match_param")
    onig_set_callout_data = <SetDataFunction>find(library, b"onig_set_callout_user_data_of_match_param")
    onig_set_match_limit = <SetLimitFunction>find(library, b"onig_set_retry_limit_in_match_of_match_param")
    onig_set_search_limit = <SetLimitFunction>find(library, b"onig_set_retry_limit_in_search_of_match_param")
    onig_set_time_limit = <SetLimitFunction>dlsym(library, b"onig_set_time_limit_of_match_param")
    onig_get_counter = <CounterFunction>find(library, b"onig_get_retry_counter_by_callout_args")
    onig_new = <NewFunction>find(library, b"onig_new")
    return 0


cdef inline bint inside_character(const char* text, Py_ssize_t start, Py_ssize_t at) noexcept nogil:
    """Return whether a search from `start` may step over a byte because it is inside of a long character."""
    cdef Py_ssize_t p = at - 3 if at - 3 > start else start
    while p < at:
        if <unsigned char>text[p] >= 0xC0:
            return True
        p += 1
    return False


cdef void* new_regex(bytes pattern) noexcept:
    """Compile an expression with the library; return NULL if it is wrong."""
    cdef void* regex = NULL
    cdef Text start = <Text><const char*>pattern
    if onig_new(&regex, start, start + len(pattern), OPTION_NONE, encoding_utf8, syntax_perl, NULL) != 0:
        return NULL
    return regex


cdef int count_steps(void* arguments, void* data) noexcept nogil:
    """Charge a search for what the library did since it began at a place; end the search when that is too much."""
    cdef Search* search = <Search*>data
    return 0 if search.charge_callout(1 + onig_get_counter(arguments)) else LIMIT_OVER


cdef bint prepare(Search* search) noexcept nogil:
    """Let the library take as many steps as a search has left; return whether there was memory for that."""
    if search.parameters == NULL:
        search.parameters = onig_new_match_param()
        if search.parameters == NULL:
            return False
        search.free_parameters = onig_free_match_param
        onig_initialize_match_param(search.parameters)
        onig_set_progress_callout(search.parameters, count_steps)
        onig_set_retraction_callout(search.parameters, count_steps)
        onig_set_callout_data(search.parameters, search)
    onig_set_match_limit(search.parameters, search.left // 2)
    onig_set_search_limit(search.parameters, search.left // 2)
    if onig_set_time_limit != NULL:
        onig_set_time_limit(search.parameters, LEAST_TIME + 10 * search.left * LONG_STEP_NS // 1000000)
    return True


cdef class _Characters:
    """What one step of a compiled expression takes for one character.

    Args:
        source: an expression for one character.

    Attributes (C level):
        answers: for each first byte of a character: whether it is taken, SCAN_ASK if other bytes decide.
    """

    cdef void* regex
    cdef uint8_t[256] answers, lengths

    def __init__(self, bytes source not None):
        cdef unsigned char[16] text
        cdef int byte, i, found
        cdef void* any_other = new_regex(b"[^\\n]")  # takes a character whose bytes are not all there, and tells its length
        self.regex = new_regex(source)
        if self.regex == NULL or any_other == NULL:
            raise ConfigError(f"invalid character: {source!r}")
        for byte in range(256):
            for i in range(16):
                text[i] = 0
            text[0] = byte
            found = onig_match(any_other, text, text + 1, text, NULL, OPTION_NONE)
            self.lengths[byte] = max(found, 1)
            found = onig_match(self.regex, text, text + 1, text, NULL, OPTION_NONE)
            self.answers[byte] = SCAN_ASK if self.lengths[byte] > 1 else SCAN_YES if found == 1 else SCAN_NO
        onig_free(any_other)

    def __dealloc__(self):
        if self.regex != NULL:
            onig_free(self.regex)


@cython.final
cdef class Regex:
    """A compiled expression; several threads may match with it at the same time."""

    def __init__(self, bytes pattern not None, bint by_library=False):
        if self._compiled != NULL:
            raise RuntimeError("an expression is compiled once")
        if onig_new == NULL:
            load()
        self._compiled = new_regex(pattern)
        if self._compiled == NULL:
            raise ConfigError(f"invalid regular expression: {pattern.decode(errors='backslashreplace')}")
        self.pattern = pattern
        self.text, self.length = pattern, len(pattern)
        self.groups = onig_number_of_captures(self._compiled)
        self.slots = max(self.groups + 1, MIN_SLOTS)
        self.has_start_anchor = b"\\G" in pattern  # \G matches where the search started
        self.parts = {}
        if not by_library:
            self.compile_steps()
        if self.program == NULL:
            self.add_callouts()

    cdef int compile_steps(self) except -1:
        """Compile the expression to steps, if it is one that can be."""
        cdef _Characters characters
        cdef ScanStep step
        cdef ScanClass* one
        cdef size_t number
        compiled = compile_pattern(self.pattern, self.accepts)
        if compiled is None:
            return 0
        self.program = new ScanProgram()
        self.program.groups = self.groups
        self.program.classes.resize(len(compiled.classes))
        for number, source in enumerate(compiled.classes):
            self.accepts(source)
            characters = self.parts[source]
            one = &self.program.classes[number]
            one.regex = characters.regex
            one.match = onig_match
            memcpy(one.answers, characters.answers, 256)
            memcpy(one.lengths, characters.lengths, 256)
        for op, a, b in compiled.steps:
            step.op, step.a, step.b, step.number = op, a, b, 0
            if op == Op.SPLIT:
                step.number = self.program.splits
                self.program.splits += 1
            elif op == Op.SPAN:
                step.number = self.program.spans
                self.program.spans += 1
            self.program.steps.push_back(step)
        self.live = compiled.live
        self.program.refers = compiled.refers
        self.program.has_first = compiled.first is not None
        if self.program.has_first:
            memcpy(self.program.first, <const char*>compiled.first, 256)

    def accepts(self, bytes source):
        """Return for each first byte of a character whether an expression for one character takes it."""
        if source not in self.parts:
            self.parts[source] = _Characters(source)
        return (<char*>(<_Characters>self.parts[source]).answers)[:256]

    cdef int add_callouts(self) except -1:
        """Compile the expression again, so that the library counts its steps, if it does not mind."""
        cdef void* counting = new_regex(b"(?{1}X)(?:" + self.pattern + b")(?{2})")
        if counting == NULL:
            return 0
        if onig_number_of_captures(counting) != self.groups:
            onig_free(counting)
            return 0
        onig_free(self._compiled)
        self._compiled = counting
        self.counts = True

    def __dealloc__(self):
        if self._compiled != NULL:
            onig_free(self._compiled)
        del self.program

    cdef int attempt(
        self, Search* s, bint search, const char* text, Py_ssize_t size, Py_ssize_t at, int* begins, int* ends,
        int max_groups,
    ) noexcept nogil:
        """Let the library match at a byte or search from it; return its answer: a length or a position, or negative."""
        cdef Text start = <Text>text
        cdef Region region
        cdef Region* wanted = NULL
        cdef int* room = NULL
        cdef int found, group
        if size > INT_MAX or not s.charge(1) or not prepare(s):
            return -2
        if begins != NULL:
            # The library writes into the caller's arrays: it allocates nothing when the region is large enough.
            wanted = &region
            region.allocated = max_groups
            region.num_regs = 0
            region.begins = begins
            region.ends = ends
            region.history_root = NULL
            if max_groups < self.slots:
                room = <int*>malloc(2 * self.slots * sizeof(int))
                if room == NULL:
                    return -2
                region.allocated = self.slots
                region.begins = room
                region.ends = room + self.slots
        if search:
            found = onig_search_with_param(
                self._compiled, start, start + size, start + at, start + size, wanted, OPTION_NONE, s.parameters
            )
        else:
            found = onig_match_with_param(
                self._compiled, start, start + size, start + at, wanted, OPTION_NONE, s.parameters
            )
        if not self.counts:
            s.charge(UNCOUNTED)
        if found >= 0 and begins != NULL:
            for group in range(max_groups):
                begins[group] = clip(region.begins[group], size) if group <= self.groups else -1
                ends[group] = clip(region.ends[group], size) if group <= self.groups else -1
        free(room)
        return found

    cdef int run(
        self, Search* s, const char* text, Py_ssize_t size, uint32_t* at, bint only_here, int* begins, int* ends,
        int max_groups,
    ) noexcept nogil:
        """Run the steps; take and return what match_at and find_from do."""
        cdef int group, end
        if size > INT_MAX - SLACK:
            return -2
        end = scan(self.program[0], s[0], text, size, at, only_here)
        if end < 0:
            return end
        end = clip(end, size)
        if begins != NULL:
            for group in range(max_groups):
                begins[group] = clip(s.saved[2 * group], size) if group <= self.groups else -1
                ends[group] = clip(s.saved[2 * group + 1], size) if group <= self.groups else -1
            begins[0] = at[0]
            ends[0] = end
        return end - <int>at[0]

    cdef int match_at(
        self, Search* s, const char* text, Py_ssize_t size, Py_ssize_t at, int* begins, int* ends, int max_groups
    ) noexcept nogil:
        """Match at byte `at` exactly, 0 <= at <= size; return the length, -1 for no match, -2 if that takes too long.

        On a match, `begins` and `ends` get the byte offsets of the groups 0 .. max_groups - 1, -1 for a group that took
        no part or does not exist. They may be NULL (no groups wanted, fastest); with max_groups < slots the call
        allocates. Where the text ends inside a UTF-8 character, SLACK bytes behind it must be readable: the library
        reads them. No result lies behind the text.

        Args:
            s: started for this text; all its searches by this expression share it.
        """
        cdef uint32_t here = at
        if self.program != NULL:
            return self.run(s, text, size, &here, True, begins, ends, max_groups)
        return clip(self.attempt(s, False, text, size, at, begins, ends, max_groups), size - at)

    cdef int find_from(
        self, Search* s, const char* text, Py_ssize_t size, uint32_t* at, int* begins, int* ends, int max_groups
    ) noexcept nogil:
        """Find the first byte from at[0] on, the end included, where match_at matches; put it into at[0].

        Takes and returns what match_at does. The library's search goes by characters and so never tries the bytes
        inside of one, but match_at does match there: those are tried one by one. `begins` and `ends` are not NULL.
        """
        cdef int found = -1, length
        cdef Py_ssize_t p, start = at[0], stop = size + 1
        if self.program != NULL:
            return self.run(s, text, size, at, False, begins, ends, max_groups)
        if not self.has_start_anchor:
            found = self.attempt(s, True, text, size, start, begins, ends, max_groups)
            if found < MISMATCH:
                return -2
            if found >= 0:
                stop = found
        for p in range(start, stop):
            if self.has_start_anchor or inside_character(text, start, p):
                length = self.match_at(s, text, size, p, NULL, NULL, 0)
                if length < MISMATCH:
                    return -2
                if length >= 0:
                    at[0] = p
                    return self.match_at(s, text, size, p, begins, ends, max_groups)
        if found < 0:
            return -1
        at[0] = found
        return ends[0] - found

    def match(self, bytes text not None, Py_ssize_t at=0):
        """Match at one byte offset exactly; return the span of each group, or None."""
        if not 0 <= at <= len(text):
            raise ValueError(f"offset {at} is outside of {len(text)} bytes")
        cdef Search search
        cdef vector[int] spans
        cdef bytes padded = text + bytes(SLACK)
        spans.resize(2 * self.slots)
        search.start(len(text))
        length = self.match_at(&search, padded, len(text), at, &spans[0], &spans[self.slots], self.slots)
        return self.listed(length, spans)

    def find(self, bytes text not None):
        """Return the spans of all matches, each searched for from the end of the one before, and the steps."""
        cdef Search search
        cdef vector[int] spans
        cdef bytes padded = text + bytes(SLACK)
        cdef uint32_t at = 0
        cdef Py_ssize_t size = len(text)
        spans.resize(2 * self.slots)
        search.start(size)
        matches = []
        while at <= size:
            length = self.find_from(&search, padded, size, &at, &spans[0], &spans[self.slots], self.slots)
            found = self.listed(length, spans)
            if found is None:
                break
            matches.append(found)
            at += max(length, 1)
        return matches, search.used()

    cdef list listed(self, int length, const vector[int]& spans):
        """Return the spans of the groups of a match of so many bytes; None if there is no match."""
        if length < MISMATCH:
            raise RuntimeError(f"gave up matching: {self.pattern.decode(errors='backslashreplace')}")
        if length < 0:
            return None
        return [(spans[group], spans[self.slots + group]) for group in range(self.groups + 1)]

    @property
    def linear(self):
        """Whether it is run in linear time."""
        return self.program != NULL and not self.program.refers

    @property
    def cost(self):
        """About how many ns a byte of a text may take: measured for matches everywhere and for those that just fail."""
        if self.program == NULL:
            return BY_LIBRARY
        return MATCHED + STEP * (self.live if not self.program.refers else STEPS_PER_BYTE)

    def __eq__(self, other):
        return isinstance(other, Regex) and self.pattern == (<Regex>other).pattern

    def __hash__(self):
        return hash(self.pattern)

    def __repr__(self):
        return f"Regex({self.pattern!r})"
