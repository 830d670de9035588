"""The model of the service ``graph``: dicts in the order of the original's maps, and no place is kept of anything."""

import re
from copy import deepcopy
from typing import Any

from tests.reference import Refusal
from tests.reference.ieee import div
from tests.reference.tr1 import FNV_PRIME, FNV_START, MASK, Map, signed_bytes

Hops = Map[int, list[int]]


def number(text: bytes) -> int:
    """Read an id as a C++ stream does."""
    found = re.match(rb"[ \t-\r]*([-+]?)([0-9]+)", text)
    if found is None or int(found[2]) > MASK:
        raise Refusal("std::bad_cast")
    return (-int(found[2]) if found[1] == b"-" else int(found[2])) & MASK


class Query:
    """A preset query as the key of a map."""

    def __init__(self, wire: Any) -> None:
        self.lists = tuple(tuple((key, value) for key, value in each) for each in wire)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Query) and self.lists == other.lists

    def __hash__(self) -> int:
        return hash(self.lists)

    def __index__(self) -> int:
        """Return the original's hash, by which maps order queries."""
        h = FNV_START
        for each in self.lists:
            for pair in each:
                for text in pair:
                    for c in signed_bytes(text):
                        h = (h * FNV_PRIME & MASK) ^ c
                    h = h * FNV_PRIME & MASK
        return h


class QueryMap(Map[Any, Any]):
    """A map by queries."""

    def _bucket(self, key: Any) -> list[Any]:
        return self._buckets[key.__index__() % len(self._buckets)]


def matches(properties: dict[bytes, bytes], wanted: tuple[tuple[bytes, bytes], ...]) -> bool:
    return all(properties.get(key) == value for key, value in wanted)


