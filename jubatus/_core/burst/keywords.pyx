"""The keywords of burst: of each its windows, and which of them this server processes.

Every server knows all keywords and stores results of all. It processes those that the ring gives to it: documents enter
their windows. What a MIX brings are results of keywords that other servers process.

Keywords come and go only under the GIL, so that their names can be listed while another thread counts documents.
"""

from libc.float cimport DBL_MAX
from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t
from libcpp.string cimport string
from libcpp.vector cimport vector

from jubatus._core.kernels.bytes cimport (
    MISMATCH, Buffer, Cursor, close_struct, open_struct, read_array, read_double, read_int32, read_map,
    read_pair, read_text, skip,
)
from jubatus._core.kernels.names cimport Names
from jubatus._core.kernels.search cimport SearchedText
from jubatus._core.kernels.table cimport NONE
from jubatus._core.mix.part cimport Part
from jubatus._core.mix.whole cimport Whole
from jubatus._core.burst.windows cimport Batch, BurstKeyword, BurstOptions, BurstWindow

cdef enum:
    COUNTDOWN = 5  # MIXes for which a server processes a keyword that the ring has taken from it
    BLOCK = 8      # documents that are searched at once: what is known of their texts fits into the cache
    MANY = 16      # keywords from which it is worth while to look through a text before


