"""What the engine has to say, on its way into outboxes: encoded, graded, in the engine's order."""

from __future__ import annotations

from collections.abc import Iterator

from roomkit.core.effects import Attach, Broadcast, Close, Deliver, Detach
from roomkit.core.events import (
    Event,
    OccupancyCounted,
    SignalSent,
    TypingStarted,
    TypingStopped,
    Welcomed,
)
from roomkit.errors import CloseCode
from roomkit.ids import ConnectionId
from roomkit.limits import Limits
from roomkit.runtime.batches import Grade
from roomkit.runtime.complaints import Complaints
from roomkit.runtime.connection import Connection
from roomkit.runtime.fanout import FanOut
from roomkit.runtime.handshake import Identities
from roomkit.runtime.watchers import Watchers
from roomkit.wire import Codec

__all__ = ["Deliveries", "grade_of"]

_GRADES: dict[type, Grade] = {
    TypingStarted: Grade.TYPING,
    TypingStopped: Grade.TYPING,
    OccupancyCounted: Grade.OCCUPANCY,
    SignalSent: Grade.SIGNAL,
}


class Deliveries:
    """The connections of a hub, where they are attached, and what they are sent.

    What cannot be encoded ends every connection that was to get it (4004): a frame left out would
    be a hole nobody is told of.

    Attributes:
        durability: as clients are told it.
    """

    def __init__(
        self, limits: Limits, identities: Identities, durability: str, complaints: Complaints
    ) -> None:
        self.codec = Codec(limits)
        self.watchers = Watchers()
        self._identities = identities
        self.durability = durability
        self._complaints = complaints
        self._connections: dict[ConnectionId, Connection] = {}
        self._fanout = FanOut()

    def __len__(self) -> int:
        return len(self._connections)

    def __iter__(self) -> Iterator[Connection]:
        return iter(tuple(self._connections.values()))

    @property
    def rooms(self) -> int:
        """Rooms with a connection attached."""
        return self._fanout.rooms

    @property
    def pending(self) -> bool:
        """True if `flush` has something to hand out."""
        return self._fanout.dirty

    @property
    def delivered(self) -> int:
        """Frames written past the outboxes."""
        return self._fanout.delivered

    def add(self, connection: Connection) -> None:
        """Know a connection; it speaks protocol 1 until `speaks` says otherwise."""
        self._connections[connection.id] = connection
        self._fanout.add(connection.id, connection.outbox)

    def speaks(self, connection: ConnectionId, protocol: int) -> None:
        """Set the protocol of a connection that is in no room yet."""
        self._fanout.speaks(connection, protocol)

    def remove(self, connection: ConnectionId) -> bool:
        """Send a connection nothing more but what is in its outbox. False if that was so before."""
        return self._fanout.remove(connection)

    def forget(self, connection: ConnectionId) -> None:
        """Know it no longer."""
        self._connections.pop(connection, None)

    def flush(self) -> None:
        """End the tick."""
        self._fanout.flush()

    def give_up(self, connection: ConnectionId) -> None:
        """End a connection that cannot be served any more."""
        found = self._connections.get(connection)
        if found is not None:
            self._fanout.settle(connection)
            found.end(CloseCode.INTERNAL, "internal error: come back")

    # Effects

    def deliver(self, effect: Deliver) -> None:
        """Queue an event for one connection."""
        connection, event = effect.connection, effect.event
        protocol = self._fanout.protocol_of(connection)
        if protocol is None:
            return
        try:
            if isinstance(event, Welcomed):
                frames: tuple[bytes, ...] = (self._welcome(connection, event),)
            else:
                frames = self.codec.encode(event, protocol)
        except Exception as error:  # noqa: BLE001 - any failure ends this connection only
            self._complaints.bug("encode", "an event could not be encoded", error)
            self.give_up(connection)
            return
        self._fanout.deliver(connection, frames, grade_of(event))

    def broadcast(self, effect: Broadcast) -> None:
        """Queue an event for everybody in its room, and for its watchers."""
        room, event, only = effect.room, effect.event, effect.protocol
        grade = grade_of(event)
        for protocol in self._fanout.protocols(room):
            if only is not None and only != protocol:
                continue
            try:
                frames = self.codec.encode(event, protocol)
            except Exception as error:  # noqa: BLE001 - any failure ends these connections only
                self._complaints.bug("encode", "an event could not be encoded", error)
                for connection in self._fanout.members(room, protocol):
                    self.give_up(connection)
                continue
            self._fanout.broadcast(room, protocol, frames, grade, effect.without)
        if only is None:
            self.watchers.offer(room, event)

    def attach(self, effect: Attach) -> None:
        """Send a connection the room's broadcasts from here on."""
        self._fanout.attach(effect.connection, effect.room)

    def detach(self, effect: Detach) -> None:
        """Send a connection the room's broadcasts up to here."""
        self._fanout.detach(effect.connection, effect.room)

    def close(self, effect: Close) -> None:
        """Close a connection after what it has been sent so far."""
        connection = self._connections.get(effect.connection)
        if connection is not None:
            self._fanout.settle(effect.connection)
            connection.end(effect.code, effect.reason)

    def _welcome(self, connection: ConnectionId, event: Welcomed) -> bytes:
        identities = self._identities
        return self.codec.encode_welcome(
            event,
            connection_id=connection,
            session_token=identities.session_token(event.session, event.user),
            guest_token=identities.guest_token(event.user),
            durability=self.durability,
            features=(),
        )


def grade_of(event: Event) -> Grade:
    """Return what an event's frames are worth while they wait."""
    return _GRADES.get(type(event), Grade.DURABLE)
