"""What the tests of whole systems share."""

from collections.abc import Iterator

import pytest
from kazoo.client import KazooClient

from tests.zookeeper import ZooKeeper


@pytest.fixture
def tree(zookeeper: ZooKeeper) -> Iterator[KazooClient]:
    """Look into the ZooKeeper of the programs."""
    client = zookeeper.client()
    yield client
    client.stop()
    client.close()
