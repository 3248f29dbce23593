"""A room as a program has it: what is known of it, and what may be done there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol, cast
from weakref import WeakSet

import msgspec

from roomkit.client import asks
from roomkit.client.asks import Ask
from roomkit.client.errors import Disconnected, refusal_of
from roomkit.client.events import Event, RoomEvents
from roomkit.client.view_data import Message, Occupant, RoomState, RoomView, Typing

__all__ = ["HistoryPage", "Room", "UsersPage"]

if TYPE_CHECKING:
    from collections.abc import Callable

    from roomkit.client.view_data import Record


class HistoryPage(msgspec.Struct, frozen=True):
    """Messages, oldest first.

    Attributes:
        has_before: older messages exist.
        has_after: newer messages exist.
        complete: False if messages inside the page or just beyond it are not kept any more.
    """

    messages: tuple[Message, ...]
    has_before: bool
    has_after: bool
    complete: bool


class UsersPage(msgspec.Struct, frozen=True):
    """Occupants, by `user_id`; `truncated` if there are more. `total`: of the whole room."""

    occupants: tuple[Occupant, ...]
    total: int
    truncated: bool


class Desk(Protocol):
    """What a room needs of the chat it belongs to."""

    def tell(self, ask: Ask) -> None: ...

    async def ask(self, ask: Ask) -> Record: ...

    async def send(self, ask: asks.Send) -> Message: ...

    async def until(self, come_true: Callable[[], bool]) -> None: ...

    def room_view(self, name: str) -> RoomView: ...

    def stopped(self) -> Exception | None: ...

    @property
    def ending(self) -> bool: ...


class Room:
    """One room. Made by `Chat.room`; `async for event in room` reads what happens there.

    What needs an answer waits until the room is joined, over cuts and restarts of the server.
    """

    def __init__(self, desk: Desk, name: str) -> None:
        self._desk = desk
        self._name = name
        self._readers: WeakSet[RoomEvents] = WeakSet()

    @property
    def name(self) -> str:
        """The room's name."""
        return self._name

    @property
    def view(self) -> RoomView:
        """Everything that is known of the room now; a value, never changed in place."""
        return self._desk.room_view(self._name)

    @property
    def state(self) -> RoomState:
        """joining, joined, left or refused."""
        return self.view.state

    @property
    def messages(self) -> tuple[Message, ...]:
        """The newest messages, oldest first: at most 1000, more if older ones were paged in."""
        return self.view.messages

    @property
    def occupants(self) -> tuple[Occupant, ...]:
        """Who is here, in order of arrival; empty while the roster is off."""
        return self.view.occupants

    @property
    def typing(self) -> Typing:
        """Who is typing; one's own name may be among them."""
        return self.view.typing

    # Reading

    def __aiter__(self) -> RoomEvents:
        return self.events()

    def events(self) -> RoomEvents:
        """Begin to read the room's events. Each reader gets every event from here on."""
        reader = RoomEvents()
        self._readers.add(reader)
        self.settle()
        return reader

    async def joined(self) -> RoomView:
        """Wait until the room is joined and return its view.

        Raises:
            Refused: the server does not let us in, or put us out.
            ChatStopped: the client has stopped.
        """
        await self._desk.until(lambda: self.view.state != "joining")
        view = self.view
        if view.state != "joined":
            raise refusal_of(view.problem or asks.NOT_JOINED)
        return view

    async def history(
        self,
        *,
        before: int | None = None,
        after: int | None = None,
        around: int | None = None,
        limit: int | None = None,
    ) -> HistoryPage:
        """Fetch messages; by default the page before the oldest that is held.

        A page that touches what is held is merged into `messages` too. Asked again by itself after
        a cut. Cancelling is harmless.

        Args:
            before: messages before this seq. At most one of these three is given.
            after: messages after this seq.
            around: half of the page on either side of this seq.
            limit: 1 to 200 messages, by default 50.

        Raises:
            Refused: the server does not want to; or there is no such room any more for us.
            ChatStopped: the client has stopped.
        """
        data = await self._read(asks.History(self._name, before, after, around, limit))
        return HistoryPage(
            tuple(cast("list[Message]", data["messages"])),
            data.get("has_before") is True,
            data.get("has_after") is True,
            data.get("complete") is not False,
        )

    async def users(self, *, after: str | None = None, limit: int | None = None) -> UsersPage:
        """List occupants, also while the roster is off. Errors and cancelling as in `history`.

        Args:
            after: a `user_id`: list those that sort after it.
            limit: 1 to 200, by default 200.
        """
        data = await self._read(asks.Users(self._name, after, limit))
        return UsersPage(
            tuple(cast("list[Occupant]", data.get("occupants", []))),
            cast("int", data["total"]),
            data.get("truncated") is True,
        )

    # Writing

    async def send(
        self,
        message: str,
        *,
        reply_to: str | None = None,
        meta: Mapping[str, object] | None = None,
    ) -> Message:
        """Post a message and return it once the server has acknowledged it.

        It survives cuts and restarts: the message waits in the outbox (`view.pending` shows it)
        and is sent again with the same key, so it is posted once. Messages of one room are posted
        in the order of these calls.

        If this is cancelled before the message was sent, it is taken back; one that may have
        reached the server stays in the outbox until it is posted or given up.

        Args:
            reply_to: id of the message answered.
            meta: an object of yours, at most 512 bytes of JSON.

        Raises:
            Refused: the server refused the message, or the room.
            MessageNotSent: half of the server's `idempotency_ms` passed offline (30 minutes by
                default), or 1000 messages wait.
            ChatStopped: the client has stopped.
        """
        return await self._desk.send(asks.Send(self._name, message, reply_to, meta))

    async def edit(self, id: str, message: str, *, if_version: int | None = None) -> int:
        """Give a message another text and return its new version.

        Args:
            id: of the message.
            if_version: only if it still is this version of it.

        Raises:
            Refused: not_found, forbidden, version_conflict and others.
            Disconnected: the answer was lost: the view tells, later, what became of it.
            ChatStopped: the client has stopped.
        """
        await self.joined()
        data = await self._desk.ask(asks.Edit(self._name, id, message, if_version))
        return cast("int", data["version"])

    async def delete(
        self, id: str, *, reason: str | None = None, if_version: int | None = None
    ) -> None:
        """Leave nothing of a message but a tombstone. Arguments and errors are those of `edit`.

        Args:
            reason: told to everybody.
        """
        await self.joined()
        await self._desk.ask(asks.Delete(self._name, id, reason, if_version))

    async def signal(self, name: str, payload: object = None) -> None:
        """Pass something on to everybody who is here now; it is stored nowhere and may be lost.

        Raises:
            Refused, Disconnected, ChatStopped: as in `edit`.
        """
        await self.joined()
        await self._desk.ask(asks.Signal(self._name, name, payload))

    def start_typing(self) -> None:
        """Our user pressed a key; to be called for each, it is told as often as it should be.

        Nothing happens unless the room is joined. It ends by itself 3 s after the last call.
        """
        self._desk.tell(asks.StartTyping(self._name))

    def stop_typing(self) -> None:
        """Our user cleared the field."""
        self._desk.tell(asks.StopTyping(self._name))

    def discard(self, key: str) -> None:
        """Take a message out of the outbox: one that failed, or was never sent."""
        self._desk.tell(asks.Discard(self._name, key))

    async def leave(self) -> None:
        """Leave the room; what is not sent is given up. `Chat.room` joins it again."""
        await self._desk.ask(asks.Leave(self._name))

    # For the chat

    def offer(self, event: Event) -> None:
        """Hand an event to everybody who reads."""
        for reader in tuple(self._readers):
            reader.offer(event)

    def settle(self) -> None:
        """End the reading if nothing more will come."""
        if not self._readers:
            return
        view, error = self.view, self._desk.stopped()
        if error is None and view.state == "refused":
            error = refusal_of(view.problem or asks.NOT_JOINED)
        if error is not None or view.state == "left":
            for reader in tuple(self._readers):
                reader.finish(None if self._desk.ending else error)

    async def _read(self, ask: asks.History | asks.Users) -> Record:
        while True:
            await self.joined()
            try:
                return await self._desk.ask(ask)
            except Disconnected:
                continue
