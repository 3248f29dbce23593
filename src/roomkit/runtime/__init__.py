"""What runs the engine: the hub, its transports, timers and the store's lanes."""

from roomkit.runtime.handshake import Authenticate
from roomkit.runtime.hub import Hub
from roomkit.runtime.requests import PostResult, RevisionResult
from roomkit.runtime.stats import HubStats
from roomkit.runtime.transport import (
    Handshake,
    PromptTransport,
    Transport,
    TransportClosed,
)
from roomkit.runtime.watchers import RoomEvents

__all__ = [
    "Authenticate",
    "Handshake",
    "Hub",
    "HubStats",
    "PostResult",
    "PromptTransport",
    "RevisionResult",
    "RoomEvents",
    "Transport",
    "TransportClosed",
]
