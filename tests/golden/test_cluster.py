"""The recorded mixes of two servers and the recorded payloads of the original, replayed with servers on a ZooKeeper."""

import base64
from collections.abc import Sequence
from pathlib import Path

from jubatus.cluster.paths import Node
from jubatus.cluster.ring import Ring, ring_entries
from tests.golden.compare import SLACK, check, decoded, each_recording, load
from tests.golden.test_replay import case_of, differ, stepwise
from tests.ports import free_port
from tests.system.cluster import cluster
from tests.zookeeper import ZooKeeper

NEVER = ("-s", "0", "-i", "0")
RECORDED = (19411, 19412)
"""Ports of the servers of a recording; with them it is certain which key belongs to which server."""


def owners(ports: Sequence[int], keys: Sequence[str]) -> list[list[int]]:
    """Return for each key which of two servers, 0 or 1, it belongs to."""
    nodes = [Node("127.0.0.1", port) for port in ports]
    ring = Ring({entry: node for node in nodes for entry in ring_entries(node)})
    return [[nodes.index(node) for node in ring.find(key.encode(), 2)] for key in keys]


def ports_like(keys: Sequence[str]) -> list[int]:
    """Return free ports of two servers, to which the keys belong as they did in a recording.

    They ascend as they did there: whose diff comes first in a mix depends on it.
    """
    while True:
        ports = sorted(free_port() for _ in RECORDED)
        if owners(ports, keys) == owners(RECORDED, keys):
            return ports


@each_recording("cluster")
def test_two_servers_and_their_mixes(path: Path, zookeeper: ZooKeeper, tmp_path: Path) -> None:
    recording = load(path)
    case = case_of(recording)
    with cluster(zookeeper.hosts, tmp_path, recording["service"], recording["config"]) as made:
        ports = ports_like(case.facts.placed)
        peers = [made.server(*NEVER, port=port).peer() for port in ports]
        for i, step in enumerate(recording["steps"]):
            error, got = peers[step["server"]].call(step["method"], *step["args"][1:])
            assert case.facts.told(decoded(error)) == case.facts.told(step.get("error"))
            if error is None:
                wrong = check(stepwise(case, step), got, SLACK)
                assert not wrong, f"step {i} {step['method']}: {wrong}"
        for peer in peers:
            peer.close()


@each_recording("diff")
def test_diffs_and_what_putting_them_does(path: Path, zookeeper: ZooKeeper, tmp_path: Path) -> None:
    recording = load(path)
    case = case_of(recording)
    with cluster(zookeeper.hosts, tmp_path, recording["service"], recording["config"]) as made:
        with made.server(*NEVER).peer() as peer:
            if not case.facts.versioned:
                # A server that comes mixes once, which no version tells. Its diff must not come after the recorded one.
                assert peer.result("do_mix") is True
            for update in recording["updates"]:
                peer.result(update["method"], *update["args"][1:])
            diff = base64.b64decode(recording["diff"])
            assert not differ(case.facts.diff, peer.plain("get_diff", 0), diff)
            assert peer.plain("put_diff", diff) == 0
            for i, query in enumerate(recording["queries"]):
                wrong = check(stepwise(case, query), peer.result(query["method"], *query["args"][1:]), SLACK)
                assert not wrong, f"query {i} {query['method']}: {wrong}"
            version, packed = peer.plain("get_model", 0)
            assert version == recording["model"][0]
            assert not differ(case.facts.stored, packed, base64.b64decode(recording["model"][1]))