cdef class Keywords(Whole):
    """All keywords, with what is counted and found for each.

    The diff has the results of the keywords that are processed here, as far back as one came since the last MIX.

    Args:
        context: says which keywords are processed here.
    """

    def __init__(self, context not None):
        self.context = context

    cdef bint holds(self, const string& name) noexcept:
        return self.context.holds(name.data()[: name.size()])

    cdef bint add(self, const string& name, double scaling, double gamma) noexcept:
        """Register a keyword; return whether it is new."""
        cdef size_t before = self.names.size()
        cdef uint32_t at = self.names.enter(name)
        cdef BurstKeyword made
        if self.names.size() == before:
            return False
        made.scaling, made.gamma = scaling, gamma
        if at == self.known.size():
            self.known.push_back(made)
        else:
            self.known[at] = made
        if self.holds(name):
            self.process(at)
        return True

    cdef bint remove(self, const string& name) noexcept:
        """Forget a keyword; return whether it was known."""
        cdef uint32_t at = self.names.find(name)
        cdef BurstKeyword nothing
        if at == NONE:
            return False
        if self.known[at].is_processed:
            self.drop(at)
        self.known[at] = nothing
        self.names.leave(at)
        return True

    cdef void process(self, uint32_t at) noexcept:
        """Process a keyword from now on."""
        self.processed.enter(self.names.name(at))
        self.known[at].is_processed = True

    cdef void drop(self, uint32_t at) noexcept:
        """Process a keyword no longer. Its results stay."""
        cdef BurstKeyword* keyword = &self.known[at]
        self.processed.leave(self.processed.find(self.names.name(at)))
        keyword.is_processed = False
        keyword.countdown = 0
        keyword.input.windows.clear()

    cdef void reassign(self, bint at_once) noexcept:
        """Ask the context again which keywords are processed here.

        Args:
            at_once: whether those that belong to others are given up now, and not some MIXes later, when the others have
                taken them over.
        """
        cdef BurstKeyword* keyword
        cdef int32_t at
        for at in self.names.order():
            keyword = &self.known[at]
            if self.holds(self.names.name(at)):
                keyword.countdown = 0
                if not keyword.is_processed:
                    self.process(at)
                    keyword.resume(self.options)
            elif keyword.is_processed and at_once:
                self.drop(at)
            elif keyword.is_processed and keyword.countdown == 0:
                keyword.countdown = COUNTDOWN

    cdef int32_t count(self, const vector[Document]& documents) noexcept nogil:
        """Count documents for all keywords that are processed; return for how many none of them was too late."""
        cdef SearchedText texts[BLOCK]
        cdef bint fit[BLOCK]
        cdef size_t first = 0, size, i, at
        cdef int32_t counted = 0
        while first < documents.size():
            size = min(documents.size() - first, <size_t>BLOCK)
            for i in range(size):
                texts[i].start(documents[first + i].text, self.processed.size() >= MANY)
                fit[i] = True
            for at in range(self.known.size()):
                if self.known[at].is_processed:
                    for i in range(size):
                        if not self.known[at].input.add(
                            1, texts[i].has(self.names.name(at)), documents[first + i].position, self.options
                        ):
                            fit[i] = False
            for i in range(size):
                counted += fit[i]
            first += size
        if counted:
            for at in range(self.known.size()):
                if self.known[at].is_processed:
                    self.known[at].flush(self.options)
        return counted

    cdef void swap(self, Part other) noexcept:
        cdef Keywords keywords = <Keywords>other
        self.options, keywords.options = keywords.options, self.options
        self.names.swap(keywords.names)
        self.processed.swap(keywords.processed)
        self.known.swap(keywords.known)

    cdef void clear(self) noexcept nogil:
        cdef Names names, processed
        self.names.swap(names)
        self.processed.swap(processed)
        self.known.clear()

    cdef void pack(self, Buffer* out) noexcept nogil:
        cdef const BurstKeyword* keyword
        cdef int32_t at
        out.array(3)
        out.array(5)
        out.integer(self.options.batches)
        out.number(self.options.width)
        out.integer(self.options.windows)
        out.integer(self.options.reused)
        out.number(self.options.costcut)
        out.map(self.names.size())
        for at in self.names.order():
            keyword = &self.known[at]
            write_keyword(self.names.name(at), keyword, out)
            out.array(3)
            write_results(keyword, keyword.store.windows.size(), out)
            out.integer(self.options.windows)
            out.number(keyword.store.oldest)
        out.map(self.processed.size())
        for at in self.processed.order():
            out.raw(self.processed.name(at).data(), self.processed.name(at).size())
            write_input(&self.known[self.names.find(self.processed.name(at))], self.options, out)

    cdef int unpack(self, Cursor* c) noexcept nogil:
        cdef uint32_t n = 0
        cdef int status = read_array(c[0], n)
        if status == 0 and n != 3:
            return MISMATCH
        return status or read_options(c, &self.options) or self.unpack_keywords(c) or self.unpack_inputs(c)

    cdef int unpack_keywords(self, Cursor* c) noexcept nogil:
        cdef uint32_t n = 0, more = 0, at
        cdef int32_t limit = 0
        cdef string name
        cdef BurstKeyword keyword
        cdef int status = read_map(c[0], n)
        while status == 0 and n:
            status = (
                read_text(c[0], name) or read_pair(c[0]) or read_parameters(c, &keyword) or open_struct(c[0], 3, more)
                or read_results(c, &keyword.store.windows) or read_int32(c[0], limit) or read_double(c[0], keyword.store.oldest)
                or close_struct(c[0], more)
            )
            if status == 0 and (limit != self.options.windows or keyword.store.windows.size() > <size_t>limit):
                return MISMATCH
            if status == 0:
                at = self.names.enter(name)
                if at == self.known.size():
                    self.known.push_back(keyword)
                else:
                    self.known[at] = keyword
            n -= 1
        return status

    cdef int unpack_inputs(self, Cursor* c) noexcept nogil:
        """Read the windows of the keywords that are processed; all of them must be known by now."""
        cdef uint32_t n = 0, at
        cdef string name
        cdef vector[BurstWindow] windows
        cdef int status = read_map(c[0], n)
        while status == 0 and n:
            status = read_text(c[0], name) or read_input(c, &windows, self.options)
            at = self.names.find(name)
            if status == 0 and at == NONE:
                return MISMATCH
            if status == 0:
                self.processed.enter(name)
                self.known[at].is_processed = True
                self.known[at].input.windows = windows
            n -= 1
        return status

    cdef void pack_diff(self, Buffer* out) noexcept nogil:
        cdef Names order
        cdef const BurstKeyword* keyword
        cdef int32_t at
        for at in self.processed.order():
            order.enter(self.processed.name(at))
        out.array(1)
        out.map(order.size())
        for at in order.order():
            keyword = &self.known[self.names.find(order.name(at))]
            write_keyword(order.name(at), keyword, out)
            write_results(keyword, keyword.store.fresh(), out)

    cdef int skip_diff(self, Cursor* c) noexcept nogil:
        cdef uint32_t n = 0
        cdef string name
        cdef BurstKeyword keyword
        cdef int status = read_diff(c, &n)
        while status == 0 and n:
            status = read_text(c[0], name) or read_pair(c[0]) or read_parameters(c, &keyword)
            status = status or read_results(c, &keyword.store.windows)
            n -= 1
        return status

    cdef void join_diffs(self, Cursor a, Cursor b, Buffer* out) noexcept nogil:
        cdef Names names
        cdef vector[Cursor] parameters
        cdef vector[uint32_t] counts
        cdef vector[vector[Cursor]] results
        cdef Cursor piece
        cdef int32_t at
        collect(a, names, parameters, counts, results)
        collect(b, names, parameters, counts, results)
        out.array(1)
        out.map(names.size())
        for at in names.order():
            out.raw(names.name(at).data(), names.name(at).size())
            out.array(2)
            out.append(parameters[at].at, parameters[at].end - parameters[at].at)
            out.array(counts[at])
            for piece in results[at]:
                out.append(piece.at, piece.end - piece.at)

    cdef void put_diff(self, Cursor mixed) noexcept nogil:
        cdef uint32_t n = 0, at
        cdef string name
        cdef BurstKeyword foreign
        cdef BurstKeyword* keyword
        read_diff(&mixed, &n)
        while n:
            read_text(mixed, name)
            read_pair(mixed)
            read_parameters(&mixed, &foreign)
            if self.names.find(name) == NONE:
                with gil:  # a keyword comes
                    self.add(name, foreign.scaling, foreign.gamma)
            self.put_results(&mixed, self.names.find(name))
            n -= 1
        for at in range(<uint32_t>self.known.size()):
            keyword = &self.known[at]
            keyword.store.oldest = DBL_MAX
            if keyword.countdown:
                keyword.countdown -= 1
                if keyword.countdown == 0:
                    with gil:  # a keyword that is processed goes
                        self.drop(at)

    cdef void put_results(self, Cursor* c, uint32_t at) noexcept nogil:
        cdef vector[BurstWindow] windows
        cdef size_t i
        read_results(c, &windows)
        for i in range(windows.size()):
            self.known[at].store.put(windows[i], True, self.options)


