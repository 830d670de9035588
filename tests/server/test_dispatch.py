import asyncio
import logging
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import msgpack
import pytest
import uvloop

from jubatus._core.wire import FrameSplitter, Reader, pack
from jubatus._core.wire.conversation import LEAST, ROOM, Conversation
from jubatus.errors import BadArguments, ModelError, UnknownMethod, UnsupportedMethod
from jubatus.idl import Argument, Join, Lock, Method, Route
from jubatus.server import dispatch
from jubatus.server.dispatch import Dispatcher, Steps, bind
from jubatus.types import BOOL, STRING


def row(name: str, lock: Lock, **options: Any) -> Method:
    route = options.pop("route", Route.RANDOM)
    return Method(name, (Argument("x", STRING),), BOOL, route, lock, Join.PASS, "Do.", **options)


METHODS = (
    row("write", Lock.UPDATE, counts=True),
    row("read", Lock.ANALYSIS),
    row("peek", Lock.NOLOCK, changes=False),
    row("load_long", Lock.UPDATE, counts=True, long=True),
    row("save_long", Lock.ANALYSIS, long=True),
    row("change_in_steps", Lock.NOLOCK, changes=True, long=True),
    row("ask_others", Lock.NOLOCK, changes=False, long=True),
    row("tell_others", Lock.NOLOCK, changes=True, counts=True),
    row("write_between", Lock.UPDATE, counts=True, route=Route.INTERNAL),
)


class Model:
    """Takes down what runs; long work waits for its gate; the argument names an error to raise."""

    def __init__(self) -> None:
        self.ran: list[str] = []
        self.threads: set[str] = set()
        self.gate = threading.Event()
        self.file = threading.Event()
        self.waits: list[Callable[[], Awaitable[None]]] = []

    def _do(self, name: str, args: Reader, wait: bool = False) -> bytes:
        word = args.string().decode()
        self.ran.append(f"{name} {word[:9]}".strip())
        self.threads.add(threading.current_thread().name.partition("_")[0])
        if wait:
            assert self.gate.wait(10)
        if word in ERRORS:
            raise ERRORS[word]
        return pack(name)

    def write(self, args: Reader) -> bytes:
        return self._do("write", args)

    def write_between(self, args: Reader) -> bytes:
        return self._do("between", args)

    def read(self, args: Reader) -> bytes:
        return self._do("read", args)

    def load_long(self, args: Reader) -> bytes:
        return self._do("load", args, wait=True)

    def save_long(self, args: Reader) -> Steps:
        self._do("save", args, wait=True)
        yield Lock.NOLOCK
        assert self.file.wait(10)
        return pack("saved")

    def change_in_steps(self, args: Reader) -> Steps:
        """Change something three times; whoever waits has its turn between."""
        word = args.raw()
        for _ in range(3):
            yield Lock.UPDATE
            self._do("part", Reader(word), wait=True)
        return pack("changed")

    async def ask_others(self, args: Reader) -> bytes:
        word = args.string().decode()
        await asyncio.sleep(0)
        if word in ERRORS:
            raise ERRORS[word]
        return pack("asked")

    async def tell_others(self, args: Reader) -> bytes:
        """Wait for all of ``waits``; with the word ``patient`` it goes on where one fails."""
        word = args.string().decode()
        self.ran.append(f"tell {word}".strip())
        for wait in self.waits:
            try:
                await wait()
            except ModelError:
                if word != "patient":
                    raise
        if word in ERRORS:
            raise ERRORS[word]
        return pack("told")

    def status(self) -> dict[str, str]:
        return {}


class Common:
    def peek(self, args: Reader) -> bytes:
        args.string()
        return b"\xc3"


ERRORS: dict[str, BaseException] = {
    "bad": BadArguments("no"),
    "model": ModelError("it is full"),
    "unsupported": UnsupportedMethod("write"),
    "bug": ZeroDivisionError("division by zero"),
    "silent": RuntimeError(),
    "cancelled": asyncio.CancelledError("cancelled"),
}


