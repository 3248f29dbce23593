"""Laws 1, 3, 4, 5, 6, 13 and 15 at the far end: what the real clients hold and were promised."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter

from roomkit.client.asks import Answered, Rejected
from roomkit.client.view_data import RoomView, View
from roomkit.core.events import Message, Posted
from roomkit.ids import RoomId
from roomkit.testing.laws import LawBroken
from roomkit.testing.laws.truth import Truth
from roomkit.testing.laws.views import users_in
from roomkit.testing.model import ModelRoom
from roomkit.testing.simulation.expected import Data, message_shown, occupant_shown
from roomkit.testing.simulation.seat import Seat
from roomkit.testing.simulation.tally import Tally
from roomkit.testing.world import Node

__all__ = ["EVERY", "Held"]

EVERY = 16
"""Of so many frames that moved a view, one has the whole view compared; so has every snapshot."""

_seq_of = attrgetter("seq")


@dataclass
class _Said:
    """A message an application gave to its client.

    Attributes:
        outcome: None while there is none; "gone" if the page was loaded anew before.
    """

    seat: str
    room: RoomId
    text: str
    outcome: str | None = None


class Held:
    """Looks over the shoulder of every client of protocol 2."""

    def __init__(self, truth: Truth, tally: Tally) -> None:
        self._truth = truth
        self._tally = tally
        self._said: dict[int, _Said] = {}
        self._asked = 0
        self._moves = 0
        self._shown: dict[str, dict[tuple[str, int], Data]] = {}

    # What was asked

    def say(self, seat: Seat, room: RoomId, text: str) -> int:
        """Note a message about to be sent; return its ticket."""
        self._asked += 1
        self._said[self._asked] = _Said(seat.name, room, text)
        return self._asked

    def reloaded(self, seat: Seat) -> None:
        """The page forgot everything."""
        for said in self._said.values():
            if said.seat == seat.name and said.outcome is None:
                said.outcome = "gone"

    def answered(self, seat: Seat, ticket: int, output: Answered | Rejected) -> None:
        said = self._said[ticket]
        if said.outcome is not None:
            raise LawBroken(12, f"{seat.name} was told twice what became of {said}: {output}")
        if isinstance(output, Rejected):
            said.outcome = output.problem.code
            self._tally.seen("failed visibly")
            return
        said.outcome = "posted"
        self._tally.seen("acked")
        data = output.data
        told = self._truth.told(said.room, str(data["link"]))
        if told is None or told.entry.seq != data["seq"] or not isinstance(told.event, Posted):
            raise LawBroken(4, f"{said} was acknowledged as {data}, and the log has {told}")
        if told.event.message.text != said.text:
            raise LawBroken(4, f"{said} was acknowledged as {told.event.message}")

    # What is held

    def heard(self, seat: Seat, before: View) -> None:
        for name, room in seat.machine.view.rooms.items():
            was = before.rooms.get(name)
            if was is not room:
                self._moved(seat, was, room)

    def _moved(self, seat: Seat, was: RoomView | None, room: RoomView) -> None:
        if was is not None and was.state == "joined" and room.state == "joining":
            if room.gap is was.gap and room.position is was.position:
                raise LawBroken(
                    1, f"a frame tore {room.room!r} at {seat.name} after {room.position}"
                )
        if room.position is None or (was is not None and was.position == room.position):
            return
        self._tally.law(1)
        name = RoomId(room.room)
        position = room.position
        model = self._truth.at(name, position.link)
        if model is None or model.seq != position.seq:
            raise LawBroken(15, f"{seat.name} is at {position} of {name!r}, which never was")
        fresh = was is None or was.position is None or position.seq != was.position.seq + 1
        self._moves += 1
        if fresh or self._moves % EVERY == 0:
            self._tally.seen("view compared")
            self.compare(seat, room, model, 5)

    def compare(self, seat: Seat, room: RoomView, model: ModelRoom, law: int) -> None:
        """Compare what a client holds of a room with the room as it was then.

        Raises:
            LawBroken: they differ.
        """
        start = bisect_left(model.messages, room.held_from, key=_seq_of)
        wanted = self._show(room.room, model.messages[start:])
        held = list(room.messages)
        if held != wanted and not self._newer(room, model, start):
            raise LawBroken(law, f"{seat.name} holds {held} of {room.room!r}, not {wanted}")
        views = model.views() if model.shown else {}
        occupants = {one["user_id"]: one for one in room.occupants}
        people = {str(user): occupant_shown(one) for user, one in views.items()}
        if occupants != people or (room.roster == "on") != model.shown:
            raise LawBroken(law, f"{seat.name} shows {occupants} in {room.room!r}, not {people}")
        if model.shown and room.total != len(people):
            raise LawBroken(law, f"{seat.name} counts {room.total} in {room.room!r}: {people}")

    def _show(self, room: str, messages: Sequence[Message]) -> list[Data]:
        shown, datas = self._shown.setdefault(room, {}), list[Data]()
        for message in messages:
            key = (message.link, message.version)
            data = shown.get(key)
            if data is None:
                data = shown[key] = message_shown(room, message)
            datas.append(data)
        return datas

    def _newer(self, room: RoomView, model: ModelRoom, start: int) -> bool:
        """Tell whether what differs was paged in, in a form that this view has yet to reach."""
        held, messages = room.messages, model.messages[start:]
        if len(held) != len(messages):
            return False
        return all(
            dict(one)
            in [
                message_shown(room.room, form)
                for form in self._truth.forms_since(model.name, model.link, message.seq)
            ]
            for one, message in zip(held, messages, strict=True)
        )

    # At rest

    def rested(self, seats: Sequence[Seat], nodes: Sequence[Node]) -> None:
        """Everything rests: every view is the room as it is, every message is accounted for.

        Raises:
            LawBroken: something is not as it must be (laws 3, 4, 6, 12, 13).
        """
        for seat in seats:
            for name, room in seat.machine.view.rooms.items():
                self._settled(seat, room, self._truth.tip(RoomId(name)), nodes)
        waiting = [said for said in self._said.values() if said.outcome is None]
        if waiting:
            raise LawBroken(12, f"nobody was told what became of {waiting}")
        self._account()

    def _settled(self, seat: Seat, room: RoomView, tip: ModelRoom, nodes: Sequence[Node]) -> None:
        gone = room.state in ("left", "refused")
        done = ("failed", "sent") if gone else ("failed",)
        if any(one.state not in done for one in room.pending):
            raise LawBroken(12, f"{seat.name} rests with {room.pending} in {room.room!r}")
        if gone:
            return
        if room.state != "joined" or room.position is None or room.position.link != tip.link:
            if seat.machine.state == "stopped":
                return
            raise LawBroken(
                6, f"{seat.name} rests {room.state} at {room.position} of {room.room!r}: {tip.seq}"
            )
        self.compare(seat, room, tip, 6)
        if room.typing.users:
            raise LawBroken(7, f"{seat.name} rests with {room.typing} in {room.room!r}")
        if not tip.shown and seat.wire is not None and not seat.wire.outbox.shed:
            users = users_in(nodes, tip.name)
            if room.total != users:
                raise LawBroken(6, f"{seat.name} counts {room.total} in {room.room!r}: {users}")
        if seat.cuts:
            self._tally.law(6)

    def _account(self) -> None:
        """Laws 3, 4 and 13, end to end: each message at most once, the acked ones, in order."""
        places: dict[tuple[RoomId, str], list[int]] = {}
        for room, log in self._truth.logs.items():
            for told in log:
                if isinstance(told.event, Posted):
                    key = (room, told.event.message.text)
                    places.setdefault(key, []).append(told.entry.seq)
        last: dict[tuple[str, RoomId], int] = {}
        for said in self._said.values():
            found = places.get((said.room, said.text), [])
            if len(found) > 1:
                raise LawBroken(3, f"{said} is in the log {len(found)} times: {found}")
            if said.outcome == "posted" and not found:
                raise LawBroken(4, f"{said} was acknowledged and is not in the log")
            for seq in found if said.outcome == "posted" else ():
                if seq < last.get((said.seat, said.room), 0):
                    raise LawBroken(13, f"{said} is in the log before what was said before it")
                last[said.seat, said.room] = seq
