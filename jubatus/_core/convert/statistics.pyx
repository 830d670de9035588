"""Global weights: document statistics and the weights that follow from them.

A record is the document count, document frequencies, group frequencies and lengths, and user weights. It exists twice:
what was counted since the last MIX (diff), and what all servers share (master). A group is what the features of one
rule and one datum key have in common: the feature's name without its token.

A diff is packed as [record, [version]]. A MIX adds all counts; of user weights with the same name the last one holds.
"""

cimport cython
from libc.math cimport floor, log
from libc.stdint cimport uint32_t, uint64_t
from libcpp.vector cimport vector

from jubatus._core.convert.features cimport (
    BM25, IDF, IDF1, NUMBER_TEXT, STRING, USER, WRITTEN, Feature, Shape, Weighting, insert_feature,
)
from jubatus._core.convert.workspace cimport Conversion
from jubatus._core.kernels.bytes cimport (
    Buffer, Cursor, close_struct, open_struct, read_unsigned, read_version,
)
from jubatus._core.kernels.hash cimport name_id
from jubatus._core.kernels.table cimport NONE
from jubatus._core.mix.map cimport IN_DIFF, IN_MASTER, Map, MapChange, MapCopy, MapJoint, MapRow, add, total
from jubatus._core.mix.part cimport Change, Copy, Joint, MixedPart, Part

cdef struct Group:
    # Of a feature: its key and shape, and the id of its group, 0 if it has none.
    const char* key
    uint32_t shape
    uint64_t id

cdef double K1 = 1.2
cdef double B = 0.75


