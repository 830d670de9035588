"""burst: in which parts of a stream of documents a keyword is more frequent than in the rest."""

from libc.float cimport DBL_MAX
from libc.math cimport isfinite
from libc.stdint cimport int32_t, int64_t, uint32_t
from libcpp.map cimport map as sorted_map
from libcpp.string cimport string, to_string
from libcpp.vector cimport vector

from jubatus._core.convert.workspace cimport REFUSED, Workspace
from jubatus._core.handler cimport Body, handler
from jubatus._core.kernels.bytes cimport (
    Buffer, Cursor, close_struct, open_struct, read_array, read_double, read_raw, read_text,
)
from jubatus._core.kernels.names cimport Names
from jubatus._core.kernels.table cimport NONE
from jubatus._core.mix.snapshot cimport Snapshot
from jubatus._core.model cimport Model
from jubatus._core.burst.keywords cimport Document, Keywords, write_batches
from jubatus._core.burst.windows cimport BurstKeyword, BurstWindow

from jubatus._core.context import ALONE
from jubatus._core.schema import FLOAT, INTEGER, STRING, Field, read, structure
from jubatus.errors import ConfigError

CONFIG = structure(
    {
        "method": Field(STRING),
        "parameter": Field(
            structure(
                {
                    "window_batch_size": Field(INTEGER),
                    "batch_interval": Field(FLOAT),
                    "result_window_rotate_size": Field(INTEGER),
                    "max_reuse_batch_num": Field(INTEGER),
                    "costcut_threshold": Field(FLOAT),
                }
            )
        ),
    }
)

# What must hold of some parameters, in the order in which the original checks them.
RULES = (
    ("window_batch_size", "window_batch_size should > 0", lambda value: value > 0),
    ("batch_interval", "batch_interval should > 0", lambda value: value > 0),
    ("result_window_rotate_size", "result_window_rotate_size should > 0", lambda value: value > 0),
    ("max_reuse_batch_num", "max_reuse_batch_num should >= 0", lambda value: value >= 0),
)

cdef enum:
    LARGEST = 1 << 24  # batches of a window for which there is memory


cdef class Burst(Model):
    """Bursts of keywords in a stream of documents.

    Args:
        config: ``method``, which may be any text, and ``parameter``: ``window_batch_size`` batches of ``batch_interval``
            are a window, ``result_window_rotate_size`` windows are kept, ``max_reuse_batch_num`` weights are taken over
            from the window before, and above ``costcut_threshold`` a batch cannot be in a burst (0 or less: no limit).
        distributed: whether it takes part in MIX.
        context: where it runs: it processes the keywords that it holds there.

    Raises:
        ConfigError: for a configuration that cannot be used.
    """

    def __init__(self, config, *, bint distributed=False, context=ALONE):
        Model.__init__(self, config, distributed=distributed, context=context)
        parameter = read(config, CONFIG)["parameter"]
        wrong = [
            f"invalid parameter (expected: {rule}) (.parameter.{name})"
            for name, rule, holds in RULES
            if not holds(parameter[name])
        ]
        if wrong:
            raise ConfigError(*wrong)
        self.keywords = Keywords(context)
        self.keywords.options.batches = parameter["window_batch_size"]
        self.keywords.options.width = parameter["batch_interval"]
        self.keywords.options.windows = parameter["result_window_rotate_size"]
        self.keywords.options.reused = parameter["max_reuse_batch_num"]
        cdef double costcut = parameter["costcut_threshold"]
        self.keywords.options.costcut = costcut if costcut > 0 else DBL_MAX

    @property
    def add_documents(self):
        """Count documents; return packed how many no keyword was too far ahead for. Nothing is counted on an error."""
        return handler(self, <Body>add_documents)

    @property
    def get_result(self):
        """Return the packed newest window of a keyword."""
        return handler(self, <Body>get_result)

    @property
    def get_result_at(self):
        """Return the packed newest window of a keyword that has a position."""
        return handler(self, <Body>get_result_at)

    @property
    def get_all_bursted_results(self):
        """Return the packed newest windows whose last batch is in a burst, by keyword."""
        return handler(self, <Body>get_all_bursted_results)

    @property
    def get_all_bursted_results_at(self):
        """Return the packed windows in which a position is in a burst, by keyword."""
        return handler(self, <Body>get_all_bursted_results_at)

    @property
    def get_all_keywords(self):
        """Return all keywords with their parameters, packed."""
        return handler(self, <Body>get_all_keywords)

    @property
    def add_keyword(self):
        """Register a keyword; return packed whether it is new."""
        return handler(self, <Body>add_keyword)

    @property
    def remove_keyword(self):
        """Forget a keyword; return packed whether it was known."""
        return handler(self, <Body>remove_keyword)

    @property
    def remove_all_keywords(self):
        """Forget all keywords; return packed True."""
        return handler(self, <Body>remove_all_keywords)

    def unpack(self, bytes data not None):
        """Become what pack returned; keywords of which it does not say who processes them are shared out anew."""
        Model.unpack(self, data)
        self.keywords.reassign(True)

    def catch_up(self, Model fresh not None, Snapshot since=None):
        """Become another server's model, and process the keywords that are held here instead of the other's."""
        Model.catch_up(self, fresh, since)
        self.keywords.reassign(True)

    def reassign(self):
        """Process the keywords that are held here from now on, and those that are no longer held for some more MIXes."""
        self.keywords.reassign(False)

    def status(self):
        """Return the keywords and those that are processed here, in the order of the original's maps."""
        return {
            "all_keywords": listed(self.keywords.names),
            "processed_keywords": listed(self.keywords.processed),
        }

    cdef object parts(self):
        return self.keywords


