"""A table of weights as it stands in a model file."""

from libc.stdint cimport uint32_t, uint64_t
from libcpp.unordered_map cimport unordered_map

from jubatus._core.kernels.bytes cimport (
    MISMATCH, Buffer, Cursor, close_struct, open_struct, read_double, read_map, read_raw, read_unsigned, read_version, skip,
)
from jubatus._core.kernels.hash cimport name_id
from jubatus._core.linear.table cimport DENSE, DIFF, IN_TABLE, LABEL, LISTED, MASTER, ROOM, Row, WeightTable


cdef void pack_table(WeightTable weights, Buffer* out) noexcept nogil:
    """Write the table as [master, labels, diff, [version]]."""
    out.array(4)
    pack_rows(weights, out, MASTER)
    weights.labels.pack(out)
    if weights.distributed:
        pack_rows(weights, out, DIFF)
    elif weights.unmixed.size:
        out.append(weights.unmixed.data, weights.unmixed.size)
    else:
        out.map(0)
    out.array(1)
    out.uint(weights.version)


cdef void pack_rows(WeightTable weights, Buffer* out, uint32_t flag) noexcept nogil:
    """Write the cells of the master or of the diff as {feature: {number of the label: [weight, covariance, 0]}}."""
    cdef uint32_t i, k, n, label, from_plane = weights.width // 2 if flag == DIFF else 0
    cdef Row* row
    cdef bint dense
    if not weights.distributed:
        out.map(weights.table.size)
    else:
        out.map(weights.master_features if flag == MASTER else weights.listed.size())
    for i in range(weights.table.size):
        row = &weights.table.rows[i]
        if weights.distributed and not row.room & (IN_TABLE if flag == MASTER else LISTED):
            continue
        weights.table.name(i).write(out[0])
        n = row.count
        if weights.distributed:
            n = 0
            for k in range(row.count):
                n += (<uint32_t*>row.block)[k] & flag != 0
        out.map(n)
        dense = row.room & DENSE
        for k in range(row.room & ROOM if dense else row.count):
            label = k
            if not dense:
                label = (<uint32_t*>row.block)[k]
                if weights.distributed and not label & flag:
                    continue
                label &= LABEL
            elif not (<uint64_t*>row.block)[k // 64] >> (k % 64) & 1:
                continue
            out.uint(weights.labels.ids[label])
            pack_cell(weights, out, row, k, from_plane)


cdef void pack_cell(WeightTable weights, Buffer* out, Row* row, uint32_t position, uint32_t from_plane) noexcept nogil:
    out.array(3)
    out.number(weights.plane(row, from_plane)[position])
    out.number(weights.plane(row, from_plane + 1)[position] if weights.covariant else 0.0)
    out.number(0.0)


cdef int unpack_table(WeightTable weights, Cursor* c) noexcept nogil:
    """Read what pack_table wrote into an empty table. Return a negative status if it is malformed."""
    cdef uint32_t more = 0
    cdef Cursor master
    cdef const unsigned char* start
    cdef int status = open_struct(c[0], 4, more)
    if status == 0:
        master = c[0]  # is read after the labels, because it uses their numbers
        status = skip(c[0])
    if status == 0:
        status = weights.labels.unpack(c)
    if status == 0:
        status = unpack_rows(weights, &master, MASTER)
    if status == 0:
        start = c.at
        if weights.distributed:
            status = unpack_rows(weights, c, DIFF)
        else:
            # The diff of a server that was saved in a cluster. As in the original it is kept for the next save, and is
            # no part of the weights.
            status = skip(c[0])
            weights.unmixed.append(start, c.at - start)
    if status == 0:
        status = read_version(c[0], weights.version)
    return status if status else close_struct(c[0], more)


cdef int unpack_rows(WeightTable weights, Cursor* c, uint32_t flag) noexcept nogil:
    """Read what pack_rows wrote. The labels must be there."""
    cdef unordered_map[uint64_t, uint32_t] slots
    cdef uint32_t features = 0, cells = 0, size = 0, more = 0, at, position, slot
    cdef uint32_t from_plane = weights.width // 2 if flag == DIFF else 0
    cdef uint64_t id = 0
    cdef double weight = 0, covariance = 0, unused = 0
    cdef const char* name = NULL
    cdef Row* row
    cdef int status = read_map(c[0], features)
    for slot in range(weights.labels.names.size()):
        slots[weights.labels.ids[slot]] = slot
    while status == 0 and features:
        features -= 1
        status = read_raw(c[0], name, size)
        if status == 0:
            status = read_map(c[0], cells)
        if status or not cells:
            continue
        at = weights.touch(name_id(name, size), name, size)
        while status == 0 and cells:
            cells -= 1
            status = read_unsigned(c[0], id)
            if status == 0:
                status = open_struct(c[0], 3, more)
            if status == 0:
                status = read_double(c[0], weight)
            if status == 0:
                status = read_double(c[0], covariance)
            if status == 0:
                status = read_double(c[0], unused)
            if status == 0:
                status = close_struct(c[0], more)
            if status:
                break
            if not slots.count(id):
                return MISMATCH
            position = weights.place(at, slots[id])
            row = &weights.table.rows[at]
            if weights.distributed:
                weights.mark(at, position, flag)
            weights.plane(row, from_plane)[position] = weight
            if weights.covariant:
                weights.plane(row, from_plane + 1)[position] = covariance
    return status
