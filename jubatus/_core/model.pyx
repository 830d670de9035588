"""The contract of a model.

A model is made from a configuration and answers the methods that its service declares. A method takes a Reader that
stands on its first argument and returns the packed result. It checks all its arguments before it changes anything.
Models hold no locks: whoever calls keeps updates apart from everything else.

A model is a list of parts (mix.part), which ``parts`` of a service names; all else is written here. A model packs to
the bytes that 1.1 stores in a model file. In a MIX a snapshot copies what it learned since the last one, ``mix`` joins
the copies of several servers, and a patch takes in the result.
"""

from cpython.bytes cimport PyBytes_AS_STRING
from libc.stdint cimport uint8_t, uint32_t

from jubatus._core.convert.workspace cimport Workspace
from jubatus._core.kernels.bytes cimport MISMATCH, Buffer, Cursor, read_array, skip
from jubatus._core.kernels.pool cimport NO_MEMORY
from jubatus._core.mix.join cimport joined
from jubatus._core.mix.part cimport Change, Copy, MixedPart, Part, PushedPart
from jubatus._core.mix.patch cimport Patch
from jubatus._core.mix.snapshot cimport Snapshot
from jubatus._core.reserve cimport begin_change, no_memory
from jubatus._core.wire.memory cimport take
from jubatus._core.wire.reader cimport Reader

from jubatus._core.context import ALONE
from jubatus._core.convert.load import reuse_plugins
from jubatus.errors import ModelError, ModelFileError

cdef extern from "kernels/pool.h" namespace "jubatus" nogil:
    int guard_pack "jubatus::guarded"(int (*call)(Part, Buffer*) noexcept nogil, Part part, Buffer* out) noexcept
    int guard_unpack "jubatus::guarded"(int (*call)(Part, Cursor*) noexcept nogil, Part part, Cursor* c) noexcept
    int guard_pull "jubatus::guarded"(
        int (*call)(PushedPart, Cursor*, Buffer*) noexcept nogil, PushedPart part, Cursor* c, Buffer* out
    ) noexcept
    int guard_pushed "jubatus::guarded"(int (*call)(Change, Cursor*) noexcept nogil, Change change, Cursor* c) noexcept

cdef size_t ALL = <size_t>-1

cdef enum:
    LARGE = 1 << 16  # features
    ANY_SIZE = 1 << 30


