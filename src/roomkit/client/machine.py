"""The protocol of a client, without a socket: inputs in, instructions out, one view.

```python
machine = Machine(username="alice", random=random.random, mint=new_key)
outputs = machine.ask(Join("general"), now) + machine.start(now)
```

Each call says what happened and when, and returns what to do about it, in order. The shell owns a
socket and one timer: it performs `Transmit`, `Connect` and `Disconnect`, calls `tick` at
`next_deadline` and hands the rest to the application. `now` is any clock in ms that never goes
back. Randomness and keys are given from outside, so that a run can be repeated.

The rules are on the page "Writing a client"; the vectors in `roomkit/client/vectors` hold them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import msgspec

from roomkit.client import asks
from roomkit.client.asks import Ask, Connectivity, Output
from roomkit.client.deadlines import soonest
from roomkit.client.link import Identity, Link
from roomkit.client.rooms import Rooms
from roomkit.client.traffic import Traffic
from roomkit.client.view import apply, cut, expired, typing_until
from roomkit.client.view_data import Malformed, Problem, Record, View, refusal_in, text_in, whole_in
from roomkit.errors import CloseCode

__all__ = ["Machine"]

_DECODER = msgspec.json.Decoder(dict[str, object])


class Machine:
    """One client: a connection that comes back, and the rooms it is to be in.

    Args:
        token: who: the host's token, or a guest's from an earlier `identity`.
        session: which tab, from an earlier `identity`; not to be used by two clients at once.
        username: the name a guest would like.
        client: name and version of the program, for the server's logs.
        random: gives numbers from 0 up to, not including, 1.
        mint: gives a new idempotency key each time: random, at most 64 characters.
    """

    def __init__(
        self,
        *,
        random: Callable[[], float],
        mint: Callable[[], str],
        token: str | None = None,
        session: str | None = None,
        username: str | None = None,
        client: str = "roomkit-python",
    ) -> None:
        self._out: list[Output] = []
        identity = Identity(token=token, session=session, username=username)
        self._link = Link(identity, client, random, self._out)
        self._traffic = Traffic(self._link, self._out)
        self._rooms = Rooms(self._traffic, random, mint)

    @property
    def view(self) -> View:
        """What is known now."""
        return self._traffic.view

    @property
    def state(self) -> Connectivity:
        """How the client stands to the server."""
        return self._link.state

    @property
    def problem(self) -> Problem | None:
        """Why it is stopped or offline, if the server said."""
        return self._link.problem

    @property
    def retry_at(self) -> int | None:
        """When the next connection is opened, while the state is offline; else None."""
        return self._link.retry_at

    @property
    def identity(self) -> Identity:
        """What to present to be the same again; the secrets change with each `welcome`."""
        return self._link.identity

    @property
    def limits(self) -> dict[str, int]:
        """The server's limits by name; the defaults until it has told its own."""
        return self._link.limits

    @property
    def next_deadline(self) -> int | None:
        """When to call `tick`, None if never; to be read after every call."""
        return soonest(self._link.deadline, self._rooms.deadline, typing_until(self.view))

    # The connection

    def start(self, now: int) -> list[Output]:
        """Connect, for the first time or after having stopped; else nothing happens."""
        if self.state == "stopped" or (self.state == "offline" and self.retry_at is None):
            self._link.problem = None
            self._link.connect(now)
        return self._taken()

    def present(self, token: str | None) -> None:
        """Say hello with this token from the next connection on."""
        self._link.identity = msgspec.structs.replace(self._link.identity, token=token)

    def opened(self, now: int) -> list[Output]:
        """The connection that was wished for is open."""
        self._link.opened(now)
        return self._taken()

    def received(self, frame: str | bytes, now: int) -> list[Output]:
        """A message came. What no roomkit server sends ends the connection (4500)."""
        if self._link.open:
            self._link.heard(now)
            try:
                self._received(_DECODER.decode(frame), now)
            except (Malformed, msgspec.DecodeError, RecursionError) as error:
                reason = str(error) if isinstance(error, Malformed) else "a frame is no JSON object"
                self._lost(lambda: self._link.give_up(CloseCode.BAD_PROTOCOL, reason, now))
        return self._taken()

    def closed(self, code: int, now: int) -> list[Output]:
        """The connection is over, or could not be opened (1006)."""
        if self.state != "stopped":
            self._lost(lambda: self._link.closed(code, now))
        return self._taken()

    def hint(self, now: int) -> list[Output]:
        """The network may be back, or a person looks: do not wait for a long timer."""
        self._link.hinted(now)
        return self._taken()

    def stop(self, now: int) -> list[Output]:
        """Leave the rooms, close, and do not come back until `start`."""
        if self.state == "online":
            self._rooms.leave_all()
        self._lost(lambda: self._link.stop(None))
        return self._taken()

    def tick(self, now: int) -> list[Output]:
        """Do what is due; early or twice is harmless."""
        due = self._link.deadline
        if due is not None and due <= now:
            self._lost(lambda: self._link.tick(now))
        self._traffic.view = expired(self.view, now)
        self._rooms.tick(now)
        return self._taken()

    # The application

    def ask(self, ask: Ask, now: int, ticket: int | None = None) -> list[Output]:
        """Ask for something.

        Args:
            ticket: comes back in `Answered` or `Rejected`, exactly once; without one there is
                neither.
        """
        if self.state == "stopped" and not isinstance(ask, asks.Join | asks.Leave | asks.Discard):
            self._traffic.reject(ticket, self.problem or asks.STOPPED)
        else:
            self._rooms.ask(ask, now, ticket)
        return self._taken()

    # Frames

    def _received(self, frame: Record, now: int) -> None:
        kind, data = text_in(frame, "type"), frame.get("data")
        if not isinstance(data, dict):
            raise Malformed("data must be an object")
        told = cast("Record", data)
        match kind:
            case "ping":
                self._link.transmit("pong", {"t": told["t"]} if "t" in told else {})
            case "pong":
                pass
            case "reconnect":
                after_ms, jitter_ms = whole_in(told, "after_ms"), whole_in(told, "max_jitter_ms")
                self._link.advised(after_ms, jitter_ms, now)
            case "welcome":
                self._traffic.view = apply(self.view, frame, now)
                self._link.welcomed(told, now)
                self._rooms.welcomed()
            case _ if self.state == "online":
                self._rooms.received(frame, kind, told, now)
            case "error":
                refusal = refusal_in(told)
                self._lost(lambda: self._link.declined(refusal, now))
            case _:
                pass

    def _lost(self, act: Callable[[], None]) -> None:
        """Do what may end the connection, and what follows for the rooms if it did."""
        was_online = self.state == "online"
        act()
        if was_online and self.state != "online":
            self._traffic.view = cut(self.view)
            self._rooms.cut()
        if self.state == "stopped":
            self._rooms.stop(self.problem or asks.STOPPED)

    def _taken(self) -> list[Output]:
        taken = self._out.copy()
        self._out.clear()
        return taken