class Bench:
    """A dispatcher on a running loop, and connections to it that keep their replies."""

    def __init__(self, threads: int = 2, door: dispatch.Door | None = None) -> None:
        self.model = Model()
        self.dispatcher = Dispatcher(
            bind(METHODS, self.model, Common()),  # type: ignore[arg-type]
            ThreadPoolExecutor(threads, "worker"),
            door,
        )
        self.replies: list[tuple[int, Any, Any]] = []

    def connect(self) -> Conversation:
        """Return a new connection; its replies go to ``replies``."""
        conversation: Conversation

        def ready(data: bytes) -> None:
            self.take(data)
            while conversation.more:
                self.take(conversation.resume())

        conversation = Conversation(self.dispatcher.serve, ready, 1 << 30)
        return conversation

    def take(self, data: bytes) -> None:
        unpacker = msgpack.Unpacker()
        unpacker.feed(data)
        self.replies += [(msgid, error, result) for _, msgid, error, result in unpacker]

    def send(self, msgid: int, name: str, word: str = "", *, on: Conversation | None = None) -> Conversation:
        conversation = on or self.connect()
        self.take(conversation.receive(pack([0, msgid, name, ["", word]])))
        return conversation

    def ids(self) -> list[int]:
        return [msgid for msgid, _, _ in self.replies]

    async def until(self, condition: Callable[[], object]) -> None:
        end = time.monotonic() + 10
        while not condition():
            assert time.monotonic() < end
            await asyncio.sleep(0.002)

    async def settle(self) -> None:
        """Open all gates and wait until nothing is deferred."""
        self.model.gate.set()
        self.model.file.set()
        await self.until(lambda: not self.dispatcher.deferred)
        self.dispatcher.serve(splitter().feed(pack([2, "read", ["", ""]]))[0], self.connect())
        assert not (self.dispatcher.shortcuts.busy or self.dispatcher._readers or self.dispatcher.shortcuts.writing)


def splitter() -> FrameSplitter:
    return FrameSplitter()


def run(
    test: Callable[[Bench], Coroutine[Any, Any, None]], threads: int = 2, door: dispatch.Door | None = None
) -> Bench:
    async def main() -> Bench:
        failures: list[dict[str, Any]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: failures.append(context))
        bench = Bench(threads, door)
        await test(bench)
        await bench.settle()
        assert failures == []
        return bench

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(main())


BULK = "x" * (dispatch.INLINE_SIZE + 1)


def test_short_requests_of_a_free_model_run_at_once_on_the_loop() -> None:
    async def test(bench: Bench) -> None:
        bench.send(1, "write")
        bench.send(2, "read")
        bench.send(3, "peek")
        assert bench.replies == [(1, None, "write"), (2, None, "read"), (3, None, True)]

    bench = run(test)
    assert bench.model.threads == {"MainThread"}
    assert bench.dispatcher.updates == 1


def test_long_rows_and_long_requests_run_on_threads() -> None:
    async def test(bench: Bench) -> None:
        bench.model.gate.set()
        bench.model.file.set()
        bench.send(1, "write", BULK)
        bench.send(2, "load_long")
        bench.send(3, "save_long")
        assert bench.replies == []
        await bench.until(lambda: len(bench.replies) == 3)

    bench = run(test)
    assert bench.replies == [(1, None, "write"), (2, None, "load"), (3, None, "saved")]
    assert bench.model.threads == {"worker", "MainThread"}  # the last one is the check of settle()
    assert bench.dispatcher.updates == 2


def test_while_a_thread_writes_only_rows_without_lock_run() -> None:
    async def test(bench: Bench) -> None:
        bench.send(1, "load_long")
        await bench.until(lambda: bench.model.ran)
        bench.send(2, "read")
        bench.send(3, "write")
        start = time.monotonic()
        bench.send(4, "peek")
        bench.send(5, "peek", BULK)
        assert time.monotonic() - start < 0.01
        assert bench.ids() == [4, 5]
        await asyncio.sleep(0.02)
        assert bench.ids() == [4, 5]
        bench.model.gate.set()
        await bench.until(lambda: len(bench.replies) == 5)

    bench = run(test)
    assert bench.ids() == [4, 5, 1, 2, 3]
    assert bench.model.ran[:3] == ["load", "read", "write"]


def test_while_a_thread_reads_others_may_read() -> None:
    async def test(bench: Bench) -> None:
        bench.send(1, "save_long")
        bench.send(2, "save_long")
        bench.send(3, "read")
        assert bench.ids() == [3]
        await bench.until(lambda: len(bench.model.ran) == 3)
        bench.send(4, "write")
        bench.send(5, "read")  # ends before the readers that the writer waits for
        assert bench.ids() == [3, 5]
        bench.send(6, "read", BULK)  # may not overtake the writer
        bench.model.file.set()
        bench.model.gate.set()
        await bench.until(lambda: len(bench.replies) == 6)

    bench = run(test)
    assert sorted(bench.model.ran[:3]) == ["read", "save", "save"]
    assert [name.split()[0] for name in bench.model.ran[3:6]] == ["read", "write", "read"]


