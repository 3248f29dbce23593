"""However a tick is batched, everybody gets what they would get if each frame went out at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import groupby

import anyio
from anyio.abc import TaskGroup
from hypothesis import given
from hypothesis import strategies as st

from roomkit.core.effects import Attach, Detach
from roomkit.ids import ConnectionId, RoomId
from roomkit.limits import Limits
from roomkit.runtime.batches import Grade
from roomkit.runtime.fanout import BATCH_BYTES, FanOut
from roomkit.runtime.outbox import Outbox
from tests.runtime.prompt_socket import PromptSocket

ROOMY = Limits(outbox_soft_bytes=2**40, outbox_hard_bytes=2**40)
ALICE, BOB, CAROL, DAVE = map(ConnectionId, ("alice", "bob", "carol", "dave"))
LOBBY, GARDEN, ATTIC = map(RoomId, ("lobby", "garden", "attic"))
PROTOCOLS = {ALICE: 2, BOB: 2, CAROL: 1, DAVE: 2}


def refuse_overflow() -> None:
    raise AssertionError("nothing may overflow here")


@dataclass
class Real:
    """The fan-out, with an outbox for each connection."""

    fanout: FanOut = field(default_factory=FanOut)
    outboxes: dict[ConnectionId, Outbox] = field(default_factory=dict)

    def add(self, name: ConnectionId) -> None:
        self.outboxes[name] = Outbox(ROOMY, refuse_overflow, lambda: None)
        self.fanout.add(name, self.outboxes[name])
        self.fanout.speaks(name, PROTOCOLS[name])

    def broadcast(
        self, room: RoomId, frame: bytes, only: int | None, without: Iterable[ConnectionId] = ()
    ) -> None:
        for protocol in self.fanout.protocols(room):
            if only is None or only == protocol:
                self.fanout.broadcast(room, protocol, [frame], Grade.DURABLE, tuple(without))

    def deliver(self, name: ConnectionId, frame: bytes) -> None:
        self.fanout.deliver(name, [frame], Grade.DURABLE)

    def received(self, name: ConnectionId) -> list[bytes]:
        return list(self.outboxes[name].take())


class Plain:
    """What it must amount to: every frame goes to everybody concerned, at once."""

    def __init__(self) -> None:
        self.rooms: dict[ConnectionId, set[RoomId]] = {}
        self.frames: dict[ConnectionId, list[bytes]] = {}

    def add(self, name: ConnectionId) -> None:
        self.rooms[name] = set()
        self.frames.setdefault(name, [])

    def broadcast(
        self, room: RoomId, frame: bytes, only: int | None, without: Iterable[ConnectionId]
    ) -> None:
        for name, rooms in self.rooms.items():
            if room in rooms and name not in without and only in (None, PROTOCOLS[name]):
                self.frames[name].append(frame)

    def deliver(self, name: ConnectionId, frame: bytes) -> None:
        if name in self.rooms:
            self.frames[name].append(frame)


def room_of(frame: bytes) -> bytes:
    return frame.partition(b":")[0]


def in_rooms_order(frames: list[bytes]) -> list[list[bytes]]:
    """The frames between two private ones, room by room: no order between rooms is promised."""
    return [
        sorted(part, key=room_of)
        for _, part in groupby(frames, key=lambda frame: frame.startswith(b"private"))
    ]


@dataclass(frozen=True)
class Say:
    """Something is broadcast: to all who speak `only`, if that is given, but those `without`."""

    room: RoomId
    only: int | None
    without: frozenset[ConnectionId]
    size: int


@dataclass(frozen=True)
class Tell:
    """Something is said to one connection."""

    name: ConnectionId
    size: int


@dataclass(frozen=True)
class Gone:
    """A connection is closed, after what it was sent so far."""

    name: ConnectionId


@dataclass(frozen=True)
class EndOfTick:
    pass


Action = Say | Tell | Attach | Detach | Gone | EndOfTick

NAMES = st.sampled_from([ALICE, BOB, CAROL, DAVE])
ROOMS = st.sampled_from([LOBBY, GARDEN, ATTIC])
SIZES = st.sampled_from([10, 10, 10, BATCH_BYTES // 3])
ACTION: st.SearchStrategy[Action] = st.one_of(
    st.builds(Attach, NAMES, ROOMS),
    st.builds(
        Say,
        ROOMS,
        st.sampled_from([None, None, 1, 2]),
        st.frozensets(NAMES, max_size=2),
        SIZES,
    ),
    st.builds(Tell, NAMES, SIZES),
    st.builds(Detach, NAMES, ROOMS),
    st.builds(Gone, NAMES),
    st.just(EndOfTick()),
)


def perform(real: Real, plain: Plain, action: Action, number: int) -> None:
    match action:
        case Attach(name, room):
            real.fanout.attach(name, room)
            plain.rooms.get(name, set()).add(room)
        case Detach(name, room):
            real.fanout.detach(name, room)
            plain.rooms.get(name, set()).discard(room)
        case Say(room, only, without, size):
            frame = f"{room}:{number}".encode().ljust(size, b".")
            real.broadcast(room, frame, only, without)
            plain.broadcast(room, frame, only, without)
        case Tell(name, size):
            frame = f"private:{number}".encode().ljust(size, b".")
            real.deliver(name, frame)
            plain.deliver(name, frame)
        case Gone(name):
            real.fanout.settle(name)
            real.fanout.remove(name)
            plain.rooms.pop(name, None)
        case EndOfTick():
            real.fanout.flush()


@dataclass(frozen=True)
class Fill:
    """What is next written to this connection is kept back."""

    name: ConnectionId


@dataclass(frozen=True)
class Drain:
    """It has read all, and its writer has written what waited meanwhile."""

    name: ConnectionId


class Prompt(Real):
    """Everybody has a socket that is written to at once, and a writer for when it is full."""

    def __init__(self, tasks: TaskGroup) -> None:
        super().__init__()
        self.sockets: dict[ConnectionId, PromptSocket] = {}
        self._tasks = tasks
        self._room: dict[ConnectionId, anyio.Event] = {}

    def add(self, name: ConnectionId) -> None:
        self.sockets[name] = PromptSocket()
        self._room[name] = anyio.Event()

        def begin() -> None:
            self._tasks.start_soon(self._write, name)

        self.outboxes[name] = Outbox(ROOMY, refuse_overflow, begin, self.sockets[name])
        self.fanout.add(name, self.outboxes[name])
        self.fanout.speaks(name, PROTOCOLS[name])

    def fill(self, name: ConnectionId) -> None:
        self.sockets[name].takes = False

    async def drain(self, name: ConnectionId) -> None:
        self.sockets[name].takes = True
        self.sockets[name].tell(True)
        self._room[name].set()
        await anyio.wait_all_tasks_blocked()
        self._room[name] = anyio.Event()

    async def _write(self, name: ConnectionId) -> None:
        outbox, socket = self.outboxes[name], self.sockets[name]
        while True:
            frames = outbox.take()
            if frames:
                if not socket.takes:
                    await self._room[name].wait()
                socket.written.append(list(frames))
                outbox.sent()
            else:
                await outbox.wait()

    def received(self, name: ConnectionId) -> list[bytes]:
        return [frame for frames in self.sockets[name].written for frame in frames]


@given(
    st.lists(
        st.one_of(ACTION, ACTION, st.builds(Fill, NAMES), st.builds(Drain, NAMES)), max_size=80
    )
)
def test_everybody_gets_the_same_when_written_to_past_their_outbox(
    actions: list[Action | Fill | Drain],
) -> None:
    async def live() -> None:
        plain = Plain()
        async with anyio.create_task_group() as tasks:
            prompt = Prompt(tasks)
            for name in PROTOCOLS:
                prompt.add(name)
                plain.add(name)
            for number, action in enumerate(actions):
                match action:
                    case Fill(name):
                        prompt.fill(name)
                    case Drain(name):
                        await prompt.drain(name)
                    case _:
                        perform(prompt, plain, action, number)
            prompt.fanout.flush()
            for name in PROTOCOLS:
                prompt.outboxes[name].flush()  # as ending a connection does
                await prompt.drain(name)
            tasks.cancel_scope.cancel()
        for name in PROTOCOLS:
            got = prompt.received(name)
            assert in_rooms_order(got) == in_rooms_order(plain.frames[name])
            counted = prompt.outboxes[name].waiting
            assert counted == 0
        frames = sum(len(prompt.received(name)) for name in PROTOCOLS)
        of_outboxes = sum(outbox.delivered for outbox in prompt.outboxes.values())
        assert prompt.fanout.delivered + of_outboxes == frames

    anyio.run(live)


async def test_members_who_keep_up_are_written_the_very_same_bytes_past_their_outboxes() -> None:
    async with anyio.create_task_group() as tasks:
        prompt = Prompt(tasks)
        for name in (ALICE, BOB, DAVE):
            prompt.add(name)
            prompt.fanout.attach(name, LOBBY)
        prompt.sockets[DAVE].broken = True
        prompt.broadcast(LOBBY, b"one", None)
        prompt.broadcast(LOBBY, b"two", None)
        prompt.fanout.flush()
        assert prompt.sockets[ALICE].written == prompt.sockets[BOB].written == [[b"one", b"two"]]
        assert prompt.fanout.delivered == 4
        await anyio.wait_all_tasks_blocked()
        assert prompt.received(DAVE) == [b"one", b"two"], "left to the writer"
        tasks.cancel_scope.cancel()


@given(st.lists(ACTION, max_size=80))
def test_everybody_gets_what_they_would_get_without_batches(actions: list[Action]) -> None:
    real, plain = Real(), Plain()
    for name in PROTOCOLS:
        real.add(name)
        plain.add(name)
    for number, action in enumerate(actions):
        perform(real, plain, action, number)
    real.fanout.flush()
    assert not real.fanout.dirty
    assert {name: in_rooms_order(real.received(name)) for name in PROTOCOLS} == {
        name: in_rooms_order(plain.frames[name]) for name in PROTOCOLS
    }


def in_lobby(*names: ConnectionId) -> Real:
    real = Real()
    for name in names:
        real.add(name)
        real.fanout.attach(name, LOBBY)
    return real


def test_members_share_one_batch() -> None:
    real = in_lobby(ALICE, BOB)
    real.broadcast(LOBBY, b"one", None)
    real.broadcast(LOBBY, b"two", None)
    real.fanout.flush()
    taken = [real.outboxes[name].take() for name in (ALICE, BOB)]
    assert taken[0] == [b"one", b"two"]
    assert taken[0] is taken[1]


def test_nothing_is_handed_out_before_the_tick_ends() -> None:
    real = in_lobby(ALICE)
    real.broadcast(LOBBY, b"one", None)
    assert real.received(ALICE) == []
    assert real.fanout.dirty


def test_a_large_batch_is_handed_out_at_once() -> None:
    real = in_lobby(ALICE, BOB)
    half = b"x" * (BATCH_BYTES // 2)
    real.broadcast(LOBBY, half, None)
    real.deliver(BOB, b"private")
    real.broadcast(LOBBY, half, None)
    assert real.received(ALICE) == [half, half]
    assert real.received(BOB) == [half, b"private", half]


def test_a_joiner_gets_what_is_said_after_its_snapshot() -> None:
    real = in_lobby(ALICE)
    real.add(BOB)
    real.broadcast(LOBBY, b"before", None)
    real.deliver(BOB, b"snapshot")
    real.fanout.attach(BOB, LOBBY)
    real.broadcast(LOBBY, b"after", None)
    real.fanout.flush()
    assert real.received(ALICE) == [b"before", b"after"]
    assert real.received(BOB) == [b"snapshot", b"after"]


def test_a_private_frame_comes_after_what_was_said_and_before_what_is_said_next() -> None:
    real = in_lobby(ALICE, BOB)
    real.broadcast(LOBBY, b"one", None)
    real.deliver(ALICE, b"ack")
    real.broadcast(LOBBY, b"two", None)
    real.fanout.flush()
    assert real.received(ALICE) == [b"one", b"ack", b"two"]
    assert real.received(BOB) == [b"one", b"two"]


def test_whoever_is_left_out_of_a_broadcast_gets_the_others() -> None:
    real = in_lobby(ALICE, BOB)
    real.broadcast(LOBBY, b"one", None)
    real.broadcast(LOBBY, b"two", None, [ALICE])
    real.broadcast(LOBBY, b"three", None)
    real.fanout.flush()
    assert real.received(ALICE) == [b"one", b"three"]
    assert real.received(BOB) == [b"one", b"two", b"three"]


def test_a_frame_is_for_those_who_speak_its_protocol() -> None:
    real = in_lobby(ALICE, CAROL)
    assert sorted(real.fanout.protocols(LOBBY)) == [1, 2]
    real.broadcast(LOBBY, b"one", 1)
    real.broadcast(LOBBY, b"two", 2)
    real.fanout.flush()
    assert (real.received(CAROL), real.received(ALICE)) == ([b"one"], [b"two"])


def test_a_room_without_connections_is_not_kept() -> None:
    real = in_lobby(ALICE, CAROL)
    assert real.fanout.rooms == 1
    real.fanout.detach(ALICE, LOBBY)
    assert real.fanout.remove(CAROL)
    assert (real.fanout.rooms, real.fanout.protocols(LOBBY)) == (0, ())


def test_a_connection_that_is_gone_is_ignored() -> None:
    real = in_lobby(ALICE)
    assert real.fanout.remove(ALICE)
    assert not real.fanout.remove(ALICE)
    real.deliver(ALICE, b"late")
    real.fanout.attach(ALICE, LOBBY)
    real.fanout.detach(ALICE, LOBBY)
    real.fanout.settle(ALICE)
    real.broadcast(LOBBY, b"late", None)
    real.fanout.flush()
    assert real.received(ALICE) == []
    assert real.fanout.protocol_of(ALICE) is None
