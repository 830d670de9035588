"""The recorded mixes of two servers and the recorded payloads of the original, replayed with servers on a ZooKeeper."""

import base64
from pathlib import Path

import msgpack
import pytest

from tests.core.calls import diff_of
from tests.golden.compare import check, decoded, difference, load, recordings
from tests.golden.test_replay import SLACK, text_of
from tests.system.cluster import cluster
from tests.zookeeper import ZooKeeper

NEVER = ("-s", "0", "-i", "0")


def named(folder: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("path", recordings(folder), ids=lambda p: p.name.split(".")[0])


@named("cluster")
def test_two_servers_and_their_mixes(path: Path, zookeeper: ZooKeeper, tmp_path: Path) -> None:
    recording = load(path)
    with cluster(zookeeper.hosts, tmp_path, recording["service"], recording["config"]) as made:
        peers = [made.server(*NEVER).peer() for _ in range(2)]
        for i, step in enumerate(recording["steps"]):
            error, got = peers[step["server"]].call(step["method"], *step["args"][1:])
            assert decoded(error) == step.get("error")
            if error is None:
                wrong = check({**step, "compare": "exact"}, got, SLACK)
                assert not wrong, f"step {i} {step['method']}: {wrong}"
        for peer in peers:
            peer.close()


@named("diff")
def test_diffs_and_what_putting_them_does(path: Path, zookeeper: ZooKeeper, tmp_path: Path) -> None:
    recording = load(path)
    with cluster(zookeeper.hosts, tmp_path, recording["service"], recording["config"]) as made:
        with made.server(*NEVER).peer() as peer:
            for update in recording["updates"]:
                peer.result(update["method"], *update["args"][1:])
            diff = base64.b64decode(recording["diff"])
            got = msgpack.unpackb(peer.plain("get_diff", 0), raw=True, strict_map_key=False)
            want = msgpack.unpackb(diff, raw=True, strict_map_key=False)
            assert not difference(text_of(diff_of(got)), text_of(diff_of(want)), SLACK)
            assert peer.plain("put_diff", diff) == 0
            for i, query in enumerate(recording["queries"]):
                wrong = check({**query, "compare": "exact"}, peer.result(query["method"], *query["args"][1:]), SLACK)
                assert not wrong, f"query {i} {query['method']}: {wrong}"
            version, packed = peer.plain("get_model", 0)
            assert version == recording["model"][0]
            got, want = (
                msgpack.unpackb(raw, raw=True, strict_map_key=False)
                for raw in (packed, base64.b64decode(recording["model"][1]))
            )
            assert not difference(text_of(got), text_of(want), SLACK)