@cython.final
cdef class Statistics(MixedPart):
    """Document statistics of a converter.

    Args:
        counts: whether any rule needs them; without it nothing is ever counted.
        counts_groups: whether a bm25 rule needs group statistics.
    """

    def __init__(self, bint counts=False, bint counts_groups=False):
        self.counts = counts
        self.counts_groups = counts_groups
        self.documents = Map(wrapped=True)
        self.groups = Map(wrapped=True)
        self.lengths = Map(wrapped=True)
        self.user = Map(sums=False)

    cdef void update(self, Conversion* w) noexcept nogil:
        """Count one document: the features as they are before they are weighted."""
        cdef size_t i
        cdef uint32_t at
        cdef uint64_t id
        cdef Feature* f
        cdef Group group
        if not self.counts:
            return
        group.key = NULL
        self.diff_documents += 1
        for i in range(w.features.size()):
            f = &w.features[i]
            id = f.id
            at = self.documents.table.find(id)
            if at == NONE:
                at = insert_feature(self.documents.table, id, f[0], w.shapes)
            add(self.documents, at, 1.0)
        if not self.counts_groups:
            return
        w.lengths.clear()
        for i in range(w.features.size()):
            f = &w.features[i]
            id = find_group(w, f, &group)
            if id == 0:
                continue
            add(self.lengths, self.lengths.touch(id, w.scratch.data(), w.scratch.size()), f.value)
            if w.lengths.count(id) == 0:
                w.lengths[id] = 0.0
                add(self.groups, self.groups.touch(id, w.scratch.data(), w.scratch.size()), 1.0)

    cdef void note(self, Conversion* w) noexcept nogil:
        """Note what update is going to change, so that restore can take it back."""
        cdef size_t i
        cdef uint64_t id
        cdef Group group
        group.key = NULL
        self.noted.clear()
        if not self.counts:
            return
        for i in range(w.features.size()):
            note_row(&self.noted, self.documents, w.features[i].id)
            if self.counts_groups:
                id = find_group(w, &w.features[i], &group)
                if id != 0:
                    note_row(&self.noted, self.lengths, id)
                    note_row(&self.noted, self.groups, id)

    cdef void restore(self) noexcept nogil:
        """Take back the update that followed note: the datum could not be converted to its end."""
        cdef size_t i
        cdef NotedNumber* old
        cdef uint32_t at
        if not self.counts:
            return
        self.diff_documents -= 1
        for i in range(self.noted.size()):
            old = &self.noted[self.noted.size() - 1 - i]
            at = (<Map>old.map).table.find(old.id)
            if old.in_diff:
                (<Map>old.map).table.rows[at].diff = old.value
            elif at != NONE:
                (<Map>old.map).withdraw(at)

    cdef void apply(self, Conversion* w) noexcept nogil:
        """Multiply each feature by its global weight and drop those that are 0."""
        cdef size_t i, kept = 0
        cdef uint64_t id
        cdef Feature* f
        cdef double n = <double>(self.diff_documents + self.master_documents)
        cdef double documents, frequency, average
        cdef Weighting weighting
        cdef Group group
        group.key = NULL
        if self.counts_groups or w.has_written:
            w.lengths.clear()
            for i in range(w.features.size()):
                f = &w.features[i]
                id = find_group(w, f, &group)
                if id != 0:
                    w.lengths[id] += f.value
        for i in range(w.features.size()):
            f = &w.features[i]
            weighting = w.shapes[f.shape].weighting
            if weighting == IDF or weighting == IDF1:
                documents = document_frequency(self.documents, f.id)
                frequency = log((n + 1) / (documents + 1))
                f.value = (frequency + 1 if weighting == IDF1 else frequency) * f.value
            elif weighting == BM25 and find_group(w, f, &group) != 0:
                documents = document_frequency(self.documents, f.id)
                id = group.id
                frequency = total(self.groups, id)
                average = total(self.lengths, id) / frequency if frequency != 0 else 0.0
                f.value = log((n - documents + 0.5) / (documents + 0.5)) * (
                    f.value * (K1 + 1) / (f.value + K1 * (1 - B + B * (w.lengths[id] / average)))
                )
            elif weighting == USER:
                f.value = total(self.user, user_id(w, f)) * f.value
            if f.value != 0:
                if kept != i:
                    w.features[kept] = f[0]
                kept += 1
        w.features.resize(kept)

    cdef void clear(self) noexcept nogil:
        self.diff_documents = self.master_documents = 0
        self.documents.clear()
        self.groups.clear()
        self.lengths.clear()
        self.user.clear()

    cdef void pack(self, Buffer* out) noexcept nogil:
        out.array(3)
        out.array(1)
        out.uint(self.version)
        self.pack_record(out, False)
        self.pack_record(out, True)

    cdef int unpack(self, Cursor* c) noexcept nogil:
        cdef uint32_t extra = 0
        cdef int status = open_struct(c[0], 3, extra)
        if status == 0:
            status = read_version(c[0], self.version)
        if status == 0:
            status = self.unpack_record(c, False)
        if status == 0:
            status = self.unpack_record(c, True)
        return status if status else close_struct(c[0], extra)

    cdef void pack_record(self, Buffer* out, bint master) noexcept nogil:
        out.array(5)
        out.uint(self.master_documents if master else self.diff_documents)
        self.documents.pack_numbers(out, IN_MASTER if master else IN_DIFF)
        self.groups.pack_numbers(out, IN_MASTER if master else IN_DIFF)
        self.lengths.pack_numbers(out, IN_MASTER if master else IN_DIFF)
        self.user.pack_numbers(out, IN_MASTER if master else IN_DIFF)

    cdef int unpack_record(self, Cursor* c, bint master) noexcept nogil:
        cdef uint32_t extra = 0
        cdef uint64_t documents = 0
        cdef uint32_t part = IN_MASTER if master else IN_DIFF
        cdef int status = open_struct(c[0], 5, extra)
        if status == 0:
            status = read_unsigned(c[0], documents)
        if status == 0:
            status = self.documents.unpack_numbers(c, part, False)
        if status == 0:
            status = self.groups.unpack_numbers(c, part, False)
        if status == 0:
            status = self.lengths.unpack_numbers(c, part, False)
        if status == 0:
            status = self.user.unpack_numbers(c, part, False)
        if master:
            self.master_documents = documents
        else:
            self.diff_documents = documents
        return status if status else close_struct(c[0], extra)

    cdef void swap(self, Part other) noexcept:
        cdef Statistics statistics = <Statistics>other
        self.version, statistics.version = statistics.version, self.version
        self.diff_documents, statistics.diff_documents = statistics.diff_documents, self.diff_documents
        self.master_documents, statistics.master_documents = statistics.master_documents, self.master_documents
        self.documents.swap(statistics.documents)
        self.groups.swap(statistics.groups)
        self.lengths.swap(statistics.lengths)
        self.user.swap(statistics.user)

    cdef uint64_t current_version(self) noexcept nogil:
        return self.version

    cdef Copy copy(self):
        return StatisticsCopy(self)

    cdef Change change(self):
        return StatisticsChange(self)

    cdef Joint joint(self):
        return StatisticsJoint(self)

    cpdef dict status(self):
        """Return the counters that get_status shows (wire protocol of 1.1)."""
        cdef dict values = {"weight_manager_version": str(self.version)}
        for master, prefix in ((False, "diff"), (True, "master")):
            values[f"{prefix}_document_count"] = str(self.master_documents if master else self.diff_documents)
            values[f"{prefix}_num_document_frequencies"] = str(self.documents.master_size if master else self.documents.diff_size)
            values[f"{prefix}_num_group_frequencies"] = str(self.groups.master_size if master else self.groups.diff_size)
            values[f"{prefix}_num_group_total_lengths"] = str(self.lengths.master_size if master else self.lengths.diff_size)
            values[f"{prefix}_num_weights"] = str(self.user.master_size if master else self.user.diff_size)
        return values