def test_others_have_their_turn_between_the_steps_of_a_call() -> None:
    async def test(bench: Bench) -> None:
        bench.send(1, "change_in_steps")
        await bench.until(lambda: bench.model.ran == ["part"])
        bench.send(2, "write")
        bench.send(3, "read")
        assert bench.ids() == []
        bench.model.gate.set()
        await bench.until(lambda: len(bench.replies) == 3)

    bench = run(test)
    assert bench.model.ran[:5] == ["part", "write", "read", "part", "part"]
    assert bench.ids() == [2, 3, 1]


def test_a_part_may_fail() -> None:
    async def test(bench: Bench) -> None:
        bench.model.gate.set()
        bench.send(1, "change_in_steps", "model")
        await bench.until(lambda: bench.replies)

    assert run(test).replies == [(1, "it is full", None)]


def test_a_coroutine_answers_later() -> None:
    async def test(bench: Bench) -> None:
        for msgid, word in enumerate(["", "model", "bad", "bug"], 1):
            bench.send(msgid, "ask_others", word)
        bench.take(bench.connect().receive(pack([0, 5, "ask_others", [""]])))
        assert bench.replies == []
        await bench.until(lambda: len(bench.replies) == 5)

    assert sorted(run(test).replies) == [
        (1, None, "asked"),
        (2, "it is full", None),
        (3, 2, "std::bad_cast"),
        (4, "division by zero", None),
        (5, 2, "std::bad_cast"),
    ]


TOLD = {
    "": (None, "told"),
    "model": ("it is full", None),
    "bad": (2, "std::bad_cast"),
    "bug": ("division by zero", None),
    "cancelled": ("cancelled", None),
}


def test_a_short_coroutine_that_does_not_wait_answers_at_once() -> None:
    async def test(bench: Bench) -> None:
        for msgid, word in enumerate(TOLD):
            bench.send(msgid, "tell_others", word)
        assert bench.replies == [(msgid, *told) for msgid, told in enumerate(TOLD.values())]
        bench.take(bench.connect().receive(pack([0, 9, "tell_others", [""]])))
        assert bench.replies[-1] == (9, 2, "std::bad_cast")
        assert bench.connect().receive(pack([2, "tell_others", ["", ""]])) == b""
        assert bench.dispatcher.deferred == 0

    bench = run(test)
    assert bench.model.ran[:6] == [*(f"tell {word}".strip() for word in TOLD), "tell"]
    assert (bench.dispatcher.updates, bench.dispatcher.bugs) == (5, 2)


@pytest.mark.parametrize("seconds", [[0], [0, 0, 0], [0.01], [0, 0.01, 0]])
def test_a_short_coroutine_that_waits_answers_later_and_in_order(seconds: list[float]) -> None:
    async def test(bench: Bench) -> None:
        bench.model.waits = [partial(asyncio.sleep, each) for each in seconds]
        one = bench.connect()
        for msgid, word in enumerate(TOLD):
            bench.send(msgid, "tell_others", word, on=one)
        bench.send(9, "peek", on=one)
        bench.send(10, "write")
        assert bench.model.ran == ["tell", "write"]  # the first one has begun
        assert bench.replies == [(10, None, "write")]
        assert (bench.dispatcher.deferred, one.waiting) == (1, 1)
        await bench.until(lambda: len(bench.replies) == 7)
        assert (bench.dispatcher.deferred, one.waiting) == (0, 0)

    bench = run(test)
    assert bench.replies[1:] == [*((msgid, *told) for msgid, told in enumerate(TOLD.values())), (9, None, True)]
    assert (bench.dispatcher.updates, bench.dispatcher.bugs) == (5, 2)


def test_what_a_short_coroutine_waits_for_may_fail() -> None:
    async def test(bench: Bench) -> None:
        futures = [asyncio.get_running_loop().create_future() for _ in range(4)]
        bench.model.waits = [lambda: futures[0]]
        bench.send(1, "tell_others")
        bench.model.waits = [lambda: futures[1]]
        bench.send(2, "tell_others")
        bench.model.waits = [lambda: futures[2], lambda: futures[3]]
        bench.send(3, "tell_others", "patient")
        futures[0].set_exception(ModelError("it broke"))
        futures[1].cancel()
        futures[2].set_exception(ModelError("it broke"))
        await bench.until(lambda: len(bench.replies) == 2)
        assert sorted(bench.replies) == [(1, "it broke", None), (2, "cancelled", None)]
        futures[3].set_result(None)
        await bench.until(lambda: len(bench.replies) == 3)

    assert run(test).replies[-1] == (3, None, "told")