cdef str listed(Names& names):
    cdef list found = []
    cdef int32_t at
    for at in names.order():
        found.append(names.name(at).data()[: names.name(at).size()])
    return b",".join(found).decode("utf-8", "surrogateescape")


cdef int add_documents(Burst self, Cursor* args, Buffer* out, Workspace w) noexcept nogil:
    cdef vector[Document] documents
    cdef int status = read_documents(args, w, &documents)
    if status == 0 and self.keywords.options.batches > LARGEST and self.keywords.processed.size():
        w.conversion.error.assign(b"window_batch_size is too large for windows in memory: at most ")
        w.conversion.error.append(to_string(<int>LARGEST))
        w.conversion.error.append(b" batches are allowed")
        status = REFUSED
    if status == 0:
        out.integer(self.keywords.count(documents))
    return status


cdef int get_result(Burst self, Cursor* args, Buffer* out, Workspace w) noexcept nogil:
    cdef string name
    cdef BurstWindow* window = NULL
    cdef uint32_t at
    cdef int status = read_keyword(args, w, &name)
    if status == 0:
        at = self.keywords.names.find(name)
        if at != NONE:
            window = self.keywords.known[at].store.newest()
        write_window(window, out)
    return status


cdef int get_result_at(Burst self, Cursor* args, Buffer* out, Workspace w) noexcept nogil:
    cdef string name
    cdef double position = 0
    cdef BurstWindow* window = NULL
    cdef uint32_t at
    cdef int status = read_keyword(args, w, &name) or read_position(args, w, &position)
    if status == 0:
        at = self.keywords.names.find(name)
        if at != NONE:
            window = self.keywords.known[at].store.find(position)
        write_window(window, out)
    return status


cdef int get_all_bursted_results(Burst self, Cursor* args, Buffer* out, Workspace w) noexcept nogil:
    cdef sorted_map[string, BurstWindow*] found
    cdef BurstWindow* window
    cdef int32_t at
    for at in self.keywords.processed.order():
        window = find_keyword(self, at).store.newest()
        if window != NULL and window.weights.size() and window.weights.back() > 0:
            found[self.keywords.processed.name(at)] = window
    write_windows(found, out)
    return 0


cdef int get_all_bursted_results_at(Burst self, Cursor* args, Buffer* out, Workspace w) noexcept nogil:
    cdef sorted_map[string, BurstWindow*] found
    cdef BurstWindow* window
    cdef double position = 0
    cdef int64_t batch
    cdef int32_t at
    cdef int status = read_position(args, w, &position)
    if status:
        return status
    for at in self.keywords.processed.order():
        window = find_keyword(self, at).store.find(position)
        batch = -1 if window == NULL else window.find(position)
        if batch >= 0 and window.weights[batch] > 0:
            found[self.keywords.processed.name(at)] = window
    write_windows(found, out)
    return 0


