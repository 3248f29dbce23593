"""A chat client that comes back by itself, for asyncio and trio.

```python
async with connect("ws://localhost:8000/ws", username="alice") as chat:
    room = chat.room("general")
    await room.send("hello")
    async for event in room:
        print(event.type, event.data)
```

`roomkit.client.view` and `roomkit.client.machine` are the same client without a socket; they need
no extra.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from roomkit.client.errors import ChatStopped, Disconnected, MessageNotSent, ReaderTooSlow
from roomkit.client.events import Event, RoomEvents
from roomkit.client.link import Identity
from roomkit.client.machine import Machine
from roomkit.client.room import HistoryPage, Room, UsersPage
from roomkit.client.view_data import Message, Occupant, Pending, Problem, RoomView, Typing, View

if TYPE_CHECKING:
    from roomkit.client.chat import Chat, Token, connect

__all__ = [
    "Chat",
    "ChatStopped",
    "Disconnected",
    "Event",
    "HistoryPage",
    "Identity",
    "Machine",
    "Message",
    "MessageNotSent",
    "Occupant",
    "Pending",
    "Problem",
    "ReaderTooSlow",
    "Room",
    "RoomEvents",
    "RoomView",
    "Token",
    "Typing",
    "UsersPage",
    "View",
    "connect",
]


def __getattr__(name: str) -> object:
    """Import what needs the websockets library when it is asked for."""
    if name in ("Chat", "Token", "connect"):
        from roomkit.client import chat

        return getattr(chat, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
