"""Forwards calls: request -> row of the declaration -> servers -> one reply. Arguments and results pass as bytes.

Between its request and its replies a call is one object, a ``ForwardedCall``; it has no task and no future.

A call that fails before a server can have read it is sent to another server. One that may have been read is sent again
only if its method changes nothing, and only once; it goes to another server if there is one. A server that cannot be
reached, or breaks a connection, is out of rotation at once, and one whose calls time out after some of them in a row.
It is in rotation again when it answers a call that changes nothing.
"""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from random import random
from typing import Any, NamedTuple

from jubatus._core.wire import Frame, Reader, error_reply, pack, reply
from jubatus._core.wire.conversation import Conversation
from jubatus.cluster.paths import Node, is_name
from jubatus.cluster.view import NOBODY, Members, View
from jubatus.errors import BadArguments, ClusterError
from jubatus.idl import Host, Method, Route, Service
from jubatus.keeper.failures import BAD_CAST, NO_RESULT, refusal
from jubatus.keeper.join import join
from jubatus.keeper.rotation import Rotation
from jubatus.keeper.route import targets
from jubatus.rpc.links import Cause, Failure, Links, Outcome

log = logging.getLogger("jubatus")

READERS = 4
"""Threads that read members of clusters for the first time."""

_UNSENT = (Cause.REFUSED, Cause.UNREACHED)
"""Failures after which it is certain that no server has read the call."""


class ForwardedMethod:
    """A declared method, as the keeper forwards it."""

    __slots__ = ("arity", "declared", "keyed", "name", "repeatable")

    def __init__(self, declared: Method) -> None:
        self.declared = declared
        self.name = declared.name.encode()
        self.arity = len(declared.args)
        self.keyed = declared.route is Route.CHT
        self.repeatable = not declared.changes


class Request(NamedTuple):
    """What came from a client."""

    method: ForwardedMethod
    frame: Frame
    conversation: Conversation
    cluster: str
    key: bytes
    params: bytes


class Relay:
    """Answers the requests of all clients of a keeper.

    Args:
        service: whose methods are forwarded.
        view: knows the members of all clusters.
        links: lead to the servers.
        timeout: seconds that a call may take.
        status: returns the packed status.

    Attributes:
        requests: calls so far.
        forwards: servers so far that calls were sent to.
        rotation: knows the servers that are passed over.
    """

    def __init__(self, service: Service, view: View, links: Links, timeout: float, status: Callable[[], bytes]) -> None:
        self.requests = 0
        self.forwards = 0
        self.links = links
        self.timeout = timeout
        self.rotation = Rotation(self._reach, self._listed)
        self.time = asyncio.get_running_loop().time
        self._view = view
        self._status = status
        self._methods = {
            method.name.encode(): ForwardedMethod(method)
            for method in service.all_methods
            if method.host is Host.SERVER and method.route is not Route.INTERNAL
        }
        self._probe = _cheapest(service).name.encode()
        self._own = {method.name.encode() for method in service.all_methods if method.host is Host.KEEPER}
        self._executor = ThreadPoolExecutor(READERS, "members")
        self._loading: dict[str, list[Request]] = {}

    def close(self) -> None:
        """Let go of threads and tasks."""
        self.rotation.close()
        self._executor.shutdown(wait=False, cancel_futures=True)

    def serve(self, frame: Frame, conversation: Conversation) -> bytes | None:
        """Forward a request, or answer it here; see rpc.server.Serve."""
        method = self._methods.get(frame.method)
        if method is None:
            return self._answer_here(frame)
        try:
            params = frame.params.raw()
            reader = Reader(params)
            if reader.array() <= method.arity:
                raise BadArguments("too few arguments")
            cluster = reader.string().decode("utf-8", "surrogateescape")
            key = reader.string() if method.keyed else b""
        except BadArguments:
            return b"" if frame.kind else error_reply(frame.msgid, 2, BAD_CAST)
        self.requests += 1
        request = Request(method, frame, conversation, cluster, key, params)
        members = self._view.members(cluster)
        return self._load(request) if members is None else self._forward(request, members)

    def _answer_here(self, frame: Frame) -> bytes:
        if frame.method not in self._own:
            answer = error_reply(frame.msgid, 1, frame.method)
        else:
            self.requests += 1
            answer = reply(frame.msgid, self._status())
        return b"" if frame.kind else answer

    def _load(self, request: Request) -> bytes | None:
        """Let a request wait until the members of its cluster are read."""
        cluster = request.cluster
        if not is_name(cluster):
            return _refuse_without_server(request)
        waiting = self._loading.setdefault(cluster, [])
        waiting.append(request)
        if len(waiting) == 1:
            future = asyncio.get_running_loop().run_in_executor(self._executor, self._view.load, cluster)
            future.add_done_callback(partial(self._loaded, cluster))
        return None

    def _loaded(self, cluster: str, future: asyncio.Future[Members]) -> None:
        waiting = self._loading.pop(cluster)
        if future.cancelled():
            return
        error = future.exception()
        if error is not None:
            log.error("members of %s cannot be read: %s", cluster, error, exc_info=_unexpected(error))
        members = NOBODY if error is not None else future.result()
        for request in waiting:
            answer = self._forward(request, members)
            if answer is not None:
                request.conversation.complete(answer)

    def _forward(self, request: Request, members: Members) -> bytes | None:
        nodes = targets(request.method.declared, request.key, members, self.rotation.dead, random)
        if not nodes:
            return _refuse_without_server(request)
        self.forwards += len(nodes)
        ForwardedCall(self, request, members).send(nodes, self.timeout)
        return None

    async def _reach(self, cluster: str, node: Node) -> bool:
        return await self.links.reach(node, self._probe, pack([cluster]))

    def _listed(self, cluster: str, node: Node) -> bool:
        members = self._view.members(cluster)
        return members is not None and (node in members.actives or node in members.ring.entries().values())


