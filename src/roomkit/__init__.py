"""Chat rooms you install into your own application.

```python
hub = Hub()

async with hub:
    await hub.post("general", "hello", as_=User(UserId("u-alice"), "alice"))
```
"""

from roomkit.core.events import User
from roomkit.core.policy import Action, Policy
from roomkit.errors import (
    CloseCode,
    ErrorCode,
    HubNotRunning,
    Refused,
    RoomkitError,
    SettingsError,
    StoreError,
    WatcherTooSlow,
)
from roomkit.ids import UserId
from roomkit.limits import Limits
from roomkit.runtime import (
    Handshake,
    Hub,
    HubStats,
    PostResult,
    RoomEvents,
    Transport,
    TransportClosed,
)
from roomkit.stores import MemoryStore, Store

__all__ = [
    "Action",
    "CloseCode",
    "ErrorCode",
    "Handshake",
    "Hub",
    "HubNotRunning",
    "HubStats",
    "Limits",
    "MemoryStore",
    "Policy",
    "PostResult",
    "Refused",
    "RoomEvents",
    "RoomkitError",
    "SettingsError",
    "Store",
    "StoreError",
    "Transport",
    "TransportClosed",
    "User",
    "UserId",
    "WatcherTooSlow",
]