cdef class Model:
    """A learner of one service.

    Args:
        config: the whole configuration as parsed JSON.
        distributed: whether it takes part in MIX.
        context: where it runs.

    Raises:
        ConfigError: for a configuration that cannot be used.
    """

    def __init__(self, config, *, bint distributed=False, context=ALONE):
        self.config = config
        self.distributed = distributed
        self.context = context
        self.max_new_names = context.max_new_names
        self.idle = []

    cdef Workspace workspace(self):
        """Make the memory that one call needs."""
        return Workspace()

    cdef Workspace borrow(self):
        """A workspace that no other call uses."""
        cdef Workspace space = self.idle.pop() if self.idle else self.workspace()
        space.conversion.limit = self.max_new_names
        return space

    cdef int give_back(self, Workspace space) except -1:
        if space.conversion.features.capacity() <= LARGE:  # the memory of one huge datum is not kept
            self.idle.append(space)
        return 0

    def status(self):
        """Return the engine's entries of get_status; safe while another thread trains."""
        return {}

    def warm_up(self):
        """Do at once what the first calls would have to wait for. Called on a thread when a server runs; locks nothing."""

    @property
    def longest(self):
        """How many bytes of a request are surely converted within a millisecond."""
        return ANY_SIZE if self.converter is None else self.converter.program.longest

    def fresh(self):
        """Return an empty model of the same configuration and context."""
        with reuse_plugins():
            return type(self)(self.config, distributed=self.distributed, context=self.context)

    cdef bint is_large(self) noexcept:
        """Return whether there is so much that a call which looks through all of it takes long."""
        return False

    def reassign(self):
        """Ask the context again which keys are held here. Called, as an update, when the ring has changed."""

    def pack(self):
        """Return the model as the bytes that a model file holds (the "driver" of 1.1)."""
        cdef Buffer out
        pack_parts(self.parts(), &out)
        return take(out)

    def unpack(self, bytes data not None):
        """Become what pack returned, also on another machine or by the original.

        Raises:
            ModelFileError: if the bytes are no such model; this one is unchanged then.
        """
        cdef Model fresh = self.fresh()
        cdef Cursor c
        c.at = <const uint8_t*>PyBytes_AS_STRING(data)
        c.end = c.at + len(data)
        if unpack_parts(fresh.parts(), &c) or c.at != c.end:
            raise ModelFileError("user data is broken")
        self.swap_parts(fresh)

    def pack_aside(self):
        """Return what decides how the model goes on and is in no model file: random numbers, numbers of ids and the like.

        A model that unpacks both does with the same calls what this one does.
        """
        cdef Buffer out
        cdef Part part
        cdef list parts = flat(self.parts())
        out.array(1 + len(parts))
        self.pack_own_aside(&out)
        for part in parts:
            part.pack_aside(&out)
        return take(out)

    def unpack_aside(self, bytes data not None):
        """Go on as the model did of which pack_aside returned these bytes, and of which this one has unpacked the rest.

        Raises:
            ModelFileError: if the bytes are of no such model.
        """
        cdef Cursor c
        cdef Part part
        cdef uint32_t n = 0
        cdef list parts = flat(self.parts())
        cdef int status
        c.at = <const uint8_t*>PyBytes_AS_STRING(data)
        c.end = c.at + len(data)
        status = read_array(c, n)
        if status == 0 and n != <uint32_t>(1 + len(parts)):
            status = MISMATCH
        if status == 0:
            status = self.unpack_own_aside(&c)
        for part in parts:
            if status == 0:
                status = part.unpack_aside(&c)
        if status or c.at != c.end:
            raise ModelFileError("what belongs to the model is broken")

    def clear(self, Reader args not None):
        """Forget everything that was learned; return packed True. The version stays."""
        cdef Part part
        for part in flat(self.parts()):
            part.clear()
        return b"\xc3"

    @property
    def version(self):
        """How many MIXes the model has behind it: a mixed diff must have this version. 0 if no part counts them."""
        return max([(<MixedPart>part).current_version() for part in self.mixed_parts()], default=0)

    def snapshot(self):
        """Return a copy of what was learned since the last MIX, still to be taken."""
        return Snapshot(self, [(<MixedPart>part).copy() for part in self.mixed_parts()])

    def patch(self, bytes diff not None):
        """Read a mixed diff; no lock is needed.

        Raises:
            ModelError: if it is none.
        """
        if not self.distributed:
            raise ModelError("a standalone model takes no diff")
        return Patch(self, [(<MixedPart>part).change() for part in self.mixed_parts()], diff)

    def mix(self, diffs not None, *, bint raw=False):
        """Join diffs of models of this configuration in their order; of several versions only the newest one counts.

        Args:
            diffs: packed.
            raw: whether the result is a packed string.

        Raises:
            ModelError: if one of them is no diff, or there is none.
        """
        return joined([(<MixedPart>part).joint() for part in self.mixed_parts()], diffs, raw)

    def get_diff(self):
        """Return what was learned since the last MIX, packed."""
        cdef Snapshot snapshot = self.snapshot()
        snapshot.take(ALL)
        return snapshot.pack()

    def put_diff(self, bytes diff not None, Snapshot since=None):
        """Take in a mixed diff: Patch.apply in one go.

        Raises:
            ModelError: if it is no diff; nothing was changed.
        """
        cdef Patch patch = self.patch(diff)
        return patch.apply(since)

    def catch_up(self, Model fresh not None, Snapshot since=None):
        """Become another model, but keep the own diff.

        Args:
            fresh: what another server's model was unpacked into; its own diff is dropped, it is of no use afterwards.
            since: what of the own diff is part of the other model already.

        Raises:
            ModelError: if one of both is not of this kind; nothing was changed.
        """
        cdef list mine = self.mixed_parts(), theirs = fresh.mixed_parts()
        cdef Py_ssize_t i
        if type(fresh) is not type(self) or fresh.config != self.config or not (self.distributed and fresh.distributed):
            raise ModelError("the models are not of the same kind")
        if since is not None and (since.model is not self or not since.is_whole):
            raise ModelError("the snapshot is not of this model")
        begin_change()
        for i in range(len(mine)):
            (<MixedPart>mine[i]).copy().carry(
                since.copies[i] if since is not None else None, (<MixedPart>theirs[i]).copy()
            )
        self.swap_parts(fresh)
        for i in range(len(mine)):
            (<MixedPart>mine[i]).finish_catch_up()

    def pull_argument(self):
        """Return up to where the rows of each server are known, packed: one element for each part that is pushed."""
        cdef Buffer out
        cdef PushedPart part
        cdef list pushed = self.pushed_parts()
        out.array(len(pushed))
        for part in pushed:
            part.pack_argument(&out)
        return take(out)

    def pull_rows(self, bytes argument not None):
        """Return the rows that the server does not know whose pull_argument it is, packed.

        Raises:
            ModelError: if it is none.
        """
        cdef Buffer out
        cdef PushedPart part
        cdef list pushed = self.pushed_parts()
        cdef Reader reader = open_pushed(argument, len(pushed), "pull array failed")
        cdef int status
        out.array(len(pushed))
        for part in pushed:
            with nogil:  # long: all rows are looked at
                status = guard_pull(pull_part, part, &reader.cursor, &out)
            if status == NO_MEMORY:
                no_memory()
            if status:
                raise ModelError("pull array failed")
        return take(out)

    def push_rows(self, bytes rows not None):
        """Take in what pull_rows of another server returned.

        Raises:
            ModelError: if these are no rows of such a model; nothing was changed.
        """
        cdef Change change
        cdef list pushed = self.pushed_parts()
        cdef Reader reader = open_pushed(rows, len(pushed), "push failed")
        cdef list changes = [(<PushedPart>part).pushed() for part in pushed]
        cdef int status
        for change in changes:
            with nogil:  # long: all rows are read
                status = guard_pushed(unpack_pushed, change, &reader.cursor)
            if status == NO_MEMORY:
                no_memory()
            if status:
                raise ModelError("push failed")
        if not reader.at_end:
            raise ModelError("push failed")
        begin_change()
        for change in changes:
            change.apply(None)

    cdef object parts(self):
        """Return the parts as the model file nests them: one part, or a list of parts and lists for an array."""
        return []

    cdef int pack_own_aside(self, Buffer* out) except -1:
        """Write, as one value, what pack_aside has of the model beside its parts."""
        out.nil()
        return 0

    cdef int unpack_own_aside(self, Cursor* c) except 1:
        """Read it. Return a negative status if it is malformed."""
        return skip(c[0])

    cdef list mixed_parts(self):
        """Return the parts that take part in a MIX, in the order of the elements of a diff."""
        return [part for part in flat(self.parts()) if isinstance(part, MixedPart)]

    cdef list pushed_parts(self):
        """Return the parts of which servers may push rows to each other, in their order."""
        return [part for part in self.mixed_parts() if isinstance(part, PushedPart)]

    cdef int swap_parts(self, Model other) except -1:
        """Swap states with a model of the same configuration."""
        cdef list mine = flat(self.parts()), theirs = flat(other.parts())
        cdef Py_ssize_t i
        for i in range(len(mine)):
            (<Part>mine[i]).swap(<Part>theirs[i])
        return 0


