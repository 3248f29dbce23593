"""Who is sent what, and in which order: room-batched.

What one loop tick has for a room is encoded once per protocol, gathered, and framed and written to
every member as one shared batch when the tick ends (or at 64 KiB): past the outbox of whoever has
nothing waiting, which is nearly everybody, into that of the others. Whoever has something private
in between first takes their share of what is gathered so far, and is left a cursor: at the end of
the tick they are given the rest. So each connection sees, room by room, exactly the order the
engine spoke in; only what two rooms say within one tick may change places.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence

from roomkit.ids import ConnectionId, RoomId
from roomkit.runtime.batches import Batch, Grade, seal
from roomkit.runtime.outbox import PROMPT_BYTES, Outbox

__all__ = ["BATCH_BYTES", "FanOut"]

BATCH_BYTES = 64 * 1024
"""What is gathered for a room is handed out at this size, not only when the tick ends."""


class _Gathering:
    """What this tick has for one room, in one protocol, so far."""

    __slots__ = ("ends", "ephemeral", "frames", "grades")

    def __init__(self) -> None:
        self.frames: list[bytes] = []
        self.grades: list[Grade] = []
        self.ends = [0]
        self.ephemeral = False

    @property
    def size(self) -> int:
        return self.ends[-1]

    def add(self, frames: Iterable[bytes], grade: Grade) -> None:
        for frame in frames:
            self.frames.append(frame)
            self.grades.append(grade)
            self.ends.append(self.ends[-1] + len(frame))
        if grade is not Grade.DURABLE:
            self.ephemeral = True

    def since(self, start: int) -> Batch:
        """Return the frames from `start` on, apart from what is gathered later."""
        return Batch(
            self.frames[start:],
            self.ends[-1] - self.ends[start],
            self.grades[start:] if self.ephemeral else None,
        )


class _Stream:
    """The members of one room who speak one protocol, and what is gathered for them.

    Attributes:
        lines: all of them.
        writes: how to write to those who have nothing waiting and no cursor.
        others: the rest.
        cursors: how much of the gathering a member has had or must not get; others begin at 0.
    """

    __slots__ = ("cursors", "gathering", "lines", "others", "writes")

    def __init__(self) -> None:
        self.lines: dict[ConnectionId, _Line] = {}
        self.writes: dict[ConnectionId, Callable[[bytes], object]] = {}
        self.others: dict[ConnectionId, _Line] = {}
        self.gathering: _Gathering | None = None
        self.cursors: dict[ConnectionId, int] = {}

    def add(self, line: _Line) -> None:
        """Take a member in; what is gathered so far is not for it."""
        self.lines[line.connection] = line
        self.pass_over(line)
        self.place(line)

    def remove(self, line: _Line) -> None:
        """Let a member go."""
        name = line.connection
        del self.lines[name]
        self.writes.pop(name, None)
        self.others.pop(name, None)
        self.cursors.pop(name, None)

    def place(self, line: _Line) -> None:
        """Find out anew whether a member can be written to at once."""
        name, write = line.connection, line.outbox.write
        if line.outbox.clear and write is not None and name not in self.cursors:
            self.others.pop(name, None)
            self.writes[name] = write
        else:
            self.writes.pop(name, None)
            self.others[name] = line

    def settle(self, line: _Line) -> None:
        """Give one member its share of what is gathered."""
        if self.gathering is not None:
            start = self.cursors.get(line.connection, 0)
            if start < len(self.gathering.frames):
                line.outbox.push(self.gathering.since(start))
            self.pass_over(line)

    def pass_over(self, line: _Line) -> None:
        """Keep what is gathered so far from one member."""
        if self.gathering is not None:
            self.cursors[line.connection] = len(self.gathering.frames)
            self.place(line)

    def hand_out(self, later: dict[ConnectionId, Outbox]) -> int:
        """Give every member the rest, and return how many frames were written at once.

        Args:
            later: whose outboxes are to be flushed when the tick ends; those who have something in
                theirs are put there.
        """
        gathering, cursors = self.gathering, self.cursors
        if gathering is None:
            return 0
        batch, written = gathering.since(0), 0
        others = list(self.others.items())  # before those written to join them
        if batch.size <= PROMPT_BYTES:
            written = self._write(batch, later)
        else:
            for name in list(self.writes):
                _queue(self.lines[name], batch, later)
        for name, line in others:
            start = cursors.get(name, 0)
            if start < len(batch.frames):
                _queue(line, gathering.since(start) if start else batch, later)
        self.gathering = None
        if cursors:
            self.cursors = {}
            for name in cursors:
                self.place(self.lines[name])
        return written * len(batch.frames)

    def _write(self, batch: Batch, later: dict[ConnectionId, Outbox]) -> int:
        """Write to everybody who can be written to at once; return to how many."""
        data, writes = batch.framed, list(self.writes.values())
        failed: list[Callable[[bytes], object]] = []
        for write in writes:
            try:
                write(data)
            except Exception:  # noqa: BLE001 - its writer will meet the same, and deal with it
                failed.append(write)
        if failed:
            for name in [name for name, write in self.writes.items() if write in failed]:
                _queue(self.lines[name], batch, later)
        return len(writes) - len(failed)


def _queue(line: _Line, batch: Batch, later: dict[ConnectionId, Outbox]) -> None:
    line.outbox.push(batch)
    later[line.connection] = line.outbox


class _Line:
    """One connection: its outbox, its protocol, and where it is attached."""

    __slots__ = ("connection", "outbox", "protocol", "streams")

    def __init__(self, connection: ConnectionId, outbox: Outbox) -> None:
        self.connection = connection
        self.outbox = outbox
        self.protocol = 1
        self.streams: dict[RoomId, _Stream] = {}
        outbox.told = self._told

    def settle(self) -> None:
        for stream in self.streams.values():
            if stream.gathering is not None:
                stream.settle(self)

    def _told(self, clear: bool) -> None:
        for stream in self.streams.values():
            stream.place(self)


class FanOut:
    """Every connection's place in every room. Unknown ones are ignored: they have just gone.

    Attributes:
        delivered: frames written at once, past the outboxes.
    """

    def __init__(self) -> None:
        self.delivered = 0
        self._lines: dict[ConnectionId, _Line] = {}
        self._rooms: dict[RoomId, dict[int, _Stream]] = {}
        self._gathered: list[_Stream] = []
        self._private: dict[ConnectionId, Outbox] = {}

    @property
    def rooms(self) -> int:
        """Rooms with a connection attached."""
        return len(self._rooms)

    @property
    def dirty(self) -> bool:
        """True if `flush` has something to do."""
        return bool(self._gathered or self._private)

    def add(self, connection: ConnectionId, outbox: Outbox) -> None:
        """Know a connection; it speaks protocol 1 until `speaks` says otherwise."""
        self._lines[connection] = _Line(connection, outbox)

    def speaks(self, connection: ConnectionId, protocol: int) -> None:
        """Set the protocol of a connection that is attached nowhere yet."""
        self._lines[connection].protocol = protocol

    def protocol_of(self, connection: ConnectionId) -> int | None:
        """Return the protocol of a connection, or None if it is gone."""
        line = self._lines.get(connection)
        return None if line is None else line.protocol

    def remove(self, connection: ConnectionId) -> bool:
        """Forget a connection; what is not in its outbox is dropped. False if it was unknown."""
        self._private.pop(connection, None)
        line = self._lines.pop(connection, None)
        if line is None:
            return False
        for room in list(line.streams):
            self._leave(line, room)
        return True

    def attach(self, connection: ConnectionId, room: RoomId) -> None:
        """Send the room's frames from here on."""
        line = self._lines.get(connection)
        if line is None or room in line.streams:
            return
        streams = self._rooms.setdefault(room, {})
        stream = streams.setdefault(line.protocol, _Stream())
        line.streams[room] = stream
        stream.add(line)

    def detach(self, connection: ConnectionId, room: RoomId) -> None:
        """Send the room's frames up to here."""
        line = self._lines.get(connection)
        if line is not None and room in line.streams:
            self.settle(connection)
            self._leave(line, room)

    def deliver(self, connection: ConnectionId, frames: Sequence[bytes], grade: Grade) -> None:
        """Queue private frames, after everything of the connection's rooms so far."""
        line = self._lines.get(connection)
        if line is not None and frames:
            self.settle(connection)
            line.outbox.push(seal(frames, grade))

    def settle(self, connection: ConnectionId) -> None:
        """Queue what the connection's rooms have for it so far."""
        line = self._lines.get(connection)
        if line is not None:
            self._private[connection] = line.outbox
            if self._gathered:
                line.settle()

    def protocols(self, room: RoomId) -> tuple[int, ...]:
        """Return the protocols spoken in a room: what an event must be encoded for."""
        return tuple(self._rooms.get(room, ()))

    def members(self, room: RoomId, protocol: int) -> tuple[ConnectionId, ...]:
        """Return who in a room speaks a protocol."""
        stream = self._rooms.get(room, {}).get(protocol)
        return () if stream is None else tuple(stream.lines)

    def broadcast(
        self,
        room: RoomId,
        protocol: int,
        frames: Sequence[bytes],
        grade: Grade,
        without: Collection[ConnectionId] = (),
    ) -> None:
        """Queue frames for everybody attached to the room who speaks the protocol, but those."""
        stream = self._rooms.get(room, {}).get(protocol)
        if stream is None or not frames:
            return
        if stream.gathering is None:
            stream.gathering = _Gathering()
            self._gathered.append(stream)
        left_out = [line for name in without if (line := stream.lines.get(name)) is not None]
        for line in left_out:
            stream.settle(line)
            self._private[line.connection] = line.outbox
        stream.gathering.add(frames, grade)
        for line in left_out:
            stream.pass_over(line)
        if stream.gathering.size >= BATCH_BYTES:
            self.delivered += stream.hand_out(self._private)

    def flush(self) -> None:
        """End the tick: everybody gets the rest of their share, and it is written."""
        gathered, self._gathered = self._gathered, []
        private, self._private = self._private, {}
        for stream in gathered:
            self.delivered += stream.hand_out(private)
        for outbox in private.values():
            outbox.flush()

    def _leave(self, line: _Line, room: RoomId) -> None:
        stream = line.streams.pop(room)
        stream.remove(line)
        if not stream.lines:
            streams = self._rooms[room]
            del streams[line.protocol]
            if not streams:
                del self._rooms[room]
