"""What stands where in the packed models of all services, and the names under which it is printed.

A model is printed while it is read, so it is never there as Python objects as a whole. Where it has two tables of one
kind, what all servers agreed on and what was learned since, and these are printed as one, the smaller is held.
"""

from collections.abc import Callable, Iterable, Iterator
from operator import add
from typing import Any

from jubatus._core.schema import parse_json
from jubatus._core.wire import Reader
from jubatus.cli.pretty import Object
from jubatus.errors import BadArguments, ConfigSyntaxError, ModelFileError
from jubatus.server.storage import SYSTEM, System

TYPES = "int8 int16 int32 int64 uint8 uint16 uint32 uint64 float double bit_vector string".split()
"""The types of the columns of a table, by their number."""

BATCH = ("all_data_count", "relevant_data_count")
"""What is counted in a batch of documents."""

BIT_VECTOR = TYPES.index("bit_vector")


class Value:
    """A packed value, which is read when it is asked for; BadArguments if it is of another type.

    Args:
        data: bytes in which it stands.
        at: where.
    """

    __slots__ = ("_at", "_data")

    def __init__(self, data: bytes, at: int = 0) -> None:
        self._data = data
        self._at = at

    def get(self) -> Any:
        """Return the value as Python objects."""
        return Reader(self._data, self._at).unpack()

    def count(self) -> int:
        """Return the number of pairs of a map."""
        return Reader(self._data, self._at).map()

    def is_map(self) -> bool:
        """Return whether it is a map."""
        try:
            return self.count() >= 0
        except BadArguments:
            return False

    def __iter__(self) -> Iterator["Value"]:
        reader = Reader(self._data, self._at)
        for _ in range(reader.array()):
            yield Value(self._data, reader.offset)
            reader.skip()

    def fields(self, count: int) -> list["Value"]:
        """Return the first elements of an array that has at least so many."""
        fields = list(self)
        if len(fields) < count:
            raise BadArguments(f"an array of {count} values is expected")
        return fields[:count]

    def items(self) -> Iterator[tuple[Any, "Value"]]:
        """Yield the pairs of a map; keys are Python objects."""
        reader = Reader(self._data, self._at)
        for _ in range(reader.map()):
            key = reader.unpack()
            yield key, Value(self._data, reader.offset)
            reader.skip()


def describe(system: System, driver: bytes) -> Object:
    """Return the object that is printed of a model file.

    Args:
        system: what the file says of itself.
        driver: the packed model.

    Raises:
        ModelFileError: the service or its method is unknown.
    """
    try:
        config = parse_json(system.config)
    except ConfigSyntaxError as error:
        raise ModelFileError(f"system data is broken: {error}") from error
    if system.type not in SERVICES:
        raise ModelFileError(f"unknown type of model: {system.type}: one of {', '.join(sorted(SERVICES))} is expected")
    about = {
        "version": SYSTEM,
        "timestamp": system.timestamp,
        "type": system.type,
        "id": system.id,
        "config": system.config,
    }
    model = SERVICES[system.type](Value(driver), config if isinstance(config, dict) else {})
    return Object([("system", about), *model.items()])


# --- what several services have


def named(row: Any, *names: str) -> dict[str, Any]:
    """Return an unpacked array as an object."""
    if not isinstance(row, list) or len(row) < len(names):
        raise BadArguments(f"an array of {len(names)} values is expected: {', '.join(names)}")
    return dict(zip(names, row, strict=False))


def table(value: Value, show: Callable[[Any], Any] = lambda row: row) -> Object:
    """Return a map with what is shown of each value; numbers as keys become texts."""
    return Object((label(key), show(row.get())) for key, row in value.items())


def label(key: Any) -> bytes | str:
    """Return the key of a map as the name of a member."""
    return key if isinstance(key, bytes) else str(key)


def joined(
    base: Value, over: Value, show: Callable[[Any], Any] = lambda row: row, join: Callable[[Any, Any], Any] = add
) -> Object:
    """Return two maps as one.

    Args:
        base: the first map.
        over: the second.
        show: from a value of either to what is printed, and joined.
        join: what is printed of a key that both have, from both.
    """

    def members() -> Iterator[tuple[Any, Any]]:
        swapped = base.count() < over.count()
        large, small = (over, base) if swapped else (base, over)
        held = {label(key): show(row.get()) for key, row in small.items()}
        for key, row in large.items():
            name, shown = label(key), show(row.get())
            if name in held:
                other = held.pop(name)
                shown = join(other, shown) if swapped else join(shown, other)
            yield name, shown
        yield from held.items()

    return Object(members())


def latter(_: Any, shown: Any) -> Any:
    """Join by taking the second."""
    return shown


