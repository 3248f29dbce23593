"""Whatever the network does, a client ends up with the room as it is, and its messages in it once.

Random lives against the real engine: people talk, edit, come and go; the client is cut between any
two frames, both ways; some replays are too long and end in a snapshot. Beside it, a witness who was
never cut folds her frames with the same reducer.
"""

from __future__ import annotations

import json
from collections.abc import Callable

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from roomkit.client.asks import Answered, Ask, Output, Rejected
from roomkit.client.view import apply, joining
from roomkit.client.view_data import RoomView, View
from roomkit.core.events import Event
from roomkit.ids import ConnectionId
from roomkit.limits import Limits
from roomkit.testing.vectors.people import Person
from roomkit.testing.vectors.stage import Stage

ROOM = "general"
LIMITS = Limits(
    replay_entries=6,
    history_on_join=4,
    messages_per_s=1_000,
    messages_burst=1_000,
    joins_per_s=1_000,
    joins_burst=1_000,
    frames_per_s=1_000,
    frames_burst=10_000,
    roster_limit=4,
    roster_return=2,
    roster_return_ms=1_000,
)


class WatchedStage(Stage):
    """A stage that gives every ask a ticket and keeps the answers."""

    def __init__(self) -> None:
        super().__init__({"username": "alice"}, LIMITS)
        self.asked = 0
        self.answers: list[int] = []
        ask = self.machine.ask

        def ask_with_ticket(asked: Ask, now: int) -> list[Output]:
            self.asked += 1
            return ask(asked, now, self.asked)

        self.machine.ask = ask_with_ticket  # type: ignore[method-assign, assignment]  # to look on

    def _perform(self, outputs: list[Output]) -> None:
        self.answers += [one.ticket for one in outputs if isinstance(one, Answered | Rejected)]
        super()._perform(outputs)


class Life:
    """One random life, step by step."""

    def __init__(self) -> None:
        self.stage = WatchedStage()
        self.kept: list[tuple[View, bytes]] = []
        self.sent = 0
        self.witness = self.stage.person("wanda", ROOM)
        self.people = [self.stage.person(name, ROOM) for name in ("bob", "carol")]
        self.inside = {0, 1}
        self.authors: set[int] = set()
        self.watch()
        self.stage.begin(ROOM)

    def watch(self) -> None:
        """Hold law 1 at every frame, and remember every view."""
        machine = self.stage.machine
        receive = machine.received

        def received(frame: str | bytes, now: int) -> list[Output]:
            before = self.room()
            outputs = receive(frame, now)
            self.moved(before, self.room(), json.loads(frame))
            view = machine.view
            if not self.kept or self.kept[-1][0] is not view:
                self.kept.append((view, msgspec.json.encode(view)))
            return outputs

        machine.received = received  # type: ignore[method-assign]  # to look on

    def moved(
        self, before: RoomView | None, after: RoomView | None, frame: dict[str, object]
    ) -> None:
        if after is None or after.position is None:
            return
        if before is None or before.position is None or frame["type"] == "room_joined":
            return
        assert after.position.seq in (before.position.seq, before.position.seq + 1)

    def room(self) -> RoomView | None:
        return self.stage.machine.view.rooms.get(ROOM)

    # What may happen

    def send(self, which: int) -> None:
        self.sent += 1
        self.stage.do("send", room=ROOM, message=f"alice {self.sent}")

    def say(self, which: int) -> None:
        if which in self.inside:
            self.people[which].say(f"somebody {which}")
            self.authors.add(which)
            self.stage.settle()

    def revise(self, which: int) -> None:
        self.change(which, lambda person: person.edit("revised"))

    def delete(self, which: int) -> None:
        self.change(which, Person.delete)

    def change(self, which: int, act: Callable[[Person], None]) -> None:
        if which in self.inside and which in self.authors:
            act(self.people[which])
            self.stage.settle()

    def come_or_go(self, which: int) -> None:
        if which in self.inside:
            self.people[which].leave()
        else:
            self.people[which].join()
        self.inside ^= {which}
        self.stage.settle()

    def type(self, which: int) -> None:
        if which in self.inside:
            self.people[which].type()
            self.stage.settle()

    def crowd(self, which: int) -> None:
        self.stage.person(f"guest-{len(self.kept)}-{self.stage.now}", ROOM).leave()
        self.stage.settle()

    def slow(self, which: int) -> None:
        self.stage.slow = not self.stage.slow
        self.stage.settle()

    def trickle(self, which: int) -> None:
        if self.stage.slow and self.stage.waiting:
            self.stage.deliver(1)

    def lose(self, which: int) -> None:
        if self.stage.slow and self.stage.waiting:
            self.stage.lose(1)

    def repeat(self, which: int) -> None:
        if self.room() is not None and self.stage.machine.state == "online":
            self.stage.repeat()

    def deaf(self, which: int) -> None:
        self.stage.deaf = not self.stage.deaf

    def cut(self, which: int) -> None:
        self.stage.cut()

    def page(self, which: int) -> None:
        self.stage.do("history", room=ROOM, limit=3)

    def wait(self, which: int) -> None:
        self.stage.wait(700 * (which + 1))

    # How it ends

    def settled(self) -> RoomView:
        """Let the network be good again, and return what the client then has."""
        self.stage.slow = self.stage.deaf = False
        self.stage.cut()
        self.stage.wait(90_000)
        room = self.room()
        assert room is not None and room.state == "joined"
        return room

    def witnessed(self) -> RoomView:
        """Return what somebody has who was never cut."""
        view = joining(View(), ROOM)
        events: list[Event] = self.stage.server.node.received[ConnectionId("wanda-tab-1")]
        for event in events:
            view = apply(view, json.loads(self.stage.server.encode(event)), self.stage.now)
        return view.rooms[ROOM]


STEPS: list[Callable[[Life, int], None]] = [
    Life.send,
    Life.say,
    Life.revise,
    Life.delete,
    Life.come_or_go,
    Life.type,
    Life.crowd,
    Life.slow,
    Life.trickle,
    Life.lose,
    Life.repeat,
    Life.deaf,
    Life.cut,
    Life.page,
    Life.wait,
]


@given(st.lists(st.tuples(st.sampled_from(STEPS), st.sampled_from([0, 1])), max_size=40))
def test_a_client_that_was_cut_knows_what_one_knows_that_never_was(
    steps: list[tuple[Callable[[Life, int], None], int]],
) -> None:
    life = Life()
    for act, which in steps:
        act(life, which)
    room, witnessed = life.settled(), life.witnessed()
    assert room.position == witnessed.position
    assert room.roster == witnessed.roster
    assert {one["user_id"]: one for one in room.occupants} == {
        one["user_id"]: one for one in witnessed.occupants
    }
    assert room.messages == tuple(
        message for message in witnessed.messages if message["seq"] >= room.held_from
    )
    assert room.typing.total == 0
    if room.roster == "on":
        assert room.total == witnessed.total
    posted = [one["message"] for one in witnessed.messages if one.get("user_id") == "guest-1"]
    assert posted == [f"alice {number}" for number in range(1, life.sent + 1)]
    assert room.pending == ()
    assert sorted(life.stage.answers) == list(range(1, life.stage.asked + 1))
    for view, encoded in life.kept:
        assert msgspec.json.encode(view) == encoded
