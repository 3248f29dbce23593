"""One step in progress: the state, the clocks, and the effects so far. What every handler is given.

A handler changes the state and emits effects through the turn; it marks a room with `touch` when
its queue may be able to go on, and the engine looks at touched rooms last. Nothing here decides
anything.
"""

from __future__ import annotations

from collections.abc import Callable

from roomkit.core.effects import Answer, Broadcast, Close, Deliver, Effect, Follow, LoadRoom
from roomkit.core.events import Event, Failure
from roomkit.core.inputs import Now
from roomkit.core.pacing import Rate
from roomkit.core.policy import Action, Policy, allow_own
from roomkit.core.state import Connection, Pace, Served, State, UserState, Waiting
from roomkit.errors import CloseCode, ErrorCode, Refused
from roomkit.ids import RoomId
from roomkit.limits import Limits

__all__ = ["Turn", "failure", "release_claim"]

# Named here for every command: a member of an enum is slow to find.
_JOIN = Pace.JOIN
_MODERATE = Action.MODERATE


class Turn:
    """The working context of a step.

    Attributes:
        now: monotonic milliseconds; `wall`: milliseconds since the Unix epoch.
        mint: returns a new unique id; the only source of chance.
        touched: rooms to look at before the step ends.
    """

    __slots__ = (
        "_asks",
        "_policy",
        "effects",
        "emit",
        "frame_rate",
        "join_rate",
        "limits",
        "message_rate",
        "mint",
        "now",
        "state",
        "touched",
        "wall",
    )

    def __init__(
        self, state: State, limits: Limits, mint: Callable[[], str], policy: Policy
    ) -> None:
        self.state = state
        self.limits = limits
        self.mint = mint
        self.frame_rate = Rate.of(limits.frames_per_s, limits.frames_burst)
        self.message_rate = Rate.of(limits.messages_per_s, limits.messages_burst)
        self.join_rate = Rate.of(limits.joins_per_s, limits.joins_burst)
        self._policy = policy
        self._asks = policy is not allow_own
        self.touched: dict[RoomId, Served] = {}
        self.begin(Now(0, 0))

    def begin(self, now: Now) -> None:
        """Start a step: no effects yet."""
        self.now = now.mono
        self.wall = now.wall
        self.effects: list[Effect] = []
        self.emit = self.effects.append

    def touch(self, served: Served) -> None:
        """Look at this room before the step ends."""
        self.touched[served.name] = served

    def serve(self, name: RoomId) -> Served:
        """Return the served room, beginning to load it if this node does not serve it yet."""
        served = self.state.rooms.get(name)
        if served is None:
            served = Served(name, tip_at=self.now, active_at=self.now)
            self.state.rooms[name] = served
            self.emit(Follow(name))
            self.load(served)
        self.touch(served)
        return served

    def load(self, served: Served) -> None:
        """Ask the store for the room."""
        served.loading = True
        self.emit(LoadRoom(served.name))

    def deliver(self, connection: Connection, event: Event) -> None:
        """Send an event to one connection, unless it is being closed."""
        if not connection.closing:
            self.emit(Deliver(connection.id, event))

    def broadcast(self, served: Served, event: Event, protocol: int | None = None) -> None:
        """Send an event to everybody attached and to watchers."""
        if served.members or served.watchers:
            self.emit(Broadcast(served.name, event, (), protocol))

    def close(self, connection: Connection, code: CloseCode, reason: str) -> None:
        """Close a connection once; what it still sends is ignored."""
        if not connection.closing:
            connection.closing = True
            self.emit(Close(connection.id, code, reason))

    def finish(self, served: Served, waiting: Waiting, event: Event | None) -> None:
        """End a waiting command with its one answer (None: it asked for none)."""
        if waiting.answered:
            return
        waiting.answered = True
        if waiting.counted:
            served.counted -= 1
            self.state.waiting -= 1
        if waiting.claim is not None:
            release_claim(waiting)
        if waiting.request is not None:
            if event is not None:
                self.emit(Answer(waiting.request, event))
        elif waiting.connection is not None:
            connection = self.state.connections.get(waiting.connection)
            if connection is not None:
                if waiting.holding:
                    _unhold(connection, served.name)
                if connection.headings and waiting in connection.headings:
                    connection.headings.remove(waiting)
                if event is not None:
                    self.deliver(connection, event)

    def charge(self, waiting: Waiting, user: UserState, pace: Pace) -> None:
        """Charge a command to its user's bucket, which outlives the connection.

        Raises:
            Refused: `rate_limited`.
        """
        joining = pace is _JOIN
        rate = self.join_rate if joining else self.message_rate
        bucket = user.join_bucket if joining else user.message_bucket
        taken = rate.take(bucket, self.now)
        if taken < 0:
            wait = rate.wait_ms(bucket, self.now)
            raise Refused(ErrorCode.RATE_LIMITED, f"too many {pace}s: wait {wait} ms", wait)
        waiting.charged = pace
        if joining:
            user.join_bucket = taken
        else:
            user.message_bucket = taken

    def refuse(self, served: Served, waiting: Waiting, refusal: Refused) -> None:
        """End a waiting command with an error, as if it had never been sent."""
        if waiting.answered:
            return
        if waiting.charged is not None and waiting.session is not None:
            user = waiting.session.user
            if waiting.charged is Pace.JOIN:
                user.join_bucket = self.join_rate.refund(user.join_bucket)
            else:
                user.message_bucket = self.message_rate.refund(user.message_bucket)
        self.finish(served, waiting, failure(refusal, waiting.ref, served.name))

    def may(self, user: UserState, room: RoomId, action: Action) -> bool:
        """Ask the host's policy.

        Raises:
            Refused: `internal`, if the policy itself fails.
        """
        try:
            return self._policy(user.user(), room, action)
        except Exception as error:
            raise Refused(
                ErrorCode.INTERNAL, "the server could not decide whether you may: try again"
            ) from error

    def require(self, user: UserState, room: RoomId, action: Action) -> None:
        """Raise `Refused` (`forbidden`) unless the policy allows it.

        The default policy is not asked what it always allows.
        """
        asks = self._asks or action is _MODERATE
        if asks and not self.may(user, room, action):
            raise Refused(ErrorCode.FORBIDDEN, f"you may not {action} in this room")


def release_claim(waiting: Waiting) -> None:
    """Give up the name a proposed join goes under, if it has one."""
    if waiting.claim is not None and waiting.session is not None:
        user = waiting.session.user
        user.claims -= 1
        waiting.claim = None
        if user.claims == 0:
            user.claimed = None


def _unhold(connection: Connection, room: RoomId) -> None:
    left = connection.busy.get(room, 0) - 1
    if left > 0:
        connection.busy[room] = left
    else:
        connection.busy.pop(room, None)


def failure(refusal: Refused, ref: str | None, room: str | None) -> Failure:
    """Return the event a refusal is told as."""
    return Failure(refusal.code, refusal.message, ref, room, refusal.retry_after_ms)
