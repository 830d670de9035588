"""Unlearners limit how many ids (labels or rows) a model keeps. If there is one too many, they choose one to forget."""

import time

from cython.operator cimport dereference
from libc.stdint cimport uint32_t
from libcpp.algorithm cimport reverse
from libcpp.string cimport string
from libcpp.unordered_map cimport unordered_map
from libcpp.vector cimport vector

from jubatus._core.convert.matchers cimport compile_matcher, matches
from jubatus._core.kernels.bytes cimport Buffer, Cursor, close_struct, open_struct, read_array, read_raw, skip
from jubatus._core.kernels.random cimport read_stream, write_stream
from jubatus._core.kernels.table cimport NONE
from jubatus._core.mix.part cimport Part

from jubatus._core.convert.rules import parse_matcher
from jubatus._core.schema import INTEGER, LONG, STRING, Field, optional, read, structure
from jubatus.errors import ConfigError, UnsupportedMethod

cdef uint32_t STICKY = NONE - 1

LRU = structure({"max_size": Field(INTEGER), "sticky_pattern": optional(STRING)})
RANDOM = structure({"max_size": Field(INTEGER), "seed": optional(LONG)})


def make_unlearner(name, parameter, path):
    """Return the unlearner that a configuration names, or None.

    Args:
        name: ``lru``, ``random`` or None.
        parameter: its ``unlearner_parameter``, as parsed JSON.
        path: where that stands in the configuration.

    Raises:
        ConfigError: for a parameter that cannot be used.
        UnsupportedMethod: for another name.
    """
    if name is None:
        return None
    if parameter is None:
        raise ConfigError("Unlearner is set but unlearner_parameter is not found")
    if name == "lru":
        return Lru(**read(parameter, LRU, path))
    if name == "random":
        return Random(**read(parameter, RANDOM, path))
    raise UnsupportedMethod(f"unlearner({name})", "lru", "random")


cdef class Unlearner(Part):
    """Chooses what to forget.

    Args:
        max_size: how many ids are kept.
    """

    def __init__(self, max_size):
        if max_size <= 0:
            raise ConfigError("max_size must be a positive integer")
        self.max_size = max_size

    cdef bint can_touch(self, const string& id) noexcept nogil:
        """Return whether touch would keep the id."""
        return True

    cdef bint touch(self, const string& id, string* removed, bint* has_removed) noexcept nogil:
        """Note that an id was used.

        If another id is forgotten for it, put that into `removed`. Return whether the id itself is kept.
        """
        return True

    cdef bint knows(self, const string& id) noexcept nogil:
        return self.known.count(id) > 0

    cdef bint remove(self, const string& id) noexcept nogil:
        """Forget an id; return whether it was known."""
        return False

    cpdef dict status(self):
        """Return the entries of get_status."""
        return {}


cdef class Lru(Unlearner):
    """Forgets the least recently used id. Ids that match a pattern are sticky: they are never forgotten.

    Args:
        max_size: how many ids are kept, sticky ones included.
        sticky_pattern: a key pattern of the converter, or None.
    """

    def __init__(self, max_size, sticky_pattern):
        Unlearner.__init__(self, max_size)
        self.newest = self.oldest = NONE
        self.has_sticky_pattern = sticky_pattern is not None
        if self.has_sticky_pattern:
            self.pattern = parse_matcher(sticky_pattern)
            self.matcher = compile_matcher(self.pattern)

    cdef bint can_touch(self, const string& id) noexcept nogil:
        return self.sticky.size() < self.max_size or self.known.count(id) > 0

    cdef bint touch(self, const string& id, string* removed, bint* has_removed) noexcept nogil:
        cdef unordered_map[string, uint32_t].iterator found = self.known.find(id)
        if found != self.known.end():
            if dereference(found).second != STICKY:
                self.unlink(dereference(found).second)
                self.link(id)
            return True
        if self.loose + self.sticky.size() >= self.max_size:
            if self.loose == 0:
                return False
            removed[0], has_removed[0] = self.ids[self.oldest], True
            self.remove(removed[0])
        if self.has_sticky_pattern and matches(&self.matcher, id.data(), id.size()) > 0:
            self.known[id] = STICKY
            self.sticky.push_back(id)
        else:
            self.link(id)
        return True

    cdef void link(self, const string& id) noexcept nogil:
        """Add an id as the newest one."""
        cdef uint32_t at
        cdef Link link
        link.newer = NONE
        link.older = self.newest
        if self.idle.empty():
            at = self.ids.size()
            self.ids.push_back(id)
            self.links.push_back(link)
        else:
            at = self.idle.back()
            self.idle.pop_back()
            self.ids[at] = id
            self.links[at] = link
        if self.newest == NONE:
            self.oldest = at
        else:
            self.links[self.newest].newer = at
        self.newest = at
        self.known[id] = at
        self.loose += 1

    cdef void unlink(self, uint32_t at) noexcept nogil:
        cdef Link link = self.links[at]
        if link.newer == NONE:
            self.newest = link.older
        else:
            self.links[link.newer].older = link.older
        if link.older == NONE:
            self.oldest = link.newer
        else:
            self.links[link.older].newer = link.newer
        self.idle.push_back(at)
        self.loose -= 1

    cdef bint remove(self, const string& id) noexcept nogil:
        cdef unordered_map[string, uint32_t].iterator found = self.known.find(id)
        cdef size_t i
        if found == self.known.end():
            return False
        if dereference(found).second == STICKY:
            for i in range(self.sticky.size()):
                if self.sticky[i] == id:
                    self.sticky.erase(self.sticky.begin() + i)
                    break
        else:
            self.unlink(dereference(found).second)
        self.known.erase(found)
        return True

    cdef void clear(self) noexcept nogil:
        self.known.clear()
        self.ids.clear()
        self.links.clear()
        self.idle.clear()
        self.sticky.clear()
        self.newest = self.oldest = NONE
        self.loose = 0

    cdef void pack(self, Buffer* out) noexcept nogil:
        cdef uint32_t at = self.newest
        cdef size_t i
        out.array(2)
        out.array(self.loose)
        while at != NONE:
            out.raw(self.ids[at].data(), self.ids[at].size())
            at = self.links[at].older
        out.array(self.sticky.size())
        for i in range(self.sticky.size()):
            out.raw(self.sticky[i].data(), self.sticky[i].size())

    cdef int unpack(self, Cursor* c) noexcept nogil:
        cdef uint32_t more = 0
        cdef int status = open_struct(c[0], 2, more)
        if status == 0:
            status = self.unpack_ids(c, False)
        if status == 0:
            status = self.unpack_ids(c, True)
        return status if status else close_struct(c[0], more)

    cdef int unpack_ids(self, Cursor* c, bint are_sticky) noexcept nogil:
        cdef vector[string] ids
        cdef string id
        cdef int status = read_ids(c, &ids)
        if not are_sticky:
            reverse(ids.begin(), ids.end())  # the newest comes first in the file, and must be linked last
        for id in ids:
            if self.known.count(id):
                continue
            if are_sticky:
                self.known[id] = STICKY
                self.sticky.push_back(id)
            else:
                self.link(id)
        return status

    cdef void swap(self, Part other) noexcept:
        cdef Lru lru = <Lru>other
        self.known.swap(lru.known)
        self.ids.swap(lru.ids)
        self.links.swap(lru.links)
        self.idle.swap(lru.idle)
        self.sticky.swap(lru.sticky)
        self.newest, lru.newest = lru.newest, self.newest
        self.oldest, lru.oldest = lru.oldest, self.oldest
        self.loose, lru.loose = lru.loose, self.loose

    cpdef dict status(self):
        """Return the entries of get_status."""
        return {
            "num_unlearner_unlearned_ids": str(self.loose),
            "num_unlearner_sticky_ids": str(self.sticky.size()),
        }


