"""Nobody gets in: a cluster in which all show certificates, and programs that say when anybody may connect."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jubatus.classifier.client import Classifier
from jubatus.classifier.types import LabeledDatum
from jubatus.common import Datum
from jubatus.rpc import client as rpc
from jubatus.rpc import tls
from tests.certificates import Authority, Files
from tests.conftest import BIN, Running, Start, command, wait_for
from tests.ports import free_port
from tests.system.cluster import Cluster, cluster, tool
from tests.system.test_faults import CONFIG
from tests.zookeeper import ZooKeeper


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Authority(tmp_path / "ca").issue("127.0.0.1", "127.0.0.71")


@pytest.fixture
def made(zookeeper: ZooKeeper, tmp_path: Path) -> Iterator[Cluster]:
    with cluster(zookeeper.hosts, tmp_path, "classifier", CONFIG) as started:
        yield started


def status(running: Running, name: str, files: Files, method: str = "get_status") -> dict[str, Any]:
    with Classifier("127.0.0.1", running.port, name, tls=files.tls) as client:
        (found,) = getattr(client, method)().values()
    return dict(found)


def test_a_cluster_with_tls(made: Cluster, files: Files, zookeeper: ZooKeeper) -> None:
    servers = [made.server(*files.options(), active=False) for _ in range(2)]
    keeper = made.keeper(*files.options())
    for server in servers:
        wait_for(lambda server=server: status(server, made.name, files)["linear_mixer.is_obsolete"] == "0")
    with Classifier("127.0.0.1", keeper.port, made.name, tls=files.tls) as client:
        for number in range(20):
            assert client.train([LabeledDatum(f"label{number % 2}", Datum({"message": f"word{number % 2} x"}))]) == 1
        for server in servers:
            with rpc.Client(rpc.Address("127.0.0.1", server.port), 10, tls=tls.client_context(*files.tls)) as one:
                assert one.call("do_mix", made.name) is True
        for _ in range(10):
            best = max(client.classify([Datum({"message": "word1 x"})])[0], key=lambda found: found.score)
            assert best.label == "label1"
        assert sorted(client.get_labels().values()) == [10, 10]
    where = ("-z", zookeeper.hosts, "-s", "jubaclassifier", "-t", "classifier", "-n", made.name)
    done = tool("jubactl", "-c", "save", *where, *files.options())
    assert (done.returncode, done.stderr) == (0, ""), done
    done = tool("jubactl", "-c", "save", *where)
    assert done.returncode == 1
    assert status(keeper, made.name, files, "get_proxy_status")["tls"] == "1"
    for running in (*servers, keeper):
        with Classifier("127.0.0.1", running.port, made.name, tls=files.ca) as stranger:
            with pytest.raises(rpc.RPCError):
                stranger.get_labels()
        with Classifier("127.0.0.1", running.port, made.name) as plain, pytest.raises(rpc.RPCError):
            plain.get_labels()


def test_a_visor_gives_its_certificate_to_its_servers(made: Cluster, files: Files, zookeeper: ZooKeeper) -> None:
    folder = made.folder / "visor"
    folder.mkdir()
    words = [BIN / "jubavisor", "-z", zookeeper.hosts, "-b", "127.0.0.71", "-l", folder, *files.options()]
    made.started.append(Running(words, folder, 9198, "127.0.0.71"))
    where = ("-z", zookeeper.hosts, "-s", "jubaclassifier", "-t", "classifier", "-n", made.name)
    assert tool("jubactl", "-c", "start", *where, "-D", folder).returncode == 1
    done = tool("jubactl", "-c", "start", *where, "-D", folder, *files.options())
    assert (done.returncode, done.stderr) == (0, "")
    child = folder / "jubaclassifier.127.0.0.71_9199.out"
    wait_for(lambda: child.exists() and "I become active" in child.read_text())
    with Classifier("127.0.0.71", 9199, made.name, tls=files.tls) as client:
        assert client.get_config()
    done = tool("jubactl", "-c", "stop", *where, *files.options())
    assert (done.returncode, done.stderr) == (0, "")


WARNING = "whoever reaches port"


def test_a_server_says_when_anybody_may_connect(server: Start, files: Files) -> None:
    for options, warns in (
        (("-b", "0.0.0.0"), True),
        (("-b", "0.0.0.0", "--allow", "127.0.0.0/8"), False),
        (("-b", "127.0.0.1"), False),
    ):
        running = server("weight", {"converter": {}}, *options)
        assert running.stop() == 0
        assert running.output().count(WARNING) == int(warns)


def test_wrong_files_end_the_start(files: Files, tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text('{"converter": {}}')
    for options, line in (
        ((f"--tls_cert={files.cert}",), f"tls_cert, tls_key: {files.cert}: TLS: "),
        ((f"--tls_ca={files.ca}",), "tls_key and tls_ca need a certificate, tls_cert"),
        (("--tls_cert=/no/such/file",), "no such file: --tls_cert=/no/such/file"),
    ):
        done = command("weight", "-b", "127.0.0.1", "-p", str(free_port()), "-f", str(path), *options)
        assert (done.returncode, done.stdout.count("\n")) == (1, 0), done
        assert done.stderr.startswith(line)
        assert done.stderr.count("\n") == 1
