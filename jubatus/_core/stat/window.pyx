"""The window of stat: the last numbers of all keys together, and what is known of each key.

What is known of a key changes with each number that comes or goes, in the order of the original, so that running sums
have the same rounding.
"""

from libc.math cimport isnan, log
from libc.stdint cimport int32_t, uint32_t, uint64_t
from libcpp.string cimport string

from jubatus._core.kernels.bytes cimport (
    MISMATCH, Buffer, Cursor, close_struct, open_struct, read_array, read_double, read_map, read_pair,
    read_text, read_unsigned, skip,
)
from jubatus._core.kernels.table cimport NONE
from jubatus._core.mix.part cimport Part
from jubatus._core.mix.whole cimport Whole

cdef Key NOTHING  # all zero


cdef class Window(Whole):
    """The last numbers of all keys, and what is known of each key.

    The diff is (sum of n log n, sum of n) over the counts n of all keys: it describes the window as it is. What a MIX
    made of all diffs stays until the next one, also when the window is cleared.

    Args:
        size: how many numbers a full window has.
    """

    def __init__(self, uint64_t size):
        self.size = size

    cdef uint32_t enter(self, const string& name) noexcept nogil:
        """Return the place of a key, which may be new."""
        cdef size_t known = self.names.size()
        cdef uint32_t at = self.names.enter(name)
        if at == self.keys.size():
            self.keys.push_back(NOTHING)
            self.values.resize(at + 1)
        elif self.names.size() > known:
            self.keys[at] = NOTHING
        return at

    cdef void append(self, uint32_t at, uint64_t when, double value) noexcept nogil:
        cdef Entry entry
        entry.time, entry.value, entry.at = when, value, at
        self.entries.push_back(entry)
        self.values[at].push(value)

    cdef void push(self, const string& name, uint64_t when, double value) noexcept nogil:
        cdef uint32_t at = self.enter(name)
        cdef Key* key = &self.keys[at]
        key.count += 1
        key.sum += value
        key.squares += value * value
        if key.count == 1 or key.max < value:
            key.max = value
        if key.count == 1 or value < key.min:
            key.min = value
        self.append(at, when, value)
        while self.entries.size() > self.size:
            self.evict()

    cdef void evict(self) noexcept nogil:
        """Take the oldest number out of the window."""
        cdef uint32_t at = self.entries.front().at
        cdef double value = self.entries.front().value, oldest
        cdef Key* key = &self.keys[at]
        self.entries.pop_front()
        self.values[at].pop()
        key.count -= 1
        key.sum -= value
        key.squares -= value * value
        if self.values[at].size():
            oldest = self.values[at].value(0)
            # In the original a NaN is an extreme if it is the oldest number; any other NaN is passed over.
            if key.max == value:
                key.max = oldest if isnan(oldest) else self.values[at].highest()
            if key.min == value:
                key.min = oldest if isnan(oldest) else self.values[at].lowest()
        elif key.count == 0:
            self.names.leave(at)
            self.values[at].clear()

    cdef double moment(self, uint32_t at, int32_t degree, double center) noexcept nogil:
        """Return the mean of (value - center) ** degree over a key's numbers; the degree is not negative."""
        cdef const Key* key = &self.keys[at]
        cdef double sum = 0
        cdef size_t i
        if degree == 0:
            return 1
        if degree == 1:
            return (key.sum - center * key.count) / key.count
        if degree == 2:
            return (key.squares - (2 * key.sum) * center) / key.count + center * center
        for i in range(self.values[at].size()):
            sum += power(self.values[at].value(i) - center, degree)
        return sum / key.count

    cdef double entropy(self) noexcept nogil:
        """Return the entropy, in nats, of how the numbers are spread over the keys; that of the last MIX after one."""
        cdef double all = 0, sum = 0, p
        cdef int32_t at
        if self.mixed_count != 0:
            return log(self.mixed_count) - self.mixed_sum / self.mixed_count
        for at in self.names.order():
            all += self.keys[at].count
        for at in self.names.order():
            p = self.keys[at].count / all
            sum += p * log(p)
        return -1.0 * sum

    cdef void swap(self, Part other) noexcept:
        cdef Window window = <Window>other
        self.size, window.size = window.size, self.size
        self.entries.swap(window.entries)
        self.names.swap(window.names)
        self.keys.swap(window.keys)
        self.values.swap(window.values)
        self.mixed_sum, window.mixed_sum = window.mixed_sum, self.mixed_sum
        self.mixed_count, window.mixed_count = window.mixed_count, self.mixed_count

    cdef void clear(self) noexcept nogil:
        self.entries.clear()
        self.names.clear()
        self.keys.clear()
        self.values.clear()

    cdef void pack(self, Buffer* out) noexcept nogil:
        cdef Entry entry
        cdef const Key* key
        cdef int32_t at
        out.array(5)
        out.uint(self.size)
        out.array(self.entries.size())
        for entry in self.entries:
            out.array(2)
            out.uint(entry.time)
            out.array(2)
            out.raw(self.names.name(entry.at).data(), self.names.name(entry.at).size())
            out.number(entry.value)
        out.map(self.names.size())
        for at in self.names.order():
            key = &self.keys[at]
            out.raw(self.names.name(at).data(), self.names.name(at).size())
            out.array(5)
            out.uint(key.count)
            out.number(key.sum)
            out.number(key.squares)
            out.number(key.max)
            out.number(key.min)
        out.number(self.mixed_sum)
        out.number(self.mixed_count)

    cdef int unpack(self, Cursor* c) noexcept nogil:
        cdef uint32_t more = 0
        cdef Cursor entries
        cdef int status = open_struct(c[0], 5, more) or read_unsigned(c[0], self.size)
        entries = c[0]
        return (
            status or skip(c[0]) or self.unpack_keys(c) or self.unpack_entries(&entries)
            or read_double(c[0], self.mixed_sum) or read_double(c[0], self.mixed_count) or close_struct(c[0], more)
        )

    cdef int unpack_keys(self, Cursor* c) noexcept nogil:
        cdef uint32_t n = 0, more = 0
        cdef string name
        cdef Key key
        cdef int status = read_map(c[0], n)
        while status == 0 and n:
            status = (
                read_text(c[0], name) or open_struct(c[0], 5, more) or read_unsigned(c[0], key.count)
                or read_double(c[0], key.sum) or read_double(c[0], key.squares) or read_double(c[0], key.max)
                or read_double(c[0], key.min) or close_struct(c[0], more)
            )
            if status == 0:
                self.keys[self.enter(name)] = key
            n -= 1
        return status

    cdef int unpack_entries(self, Cursor* c) noexcept nogil:
        """Read the entries after the keys. One that its key does not count is malformed."""
        cdef uint32_t n = 0, at
        cdef uint64_t when = 0
        cdef double value = 0
        cdef string name
        cdef int status = read_array(c[0], n)
        while status == 0 and n:
            status = read_pair(c[0]) or read_unsigned(c[0], when) or read_pair(c[0]) or read_text(c[0], name)
            status = status or read_double(c[0], value)
            at = self.names.find(name)
            if status == 0 and (at == NONE or self.values[at].size() >= self.keys[at].count):
                return MISMATCH
            if status == 0:
                self.append(at, when, value)
            n -= 1
        return status

    cdef void pack_diff(self, Buffer* out) noexcept nogil:
        cdef double n, sum = 0
        cdef uint64_t count = 0
        cdef int32_t at
        for at in self.names.order():
            n = self.keys[at].count
            sum += n * log(n)
            count += self.keys[at].count
        write_diff(out, sum, count)

    cdef int skip_diff(self, Cursor* c) noexcept nogil:
        cdef double sum = 0
        cdef uint64_t count = 0
        return read_diff(c, &sum, &count)

    cdef void join_diffs(self, Cursor a, Cursor b, Buffer* out) noexcept nogil:
        cdef double sum = 0, more = 0
        cdef uint64_t count = 0, others = 0
        read_diff(&a, &sum, &count)
        read_diff(&b, &more, &others)
        write_diff(out, sum + more, count + others)

    cdef void put_diff(self, Cursor mixed) noexcept nogil:
        cdef uint64_t count = 0
        read_diff(&mixed, &self.mixed_sum, &count)
        self.mixed_count = count


cdef inline double power(double x, uint32_t n) noexcept nogil:
    """Return x ** n by repeated squaring, as the original's compiler did; the last bits are not always those of pow."""
    cdef double y = x if n & 1 else 1.0
    n >>= 1
    while n:
        x *= x
        if n & 1:
            y *= x
        n >>= 1
    return y


cdef int read_diff(Cursor* c, double* sum, uint64_t* count) noexcept nogil:
    return read_pair(c[0]) or read_double(c[0], sum[0]) or read_unsigned(c[0], count[0])


cdef void write_diff(Buffer* out, double sum, uint64_t count) noexcept nogil:
    out.array(2)
    out.number(sum)
    out.uint(count)