class Graph:
    """Takes and gives the values of the wire as Python values; text is bytes."""

    def __init__(self, config: dict[str, Any], distributed: bool = False) -> None:
        self.damping = config["parameter"]["damping_factor"]
        self.landmarks = config["parameter"]["landmark_num"]
        self.distributed = distributed
        self.next = int(distributed)
        self.nodes: Map[int, list[Any]] = Map()
        self.edges: Map[int, list[Any]] = Map()
        self.everywhere: Map[int, int] = Map()
        self.ranks = QueryMap()
        self.paths = QueryMap()

    def create_node(self) -> bytes:
        self.next += 1
        self._create(self.next - 1)
        return b"%d" % (self.next - 1)

    def create_node_here(self, node: bytes) -> bool:
        self._create(number(node))
        return True

    def _create(self, id: int) -> None:
        if id not in self.nodes:
            self.nodes[id] = [{}, [], []]
            self._offer(id)
            self.everywhere[id] = 0

    def _offer(self, id: int) -> None:
        for query, trees in self.paths.items():
            if len(trees) == self.landmarks or not matches(self.nodes[id][0], query.lists[1]):
                return
            trees.append([id, Map(), Map()])

    def remove_node(self, node: bytes) -> bool:
        id = number(node)
        if id not in self.nodes:
            raise Refusal("remove_node")
        if self.nodes[id][1] or self.nodes[id][2]:
            raise Refusal(f"graph_wo_index::remove_node node id={id} cannot be removed because it has edges")
        del self.nodes[id]
        return self.remove_global_node(b"%d" % id)

    def remove_global_node(self, node: bytes) -> bool:
        id = number(node)
        if id not in self.everywhere:
            raise Refusal("remove_global_node")
        del self.everywhere[id]
        return True

    def update_node(self, node: bytes, properties: dict[bytes, bytes]) -> bool:
        id = number(node)
        if id not in self.nodes:
            raise Refusal("update_node")
        self.nodes[id][0] = properties
        self._offer(id)
        return True

    def create_edge(self, node: bytes, edge: list[Any]) -> int:
        self.next += 1
        self.create_edge_here(self.next - 1, edge)
        return self.next - 1

    def create_edge_here(self, id: int, edge: list[Any]) -> bool:
        source, target = number(edge[1]), number(edge[2])
        if source not in self.nodes and target not in self.nodes:
            raise Refusal(f"graph_wo_index::create_edge unknown src id={source} tgt id={target}")
        if id in self.edges:
            raise Refusal("edge_exists")
        self.edges[id] = [edge[0], source, target]
        for end, place in ((source, 2), (target, 1)):
            if end in self.nodes:
                self.nodes[end][place].append(id)
        return True

    def update_edge(self, node: bytes, id: int, edge: list[Any]) -> bool:
        if id not in self.edges:
            raise Refusal("update_edge:eid")
        self.edges[id][0] = edge[0]
        return True

    def remove_edge(self, node: bytes, id: int) -> bool:
        if id not in self.edges:
            raise Refusal("remove_edge:eid")
        _, source, target = self.edges[id]
        for end, place in ((source, 2), (target, 1)):
            ids = self.nodes[end][place] if end in self.nodes else []
            if id in ids:
                ids[ids.index(id)] = ids[-1]
                ids.pop()
        del self.edges[id]
        return True

    def get_node(self, node: bytes) -> list[Any]:
        id = number(node)
        if id not in self.nodes:
            raise Refusal("get_node")
        return self.nodes[id]

    def get_edge(self, node: bytes, id: int) -> list[Any]:
        if id not in self.edges:
            raise Refusal("get_edge")
        properties, source, target = self.edges[id]
        return [properties, b"%d" % source, b"%d" % target]

    def add_centrality_query(self, query: Any) -> bool:
        self.ranks.setdefault(Query(query), Map())
        return True

    def add_shortest_path_query(self, query: Any) -> bool:
        self.paths.setdefault(Query(query), [])
        return True

    def remove_centrality_query(self, query: Any) -> bool:
        if Query(query) in self.ranks:
            del self.ranks[Query(query)]
        return True

    def remove_shortest_path_query(self, query: Any) -> bool:
        if Query(query) in self.paths:
            del self.paths[Query(query)]
        return True

    def get_centrality(self, node: bytes, kind: int, query: Any) -> float:
        if kind != 0:
            raise Refusal(f"unknown centrality type: {kind}")
        id = number(node)
        if Query(query) not in self.ranks:
            raise Refusal("unknown_centrality_type")
        if id not in self.ranks[Query(query)]:
            raise Refusal("centrality")
        score: float = self.ranks[Query(query)][id][0]
        return score

    def get_shortest_path(self, asked: list[Any]) -> list[bytes]:
        source, target, most, query = number(asked[0]), number(asked[1]), asked[2], Query(asked[3])
        for id, end in ((source, "src"), (target, "tgt")):
            if id not in self.everywhere:
                raise Refusal(f"shortest_path:{end}")
        if query not in self.paths:
            raise Refusal("unknown_query")
        known = [
            (to[source][0] + from_[target][0] & MASK, i)
            for i, (_, from_, to) in enumerate(self.paths[query])
            if source in to and target in from_
        ]
        if not known or min(known)[1] >= self.landmarks:
            return []
        return [b"%d" % id for id in walk(self.paths[query][min(known)[1]], source, target, most)]

    def update_index(self) -> bool:
        if self.distributed:
            raise Refusal("manual mix is available only in standalone mode.")
        for query, trees in self.paths.items():
            self._relax(query, trees)
        self._become(*self._step())
        return True

    def clear(self) -> bool:
        for each in (self.nodes, self.edges, self.everywhere, self.ranks, self.paths):
            each.clear()
        return True

    def status(self) -> dict[str, str]:
        sizes = {"local_node_num": self.nodes, "global_node_num": self.everywhere, "local_edge_num": self.edges}
        return {key: str(len(each)) for key, each in sizes.items()}

    # --- one step of everything

    def _wanted(self, query: Query, id: int) -> bool:
        return id not in self.nodes or matches(self.nodes[id][0], query.lists[1])

    def _relax(self, query: Query, trees: list[Any]) -> None:
        for landmark, from_, to in trees:
            for hops, near, far, place in ((to, 2, 1, 2), (from_, 1, 2, 1)):
                hops[landmark] = [0, landmark]
                for node in self.nodes.values():
                    for edge in (self.edges[id] for id in node[place]):
                        wanted = matches(edge[0], query.lists[0]) and all(self._wanted(query, end) for end in edge[1:])
                        if wanted and edge[near] in hops:
                            distance = hops[edge[near]][0] + 1
                            if edge[far] not in hops or distance < hops[edge[far]][0]:
                                hops[edge[far]] = [distance, edge[near]]

    def _rank(self, query: Query, before: Map[int, list[Any]]) -> Map[int, list[Any]]:
        lost, fresh, count, out = 0.0, 0.0, len(before), set()
        for score, degree in before.values():
            lost += score if degree == 0 else 0.0
        for id in self.nodes:
            if id not in before:
                if self._wanted(query, id):
                    count, fresh = count + 1, fresh + 1.0
                else:
                    out.add(id)
        lost += fresh
        if count:
            lost /= count
        after: Map[int, list[Any]] = Map()
        for id, node in self.nodes.items():
            if id in out:
                continue
            if not self._wanted(query, id):
                out.add(id)
                continue
            x = 0.0
            for eid in node[1]:
                properties, source, _ = self.edges[eid]
                if eid in out or source in out or not matches(properties, query.lists[0]) or source not in before:
                    continue
                score, degree = before[source]
                if degree:
                    x += score / degree
            degree = 0
            for properties, _, target in (self.edges[eid] for eid in node[2]):
                if query.lists == ((), ()):
                    degree += 1
                elif target not in out:
                    if not self._wanted(query, target):
                        out.add(target)
                    elif matches(properties, query.lists[0]):
                        degree += 1
            after[id] = [self.damping * x + 1 - self.damping + self.damping * lost, degree]
        return after

    def _step(self) -> tuple[Any, Any]:
        ranks, paths = QueryMap(), QueryMap()
        for query, before in self.ranks.items():
            ranks[query] = self._rank(query, before)
        for query, trees in self.paths.items():
            trees = deepcopy(trees)
            self._relax(query, trees)
            paths[query] = [
                [landmark, *(Map((id, hop) for id, hop in hops.items() if id in self.nodes) for hops in both)]
                for landmark, *both in trees
            ]
        return ranks, paths

    def _become(self, ranks: Any, paths: Any) -> None:
        for scores in ranks.values():
            total = 0.0
            for score, _ in scores.values():
                total += score
            factor = div(float(len(scores)), total)
            for entry in scores.values():
                entry[0] *= factor
        self.ranks, self.paths = ranks, paths

    # --- files and MIX

    def pack(self) -> list[Any]:
        return deepcopy([
            *(each.to_dict() for each in (self.nodes, self.edges, self.everywhere)),
            *wire_index(self.ranks, self.paths),
        ])  # fmt: skip

    def unpack(self, packed: list[Any]) -> None:
        self.nodes, self.edges, self.everywhere = (Map(each.items()) for each in packed[:3])
        self.ranks, self.paths = read_index(packed[3:])
        ids = [*self.nodes, *self.edges, *self.everywhere]
        self.next = max((id + 1 & MASK for id in ids), default=0)

    def get_diff(self) -> list[Any]:
        return [wire_index(*self._step())]

    def given(self) -> Any:
        return set(self.ranks), set(self.paths)

    def mix(self, new: list[Any], acc: list[Any]) -> list[Any]:
        (ranks, paths), (diff_ranks, diff_paths) = read_index(acc[0]), read_index(new[0])
        for query, scores in diff_ranks.items():
            mixed = ranks.setdefault(query, Map())
            for id, entry in scores.items():
                mixed[id] = entry
        for query, trees in diff_paths.items():
            join_trees(paths.setdefault(query, []), trees, self.landmarks)
        return [wire_index(ranks, paths)]

    def put_diff(self, diff: list[Any], since: Any = None) -> bool:
        old = self.ranks, self.paths
        self._become(*read_index(diff[0]))
        if since is not None:
            for before, now, mixed in zip(since, old, (self.ranks, self.paths), strict=True):
                for query in before:
                    if query not in now and query in mixed:
                        del mixed[query]
                for query in now:
                    if query not in before:
                        mixed[query] = now[query]
        return True


