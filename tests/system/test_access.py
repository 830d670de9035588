"""A cluster whose ZooKeeper asks for TLS and for credentials: all programs work with it, and an outsider gets nothing."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from kazoo.exceptions import NoAuthError

from tests.certificates import Authority
from tests.conftest import BIN, Running, end_in_order, wait_for
from tests.ports import free_port
from tests.system.cluster import tool, train
from tests.zookeeper import ZooKeeper, free_ports

CONFIG = '{"method": "PA", "converter": {"string_rules": []}}'


class Secured:
    """A ZooKeeper with TLS.

    Attributes:
        hosts: where it takes connections with TLS.
        zookeeper: the process, which takes connections without TLS too.
        words: the options of all programs that use it.
        folder: of the certificates.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        authority = Authority(folder)
        server, client = authority.make("server"), authority.make("client")
        (port,) = free_ports(1)
        self.hosts = f"127.0.0.1:{port}"
        options = [
            f"secureClientPort={port}",
            "secureClientPortAddress=127.0.0.1",
            "serverCnxnFactory=org.apache.zookeeper.server.NettyServerCnxnFactory",
            f"ssl.keyStore.location={server}",
            "ssl.keyStore.type=PEM",
            f"ssl.trustStore.location={authority.path}",
            "ssl.trustStore.type=PEM",
            "ssl.clientAuth=need",
        ]
        self.zookeeper = ZooKeeper(folder / "zookeeper", 1, options)
        auth = folder / "credentials"
        auth.write_text("jubatus:secret\n")
        auth.chmod(0o600)
        self.tls = ("--zookeeper_tls_ca", str(authority.path), "--zookeeper_tls_cert", str(client))
        self.words = ("--zookeeper_auth", str(auth), *self.tls)


@pytest.fixture(scope="module")
def secured() -> Iterator[Secured]:
    with tempfile.TemporaryDirectory(prefix="secured-") as folder:
        made = Secured(Path(folder))
        try:
            made.zookeeper.start()
            yield made
        finally:
            made.zookeeper.kill()


def test_a_cluster_behind_tls_and_credentials(secured: Secured, tmp_path: Path) -> None:
    config = tmp_path / "config.json"
    config.write_text(CONFIG)
    where = ("-z", secured.hosts, *secured.words)
    of = ("-t", "classifier", "-n", "c")
    done = tool("jubaconfig", "-c", "write", "-f", config, *of, *where)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    started: list[Running] = []

    def start(program: str, *options: str) -> Running:
        port = free_port()
        folder = tmp_path / f"{program}{port}"
        folder.mkdir()
        words: list[str | Path] = [BIN / program, "-p", str(port), "-b", "127.0.0.1", *where, *options]
        started.append(Running(words, folder, port))
        return started[-1]

    def members() -> str:
        return tool("jubactl", "-c", "status", "-s", "jubaclassifier", *of, *where).stdout

    try:
        start("jubavisor", "-l", str(tmp_path))
        keeper = start("jubaclassifier_keeper")
        own = start("jubaclassifier", "-n", "c", "-d", str(tmp_path))
        assert tool("jubactl", "-c", "start", "-s", "jubaclassifier", *of, "-N", "1", *where).returncode == 0
        wait_for(lambda: members().count("\n 127.0.0.1_") == 4)
        with keeper.peer() as peer:
            wait_for(lambda: train(peer, "a", "x", "c") == (None, 1))
        with own.peer() as peer:
            wait_for(lambda: peer.result("do_mix") and list(peer.result("get_labels")) == [b"a"])
        outsider = secured.zookeeper.client()
        try:
            for path in ("/jubatus", "/jubatus/config/classifier/c", "/jubatus/actors/classifier/c/nodes"):
                for attempt in (outsider.get, outsider.get_children, lambda path: outsider.set(path, b"x")):
                    with pytest.raises(NoAuthError):
                        attempt(path)
        finally:
            outsider.stop()
            outsider.close()
        assert tool("jubactl", "-c", "stop", "-s", "jubaclassifier", *of, *where).returncode == 0
    finally:
        end_in_order(started)
    read = tool("jubaconfig", "-c", "read", *of, *where)
    assert (read.returncode, read.stdout) == (0, CONFIG)


def test_programs_without_credentials_or_certificate_say_so(secured: Secured, tmp_path: Path) -> None:
    config = tmp_path / "config.json"
    config.write_text('{"window_size": 5}')
    write = ("-c", "write", "-f", config, "-t", "stat", "-n", "other")
    plain = secured.zookeeper.hosts
    assert tool("jubaconfig", *write, "-z", plain, "--zookeeper_auth", secured.words[1]).returncode == 0
    for program, options in (
        ("jubaconfig", ("-c", "read", "-t", "stat", "-n", "other")),
        ("jubactl", ("-c", "status", "-s", "jubastat", "-t", "stat", "-n", "other")),
        ("jubastat", ("-n", "other", "-p", str(free_port()), "-b", "127.0.0.1")),
        ("jubastat_keeper", ("-p", str(free_port()), "-b", "127.0.0.1")),
    ):
        done = tool(program, *options, "-z", plain)
        assert done.returncode == 1
        assert "no access to a ZooKeeper node: /jubatus" in done.stderr
        assert done.stderr.count("\n") == 1
    other = Authority(Path(tempfile.mkdtemp(dir=tmp_path)))
    for tls in (("--zookeeper_tls_ca", str(other.path)), secured.tls[:2]):
        start = ("-n", "other", "-Z", "1", "-p", str(free_port()), "-b", "127.0.0.1", "-z", secured.hosts)
        done = tool("jubastat", *start, *tls)
        assert done.returncode == 1
        assert done.stderr.startswith(f"cannot connect zk in 1 sec: {secured.hosts}: TLS: ")
    (tmp_path / "open").write_text("a:b")
    for option in ("--zookeeper_auth", "--zookeeper_tls_cert"):
        done = tool("jubastat", *start, option, tmp_path / "open")
        assert (done.returncode, done.stderr.count("\n")) == (1, 1)
