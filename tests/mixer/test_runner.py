import asyncio
import logging
import random
import socket
import time
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from jubatus._core.wire import Frame, error_reply, reply
from jubatus._core.wire.conversation import Conversation
from jubatus.errors import ClusterError, ConfigError, JubatusError, ModelError
from jubatus.mixer import linear, push, runner
from jubatus.rpc import server as rpc
from jubatus.rpc.links import Links
from tests.mixer.world import TIMEOUT, Server, World, bounded, cluster, dawdle, hang, refuse, until


@pytest.fixture(autouse=True)
def _fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "TICK", 0.02)


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Iterator[Any]:
    """Return what was logged, as (level, text) pairs."""
    caplog.set_level(logging.INFO, "jubatus")
    return lambda: [(record.levelname, record.getMessage()) for record in caplog.records]


def agree(*servers: Server) -> bool:
    """Return whether the models are equal and all is mixed."""
    first = servers[0]
    return all(
        (server.version, sorted(server.model), server.diff) == (first.version, sorted(first.model), [])
        for server in servers
    )


def test_unknown_mixer() -> None:
    with pytest.raises(ConfigError, match=r"^unsupported mix type \(round_mixer\)$"):
        runner.check("round_mixer")
    for kind in ("linear_mixer", "random_mixer", "broadcast_mixer", "skip_mixer"):
        runner.check(kind)


@bounded
async def test_an_unknown_instruction() -> None:
    async with cluster(1) as (a,):
        with pytest.raises(AssertionError):
            await a.mixer._do("mix harder")


# rounds


@bounded
async def test_do_mix_brings_all_together() -> None:
    async with cluster(3) as (a, b, c):
        a.learn(b"a1", b"a2")
        b.learn(b"b1")
        assert await b.mixer.do_mix() is True
        assert agree(a, b, c)
        assert a.knows == [b"a1", b"a2", b"b1"]


@bounded
async def test_a_master_tells_its_version() -> None:
    async with cluster(2) as (a, b):
        assert await a.mixer.do_mix()
        assert await a.mixer.do_mix()
        assert b.asked == a.version - 1 > 0


@bounded
async def test_status() -> None:
    async with cluster(1) as (a,):
        before = int(time.time())
        assert await a.mixer.do_mix()
        a.learn(b"a1", b"a2")
        status = a.mixer.status()
        assert before <= int(status.pop("linear_mixer.ticktime")) + 1 <= time.time() + 1
        assert status == {
            "linear_mixer.count": "2",
            "linear_mixer.is_obsolete": "0",
            "linear_mixer.is_running": "1",
            "linear_mixer.version": "2",
        }
    assert a.status("linear_mixer.is_running") == "0"


@bounded
async def test_a_number_of_updates_makes_a_round(lines: Any) -> None:
    async with cluster(2, interval_count=3, interval_sec=0) as (a, b):
        a.learn(b"a1", b"a2")
        await asyncio.sleep(0.1)
        assert a.diff == [b"a1", b"a2"]
        a.learn(b"a3")
        await until(lambda: agree(a, b) and a.knows)
        await until(lambda: ("INFO", f".... mix done. versions[{linear.ordinal(a.version)}]") in lines())
        assert ("INFO", "got ZooKeeper lock, starting mix") in lines()


@bounded
async def test_time_makes_a_round(monkeypatch: pytest.MonkeyPatch) -> None:
    async with cluster(2, interval_count=0, interval_sec=1) as (a, b):
        version = a.version
        clock = time.monotonic
        monkeypatch.setattr(time, "monotonic", lambda: clock() + 2)
        await asyncio.sleep(0.1)
        assert a.version == version  # nothing to mix
        b.learn(b"b1")
        await until(lambda: agree(a, b) and a.version > version)
        assert a.knows == [b"b1"]