def walk(tree: list[Any], source: int, target: int, most: int) -> list[int]:
    landmark, from_, to = tree
    path: list[int] = []
    at = source
    while at != landmark:
        if len(path) >= most:
            return path
        if at not in to or len(path) > len(to):
            return []
        path.append(at)
        if at == target:
            return path
        at = to[at][1]
    path.append(landmark)
    rest: list[int] = []
    at = target
    while at != landmark:
        if len(path) + len(rest) >= most:
            return path
        if at not in from_ or len(rest) > len(from_):
            return []
        rest.append(at)
        at = from_[at][1]
    return path + rest[::-1]


def join_trees(mixed: list[Any], trees: list[Any], most: int) -> None:
    known = {tree[0]: i for i, tree in enumerate(mixed)}
    for landmark, i in sorted({tree[0]: i for i, tree in enumerate(trees)}.items()):
        if landmark in known:
            for sums, hops in zip(mixed[known[landmark]][1:], trees[i][1:], strict=True):
                for id, hop in hops.items():
                    sums[id] = hop
        elif len(mixed) < most:
            mixed.append(trees[i])


def wire_index(ranks: Any, paths: Any) -> list[Any]:
    return [
        {query.lists: scores.to_dict() for query, scores in ranks.items()},
        {
            query.lists: [[landmark, *(hops.to_dict() for hops in both)] for landmark, *both in trees]
            for query, trees in paths.items()
        },
    ]


def read_index(packed: list[Any]) -> tuple[Any, Any]:
    ranks, paths = QueryMap(), QueryMap()
    for key, scores in packed[0].items():
        ranks[Query(key)] = Map((id, list(entry)) for id, entry in scores.items())
    for key, trees in packed[1].items():
        paths[Query(key)] = [[landmark, *(Map(hops.items()) for hops in both)] for landmark, *both in trees]
    return ranks, paths
