"""Chat rooms you install into your own application.

```python
hub = Hub()

async with hub:
    await hub.post("general", "hello", as_=User(UserId("u-alice"), "alice"))
```
"""

from roomkit.core.events import (
    Advanced,
    Event,
    GapTold,
    Message,
    MessageDeleted,
    MessageEdited,
    Moderated,
    OccupancyCounted,
    Posted,
    RosterChanged,
    SignalSent,
    TypingStarted,
    TypingStopped,
    User,
)
from roomkit.core.policy import Action, Policy
from roomkit.errors import (
    CloseCode,
    ErrorCode,
    HubNotRunning,
    Refused,
    RoomkitError,
    SettingsError,
    StoreError,
    TraceError,
    WatcherTooSlow,
)
from roomkit.ids import RoomId, UserId
from roomkit.limits import Limits
from roomkit.runtime import (
    Authenticate,
    Handshake,
    Hub,
    HubStats,
    PostResult,
    PromptTransport,
    RevisionResult,
    RoomEvents,
    Transport,
    TransportClosed,
)
from roomkit.runtime.collector import calm_collector
from roomkit.stores import MemoryStore, SqliteStore, Store

__all__ = [
    "Action",
    "Advanced",
    "Authenticate",
    "CloseCode",
    "ErrorCode",
    "Event",
    "GapTold",
    "Handshake",
    "Hub",
    "HubNotRunning",
    "HubStats",
    "Limits",
    "MemoryStore",
    "Message",
    "MessageDeleted",
    "MessageEdited",
    "Moderated",
    "OccupancyCounted",
    "Policy",
    "PostResult",
    "Posted",
    "PromptTransport",
    "Refused",
    "RevisionResult",
    "RoomEvents",
    "RoomId",
    "RoomkitError",
    "RosterChanged",
    "SettingsError",
    "SignalSent",
    "SqliteStore",
    "Store",
    "StoreError",
    "TraceError",
    "Transport",
    "TransportClosed",
    "TypingStarted",
    "TypingStopped",
    "User",
    "UserId",
    "WatcherTooSlow",
    "calm_collector",
]