cdef void collect(
    Cursor diff, Names& names, vector[Cursor]& parameters, vector[uint32_t]& counts, vector[vector[Cursor]]& results
) noexcept nogil:
    """Note for each keyword of a diff where its packed parameters and results are; the first parameters count."""
    cdef uint32_t n = 0, count = 0, at
    cdef string name
    cdef Cursor piece, pieces
    read_diff(&diff, &n)
    while n:
        read_text(diff, name)
        read_pair(diff)
        at = names.enter(name)
        piece.at = diff.at
        skip(diff)
        piece.end = diff.at
        if at == parameters.size():
            parameters.push_back(piece)
            counts.push_back(0)
            results.resize(at + 1)
        read_array(diff, count)
        counts[at] += count
        pieces.at = diff.at
        while count:
            skip(diff)
            count -= 1
        pieces.end = diff.at
        results[at].push_back(pieces)
        n -= 1


cdef int read_diff(Cursor* c, uint32_t* n) noexcept nogil:
    """Read the head of a diff: an array of one map."""
    cdef uint32_t one = 0
    cdef int status = read_array(c[0], one)
    return MISMATCH if status == 0 and one != 1 else status or read_map(c[0], n[0])


cdef int read_options(Cursor* c, BurstOptions* options) noexcept nogil:
    cdef uint32_t more = 0
    cdef int status = (
        open_struct(c[0], 5, more) or read_int32(c[0], options.batches) or read_double(c[0], options.width)
        or read_int32(c[0], options.windows) or read_int32(c[0], options.reused) or read_double(c[0], options.costcut)
        or close_struct(c[0], more)
    )
    if status == 0 and not (options.batches > 0 and options.width > 0 and options.windows > 0 and options.reused >= 0):
        return MISMATCH
    return status


