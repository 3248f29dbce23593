"""Laws 1, 3, 4, 5, 6, 13 and 15 at the far end: what the real clients hold and were promised."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from operator import attrgetter

from roomkit.client.asks import Answered, Rejected
from roomkit.client.view_data import RoomView, View
from roomkit.core.events import Message, Posted
from roomkit.core.storage import Entry
from roomkit.ids import Position, RoomId
from roomkit.limits import Limits
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
    username: str
    room: RoomId
    text: str
    outcome: str | None = None


class Held:
    """Looks over the shoulder of every client of protocol 2."""

    def __init__(self, truth: Truth, limits: Limits, tally: Tally) -> None:
        self._truth = truth
        self._key_ms = limits.idempotency_ms
        self._tally = tally
        self._said: dict[int, _Said] = {}
        self._asked = 0
        self._moves = 0
        self._shown: dict[str, dict[tuple[str, int], Data]] = {}
        self._lost: set[tuple[RoomId, str]] = set()
        self._overheard: set[str] = set()

    # What was asked

    def say(self, seat: Seat, room: RoomId, text: str) -> int:
        """Note a message about to be sent; return its ticket."""
        self._asked += 1
        self._said[self._asked] = _Said(seat.name, seat.user.username, room, text)
        return self._asked

    def overhear(self, text: str) -> None:
        """Note a message somebody else sends: the host, or a program of protocol 1."""
        self._overheard.add(text)

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
        if was is not None and was.position is not None and room.gap is not was.gap:
            if room.gap is not None and self._truth.forked(RoomId(room.room), was.position):
                self._tally.seen("fork told")
        if room.position is None or (was is not None and was.position == room.position):
            return
        self._tally.law(1)
        name = RoomId(room.room)
        position = room.position
        model = self._truth.at(name, position.link)
        if model is None or model.seq != position.seq:
            raise LawBroken(15, f"{seat.name} is at {position} of {name!r}, which never was")
        if was is not None and was.state == "joined":
            self._joins_on(seat, was, room, position)
        fresh = was is None or was.position is None or position.seq != was.position.seq + 1
        self._moves += 1
        if fresh or self._moves % EVERY == 0:
            self._tally.seen("view compared")
            self.compare(seat, room, model, 5)

    def _joins_on(self, seat: Seat, was: RoomView, room: RoomView, position: Position) -> None:
        """Whoever was in a room at an entry that is lost is told of a gap before anything else.

        What comes to those who are about to join is held at the other end.
        """
        name, before = RoomId(room.room), was.position
        told = self._truth.told(name, position.link)
        if before is None or not before.seq or told is None or told.entry.prev == before.link:
            return
        if self._truth.follows(name, before, position):
            return
        if room.gap is was.gap:
            raise LawBroken(
                15, f"{seat.name} went from {before} to {position} of {name!r} without a gap"
            )

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

    # What is lost

    def fail_over(self, rooms: dict[RoomId, int]) -> bool:
        """The store is about to lose all entries above these seqs; False if that is none.

        Their messages may be gone, acknowledged or not.
        """
        any_lost = False
        for room, log in self._truth.logs.items():
            for told in log[rooms.get(room, 0) :]:
                any_lost = True
                if isinstance(told.event, Posted):
                    self._lost.add((room, told.event.message.text))
        return any_lost

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
        """Laws 3, 4 and 13, end to end: each message at most once, the acked ones, in order.

        How long a key is kept goes by the stamps in the log, which a clock that jumps takes along.
        """
        places: dict[tuple[RoomId, str], list[Entry]] = {}
        for room, log in self._truth.logs.items():
            for told in log:
                if isinstance(told.event, Posted):
                    key = (room, told.event.message.text)
                    places.setdefault(key, []).append(told.entry)
        self._look_for_ghosts(places)
        last: dict[tuple[str, RoomId], int] = {}
        for said in self._said.values():
            found = places.get((said.room, said.text), [])
            for one, other in pairwise(found):
                if other.at - one.at < self._key_ms:
                    raise LawBroken(3, f"{said} is in the log {len(found)} times: {found}")
            if said.outcome != "posted":
                continue
            if (said.room, said.text) in self._lost:
                self._tally.seen("acked and lost", not found)
                continue  # and a late copy of it may be anywhere
            if not found:
                raise LawBroken(4, f"{said} was acknowledged and is not in the log")
            seq = found[0].seq
            if seq < last.get((said.seat, said.room), 0):
                raise LawBroken(13, f"{said} is in the log before what was said before it")
            last[said.seat, said.room] = seq

    def _look_for_ghosts(self, places: dict[tuple[RoomId, str], list[Entry]]) -> None:
        """Nobody's message is in the log but by who sent it, where they sent it."""
        senders = {(said.room, said.text): said.username for said in self._said.values()}
        for (room, text), entries in places.items():
            if text in self._overheard:
                continue
            for entry in entries:
                told = self._truth.told(room, entry.link)
                assert told is not None and isinstance(told.event, Posted)
                if senders.get((room, text)) != told.event.message.username:
                    raise LawBroken(16, f"nobody said {told.event.message} in {room!r}")
