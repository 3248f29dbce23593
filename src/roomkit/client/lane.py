"""What is on its way to the server in one room: the join, and the outbox.

Messages go in order, one unanswered at a time, each with an idempotency key. After a cut, or an
error that may pass, the same message goes again with the same key, so none is lost, none is shown
twice and none overtakes another. So does one that the room shows, until it is acknowledged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from roomkit.client.asks import Join
from roomkit.client.backoff import Backoff
from roomkit.client.deadlines import soonest
from roomkit.client.view_data import Pending, RoomView

__all__ = ["OUTBOX_LIMIT", "Lane", "unsent"]

OUTBOX_LIMIT = 1_000
"""Messages of one room that may wait to be sent."""


class Lane:
    """One room's traffic. What it carries is in the room's view; here is how far it got.

    Attributes:
        wanted: how to join, while the application wants to be there; else None.
        join_at: when to ask for the join again after an error; None if it is not awaited.
        joining: ref of the join that is unanswered; else None.
        replaced: after `room_gap`: a snapshot follows by itself.
        sending: key of the message that is unanswered.
        send_at: when to send again after an error; None if there is nothing to wait for.
        tried: keys that may have reached the server.
        tickets: of those who wait for a message, by key.
    """

    def __init__(self, random: Callable[[], float]) -> None:
        self.wanted: Join | None = None
        self.join_at: int | None = None
        self.joining: str | None = None
        self.replaced = False
        self.sending: str | None = None
        self.send_at: int | None = None
        self.tried: set[str] = set()
        self.tickets: dict[str, int] = {}
        self._join_backoff = Backoff(random)
        self._send_backoff = Backoff(random)

    def cut(self) -> None:
        """Nothing is unanswered any more."""
        self.join_at = self.send_at = self.sending = None
        self.joining, self.replaced = None, False

    def joined(self) -> None:
        """The room is there."""
        self.join_at = None
        self.joining, self.replaced = None, False
        self._join_backoff.reset()

    def join_later(self, retry_after_ms: int | None, now: int) -> None:
        """The join was refused for now."""
        self.joining = None
        wait = self._join_backoff.next()
        self.join_at = now + (wait if retry_after_ms is None else retry_after_ms)

    def next(self, room: RoomView, now: int) -> Pending | None:
        """Return the message to send now, and take it for sent."""
        if self.sending is not None or (self.send_at is not None and self.send_at > now):
            return None
        self.send_at = None
        pending = next(unsent(room), None)
        if pending is not None:
            self.sending = pending.key
            self.tried.add(pending.key)
        return pending

    def sent(self) -> None:
        """The unanswered message was answered for good."""
        self.sending = self.send_at = None
        self._send_backoff.reset()

    def send_later(self, retry_after_ms: int | None, now: int) -> None:
        """The unanswered message was refused for now."""
        self.sending = None
        wait = self._send_backoff.next()
        self.send_at = now + (wait if retry_after_ms is None else retry_after_ms)

    def overdue(self, room: RoomView, ttl_ms: int, now: int) -> set[str]:
        """Return the keys of messages that waited too long and are not unanswered now."""
        return {
            pending.key
            for pending in unsent(room)
            if pending.key != self.sending and pending.at + ttl_ms <= now
        }

    def deadline(self, room: RoomView, ttl_ms: int) -> int | None:
        """When this lane has next something to do."""
        overdue = send_at = None
        for pending in unsent(room):
            if pending.key != self.sending:
                overdue = pending.at + ttl_ms
                send_at = self.send_at if room.state == "joined" else None
                break
        return soonest(self.join_at, send_at, overdue)


def unsent(room: RoomView) -> Iterator[Pending]:
    """Yield what is not acknowledged yet, in sending order."""
    yield from room.unconfirmed
    for pending in room.pending:
        if pending.state == "sending":
            yield pending
