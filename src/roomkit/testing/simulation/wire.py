"""One websocket as the network has it: frames under way both ways, and what waits to be written.

What waits in the server is the real `Outbox`, and a prompt wire is written to past it. Beyond it
comes what the sockets and the network hold (`WINDOW_BYTES` and no more), which is lost if the
connection is cut.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Protocol, cast

from roomkit.ids import ConnectionId
from roomkit.limits import Limits
from roomkit.runtime.outbox import Outbox
from roomkit.runtime.transport import PromptTransport
from roomkit.testing.simulation.agenda import Agenda
from roomkit.testing.unframing import texts_in

__all__ = ["WINDOW_BYTES", "Far", "Near", "Wire"]

WINDOW_BYTES = 1_500
"""What sockets and network hold one way; a longer frame goes when they are empty."""


class Near(Protocol):
    """The server's end."""

    def heard(self, wire: Wire, frame: str) -> None:
        """A frame arrived."""
        ...

    def hung_up(self, wire: Wire) -> None:
        """The connection is over, as far as the server can see."""
        ...

    def overflowed(self, wire: Wire) -> None:
        """More than the hard limit waits."""
        ...


class Far(Protocol):
    """The client's end."""

    def hear(self, frame: bytes) -> None:
        """A frame arrived."""
        ...

    def hang_up(self, code: int) -> None:
        """The connection is over, as far as the client can see."""
        ...