@bounded
async def test_updates_during_a_round_are_mixed_by_the_next() -> None:
    async with cluster(2, interval_count=2, interval_sec=0) as (a, b):

        async def learn_more() -> None:
            del b.before[linear.PUT_DIFF]
            b.learn(b"b3", b"b4")

        b.before[linear.PUT_DIFF] = learn_more
        b.learn(b"b1", b"b2")
        await until(lambda: agree(a, b) and len(a.model) == 4)
        assert a.knows == [b"b1", b"b2", b"b3", b"b4"]
        assert b.status("linear_mixer.count") == "0"


@bounded
async def test_a_dead_peer_costs_nothing(lines: Any) -> None:
    async with cluster(3) as (a, b, c):
        b.kill()
        a.learn(b"a1")
        start = time.monotonic()
        assert await c.mixer.do_mix() is True
        assert time.monotonic() - start < TIMEOUT
        assert agree(a, c)
        assert ("WARNING", "get_diff failed at 127.0.0.1:9200 : connection refused") in lines()
        assert ("WARNING", "put_diff failed at 127.0.0.1:9200 : connection refused") in lines()


@bounded
async def test_a_peer_that_hangs_costs_one_timeout() -> None:
    async with cluster(3) as (a, b, c):
        b.before = {linear.GET_DIFF: hang, linear.PUT_DIFF: hang}
        a.learn(b"a1")
        start = time.monotonic()
        assert await a.mixer.do_mix() is True
        assert time.monotonic() - start < 1.5 * TIMEOUT
        assert agree(a, c)


@bounded
async def test_a_peer_that_is_slow_once_loses_nothing() -> None:
    async with cluster(2) as (a, b):
        b.before[linear.GET_DIFF] = dawdle
        b.learn(b"b1")
        a.learn(b"a1")
        assert await a.mixer.do_mix() is True
        await until(lambda: b.version == a.version)
        assert (b.diff, b.status("linear_mixer.count")) == ([b"b1"], "1")
        b.before.clear()
        assert await a.mixer.do_mix() is True
        assert agree(a, b)
        assert a.knows == [b"a1", b"b1"]


@bounded
async def test_the_master_itself_is_no_exception() -> None:
    async with cluster(2) as (a, b):

        async def slow() -> None:
            await asyncio.sleep(2 * TIMEOUT)
            raise ModelError("after all")

        a.before[linear.GET_DIFF] = dawdle
        a.learn(b"a1")
        b.learn(b"b1")
        start = time.monotonic()
        assert await a.mixer.do_mix() is True
        assert time.monotonic() - start < 1.5 * TIMEOUT
        assert (a.model, a.diff, b.diff) == ([b"b1"], [b"a1"], [])
        await asyncio.sleep(2 * TIMEOUT)  # the error that comes late is no unhandled one


@bounded
async def test_all_get_diffs_fail(lines: Any) -> None:
    async with cluster(2) as (a, b):
        a.before[linear.GET_DIFF] = b.before[linear.GET_DIFF] = refuse
        a.learn(b"a1")
        assert await a.mixer.do_mix() is False
        assert ("WARNING", "get_diff failed at 127.0.0.1:9199 : not today") in lines()
        assert ("WARNING", "get_diff failed at 127.0.0.1:9200 : not today") in lines()
        assert ("WARNING", "mix fails (all get_diffs fail)") in lines()
        a.before.clear()
        b.before.clear()
        assert await a.mixer.do_mix() is True
        assert agree(a, b)