cdef inline double document_frequency(Map documents, uint64_t id) noexcept nogil:
    """Return how many documents have a feature. Each part is cut to an integer, as in 1.1."""
    cdef uint32_t at = documents.table.find(id)
    cdef const MapRow* row
    if at == NONE:
        return 0.0
    row = &documents.table.rows[at]
    return floor(row.diff.real) + floor(row.master.real)


cdef bint group_name(Conversion* w, const Feature* f) noexcept nogil:
    """Put the name of the feature's group into w.scratch: its own without what stands from the first `$` to the last `@`.

    Returns whether it has one.
    """
    cdef const Shape* s = &w.shapes[f.shape]
    if s.form == WRITTEN:
        return group_of_name(w, f.token, f.token_size)
    if s.form != STRING and s.form != NUMBER_TEXT:
        return False
    w.scratch.assign(f.key, f.key_size)
    if s.form == STRING:
        w.scratch.append(s.suffix.p + s.group_from, s.suffix.n - s.group_from)
    else:
        # `key@str$number`: the part before the `$` and the part from the `@` on overlap.
        w.scratch.append(s.infix.p, s.infix.n - 1)
        w.scratch.append(s.infix.p, s.infix.n)
        w.scratch.append(f.token, f.token_size)
    return True


cdef bint group_of_name(Conversion* w, const char* name, uint32_t n) noexcept nogil:
    """Do what group_name does for a name whose parts are not known."""
    cdef uint32_t i, dollar = n, at = n
    for i in range(n):
        if name[i] == c"$" and dollar == n:
            dollar = i
        elif name[i] == c"@":
            at = i
    if dollar == n or at == n:
        return False
    w.scratch.assign(name, dollar)
    w.scratch.append(name + at, n - at)
    return True


cdef void note_row(vector[NotedNumber]* noted, Map map, uint64_t id) noexcept nogil:
    """Note the number of a row in the diff."""
    cdef NotedNumber old
    cdef uint32_t at = map.table.find(id)
    old.map = <void*>map
    old.id = id
    old.in_diff = at != NONE and map.table.rows[at].flags & IN_DIFF != 0
    old.value.integer = 0
    if old.in_diff:
        old.value = map.table.rows[at].diff
    noted.push_back(old)


