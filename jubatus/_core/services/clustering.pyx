"""clustering: finds groups among the points that come, and compresses them if they are to be many.

A method looks at all points whenever a number of new ones came, and when a MIX brought those of other servers. Between two
of these runs its centres stay.
"""

from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libcpp.string cimport string
from libcpp.vector cimport vector

from jubatus._core.clustering.clusters cimport DBSCAN, Clusters
from jubatus._core.clustering.points cimport Point, Points, copy_datum, make_point
from jubatus._core.clustering.storage cimport Storage
from jubatus._core.convert.converter cimport FINITE, LEARN, Converter, validate_datum
from jubatus._core.convert.features cimport Feature, put_name
from jubatus._core.convert.workspace cimport REFUSED, Workspace, bytes_of_names, refuse_names, sort_and_merge
from jubatus._core.handler cimport Body, handler
from jubatus._core.kernels.bytes cimport Buffer, Cursor, read_array, read_text, skip
from jubatus._core.linear.examples cimport convert_example
from jubatus._core.mix.snapshot cimport Snapshot
from jubatus._core.model cimport Model
from jubatus._core.wire.reader cimport Reader

from jubatus._core.clustering.clusters import METHODS
from jubatus._core.context import ALONE
from jubatus._core.schema import ANY, FLOAT, INTEGER, LONG, STRING, Field, made_by, optional, structure
from jubatus.errors import ConfigError, ModelError, UnsupportedMethod

CONFIG = structure({
    "method": Field(STRING),
    "parameter": optional(ANY),
    "compressor_method": Field(STRING),
    "compressor_parameter": optional(ANY),
    "distance": optional(STRING, "euclidean"),
    "converter": Field(made_by(Converter)),
})

CENTERS = structure({"k": Field(INTEGER), "seed": Field(LONG)})
DENSITY = structure({"eps": Field(FLOAT), "min_core_point": Field(INTEGER), "distance": optional(STRING)})
SIMPLE = structure({"bucket_size": Field(INTEGER)})
COMPRESSIVE = structure({
    "bucket_size": Field(INTEGER),
    "bucket_length": Field(INTEGER),
    "compressed_bucket_size": Field(INTEGER),
    "bicriteria_base_size": Field(INTEGER),
    "forgetting_factor": Field(FLOAT),
    "forgetting_threshold": Field(FLOAT),
    "seed": Field(INTEGER),
})

COMPRESSORS = {"simple": SIMPLE, "compressive": COMPRESSIVE}

LIMITS = {
    "simple": (("2 <= bucket_size", lambda p: 2 <= p["bucket_size"]),),
    "compressive": (
        ("1 <= bucket_size", lambda p: 1 <= p["bucket_size"]),
        ("2 <= bucket_length", lambda p: 2 <= p["bucket_length"]),
        (
            "1 <= bicriteria_base_size <= compressed_bucket_size",
            lambda p: 1 <= p["bicriteria_base_size"] <= p["compressed_bucket_size"],
        ),
        ("compressed_bucket_size <= bucket_size", lambda p: p["compressed_bucket_size"] <= p["bucket_size"]),
        ("0.0 <= forgetting_factor", lambda p: 0 <= p["forgetting_factor"]),
        ("0.0 <= forgetting_threshold <= 1.0", lambda p: 0 <= p["forgetting_threshold"] <= 1),
    ),
    "kmeans": (("1 <= k", lambda p: p["k"] != 0),),
    "gmm": (("1 <= k", lambda p: p["k"] != 0),),
    "dbscan": (
        ("0 < eps", lambda p: 0 < p["eps"]),
        ("0 < min_core_point", lambda p: p["min_core_point"] != 0),
    ),
}
"""By method or compressor, what must be true of its parameter. Negative counts stand for huge ones, as in 1.1."""