@bounded
async def test_a_diff_that_cannot_be_mixed_changes_nothing(lines: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async with cluster(2, interval_count=1, interval_sec=0) as (a, b):

        async def torn(diffs: Any) -> bytes:
            raise ModelError("bad diff_object")

        monkeypatch.setattr(a, "mix", torn)
        a.learn(b"a1")
        await until(lambda: ("WARNING", "error in mix master process: bad diff_object") in lines())
        tries = a.called.count(linear.GET_DIFF)
        await asyncio.sleep(0.2)
        assert a.called.count(linear.GET_DIFF) == tries  # it is not tried again at once
        monkeypatch.undo()
        a.learn(b"a2")
        await until(lambda: agree(a, b) and len(b.model) == 2)


@bounded
async def test_a_bug_is_logged_and_the_loop_goes_on(lines: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async with cluster(1, interval_count=1, interval_sec=0) as (a,):

        def broken() -> list[Any]:
            raise KeyError("members")

        monkeypatch.setattr(a.member, "members", broken)
        a.learn(b"a1")
        await until(lambda: ("ERROR", "error in mix thread: 'members'") in lines())
        monkeypatch.undo()
        await until(lambda: a.model == [b"a1"])


@bounded
async def test_a_bug_of_a_handler_is_a_failure(lines: Any) -> None:
    async with cluster(2) as (a, b):

        async def broken() -> None:
            raise KeyError("diff")

        a.before[linear.GET_DIFF] = broken
        assert await a.mixer.do_mix() is True
        assert ("ERROR", f"error in a call of {linear.GET_DIFF}: 'diff'") in lines()
        assert ("WARNING", "get_diff failed at 127.0.0.1:9199 : 'diff'") in lines()
        assert a.version == b.version


# turns and locks


@bounded
async def test_rounds_of_one_server_take_turns() -> None:
    async with cluster(2, interval_count=1, interval_sec=0) as (a, b):
        running = 0

        async def enter() -> None:
            nonlocal running
            running += 1
            assert running == 1
            await asyncio.sleep(0.03)
            running -= 1

        b.before[linear.GET_DIFF] = enter
        a.learn(b"a1")
        assert await asyncio.gather(a.mixer.do_mix(), a.mixer.do_mix(), a.mixer.do_mix()) == [True] * 3
        assert agree(a, b)


@bounded
async def test_rounds_of_several_servers_take_turns() -> None:
    async with cluster(3, timeout=10) as servers:
        running = 0

        async def enter() -> None:
            nonlocal running
            running += 1
            assert running == 1
            await asyncio.sleep(0.03)
            running -= 1

        servers[0].before[linear.GET_DIFF] = enter
        for server in servers:
            server.learn(server.node.name.encode())
        assert await asyncio.gather(*(server.mixer.do_mix() for server in servers)) == [True] * 3
        assert agree(*servers)
        assert len(servers[0].model) == 3


@bounded
async def test_do_mix_gives_up_when_another_server_holds_the_lock(lines: Any) -> None:
    async with cluster(2) as (a, b):
        lock = b.member.master_lock()
        assert await asyncio.to_thread(lock.write)
        assert await a.mixer.do_mix() is False
        assert ("WARNING", "failed to get ZooKeeper lock in time, not mixed") in lines()
        await asyncio.to_thread(lock.release)
        assert await a.mixer.do_mix() is True


@bounded
async def test_do_mix_gives_up_when_a_round_takes_too_long(lines: Any) -> None:
    async with cluster(1) as (a,):
        gate = asyncio.Event()
        free = a.mix

        async def wait(diffs: Any) -> bytes:
            await gate.wait()
            return await free(diffs)

        a.mix = wait
        first = asyncio.create_task(a.mixer.do_mix())
        await until(a.mixer._turn.locked)
        assert await a.mixer.do_mix() is False
        assert ("WARNING", "another mix takes too long, not mixed") in lines()
        gate.set()
        assert await first is True


@bounded
async def test_a_lock_that_is_lost_during_a_round_changes_nothing(lines: Any) -> None:
    async with cluster(2) as (a, b):
        mix = a.mix

        async def expire(diffs: Sequence[bytes]) -> bytes:
            await asyncio.to_thread(a.session.expire)
            return await mix(diffs)

        a.mix = expire
        a.learn(b"a1")
        versions = a.version, b.version
        assert await a.mixer.do_mix() is False
        assert (a.version, b.version) == versions
        assert a.diff == [b"a1"]
        assert ("WARNING", "the ZooKeeper lock was lost during the mix, nothing is put") in lines()
        a.mix = mix
        await until(lambda: len(b.member.members()) == 2)
        assert await a.mixer.do_mix() is True
        assert agree(a, b)


@bounded
async def test_the_lock_is_free_after_a_round() -> None:
    async with cluster(2) as (a, b):
        assert await a.mixer.do_mix()
        assert await asyncio.to_thread(b.member.master_lock().write)


@bounded
async def test_the_end_waits_for_a_round() -> None:
    async with cluster(2) as (a, b):
        gate = asyncio.Event()
        b.before[linear.GET_DIFF] = gate.wait
        b.learn(b"b1")
        mixing = asyncio.create_task(a.mixer.do_mix())
        await until(lambda: linear.GET_DIFF in b.called)
        ending = asyncio.create_task(a.mixer.stop())
        waiting = asyncio.create_task(a.mixer.do_mix())
        await asyncio.sleep(0.05)
        assert not ending.done()
        gate.set()
        assert await mixing is True
        assert await waiting is False
        await ending
        assert agree(a, b)
        assert await a.mixer.do_mix() is False
        assert await b.mixer.do_mix() is True  # the one that ended still answers


# faults of the master


@bounded
async def test_the_master_dies_before_it_puts_anything() -> None:
    async with cluster(3, interval_count=2, interval_sec=0) as (a, b, c):
        gate = asyncio.Event()
        c.before[linear.GET_DIFF] = gate.wait
        b.learn(b"b1")
        a.learn(b"a1", b"a2")
        await until(lambda: linear.GET_DIFF in c.called)
        a.kill()
        c.before.clear()
        gate.set()
        assert await b.mixer.do_mix() is False  # the lock is there until the session ends
        assert a.mixer._task is not None and a.mixer._task.done()
        assert b.diff == [b"b1"]
        await asyncio.to_thread(a.session.expire)
        await until(lambda: len(b.member.members()) == 2)
        assert await b.mixer.do_mix() is True
        assert agree(b, c)
        assert b.knows == [b"b1"]


@bounded
async def test_the_master_dies_while_it_puts(lines: Any) -> None:
    async with cluster(3) as (a, b, c):

        async def lost() -> None:
            a.kill()
            raise ModelError("never came")

        c.before[linear.PUT_DIFF] = lost
        b.learn(b"b1")
        c.learn(b"c1")
        a.mixer._state.count = a.mixer._state.interval_count  # its loop is the master
        await until(lambda: a.dead and b.version > c.version)
        c.before.clear()
        await asyncio.to_thread(a.session.expire)
        await until(lambda: len(b.member.members()) == 2)
        assert await b.mixer.do_mix() is True
        await until(lambda: c.active and agree(b, c))
        assert ("INFO", "start to get model from other server") in lines()
        assert set(b.knows) == {b"b1", b"c1"}


# obsolete servers


@bounded
async def test_servers_that_start_at_once_all_become_active() -> None:
    world = World()
    servers = [Server(world, 9199 + i) for i in range(3)]
    await asyncio.gather(*(server.start() for server in servers))
    await until(lambda: all(server.active for server in servers))
    servers[2].learn(b"c1")
    assert await servers[0].mixer.do_mix() is True
    assert agree(*servers)
    await asyncio.gather(*(server.end() for server in servers))


@bounded
async def test_a_server_that_joins_gets_the_model_and_keeps_what_it_learned() -> None:
    async with cluster(2) as (a, b):
        a.learn(b"a1")
        assert await b.mixer.do_mix()
        late = Server(a.world, 9300)
        late.learn(b"l1")
        await late.start()
        await until(lambda: late.active)
        assert await late.mixer.do_mix()
        assert agree(a, b, late)
        assert a.knows == [b"a1", b"l1"]


@bounded
async def test_a_server_whose_model_is_behind_recovers(lines: Any) -> None:
    async with cluster(3) as (a, b, c):
        a.learn(b"a1")
        assert await a.mixer.do_mix()
        b.version = 0
        b.model.clear()
        b.learn(b"b1")
        inactive = asyncio.Event()
        take_back = b.member.deactivate

        def deactivate() -> None:
            take_back()
            inactive.set()

        b.member.deactivate = deactivate
        assert await a.mixer.do_mix()
        await until(inactive.is_set)
        await until(lambda: b.active and agree(a, b, c))
        assert b.knows == [b"a1", b"b1"]
        texts = [text for _, text in lines()]
        steps = ["I'm obsolete. I become inactive", "start to get model from other", "I got latest model. So I become"]
        places = [max(place for place, text in enumerate(texts) if step in text) for step in steps]
        assert places == sorted(places)


@bounded
async def test_recovery_goes_to_the_next_server_after_a_failure(lines: Any) -> None:
    async with cluster(3) as (a, b, c):
        a.before[linear.GET_MODEL] = refuse
        for _ in range(8):  # until both were asked first
            late = Server(a.world, 9300 + _)
            await late.start()
            await until(lambda late=late: late.active)
            if any("get_model failed (not today): 127.0.0.1:9199" in text for _, text in lines()):
                break
        assert linear.GET_MODEL not in late.called
        assert agree(a, b, c, late)


@bounded
async def test_a_model_of_another_version_ends_the_process(lines: Any) -> None:
    async with cluster(1) as (a,):
        a.model_version = 3
        late = Server(a.world, 9300)
        await late.start()
        await until(lambda: late.stopped)
        assert late.status("linear_mixer.is_running") == "0"
        text = "MIX protocol version mismatch detected, going down; expected 1, got 3"
        assert ("ERROR", text) in lines()
        assert not late.active
        assert late.version == 0


# ZooKeeper


@bounded
async def test_updates_go_on_without_zookeeper(lines: Any) -> None:
    async with cluster(2, interval_count=1, interval_sec=0) as (a, b):
        a.member.members, members = _away, a.member.members
        a.learn(b"a1", b"a2")
        await until(lambda: any(text.startswith("MIX has to wait for ZooKeeper") for _, text in lines()))
        assert await a.mixer.do_mix() is False
        assert a.status("linear_mixer.count") == "2"
        a.member.members = members
        await until(lambda: agree(a, b) and len(b.model) == 2)
        assert ("INFO", "ZooKeeper answers again, MIX goes on") in lines()


def _away() -> Any:
    raise ClusterError("no session")


@bounded
async def test_a_session_that_comes_and_goes(lines: Any) -> None:
    async with cluster(2, interval_count=2, interval_sec=0) as (a, b):
        a.session.suspend()
        a.learn(b"a1", b"a2")
        await until(lambda: a.mixer._cut_off)
        await asyncio.sleep(0.1)
        assert [text for _, text in lines()].count("MIX has to wait for ZooKeeper: no connection to ZooKeeper") == 1
        await a.mixer.put_done(False, True)  # registered later
        assert a.status("linear_mixer.is_obsolete") == "1"
        a.session.resume()
        await until(lambda: agree(a, b) and len(b.model) == 2 and a.active)


@bounded
async def test_a_session_that_is_suspended_during_a_round_changes_nothing(lines: Any) -> None:
    async with cluster(2) as (a, b):

        async def suspend() -> None:
            a.session.suspend()

        b.before[linear.GET_DIFF] = suspend
        a.learn(b"a1")
        assert await a.mixer.do_mix() is False
        assert ("WARNING", "the ZooKeeper lock was lost during the mix, nothing is put") in lines()
        assert a.diff == [b"a1"]
        b.before.clear()
        a.session.resume()
        assert await a.mixer.do_mix() is True
        assert agree(a, b)


# over TCP


async def listen(server: Server, listener: socket.socket) -> rpc.Server:
    """Let a server answer on a socket."""

    async def answer(frame: Frame, conversation: Conversation) -> None:
        try:
            result = await server.call(frame.method.decode(), frame.params.raw())
            conversation.complete(reply(frame.msgid, result.raw()))
        except JubatusError as error:
            conversation.complete(error_reply(frame.msgid, str(error)))

    def serve(frame: Frame, conversation: Conversation) -> None:
        tasks.add(asyncio.create_task(answer(frame, conversation)))

    tasks: set[asyncio.Task[None]] = set()
    listening = rpc.Server(serve)
    await listening.start(listener)
    return listening


@bounded
async def test_rounds_over_tcp(lines: Any) -> None:
    world = World()
    links = Links()
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(3)]
    servers = [Server(world, each.getsockname()[1], links=links, timeout=5.0) for each in sockets]
    listening = [await listen(server, each) for server, each in zip(servers, sockets, strict=True)]
    a, b, c = servers
    for server in servers:
        await server.start()
        await until(lambda server=server: server.active)
    a.learn(bytes(1 << 20))
    b.learn(b"b1")
    assert await a.mixer.do_mix() is True
    assert agree(a, b, c)

    b.before[linear.GET_DIFF] = refuse
    await listening[2].stop(0)
    assert await a.mixer.do_mix() is True
    assert ("WARNING", f"get_diff failed at 127.0.0.1:{b.node.port} : not today") in lines()
    assert any(text.startswith(f"put_diff failed at 127.0.0.1:{c.node.port} : ") for _, text in lines())
    assert agree(a, b)
    assert a.version == c.version + 1
    for server in servers:
        await server.end()
    links.close()
    for each in listening[:2]:
        await each.stop(0)


# all at once


@pytest.mark.parametrize("seed", range(6))
@bounded
async def test_whatever_happens_nothing_is_lost(seed: int) -> None:
    choice = random.Random(seed)
    learned: set[bytes] = set()
    async with cluster(4, interval_count=5, timeout=TIMEOUT) as servers:

        def once(server: Server, method: str, what: Any) -> None:
            async def happen() -> None:
                server.before.pop(method, None)
                await what()

            server.before[method] = happen

        def learn(server: Server) -> None:
            fact = f"{server.node.port}-{len(learned)}".encode()
            learned.add(fact)
            server.learn(fact)

        for _ in range(60):
            server = choice.choice(servers)
            match choice.randrange(6):
                case 0 | 1:
                    learn(server)
                case 2:
                    once(server, choice.choice([linear.GET_DIFF, linear.PUT_DIFF, linear.GET_MODEL]), dawdle)
                case 3:
                    once(server, choice.choice([linear.GET_DIFF, linear.PUT_DIFF, linear.GET_MODEL]), refuse)
                case 4:
                    await asyncio.to_thread(server.session.expire)
                case 5:
                    await server.mixer.do_mix()
            await asyncio.sleep(choice.random() * 0.02)
        for server in servers:
            server.before.clear()
        await until(lambda: len(servers[0].member.members()) == 4)
        while not all(server.version == servers[0].version and not server.diff for server in servers):
            await choice.choice(servers).mixer.do_mix()
            await asyncio.sleep(0.05)
        await until(lambda: all(server.active for server in servers))
        assert [set(server.model) for server in servers] == [learned] * 4


# push mixers


@pytest.mark.parametrize("kind", list(push.CHOICES))
@bounded
async def test_push_mixers_exchange(kind: str) -> None:
    async with cluster(3, kind) as servers:
        for server in servers:
            server.learn(server.node.name.encode())
        for _ in range(12):
            for server in servers:
                assert await server.mixer.do_mix() is True
        assert all(len(server.diff) == 3 for server in servers)
        assert set(servers[0].mixer.status()) == {"push_mixer.count", "push_mixer.ticktime"}
        assert servers[0].status("push_mixer.count") == "0"


@bounded
async def test_push_mixers_are_triggered_without_a_lock() -> None:
    async with cluster(2, "broadcast_mixer", interval_count=2, interval_sec=0) as (a, b):
        lock = a.member.master_lock()
        assert await asyncio.to_thread(lock.write)
        b.learn(b"b1", b"b2")
        await until(lambda: a.knows == [b"b1", b"b2"])


@bounded
async def test_push_mixers_pass_over_a_dead_peer(lines: Any) -> None:
    async with cluster(3, "broadcast_mixer") as (a, b, c):
        b.kill()
        c.learn(b"c1")
        assert await a.mixer.do_mix() is True
        assert a.knows == [b"c1"]
        assert ("WARNING", "pull failed at 127.0.0.1:9200 : connection refused") in lines()