def test_a_short_coroutine_runs_while_a_thread_writes() -> None:
    async def test(bench: Bench) -> None:
        bench.send(1, "load_long")
        bench.send(2, "tell_others")
        bench.send(3, "tell_others", BULK)
        assert bench.ids() == [2, 3]

    run(test)


def test_a_process_may_call_its_own_methods() -> None:
    async def test(bench: Bench) -> None:
        call = bench.dispatcher.call
        bench.send(1, "load_long")
        await bench.until(lambda: bench.model.ran)
        mine = call("write", Reader(pack(["", "x"])))
        alone = bench.dispatcher.exclusive(lambda: bytes(len(bench.model.ran)))
        await asyncio.sleep(0.02)
        assert not mine.done()
        bench.model.gate.set()
        assert await mine == pack("write")
        assert len(await alone) == 2
        with pytest.raises(ModelError, match="it is full"):
            await call("change_in_steps", Reader(pack(["", "model"])))
        with pytest.raises(BadArguments):
            await call("read", Reader(pack([""])))
        with pytest.raises(UnknownMethod):
            call("none", Reader(pack([""])))

    run(test)


def test_updates_are_told_to_the_mixer() -> None:
    async def test(bench: Bench) -> None:
        told: list[int] = []
        bench.dispatcher.shortcuts.mixed = lambda: told.append(1)
        bench.model.gate.set()
        bench.model.file.set()
        for msgid, (name, word) in enumerate(
            [("write", ""), ("read", ""), ("write", "model"), ("write", "bad"), ("load_long", ""), ("save_long", "")]
        ):
            bench.send(msgid, name, word)
        await bench.until(lambda: len(bench.replies) == 6)
        assert len(told) == 3

    run(test)


def test_waiting_requests_run_in_order_of_arrival() -> None:
    kinds = ["write", "read", "read", "save_long", "read", "write", "load_long", "write", "read", "save_long"]

    async def test(bench: Bench) -> None:
        bench.send(0, "load_long")
        for number, kind in enumerate(kinds, 1):
            bench.send(number, kind, str(number))
        assert bench.dispatcher.deferred == len(kinds) + 1
        bench.model.file.set()
        bench.model.gate.set()
        await bench.until(lambda: len(bench.replies) == len(kinds) + 1)

    bench = run(test)
    starts = [int(entry.split()[1]) for entry in bench.model.ran if " " in entry]
    # Readers that hold the lock together may start in any order; nothing passes a writer.
    groups = [{1}, {2, 3, 4, 5}, {6}, {7}, {8}, {9, 10}]
    for group in groups:
        assert {starts.pop(0) for _ in group} == group


def test_a_burst_of_waiting_requests_lets_the_loop_breathe() -> None:
    count = 5 * ROOM // LEAST

    async def test(bench: Bench) -> None:
        bench.send(0, "load_long")
        for number in range(count):
            bench.send(number, "write")
        bench.model.gate.set()
        turns = {0}
        while len(bench.replies) < count + 1:
            turns.add(len(bench.replies))
            await asyncio.sleep(0)
        assert len(turns) >= 5

    run(test)


def test_the_lock_is_released_while_a_file_is_written() -> None:
    async def test(bench: Bench) -> None:
        bench.model.gate.set()
        bench.send(1, "save_long")
        bench.send(2, "write")
        await bench.until(lambda: bench.replies)
        assert bench.ids() == [2]
        assert bench.dispatcher.deferred == 1
        bench.model.file.set()
        await bench.until(lambda: len(bench.replies) == 2)

    run(test)


def test_replies_of_one_connection_keep_their_order() -> None:
    async def test(bench: Bench) -> None:
        one = bench.send(1, "load_long")
        for number, kind in enumerate(["read", "peek", "nothing", "write", "save_long", "peek"], 2):
            bench.send(number, kind, on=one)
        other = bench.send(100, "peek")
        bench.model.file.set()
        bench.model.gate.set()
        await bench.until(lambda: len(bench.replies) == 8)
        assert not (one.waiting or other.waiting)

    assert run(test).ids() == [100, 1, 2, 3, 4, 5, 6, 7]