cdef int get_all_keywords(Burst self, Cursor* args, Buffer* out, Workspace w) noexcept nogil:
    cdef int32_t at
    out.array(self.keywords.names.size())
    for at in self.keywords.names.order():
        out.array(3)
        out.raw(self.keywords.names.name(at).data(), self.keywords.names.name(at).size())
        out.number(self.keywords.known[at].scaling)
        out.number(self.keywords.known[at].gamma)
    return 0


cdef int add_keyword(Burst self, Cursor* args, Buffer* out, Workspace w) noexcept nogil:
    cdef string name
    cdef double scaling = 0, gamma = 0
    cdef uint32_t more = 0
    cdef bint is_new
    cdef int status = (
        open_struct(args[0], 3, more) or read_text(args[0], name) or read_double(args[0], scaling)
        or read_double(args[0], gamma) or close_struct(args[0], more)
    )
    if status:
        w.conversion.error.assign(b"a keyword with its scaling parameter and gamma is expected")
        return status
    if not scaling > 1:
        w.conversion.error.assign(b"invalid parameter (expected: scaling_param must be > 1.)")
        return REFUSED
    if not gamma > 0:
        w.conversion.error.assign(b"invalid parameter (expected: gamma must be > 0.)")
        return REFUSED
    with gil:  # a keyword comes
        is_new = self.keywords.add(name, scaling, gamma)
    out.boolean(is_new)
    return 0


cdef int remove_keyword(Burst self, Cursor* args, Buffer* out, Workspace w) noexcept nogil:
    cdef string name
    cdef bint was_known
    cdef int status = read_keyword(args, w, &name)
    if status:
        return status
    with gil:  # a keyword goes
        was_known = self.keywords.remove(name)
    out.boolean(was_known)
    return 0


cdef int remove_all_keywords(Burst self, Cursor* args, Buffer* out, Workspace w) noexcept nogil:
    with gil:  # all keywords go
        self.keywords.clear()
    out.boolean(True)
    return 0


cdef BurstKeyword* find_keyword(Burst self, int32_t at) noexcept nogil:
    """Return the keyword at a place among those that are processed."""
    return &self.keywords.known[self.keywords.names.find(self.keywords.processed.name(at))]


cdef void write_window(const BurstWindow* window, Buffer* out) noexcept nogil:
    out.array(2)
    if window == NULL:
        out.number(-1.0)
        out.array(0)
    else:
        out.number(window.start)
        write_batches(window, out)


cdef void write_windows(sorted_map[string, BurstWindow*]& windows, Buffer* out) noexcept nogil:
    out.map(windows.size())
    for entry in windows:
        out.raw(entry.first.data(), entry.first.size())
        write_window(entry.second, out)


cdef int read_keyword(Cursor* args, Workspace w, string* name) noexcept nogil:
    cdef int status = read_text(args[0], name[0])
    if status:
        w.conversion.error.assign(b"the keyword must be a string")
    return status


cdef int read_position(Cursor* args, Workspace w, double* position) noexcept nogil:
    cdef int status = read_double(args[0], position[0])
    if status:
        w.conversion.error.assign(b"the position must be a number")
    return status


cdef int read_documents(Cursor* args, Workspace w, vector[Document]* documents) noexcept nogil:
    """Read documents. A text may be missing. A position that is not finite is refused: no window could have it."""
    cdef uint32_t n = 0, more = 0
    cdef Document document
    cdef bint is_finite = True
    cdef int status = read_array(args[0], n)
    while status == 0 and n:
        status = open_struct(args[0], 1, more) or read_double(args[0], document.position)
        document.text.p, document.text.n = b"", 0
        if status == 0 and more:
            status = read_raw(args[0], document.text.p, document.text.n)
            more -= 1
        status = status or close_struct(args[0], more)
        if status == 0 and is_finite and not isfinite(document.position):
            is_finite = False
            w.conversion.error.assign(b"the position of document ")
            w.conversion.error.append(to_string(<int>documents.size()))
            w.conversion.error.append(b" is not finite")
        documents.push_back(document)
        n -= 1
    if status:
        w.conversion.error.assign(b"a list of documents, each a position and a text, is expected")
    return status or (0 if is_finite else REFUSED)
