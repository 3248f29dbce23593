"""The rooms of a client machine: what is asked of them and what the server says of them.

Works on the view and on one `Lane` per room; whether there is a connection is `Link`'s business.
"""

from __future__ import annotations

from collections.abc import Callable

from roomkit.client import asks
from roomkit.client.asks import Ask, Happened
from roomkit.client.deadlines import soonest
from roomkit.client.lane import Lane
from roomkit.client.notice import TypingNotice
from roomkit.client.outbox import Outbox
from roomkit.client.traffic import Request, Traffic, given
from roomkit.client.view import apply, joining, left, paged_in, refused
from roomkit.client.view_data import Problem, Record, View, refusal_in, text_in

__all__ = ["Rooms"]

_COMMANDS = {
    "edit": "edit_message",
    "delete": "delete_message",
    "history": "get_history",
    "users": "get_users",
    "signal": "send_signal",
}
_NO_NEWS = frozenset({"room_advanced", "message_history", "room_users", "ack", "error"})


class Rooms:
    """Every room the application asked for."""

    def __init__(
        self, traffic: Traffic, random: Callable[[], float], mint: Callable[[], str]
    ) -> None:
        self._traffic = traffic
        self._random = random
        self._outbox = Outbox(traffic, mint)
        self._notice = TypingNotice()
        self._lanes: dict[str, Lane] = {}

    @property
    def deadline(self) -> int | None:
        """When `tick` has next something to do."""
        earliest, ttl_ms, rooms = (
            self._notice.deadline,
            self._outbox.ttl_ms,
            self._traffic.view.rooms,
        )
        for name, lane in self._lanes.items():
            earliest = soonest(earliest, lane.deadline(rooms[name], ttl_ms))
        return earliest

    # The connection

    def welcomed(self) -> None:
        """Join what is wanted."""
        self._notice.every_ms = self._traffic.link.limits["typing_resend_ms"]
        for name, lane in self._lanes.items():
            if self._traffic.room(name).state == "joining":
                self._join(name, lane)

    def cut(self) -> None:
        """The connection is gone: what is unanswered stays so, sends and joins go again."""
        self._notice.forget_all()
        for lane in self._lanes.values():
            lane.cut()
        requests, self._traffic.requests = self._traffic.requests, {}
        for request in requests.values():
            if request.kind == "leave":
                self._traffic.answer(request.ticket, {})
            else:
                self._traffic.reject(request.ticket, asks.DISCONNECTED)

    def stop(self, problem: Problem) -> None:
        """Nothing will be sent any more."""
        for name, lane in self._lanes.items():
            self._outbox.fail(name, lane, problem)

    def leave_all(self) -> None:
        """Say goodbye, so that nobody waits for us."""
        for name, room in self._traffic.view.rooms.items():
            if room.state == "joined":
                self._traffic.link.transmit("leave_room", {"room": name})

    def tick(self, now: int) -> None:
        """Do what is due."""
        for name in self._notice.idle(now):
            self._traffic.link.transmit("typing_stop", {"room": name})
        for name, lane in self._lanes.items():
            if lane.join_at is not None and lane.join_at <= now:
                self._join(name, lane)
            self._outbox.pump(name, lane, now)

    # What the application asks

    def ask(self, ask: Ask, now: int, ticket: int | None) -> None:
        """Do it, or say why not."""
        lane = self._lanes.get(ask.room)
        wanted = lane is not None and lane.wanted is not None
        match ask:
            case asks.Join():
                self._enter(ask)
            case asks.Discard():
                if lane is not None:
                    self._outbox.discard(lane, ask)
            case asks.StartTyping() | asks.StopTyping():
                self._type(ask, now)
            case asks.Leave() if lane is not None and wanted:
                self._leave(ask.room, lane, ticket)
                return
            case asks.Leave():
                pass
            case asks.Send() if lane is not None and wanted:
                self._notice.forget(ask.room)
                self._outbox.send(lane, ask, now, ticket)
                return
            case _:
                self._command(ask, ticket)
                return
        self._traffic.answer(ticket, {})

    def _enter(self, ask: asks.Join) -> None:
        lane = self._lanes.setdefault(ask.room, Lane(self._random))
        lane.wanted = ask
        room = self._traffic.view.rooms.get(ask.room)
        if room is None or room.state not in ("joining", "joined"):
            self._traffic.view = joining(self._traffic.view, ask.room)
            if self._traffic.online:
                self._join(ask.room, lane)

    def _join(self, name: str, lane: Lane) -> None:
        assert lane.wanted is not None
        data = given(lane.wanted, "history", "meta", "username")
        position = self._traffic.room(name).position
        if position is not None:
            data["since"] = {"seq": position.seq, "link": position.link}
        lane.join_at = None
        lane.joining = self._traffic.request("join_room", Request("join", name), data)

    def _leave(self, name: str, lane: Lane, ticket: int | None) -> None:
        lane.wanted = lane.join_at = lane.joining = None
        self._notice.forget(name)
        self._outbox.fail(name, lane, asks.NOT_JOINED)
        self._traffic.view = left(self._traffic.view, name)
        if self._traffic.online:
            self._traffic.request("leave_room", Request("leave", name, ticket), {})
        else:
            self._traffic.answer(ticket, {})

    def _type(self, ask: asks.StartTyping | asks.StopTyping, now: int) -> None:
        room = self._traffic.view.rooms.get(ask.room)
        if room is None or room.state != "joined":
            return
        if isinstance(ask, asks.StartTyping):
            if self._notice.pressed(ask.room, now):
                self._traffic.link.transmit("typing_start", {"room": ask.room})
        elif self._notice.forget(ask.room):
            self._traffic.link.transmit("typing_stop", {"room": ask.room})

    def _command(
        self,
        ask: asks.Send | asks.Edit | asks.Delete | asks.History | asks.Users | asks.Signal,
        ticket: int | None,
    ) -> None:
        """Send what makes no sense but in a joined room."""
        room = self._traffic.view.rooms.get(ask.room)
        if isinstance(ask, asks.Send) or room is None or room.state != "joined":
            self._traffic.reject(ticket, (room and room.problem) or asks.NOT_JOINED)
            return
        kind = str(type(ask).__struct_config__.tag)
        data = given(ask, *(name for name in ask.__struct_fields__ if name != "room"))
        before = None
        if isinstance(ask, asks.History) and ask.after is None and ask.around is None:
            before = room.held_from if ask.before is None else ask.before
            data["before"] = before
        if isinstance(ask, asks.Signal):
            data["payload"] = ask.payload
        self._traffic.request(_COMMANDS[kind], Request(kind, ask.room, ticket, before=before), data)

    # What the server says

    def received(self, frame: Record, kind: str, data: Record, now: int) -> None:
        """Take a frame of protocol 2 that is not about the connection itself.

        Raises:
            Malformed: it cannot be read.
        """
        traffic, before = self._traffic, self._traffic.view
        ref, name = data.get("ref"), data.get("room")
        request = traffic.requests.get(ref) if isinstance(ref, str) else None
        traffic.view = apply(before, frame, now)
        if isinstance(ref, str) and request is not None:
            self._answered(ref, request, kind, data, now)
            del traffic.requests[ref]
            name = request.room
        elif kind == "error":
            text_in(data, "code")
            traffic.out.append(Happened(name if isinstance(name, str) else None, kind, data))
        if isinstance(name, str) and name in self._lanes:
            self._tend(name, before, kind, data, now)

    def _tend(self, name: str, before: View, kind: str, data: Record, now: int) -> None:
        """After a frame of a room: tell of it, and keep the room's lane going."""
        traffic, lane, was = self._traffic, self._lanes[name], before.rooms[name]
        room = traffic.room(name)
        news = room is not was or (kind == "signal" and room.state == "joined")
        if news and kind not in _NO_NEWS:
            traffic.out.append(Happened(name, kind, data))
        if kind == "room_gap" and room is not was:
            lane.replaced = True
        elif kind == "room_joined" and room.state == "joined":
            lane.joined()
        elif room.state == "left" and was.state != "left":
            lane.wanted = None
            self._notice.forget(name)
            self._outbox.fail(name, lane, room.problem or asks.NOT_JOINED)
        awaited = lane.joining is not None or lane.join_at is not None or lane.replaced
        if room.state == "joining" and not awaited:
            self._join(name, lane)
        self._outbox.pump(name, lane, now)

    def _answered(self, ref: str, request: Request, kind: str, data: Record, now: int) -> None:
        traffic, lane = self._traffic, self._lanes[request.room]
        if kind == "error":
            self._refused(ref, request, data, now)
        elif request.kind == "send":
            self._outbox.acked(lane, request, data)
        elif request.kind == "join":
            lane.joining = None if lane.joining == ref else lane.joining
        else:
            if request.before is not None and kind == "message_history":
                traffic.view = paged_in(traffic.view, request.room, data, request.before)
            traffic.answer(request.ticket, data)

    def _refused(self, ref: str, request: Request, data: Record, now: int) -> None:
        traffic, lane = self._traffic, self._lanes[request.room]
        refusal = refusal_in(data)
        if request.kind == "send":
            self._outbox.refused(lane, request, refusal, now)
        elif request.kind != "join":
            traffic.reject(request.ticket, refusal.problem, refusal.retry_after_ms)
        elif lane.joining == ref:
            lane.joining = None
            if refusal.retryable:
                lane.join_later(refusal.retry_after_ms, now)
            else:
                lane.wanted = None
                traffic.view = refused(traffic.view, request.room, refusal.problem)
                self._outbox.fail(request.room, lane, refusal.problem)