class ForwardedCall:
    """A call that was sent to servers and is not answered yet."""

    __slots__ = ("_deadline", "_failed", "_failures", "_left", "_members", "_relay", "_repeated", "_request",
                 "_results", "_sent")  # fmt: skip

    def __init__(self, relay: Relay, request: Request, members: Members) -> None:
        self._relay = relay
        self._request = request
        self._members = members
        self._deadline = relay.time() + relay.timeout
        self._left = 0
        self._results: list[bytes] = []
        self._failures: list[tuple[Node, Outcome]] = []
        self._failed: set[Node] = set()
        self._sent: tuple[Node, ...] = ()
        self._repeated = False

    def send(self, nodes: tuple[Node, ...], timeout: float) -> None:
        """Send the call to servers."""
        self._sent += nodes
        self._left += len(nodes)
        request = self._request
        send = self._relay.links.send
        for node in nodes:
            send(node, request.method.name, request.params, timeout, partial(self._answered, node))

    def _answered(self, node: Node, outcome: Outcome) -> None:
        rotation = self._relay.rotation
        if isinstance(outcome, Failure):
            if outcome.cause is Cause.TIMEOUT:
                rotation.miss(self._request.cluster, node, outcome.error)
        elif rotation.late:
            rotation.late.pop(node, None)
        if outcome.error is None:
            self._results.append(outcome.result.raw())
        elif not (isinstance(outcome, Failure) and self._send_again(node, outcome)):
            self._failures.append((node, outcome))
        self._left -= 1
        if not self._left:
            self._request.conversation.complete(self._reply())

    def _send_again(self, node: Node, failure: Failure) -> bool:
        """Send the call to other servers or to this one again, if the failure allows it; return whether it was sent."""
        request, relay = self._request, self._relay
        unsent = failure.cause in _UNSENT
        if not unsent and failure.cause is not Cause.BROKEN:
            return False
        relay.rotation.drop(request.cluster, node, failure.error)
        if not unsent:
            if self._repeated or not request.method.repeatable:
                return False
            self._repeated = True
        self._failed.add(node)
        timeout = self._deadline - relay.time()
        if timeout <= 0:
            return False
        nodes: tuple[Node, ...] = ()
        declared = request.method.declared
        if declared.route is not Route.BROADCAST:
            nodes = targets(declared, request.key, self._members, relay.rotation.dead, random, self._failed)
            nodes = tuple(node for node in nodes if node not in self._sent)
            relay.forwards += len(nodes)
        if not (nodes or unsent):
            nodes = (node,)
        self.send(nodes, timeout)
        return bool(nodes)

    def _reply(self) -> bytes:
        frame = self._request.frame
        if self._failures:
            serious = [outcome for _, outcome in self._failures if not self._may_miss(outcome)]
            if serious or not self._results:
                self._warn()
                outcomes = serious or [outcome for _, outcome in self._failures]
                return b"" if frame.kind else refusal(frame.msgid, outcomes)
        if frame.kind:
            return b""
        try:
            result = join(self._request.method.declared.join, self._results)
        except BadArguments:
            return error_reply(frame.msgid, NO_RESULT)
        return reply(frame.msgid, result)

    def _may_miss(self, outcome: Outcome) -> bool:
        """Return whether the call may do without this server, if another one answers."""
        if not isinstance(outcome, Failure):
            return False
        if self._request.method.declared.route is Route.BROADCAST:
            return outcome.cause is Cause.REFUSED  # its process is gone
        return outcome.cause in _UNSENT or (outcome.cause is Cause.BROKEN and self._request.method.repeatable)

    def _warn(self) -> None:
        lines = [f"\n    {node.name}: {_text(outcome.error)}" for node, outcome in self._failures]
        request = self._request
        log.warning(
            "error occurred in %d out of %d requests of %s to %s%s",
            len(lines), len(self._sent), request.method.declared.name, request.cluster, "".join(lines),
        )  # fmt: skip


def _cheapest(service: Service) -> Method:
    """Return a row that every server answers at once: it takes no arguments and no lock, and changes nothing."""
    return next(row for row in service.common if row.route is Route.RANDOM and not (row.args or row.changes))


def _refuse_without_server(request: Request) -> bytes:
    """Return the reply of a call that no server is found for."""
    if request.frame.kind:
        return b""
    if request.method.keyed:
        return error_reply(request.frame.msgid, b"failed to fetch list of CHT entry: " + request.key)
    return error_reply(request.frame.msgid, f"no server found: {request.cluster}")


def _unexpected(error: BaseException) -> BaseException | None:
    return None if isinstance(error, ClusterError) else error


def _text(error: Any) -> str:
    return error.decode(errors="replace") if isinstance(error, bytes) else str(error)