cdef list flat(parts):
    """Return the parts of nested lists in their order."""
    return [part for each in parts for part in flat(each)] if isinstance(parts, list) else [parts]


cdef int pack_parts(parts, Buffer* out) except -1:
    cdef Part part
    cdef int status
    if isinstance(parts, list):
        out.array(len(parts))
        for each in parts:
            pack_parts(each, out)
        return 0
    part = parts
    with nogil:  # long: all that was learned is written
        status = guard_pack(pack_part, part, out)
    return no_memory() if status else 0


cdef int pack_part(Part part, Buffer* out) noexcept nogil:
    part.pack(out)
    return 0


cdef int unpack_part(Part part, Cursor* c) noexcept nogil:
    return part.unpack(c)


cdef int pull_part(PushedPart part, Cursor* argument, Buffer* out) noexcept nogil:
    return part.pull(argument, out)


cdef int unpack_pushed(Change change, Cursor* c) noexcept nogil:
    return change.unpack(c)


cdef int unpack_parts(parts, Cursor* c) except 1:
    """Read packed parts into empty ones. Return a negative status if they are malformed."""
    cdef Part part
    cdef uint32_t n = 0
    cdef int status
    if isinstance(parts, list):
        status = read_array(c[0], n)
        if status == 0 and n != <uint32_t>len(parts):
            return MISMATCH
        for each in parts:
            if status == 0:
                status = unpack_parts(each, c)
        return status
    part = parts
    with nogil:  # long: all that was learned is read
        status = guard_unpack(unpack_part, part, c)
    return no_memory() if status == NO_MEMORY else status


cdef Reader open_pushed(bytes packed, Py_ssize_t parts, str error):
    """Return a reader on the first of so many elements of an array; raise ModelError if there are not so many."""
    cdef Reader reader = Reader(packed)
    cdef uint32_t n = 0
    if read_array(reader.cursor, n) or n != <uint32_t>parts or (n == 0 and not reader.at_end):
        raise ModelError(error)
    return reader
