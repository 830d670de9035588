"""Everything that answers for a service: a server alone, a keeper with two servers, a class in process."""

import json
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import msgpack

from jubatus import embedded
from jubatus.errors import BadArguments, JubatusError
from jubatus.idl import Method
from tests.conftest import BIN, Peer, Running, end_in_order
from tests.ports import free_port
from tests.services import Case
from tests.system.cluster import Cluster, cluster

BAD_CAST = (2, b"std::bad_cast")
NEVER = ("-s", "0", "-i", "0")
"""Options of servers that mix only when told."""

Outcome = tuple[Any, Any]
"""Error and result."""


def ask(peer: Peer, method: Method, args: list[Any], name: str = "") -> Outcome:
    """Call a row and return what came back; fail if nothing does."""
    try:
        return peer.call(method.name, *args, name=name) if method.named else peer.call_plain(method.name, *args)
    except OSError as error:
        raise AssertionError(f"{method.name}({short(args)}): {error!r}") from error


def short(value: Any) -> str:
    """Return a value as text that is not too long to read."""
    text = repr(value)
    return text if len(text) < 200 else f"{text[:120]} ... ({len(text)} characters)"


class InProcess:
    """A class in process, called with values of the wire.

    Args:
        case: its service and configuration.
    """

    def __init__(self, case: Case) -> None:
        self._model = getattr(embedded, case.service.class_name)(case.config)

    def call(self, method: Method, args: list[Any]) -> Outcome | None:
        """Return what a server would send; None where a value is refused as no client may send it."""
        values = args
        if len(args) == len(method.args):
            try:
                values = [argument.type.from_msgpack(value) for argument, value in zip(method.args, args, strict=True)]
            except (TypeError, ValueError):
                pass
        try:
            result = method.returns.to_msgpack(getattr(self._model, method.name)(*values))
        except (TypeError, ValueError):
            return None
        except BadArguments:
            return BAD_CAST
        except JubatusError as error:
            return str(error).encode("utf-8", "surrogateescape"), None
        packed = msgpack.packb(result, use_bin_type=False, unicode_errors="surrogateescape")
        return None, msgpack.unpackb(packed, raw=True, strict_map_key=False)


class Programs:
    """All programs of one case, with a connection to each.

    Args:
        case: the service and the configuration.
        alone: to a standalone server.
        keeper: to a keeper.
        servers: to the two servers behind it.
        cluster: name of their cluster.
    """

    def __init__(self, case: Case, alone: Peer, keeper: Peer, servers: list[Peer], cluster: str) -> None:
        self.case = case
        self.alone = alone
        self.keeper = keeper
        self.servers = servers
        self.cluster = cluster
        self.embedded = InProcess(case)

    def reset(self) -> None:
        """Bring all models into the same state, in which something is learned."""
        for name, args in (("clear", ()), *self.case.facts.teaching):
            for peer in (self.alone, *self.servers):
                peer.result(name, *args)
            outcome = self.embedded.call(self.case.service.method(name), list(args))
            assert outcome is not None
            assert outcome[0] is None

        if row := self.case.facts.mix_alone:
            self.alone.result(row)
            self.embedded.call(self.case.service.method(row), [])
            assert self.servers[0].result("do_mix") is True

    def through_keeper(self, method: Method, args: list[Any]) -> Outcome:
        return ask(self.keeper, method, args, self.cluster)


@contextmanager
def alone(case: Case, folder: Path) -> Iterator[Running]:
    """Run a standalone server."""
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(case.config))
    port = free_port()
    command = [BIN / f"juba{case.service.name}", "-p", str(port), "-b", "127.0.0.1", "-d", folder, "-f"]
    running = Running([*command, folder / "config.json"], folder, port)
    try:
        yield running
    finally:
        quiet_end([running])


@contextmanager
def clustered(zookeeper: str, case: Case, folder: Path) -> Iterator[Cluster]:
    """Make a cluster."""
    folder.mkdir()
    with cluster(zookeeper, folder, case.service.name, case.config) as made:
        yield made
    no_unexpected(made.started)


@contextmanager
def programs(case: Case, zookeeper: str, folder: Path) -> Iterator[Programs]:
    """Run all programs of a case; at the end none may have met an error that it did not expect."""
    with ExitStack() as stack:
        single = stack.enter_context(alone(case, folder / "alone"))
        made = stack.enter_context(clustered(zookeeper, case, folder / "cluster"))
        both = [made.server(*NEVER) for _ in range(2)]
        peers = [stack.enter_context(running.peer()) for running in (single, made.keeper(), *both)]
        yield Programs(case, peers[0], peers[1], peers[2:], made.name)


def quiet_end(processes: list[Running]) -> None:
    """Stop processes, which must end in order and have met no unexpected error."""
    end_in_order(processes)
    no_unexpected(processes)


def no_unexpected(processes: Iterable[Running]) -> None:
    for running in processes:
        assert "error in RPC" not in running.output()