cdef class Clustering(Model):
    """A clustering of points.

    Args:
        config: ``method`` (``kmeans``, ``gmm`` or ``dbscan``), ``parameter`` (``k`` and ``seed`` of the first two;
            ``eps`` and ``min_core_point`` of dbscan), ``compressor_method`` (``simple``, or ``compressive`` but for
            dbscan), ``compressor_parameter`` (see COMPRESSIVE and LIMITS), ``distance`` (``euclidean`` or ``cosine``, not
            looked at by gmm) and ``converter``.
        distributed: whether it takes part in MIX.
        context: where it runs.

    Raises:
        ConfigError: for a configuration that cannot be used.
        UnsupportedMethod: for an unknown method or compressor, if nothing else is wrong.
    """

    def __init__(self, config, *, bint distributed=False, context=ALONE):
        Model.__init__(self, config, distributed=distributed, context=context)
        cdef list errors = []
        cdef dict members = CONFIG(config, "", errors)
        if members is None:
            raise ConfigError(*errors)
        method, compressor = members["method"], members["compressor_method"]
        unsupported = []
        parameter = compression = None
        if method in METHODS:
            fields = DENSITY if method == "dbscan" else CENTERS
            parameter = checked(method, fields, members["parameter"], ".parameter", errors)
            if method != "gmm" and members["distance"] not in ("euclidean", "cosine"):
                errors.append("invalid parameter (expected: distance should be 'euclidean' or 'cosine') (.distance)")
        elif method is not None:
            unsupported.append(UnsupportedMethod(method, *METHODS))
        if compressor == "compressive" and method == "dbscan":
            unsupported.append(UnsupportedMethod(compressor, "simple"))
        elif compressor in COMPRESSORS:
            compression = checked(
                compressor, COMPRESSORS[compressor], members["compressor_parameter"], ".compressor_parameter", errors
            )
        elif compressor is not None:
            unsupported.append(UnsupportedMethod(compressor, *COMPRESSORS))
        if len(unsupported) == 1 and not errors:
            raise unsupported[0]
        errors += [each.explain() for each in unsupported]
        if errors:
            raise ConfigError(*errors)
        self.converter = members["converter"]
        self.storage = Storage(
            Clusters(method, parameter, members["distance"] == "cosine"), context.name.encode(), compression,
            compressor == "compressive",
        )

    @property
    def push(self):
        """Take [[id, datum], ...]; return packed True.

        Raises:
            BadArguments: if the argument is no such list; nothing was changed.
            ModelError: if a datum must be refused, then nothing was changed; or if the clusters cannot be sought.
        """
        return handler(self, <Body>push, True)

    @property
    def get_revision(self):
        """Return packed how often the clusters were sought."""
        return handler(self, <Body>get_revision)

    @property
    def get_core_members(self):
        """Return packed [[[weight, datum], ...], ...], the points of each cluster.

        Raises:
            ModelError: if there are no clusters yet, as all below.
        """
        return handler(self, <Body>get_core_members, True)

    @property
    def get_core_members_light(self):
        """Return packed [[[weight, id], ...], ...]."""
        return handler(self, <Body>get_core_members_light, True)

    @property
    def get_k_center(self):
        """Return packed [datum, ...], the centres. dbscan has none, and refuses this and all below."""
        return handler(self, <Body>get_k_center, True)

    @property
    def get_nearest_center(self):
        """Return the packed centre next to a datum."""
        return handler(self, <Body>get_nearest_center, True)

    @property
    def get_nearest_members(self):
        """Return packed [[weight, datum], ...], the points of the cluster whose centre is next to a datum."""
        return handler(self, <Body>get_nearest_members, True)

    @property
    def get_nearest_members_light(self):
        """Return packed [[weight, id], ...] likewise."""
        return handler(self, <Body>get_nearest_members_light, True)

    def warm_up(self):
        """Have the numerics compiled, or loaded from the disk."""
        from jubatus._core.clustering.methods import warm_up  # takes long, and is not needed to start
        warm_up(self.config["method"])

    def clear(self, Reader args not None):
        """Forget everything; return packed True. The random numbers of k-means and of the compressor go on."""
        result = Model.clear(self, args)
        self.storage.clusters.forget()
        return result

    def unpack(self, bytes data not None):
        """Become what pack returned, and seek the clusters: they are in no file."""
        Model.unpack(self, data)
        self.storage.clusters.forget()
        self.storage.seek()

    def catch_up(self, Model fresh not None, Snapshot since=None):
        """Become another model but keep the own points, and seek the clusters."""
        Model.catch_up(self, fresh, since)
        self.storage.seek()

    cdef int pack_own_aside(self, Buffer* out) except -1:
        return self.storage.write_search(out)

    cdef int unpack_own_aside(self, Cursor* c) except 1:
        return self.storage.read_search(c)

    cdef object parts(self):
        return [self.storage, self.converter.statistics]