class Wire:
    """A connection between a node and a client.

    Attributes:
        protocol: 0 until the first frame that makes sense.
        stalled: the client does not read.
        dead: nothing arrives any more, and nobody was told.
        near_over, far_over: the server, the client knows that it is over.
    """

    __slots__ = (
        "_agenda",
        "_changed",
        "_code",
        "_down",
        "_down_bytes",
        "_far",
        "_kept",
        "_latency",
        "_near",
        "_ping_ms",
        "_up",
        "_writing",
        "dead",
        "far_over",
        "id",
        "near_over",
        "outbox",
        "protocol",
        "stalled",
    )

    def __init__(
        self,
        connection: ConnectionId,
        agenda: Agenda,
        limits: Limits,
        ends: tuple[Near, Far],
        latency: int,
        *,
        prompt: bool,
    ) -> None:
        self.id = connection
        self._changed: Callable[[bool], None] | None = None
        self.outbox = Outbox(
            limits,
            lambda: self._near.overflowed(self),
            lambda: None,  # whoever flushes it pumps
            cast(PromptTransport, self) if prompt else None,
        )
        self.protocol = 0
        self.stalled = self.dead = self.near_over = self.far_over = False
        self._agenda = agenda
        self._near, self._far = ends
        self._latency = latency
        self._ping_ms = 2 * limits.websocket_ping_ms
        self._up: deque[tuple[int, str]] = deque()
        self._down: deque[tuple[int, bytes]] = deque()
        self._down_bytes = 0
        self._writing: Sequence[bytes] = ()
        self._kept: Sequence[bytes] = ()
        self._code: int | None = None

    # From the client

    def send(self, frame: str) -> None:
        """The client sends a frame."""
        if not self.dead:
            self._up.append((self._agenda.now + self._latency, frame))
            self._later(self._arrive_up)

    def leave(self) -> None:
        """The client closes, after what it has sent."""
        self.far_over = True
        self._down.clear()
        if not self.dead:
            self._later(self._left)

    # From the server

    def watch(self, changed: Callable[[bool], None]) -> bool:
        """See `PromptTransport`."""
        self._changed = changed
        return True

    def write(self, framed: bytes, /) -> None:
        """See `PromptTransport`; what the network does not take is kept back."""
        assert not self._kept and not self._writing, "written to while something is kept back"
        self._writing = list(texts_in(framed))
        if not self._passed_on():
            self._kept, self._writing = self._writing, ()
            self._tell(False)

    def pump(self) -> None:
        """Write what waits, as far as the network takes it."""
        while not self.near_over and not self._kept:
            if self._writing:
                if not self._passed_on():
                    return
                self.outbox.sent()
            self._writing = self.outbox.take()
            if not self._writing:
                if self._code is not None:
                    self._near.hung_up(self)
                else:
                    self.outbox.rest()
                return

    def _passed_on(self) -> bool:
        """Hand what is being written to the network; False if it does not take it yet."""
        size = sum(map(len, self._writing))
        if self._down_bytes and self._down_bytes + size > WINDOW_BYTES:
            return False
        self._carry(self._writing, size)
        self._writing = ()
        return True

    def _tell(self, taken: bool) -> None:
        if self._changed is not None:
            self._changed(taken)

    def close(self, code: int, give_up_ms: int) -> None:
        """The server closes, after what waits; if that is not gone in time, without it."""
        if self._code is None:
            self._code = code
            self.outbox.seal()
            self._agenda.at(self._agenda.now + give_up_ms, self._give_up)
            self.pump()

    def break_off(self, code: int) -> None:
        """The server closes at once; what waits is dropped."""
        if self._code is None:
            self._code = code
        self._give_up()

    def ended(self) -> None:
        """The server is done with it: the client hears of that after what is under way."""
        if not self.near_over:
            self.near_over = True
            self.outbox.release()
            self._writing = self._kept = ()
            if not self.dead:
                self._later(self._arrive_down)

    # What the network does

    def cut(self, down: int, up: int, told: tuple[bool, bool]) -> None:
        """Break it: so many frames of those under way still arrive; the rest is lost.

        Args:
            told: whether the client, whether the server hears of it now.
        """
        self.dead = True
        for _ in range(min(down, len(self._down))):
            if not self.far_over:
                self._far.hear(self._down.popleft()[1])
        for _ in range(min(up, len(self._up))):
            if not self.near_over:
                self._near.heard(self, self._up.popleft()[1])
        self._up.clear()
        self._down.clear()
        if told[0] and not self.far_over:
            self.far_over = True
            self._far.hang_up(1006)
        if told[1] and not self.near_over:
            self._near.hung_up(self)
        self._agenda.at(self._agenda.now + self._ping_ms, self._noticed)

    def read_on(self) -> None:
        """The client reads again."""
        self.stalled = False
        self._arrive_down()

    @property
    def under_way(self) -> tuple[int, int]:
        """Frames on their way to the client, and to the server."""
        return len(self._down), len(self._up)

    def _later(self, call: Callable[[], None]) -> None:
        self._agenda.at(self._agenda.now + self._latency, call)

    def _carry(self, frames: Sequence[bytes], size: int) -> None:
        self._down_bytes += size
        if not self.dead:
            arrival = self._agenda.now + self._latency
            for frame in frames:
                self._down.append((arrival, frame))
            self._later(self._arrive_down)

    def _arrive_up(self) -> None:
        up, now = self._up, self._agenda.now
        while up and up[0][0] <= now and not self.near_over:
            self._near.heard(self, up.popleft()[1])

    def _left(self) -> None:
        if not self.near_over and not self.dead:
            self._near.hung_up(self)

    def _arrive_down(self) -> None:
        if self.stalled:
            return
        down, now = self._down, self._agenda.now
        while down and down[0][0] <= now and not self.far_over:
            frame = down.popleft()[1]
            self._down_bytes -= len(frame)
            self._far.hear(frame)
        if self._kept and not self.near_over:
            self._writing, self._kept = self._kept, ()
            if self._passed_on():
                self._tell(True)
                self.pump()
            else:
                self._kept, self._writing = self._writing, ()
        elif self._writing:
            self.pump()
        if self.near_over and not down and not self.far_over and not self.stalled:
            self.far_over = True
            self._far.hang_up(1006 if self._code is None else self._code)

    def _noticed(self) -> None:
        """No pong came: the websocket's own ping tells both ends."""
        if not self.far_over:
            self.far_over = True
            self._far.hang_up(1006)
        if not self.near_over:
            self._near.hung_up(self)

    def _give_up(self) -> None:
        if not self.near_over:
            self.outbox.drop()
            self._near.hung_up(self)
