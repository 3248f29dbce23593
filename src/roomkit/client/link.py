"""The life of the connection: hello and welcome, heartbeat, close codes, when to come back.

Knows nothing of rooms. It decides what becomes of a connection; who owns it (`Machine`) does what
follows for rooms and messages.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import cast

import msgspec

from roomkit.client.asks import (
    Connect,
    Connectivity,
    Disconnect,
    Output,
    StateChanged,
    Transmit,
)
from roomkit.client.backoff import Backoff
from roomkit.client.deadlines import soonest
from roomkit.client.view_data import Problem, Record, Refusal, text_in, whole_in
from roomkit.errors import CloseCode
from roomkit.limits import Limits

__all__ = ["HANDSHAKE_MS", "PROBE_MS", "STEADY_MS", "Identity", "Link"]

HANDSHAKE_MS = 10_000
"""From beginning to open a connection until `welcome`."""

PROBE_MS = 4_000
"""How long an answer may take after a hint that the network changed."""

STEADY_MS = 5_000
"""A connection that lived this long after `welcome` is no failure: the back-off begins anew."""

_NORMAL = 1000  # RFC 6455, 7.4.1

_OURS: dict[str, int] = msgspec.structs.asdict(Limits())


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """Who we are, to be presented in `hello`.

    Attributes:
        token: who: the host's own, or the `guest_token` the server gave a guest.
        session: which tab: the `session` the server gave.
        username: the name a guest would like.
    """

    token: str | None = None
    session: str | None = None
    username: str | None = None


class Link:
    """One connection at a time.

    Args:
        client: name and version of the program, for the server's logs.
        out: where outputs are appended.

    Attributes:
        problem: why it is stopped or offline, if the server said.
        retry_at: when the next connection is opened, while one is awaited.
        limits: the server's, by name; ours until it has told.
    """

    def __init__(
        self, identity: Identity, client: str, random: Callable[[], float], out: list[Output]
    ) -> None:
        self.identity = identity
        self.state: Connectivity = "offline"
        self.problem: Problem | None = None
        self.retry_at: int | None = None
        self.limits: dict[str, int] = _OURS.copy()
        self._client = client
        self._random = random
        self._backoff = Backoff(random)
        self._out = out
        self._open = False
        self._welcomed_at = 0
        self._heartbeat_ms = self.limits["heartbeat_ms"]
        self._lost_by: int | None = None
        self._move_at: int | None = None
        self._wait_ms: int | None = None

    @property
    def open(self) -> bool:
        """True while frames can come."""
        return self._open

    @property
    def deadline(self) -> int | None:
        """When `tick` has next something to do."""
        return soonest(self._lost_by, self._move_at, self.retry_at)

    def connect(self, now: int, after_ms: int = 0) -> None:
        """Wish for a connection."""
        self._open = False
        self._move_at = None
        self.retry_at = now + after_ms if after_ms else None
        self._lost_by = now + after_ms + HANDSHAKE_MS
        self._enter("offline" if after_ms else "connecting")
        self._out.append(Connect(after_ms))

    def opened(self, now: int) -> None:
        """The connection is open: say hello."""
        self._open = True
        self.retry_at = None
        self._lost_by = now + HANDSHAKE_MS
        self._enter("connecting")
        identity = self.identity
        hello: dict[str, object] = {"protocol": 2, "client": self._client}
        for name in ("token", "session", "username"):
            if (value := getattr(identity, name)) is not None:
                hello[name] = value
        self.transmit("hello", hello)

    def heard(self, now: int) -> None:
        """Something came: whoever sends is alive."""
        if self.state == "online":
            self._lost_by = now + self._heartbeat_ms + self.limits["pong_ms"]

    def welcomed(self, data: Record, now: int) -> None:
        """The server knows us.

        Raises:
            Malformed: it cannot be read.
        """
        session = text_in(data, "session")
        token = text_in(data, "guest_token") if "guest_token" in data else self.identity.token
        self._heartbeat_ms = max(1, whole_in(data, "heartbeat_ms"))
        limits = data.get("limits")
        if isinstance(limits, dict):
            for name, value in cast("Mapping[str, object]", limits).items():
                if isinstance(value, int) and value > 0:
                    self.limits[name] = value
        self.identity = msgspec.structs.replace(self.identity, token=token, session=session)
        self.problem = None
        self._welcomed_at = now
        self._enter("online")
        self.heard(now)

    def declined(self, refusal: Refusal, now: int) -> None:
        """The server refused our `hello`."""
        self.problem = refusal.problem
        if refusal.retryable:
            self._wait_ms = max(refusal.retry_after_ms or 0, self._backoff.next())
            self.give_up(CloseCode.INTERNAL, "hello was refused", now)
        else:
            self.stop(refusal.problem)

    def advised(self, after_ms: int, max_jitter_ms: int, now: int) -> None:
        """The server is about to go: move when it says, sooner or later than it closes."""
        self._move_at = now + after_ms + int(self._random() * max_jitter_ms)

    def closed(self, code: int, now: int) -> None:
        """The connection is over, or could not be opened."""
        if self.state == "online" and now - self._welcomed_at >= STEADY_MS:
            self._backoff.reset()
        if code == CloseCode.SESSION_REPLACED:
            self.identity = msgspec.structs.replace(self.identity, session=None)
        if CloseCode.BAD_PROTOCOL <= code < 5000:
            self._halt(self.problem or Problem(_name_of(code), "the server closed for good"))
        elif self._move_at is not None:
            self.connect(now, max(0, self._move_at - now))
        else:
            wait_ms, self._wait_ms = self._wait_ms, None
            self.connect(now, self._backoff.next() if wait_ms is None else wait_ms)

    def give_up(self, code: int, reason: str, now: int) -> None:
        """Treat the connection as lost, whatever the network believes."""
        self._out.append(Disconnect(int(code), reason))
        self.closed(0, now)

    def stop(self, problem: Problem | None) -> None:
        """Let go, and do not come back."""
        if self.state != "stopped":
            self._out.append(Disconnect(_NORMAL, ""))
        self._halt(problem)

    def hinted(self, now: int) -> None:
        """The network or the person came back: try at once, or see whether anybody is there."""
        if self.state == "online":
            self.transmit("ping", {"t": now})
            self._lost_by = min(self._lost_by or now + PROBE_MS, now + PROBE_MS)
        elif self.retry_at is not None:
            self._backoff.reset()
            self.connect(now)

    def tick(self, now: int) -> None:
        """Do what is due."""
        if self.retry_at is not None and self.retry_at <= now:
            self.retry_at = None
            self._enter("connecting")
        if self._move_at is not None and self._move_at <= now and self._open:
            self.give_up(_NORMAL, "moving, as advised", now)
        elif self._lost_by is not None and self._lost_by <= now:
            self.give_up(CloseCode.HEARTBEAT_TIMEOUT, "nothing was heard for too long", now)

    def transmit(self, kind: str, data: Record) -> None:
        """Send a frame."""
        self._out.append(Transmit({"type": kind, "data": data}))

    def _halt(self, problem: Problem | None) -> None:
        self._open = False
        self.problem = problem
        self.retry_at = self._lost_by = self._move_at = None
        self._backoff.reset()
        self._enter("stopped")

    def _enter(self, state: Connectivity) -> None:
        if state != self.state:
            self.state = state
            self._out.append(StateChanged(state, self.problem))


def _name_of(code: int) -> str:
    try:
        return CloseCode(code).name.lower()
    except ValueError:
        return f"closed_{code}"