cdef uint64_t group_id(Conversion* w, const Feature* f) noexcept nogil:
    """The table id of the feature's group, 0 if it has none."""
    cdef uint64_t id
    if not group_name(w, f):
        return 0
    id = name_id(w.scratch.data(), w.scratch.size())
    return id if id else 1


cdef uint64_t find_group(Conversion* w, const Feature* f, Group* last) noexcept nogil:
    """Return what group_id does, without writing the name again for a feature of the same group as the one before.

    Args:
        last: the group of the feature before, which is changed; its key is NULL at first. Meanwhile w.scratch, which has
            the group's name, is left alone by those who need it.
    """
    if w.shapes[f.shape].form == STRING and last.key == f.key and last.shape == f.shape and last.key != NULL:
        return last.id
    last.key, last.shape = f.key, f.shape
    last.id = group_id(w, f)
    return last.id


cdef uint64_t user_id(Conversion* w, const Feature* f) noexcept nogil:
    """The table id of the name up to its last `#`; without one, of no name that has a weight."""
    cdef const Shape* s = &w.shapes[f.shape]
    cdef uint32_t n = f.token_size
    if s.form == WRITTEN:
        while n and f.token[n - 1] != c"#":
            n -= 1
        return name_id(f.token, n - 1) if n else 0
    w.scratch.assign(f.key, f.key_size)
    w.scratch.append(s.infix.p, s.infix.n)
    w.scratch.append(f.token, f.token_size)
    w.scratch.append(s.suffix.p, s.sharp_at)
    return name_id(w.scratch.data(), w.scratch.size())


@cython.final
cdef class StatisticsCopy(Copy):
    """The diff of document statistics at the time when it was copied."""

    def __init__(self, Statistics statistics not None):
        self.statistics = statistics
        self.documents = MapCopy(statistics.documents)
        self.groups = MapCopy(statistics.groups)
        self.lengths = MapCopy(statistics.lengths)
        self.user = MapCopy(statistics.user)

    cdef bint take(self, size_t* left) noexcept nogil:
        if self.is_whole:
            return True
        if self.documents.era != self.statistics.documents.era:  # the eras of the four maps change together
            self.version, self.count = self.statistics.version, self.statistics.diff_documents
            self.documents.begin()
            self.groups.begin()
            self.lengths.begin()
            self.user.begin()
        self.is_whole = (
            self.documents.take(left) and self.groups.take(left) and self.lengths.take(left) and self.user.take(left)
        )
        return self.is_whole

    cdef size_t room(self) noexcept nogil:
        return 32 + self.documents.room() + self.groups.room() + self.lengths.room() + self.user.room()

    cdef void pack(self, Buffer* out) noexcept nogil:
        out.array(2)
        out.array(5)
        out.uint(self.count)
        self.documents.pack(out)
        self.groups.pack(out)
        self.lengths.pack(out)
        self.user.pack(out)
        out.array(1)
        out.uint(self.version)

    cdef void subtract_documents(self) noexcept nogil:
        """Subtract the documents that were copied, if the diff is still the one that was copied."""
        if self.documents.era == self.statistics.documents.era:
            self.statistics.diff_documents -= self.count

    cdef void carry(self, Copy since, Copy theirs) except *:
        cdef StatisticsCopy copy = <StatisticsCopy>since, other = <StatisticsCopy>theirs
        if since is not None:
            copy.subtract_documents()
        other.statistics.diff_documents = self.statistics.diff_documents
        self.documents.carry(copy.documents if since is not None else None, other.documents)
        self.groups.carry(copy.groups if since is not None else None, other.groups)
        self.lengths.carry(copy.lengths if since is not None else None, other.lengths)
        self.user.carry(copy.user if since is not None else None, other.user)


