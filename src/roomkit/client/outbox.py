"""Messages on their way: queued, sent, acknowledged, sent again, given up."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from roomkit.client import asks
from roomkit.client.lane import OUTBOX_LIMIT, Lane, unsent
from roomkit.client.traffic import Request, Traffic, given
from roomkit.client.view import with_room
from roomkit.client.view_data import Pending, Problem, Record, Refusal, RoomView, text_in, whole_in
from roomkit.client.view_pending import acked, failed, queued, withdrawn
from roomkit.client.view_room import cut_off
from roomkit.errors import ErrorCode

__all__ = ["Outbox"]


class Outbox:
    """Moves the messages of rooms along their lanes.

    Args:
        mint: gives a new idempotency key each time.
    """

    def __init__(self, traffic: Traffic, mint: Callable[[], str]) -> None:
        self._traffic = traffic
        self._mint = mint

    @property
    def ttl_ms(self) -> int:
        """How long a message may wait: much later, the server might not know it for a repeat."""
        return self._traffic.link.limits["idempotency_ms"] // 2

    def send(self, lane: Lane, ask: asks.Send, now: int, ticket: int | None) -> None:
        """Queue a message, and send it if it is its turn."""
        room = self._traffic.room(ask.room)
        if sum(one.state == "sending" for one in room.pending) >= OUTBOX_LIMIT:
            self._traffic.reject(ticket, asks.OUTBOX_FULL)
            return
        pending = Pending(
            key=self._mint(),
            message=ask.message,
            state="sending",
            at=now,
            reply_to=ask.reply_to,
            meta=ask.meta,
        )
        if ticket is not None:
            lane.tickets[pending.key] = ticket
        self._put(queued(room, pending))
        self.pump(ask.room, lane, now)

    def discard(self, lane: Lane, ask: asks.Discard) -> None:
        """Forget a message that has failed, or was never sent."""
        room = self._traffic.room(ask.room)
        found = next((one for one in room.pending if one.key == ask.key), None)
        if found is None or (found.state != "failed" and ask.key in lane.tried):
            return
        self._put(withdrawn(room, ask.key))
        lane.tried.discard(ask.key)
        self._traffic.reject(lane.tickets.pop(ask.key, None), asks.WITHDRAWN)

    def pump(self, name: str, lane: Lane, now: int) -> None:
        """Give up what waited for too long, and send the next message, if it is its turn."""
        room = self._traffic.room(name)
        if not room.pending and not room.unconfirmed:
            return
        self._give_up_overdue(name, lane, now)
        room = self._traffic.room(name)
        if room.state != "joined" or not self._traffic.online:
            return
        pending = lane.next(room, now)
        if pending is not None:
            data = given(pending, "message", "reply_to", "meta")
            data["idempotency_key"] = pending.key
            self._traffic.request("send_message", Request("send", name, key=pending.key), data)

    def acked(self, lane: Lane, request: Request, data: Record) -> None:
        """The server has stored a message.

        Raises:
            Malformed: the `ack` cannot be read.
        """
        seq = whole_in(data, "seq")
        for name in ("link", "id", "timestamp"):
            text_in(data, name)
        if lane.sending == request.key:
            lane.sent()
        room = self._traffic.room(request.room)
        mine = (*room.unconfirmed, *room.pending)
        pending = next((one for one in mine if one.key == request.key), None)
        if pending is not None:
            lane.tried.discard(request.key)
            self._put(acked(room, request.key, seq))
            ticket = lane.tickets.pop(request.key, None)
            self._traffic.answer(ticket, self._message_of(room, pending, data))

    def refused(self, lane: Lane, request: Request, refusal: Refusal, now: int) -> None:
        """The server has not stored a message, or does not know."""
        if lane.sending != request.key:
            return
        if refusal.problem.code == ErrorCode.NOT_JOINED and lane.wanted is not None:
            lane.sending = None
            self._put(cut_off(self._traffic.room(request.room)))
        elif refusal.retryable:
            lane.send_later(refusal.retry_after_ms, now)
        else:
            lane.sent()
            self.fail(request.room, lane, refusal.problem, {request.key})

    def _give_up_overdue(self, name: str, lane: Lane, now: int) -> None:
        overdue = lane.overdue(self._traffic.room(name), self.ttl_ms, now)
        if overdue:
            self.fail(name, lane, asks.EXPIRED, overdue)

    def fail(self, name: str, lane: Lane, problem: Problem, keys: set[str] | None = None) -> None:
        """Give messages up, by default all that are not sent. What the room shows has been."""
        room = self._traffic.room(name)
        given_up = [one for one in unsent(room) if keys is None or one.key in keys]
        if not given_up:
            return
        self._put(failed(room, {one.key for one in given_up}, problem))
        shown = {one.get("idempotency_key"): one for one in room.messages}
        for one in given_up:
            ticket = lane.tickets.pop(one.key, None)
            lane.tried.discard(one.key)
            if one.key in shown:
                self._traffic.answer(ticket, cast("Record", shown[one.key]))
            else:
                self._traffic.reject(ticket, problem)

    def _message_of(self, room: RoomView, pending: Pending, ack: Record) -> Record:
        """Return the message an `ack` is about: as it is held, else put together."""
        for message in reversed(room.messages):
            if message["seq"] == ack["seq"]:
                return cast("Record", message)
        stored = {name: ack[name] for name in ("seq", "link", "id", "timestamp")}
        mine = given(pending, "message", "reply_to", "meta")
        user = cast("Record", self._traffic.view.user or {})
        rest = {"room": room.room, "type": "message", "idempotency_key": pending.key}
        return {**stored, **user, **mine, **rest}

    def _put(self, room: RoomView) -> None:
        self._traffic.view = with_room(self._traffic.view, room)