@pytest.mark.parametrize("name, word", [("write", ""), ("load_long", "")])
@pytest.mark.parametrize(
    "error, expected",
    [
        ("bad", (2, "std::bad_cast")),
        ("model", ("it is full", None)),
        ("unsupported", ("unsupported method (write)", None)),
        ("bug", ("division by zero", None)),
        ("silent", ("RuntimeError", None)),
    ],
)
def test_errors_become_replies(
    name: str, word: str, error: str, expected: tuple[Any, Any], caplog: pytest.LogCaptureFixture
) -> None:
    async def test(bench: Bench) -> None:
        bench.model.gate.set()
        bench.send(9, name, error)
        await bench.until(lambda: bench.replies)
        bench.send(10, "write")
        await bench.until(lambda: len(bench.replies) == 2)

    with caplog.at_level(logging.ERROR, "jubatus"):
        bench = run(test)
    assert bench.replies[0] == (9, *expected)
    # What was refused for its arguments does not count, what failed later does.
    assert bench.dispatcher.updates == (1 if error == "bad" else 2)
    bug = error in ("bug", "silent")
    assert bench.dispatcher.bugs == bug
    assert [record.exc_info is not None for record in caplog.records] == [True] * bug


def test_unknown_methods_and_wrong_arguments() -> None:
    async def test(bench: Bench) -> None:
        one = bench.connect()
        params: Any
        for params in (["", 1], [""], [], [1, "x"], None, {}, "", 5):
            bench.take(one.receive(pack([0, 1, "write", params])))
        bench.take(one.receive(pack([0, 2, "write"])))
        assert {reply[1:] for reply in bench.replies} == {(2, "std::bad_cast")}
        bench.replies.clear()
        bench.take(one.receive(pack([0, 3, "nope", 5])))
        bench.take(one.receive(pack([0, 4, b"\xff\xfe", []]))[:0])
        bench.take(one.receive(pack([0, 5, "read", ["", "x", "more", 3]])))
        assert bench.replies == [(3, 1, "nope"), (5, None, "read")]

    assert run(test).dispatcher.updates == 0


def test_notifications_are_never_answered() -> None:
    async def test(bench: Bench) -> None:
        bench.model.gate.set()
        one = bench.connect()
        for name, word in [("write", ""), ("write", "bad"), ("write", "bug"), ("nope", ""), ("load_long", "")]:
            assert one.receive(pack([2, name, ["", word]])) == b""
        await bench.until(lambda: not one.waiting)
        bench.send(1, "read", on=one)

    bench = run(test)
    assert bench.ids() == [1]
    assert bench.model.ran[:4] == ["write", "write bad", "write bug", "load"]


def test_one_thread_is_enough() -> None:
    async def test(bench: Bench) -> None:
        for number in range(6):
            bench.send(number, ("save_long", "load_long")[number % 2])
        bench.model.file.set()
        bench.model.gate.set()
        await bench.until(lambda: len(bench.replies) == 6)

    run(test, threads=1)


@pytest.mark.parametrize("lock", [Lock.UPDATE, Lock.ANALYSIS])
def test_a_coroutine_cannot_hold_a_lock(lock: Lock) -> None:
    methods = [method if method.name != "tell_others" else row("tell_others", lock) for method in METHODS]
    model: Any = Model()
    with pytest.raises(
        TypeError, match=r"^the handler of method tell_others is a coroutine, which cannot hold a lock$"
    ):
        bind(methods, model, Common())


def test_rows_and_handlers_must_match() -> None:
    model: Any = Model()
    with pytest.raises(TypeError, match=r"^no handler of method extra$"):
        bind([*METHODS, row("extra", Lock.UPDATE)], model, Common())
    with pytest.raises(TypeError, match=r"^no method has the handler load_long, write$"):
        bind([method for method in METHODS if method.name not in ("write", "load_long")], model, Common())
    with pytest.raises(TypeError, match=r"^no method has the handler peek$"):
        bind([method for method in METHODS if method.name != "peek"], model, Common())