@cython.final
cdef class StatisticsChange(Change):
    """Mixed document statistics."""

    def __init__(self, Statistics statistics not None):
        self.statistics = statistics
        self.documents = MapChange(statistics.documents)
        self.groups = MapChange(statistics.groups)
        self.lengths = MapChange(statistics.lengths)
        self.user = MapChange(statistics.user)

    cdef int unpack(self, Cursor* c) noexcept nogil:
        cdef uint32_t more = 0, fields = 0
        cdef int status = open_struct(c[0], 2, more)
        if status == 0:
            status = open_struct(c[0], 5, fields)
        if status == 0:
            status = read_unsigned(c[0], self.count)
        if status == 0:
            status = self.documents.unpack(c)
        if status == 0:
            status = self.groups.unpack(c)
        if status == 0:
            status = self.lengths.unpack(c)
        if status == 0:
            status = self.user.unpack(c)
        if status == 0:
            status = close_struct(c[0], fields)
        if status == 0:
            status = read_version(c[0], self.version)
        return status if status else close_struct(c[0], more)

    cdef bint fits(self) noexcept nogil:
        return self.version == self.statistics.version

    cdef bint prepare(self, size_t* left) noexcept nogil:
        return (
            self.documents.prepare(left)
            and self.groups.prepare(left)
            and self.lengths.prepare(left)
            and self.user.prepare(left)
        )

    cdef void apply(self, Copy since) except *:
        cdef StatisticsCopy copy = <StatisticsCopy>since
        if since is not None:
            copy.subtract_documents()
        self.statistics.master_documents += self.count
        self.statistics.version += 1
        self.documents.apply(copy.documents if since is not None else None)
        self.groups.apply(copy.groups if since is not None else None)
        self.lengths.apply(copy.lengths if since is not None else None)
        self.user.apply(copy.user if since is not None else None)


@cython.final
cdef class StatisticsJoint(Joint):
    """The sum of document statistics."""

    def __init__(self, Statistics statistics not None):
        self.documents = MapJoint(statistics.documents)
        self.groups = MapJoint(statistics.groups)
        self.lengths = MapJoint(statistics.lengths)
        self.user = MapJoint(statistics.user)

    cdef int add(self, Cursor* c) noexcept nogil:
        cdef uint32_t more = 0, fields = 0
        cdef uint64_t count = 0, version = 0
        cdef int status = open_struct(c[0], 2, more)
        if status == 0:
            status = open_struct(c[0], 5, fields)
        if status == 0:
            status = read_unsigned(c[0], count)
        if status == 0:
            status = self.documents.add(c)
        if status == 0:
            status = self.groups.add(c)
        if status == 0:
            status = self.lengths.add(c)
        if status == 0:
            status = self.user.add(c)
        if status == 0:
            status = close_struct(c[0], fields)
        if status == 0:
            status = read_version(c[0], version)
        self.counts.push_back(count)
        self.versions.push_back(version)
        return status if status else close_struct(c[0], more)

    cdef uint64_t version(self, size_t i) noexcept nogil:
        return self.versions[i]

    cdef int fold(self, const vector[size_t]* chosen) noexcept nogil:
        cdef size_t i
        cdef int status = self.documents.fold(chosen)
        if status == 0:
            status = self.groups.fold(chosen)
        if status == 0:
            status = self.lengths.fold(chosen)
        if status == 0:
            status = self.user.fold(chosen)
        for i in range(chosen.size()):
            self.count += self.counts[chosen[0][i]]
            self.mixed_version = self.versions[chosen[0][i]]
        return status

    cdef size_t room(self) noexcept nogil:
        return 32 + self.documents.room() + self.groups.room() + self.lengths.room() + self.user.room()

    cdef void pack(self, Buffer* out) noexcept nogil:
        out.array(2)
        out.array(5)
        out.uint(self.count)
        self.documents.pack(out)
        self.groups.pack(out)
        self.lengths.pack(out)
        self.user.pack(out)
        out.array(1)
        out.uint(self.mixed_version)