cdef int read_parameters(Cursor* c, BurstKeyword* keyword) noexcept nogil:
    cdef uint32_t more = 0
    return (
        open_struct(c[0], 2, more) or read_double(c[0], keyword.scaling) or read_double(c[0], keyword.gamma)
        or close_struct(c[0], more)
    )


cdef int read_window(Cursor* c, BurstWindow* window, bint weighted) noexcept nogil:
    """Read a window; its batches have weights if it is a result."""
    cdef uint32_t n = 0, more = 0, rest = 0
    cdef double weight = 0
    cdef Batch batch
    cdef int status = open_struct(c[0], 3, more) or read_array(c[0], n)
    window.batches.clear()
    window.weights.clear()
    while status == 0 and n:
        status = open_struct(c[0], 2 + weighted, rest) or read_int32(c[0], batch.all) or read_int32(c[0], batch.relevant)
        if status == 0 and weighted:
            status = read_double(c[0], weight)
            window.weights.push_back(weight)
        status = status or close_struct(c[0], rest)
        window.batches.push_back(batch)
        n -= 1
    return status or read_double(c[0], window.start) or read_double(c[0], window.width) or close_struct(c[0], more)


cdef int read_windows(Cursor* c, vector[BurstWindow]* windows, bint weighted) noexcept nogil:
    cdef uint32_t n = 0
    cdef BurstWindow window
    cdef int status = read_array(c[0], n)
    windows.clear()
    while status == 0 and n:
        status = read_window(c, &window, weighted)
        windows.push_back(window)
        n -= 1
    return status


cdef int read_results(Cursor* c, vector[BurstWindow]* windows) noexcept nogil:
    return read_windows(c, windows, True)


cdef int read_input(Cursor* c, vector[BurstWindow]* windows, const BurstOptions& options) noexcept nogil:
    """Read what documents enter; its options must be those of the model."""
    cdef uint32_t more = 0
    cdef int32_t batches = 0, limit = 0
    cdef double width = 0
    cdef int status = (
        open_struct(c[0], 4, more) or read_windows(c, windows, False) or read_int32(c[0], batches)
        or read_double(c[0], width) or read_int32(c[0], limit) or close_struct(c[0], more)
    )
    if status == 0 and (batches != options.batches or width != options.width or limit != options.windows):
        return MISMATCH
    return status


cdef void write_keyword(const string& name, const BurstKeyword* keyword, Buffer* out) noexcept nogil:
    """Write a keyword, the head of what belongs to it, and its parameters."""
    out.raw(name.data(), name.size())
    out.array(2)
    out.array(2)
    out.number(keyword.scaling)
    out.number(keyword.gamma)


cdef void write_results(const BurstKeyword* keyword, size_t n, Buffer* out) noexcept nogil:
    """Write the newest results."""
    cdef size_t i
    out.array(n)
    for i in range(n):
        out.array(3)
        write_batches(&keyword.store.windows[i], out)
        out.number(keyword.store.windows[i].start)
        out.number(keyword.store.windows[i].width)


cdef void write_batches(const BurstWindow* window, Buffer* out) noexcept nogil:
    cdef bint weighted = not window.weights.empty()
    cdef size_t i
    out.array(window.batches.size())
    for i in range(window.batches.size()):
        out.array(2 + weighted)
        out.integer(window.batches[i].all)
        out.integer(window.batches[i].relevant)
        if weighted:
            out.number(window.weights[i])


cdef void write_input(const BurstKeyword* keyword, const BurstOptions& options, Buffer* out) noexcept nogil:
    cdef size_t i
    out.array(4)
    out.array(keyword.input.windows.size())
    for i in range(keyword.input.windows.size()):
        out.array(3)
        write_batches(&keyword.input.windows[i], out)
        out.number(keyword.input.windows[i].start)
        out.number(keyword.input.windows[i].width)
    out.integer(options.batches)
    out.number(options.width)
    out.integer(options.windows)
