"""What people and the host do, step by step."""

from __future__ import annotations

from collections.abc import Callable

from roomkit.client import asks
from roomkit.core.inputs import HostDelete, HostEdit, HostHistory, HostKick, HostPost, HostUsers
from roomkit.ids import Position, RoomId, UserId, message_id
from roomkit.testing.lives.crowd import ROOMS
from roomkit.testing.simulation.plan import Step
from roomkit.testing.simulation.seat import Seat
from roomkit.testing.simulation.stage import Stage

__all__ = ["PEOPLE"]

_LONG = 700
_WRONG = ("", " ", "a\x00b", "x" * 4_001)


def _seat(stage: Stage, step: Step) -> Seat:
    return stage.seats[step.who % len(stage.seats)]


def _room(seat: Seat, pick: int) -> RoomId:
    """Return a room the client is in, mostly; or any."""
    rooms = [name for name, room in seat.machine.view.rooms.items() if room.state == "joined"]
    if not rooms or pick % 16 == 0:
        return ROOMS[pick % len(ROOMS)]
    return RoomId(rooms[pick % len(rooms)])


def _say(stage: Stage, step: Step) -> None:
    others = stage.others
    if others and step.who % 8 == 0:
        text = stage.text()
        stage.checks.held.overhear(text)
        others[0].send("send_message", message=text)
        return
    seat = _seat(stage, step)
    text = stage.text()
    if step.pick % 8 == 0:
        text += "." * _LONG
    _send(stage, seat, _room(seat, step.pick), text)


def _send(stage: Stage, seat: Seat, room: RoomId, text: str) -> None:
    ticket = stage.checks.held.say(seat, room, text)
    seat.ask(asks.Send(room, text), ticket)


def _chat(stage: Stage, step: Step) -> None:
    """Everybody says something at once."""
    for seat in stage.seats:
        _send(stage, seat, _room(seat, step.pick), stage.text())


def _flood(stage: Stage, step: Step) -> None:
    """Somebody says a lot at once."""
    seat = _seat(stage, step)
    for _ in range(4):
        _send(stage, seat, ROOMS[0], stage.text() + "." * _LONG)


def _say_wrongly(stage: Stage, step: Step) -> None:
    seat = _seat(stage, step)
    seat.ask(asks.Edit(_room(seat, step.pick), "1-0000", _WRONG[step.pick % len(_WRONG)]))


def _type(stage: Stage, step: Step) -> None:
    if stage.others and step.who % 8 == 0:
        stage.others[0].send("typing_start")
        return
    seat = _seat(stage, step)
    seat.ask(asks.StartTyping(_room(seat, step.pick)))


def _stop_typing(stage: Stage, step: Step) -> None:
    seat = _seat(stage, step)
    seat.ask(asks.StopTyping(_room(seat, step.pick)))


def _some_message(seat: Seat, room: RoomId, pick: int) -> str:
    """Return the id of a message the client holds: one of its own if it has any, mostly."""
    held = seat.machine.view.rooms.get(room)
    messages = held.messages if held is not None else ()
    own = [one for one in messages if one.get("user_id") == seat.user.user_id]
    among = own if own and pick % 8 else messages
    return among[pick // 8 % len(among)]["id"] if among else "1-0000000000000000"


def _edit(stage: Stage, step: Step) -> None:
    seat = _seat(stage, step)
    room = _room(seat, step.pick)
    name = _some_message(seat, room, step.pick)
    stage.revised = int(name.partition("-")[0])
    version = 1 if step.pick % 5 == 0 else None
    seat.ask(asks.Edit(room, name, stage.text(), version))


def _delete(stage: Stage, step: Step) -> None:
    seat = _seat(stage, step)
    room = _room(seat, step.pick)
    seat.ask(asks.Delete(room, _some_message(seat, room, step.pick), "because"))


def _page(stage: Stage, step: Step) -> None:
    seat = _seat(stage, step)
    room, pick = _room(seat, step.pick), step.pick
    seq = stage.revised if pick % 3 else pick // 4 % 40
    ask = (
        asks.History(room),
        asks.History(room, limit=3),
        asks.History(room, after=max(0, seq - 1), limit=2),
        asks.History(room, around=seq, limit=4),
    )[pick % 4]
    seat.ask(ask)


def _list_users(stage: Stage, step: Step) -> None:
    seat = _seat(stage, step)
    seat.ask(asks.Users(_room(seat, step.pick), limit=1 + step.pick % 3))


def _signal(stage: Stage, step: Step) -> None:
    seat = _seat(stage, step)
    seat.ask(asks.Signal(_room(seat, step.pick), "wave", {"n": step.pick}))


def _join(stage: Stage, step: Step) -> None:
    if stage.others and step.who % 8 == 0:
        stage.others[0].room = ROOMS[step.pick % len(ROOMS)]
        stage.others[0].send("join_room", room=stage.others[0].room, username="dave")
        return
    seat = _seat(stage, step)
    history = (None, None, 0, 1)[step.pick % 4]
    seat.ask(asks.Join(ROOMS[step.pick // 4 % len(ROOMS)], history, {"n": step.pick % 3}))


def _leave(stage: Stage, step: Step) -> None:
    seat = _seat(stage, step)
    seat.ask(asks.Leave(_room(seat, step.pick)))


def _press_on(stage: Stage, step: Step) -> None:
    """Somebody looks at the page."""
    _seat(stage, step).hint()


def _post(stage: Stage, step: Step) -> None:
    front = stage.fronts[step.who % len(stage.fronts)]
    key = "host-key" if step.pick % 4 == 0 else None
    text = stage.text()
    stage.checks.held.overhear(text)
    stage.ask(front, HostPost(ROOMS[step.pick % len(ROOMS)], text, None, key))


def _kick(stage: Stage, step: Step) -> None:
    front = stage.fronts[step.who % len(stage.fronts)]
    users = list(stage.checks.truth.tip(ROOMS[0]).roster)
    if users:
        user = UserId(users[step.pick % len(users)])
        stage.ask(front, HostKick(ROOMS[0], user, "host", "because"))


def _revise(stage: Stage, step: Step) -> None:
    front, pick = stage.fronts[step.who % len(stage.fronts)], step.pick
    room = ROOMS[0]
    messages = stage.checks.truth.tip(room).messages
    if not messages:
        return
    message = messages[-1 - pick % min(len(messages), 20)]
    name = message_id(Position(message.seq, message.link))
    if pick % 2:
        stage.ask(front, HostDelete(room, name, UserId("host")))
    else:
        stage.ask(front, HostEdit(room, name, stage.text(), UserId("host")))


def _look(stage: Stage, step: Step) -> None:
    front = stage.fronts[step.who % len(stage.fronts)]
    room = ROOMS[step.pick % len(ROOMS)]
    stage.ask(front, HostUsers(room) if step.pick % 2 else HostHistory(room, before=step.pick % 40))


PEOPLE: dict[str, Callable[[Stage, Step], None]] = {
    "say": _say,
    "chat": _chat,
    "flood": _flood,
    "say wrongly": _say_wrongly,
    "type": _type,
    "stop typing": _stop_typing,
    "edit": _edit,
    "delete": _delete,
    "page": _page,
    "list users": _list_users,
    "signal": _signal,
    "join": _join,
    "leave": _leave,
    "press on": _press_on,
    "post": _post,
    "kick": _kick,
    "revise": _revise,
    "look": _look,
}
