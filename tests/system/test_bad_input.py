"""Whatever comes in is answered with one clear error or ends its connection, and changes nothing."""

import gzip
import json
import random
import resource
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from jubatus.server import storage
from tests.conftest import Peer, Running, Start, command, packed, wait_for
from tests.ports import free_port

MODELS = Path(__file__).parent.parent / "golden" / "models"
CONFIG: dict[str, Any] = {
    "method": "AROW",
    "parameter": {"regularization_weight": 1.0},
    "converter": {
        "string_rules": [{"key": "*", "type": "space", "sample_weight": "tf", "global_weight": "idf"}],
        "num_rules": [{"key": "*", "type": "num"}],
    },
}


def datum(text: str, number: float = 1.0) -> Any:
    return [[["t", text]], [["n", number]], []]


DATA = [["spam", datum("buy now")], ["ham", datum("see you now", 2.0)], ["spam", datum("buy cheap", 0.5)]]


def taught(start: Start, *options: str) -> Running:
    """Start a classifier that has learned something."""
    running = start("classifier", CONFIG, *options)
    with running.peer() as peer:
        assert peer.result("train", DATA) == len(DATA)
    return running


def packed_model(peer: Peer) -> bytes:
    """Return the packed model of a server."""
    (path,) = peer.result("save", "now").values()
    return storage.load(path.decode(), type="classifier", config=None)[1]


@contextmanager
def unchanged(running: Running) -> Iterator[Peer]:
    """Give a connection; what happens meanwhile must not change the model nor keep the server from answering."""
    with running.peer() as peer:
        before = packed_model(peer)
        yield peer
    with running.peer() as peer:
        assert packed_model(peer) == before


BAD_CAST = (2, b"std::bad_cast")


def test_bad_calls(server: Start) -> None:
    good = datum("buy")
    calls: list[tuple[str, list[Any], tuple[Any, Any]]] = [
        ("trian", [DATA], (1, b"trian")),
        ("", [], (1, b"")),
        ("do_mix", [], (1, b"do_mix")),
        ("train", [], BAD_CAST),
        ("train", ["spam"], BAD_CAST),
        ("train", [{}], BAD_CAST),
        ("train", [[["spam", good], "ham"]], BAD_CAST),
        ("train", [[["spam", good], [5, good]]], BAD_CAST),
        ("train", [[["spam", good], ["ham", [[["t", 5]]]]]], BAD_CAST),
        ("train", [[["spam", good], ["ham", [[["t", "x", "y"]]]]]], BAD_CAST),
        ("train", [[["spam", good], ["ham", [[], [["n", "1"]]]]]], BAD_CAST),
        ("classify", [], BAD_CAST),
        ("classify", [good], BAD_CAST),
        ("classify", [[None]], BAD_CAST),
        ("set_label", [], BAD_CAST),
        ("set_label", [5], BAD_CAST),
        ("delete_label", [["spam"]], BAD_CAST),
        ("save", [], BAD_CAST),
        ("save", [None], BAD_CAST),
        ("load", [7], BAD_CAST),
        ("train", [[["spam", [[["k$", "v"]], [], []]]]], (b"feature key cannot contain '$': k$", None)),
        ("classify", [[[[["k$", "v"]], [], []]]], (b"feature key cannot contain '$': k$", None)),
        ("save", [""], (b"empty id is not allowed", None)),
        ("save", ["a/b"], (b"model ID contains invalid character", None)),
        ("save", ["../now"], (b"model ID contains invalid character", None)),
        ("load", ["/etc/passwd"], (b"model ID contains invalid character", None)),
    ]
    running = taught(server)
    with unchanged(running) as peer:
        for method, arguments, expected in calls:
            assert peer.call(method, *arguments) == expected, (method, arguments)
        peer.send(packed([0, 99, "train", []]) + packed([0, 98, "train", [5, DATA]]))
        assert [peer.reply() for _ in range(2)] == [[1, number, *BAD_CAST] for number in (99, 98)]
        # An argument too many is ignored, as ever, and so is a $ where no rule takes the value.
        assert peer.call("get_labels", 5, []) == (None, {b"ham": 1, b"spam": 2})
        assert peer.call("classify", [[[], [], [["k$", "v"]]]], "more")[0] is None
    names = sorted(path.name for path in running.folder.iterdir())
    assert names == [f"127.0.0.1_{running.port}_classifier_now.jubatus", "config.json", "output"]