def test_no_handler_may_hide_another() -> None:
    class Model2(Model):
        def peek(self, args: Reader) -> bytes:
            return b""

    class Shadow:
        def write(self, args: Reader) -> bytes:
            return b""

    model: Any = Model()
    with pytest.raises(TypeError, match=r"^method write has a handler of Model and one of Shadow$"):
        bind(METHODS, model, Common(), Shadow())
    with pytest.raises(TypeError, match=r"^method peek has a handler of Common and one of Common$"):
        bind(METHODS, model, Common(), Common())
    other: Any = Model2()
    with pytest.raises(TypeError, match=r"^method peek has a handler of Model2 and one of Common$"):
        bind(METHODS, other, Common())


@pytest.mark.parametrize("name", ["get_diff", "write"])
def test_what_servers_call_on_each_other_is_no_handler_of_the_model(name: str) -> None:
    """Neither what every model offers to a mixer, nor a method of the service whose name the mixer needs."""

    class Mixing(Model):
        def get_diff(self) -> bytes:
            raise AssertionError

    class OfMixer:
        pass

    def handle(self: OfMixer, args: Reader) -> bytes:
        return b""

    setattr(OfMixer, name, handle)
    methods = [method for method in METHODS if method.name != name]
    model: Any = Mixing()
    bound = bind([*methods, row(name, Lock.ANALYSIS, long=True, named=False)], model, Common(), handlers := OfMixer())
    assert bound[name.encode()].handler == getattr(handlers, name)
    assert len(bound) == len(methods) + 1


class Answering:
    """A model that answers alone what calls other servers in a cluster."""

    def create(self, args: Reader) -> bytes:
        return pack(args.string() + b" alone")


class Calling:
    """Takes its place in a cluster."""

    async def create(self, args: Reader) -> bytes:
        return pack(args.string() + b" with others")


CREATE = row("create", Lock.NOLOCK, changes=True)


def test_what_calls_other_servers_runs_under_the_lock_where_the_model_answers() -> None:
    alone = bind([CREATE], Answering())[b"create"]  # type: ignore[arg-type]
    assert (alone.lock, alone.update, alone.inline, alone.counts) == (Lock.UPDATE, True, True, False)
    together = bind([CREATE], Answering(), instead=Calling())[b"create"]  # type: ignore[arg-type]
    assert (together.lock, together.remote, together.tells) == (Lock.NOLOCK, True, False)


def test_what_counts_and_calls_other_servers_is_told_to_the_mixer() -> None:
    counting = row("create", Lock.NOLOCK, changes=True, counts=True)
    assert bind([counting], Answering(), instead=Calling())[b"create"].mixes  # type: ignore[arg-type]


def test_only_what_the_model_answers_can_be_replaced() -> None:
    with pytest.raises(TypeError, match="the model has no handler of method create to be replaced"):
        bind([CREATE], Common(), instead=Calling())  # type: ignore[arg-type]


class Doorman:
    """Knows some connections; others are let in or not after a look."""

    def __init__(self) -> None:
        self.known: list[Any] = []
        self.good: list[Any] = []
        self.asked: list[str] = []

    def lets(self, connection: Any) -> bool:
        return connection in self.known

    async def check(self, method: str, connection: Any) -> None:
        self.asked.append(method)
        await asyncio.sleep(0)
        if connection not in self.good:
            raise ModelError("not you")


def test_what_servers_call_on_each_other_is_for_those_whom_the_door_lets_in() -> None:
    door = Doorman()

    async def test(bench: Bench) -> None:
        known, good, outsider = bench.connect(), bench.connect(), bench.connect()
        door.known, door.good = [known], [good]
        bench.send(1, "write_between", on=known)
        assert bench.replies == [(1, None, "between")]
        for msgid, connection in ((2, good), (3, outsider)):
            bench.send(msgid, "write_between", on=connection)
            bench.send(msgid + 2, "write", on=connection)  # waits for its turn
        await bench.until(lambda: len(bench.replies) == 5)
        connection = bench.send(6, "write_between", BULK, on=good)
        await bench.until(lambda: len(bench.replies) == 6)
        bench.take(connection.receive(pack([2, "write_between", ["", ""]])))
        bench.take(outsider.receive(pack([2, "write_between", ["", ""]])))
        await bench.until(lambda: not (good.waiting or outsider.waiting))

    bench = run(test, door=door)
    assert sorted(bench.replies) == [
        (1, None, "between"), (2, None, "between"), (3, "not you", None), (4, None, "write"), (5, None, "write"),
        (6, None, "between"),
    ]  # fmt: skip
    assert door.asked == ["write_between"] * 5
    assert bench.dispatcher.updates == 6