cdef dict checked(str name, fields, parameter, str path, list errors):
    """Return what was read of a parameter; what is wrong with it joins the errors."""
    before = len(errors)
    read = fields(parameter, path, errors)
    if len(errors) == before:
        errors += [f"invalid parameter (expected: {wanted}) ({path})" for wanted, fits in LIMITS[name] if not fits(read)]
    return read


cdef const uint8_t* EMPTY = b"\x90"  # a datum


cdef int push(Clustering self, Cursor* args, Buffer* out, Workspace w) noexcept nogil:
    cdef Cursor c = args[0]
    cdef Points points
    cdef uint32_t n = 0
    cdef int status = validate_points(args, &n)
    if status:
        w.conversion.error.assign(b"a list of [id, datum] is expected")
        return status
    # A datum that is refused must not leave others counted: all are looked at before the first one is counted.
    if self.converter.program.counts:
        status = convert_points(self, c, FINITE, w, NULL)
    if status == 0:
        status = convert_points(self, c, LEARN, w, &points)
    if status == 0:
        status = add_points(self, w, &points)
    if status == 0:
        out.boolean(True)
    return status


cdef int validate_points(Cursor* c, uint32_t* n) noexcept nogil:
    """Step over [[id, datum], ...] and count them. A missing id or datum is empty, further fields are skipped."""
    cdef uint32_t fields = 0, i, k
    cdef string id
    cdef int status = read_array(c[0], n[0])
    for i in range(n[0]):
        if status == 0:
            status = read_array(c[0], fields)
        for k in range(fields):
            if status:
                return status
            status = read_text(c[0], id) if k == 0 else validate_datum(c) if k == 1 else skip(c[0])
        if status:
            return status
    return status


cdef int convert_points(Clustering self, Cursor c, int flags, Workspace w, Points* points) noexcept nogil:
    """Convert points whose form was checked before, and add them to a list unless that is NULL."""
    cdef uint32_t n = 0, fields = 0, i
    cdef string id
    cdef Cursor datum
    cdef Buffer features, original
    cdef uint64_t names = 0  # each point keeps the names of its features
    cdef int status
    read_array(c, n)
    for i in range(n):
        read_array(c, fields)
        id.clear()
        if fields > 0:
            read_text(c, id)
        datum = c
        status = convert_example(self.converter, &w.conversion, &c, fields, flags)
        if status:
            return status
        if fields < 2:
            datum.at, datum.end = EMPTY, EMPTY + 1
        names += bytes_of_names(w.conversion)
        if w.conversion.limit and names > w.conversion.limit:
            refuse_names(w.conversion, names)
            return REFUSED
        if points == NULL:
            continue
        features.size = original.size = 0
        write_features(w, &features)
        copy_datum(datum, &original)
        points.push_back(make_point(id, 1.0, features, original))
    return 0


cdef void write_features(Workspace w, Buffer* out) noexcept nogil:
    """Write the converted features, sorted and merged, as [[name, value], ...]."""
    cdef const Feature* f
    cdef size_t i
    sort_and_merge(w.conversion, w.vector)
    out.array(w.vector.ids.size())
    for i in range(w.vector.ids.size()):
        f = &w.vector.feature(i)
        out.array(2)
        out.raw_head(f.name_size)
        put_name(<char*>out.reserve(f.name_size), f[0], w.vector.shapes)
        out.size += f.name_size
        out.number(w.vector.values[i])


cdef int add_points(Clustering self, Workspace w, Points* points) noexcept nogil:
    cdef size_t i
    cdef int status = 0
    for i in range(points.size()):
        if self.storage.add(points[0][i]):
            with gil:
                status = advance(self, w)
        if status:
            return status
    return 0