class Names:
    """The names behind the numbers of a packed key manager."""

    def __init__(self, manager: Value) -> None:
        self._names: dict[int, bytes] = manager.fields(3)[1].get()

    def __call__(self, number: int) -> bytes:
        """Return the name of a number; raise BadArguments."""
        try:
            return self._names[number]
        except (KeyError, TypeError):
            raise BadArguments(f"the number {number} has no name") from None

    def rename(self, row: dict[int, Any]) -> dict[bytes, Any]:
        """Return a row by names instead of numbers."""
        return {self(number): value for number, value in row.items()}


def weights(manager: Value) -> dict[str, Any]:
    """Describe document statistics: master and diff together."""
    version, diff, master = manager.fields(3)
    (number,) = version.fields(1)
    before, after = master.fields(5), diff.fields(5)
    counters = ("document_frequencies", "group_frequencies", "group_total_lengths")
    maps = {
        name: joined(one.fields(1)[0], other.fields(1)[0])
        for name, one, other in zip(counters, before[1:4], after[1:4], strict=True)
    }
    return {
        "version_number": number.get(),
        "document_count": before[0].get() + after[0].get(),
        **maps,
        "weights": joined(before[4], after[4]),
    }


def linear(storage: Value) -> dict[str, Any]:
    """Describe linear weights: master and diff together."""
    master, keys, diff, version = storage.fields(4)
    names = Names(keys)

    def show(row: dict[int, Any]) -> dict[bytes, Any]:
        return {name: named(cell, "v1", "v2", "v3") for name, cell in names.rename(row).items()}

    def join(one: dict[bytes, Any], other: dict[bytes, Any]) -> dict[bytes, Any]:
        cells = dict(one)
        for name, cell in other.items():
            cells[name] = {v: cells[name][v] + cell[v] for v in cell} if name in cells else cell
        return cells

    return {"weight": joined(master, diff, show, join), "version_number": version.fields(1)[0].get()}


def labels(counts: Value) -> dict[str, Any]:
    """Describe counts of labels: master and diff together, modulo 2**64 as servers count."""
    master, diff, version = counts.fields(3)
    join = joined(master, diff, join=lambda one, other: (one + other) % (1 << 64))
    return {"version_number": version.fields(1)[0].get(), "label_count": join}


def unlearner(value: Value) -> dict[str, Any]:
    """Describe an unlearner; ``lru`` lists the ids that may be forgotten, the most recent first."""
    first, second = value.fields(2)
    if first.is_map():
        return {"ids": second.get()}
    return {"ids": first.get(), "sticky_ids": second.get()}


def inverted_index(storage: Value) -> dict[str, Any]:
    """Describe an inverted index: cells and squared norms, what all servers agreed on and what was added since."""
    inv, inv_diff, norm, norm_diff, keys = storage.fields(5)
    names = Names(keys)
    return {
        "inv": table(inv, names.rename),
        "inv_diff": table(inv_diff, names.rename),
        "norm": names.rename(norm.get()),
        "norm_diff": names.rename(norm_diff.get()),
    }


def original(rows: Value) -> dict[str, Any]:
    """Describe the raw rows of a recommender."""
    cells, keys = rows.fields(2)
    return {"inv": table(cells, Names(keys).rename)}