def test_bad_model_files(server: Start) -> None:
    running = taught(server)
    stem = f"{running.folder}/127.0.0.1_{running.port}_classifier_"
    with running.peer() as peer:
        peer.result("save", "good")
    good = Path(f"{stem}good.jubatus").read_bytes()
    source = random.Random(5)
    torn = [good[:size] for size in (0, 7, 47, 48, len(good) // 2, len(good) - 1)]
    flipped = []
    for _ in range(40):
        piece = bytearray(good)
        piece[source.randrange(len(good))] ^= 1 << source.randrange(8)
        flipped.append(bytes(piece))
    foreign = [
        b"{}",
        source.randbytes(5000),
        gzip.compress(good),
        (MODELS / "weight-space-bin.jubatus").read_bytes(),
        (MODELS / "classifier-PA-bigram-tfidf.jubatus").read_bytes(),
        whole(CONFIG, b"\x90"),
        whole(CONFIG, b""),
        whole(CONFIG, storage.parse_model_file(good, type="classifier", config=None)[1][:-1]),
    ]
    bad = Path(f"{stem}bad.jubatus")
    with unchanged(running) as peer:
        for data in torn + flipped + foreign:
            bad.write_bytes(data)
            error, result = peer.call("load", "bad")
            if error is None:  # a bit that nothing is made of: version, time or id
                assert data in flipped
                assert sum(a != b for a, b in zip(data, good, strict=True)) == 1
            assert result is (True if error is None else None)
            assert error is None or (isinstance(error, bytes) and error and b"\n" not in error[:40])
        assert peer.call("load", "none")[0].startswith(b"cannot open input file")
    for data, reason in [
        (torn[4], "cannot read input file"),
        (foreign[0] * 50, "invalid file format"),
        (foreign[3], "server type mismatched: weight, expected classifier"),
        (foreign[5], "user data is broken"),
        (whole({"method": "PA"}, b"\x90"), '"converter" is not found ()'),
    ]:
        bad.write_bytes(data)
        done = command("classifier", "-p", str(free_port()), "-b", "127.0.0.1", "-m", str(bad))
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.endswith(f"{reason}\n")
        assert done.stderr.count("\n") == 1
        assert str(bad) in done.stderr


def whole(config: dict[str, Any], driver: bytes) -> bytes:
    """Return a model file that is right up to its driver."""
    text = json.dumps(config).encode()
    return b"".join(storage.pack_model_file(type="classifier", id="x", config=text, driver=driver, timestamp=1))


@pytest.mark.parametrize(
    "stream",
    [
        b"\xc1",
        b"GET / HTTP/1.1\r\nHost: jubatus\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"\x91" * 100,
        packed({"method": "train"}),
        packed([0, "id", "train", ["", DATA]]),
        packed([0, 1]),
        packed([1, 1, None, None]),
        packed([3, 1, "train", ["", DATA]]),
        packed([0, 1, "train", ["", DATA, "x" * 70_000]]),
        b"\x94\x00\x01\xa5train\x92\xa0\xdb\xff\xff\xff\xff" + b"x" * 70_000,
    ],
)
def test_streams_that_break_the_protocol_end_their_connection(server: Start, stream: bytes) -> None:
    running = taught(server, "--max_message_size", "65536")
    with unchanged(running) as peer, running.peer() as bad:
        bad.send(stream)
        assert bad.at_end()
        peer.result("get_labels")
    assert running.output().count(" closed: ") == 1


def test_ten_thousand_half_open_connections(server: Start) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    count = 10_000 if hard == resource.RLIM_INFINITY else min(10_000, hard - 500)
    request = packed([0, 1, "get_labels", [""]])
    running = taught(server, "-t", "0")
    process = psutil.Process(running.proc.pid)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    peers: list[socket.socket] = []
    try:
        with unchanged(running) as peer:
            before = process.memory_info().rss
            for _ in range(count):
                peers.append(socket.create_connection(("127.0.0.1", running.port), 20))
                peers[-1].sendall(request[:5])
            wait_for(lambda: process.num_fds() > count)
            assert process.memory_info().rss - before < count * 20_000
            peer.result("train", [])
            for half in peers[:: count // 10]:
                half.sendall(request[5:])
                assert half.recv(100).startswith(b"\x94\x01\x01\xc0\x82")
    finally:
        for half in peers:
            half.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    wait_for(lambda: process.num_fds() < 100)


def test_more_connections_than_descriptors(server: Start) -> None:
    running = taught(server, "-t", "1")
    process = psutil.Process(running.proc.pid)
    limit = process.num_fds() + 30
    process.rlimit(psutil.RLIMIT_NOFILE, (limit, limit))
    with running.peer() as early:
        early.result("get_labels")
        halves = [socket.create_connection(("127.0.0.1", running.port), 20) for _ in range(200)]
        for half in halves:
            half.settimeout(20)
        early.result("get_labels")
        for half in halves:  # some are refused, the others time out
            try:
                assert half.recv(1) == b""
            except ConnectionResetError:
                continue
            finally:
                half.close()
    with unchanged(running):
        pass


def test_a_client_that_never_reads(server: Start) -> None:
    running = taught(server, "-t", "0")
    process = psutil.Process(running.proc.pid)
    with unchanged(running) as peer, running.peer() as deaf:
        before = process.memory_info().rss
        # Replies are far longer than requests: what the system's buffers do not take is not even computed.
        requests = packed([0, 1, "classify", ["", [[]] * 100]]) * 1000
        deaf.socket.settimeout(0.5)
        with pytest.raises(TimeoutError):
            for _ in range(1000):
                deaf.send(requests)
        assert process.memory_info().rss - before < 16 << 20
        peer.result("train", [])
        cpu = process.cpu_times()
        time.sleep(0.5)
        after = process.cpu_times()
        assert after.user + after.system - cpu.user - cpu.system < 0.25  # it waits, it does not spin


def test_slow_partial_messages(server: Start) -> None:
    """Bytes that trickle in do not keep a connection open beyond the timeout, and hold up nobody."""
    running = taught(server, "-t", "1")
    request = packed([0, 1, "train", ["", [["evil", datum("x" * 200)]]]])
    with unchanged(running):
        slow = [socket.create_connection(("127.0.0.1", running.port), 20) for _ in range(300)]
        start = time.monotonic()
        closed: set[int] = set()
        at = 0
        while len(closed) < len(slow):
            assert time.monotonic() - start < 15
            for number, one in enumerate(slow):
                if number not in closed:
                    try:
                        one.send(request[at : at + 1])
                    except OSError:
                        closed.add(number)
            at += 1
            with running.peer() as peer:
                assert b"evil" not in peer.result("get_labels")
            time.sleep(0.02)
        assert at < len(request)
        for one in slow:
            one.close()