cdef int advance(Clustering self, Workspace w) noexcept:
    """Seek the clusters; a status says that it cannot be done."""
    try:
        self.storage.advance()
    except ModelError as error:
        w.conversion.error = str(error).encode()
        return REFUSED
    return 0


cdef int get_revision(Clustering self, Cursor* args, Buffer* out, Workspace w) noexcept nogil:
    out.uint(self.storage.revision)
    return 0


cdef int get_core_members(Clustering self, Cursor* args, Buffer* out, Workspace w) noexcept nogil:
    return write_groups(self, out, w, False)


cdef int get_core_members_light(Clustering self, Cursor* args, Buffer* out, Workspace w) noexcept nogil:
    return write_groups(self, out, w, True)


cdef int write_groups(Clustering self, Buffer* out, Workspace w, bint light) noexcept nogil:
    cdef vector[Points] groups
    cdef vector[Points]* found = &self.storage.clusters.groups
    cdef size_t i
    if not self.storage.clusters.is_done:
        return refuse_early(w)
    if self.storage.clusters.method != DBSCAN:
        self.storage.clusters.assign(self.storage.lists(), &groups)
        found = &groups
    out.array(found.size())
    for i in range(found.size()):
        write_members(&found[0][i], out, light)
    return 0


cdef void write_members(const Points* points, Buffer* out, bint light) noexcept nogil:
    cdef size_t i
    cdef const string* text
    out.array(points.size())
    for i in range(points.size()):
        out.array(2)
        out.number(points[0][i].weight)
        if light:
            text = &points[0][i].content.get().id
            out.raw(text.data(), text.size())
        else:
            text = &points[0][i].content.get().datum
            out.append(text.data(), text.size())


cdef int get_k_center(Clustering self, Cursor* args, Buffer* out, Workspace w) noexcept nogil:
    cdef size_t i
    if self.storage.clusters.method == DBSCAN:
        return refuse_without_centers(w, b"get_k_center")
    if not self.storage.clusters.is_done:
        return refuse_early(w)
    out.array(self.storage.clusters.count())
    for i in range(self.storage.clusters.count()):
        self.storage.clusters.write_center(i, out)
    return 0


cdef int get_nearest_center(Clustering self, Cursor* args, Buffer* out, Workspace w) noexcept nogil:
    cdef size_t nearest = 0
    cdef int status = find_nearest(self, args, w, &nearest, b"get_nearest_center")
    if status == 0:
        self.storage.clusters.write_center(nearest, out)
    return status


cdef int get_nearest_members(Clustering self, Cursor* args, Buffer* out, Workspace w) noexcept nogil:
    return write_nearest_members(self, args, out, w, False)


cdef int get_nearest_members_light(Clustering self, Cursor* args, Buffer* out, Workspace w) noexcept nogil:
    return write_nearest_members(self, args, out, w, True)


cdef int write_nearest_members(Clustering self, Cursor* args, Buffer* out, Workspace w, bint light) noexcept nogil:
    cdef vector[Points] groups
    cdef size_t nearest = 0
    cdef int status = find_nearest(self, args, w, &nearest, b"get_nearest_center_index")
    if status == 0:
        self.storage.clusters.assign(self.storage.lists(), &groups)
        write_members(&groups[nearest], out, light)
    return status


cdef int find_nearest(Clustering self, Cursor* args, Workspace w, size_t* nearest, const char* row) noexcept nogil:
    """Find the centre next to the datum that is the argument."""
    cdef Buffer features, original
    cdef string id
    cdef int status = self.converter.convert(&w.conversion, args, 0)
    if status:
        return status
    if self.storage.clusters.method == DBSCAN:
        return refuse_without_centers(w, row)
    if not self.storage.clusters.is_done:
        return refuse_early(w)
    write_features(w, &features)
    nearest[0] = self.storage.clusters.nearest(make_point(id, 1.0, features, original))
    return 0


cdef int refuse_early(Workspace w) noexcept nogil:
    w.conversion.error.assign(b"clustering is not performed yet")
    return REFUSED


cdef int refuse_without_centers(Workspace w, const char* row) noexcept nogil:
    w.conversion.error.assign(b"unsupported method (")
    w.conversion.error.append(row)
    w.conversion.error.append(b")")
    return REFUSED
