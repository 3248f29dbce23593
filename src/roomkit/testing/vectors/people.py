"""The others in a scenario: people with connections of their own to the same server."""

from __future__ import annotations

from roomkit.core.commands import (
    Command,
    DeleteMessage,
    EditMessage,
    JoinRoom,
    LeaveRoom,
    SendMessage,
    SendSignal,
    TypingStart,
    TypingStop,
)
from roomkit.core.events import Message, Posted
from roomkit.ids import ConnectionId, Position, message_id
from roomkit.testing.world import Node

__all__ = ["Person"]


class Person:
    """Somebody in one room at a time, on a node."""

    def __init__(self, node: Node, name: str, room: str, tab: str) -> None:
        self._node = node
        self._room = room
        self._connection: ConnectionId = node.open(f"{name}-{tab}", name)

    def join(self) -> None:
        """Come in."""
        self._send(JoinRoom(room=self._room))

    def leave(self) -> None:
        """Go."""
        self._send(LeaveRoom(room=self._room))

    def say(self, text: str) -> None:
        """Post a message."""
        self._send(SendMessage(room=self._room, message=text))

    def edit(self, text: str) -> None:
        """Give the own newest message another text."""
        self._send(EditMessage(room=self._room, id=self._newest(), message=text))

    def delete(self) -> None:
        """Delete the own newest message."""
        self._send(DeleteMessage(room=self._room, id=self._newest(), reason="a slip"))

    def type(self) -> None:
        """Begin to type."""
        self._send(TypingStart(room=self._room))

    def stop_typing(self) -> None:
        """Stop typing."""
        self._send(TypingStop(room=self._room))

    def signal(self, name: str, payload: object) -> None:
        """Pass something on."""
        self._send(SendSignal(room=self._room, name=name, payload=payload))

    def drop(self) -> None:
        """Lose the connection."""
        self._node.drop(self._connection)

    def _send(self, command: Command) -> None:
        self._node.send(self._connection, command)

    def _newest(self) -> str:
        posted: list[Message] = [
            event.message
            for event in self._node.received[self._connection]
            if isinstance(event, Posted)
        ]
        return message_id(Position(posted[-1].seq, posted[-1].link))
