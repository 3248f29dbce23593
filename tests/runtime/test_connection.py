"""How connections end: in order, in time, with the right code, and with nothing left behind."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import anyio
import msgspec
import pytest

from roomkit import Hub, Limits
from roomkit.core.effects import Effect
from roomkit.core.engine import Engine
from roomkit.core.inputs import Closed, Input, Now
from roomkit.runtime import PromptTransport
from roomkit.testing.unframing import texts_in
from tests.runtime.scripted import ScriptedTransport, eventually, join, served

SMALL = Limits(outbox_soft_bytes=2_000, outbox_hard_bytes=8_000, snapshot_bytes=2_000, close_ms=50)
LONG = "x" * 1_000


async def test_a_slow_reader_is_closed_with_a_code_that_says_come_back() -> None:
    slow, alice = ScriptedTransport(), ScriptedTransport()
    async with Hub(limits=SMALL) as hub, served(hub, slow, alice):
        await join(slow, "slow")
        await join(alice, "alice")
        slow.stop_reading()
        for _ in range(8):
            await hub.post("lobby", LONG)
            assert hub.stats.waiting_bytes <= 2 * SMALL.outbox_hard_bytes
        await eventually(lambda: slow.closed)
        assert slow.closed == (4001, "too slow a reader: come back and resume")
        assert not slow.aborted
        await eventually(lambda: hub.stats.connections == 1)
        await eventually(lambda: alice.types().count("new_message") == 8)
        assert hub.stats.closes == {4001: 1}
        assert hub.stats.waiting_bytes == 0
        users = await hub.users("lobby")
        assert {occupant.username for occupant in users.occupants} == {"alice", "slow"}


async def test_what_waits_for_a_slow_reader_never_passes_the_hard_limit() -> None:
    slow = ScriptedTransport()
    async with Hub(limits=SMALL) as hub, served(hub, slow):
        await join(slow, "slow")
        slow.stop_reading()
        waiting = []
        for _ in range(12):
            await hub.post("lobby", LONG)
            waiting.append(hub.stats.waiting_bytes)
        assert 4_000 < max(waiting) <= SMALL.outbox_hard_bytes
        await eventually(lambda: hub.stats.connections == 0)
        assert hub.stats.waiting_bytes == 0


async def test_a_close_that_hangs_is_aborted() -> None:
    stuck = ScriptedTransport()
    async with Hub(limits=SMALL) as hub, served(hub, stuck):
        await join(stuck, "stuck")
        stuck.stop_reading()
        stuck.refuse_to_close()
        for _ in range(8):
            await hub.post("lobby", LONG)
        await eventually(lambda: hub.stats.connections == 0)
        assert (stuck.closed is not None, stuck.aborted) == (True, True)


async def test_the_room_does_not_wait_for_a_close_that_hangs() -> None:
    stuck, alice = ScriptedTransport(), ScriptedTransport()
    limits = msgspec.structs.replace(SMALL, close_ms=60_000)
    async with Hub(limits=limits) as hub, served(hub, stuck, alice):
        stuck.say("join_room", room="lobby", username="stuck")
        await stuck.data_of("room_users")
        await join(alice, "alice")
        stuck.stop_reading()
        stuck.refuse_to_close()
        for _ in range(8):
            await hub.post("lobby", LONG)
        await eventually(lambda: '"stuck","reason"' in alice.sent[-1].decode())
        assert hub.stats.connections == 2
        stuck.abort()
        stuck.close_at_last()


async def test_one_slow_reader_delays_nobody() -> None:
    slow, alice = ScriptedTransport(), ScriptedTransport()
    async with Hub() as hub, served(hub, slow, alice):
        await join(slow, "slow")
        await join(alice, "alice")
        slow.stop_reading()
        await hub.post("lobby", "hello")
        assert (await alice.data_of("new_message"))["message"] == "hello"
        assert "new_message" not in slow.types()
        slow.read_on()
        assert (await slow.data_of("new_message"))["message"] == "hello"


async def test_what_was_said_before_a_close_is_written_first() -> None:
    mallory = ScriptedTransport()
    async with Hub() as hub, served(hub, mallory):
        mallory.say("hello", protocol=3)
        await eventually(lambda: mallory.closed)
        assert mallory.types() == ["error"]


async def test_what_cannot_be_written_before_a_close_is_given_up_in_time() -> None:
    stuck = ScriptedTransport()
    async with Hub(limits=SMALL) as hub, served(hub, stuck):
        stuck.stop_reading()
        stuck.say("hello", protocol=3)
        await eventually(lambda: stuck.aborted)
        await eventually(lambda: hub.stats.connections == 0)
        assert (stuck.sent, hub.stats.waiting_bytes) == ([], 0)


async def test_frames_of_one_tick_are_written_in_one_call() -> None:
    alice = ScriptedTransport()
    async with Hub() as hub, served(hub, alice):
        await join(alice, "alice")
        alice.stop_reading()
        await hub.post("lobby", "the first waits")
        await anyio.wait_all_tasks_blocked()
        alice.calls.clear()
        for number in range(5):
            await hub.post("lobby", str(number))
        alice.read_on()
        await eventually(lambda: alice.types().count("new_message") == 6)
        assert alice.calls == [1, 5]


async def test_a_transport_that_can_be_written_to_at_once_gets_the_same_frames() -> None:
    class Prompt(ScriptedTransport):
        asked = 0
        changed: Callable[[bool], None]

        def watch(self, changed: Callable[[bool], None]) -> bool:
            self.changed = changed
            return True

        def listen(self, heard: Callable[[str | bytes], bool]) -> None:
            assert self.types() == []  # as soon as it is known who is there

        def write(self, framed: bytes, /) -> None:
            self.sent += texts_in(framed)
            self.asked += 1
            if self.asked % 3 == 0:
                self.changed(False)

        async def receive(self) -> str | bytes:
            frame = await super().receive()
            self.changed(True)
            return frame

    prompt, plain = Prompt(), ScriptedTransport()
    assert isinstance(prompt, PromptTransport)
    assert not isinstance(plain, PromptTransport)
    async with Hub() as hub, served(hub, prompt, plain):
        await join(prompt, "alice")
        await join(plain, "bob")
        for number in range(10):
            prompt.say("ping", t=number)
            await hub.post("lobby", str(number))
        await eventually(lambda: plain.types().count("new_message") == 10)
        await eventually(lambda: prompt.types().count("pong") == 10)
        texts = [data["message"] for type, data in prompt.frames() if type == "new_message"]
        assert texts == [str(number) for number in range(10)]
        assert prompt.asked >= 3  # the third time there was no room for more
        assert hub.stats.delivered == len(prompt.sent) + len(plain.sent)


async def test_ephemeral_frames_are_shed_for_a_slow_reader_and_counted() -> None:
    slow, bob = ScriptedTransport(), ScriptedTransport()
    async with Hub(limits=SMALL) as hub, served(hub, slow, bob):
        await join(slow, "slow")
        await join(bob, "bob")
        await anyio.wait_all_tasks_blocked()
        slow.stop_reading()
        await hub.post("lobby", LONG)
        await hub.post("lobby", LONG)
        await anyio.wait_all_tasks_blocked()
        bob.say("typing_start", room="lobby")
        await bob.data_of("user_typing")
        assert hub.stats.shed == 1
        slow.read_on()
        await eventually(lambda: slow.types().count("new_message") == 2)
        assert "user_typing" not in slow.types()
    assert hub.stats.shed == 1


async def test_cancelling_a_connection_ends_it_for_the_room() -> None:
    alice, bob = ScriptedTransport(), ScriptedTransport()
    async with Hub(limits=Limits(presence_grace_ms=1)) as hub, served(hub, bob):
        await join(bob, "bob")
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(hub.serve, alice)
            await join(alice, "alice")
            tasks.cancel_scope.cancel()
        assert (alice.aborted, alice.closed) == (True, None)
        assert hub.stats.connections == 1
        await eventually(lambda: "left" in str(bob.frames()[-1]))


async def test_cancelling_a_connection_does_not_take_back_what_it_sent() -> None:
    alice = ScriptedTransport()
    async with Hub() as hub:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(hub.serve, alice)
            await join(alice, "alice")
            alice.say("send_message", room="lobby", message="goodbye")
            await eventually(lambda: hub.stats.received == 3)
            tasks.cancel_scope.cancel()
        page = await hub.history("lobby")
        assert [message.text for message in page.messages] == ["goodbye"]


async def test_a_peer_that_hangs_up_leaves_nothing_behind() -> None:
    alice = ScriptedTransport()
    async with Hub() as hub, served(hub, alice):
        await join(alice, "alice")
        alice.hang_up()
        await eventually(lambda: hub.stats.connections == 0)
        assert (alice.closed, hub.stats.closes, hub.stats.rooms) == (None, {}, 0)


@pytest.mark.parametrize("broken", ["send", "close"])
async def test_a_transport_that_fails_to_write_ends_its_connection_only(broken: str) -> None:
    class Broken(ScriptedTransport):
        async def send(self, frames: Sequence[bytes]) -> None:
            if broken == "send":
                raise ZeroDivisionError
            await super().send(frames)

        async def close(self, code: int, reason: str) -> None:
            raise ZeroDivisionError

    transport, alice = Broken(), ScriptedTransport()
    async with Hub() as hub, served(hub, transport, alice):
        await join(alice, "alice")
        transport.say("hello", protocol=3)
        await eventually(lambda: transport.aborted)
        await eventually(lambda: hub.stats.connections == 1)


async def test_a_connection_is_reported_closed_exactly_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    closings: list[Closed] = []
    step = Engine.step

    def watched(self: Engine, given: Input, now: Now) -> list[Effect]:
        if isinstance(given, Closed):
            closings.append(given)
        return step(self, given, now)

    monkeypatch.setattr(Engine, "step", watched)
    refused, hung_up, slow, cancelled, drained = (ScriptedTransport() for _ in range(5))
    async with anyio.create_task_group() as tasks, Hub(limits=SMALL) as hub:
        async with served(hub, refused, hung_up, slow):
            refused.say("hello", protocol=3)
            await join(hung_up, "alice")
            hung_up.hang_up()
            await join(slow, "slow")
            slow.stop_reading()
            for _ in range(8):
                await hub.post("lobby", LONG)
            await eventually(lambda: hub.stats.connections == 0)
        async with anyio.create_task_group() as doomed:
            doomed.start_soon(hub.serve, cancelled)
            await eventually(lambda: hub.stats.connections == 1)
            doomed.cancel_scope.cancel()
        tasks.start_soon(hub.serve, drained)
        await eventually(lambda: hub.stats.connections == 1)
    assert len(closings) == len(set(closings)) == 5