cdef class Random(Unlearner):
    """Forgets an id chosen at random (MT19937).

    Args:
        max_size: how many ids are kept.
        seed: of the generator, 0 to 2**32 - 1; the time when None.
    """

    def __init__(self, max_size, seed):
        Unlearner.__init__(self, max_size)
        if seed is None:
            seed = time.time_ns() // 1000 & 0xffffffff
        if not 0 <= seed < 1 << 32:
            raise ConfigError("unlearner seed must be within unsigned 32 bit integer")
        self.numbers.seed(seed)

    cdef bint touch(self, const string& id, string* removed, bint* has_removed) noexcept nogil:
        cdef uint32_t chosen
        if self.known.count(id):
            return True
        if self.ids.size() < self.max_size:
            self.known[id] = self.ids.size()
            self.ids.push_back(id)
            return True
        chosen = self.numbers.below(self.ids.size())
        removed[0], has_removed[0] = self.ids[chosen], True
        self.known.erase(removed[0])
        self.ids[chosen] = id
        self.known[id] = chosen
        return True

    cdef bint remove(self, const string& id) noexcept nogil:
        cdef unordered_map[string, uint32_t].iterator found = self.known.find(id)
        cdef uint32_t at
        if found == self.known.end():
            return False
        at = dereference(found).second
        self.known.erase(found)
        if at + 1 < self.ids.size():
            self.ids[at] = self.ids.back()
            self.known[self.ids[at]] = at
        self.ids.pop_back()
        return True

    cdef void clear(self) noexcept nogil:
        self.known.clear()
        self.ids.clear()

    cdef void pack(self, Buffer* out) noexcept nogil:
        cdef size_t i
        out.array(2)
        out.map(self.ids.size())
        for i in range(self.ids.size()):
            out.raw(self.ids[i].data(), self.ids[i].size())
            out.uint(i)
        out.array(self.ids.size())
        for i in range(self.ids.size()):
            out.raw(self.ids[i].data(), self.ids[i].size())

    cdef int unpack(self, Cursor* c) noexcept nogil:
        cdef uint32_t more = 0
        cdef size_t i
        cdef int status = open_struct(c[0], 2, more)
        if status == 0:
            status = skip(c[0])  # the positions of the ids: their list tells the same
        if status == 0:
            status = read_ids(c, &self.ids)
        for i in range(self.ids.size()):
            self.known[self.ids[i]] = i
        return status if status else close_struct(c[0], more)

    cdef void swap(self, Part other) noexcept:
        cdef Random random = <Random>other
        self.known.swap(random.known)
        self.ids.swap(random.ids)

    cdef void pack_aside(self, Buffer* out) noexcept nogil:
        write_stream(out[0], self.numbers)

    cdef int unpack_aside(self, Cursor* c) noexcept nogil:
        return read_stream(c[0], self.numbers)

    cpdef dict status(self):
        """Return the entries of get_status."""
        return {"num_unlearner_ids": str(self.ids.size())}


cdef int read_ids(Cursor* c, vector[string]* ids) noexcept nogil:
    cdef uint32_t n = 0, size = 0
    cdef const char* p = NULL
    cdef string id
    cdef int status = read_array(c[0], n)
    while status == 0 and n:
        status = read_raw(c[0], p, size)
        if status == 0:
            id.assign(p, size)
            ids.push_back(id)
        n -= 1
    return status
