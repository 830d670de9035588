"""A request is answered alike by a shortcut of the conversation and by the dispatcher."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgpack
import pytest

from jubatus._core.services.classifier import Classifier
from jubatus._core.wire import Conversation, Frame, Shortcuts, pack, unpack
from jubatus.idl import Host, Lock, Service, services
from jubatus.rpc import server as rpc
from jubatus.server.dispatch import INLINE_SIZE, BoundMethod, Dispatcher, bind, longest_inline
from tests.core.calls import exact
from tests.core.generate import Arguments
from tests.rpc.test_server import CountingTransport
from tests.services import CASES, Case, every_case


class Common:
    """Handles what every server has, in one word."""

    def get_config(self, args: Any) -> bytes:
        return pack("config")

    def save(self, args: Any) -> bytes:
        return pack("saved")

    def load(self, args: Any) -> bytes:
        return pack("loaded")

    def get_status(self, args: Any) -> bytes:
        return pack("status")


class Side:
    """A model behind a dispatcher, and one connection to it, with shortcuts or without."""

    def __init__(self, case: Case, direct: bool) -> None:
        self.model = case.model()
        service = case.service
        methods = [method for method in service.all_methods if method.host is Host.SERVER and not method.long]
        long = {method.name for method in service.all_methods if method.long}
        self.dispatcher = Dispatcher(
            bind(methods, Short(self.model, long), Short(Common(), long)), ThreadPoolExecutor(1)
        )
        self.served: list[bytes] = []
        self.mixed = 0
        self.dispatcher.shortcuts.mixed = self.count
        shortcuts = self.dispatcher.shortcuts if direct else None
        self.conversation = Conversation(self.serve, lambda data: None, 1 << 20, shortcuts=shortcuts)

    def serve(self, frame: Frame, conversation: Conversation) -> bytes | None:
        self.served.append(frame.method)
        return self.dispatcher.serve(frame, conversation)

    def count(self) -> None:
        self.mixed += 1

    def ask(self, chunk: bytes) -> bytes:
        replies = [self.conversation.receive(chunk)]
        while self.conversation.more:
            replies.append(self.conversation.resume())
        return b"".join(replies)


class Short:
    """An owner of handlers without those that run on threads."""

    def __init__(self, owner: object, long: set[str]) -> None:
        for name in dir(owner):
            if not name.startswith("_") and name not in long and callable(handler := getattr(owner, name)):
                setattr(self, name, handler)


def requests(service: Service, source: Arguments) -> bytes:
    """Make some requests: right, wrong, of methods that there are and that there are not."""
    random = source.random
    rows = [method for method in service.methods if not method.long]
    stream = b""
    for _ in range(random.randrange(1, 6)):
        method = random.choice(rows)
        values = source.of_method(method)
        if random.random() < 0.3:
            values = [source.spoilt(value) for value in values]
        if random.random() < 0.1:
            values = values[:-1]
        params: Any = ["cluster", *values] if random.random() < 0.95 else random.choice([None, 5, [], {}, [5, *values]])
        name = method.name if random.random() < 0.9 else random.choice(["nothing", "", "get_config", "get_status"])
        msgid = random.choice((0, 5, 127, 128, 255, 256, 65535, 65536, 2**32 - 1))
        stream += pack([2, name, params]) if random.random() < 0.1 else pack([0, msgid, name, params])
    return stream


def replies(case: Case, data: bytes) -> list[Any]:
    """Return how many bytes replies have, and what they are without what is chance in the text of an error."""
    unpacker = msgpack.Unpacker(raw=True, strict_map_key=False)
    unpacker.feed(data)
    read: list[Any] = [len(data)]
    for kind, msgid, error, result in unpacker:
        text = error.decode("utf-8", "surrogateescape") if isinstance(error, bytes) else error
        read.append(exact([kind, msgid, case.facts.told(text), result]))
    return read


@every_case()
def test_both_ways_answer_alike(case: Case) -> None:
    source = Arguments(f"both ways {case.name}", case.facts.values)
    direct, indirect = Side(case, True), Side(case, False)
    for _ in range(150):
        stream = requests(case.service, source)
        cut = source.random.randrange(len(stream) + 1)
        for chunk in (stream[:cut], stream[cut:]):
            assert replies(case, direct.ask(chunk)) == replies(case, indirect.ask(chunk))
    assert case.facts.stored(unpack(direct.model.pack())) == case.facts.stored(unpack(indirect.model.pack()))
    assert direct.dispatcher.updates == indirect.dispatcher.updates
    assert direct.mixed == indirect.mixed
    # A service all of whose updates run on threads has none to mix here.
    updates = any(method.lock is Lock.UPDATE and not method.long for method in case.service.methods)
    assert (direct.mixed > 0) is updates
    assert direct.conversation.failure is indirect.conversation.failure is None
    # What a method of the service does or refuses never reached the dispatcher.
    names = {method.name.encode() for method in case.service.methods if not method.long}
    assert names.isdisjoint(direct.served)
    assert names <= set(indirect.served)


@pytest.fixture
def side() -> Side:
    return Side(next(case for case in CASES if case.service.name == "weight"), True)


def request(name: str, words: str = "a b", msgid: int = 5) -> bytes:
    return pack([0, msgid, name, ["", [[["k", words]], [], []]]])


def test_a_model_that_is_not_free_is_left_to_the_dispatcher(side: Side) -> None:
    shortcuts = side.dispatcher.shortcuts
    taken: list[bytes] = []

    def serve(frame: Frame, conversation: Conversation) -> bytes:
        taken.append(frame.method)
        return b""

    conversation = Conversation(serve, lambda data: None, 1 << 20, shortcuts=shortcuts)
    for busy, writing, left in (
        (False, False, []),
        (True, False, [b"update"]),
        (True, True, [b"update", b"calc_weight"]),
    ):
        shortcuts.busy, shortcuts.writing = busy, writing
        conversation.receive(request("update") + request("calc_weight"))
        assert taken == left
        taken.clear()


def test_a_long_request_is_left_to_the_dispatcher(side: Side) -> None:
    async def run() -> None:
        assert side.ask(request("calc_weight", "x" * (INLINE_SIZE - 100))) and side.served == []
        side.ask(request("calc_weight", "x" * INLINE_SIZE))
        assert side.served == [b"calc_weight"]
        assert side.conversation.waiting == 1

    asyncio.run(run())


def test_what_slow_rules_take_long_for_runs_on_a_thread() -> None:
    """A request that is short for any other converter, with a value that takes as many steps as it may."""
    converter = {
        "string_filter_types": {"f": {"method": "regexp", "pattern": "(?i)(a|aa)+b", "replace": ""}},
        "string_filter_rules": [{"key": "*", "type": "f", "suffix": "-f"}],
    }
    model = Classifier({"method": "PA", "parameter": {}, "converter": converter})
    assert 200 < model.longest < 5000
    service = services()["classifier"]
    rows = [method for method in service.all_methods if method.name in {"train", "classify"}]
    handlers = {row.name.encode(): BoundMethod(row, getattr(model, row.name), row.lock) for row in rows}

    async def run() -> None:
        replies: list[bytes] = []
        dispatcher = Dispatcher(handlers, ThreadPoolExecutor(1), longest=longest_inline(model))
        conversation = Conversation(dispatcher.serve, replies.append, 1 << 20, shortcuts=dispatcher.shortcuts)
        assert conversation.receive(pack([0, 1, "train", ["", [["x", [[["k", "a" * 100]]]]]]])) != b""
        assert conversation.receive(pack([0, 2, "train", ["", [["x", [[["k", "a" * 5000]]]]]]])) == b""
        assert conversation.waiting == 1 and dispatcher.shortcuts.writing
        while not replies:
            await asyncio.sleep(0.001)
        assert b"string_filter_rules[0]: the pattern (?i)(a|aa)+b takes more than" in replies[0]

    asyncio.run(run())


def test_what_comes_behind_a_deferred_request_waits(side: Side) -> None:
    later: list[Conversation] = []

    def serve(frame: Frame, conversation: Conversation) -> bytes | None:
        later.append(conversation)
        return None

    written: list[bytes] = []
    conversation = Conversation(serve, written.append, 1 << 20, shortcuts=side.dispatcher.shortcuts)
    assert conversation.receive(request("other") + request("update", msgid=6)) == b""
    assert conversation.full and not conversation.more
    later[0].complete(b"first")
    assert written == [b"first"] and conversation.more
    assert msgpack.unpackb(conversation.resume(), raw=True)[1] == 6


def connection(side: Side, **options: Any) -> tuple[rpc.Connection, list[Any]]:
    transport: Any = CountingTransport()
    made = rpc.Connection(rpc.Server(side.serve, shortcuts=side.dispatcher.shortcuts, **options))
    made.connection_made(transport)
    return made, transport.done


def test_one_write_for_all_direct_replies_of_a_chunk(side: Side) -> None:
    one, done = connection(side)
    one.data_received(request("update") * 30 + request("update")[:9])
    one.data_received(request("update")[9:])
    assert [name for name, *_ in done] == ["write", "write"]
    assert len(done[0][1]) == 30 * len(done[1][1])
    assert side.served == []


def test_a_peer_that_does_not_read_gets_no_direct_replies_ahead(side: Side) -> None:
    chunk = request("calc_weight", " ".join(map(str, range(3000)))) * 6

    async def run() -> None:
        one, done = connection(side)
        one.pause_writing()
        one.data_received(chunk)
        await asyncio.sleep(0)
        assert [name for name, *_ in done] == ["write", "pause_reading"]
        one.resume_writing()
        for _ in range(9):
            await asyncio.sleep(0)
        assert [name for name, *_ in done] == ["write", "pause_reading", *["write"] * 5, "resume_reading"]
        assert side.served == []

    asyncio.run(run())


def test_a_direct_reply_counts_for_the_idle_timer(side: Side) -> None:
    async def run(act: Callable[[rpc.Connection], None]) -> list[str]:
        one, done = connection(side, timeout=0.2)
        for _ in range(4):
            await asyncio.sleep(0.1)
            act(one)
        return [name for name, *_ in done if name != "write"]

    assert asyncio.run(run(lambda one: one.data_received(request("update")))) == []
    assert asyncio.run(run(lambda one: None)) == ["abort"]


def test_a_shortcut_without_a_handler_is_refused() -> None:
    with pytest.raises(TypeError):
        Shortcuts(lambda frame, error: b"", 5).add(
            b"m",
            lambda args: b"",
            arity=1,
            update=False,
            counts=False,
            mixes=False,  # type: ignore[arg-type]
        )
