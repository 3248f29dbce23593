"""People with tabs, a host, a store that misbehaves, and time: everything that can happen to nodes.

A `Crowd` does one thing at a time when told to, and answers for the parts of a client that a server
cannot see: what it keeps over a cut, what it forgets when told 4005. `machine` chooses what is
done.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from roomkit.core.commands import (
    Command,
    DeleteMessage,
    EditMessage,
    GetHistory,
    GetUsers,
    JoinRoom,
    LeaveRoom,
    Ping,
    Pong,
    SendMessage,
    SendSignal,
    TypingStart,
    TypingStop,
)
from roomkit.core.events import Pinged, User
from roomkit.core.inputs import Asked, Connected, Garbled, HostCommand
from roomkit.errors import CloseCode, ErrorCode
from roomkit.ids import (
    ConnectionId,
    Position,
    RequestId,
    RoomId,
    SessionId,
    UserId,
    message_id,
)
from roomkit.testing.laws import ClientView, LawBroken, Laws, LegacyView, RoomView
from roomkit.testing.world import Node, World
from roomkit.wire import Codec

__all__ = ["PEOPLE", "ROOMS", "Crowd", "Since", "Tab"]

ROOMS = (RoomId("attic"), RoomId("lobby"), RoomId("yard"))

PEOPLE = (
    User(UserId("u-alice"), "alice"),
    User(UserId("u-bob"), "bob"),
    User(UserId("g-1"), "", guest=True),
    User(UserId("g-2"), "", guest=True),
    User(UserId("u-carol"), "carol"),
)

_MOST_TICKS = 5_000

Since = Literal["none", "own", "saved", "other_link", "future", "origin"]


@dataclass(eq=False)
class Tab:
    """One tab of somebody, or one program that speaks protocol 1.

    Attributes:
        session: None once the client was told to forget it.
        node, connection: None while it is not connected.
        saved: copies of rooms it put away, as a browser's cache may.
        frozen: it answers no ping.
    """

    name: str
    user: User
    protocol: int
    session: SessionId | None
    view: ClientView
    node: Node | None = None
    connection: ConnectionId | None = None
    saved: dict[RoomId, RoomView] = field(default_factory=dict[RoomId, RoomView])
    read: int = 0
    frozen: bool = False

    @property
    def connected(self) -> bool:
        return self.connection is not None

    @property
    def told_to_go(self) -> bool:
        """Whether the server has closed the connection it still holds."""
        return self.node is not None and self.connection in self.node.closes


class Crowd:
    """A world, the laws that watch it, and everybody in it."""

    def __init__(self, world: World, laws: Laws) -> None:
        self.world = world
        self.laws = laws
        self.tabs: list[Tab] = []
        self.asleep: list[Node] = []
        self._strangers: list[tuple[Node, ConnectionId]] = []
        self._unheard: list[tuple[Node, ConnectionId]] = []
        self._codec = Codec(world.limits)
        self._count = 0

    # Coming and going

    def open(self, user: User, protocol: int, node: Node, session: SessionId | None = None) -> Tab:
        """Open a new tab; with a session, a copy of the tab that has it."""
        name = f"t{len(self.tabs) + 1}"
        tab = Tab(name, user, protocol, session, ClientView())
        self.tabs.append(tab)
        self.connect(tab, node)
        return tab

    def connect(self, tab: Tab, node: Node) -> None:
        """Connect a tab that is not connected, under the session it still has."""
        connection = ConnectionId(self._new(f"{tab.name}-c"))
        if tab.session is None or tab.protocol == 1:
            tab.session = SessionId(self._new(f"{tab.name}-s"))
        tab.node, tab.connection, tab.read = node, connection, 0
        legacy = LegacyView(self._codec) if tab.protocol == 1 else None
        self.laws.follow(connection, legacy or tab.view)
        user = tab.user
        node.open(
            connection,
            user.username,
            protocol=tab.protocol,
            session=tab.session,
            user_id=user.user_id,
            guest=user.guest,
        )

    def knock(self, node: Node) -> None:
        """Have a connection come that never says anything."""
        stranger = ConnectionId(self._new("stranger"))
        node.received[stranger] = []
        node.protocols[stranger] = 1
        self._strangers.append((node, stranger))
        node.step(Connected(stranger))

    def drop(self, tab: Tab) -> None:
        """Have the tab's connection go; told 4005, the tab forgets its session."""
        node, connection = tab.node, tab.connection
        if node is None or connection is None:
            return
        if node.closes.get(connection) == CloseCode.SESSION_REPLACED:
            tab.session = None
        tab.node = tab.connection = None
        self.laws.unfollow(connection)
        if node in self.world.nodes:
            node.drop(connection)
        else:
            self._unheard.append((node, connection))

    def hang_up(self) -> None:
        """Have everybody go who was told to."""
        for tab in self.tabs:
            if tab.told_to_go:
                self.drop(tab)
        for node, stranger in list(self._strangers):
            if stranger in node.closes and node in self.world.nodes:
                self._strangers.remove((node, stranger))
                node.drop(stranger)

    # Nodes and time

    def lose(self, node: Node) -> None:
        """Kill a node: nobody there is told anything."""
        self._strangers = [one for one in self._strangers if one[0] is not node]
        self.world.nodes.remove(node)
        self.laws.lost(node)
        for tab in self.tabs:
            if tab.node is node:
                tab.node = tab.connection = None

    def put_to_sleep(self, node: Node) -> None:
        """Have a node stand still: it hears nothing, and its clock does not wake it."""
        self.world.nodes.remove(node)
        self.asleep.append(node)

    def wake(self) -> Node:
        """Have the node go on that has slept longest, and hear first who has gone meanwhile."""
        node = self.asleep.pop(0)
        self.world.nodes.append(node)
        gone = [connection for sleeper, connection in self._unheard if sleeper is node]
        self._unheard = [one for one in self._unheard if one[0] is not node]
        for connection in gone:
            node.drop(connection)
        node.tick()
        return node

    def pass_time(self, ms: int, *, settled: bool = False) -> None:
        """Let time pass; nobody misses a deadline, or a ping, or that they were closed.

        Args:
            settled: perform every store call on the way.
        """
        clock = self.world.clock
        until = clock.mono + ms
        for _ in range(_MOST_TICKS):
            if settled:
                self.world.settle()
            self.hang_up()
            self.answer_pings()
            due = [
                (deadline, index)
                for index, node in enumerate(self.world.nodes)
                if (deadline := node.engine.next_deadline) is not None and deadline <= until
            ]
            if not due:
                clock.move_to(until)
                return
            deadline, index = min(due)
            clock.move_to(deadline)
            self.world.nodes[index].tick()
        raise LawBroken(0, f"{_MOST_TICKS} deadlines within {ms} ms: one does not move on")

    def answer_pings(self) -> None:
        """Have everybody answer what the servers asked."""
        for tab in self.tabs:
            if tab.node not in self.world.nodes or tab.connection is None or tab.frozen:
                continue
            received = tab.node.received[tab.connection]
            pinged = any(isinstance(event, Pinged) for event in received[tab.read :])
            tab.read = len(received)
            if pinged:
                tab.node.send(tab.connection, Pong())

    # What they send

    def join(
        self, tab: Tab, room: RoomId, since: Since, history: int | None, wish: str | None
    ) -> None:
        """Join, from the position the tab has, from one it put away, or from one that never was."""
        if tab.protocol == 1:
            self._send(tab, lambda ref: JoinRoom(room=room, username=wish))
            return
        base = self._base(tab, room, since)

        def command(ref: str) -> Command:
            if base is not None:
                tab.view.asked[ref] = base
            position = base.position if base is not None else None
            return JoinRoom(
                room=room, username=wish, ref=ref, since=position, history=history, meta={"n": 1}
            )

        self._send(tab, command)

    def put_away(self, tab: Tab, room: RoomId) -> None:
        """Keep a copy of a room as it is now."""
        view = tab.view.rooms.get(room)
        if view is not None:
            tab.saved[room] = view.copy()

    def leave(self, tab: Tab, room: RoomId | None) -> None:
        self._send(tab, lambda ref: LeaveRoom(room=room, ref=ref))

    def say(self, tab: Tab, room: RoomId | None, key: str | None) -> None:
        """Send a message; no two texts are the same."""
        text = self._new(f"{tab.name}-m")
        self._send(
            tab, lambda ref: SendMessage(message=text, room=room, ref=ref, idempotency_key=key)
        )

    def revise(
        self, tab: Tab, room: RoomId, which: int, if_version: int | None, text: str | None
    ) -> None:
        """Edit (or without a text delete) a message; of none too many, the room's first entry.

        Args:
            which: of the tab's own messages in the log, or with none of everybody's: an index.
        """
        messages = self.laws.truth.tip(room).messages
        own = [one for one in messages if one.user_id == tab.user.user_id] or messages
        seq = own[which].seq if -len(own) <= which < len(own) else 1
        name = message_id(Position(seq, self.laws.truth.link_at(room, seq)))

        def command(ref: str) -> Command:
            if text is None:
                return DeleteMessage(room=room, id=name, ref=ref, if_version=if_version)
            return EditMessage(room=room, id=name, message=text, ref=ref, if_version=if_version)

        self._send(tab, command)

    def say_wrongly(self, tab: Tab, room: RoomId | None, text: str) -> None:
        """Send a message that must be refused."""
        self._send(tab, lambda ref: SendMessage(message=text, room=room, ref=ref))

    def type(self, tab: Tab, room: RoomId | None, begin: bool) -> None:
        kind = TypingStart if begin else TypingStop
        self._send(tab, lambda ref: kind(room=room, ref=ref))

    def signal(self, tab: Tab, room: RoomId) -> None:
        self._send(tab, lambda ref: SendSignal(room=room, name="wave", payload={"n": 1}, ref=ref))

    def page(self, tab: Tab, room: RoomId, direction: str, seq: int, limit: int | None) -> None:
        """Ask for history `before`, `after` or `around` a seq, or (`newest`) for the newest."""
        where = {} if direction == "newest" else {direction: seq}
        self._send(tab, lambda ref: GetHistory(room=room, limit=limit, ref=ref, **where))

    def list_users(self, tab: Tab, room: RoomId, limit: int | None) -> None:
        self._send(tab, lambda ref: GetUsers(room=room, limit=limit, ref=ref))

    def ping(self, tab: Tab, pong: bool) -> None:
        self._send(tab, lambda ref: Pong(ref=ref) if pong else Ping(t=1, ref=ref))

    def garble(self, tab: Tab) -> None:
        """Send what is no command."""
        if tab.node in self.world.nodes and tab.connection is not None:
            tab.node.step(Garbled(tab.connection, ErrorCode.BAD_FRAME, "this is no JSON"))

    def ask(self, node: Node, command: HostCommand) -> None:
        """Have the host ask."""
        self._count += 1
        node.step(Asked(RequestId(self._count), command))

    def new_text(self) -> str:
        """Return a text nobody has sent."""
        return self._new("host-m")

    def _send(self, tab: Tab, command: Callable[[str], Command]) -> None:
        if tab.node in self.world.nodes and tab.connection is not None:
            tab.node.send(tab.connection, command(self._new("r")))

    def _base(self, tab: Tab, room: RoomId, since: Since) -> RoomView | None:
        own = tab.view.rooms.get(room)
        match since:
            case "own":
                base = own
            case "saved":
                base = tab.saved.get(room)
            case "origin":
                base = RoomView(Position(0, ""), True, {}, [], (), 0)
            case "other_link" | "future" if own is not None:
                base = own.copy()
                seq = own.position.seq + (1 if since == "future" else 0)
                base.position = Position(seq, "0" * 16)
            case _:
                base = None
        return base.copy() if base is not None else None

    def _new(self, what: str) -> str:
        self._count += 1
        return f"{what}{self._count}"
