"""Who may use what is created in ZooKeeper, and the files that say how to connect."""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from kazoo.client import KazooClient
from kazoo.security import OPEN_ACL_UNSAFE

from jubatus.cluster.access import OPEN, Access
from jubatus.cluster.coordinator import Coordinator
from jubatus.cluster.lock import Lock
from jubatus.cluster.membership import Ids, Member, prepare
from jubatus.cluster.paths import Node
from jubatus.cluster.zookeeper import connect
from jubatus.errors import ClusterError, ConfigError
from tests.certificates import Authority
from tests.cluster.conftest import TIMEOUT
from tests.conftest import wait_for
from tests.zookeeper import ZooKeeper


def secret(folder: Path, text: str = "user:password\n", mode: int = 0o600, name: str = "secret") -> Path:
    path = folder / name
    path.write_text(text)
    path.chmod(mode)
    return path


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o400, 0o660])
def test_credentials(tmp_path: Path, mode: int) -> None:
    access = Access.read(auth=str(secret(tmp_path, "user:pass:word \n", mode)))
    assert access == Access("user:pass:word ")
    assert "pass" not in repr(access)
    assert Access.read() == OPEN


@pytest.mark.parametrize("mode", [0o604, 0o602, 0o644, 0o666])
def test_credentials_that_others_know_are_refused(tmp_path: Path, mode: int) -> None:
    path = secret(tmp_path, mode=mode)
    with pytest.raises(ConfigError, match=f"^credentials that others can read or change: chmod o= {path}$"):
        Access.read(auth=str(path))


@pytest.mark.parametrize("text", ["", "user", "user:", ":password", "\n", "user:a\nb:c\n"])
def test_credentials_that_are_none(tmp_path: Path, text: str) -> None:
    path = secret(tmp_path, text)
    with pytest.raises(ConfigError, match=f"^credentials must be one line, user:password: {path}$"):
        Access.read(auth=str(path))


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    missing, no_key = str(tmp_path / "missing"), str(secret(tmp_path))
    with pytest.raises(ConfigError, match=f"^cannot read credentials: {missing}: No such file or directory$"):
        Access.read(auth=missing)
    for name in ("tls_ca", "tls_cert"):
        for path in (missing, no_key):
            with pytest.raises(ConfigError, match=f"^certificate or key cannot be used: {path}: "):
                Access.read(**{name: path})
    with pytest.raises(ConfigError, match=f"^a key needs a certificate: {no_key}$"):
        Access.read(tls_key=no_key)


def test_a_certificate_with_a_key_of_another_one(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    one, other = str(authority.make("one")), str(authority.make("other"))
    assert Access.read(tls_ca=str(authority.path), tls_cert=one, tls_key=one).tls
    assert Access.read(tls_cert=one).tls
    with pytest.raises(ConfigError, match=f"^certificate or key cannot be used: {one}: KEY_VALUES_MISMATCH$"):
        Access.read(tls_cert=one, tls_key=other)


@pytest.fixture
def owner(zookeeper: ZooKeeper) -> Iterator[KazooClient]:
    """Look into a tree with the credentials; at the end nothing is left that others cannot delete."""
    zookeeper.start()
    zookeeper.clear()
    client = zookeeper.client()
    client.add_auth("digest", "user:password")
    yield client
    client.delete("/jubatus", recursive=True)
    client.stop()
    client.close()


def nodes(client: KazooClient, path: str = "/jubatus") -> list[str]:
    return [path] + [node for name in client.get_children(path) for node in nodes(client, f"{path}/{name}")]


def fill(zk: Coordinator) -> Member:
    """Create everything that programs create."""
    member = Member(zk, "stat", "c", Node("10.0.0.1", 9199), True, lambda config: b"mark")
    member.prepare()
    member.lock_config()
    zk.create("/jubatus/config/stat/c", b"secret")
    member.config()
    member.join(lambda: None)
    member.activate()
    Ids(zk, "stat", "c").next()
    assert member.master_lock().write()
    return member


def test_what_is_created_with_credentials_is_for_those_who_have_them(
    zookeeper: ZooKeeper, owner: KazooClient, tmp_path: Path
) -> None:
    auth = str(secret(tmp_path))
    with closing(connect(zookeeper.hosts, TIMEOUT, auth=auth)) as zk:
        fill(zk)
        found = nodes(owner)
        assert len(found) > 20
        for path in found:
            (acl,) = owner.get_acls(path)[0]
            assert (acl.perms, acl.id.scheme, acl.id.id.split(":")[0]) == (31, "digest", "user")
        with closing(connect(zookeeper.hosts, TIMEOUT, auth=auth)) as other:
            assert other.get("/jubatus/config/stat/c") == b"secret"
            other.set("/jubatus/config/stat/c", b"changed")
            assert other.children("/jubatus/actors/stat/c/nodes") == ["10.0.0.1_9199"]
        wrong = secret(tmp_path, "user:wrong", name="wrong")
        for options, why in (({}, "it asks for credentials"), ({"auth": str(wrong)}, "these are not the credentials")):
            with closing(connect(zookeeper.hosts, TIMEOUT, **options)) as outsider:
                for path in found:
                    refused(outsider, path, why)
        assert nodes(owner) == found
        assert owner.get("/jubatus/config/stat/c")[0] == b"changed"


def refused(zk: Coordinator, path: str, why: str) -> None:
    """Try everything on a node."""
    tries: list[Callable[[], object]] = [
        lambda: zk.get(path),
        lambda: zk.set(path, b"x"),
        lambda: zk.children(path),
        lambda: zk.create(f"{path}/new"),
        lambda: Lock(zk, path).write(),
    ]
    if path != "/jubatus":  # what is directly below the root is not empty
        tries.append(lambda: zk.delete(path))
    for attempt in tries:
        with pytest.raises(ClusterError, match=f"^no access to a ZooKeeper node: {path}.*: {why}"):
            attempt()


def test_a_later_session_has_the_credentials_too(zookeeper: ZooKeeper, owner: KazooClient, tmp_path: Path) -> None:
    with closing(connect(zookeeper.hosts, TIMEOUT, auth=str(secret(tmp_path)))) as zk:
        member = fill(zk)
        epoch = zk.epoch
        thief = KazooClient(zookeeper.hosts, client_id=owner_of(zk))
        thief.start(10)
        thief.stop()
        thief.close()
        wait_for(lambda: zk.epoch > epoch and owner.exists("/jubatus/actors/stat/c/nodes/10.0.0.1_9199"))
        wait_for(lambda: member.actives() == member.members() == [Node("10.0.0.1", 9199)])


def owner_of(zk: Coordinator) -> tuple[int, bytes]:
    client = zk._client  # type: ignore[attr-defined]
    return client._session_id, client._session_passwd


def test_without_credentials_everything_is_open_as_in_1_1(zookeeper: ZooKeeper, owner: KazooClient) -> None:
    with closing(connect(zookeeper.hosts, TIMEOUT)) as zk:
        fill(zk)
        prepare(zk, "stat")
        assert all(owner.get_acls(path)[0] == OPEN_ACL_UNSAFE for path in nodes(owner))
