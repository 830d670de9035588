"""Regular expressions of converter configs, over bytes.

Configs are written for Oniguruma with Perl syntax. The package onigurumacffi brings the library but offers only Ruby
syntax on str, so its C functions are looked up in the shared library that the package has loaded.
"""

cimport cython
from libc.limits cimport INT_MAX
from libc.stdint cimport uint32_t
from libc.stdlib cimport free, malloc

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
ctypedef int (*MatchFunction)(void* regex, Text text, Text end, Text at, Region* region,
                              unsigned int option) noexcept nogil
ctypedef int (*SearchFunction)(void* regex, Text text, Text end, Text start, Text stop, Region* region,
                               unsigned int option) noexcept nogil
ctypedef void (*FreeFunction)(void* regex) noexcept nogil
ctypedef int (*GroupsFunction)(void* regex) noexcept nogil

cdef NewFunction onig_new = NULL
cdef MatchFunction onig_match = NULL
cdef SearchFunction onig_search = NULL
cdef FreeFunction onig_free = NULL
cdef GroupsFunction onig_number_of_captures = NULL
cdef void* syntax_perl = NULL
cdef void* encoding_utf8 = NULL

cdef enum:
    OPTION_NONE = 0
    MISMATCH = -1
    MIN_SLOTS = 10  # ONIG_NREGION: a region with less room than this is reallocated by the library


cdef inline int clip(int offset, Py_ssize_t limit) noexcept nogil:
    return -2 if offset < MISMATCH else <int>min(<Py_ssize_t>offset, limit)


cdef void* find(void* library, bytes name) except NULL:
    cdef void* symbol = dlsym(library, name)
    if symbol == NULL:
        raise ImportError(f"the library of onigurumacffi has no {name.decode()}")
    return symbol


cdef int load() except -1:
    """Find the functions of the library. Called for the first expression, so that others need not import it."""
    global onig_new, onig_match, onig_search, onig_free, onig_number_of_captures, syntax_perl, encoding_utf8
    import os

    import _onigurumacffi
    import onigurumacffi  # noqa: F401  (initialises the library)

    cdef bytes path = os.fsencode(_onigurumacffi.__file__)
    cdef void* library = dlopen(path, RTLD_NOW)  # loaded already: this only finds it, with what it depends on
    if library == NULL:
        raise ImportError(f"cannot open {_onigurumacffi.__file__}")
    syntax_perl = find(library, b"OnigSyntaxPerl")
    encoding_utf8 = find(library, b"OnigEncodingUTF8")
    onig_match = <MatchFunction>find(library, b"onig_match")
    onig_search = <SearchFunction>find(library, b"onig_search")
    onig_free = <FreeFunction>find(library, b"onig_free")
    onig_number_of_captures = <GroupsFunction>find(library, b"onig_number_of_captures")
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


@cython.final
cdef class Regex:
    """A compiled expression; several threads may match with it at the same time."""

    def __init__(self, bytes pattern not None):
        if self._compiled != NULL:
            raise RuntimeError("an expression is compiled once")
        if onig_new == NULL:
            load()
        cdef Text start = <Text><const char*>pattern
        if onig_new(&self._compiled, start, start + len(pattern), OPTION_NONE, encoding_utf8, syntax_perl, NULL) != 0:
            self._compiled = NULL
            raise ConfigError(f"invalid regular expression: {pattern.decode(errors='backslashreplace')}")
        self.pattern = pattern
        self.groups = onig_number_of_captures(self._compiled)
        self.slots = max(self.groups + 1, MIN_SLOTS)
        self.has_start_anchor = b"\\G" in pattern  # \G matches where the search started

    def __dealloc__(self):
        if self._compiled != NULL:
            onig_free(self._compiled)

    cdef int attempt(
        self, bint search, const char* text, Py_ssize_t size, Py_ssize_t at, int* begins, int* ends, int max_groups
    ) noexcept nogil:
        """Match at a byte or search from it; return the library's answer: a length or a position, or negative."""
        cdef Text start = <Text>text
        cdef Region region
        cdef Region* wanted = NULL
        cdef int* room = NULL
        cdef int found, group
        if size > INT_MAX:
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
            found = onig_search(self._compiled, start, start + size, start + at, start + size, wanted, OPTION_NONE)
        else:
            found = onig_match(self._compiled, start, start + size, start + at, wanted, OPTION_NONE)
        if found >= 0 and begins != NULL:
            for group in range(max_groups):
                begins[group] = clip(region.begins[group], size) if group <= self.groups else -1
                ends[group] = clip(region.ends[group], size) if group <= self.groups else -1
        free(room)
        return found

    cdef int match_at(
        self, const char* text, Py_ssize_t size, Py_ssize_t at, int* begins, int* ends, int max_groups
    ) noexcept nogil:
        """Match at byte `at` exactly, 0 <= at <= size; return the length, -1 for no match, -2 if the library gave up.

        On a match, `begins` and `ends` get the byte offsets of the groups 0 .. max_groups - 1, -1 for a group that took
        no part or does not exist. They may be NULL (no groups wanted, fastest); with max_groups < slots the call
        allocates. Where the text ends inside a UTF-8 character, SLACK bytes behind it must be readable: the library
        reads them. No result lies behind the text.
        """
        return clip(self.attempt(False, text, size, at, begins, ends, max_groups), size - at)

    cdef int find_from(
        self, const char* text, Py_ssize_t size, uint32_t* at, int* begins, int* ends, int max_groups
    ) noexcept nogil:
        """Find the first byte from at[0] on, the end included, where match_at matches; put it into at[0].

        Takes and returns what match_at does. The library's search goes by characters and so never tries the bytes
        inside of one, but match_at does match there: those are tried one by one.
        """
        cdef int found = -1, length
        cdef Py_ssize_t p, start = at[0], stop = size
        if not self.has_start_anchor:
            found = self.attempt(True, text, size, start, NULL, NULL, 0)
            if found < MISMATCH:
                return -2
            if found >= 0:
                stop = found
        for p in range(start, stop):
            if self.has_start_anchor or inside_character(text, start, p):
                length = self.match_at(text, size, p, NULL, NULL, 0)
                if length < MISMATCH:
                    return -2
                if length >= 0:
                    found = p
                    break
        if self.has_start_anchor and found < 0:
            found = size
        if found < 0:
            return -1
        at[0] = found
        return self.match_at(text, size, found, begins, ends, max_groups)

    def match(self, bytes text not None, Py_ssize_t at=0):
        """Match at one byte offset exactly; return the span of each group, or None."""
        if not 0 <= at <= len(text):
            raise ValueError(f"offset {at} is outside of {len(text)} bytes")
        cdef int* begins = <int*>malloc(2 * self.slots * sizeof(int))
        if begins == NULL:
            raise MemoryError
        cdef int* ends = begins + self.slots
        cdef bytes padded = text + bytes(SLACK)
        try:
            length = self.match_at(padded, len(text), at, begins, ends, self.slots)
            if length < MISMATCH:
                raise RuntimeError(f"gave up matching: {self.pattern.decode(errors='backslashreplace')}")
            return [(begins[group], ends[group]) for group in range(self.groups + 1)] if length >= 0 else None
        finally:
            free(begins)

    def __eq__(self, other):
        return isinstance(other, Regex) and self.pattern == (<Regex>other).pattern

    def __hash__(self):
        return hash(self.pattern)

    def __repr__(self):
        return f"Regex({self.pattern!r})"