def column_table(value: Value) -> dict[str, Any]:
    """Describe a table: what its columns are, and for each key its values, owner and version."""
    keys, _, versions, columns, clock, _ = value.fields(6)
    schema = []
    cells: list[Iterator[list[Any]]] = []
    for column in columns:
        kind, values = column.fields(2)
        type, bits = kind.get()
        if not 0 <= type < len(TYPES):
            raise BadArguments(f"a type of column from 0 to {len(TYPES) - 1} is expected, not {type}")
        schema.append({"type": TYPES[type], "bit_vector_length": bits})
        cells.append(grouped(values, -(-bits // 64) if type == BIT_VECTOR else 1))

    def rows() -> Iterator[tuple[Any, Any]]:
        for key, version, *values in zip(keys, versions, *cells, strict=True):
            (owner, *_), number = version.get()
            yield key.get(), {"values": values, "owner": owner, "version": number}

    return {"schema": schema, "data": Object(rows()), "clock": clock.get()}


def grouped(values: Iterable[Value], size: int) -> Iterator[list[Any]]:
    """Yield lists of so many values."""
    group = []
    for value in values:
        group.append(value.get())
        if len(group) == size:
            yield group
            group = []


def bits(packed: Any) -> dict[str, Any]:
    """Describe a bit vector: its length and its words of 64 bits, the lowest first."""
    shown = named(packed, "bit_num", "bits")
    raw = shown["bits"]
    shown["bits"] = [int.from_bytes(raw[at : at + 8]) for at in range(0, len(raw), 8)]
    return shown


def with_unlearner(part: Value, count: int) -> tuple[dict[str, Any], list[Value]]:
    """Return the members of an unlearner, if there is one before so many other fields, and these fields."""
    fields = list(part)
    if len(fields) == count + 1:
        return {"unlearner": unlearner(fields[0])}, fields[1:]
    if len(fields) != count:
        raise BadArguments(f"an array of {count} or {count + 1} values is expected")
    return {}, fields


# --- the services


def describe_classifier(model: Value, config: dict[str, Any]) -> dict[str, Any]:
    """Describe a model of classifier."""
    part, manager = model.fields(2)
    members, (storage, counts) = with_unlearner(part, 2)
    method = config.get("method")
    if method in ("NN", "nearest_neighbor"):
        members["table"] = column_table(storage)
    else:
        members["storage"] = inverted_index(storage) if method in ("cosine", "euclidean") else linear(storage)
    return {"storage": {**members, "label": labels(counts)}, "weights": weights(manager)}


def describe_regression(model: Value, config: dict[str, Any]) -> dict[str, Any]:
    """Describe a model of regression."""
    part, manager = model.fields(2)
    method = config.get("method")
    if method in ("NN", "nearest_neighbor"):
        members, (rows, targets) = with_unlearner(part, 2)
        members |= {"table": column_table(rows), "target": column_table(targets)}
    elif method in ("cosine", "euclidean"):
        index, targets = part.fields(2)
        members = {"storage": inverted_index(index), "target": column_table(targets)}
    else:
        members = {"storage": linear(part.fields(1)[0])}
    return {"storage": members, "weights": weights(manager)}


def recommender(part: Value, config: dict[str, Any]) -> dict[str, Any]:
    """Describe the method of a recommender, also the one behind anomaly's ``lof``."""
    method = config.get("method")
    members, (rows, storage) = with_unlearner(part, 2)
    members["original"] = original(rows)
    if method in ("inverted_index", "inverted_index_euclid"):
        members["storage"] = inverted_index(storage)
    elif method in ("lsh", "minhash"):
        master, diff = storage.fields(2)
        members["storage"] = {"master": table(master, bits), "diff": table(diff, bits)}
    elif method == "euclid_lsh":
        members["storage"] = lsh_index(storage)
    elif method == "nearest_neighbor_recommender":
        members["storage"] = column_table(storage)
    else:
        raise ModelFileError(f"unsupported method ({method})")
    return members


def lsh_index(storage: Value) -> dict[str, Any]:
    """Describe the index of the recommender's ``euclid_lsh``."""
    master, diff, buckets, buckets_diff, shift, table_num, keys = storage.fields(7)
    names = Names(keys)

    def show(row: Any) -> dict[str, Any]:
        entry = named(row, "buckets", "simhash", "norm")
        return {**entry, "simhash": bits(entry["simhash"])}

    def rename(numbers: list[int]) -> list[bytes]:
        return [names(number) for number in numbers]

    return {
        "master": table(master, show),
        "diff": table(diff, show),
        "buckets": table(buckets, rename),
        "buckets_diff": table(buckets_diff, rename),
        "shift": shift.get(),
        "table_num": table_num.get(),
    }


def describe_recommender(model: Value, config: dict[str, Any]) -> dict[str, Any]:
    """Describe a model of recommender."""
    part, manager = model.fields(2)
    return {"index": recommender(part, config), "weights": weights(manager)}


def describe_nearest_neighbor(model: Value, config: dict[str, Any]) -> dict[str, Any]:
    """Describe a model of nearest_neighbor."""
    rows, manager = model.fields(2)
    return {"table": column_table(rows), "weights": weights(manager)}


def describe_anomaly(model: Value, config: dict[str, Any]) -> dict[str, Any]:
    """Describe a model of anomaly."""
    part, manager = model.fields(2)
    members, (first, second) = with_unlearner(part, 2)
    if config.get("method") == "lof":
        master, diff, number, reverse, ignore = first.fields(5)
        entries = joined(master, diff, lambda row: named(row, "kdist", "lrd"), latter)
        members["lof_records"] = {
            "entry": entries,
            "neighbor_num": number.get(),
            "reverse_nn_num": reverse.get(),
            "ignore_kth_same_point": ignore.get(),
        }
        members["nn_records"] = recommender(second, config.get("parameter") or {})
    else:
        members |= {"nn_records": column_table(first), "lof_records": column_table(second)}
    return {"storage": members, "weights": weights(manager)}


def point(packed: Any) -> dict[str, Any]:
    """Describe a weighted point of a cluster."""
    shown = named(packed, "id", "weight", "data", "original")
    shown["original"] = named(shown["original"], "string_values", "num_values", "binary_values")
    return shown


def points(value: Value) -> Iterator[dict[str, Any]]:
    """Describe points one by one."""
    return (point(each.get()) for each in value)


def describe_clustering(model: Value, config: dict[str, Any]) -> dict[str, Any]:
    """Describe a model of clustering."""
    part, manager = model.fields(2)
    base, own, *status = list(part)
    revision, common = base.fields(2)
    members = {
        "revision": revision.get(),
        "common": Object((server.get(), points(theirs)) for server, theirs in (each.fields(2) for each in common)),
    }
    if status:
        members |= {"buckets": map(points, own), "status": status[0].get()}
    else:
        members["points"] = points(own)
    return {"storage": members, "weights": weights(manager)}


def describe_stat(model: Value, config: dict[str, Any]) -> dict[str, Any]:
    """Describe a model of stat."""
    size, window, stats, e, n = model.fields(5)

    def show(packed: Any) -> dict[str, Any]:
        time, pair = packed
        return {"time": time, **named(pair, "key", "value")}

    return {
        "window_size": size.get(),
        "window": (show(each.get()) for each in window),
        "stats": table(stats, lambda row: named(row, "n", "sum", "sum2", "max", "min")),
        "e": e.get(),
        "n": n.get(),
    }


def describe_weight(model: Value, config: dict[str, Any]) -> dict[str, Any]:
    """Describe a model of weight."""
    return {"weights": weights(model.fields(1)[0])}


def describe_graph(model: Value, config: dict[str, Any]) -> dict[str, Any]:
    """Describe a model of graph."""
    nodes, edges, known, centralities, paths = model.fields(5)

    def tree(packed: Value) -> dict[str, Any]:
        landmark, source, target = packed.fields(3)
        steps = {"from_root": source, "to_root": target}
        return {
            "landmark": landmark.get(),
            **{name: table(way, lambda row: named(row, "distance", "parent")) for name, way in steps.items()},
        }

    return {
        "nodes": table(nodes, lambda row: named(row, "property", "in_edges", "out_edges")),
        "edges": table(edges, lambda row: named(row, "property", "source", "target")),
        "global_nodes": (node for node, _ in known.items()),
        "centralities": (
            {"query": query(key), "scores": table(scores, lambda row: named(row, "score", "out_degree"))}
            for key, scores in centralities.items()
        ),
        "shortest_paths": ({"query": query(key), "trees": map(tree, trees)} for key, trees in paths.items()),
    }


def query(key: Any) -> dict[str, Any]:
    """Describe a preset query."""
    return named(key, "edge_query", "node_query")


def describe_burst(model: Value, config: dict[str, Any]) -> dict[str, Any]:
    """Describe a model of burst."""
    options, keywords, aggregators = model.fields(3)
    of_options = (
        "window_batch_size", "batch_interval", "result_window_rotate_size", "max_reuse_batch_num", "costcut_threshold",
    )  # fmt: skip

    def window(packed: Any, *batch: str) -> dict[str, Any]:
        shown = named(packed, "batches", "start", "batch_interval")
        return {**shown, "batches": [named(each, *batch) for each in shown["batches"]]}

    def keyword(packed: Any) -> dict[str, Any]:
        parameters, store = packed
        shown = named(store, "results", "max_results", "oldest_not_mixed")
        shown["results"] = [window(each, *BATCH, "burst_weight") for each in shown["results"]]
        return {**named(parameters, "scaling_param", "gamma"), **shown}

    def aggregator(packed: Any) -> dict[str, Any]:
        shown = named(packed, "windows", "window_batch_size", "batch_interval", "max_windows")
        return {**shown, "windows": [window(each, *BATCH) for each in shown["windows"]]}

    return {
        "options": named(options.get(), *of_options),
        "keywords": table(keywords, keyword),
        "aggregators": table(aggregators, aggregator),
    }


def describe_bandit(model: Value, config: dict[str, Any]) -> dict[str, Any]:
    """Describe a model of bandit."""
    arms, mixed, unmixed = model.fields(3)

    def player(packed: Any) -> dict[str, Any]:
        shown = named(packed, "total", "arms")
        return {**shown, "arms": {arm: named(info, "trial_count", "weight") for arm, info in shown["arms"].items()}}

    return {"arms": arms.get(), "mixed": table(mixed, player), "unmixed": table(unmixed, player)}


SERVICES: dict[str, Callable[[Value, dict[str, Any]], dict[str, Any]]] = {
    "anomaly": describe_anomaly,
    "bandit": describe_bandit,
    "burst": describe_burst,
    "classifier": describe_classifier,
    "clustering": describe_clustering,
    "graph": describe_graph,
    "nearest_neighbor": describe_nearest_neighbor,
    "recommender": describe_recommender,
    "regression": describe_regression,
    "stat": describe_stat,
    "weight": describe_weight,
}
"""How to describe a packed model of each service, given the configuration."""
